//! What may be sold of one SKU that lies at several locations of the source which are one to the shop: the sum. Each location keeps
//! its own rules, its own rounding, and what it has counted; one that owes units takes them from the others. And of what is divided
//! over several of the shop's locations, which it may be too, how.

use super::{Canonical, Due, Sold, State, Term, bundled, divided, factor, sum, tree};
use crate::inventory::composed::At;
use crate::inventory::fault::StockFault;
use crate::inventory::rules::Rules;
use crate::inventory::sharing;
use jiff::Timestamp;
use rust_decimal::Decimal;

/// What may be sold of a SKU (and where that is shown), of its levels at the locations of the source that it lies at.
///
/// # Errors
/// As [`super::canonical`].
pub(in super::super) fn pooled(
    (sku, location): (&str, &str),
    levels: &[At],
    rules: &Rules,
    changed_at: Timestamp,
) -> Result<Canonical, StockFault> {
    let (mut all, mut why) = (Sold::NOTHING, Vec::new());
    let [mut on_hand, mut reserved, mut safety] = [Decimal::ZERO; 3];
    let mut incoming = Vec::new();
    for At { location, level } in levels {
        let Some(level) = level else {
            let text = format!("{location}: its source never told it there");
            why.push(Term { adds: None, text });
            continue;
        };
        let (factor, _) = factor(level, rules)?;
        let mut own = Some(Vec::new());
        all = all.and(sum(level, rules, &mut own)?);
        let own = own.into_iter().flatten();
        why.extend(own.map(|term| Term { text: format!("{location}: {}", term.text), ..term }));
        on_hand += level.on_hand * factor;
        reserved += level.reserved * factor;
        safety += level.safety * factor;
        incoming.extend(level.incoming.iter().map(|due| (due.at, due.quantity * factor)));
    }
    let place = sharing::place(rules, location);
    let together = if levels.len() > 1 { ", all of these together" } else { "" };
    let text = format!("available at {place}{together}");
    why.push(Term { adds: Some(Decimal::from(all.available)), text });
    let outlets = divided(location, Some(all.available), rules, &mut why);
    let (bundles, bundle_share) = bundled(sku, rules, &mut why);
    incoming.sort_unstable();
    let due = |(at, quantity): (Option<Timestamp>, Decimal)| Due::of(quantity.normalize(), at);
    let state = State {
        on_hand: on_hand.normalize().to_string(),
        reserved: reserved.normalize().to_string(),
        safety: safety.normalize().to_string(),
        counted: all.counted,
        incoming: incoming.into_iter().map(due).collect(),
        bundles,
        bundle_share,
        ..State::of_parts(sku, location, all.available, Vec::new(), outlets, changed_at)
    };
    let (body, digest) = tree(&state, changed_at)?;
    Ok(Canonical { body, digest, available: all.available, why })
}
