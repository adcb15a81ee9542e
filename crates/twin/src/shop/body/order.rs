//! The order's own body: `orders/create|updated|paid|cancelled|fulfilled|partially_fulfilled` all carry it.

use rust_decimal::Decimal;
use serde_json::{Map, Value, json};

use super::parts;
use super::refund::{fulfilment_body, refund_body};
use super::write::{amount, date, date_or_null, set};
use crate::shop::line::{DiscountKind, DiscountTarget, DiscountValue};
use crate::shop::money::MoneyBag;
use crate::shop::order::Order;

/// The whole order, as every order topic sends it.
pub fn webhook_body(order: &Order) -> Value {
    let mut body = Map::new();
    put(&mut body, head(order));
    put(&mut body, origin(order));
    put(&mut body, buyer(order));
    put(&mut body, sums(order));
    put(&mut body, current_sums(order));
    put(&mut body, members(order));
    if let Some(company) = &order.company {
        put(
            &mut body,
            json!({ "company": { "id": company.company_id, "location_id": company.location_id } }),
        );
    }
    Value::Object(body)
}

fn put(body: &mut Map<String, Value>, part: Value) {
    if let Value::Object(part) = part {
        body.extend(part);
    }
}

fn head(order: &Order) -> Value {
    json!({
        "id": order.id,
        "admin_graphql_api_id": order.gid(),
        "app_id": order.app.as_ref().map(|app| app.id),
        "browser_ip": null,
        "buyer_accepts_marketing": false,
        "cancel_reason": order.cancel_reason.map(|reason| reason.rest()),
        "cancelled_at": date_or_null(order, order.cancelled_at),
        "cart_token": null,
        "checkout_id": null,
        "checkout_token": null,
        "client_details": null,
        "closed_at": date_or_null(order, order.closed_at),
        "confirmation_number": order.confirmation_number,
        "confirmed": true,
        "created_at": date(order, order.created_at),
        "currency": order.money.shop.code(),
        "device_id": null,
        "duties_included": order.duties_included,
        "estimated_taxes": false,
        "financial_status": order.financial_status().rest(),
        "fulfillment_status": order.fulfilment_status().rest(),
    })
}

fn origin(order: &Order) -> Value {
    json!({
        "landing_site": null,
        "landing_site_ref": null,
        "location_id": null,
        "merchant_business_entity_id": "MTAwMDAwMDAx",
        "merchant_of_record_app_id": null,
        "name": order.name,
        "number": order.number,
        "order_number": order.order_number(),
        "order_status_url": format!(
            "https://{}/{}/orders/{}/authenticate?key=example", order.shop.domain, order.shop.id, order.token
        ),
        "presentment_currency": order.money.presentment.code(),
        "processed_at": date(order, order.processed_at),
        "reference": null,
        "referring_site": null,
        "source_identifier": order.source_identifier,
        "source_name": order.source_name,
        "source_url": null,
        "tax_exempt": order.tax_exempt,
        "taxes_included": order.taxes_included,
        "test": order.test,
        "token": order.token,
        "updated_at": date(order, order.updated_at),
        "user_id": null,
    })
}

fn buyer(order: &Order) -> Value {
    json!({
        // A body of an order without an address has "" here and null in `contact_email`.
        "email": order.email.clone().unwrap_or_default(),
        "contact_email": order.email,
        "phone": order.phone,
        "customer_locale": order.locale,
        "customer": order.customer.as_ref().map(|customer| parts::customer(order, customer)),
        "billing_address": order.billing_address.as_ref().map(parts::address),
        "shipping_address": order.shipping_address.as_ref().map(parts::address),
        "note": order.note,
        "note_attributes": order.note_attributes.iter().map(|(name, value)| json!({ "name": name, "value": value })).collect::<Vec<_>>(),
        "po_number": order.po_number,
        "tags": order.tags.join(", "),
    })
}

fn sums(order: &Order) -> Value {
    let totals = order.totals();
    json!({
        "subtotal_price": amount(order, totals.subtotal),
        "subtotal_price_set": set(order, totals.subtotal),
        "total_cash_rounding_payment_adjustment_set": set(order, MoneyBag::ZERO),
        "total_cash_rounding_refund_adjustment_set": set(order, MoneyBag::ZERO),
        "total_discounts": amount(order, totals.discounts),
        "total_discounts_set": set(order, totals.discounts),
        "total_line_items_price": amount(order, totals.line_items),
        "total_line_items_price_set": set(order, totals.line_items),
        "total_outstanding": amount(order, totals.outstanding),
        "total_price": amount(order, totals.total),
        "total_price_set": set(order, totals.total),
        "total_shipping_price_set": set(order, totals.shipping),
        "total_tax": amount(order, totals.tax),
        "total_tax_set": set(order, totals.tax),
        "total_tip_received": amount(order, totals.tips),
        "total_weight": totals.weight,
        "original_total_additional_fees_set": null,
        "original_total_duties_set": totals.duties.map(|duties| set(order, duties)),
    })
}

fn current_sums(order: &Order) -> Value {
    let totals = order.totals();
    json!({
        "current_shipping_price_set": set(order, totals.current_shipping),
        "current_subtotal_price": amount(order, totals.current_subtotal),
        "current_subtotal_price_set": set(order, totals.current_subtotal),
        "current_total_additional_fees_set": null,
        "current_total_discounts": amount(order, totals.current_discounts),
        "current_total_discounts_set": set(order, totals.current_discounts),
        "current_total_duties_set": totals.current_duties.map(|duties| set(order, duties)),
        "current_total_price": amount(order, totals.current_total),
        "current_total_price_set": set(order, totals.current_total),
        "current_total_tax": amount(order, totals.current_tax),
        "current_total_tax_set": set(order, totals.current_tax),
    })
}

fn members(order: &Order) -> Value {
    let mut gateways: Vec<&str> = Vec::new();
    for transaction in &order.transactions {
        if !gateways.contains(&transaction.gateway.as_str()) {
            gateways.push(&transaction.gateway);
        }
    }
    json!({
        "discount_applications": discount_applications(order),
        "discount_codes": discount_codes(order),
        "fulfillments": order.fulfilments.iter().map(|one| fulfilment_body(order, one)).collect::<Vec<_>>(),
        "line_items": order.lines.iter().map(|line| parts::line(order, line)).collect::<Vec<_>>(),
        "line_item_groups": [],
        "payment_gateway_names": gateways,
        "payment_terms": order.payment_terms.as_ref().map(|terms| parts::payment_terms(order, terms)),
        "refunds": order.refunds.iter().map(|refund| refund_body(order, refund)).collect::<Vec<_>>(),
        "returns": [],
        "shipping_lines":
            order.shipping_lines.iter().map(|line| parts::shipping_line(order, line)).collect::<Vec<_>>(),
        "tax_lines": parts::tax_lines(order, &order.taxes()),
    })
}

/// `"10.0"`: the value of a discount application, always with a digit after the point.
fn discount_value(value: DiscountValue) -> (&'static str, String) {
    let (kind, value) = match value {
        DiscountValue::Percentage(percent) => ("percentage", percent),
        DiscountValue::Fixed(amount) => ("fixed_amount", amount.shop),
    };
    let mut value: Decimal = value.normalize();
    if value.scale() == 0 {
        value.rescale(1);
    }
    (kind, value.to_string())
}

fn discount_applications(order: &Order) -> Vec<Value> {
    order
        .discount_applications
        .iter()
        .map(|discount| {
            let (value_type, value) = discount_value(discount.value);
            let target = match discount.target {
                DiscountTarget::Lines => "line_item",
                DiscountTarget::Shipping => "shipping_line",
            };
            let mut written = json!({
                "target_type": target,
                "value": value,
                "value_type": value_type,
                "allocation_method": "across",
                "target_selection": "all",
            });
            match discount.kind {
                DiscountKind::Code => {
                    written["type"] = json!("discount_code");
                    written["code"] = json!(discount.title);
                }
                DiscountKind::Manual => {
                    written["type"] = json!("manual");
                    written["title"] = json!(discount.title);
                    written["description"] = json!(discount.title);
                }
                DiscountKind::Automatic => {
                    written["type"] = json!("automatic");
                    written["title"] = json!(discount.title);
                }
            }
            written
        })
        .collect()
}

fn discount_codes(order: &Order) -> Vec<Value> {
    let applications = order.discount_applications.iter().enumerate();
    applications
        .filter(|(_, discount)| discount.kind == DiscountKind::Code)
        .map(|(index, discount)| {
            let kind = match discount.target {
                DiscountTarget::Shipping => "shipping",
                DiscountTarget::Lines => discount_value(discount.value).0,
            };
            json!({ "code": discount.title, "amount": amount(order, order.discount_of(index)), "type": kind })
        })
        .collect()
}
