//! Customer, company, addresses and payment terms of a body.

use super::at::{At, Form, Read};
use super::ids;
use crate::orders::fault::BodyCode;
use crate::orders::party::{Address, Company, Contact, Customer, PaymentSchedule, PaymentTerms};

pub(crate) fn contact(order: &At<'_>) -> Read<Contact> {
    let customer = match order.get("customer", "customer") {
        Some(at) => customer(&at)?,
        None => None,
    };
    Ok(Contact {
        customer,
        email: order.text("email", "email")?,
        phone: order.text("phone", "phone")?,
        locale: order.text("customer_locale", "customerLocale")?,
    })
}

fn customer(at: &At<'_>) -> Read<Option<Customer>> {
    let Some(own) = ids::own_opt(at, "Customer")? else { return Ok(None) };
    let (email, phone) = match at.form {
        Form::Rest => (at.text("email", "")?, at.text("phone", "")?),
        Form::GraphQl => {
            let email = at.get("", "defaultEmailAddress");
            let phone = at.get("", "defaultPhoneNumber");
            (
                email.as_ref().map(|found| found.text("", "emailAddress")).transpose()?.flatten(),
                phone.as_ref().map(|found| found.text("", "phoneNumber")).transpose()?.flatten(),
            )
        }
    };
    Ok(Some(Customer {
        customer_id: own.id,
        first_name: at.text("first_name", "firstName")?,
        last_name: at.text("last_name", "lastName")?,
        email,
        phone,
    }))
}

/// REST: `company: {id, location_id}`. GraphQL: `purchasingEntity`, which is a customer for the others.
pub(crate) fn company(order: &At<'_>) -> Read<Option<Company>> {
    let Some(buyer) = order.get("company", "purchasingEntity") else { return Ok(None) };
    let (company_id, company_location_id) = match order.form {
        Form::Rest => (ids::reference(&buyer, "id", "")?, ids::reference(&buyer, "location_id", "")?),
        Form::GraphQl => (ids::reference(&buyer, "", "company")?, ids::reference(&buyer, "", "location")?),
    };
    Ok(company_id.map(|company_id| Company { company_id, company_location_id }))
}

/// An address of which nothing is known is none.
pub(crate) fn address<'a>(order: &'a At<'a>, rest: &'a str, graphql: &'a str) -> Read<Option<Address>> {
    let Some(at) = order.get(rest, graphql) else { return Ok(None) };
    let address = Address {
        name: at.text("name", "name")?,
        first_name: at.text("first_name", "firstName")?,
        last_name: at.text("last_name", "lastName")?,
        company: at.text("company", "company")?,
        address1: at.text("address1", "address1")?,
        address2: at.text("address2", "address2")?,
        zip: at.text("zip", "zip")?,
        city: at.text("city", "city")?,
        province: at.text("province", "province")?,
        province_code: at.text("province_code", "provinceCode")?,
        country: at.text("country", "country")?,
        country_code: at.text("country_code", "countryCodeV2")?,
        phone: at.text("phone", "phone")?,
    };
    Ok((address != Address::default()).then_some(address))
}

pub(crate) fn payment_terms(order: &At<'_>) -> Read<Option<PaymentTerms>> {
    let Some(at) = order.get("payment_terms", "paymentTerms") else { return Ok(None) };
    let kind_at = at.need("payment_terms_type", "paymentTermsType")?;
    let kind = kind_at.spelled()?.to_ascii_lowercase();
    if !["net", "fixed", "receipt", "fulfillment", "unknown"].contains(&kind.as_str()) {
        return Err(kind_at.fault(BodyCode::UnknownValue, format!("{kind:?} is no kind of payment terms")));
    }
    let mut schedules = Vec::new();
    for schedule in at.list("payment_schedules", "paymentSchedules")? {
        schedules.push(PaymentSchedule {
            issued_at: schedule.instant("issued_at", "issuedAt")?,
            due_at: schedule.instant("due_at", "dueAt")?,
        });
    }
    schedules.sort();
    Ok(Some(PaymentTerms {
        name: at.text("payment_terms_name", "paymentTermsName")?.unwrap_or_default(),
        kind,
        due_in_days: at.count_of("due_in_days", "dueInDays")?.and_then(|days| u32::try_from(days).ok()),
        schedules,
    }))
}
