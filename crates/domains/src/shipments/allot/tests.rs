//! Which units are taken, from where, and what is said where they cannot be.

use super::*;

fn order(id: &str, place: &str, stand: Stand, lines: &[(&str, u32)]) -> Open {
    let line = |(sku, remaining): &(&str, u32)| Line {
        id: format!("{id}/{sku}"),
        sku: Some((*sku).to_owned()),
        remaining: *remaining,
    };
    Open {
        id: id.to_owned(),
        place: place.to_owned(),
        place_name: format!("Warehouse {place}"),
        stand,
        lines: lines.iter().map(line).collect(),
    }
}

fn part(id: &str, lines: &[(&str, u32)]) -> Part {
    let lines = lines.iter().map(|(sku, units)| (format!("{id}/{sku}"), *units)).collect();
    Part { fulfilment_order: id.to_owned(), lines }
}

fn held() -> Stand {
    Stand::Later("on hold: high risk of fraud".to_owned())
}

#[test]
fn units_are_taken_from_one_place_over_its_fulfilment_orders() {
    let open = [
        order("1", "A", Stand::Open, &[("X", 1), ("Y", 5)]),
        order("2", "B", Stand::Open, &[("X", 3)]),
        order("3", "A", Stand::Open, &[("X", 4)]),
    ];
    let all = allot(&[("X", 3), ("Y", 2)], &[], &open).unwrap();
    assert_eq!(all.place, "A");
    assert_eq!(all.parts, [part("1", &[("X", 1), ("Y", 2)]), part("3", &[("X", 2)])]);
    // Where the shipment says so, from there alone.
    assert_eq!(allot(&[("X", 3)], &["B"], &open).unwrap().parts, [part("2", &[("X", 3)])]);
    // Or from the first of several that it may have left from.
    assert_eq!(allot(&[("X", 3)], &["C", "B", "A"], &open).unwrap().parts, [part("2", &[("X", 3)])]);
    assert_eq!(allot(&[("Y", 1)], &["B", "A"], &open).unwrap().parts, [part("1", &[("Y", 1)])]);
    // A place that has a part of it only is passed over.
    assert_eq!(allot(&[("Y", 5)], &[], &open).unwrap().parts, [part("1", &[("Y", 5)])]);
}

#[test]
fn what_is_held_waits_and_is_not_sent_off_from_elsewhere() {
    let open = [
        order("1", "A", held(), &[("X", 2)]),
        order("2", "A", Stand::Open, &[("X", 1)]),
        order("3", "B", Stand::Open, &[("Y", 1)]),
    ];
    assert_eq!(allot(&[("X", 1)], &[], &open).unwrap().parts, [part("2", &[("X", 1)])]);
    let Err(Short::Later { why }) = allot(&[("X", 2)], &[], &open) else { panic!("it was not held") };
    assert_eq!(why, "on hold: high risk of fraud");
}

#[test]
fn what_cannot_be_is_told_with_what_there_is() {
    let open = [
        order("1", "A", Stand::Open, &[("SKU-1", 1)]),
        order("2", "B", Stand::Open, &[("SKU-1", 1), ("SKU-2", 1)]),
        order("3", "A", Stand::Closed("closed".to_owned()), &[("SKU-3", 0)]),
    ];
    let short = |wanted: &[(&str, u32)], at: &[&str]| allot(wanted, at, &open).unwrap_err();
    let similar = Some("SKU-1".to_owned());
    assert_eq!(short(&[("sku-1 ", 1)], &[]), Short::UnknownSku { sku: "sku-1 ".to_owned(), similar });
    assert_eq!(
        short(&[("SKU-1", 3)], &[]),
        Short::TooMany { sku: "SKU-1".to_owned(), wanted: 3, open: 2, closed: None }
    );
    assert_eq!(
        short(&[("SKU-3", 1)], &[]),
        Short::TooMany { sku: "SKU-3".to_owned(), wanted: 1, open: 0, closed: Some("closed".to_owned()) }
    );
    let elsewhere = Short::Elsewhere { sku: "SKU-2".to_owned(), places: vec!["Warehouse B".to_owned()] };
    assert_eq!(short(&[("SKU-2", 1)], &["A"]), elsewhere);
    let places = ["Warehouse A", "Warehouse B"].map(str::to_owned).to_vec();
    assert_eq!(short(&[("SKU-1", 2)], &[]), Short::Spread { places });
}
