//! Whatever is done to a body, reading it ends with an order or with a fault that has a path.

#[path = "support/mod.rs"]
#[expect(dead_code, reason = "this test uses some of the helpers")]
mod support;

use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value, json};
use tidegate_domains::orders::{canonical_bytes, from_graphql, from_rest, identify};

/// Values that have no business where they are put.
fn strange() -> impl Strategy<Value = Value> {
    prop::sample::select(vec![
        Value::Null,
        json!(true),
        json!(""),
        json!(" "),
        json!("x"),
        json!(0),
        json!(-1),
        json!(1.5),
        json!(9_007_199_254_740_991_u64),
        json!(u64::MAX),
        json!("999999999999999999.9999999999"),
        json!("0.0000000000000000000000000001"),
        json!("1e17"),
        json!("9999-12-30T22:00:00.999999999Z"),
        json!("gid://shopify/Order/1"),
        json!("JPY"),
        json!([]),
        json!([[]]),
        json!([null, 1, {}]),
        json!({}),
        json!({"nodes": [{}]}),
        json!({"shop_money": {"amount": "1", "currency_code": "EUR"}}),
    ])
}

/// Pointers to every value of a body.
fn pointers(value: &Value, at: &str, found: &mut Vec<String>) {
    if !at.is_empty() {
        found.push(at.to_owned());
    }
    match value {
        Value::Object(members) => {
            members.iter().for_each(|(key, value)| pointers(value, &format!("{at}/{key}"), found))
        }
        Value::Array(all) => {
            all.iter()
                .enumerate()
                .for_each(|(index, value)| pointers(value, &format!("{at}/{index}"), found));
        }
        _ => {}
    }
}

fn read_both_ways(bytes: &[u8]) -> Result<(), TestCaseError> {
    let _ = identify(bytes);
    for verdict in [from_rest(bytes), from_graphql(bytes)] {
        match verdict {
            Ok(order) => prop_assert!(canonical_bytes(&order).is_ok()),
            Err(fault) => {
                prop_assert!(fault.path.starts_with('$'), "{}", fault);
                prop_assert!(!fault.message.is_empty() && fault.message.len() < 600, "{}", fault);
            }
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn values_in_wrong_places(
        pair in any::<Index>(),
        form in prop::sample::select(vec!["rest", "graphql"]),
        changes in prop::collection::vec((any::<Index>(), prop::option::of(strange())), 1..4),
    ) {
        let pairs = support::pairs();
        let mut body = support::read(&pairs[pair.index(pairs.len())], form);
        for (place, new) in changes {
            let mut all = Vec::new();
            pointers(&body, "", &mut all);
            if all.is_empty() {
                // The change before took the whole order.
                break;
            }
            support::set(&mut body, &all[place.index(all.len())], new);
        }
        read_both_ways(body.to_string().as_bytes())?;
    }

    #[test]
    fn bytes_cut_and_changed(
        pair in any::<Index>(),
        cut in any::<Index>(),
        changes in prop::collection::vec((any::<Index>(), any::<u8>()), 0..3),
    ) {
        let pairs = support::pairs();
        let mut bytes = support::read(&pairs[pair.index(pairs.len())], "rest").to_string().into_bytes();
        if changes.is_empty() {
            bytes.truncate(cut.index(bytes.len()));
        }
        for (place, byte) in changes {
            let at = place.index(bytes.len());
            bytes[at] = byte;
        }
        read_both_ways(&bytes)?;
    }
}
