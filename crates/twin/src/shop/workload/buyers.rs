//! Who bought: a company's location with its contact, or a consumer, who may have left no name and no address.

use rust_decimal::Decimal;

use super::mix::Mix;
use crate::shop::catalogue::{PARTIES, Party};
use crate::shop::chance::Chance;
use crate::shop::order::{Address, Customer, Order, PurchasingCompany};
use crate::shop::trap::Trap;

pub(super) fn buyer(order: &mut Order, mix: &Mix, chance: &mut Chance) {
    if chance.per_mille(mix.b2b) {
        if let Some(party) = chance.one_of(&PARTIES) {
            business(order, party);
            order.po_number = Some(format!("PO-{}-{:05}", order.number, chance.below(100_000)));
        }
        return;
    }
    consumer(order, mix, chance);
}

fn business(order: &mut Order, party: &Party) {
    let address = Address {
        first_name: Some(party.contact.0.to_owned()),
        last_name: Some(party.contact.1.to_owned()),
        company: Some(party.company.to_owned()),
        address1: Some(party.street.to_owned()),
        city: Some(party.city.to_owned()),
        country: Some(party.country.0.to_owned()),
        country_code: Some(party.country.1.to_owned()),
        zip: Some(party.zip.to_owned()),
        ..Address::default()
    };
    let email = format!("{}@example.com", party.code.to_lowercase());
    order.customer = Some(Customer {
        id: party.customer_id,
        first_name: address.first_name.clone(),
        last_name: address.last_name.clone(),
        email: Some(email.clone()),
        phone: None,
        tax_exempt: party.tax_exempt,
        created_at: order.created_at,
        default_address: Some(address.clone()),
    });
    order.email = Some(email);
    order.tax_exempt = party.tax_exempt;
    order.billing_address = Some(address.clone());
    order.shipping_address = Some(address);
    order.company = Some(PurchasingCompany {
        company_id: party.company_id,
        company_name: party.company.to_owned(),
        company_external_id: Some(party.code.to_owned()),
        location_id: party.location_id,
        location_name: party.location.to_owned(),
        location_external_id: Some(party.code.to_owned()),
        contact_id: Some(party.contact_id),
    });
    if party.tax_exempt {
        order.traps.push(Trap::TaxExempt);
    }
}

const FIRST_NAMES: [&str; 6] = ["Mia", "Noah", "Aïcha", "Søren", "Chloë", "李"];
const LAST_NAMES: [&str; 6] = ["Keller", "O'Neill", "Müller-Lüdenscheidt", "Ødegård", "Nguyễn", "伟"];

fn consumer(order: &mut Order, mix: &Mix, chance: &mut Chance) {
    let first_name = chance.one_of(&FIRST_NAMES).map(|name| (*name).to_owned());
    let last_name = chance.one_of(&LAST_NAMES).map(|name| (*name).to_owned());
    let address = Address {
        first_name: first_name.clone(),
        last_name: last_name.clone(),
        address1: Some(format!("Lindenweg {}", chance.between(1, 140))),
        address2: chance.per_mille(200).then(|| "c/o Empfang, 3. OG".to_owned()),
        city: Some("Köln".to_owned()),
        country: Some("Germany".to_owned()),
        country_code: Some("DE".to_owned()),
        zip: Some("50667".to_owned()),
        phone: chance.per_mille(300).then(|| "+49 221 000000".to_owned()),
        latitude: chance.per_mille(300).then(|| Decimal::new(509_364, 4)),
        longitude: None,
        ..Address::default()
    };
    if chance.per_mille(mix.null_address) {
        order.traps.push(Trap::NullAddress);
    } else {
        order.billing_address = Some(address.clone());
        order.shipping_address = Some(address.clone());
    }
    if chance.per_mille(mix.null_customer) {
        order.traps.push(Trap::NullCustomer);
        order.source_name = "pos".to_owned();
        return;
    }
    let id = 7_700_000_000_000 + chance.below(400);
    let email = format!("buyer-{}@example.com", id % 1000);
    order.email = Some(email.clone());
    order.customer = Some(Customer {
        id,
        first_name,
        last_name,
        email: Some(email),
        phone: None,
        tax_exempt: false,
        created_at: order.created_at,
        default_address: Some(address),
    });
}
