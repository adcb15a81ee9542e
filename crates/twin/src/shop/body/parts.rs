//! The members of an order's body: lines, shipping lines, taxes, customer, addresses, payment terms.

use serde_json::{Value, json};

use super::write::{amount, date, date_or_null, number, set};
use crate::shop::line::{DiscountAllocation, Line, ShippingLine, TaxLine};
use crate::shop::money::MoneyBag;
use crate::shop::order::{Address, Customer, Order, gid};
use crate::shop::payment::PaymentTerms;

pub(super) fn line(order: &Order, line: &Line) -> Value {
    let status = match (line.tip, line.fulfilled, line.fulfillable()) {
        (true, ..) => Some("not_eligible"),
        (false, 0, _) => None,
        (false, _, 0) => Some("fulfilled"),
        (false, ..) => Some("partial"),
    };
    let mut written = json!({
        "id": line.id,
        "admin_graphql_api_id": gid("LineItem", line.id),
        "attributed_staffs": [],
        "current_quantity": line.current_quantity,
        "fulfillable_quantity": line.fulfillable(),
        "fulfillment_service": "manual",
        "fulfillment_status": status,
        "gift_card": line.gift_card,
        "grams": line.grams,
        "name": line.name(),
        "price": amount(order, line.price),
        "price_set": set(order, line.price),
        "product_exists": line.product_exists,
        "product_id": line.product_id,
        "properties": pairs(&line.properties),
        "quantity": line.quantity,
        "requires_shipping": line.requires_shipping,
        "sales_line_item_group_id": null,
        "sku": line.sku,
        "taxable": line.taxable,
        "title": line.title,
        // Discounts are in the allocations; this one is of a time before them.
        "total_discount": amount(order, MoneyBag::ZERO),
        "total_discount_set": set(order, MoneyBag::ZERO),
        "variant_id": line.variant_id,
        "variant_inventory_management": line.variant_id.map(|_| "shopify"),
        "variant_title": line.variant_title,
        "vendor": line.vendor,
        "tax_lines": tax_lines(order, &line.tax_lines),
        "duties": duties(order, line),
        "discount_allocations": allocations(order, &line.discount_allocations),
    });
    if line.tip {
        written["tip"] = json!({ "payment_gateway": null, "payment_method": null });
        written["tip_payment_gateway"] = Value::Null;
        written["tip_payment_method"] = Value::Null;
    }
    written
}

fn pairs(pairs: &[(String, String)]) -> Vec<Value> {
    pairs.iter().map(|(name, value)| json!({ "name": name, "value": value })).collect()
}

fn duties(order: &Order, line: &Line) -> Vec<Value> {
    let money = &order.money;
    line.duties
        .iter()
        .map(|duty| {
            json!({
                // A string, unlike every other id of the body.
                "id": duty.id.to_string(),
                "admin_graphql_api_id": gid("Duty", duty.id),
                "harmonized_system_code": duty.harmonized_system_code,
                "country_code_of_origin": duty.country_code_of_origin,
                "shop_money": { "amount": money.shop.write(duty.price.shop), "currency_code": money.shop.code() },
                "presentment_money": {
                    "amount": money.presentment.write(duty.price.presentment),
                    "currency_code": money.presentment.code(),
                },
                "tax_lines": [],
            })
        })
        .collect()
}

fn allocations(order: &Order, shares: &[DiscountAllocation]) -> Vec<Value> {
    shares
        .iter()
        .map(|share| {
            json!({
                "amount": amount(order, share.amount),
                "amount_set": set(order, share.amount),
                "discount_application_index": share.application,
            })
        })
        .collect()
}

pub(super) fn tax_lines(order: &Order, taxes: &[TaxLine]) -> Vec<Value> {
    taxes
        .iter()
        .map(|tax| {
            json!({
                "channel_liable": false,
                "price": amount(order, tax.price),
                "price_set": set(order, tax.price),
                "rate": number(tax.rate),
                "title": tax.title,
            })
        })
        .collect()
}

pub(super) fn shipping_line(order: &Order, line: &ShippingLine) -> Value {
    let current = line.discounted() - line.refunded;
    json!({
        "id": line.id,
        "carrier_identifier": line.carrier_identifier,
        "code": line.code,
        "current_discounted_price_set": set(order, current),
        "discounted_price": amount(order, line.discounted()),
        "discounted_price_set": set(order, line.discounted()),
        "is_removed": false,
        "phone": null,
        "price": amount(order, line.price),
        "price_set": set(order, line.price),
        "requested_fulfillment_service_id": null,
        "source": line.source,
        "title": line.title,
        "tax_lines": tax_lines(order, &line.tax_lines),
        "discount_allocations": allocations(order, &line.discount_allocations),
    })
}

pub(super) fn address(address: &Address) -> Value {
    json!({
        "first_name": address.first_name,
        "address1": address.address1,
        "phone": address.phone,
        "city": address.city,
        "zip": address.zip,
        "province": address.province,
        "country": address.country,
        "last_name": address.last_name,
        "address2": address.address2,
        "company": address.company,
        "latitude": address.latitude.map(number),
        "longitude": address.longitude.map(number),
        "name": address.name().unwrap_or_default(),
        "country_code": address.country_code,
        "province_code": address.province_code,
    })
}

pub(super) fn customer(order: &Order, customer: &Customer) -> Value {
    json!({
        "id": customer.id,
        "admin_graphql_api_id": gid("Customer", customer.id),
        "created_at": date(order, customer.created_at),
        "updated_at": date(order, customer.created_at),
        "first_name": customer.first_name,
        "last_name": customer.last_name,
        "state": "enabled",
        "note": null,
        "verified_email": true,
        "multipass_identifier": null,
        "tax_exempt": customer.tax_exempt,
        "email": customer.email,
        "phone": customer.phone,
        "currency": order.money.shop.code(),
        "tax_exemptions": [],
        "default_address": customer.default_address.as_ref().map(|home| default_address(customer, home)),
    })
}

fn default_address(customer: &Customer, home: &Address) -> Value {
    json!({
        "id": customer.id + 1,
        "customer_id": customer.id,
        "first_name": home.first_name,
        "last_name": home.last_name,
        "company": home.company,
        "address1": home.address1,
        "address2": home.address2,
        "city": home.city,
        "province": home.province,
        "country": home.country,
        "zip": home.zip,
        "phone": home.phone,
        "name": home.name().unwrap_or_default(),
        "province_code": home.province_code,
        "country_code": home.country_code,
        "country_name": home.country,
        "default": true,
    })
}

pub(super) fn payment_terms(order: &Order, terms: &PaymentTerms) -> Value {
    let schedules: Vec<Value> = terms
        .schedules
        .iter()
        .map(|schedule| {
            json!({
                "id": schedule.id,
                "created_at": date(order, terms.created_at),
                "updated_at": date(order, terms.updated_at),
                "amount": amount(order, schedule.amount),
                "currency": order.money.shop.code(),
                "issued_at": date_or_null(order, schedule.issued_at),
                "due_at": date_or_null(order, schedule.due_at),
                "completed_at": date_or_null(order, schedule.completed_at),
            })
        })
        .collect();
    json!({
        "id": terms.id,
        "created_at": date(order, terms.created_at),
        "updated_at": date(order, terms.updated_at),
        "payment_terms_name": terms.name,
        "payment_terms_type": terms.kind.rest(),
        "due_in_days": terms.due_in_days,
        "payment_schedules": schedules,
    })
}
