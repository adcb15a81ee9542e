//! Lines, shipping lines and discounts of a body, with what each comes to for the quantity ordered.

use kernel::money::{MoneyBag, Rounding};
use kernel::quantity::Quantity;
use rust_decimal::Decimal;

use super::amounts::{Amount, Currencies, arithmetic};
use super::at::{At, Form, Read};
use super::{attributes, ids};
use crate::json::Json;
use crate::orders::fault::BodyCode;
use crate::orders::line::{Allocation, Duty, Line, LineAmounts, LineQuantities, ShippingLine, Tax, TaxRate};
use crate::orders::model::Discount;

/// A line as read, before edits are taken into account.
pub(crate) struct ReadLine {
    pub(crate) line: Line,
    pub(crate) path: String,
    pub(crate) original: u64,
    /// Less refunded and removed units, as Shopify says; older bodies do not.
    pub(crate) remaining: Option<u64>,
}

pub(crate) fn read(at: &At<'_>, money: Currencies) -> Read<ReadLine> {
    let own = ids::own(at, "LineItem")?;
    let original = at.need("quantity", "quantity")?.count()?;
    let remaining = at.count_of("current_quantity", "currentQuantity")?;
    if let Some(remaining) = remaining.filter(|remaining| *remaining > original) {
        let message = format!("is {remaining}, more than the {original} that were ordered");
        return Err(at.need("current_quantity", "currentQuantity")?.fault(BodyCode::TotalsDisagree, message));
    }
    let price = Amount { bare: "price", set: "price_set", graphql: "originalUnitPriceSet" };
    let unit_price = money.need(at, price)?;
    let discounts = allocations(at, money)?;
    let taxes = taxes(at, money)?;
    let amounts = amounts(at, unit_price, original, &discounts, &taxes, money)?;
    let exists = match at.form {
        Form::Rest => at.get("product_exists", "").is_none_or(|found| *found.json != Json::Bool(false)),
        Form::GraphQl => true,
    };
    let line = Line {
        product_id: ids::reference(at, "product_id", "product")?.filter(|_| exists),
        variant_id: ids::reference(at, "variant_id", "variant")?.filter(|_| exists),
        line_id: own.id,
        gid: own.gid,
        sku: at.text("sku", "sku")?,
        title: at.text("title", "title")?.unwrap_or_default(),
        variant_title: at.text("variant_title", "variantTitle")?,
        vendor: at.text("vendor", "vendor")?,
        quantity: LineQuantities {
            original: Quantity::pieces(original),
            current: Quantity::pieces(original),
        },
        unit_price,
        discounts,
        taxes,
        duties: duties(at, money)?,
        taxable: at.flag("taxable", "taxable")?,
        requires_shipping: at.flag("requires_shipping", "requiresShipping")?,
        gift_card: at.flag("gift_card", "isGiftCard")?,
        attributes: attributes::read(at, "properties")?,
        group_id: ids::reference(at, "sales_line_item_group_id", "lineItemGroup")?,
        original: amounts,
        current: amounts,
    };
    Ok(ReadLine { line, path: at.path(), original, remaining })
}

fn amounts(
    at: &At<'_>,
    unit_price: MoneyBag,
    quantity: u64,
    discounts: &[Allocation],
    taxes: &[Tax],
    money: Currencies,
) -> Read<LineAmounts> {
    let inexact = || arithmetic(at.path());
    let gross = unit_price.checked_mul(Decimal::from(quantity)).map_err(inexact())?;
    let discount = sum(at, discounts.iter().map(|share| share.amount), money)?;
    let total = gross.checked_sub(discount).map_err(inexact())?;
    if total.round(Rounding::HalfUp).shop.money().is_negative() {
        let message = format!("its discounts are {}, more than its price of {}", discount.shop, gross.shop);
        return Err(at.fault(BodyCode::Negative, message));
    }
    Ok(LineAmounts { gross, discount, total, tax: tax_sum(at, taxes, money)? })
}

fn sum(at: &At<'_>, bags: impl Iterator<Item = MoneyBag>, money: Currencies) -> Read<MoneyBag> {
    bags.into_iter().try_fold(money.zero(), MoneyBag::checked_add).map_err(arithmetic(at.path()))
}

fn tax_sum(at: &At<'_>, taxes: &[Tax], money: Currencies) -> Read<MoneyBag> {
    sum(at, taxes.iter().map(|tax| tax.amount), money)
}

fn allocations(at: &At<'_>, money: Currencies) -> Read<Vec<Allocation>> {
    let mut shares = Vec::new();
    for share in at.list("discount_allocations", "discountAllocations")? {
        let names = Amount { bare: "amount", set: "amount_set", graphql: "allocatedAmountSet" };
        let index = match share.form {
            Form::Rest => share.count_of("discount_application_index", "")?,
            Form::GraphQl => match share.get("", "discountApplication") {
                Some(discount) => discount.count_of("", "index")?,
                None => None,
            },
        };
        let discount = index.and_then(|index| u32::try_from(index).ok()).unwrap_or(0);
        shares.push(Allocation { discount, amount: money.need(&share, names)? });
    }
    shares.sort_by_key(|share| share.discount);
    Ok(shares)
}

pub(crate) fn taxes(at: &At<'_>, money: Currencies) -> Read<Vec<Tax>> {
    let mut taxes = Vec::new();
    for tax in at.list("tax_lines", "taxLines")? {
        let names = Amount { bare: "price", set: "price_set", graphql: "priceSet" };
        let rate = match tax.get("rate", "rate") {
            // GraphQL sends a float: ten decimals hold any rate and none of its noise.
            Some(rate) => Some(TaxRate(rate.decimal()?.round_dp(10).normalize().to_string())),
            None => None,
        };
        taxes.push(Tax {
            title: tax.text("title", "title")?.unwrap_or_default(),
            rate,
            amount: money.need(&tax, names)?,
            channel_liable: tax.flag("channel_liable", "channelLiable")?,
        });
    }
    taxes.sort_by(|a, b| (&a.title, &a.rate).cmp(&(&b.title, &b.rate)));
    Ok(taxes)
}

fn duties(at: &At<'_>, money: Currencies) -> Read<Vec<Duty>> {
    let mut duties = Vec::new();
    for duty in at.list("duties", "duties")? {
        // In REST the two amounts stand in the duty itself; in GraphQL they are its price.
        let amount = match duty.form {
            Form::Rest => money.set(&duty)?,
            Form::GraphQl => money.set(&duty.need("", "price")?)?,
        };
        duties.push(Duty {
            duty_id: ids::own(&duty, "Duty")?.id,
            harmonized_system_code: duty.text("harmonized_system_code", "harmonizedSystemCode")?,
            country_of_origin: duty.text("country_code_of_origin", "countryCodeOfOrigin")?,
            amount,
            taxes: taxes(&duty, money)?,
        });
    }
    duties.sort_by(|a, b| ids::rank(&a.duty_id).cmp(&ids::rank(&b.duty_id)));
    Ok(duties)
}

pub(crate) fn shipping(at: &At<'_>, money: Currencies) -> Read<ShippingLine> {
    let price_names = Amount { bare: "price", set: "price_set", graphql: "originalPriceSet" };
    let price = money.need(at, price_names)?;
    let discounts = allocations(at, money)?;
    let taxes = taxes(at, money)?;
    let discount = sum(at, discounts.iter().map(|share| share.amount), money)?;
    Ok(ShippingLine {
        shipping_line_id: ids::own_opt(at, "ShippingLine")?.map(|own| own.id),
        title: at.text("title", "title")?.unwrap_or_default(),
        code: at.text("code", "code")?,
        source: at.text("source", "source")?,
        carrier_identifier: at.text("carrier_identifier", "carrierIdentifier")?,
        price,
        tax: tax_sum(at, &taxes, money)?,
        taxes,
        removed: at.flag("is_removed", "isRemoved")?,
        total: price.checked_sub(discount).map_err(arithmetic(at.path()))?,
        discounts,
    })
}

/// The discounts themselves; their shares stand in the lines.
pub(crate) fn discounts(order: &At<'_>) -> Read<Vec<Discount>> {
    let mut discounts = Vec::new();
    for (position, at) in order.list("discount_applications", "discountApplications")?.iter().enumerate() {
        let index = match at.form {
            Form::Rest => Some(position as u64),
            Form::GraphQl => at.count_of("", "index")?,
        };
        discounts.push(Discount {
            index: index.and_then(|index| u32::try_from(index).ok()).unwrap_or(0),
            kind: discount_kind(at)?,
            label: match at.text("code", "code")? {
                Some(code) => Some(code),
                None => at.text("title", "title")?,
            },
            target: at.need("target_type", "targetType")?.spelled()?.to_ascii_lowercase(),
            percentage: percentage(at)?,
        });
    }
    discounts.sort_by_key(|discount| discount.index);
    Ok(discounts)
}

fn discount_kind(at: &At<'_>) -> Read<String> {
    let kind = at.need("type", "__typename")?;
    Ok(match kind.spelled()? {
        "automatic" | "AutomaticDiscountApplication" => "automatic",
        "discount_code" | "DiscountCodeApplication" => "discount_code",
        "manual" | "ManualDiscountApplication" => "manual",
        "script" | "ScriptDiscountApplication" => "script",
        other => {
            let message = format!("{:?} is no kind of discount", other.chars().take(40).collect::<String>());
            return Err(kind.fault(BodyCode::UnknownValue, message));
        }
    }
    .to_owned())
}

fn percentage(at: &At<'_>) -> Read<Option<String>> {
    let value = match at.form {
        Form::Rest if at.text("value_type", "")?.as_deref() == Some("percentage") => at.get("value", ""),
        Form::Rest => None,
        Form::GraphQl => {
            let Some(value) = at.get("", "value") else { return Ok(None) };
            return match value.get("", "percentage") {
                Some(found) => percent_text(&found).map(Some),
                None => Ok(None),
            };
        }
    };
    value.map(|found| percent_text(&found)).transpose()
}

fn percent_text(at: &At<'_>) -> Read<String> {
    Ok(at.decimal()?.round_dp(10).normalize().to_string())
}
