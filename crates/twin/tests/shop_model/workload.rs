//! The generated stream: repeatable, in the order of time, and with every trap in it.

use std::collections::{BTreeMap, BTreeSet};

use tidegate_twin::shop::{Mix, Trap, What, Workload, webhook_body};

use crate::playing::{config, play};

#[test]
fn the_same_seed_gives_the_same_stream_and_another_seed_another() {
    let run = |seed| {
        let events = Workload::new(config(seed, 60, Mix::strange()));
        events.map(|(at, change)| format!("{at} {} {:?}", change.order_id, change.what)).collect::<Vec<_>>()
    };
    let first = run(7);
    assert_eq!(first, run(7));
    assert_ne!(first, run(8));
}

#[test]
fn time_never_goes_back_and_nothing_changes_before_it_is_placed() {
    let mut now = jiff::Timestamp::MIN;
    let mut placed = BTreeSet::new();
    let mut later = 0;
    for (at, change) in Workload::new(config(21, 800, Mix::strange())) {
        assert!(at >= now);
        now = at;
        match change.what {
            What::Place(_) => assert!(placed.insert(change.order_id), "an id twice"),
            _ => {
                assert!(placed.contains(&change.order_id));
                later += 1;
            }
        }
    }
    assert_eq!(placed.len(), 800);
    assert!(later > 300, "{later}");
}

#[test]
fn every_trap_occurs() {
    let all = [
        Trap::NullCustomer,
        Trap::NullAddress,
        Trap::NullVariant,
        Trap::CustomLine,
        Trap::EmptySku,
        Trap::UnknownSku,
        Trap::MiscasedSku,
        Trap::PaddedSku,
        Trap::ManyLines,
        Trap::ZeroDecimals,
        Trap::ThreeDecimals,
        Trap::TaxIncluded,
        Trap::TwoTaxRates,
        Trap::TaxExempt,
        Trap::SeveralDiscounts,
        Trap::DiscountedShipping,
        Trap::TipAsLine,
        Trap::TipWithoutLine,
        Trap::Duties,
        Trap::GiftCardBought,
        Trap::GiftCardPaid,
        Trap::TestOrder,
        Trap::Presentment,
        Trap::PaymentTerms,
        Trap::Authorised,
        Trap::Pending,
        Trap::FreeOrder,
        Trap::SmallId,
        Trap::LongPoNumber,
        Trap::NoteAttributes,
        Trap::Properties,
    ];
    let mut seen: BTreeMap<Trap, u32> = BTreeMap::new();
    for (_, change) in Workload::new(config(22, 2000, Mix::strange())) {
        let What::Place(order) = change.what else { continue };
        order.traps.iter().for_each(|trap| *seen.entry(*trap).or_default() += 1);
    }
    let missing: Vec<_> = all.iter().filter(|trap| !seen.contains_key(trap)).collect();
    assert!(missing.is_empty(), "{missing:?}");
    assert_eq!(seen.len(), all.len(), "a trap that this list does not know: {seen:?}");
}

/// A trap is in the body, not only in the note about it.
#[test]
fn traps_show_in_the_body() {
    for (_, change) in Workload::new(config(23, 1500, Mix::strange())) {
        let What::Place(order) = change.what else { continue };
        let body = webhook_body(&order);
        let lines = body["line_items"].as_array().unwrap();
        let any = |test: &dyn Fn(&serde_json::Value) -> bool| lines.iter().any(test);
        for trap in &order.traps {
            let shows = match trap {
                Trap::NullCustomer => body["customer"].is_null(),
                Trap::NullAddress => body["shipping_address"].is_null() && body["billing_address"].is_null(),
                Trap::NullVariant | Trap::CustomLine => any(&|line| line["variant_id"].is_null()),
                Trap::EmptySku => any(&|line| line["sku"] == ""),
                Trap::UnknownSku => {
                    any(&|line| line["sku"].as_str().is_some_and(|sku| sku.starts_with("SKU-90")))
                }
                Trap::MiscasedSku => {
                    any(&|line| line["sku"].as_str().is_some_and(|sku| sku.starts_with("sku-")))
                }
                Trap::PaddedSku => any(&|line| line["sku"].as_str().is_some_and(|sku| sku.trim() != sku)),
                Trap::ManyLines => lines.len() > 250,
                Trap::ZeroDecimals => body["currency"] == "JPY",
                Trap::ThreeDecimals => body["currency"] == "BHD" || body["currency"] == "KWD",
                Trap::TaxIncluded => body["taxes_included"] == true,
                Trap::TwoTaxRates => body["tax_lines"].as_array().unwrap().len() > 1,
                Trap::TipAsLine => any(&|line| line.get("tip").is_some()),
                Trap::TipWithoutLine => {
                    !any(&|line| line.get("tip").is_some()) && body["total_tip_received"] != "0.00"
                }
                Trap::Duties => !body["original_total_duties_set"].is_null(),
                Trap::GiftCardBought => any(&|line| line["gift_card"] == true),
                Trap::TestOrder => body["test"] == true,
                Trap::Presentment => body["currency"] != body["presentment_currency"],
                Trap::PaymentTerms => {
                    !body["payment_terms"].is_null() && body["financial_status"] == "pending"
                }
                Trap::Authorised => body["financial_status"] == "authorized",
                Trap::Pending => body["financial_status"] == "pending",
                Trap::FreeOrder => body["discount_applications"][0]["value"] == "100.0",
                Trap::LongPoNumber => body["po_number"].as_str().is_some_and(|text| text.len() > 40),
                Trap::SeveralDiscounts => body["discount_applications"].as_array().unwrap().len() > 1,
                _ => true,
            };
            assert!(shows, "{trap:?} of {} does not show", order.name);
        }
    }
}

/// The plain mix is what a bench wants: no order that could be refused, nothing later.
#[test]
fn the_plain_mix_is_plain() {
    let plain = [
        Trap::SmallId,
        Trap::PaymentTerms,
        Trap::TaxExempt,
        Trap::TwoTaxRates,
        Trap::NoteAttributes,
        Trap::Properties,
    ];
    for (_, change) in Workload::new(config(24, 500, Mix::plain())) {
        let What::Place(order) = change.what else { panic!("{:?}", change.what) };
        assert!(order.traps.iter().all(|trap| plain.contains(trap)), "{:?}", order.traps);
    }
}

#[test]
fn the_first_topic_of_an_order_is_its_creation_and_later_ones_bump_the_version() {
    let mut versions: BTreeMap<u64, jiff::Timestamp> = BTreeMap::new();
    let mut same_second = 0;
    play(25, 600, |order, _, notices| match versions.insert(order.id, order.updated_at) {
        None => assert_eq!(notices[0].topic, "orders/create"),
        Some(before) => {
            assert!(order.updated_at >= before);
            same_second += u32::from(order.updated_at == before);
            assert!(notices.iter().any(|notice| notice.topic == "orders/updated"));
        }
    });
    assert!(same_second > 5, "two states within one second are a trap too: {same_second}");
}
