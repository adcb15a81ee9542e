//! What is told of a full check: how long each part took, and a line for each difference. Owns the words; judges nothing.

use api::admin::StockChecked;
use config::Violation;
use domains::inventory::compare::Report;
use engine::work::drift::Difference;
use kernel::clock::{Clock, Mono};
use std::collections::BTreeMap;
use std::sync::Arc;

/// How long each part took.
pub(super) struct Watch<'a> {
    clock: &'a Arc<dyn Clock>,
    since: Mono,
}

impl<'a> Watch<'a> {
    pub(super) fn begin(clock: &'a Arc<dyn Clock>) -> Self {
        Self { clock, since: clock.now().mono }
    }

    /// The part that ends now.
    pub(super) fn told(&mut self, part: &str, told: &mut StockChecked) {
        let now = self.clock.now().mono;
        let took = now.since(std::mem::replace(&mut self.since, now));
        let took_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        *told.took_ms.entry(part.to_owned()).or_default() += took_ms;
    }
}

/// What was found, a line for each pair of which the name is known; counted by cause.
pub(super) fn lines_of(
    report: &Report,
    places: &BTreeMap<String, String>,
    told: &mut StockChecked,
) -> BTreeMap<(String, String), Difference> {
    // As people call it.
    let called = |id: &String| places.iter().find(|(_, of)| *of == id).map_or(id, |(name, _)| name).clone();
    let mut lines = BTreeMap::new();
    for (cause, found) in report.all() {
        if found.count > 0 {
            told.causes.insert(cause.as_str().to_owned(), found.count);
        }
        for one in &found.kept {
            let line = Difference {
                sku: one.sku.clone(),
                location: one.location.clone(),
                cause: cause.as_str().to_owned(),
                why: None,
                wanted: one.wanted,
                has: one.has,
                spelt: one.spelt.as_ref().map(|(sku, _)| sku.clone()),
                changed_at: None,
                elsewhere: one.elsewhere.as_ref().map(|(location, _)| called(location)),
                elsewhere_has: one.elsewhere.as_ref().map(|(_, has)| *has),
            };
            lines.insert((one.sku.clone(), one.location.clone()), line);
        }
    }
    lines
}

pub(super) fn policy_word(policy: Violation) -> &'static str {
    match policy {
        Violation::Report => "report",
        Violation::Revert => "revert",
        Violation::Accept => "accept",
        Violation::Ask => "ask",
    }
}
