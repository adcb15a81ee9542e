//! The bodies have the shape of the real ones of API version 2026-10: these key lists were read off real bodies, by
//! hand, and are all that a reader may count on.

use std::collections::BTreeSet;

use serde_json::Value;
use tidegate_twin::shop::{About, Mix, What, Workload, webhook_body};

use crate::playing::{config, play};

const ORDER: &str = "admin_graphql_api_id app_id billing_address browser_ip buyer_accepts_marketing cancel_reason \
    cancelled_at cart_token checkout_id checkout_token client_details closed_at confirmation_number confirmed \
    contact_email created_at currency current_shipping_price_set current_subtotal_price current_subtotal_price_set \
    current_total_additional_fees_set current_total_discounts current_total_discounts_set current_total_duties_set \
    current_total_price current_total_price_set current_total_tax current_total_tax_set customer customer_locale \
    device_id discount_applications discount_codes duties_included email estimated_taxes financial_status \
    fulfillment_status fulfillments id landing_site landing_site_ref line_item_groups line_items location_id \
    merchant_business_entity_id merchant_of_record_app_id name note note_attributes number order_number \
    order_status_url original_total_additional_fees_set original_total_duties_set payment_gateway_names payment_terms \
    phone po_number presentment_currency processed_at reference referring_site refunds returns shipping_address \
    shipping_lines source_identifier source_name source_url subtotal_price subtotal_price_set tags tax_exempt \
    tax_lines taxes_included test token total_cash_rounding_payment_adjustment_set \
    total_cash_rounding_refund_adjustment_set total_discounts total_discounts_set total_line_items_price \
    total_line_items_price_set total_outstanding total_price total_price_set total_shipping_price_set total_tax \
    total_tax_set total_tip_received total_weight updated_at user_id";

const LINE: &str = "admin_graphql_api_id attributed_staffs current_quantity discount_allocations duties \
    fulfillable_quantity fulfillment_service fulfillment_status gift_card grams id name price price_set \
    product_exists product_id properties quantity requires_shipping sales_line_item_group_id sku tax_lines taxable \
    title total_discount total_discount_set variant_id variant_inventory_management variant_title vendor";

const REFUND: &str = "admin_graphql_api_id created_at duties id note order_adjustments order_id processed_at \
    refund_line_items refund_shipping_lines restock return total_duties_set transactions user_id";

const REFUND_LINE: &str = "id line_item line_item_id location_id quantity restock_type subtotal subtotal_set \
    total_tax total_tax_set";

const TRANSACTION: &str = "admin_graphql_api_id amount amount_rounding authorization created_at currency device_id \
    error_code gateway id kind location_id manual_payment_gateway message order_id parent_id payment_id processed_at \
    receipt source_name status test total_unsettled_set user_id";

const FULFILMENT: &str = "admin_graphql_api_id created_at id line_items location_id name order_id origin_address \
    receipt service shipment_status status tracking_company tracking_number tracking_numbers tracking_url \
    tracking_urls updated_at";

const SHIPPING_LINE: &str = "carrier_identifier code current_discounted_price_set discount_allocations \
    discounted_price discounted_price_set id is_removed phone price price_set requested_fulfillment_service_id source \
    tax_lines title";

const ADDRESS: &str = "address1 address2 city company country country_code first_name last_name latitude longitude \
    name phone province province_code zip";

const PAYMENT_TERMS: &str =
    "created_at due_in_days id payment_schedules payment_terms_name payment_terms_type updated_at";

const SCHEDULE: &str = "amount completed_at created_at currency due_at id issued_at updated_at";

fn keys(value: &Value) -> BTreeSet<String> {
    value.as_object().expect("an object").keys().cloned().collect()
}

fn wanted(list: &str) -> BTreeSet<String> {
    list.split_whitespace().map(str::to_owned).collect()
}

fn each<'a>(body: &'a Value, member: &str) -> impl Iterator<Item = &'a Value> {
    body[member].as_array().expect("a list").iter()
}

#[test]
fn every_member_has_the_keys_of_the_real_one() {
    let mut seen = BTreeSet::new();
    play(11, 300, |order, body, notices| {
        let mut order_keys = keys(body);
        assert_eq!(order_keys.remove("company"), order.company.is_some());
        assert_eq!(order_keys, wanted(ORDER));
        for line in each(body, "line_items") {
            let mut line_keys = keys(line);
            if line_keys.remove("tip") {
                assert!(line_keys.remove("tip_payment_gateway") && line_keys.remove("tip_payment_method"));
            }
            assert_eq!(line_keys, wanted(LINE));
        }
        let mut check = |name: &'static str, value: &Value, list: &str| {
            assert_eq!(keys(value), wanted(list), "{name}");
            seen.insert(name);
        };
        each(body, "shipping_lines").for_each(|line| check("shipping line", line, SHIPPING_LINE));
        for refund in each(body, "refunds") {
            check("refund", refund, REFUND);
            each(refund, "refund_line_items").for_each(|line| check("refund line", line, REFUND_LINE));
            each(refund, "transactions").for_each(|one| check("transaction", one, TRANSACTION));
        }
        each(body, "fulfillments").for_each(|one| check("fulfilment", one, FULFILMENT));
        if !body["payment_terms"].is_null() {
            check("payment terms", &body["payment_terms"], PAYMENT_TERMS);
            each(&body["payment_terms"], "payment_schedules")
                .for_each(|one| check("schedule", one, SCHEDULE));
        }
        if !body["shipping_address"].is_null() {
            check("address", &body["shipping_address"], ADDRESS);
        }
        for notice in notices {
            let list = match &notice.about {
                About::Order => continue,
                About::Refund(_) => REFUND,
                About::Transaction(_) => TRANSACTION,
                About::Fulfilment(_) => FULFILMENT,
                About::Edit { .. } => "order_edit",
            };
            check(notice.topic, &notice.body(order), list);
        }
    });
    let all = [
        "address",
        "fulfillments/create",
        "fulfilment",
        "order_transactions/create",
        "orders/edited",
        "payment terms",
        "refund",
        "refund line",
        "refunds/create",
        "schedule",
        "shipping line",
        "transaction",
    ];
    assert_eq!(seen, all.into_iter().collect());
}

#[test]
fn money_is_text_except_in_refund_lines() {
    let mut numbers = 0;
    play(12, 300, |_, body, _| {
        for name in ["total_price", "subtotal_price", "total_tax", "total_outstanding", "total_tip_received"]
        {
            assert!(body[name].is_string(), "{name}");
        }
        for refund in each(body, "refunds") {
            for line in each(refund, "refund_line_items") {
                assert!(line["subtotal"].is_number() && line["total_tax"].is_number());
                assert!(line["subtotal_set"]["shop_money"]["amount"].is_string());
                numbers += 1;
            }
        }
    });
    assert!(numbers > 10, "{numbers}");
}

/// The workload starts in the hour that the zone has twice: both offsets must show.
#[test]
fn dates_carry_the_offset_of_the_shop_at_that_instant() {
    let mut offsets = BTreeSet::new();
    play(13, 250, |order, body, _| {
        for name in ["created_at", "updated_at", "processed_at"] {
            let text = body[name].as_str().unwrap();
            offsets.insert(text[19..].to_owned());
            assert_eq!(text.len(), 25, "{text}");
        }
        let created: jiff::Timestamp = body["created_at"].as_str().unwrap().parse().unwrap();
        assert_eq!(created, order.created_at);
    });
    assert_eq!(offsets, ["+01:00", "+02:00"].map(str::to_owned).into_iter().collect());
}

#[test]
fn ids_survive_only_as_64_bits_and_stand_beside_their_gid() {
    let mut beyond_a_float = 0;
    for (_, change) in Workload::new(config(14, 200, Mix::strange())) {
        let What::Place(order) = change.what else { continue };
        let body = webhook_body(&order);
        let id = body["id"].as_u64().unwrap();
        assert_eq!(body["admin_graphql_api_id"], format!("gid://shopify/Order/{id}"));
        let text = body.to_string();
        assert!(text.contains(&format!("\"id\":{id},")), "written as digits");
        #[expect(clippy::cast_precision_loss, reason = "whether precision is lost is the question")]
        let rounded = id as f64;
        if format!("{rounded:.0}") != id.to_string() {
            beyond_a_float += 1;
        }
    }
    assert!(beyond_a_float > 100, "{beyond_a_float}");
}
