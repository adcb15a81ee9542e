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

/// Of a parcel that is one fulfilment.
fn one(wanted: &[(&str, u32)], at: &[&str], open: &[Open]) -> Allotment {
    let mut all = allot(wanted, at, open).unwrap();
    assert_eq!(all.len(), 1, "{all:?}");
    all.remove(0)
}

/// By place, with what is taken of each fulfilment order.
fn several(wanted: &[(&str, u32)], at: &[&str], open: &[Open]) -> Vec<(String, Vec<Part>)> {
    allot(wanted, at, open).unwrap().into_iter().map(|one| (one.place, one.parts)).collect()
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
    let all = one(&[("X", 3), ("Y", 2)], &[], &open);
    assert_eq!((all.place.as_str(), all.lines), ("A", vec![("X".to_owned(), 3), ("Y".to_owned(), 2)]));
    assert_eq!(all.parts, [part("1", &[("X", 1), ("Y", 2)]), part("3", &[("X", 2)])]);
    // Where the shipment says so, from there alone.
    assert_eq!(one(&[("X", 3)], &["B"], &open).parts, [part("2", &[("X", 3)])]);
    // Or from the first of several that it may have left from.
    assert_eq!(one(&[("X", 3)], &["C", "B", "A"], &open).parts, [part("2", &[("X", 3)])]);
    assert_eq!(one(&[("Y", 1)], &["B", "A"], &open).parts, [part("1", &[("Y", 1)])]);
    // A place that has a part of it only is passed over.
    assert_eq!(one(&[("Y", 5)], &[], &open).parts, [part("1", &[("Y", 5)])]);
}

#[test]
fn what_is_held_waits_and_is_not_sent_off_from_elsewhere() {
    let open = [
        order("1", "A", held(), &[("X", 2)]),
        order("2", "A", Stand::Open, &[("X", 1)]),
        order("3", "B", Stand::Open, &[("Y", 1)]),
    ];
    assert_eq!(one(&[("X", 1)], &[], &open).parts, [part("2", &[("X", 1)])]);
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
    // Of two that it may have left from, together one too few: a third has it.
    let open = [open[0].clone(), order("4", "C", Stand::Open, &[("SKU-1", 1)]), open[1].clone()];
    let places = ["Warehouse A", "Warehouse C", "Warehouse B"].map(str::to_owned).to_vec();
    let elsewhere = Short::Elsewhere { sku: "SKU-1".to_owned(), places };
    assert_eq!(allot(&[("SKU-1", 3)], &["A", "C"], &open).unwrap_err(), elsewhere);
}

#[test]
fn what_no_one_place_has_is_taken_from_several_each_within_what_it_has() {
    let open = [
        order("1", "A", Stand::Open, &[("X", 1), ("Y", 1)]),
        order("2", "B", Stand::Open, &[("X", 2)]),
        order("3", "B", Stand::Open, &[("X", 2)]),
        order("4", "C", Stand::Open, &[("Y", 1), ("Z", 9)]),
    ];
    let at = |place: &str, parts: &[Part]| (place.to_owned(), parts.to_vec());
    // One SKU of two places, of one of them over two fulfilment orders; the place with the most comes last.
    let b = at("B", &[part("2", &[("X", 2)]), part("3", &[("X", 2)])]);
    assert_eq!(several(&[("X", 5)], &[], &open), [at("A", &[part("1", &[("X", 1)])]), b.clone()]);
    // No more than is wanted, and no third place where two will do.
    let y = at("A", &[part("1", &[("Y", 1)])]);
    assert_eq!(several(&[("X", 4), ("Y", 1)], &["A", "B", "C"], &open), [y, b.clone()]);
    let y = at("C", &[part("4", &[("Y", 1)])]);
    assert_eq!(several(&[("X", 4), ("Y", 1)], &["B", "C"], &open), [y, b]);
    // Named twice it is one place.
    assert_eq!(one(&[("X", 4)], &["B", "B"], &open).lines, [("X".to_owned(), 4)]);
    // Where the shipment says so, from none but there.
    let places = vec!["Warehouse A".to_owned(), "Warehouse B".to_owned()];
    let elsewhere = Short::Elsewhere { sku: "X".to_owned(), places };
    assert_eq!(allot(&[("X", 2)], &["A", "C"], &open).unwrap_err(), elsewhere);
}

#[test]
fn a_parcel_of_several_places_waits_for_the_one_that_is_held() {
    let open = [
        order("1", "A", Stand::Open, &[("X", 1)]),
        order("2", "B", held(), &[("Y", 1)]),
        order("3", "C", Stand::Closed("closed".to_owned()), &[("Y", 1)]),
    ];
    let wanted = [("X", 1), ("Y", 1)];
    let Err(Short::Later { why }) = allot(&wanted, &[], &open) else { panic!("it was not held") };
    assert_eq!(why, "on hold: high risk of fraud");
    // What needs nothing of the held one does not wait.
    let open = [open[0].clone(), open[1].clone(), order("4", "C", Stand::Open, &[("Y", 1)])];
    let places: Vec<String> = several(&wanted, &[], &open).into_iter().map(|(place, _)| place).collect();
    assert_eq!(places, ["C", "A"]);
}
