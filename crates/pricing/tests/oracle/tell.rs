//! An answer in one line, as the worked examples write it and as a difference is printed.

use std::fmt::Write as _;

use crate::model::{Answer, Cause, Kind, Outcome};

/// `CONTRACT-1 contract: 9 × 10 + 1 × 8 = 98, average 9.8, list 10, surcharges A B, promotions P`; what there is none of is left
/// out.
pub(crate) fn tell(outcome: &Outcome) -> String {
    let answer = match outcome {
        Ok(answer) => answer,
        Err(cause) => return format!("not priced: {}", word(*cause)),
    };
    let Answer {
        source,
        kind,
        portions,
        total,
        unit_price,
        average,
        list_price,
        surcharges,
        promotions,
        allowed,
        nearness: _,
        taxed: _,
    } = answer;
    let kind = match kind {
        Kind::Contract => "contract",
        Kind::List => "list",
    };
    let portions: Vec<_> =
        portions.iter().map(|portion| format!("{} × {}", portion.quantity, portion.price)).collect();
    let mut told = format!("{source} {kind}: {} = {total}", portions.join(" + "));
    let called = if *average { "average" } else { "each" };
    let _ = write!(told, ", {called} {unit_price}");
    if let Some(list_price) = list_price {
        let _ = write!(told, ", list {list_price}");
    }
    for (called, names) in [("surcharges", surcharges), ("promotions", promotions)] {
        if !names.is_empty() {
            let _ = write!(told, ", {called} {}", names.join(" "));
        }
    }
    if !allowed {
        told.push_str(", not allowed");
    }
    told
}

fn word(cause: Cause) -> &'static str {
    match cause {
        Cause::Quantity => "quantity",
        Cause::NoPrice => "no_price",
        Cause::Range => "range",
    }
}
