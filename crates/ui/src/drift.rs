//! The drift's history: what each full check of stock found, as it stands in the audit; read, never guessed.

use crate::words::thousands;
use jiff::Timestamp;
use std::collections::BTreeMap;
use store::operate::AuditEntry;

/// The action of the audit that a full check leaves.
const ACTION: &str = "reconcile";
/// What stands at the end of a check that was only to tell.
const DRY: &str = ", changed nothing";
const NONE: &str = "no difference";

/// One full check: one flow at one shop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Check {
    pub(crate) at: Timestamp,
    pub(crate) who: String,
    pub(crate) why: String,
    pub(crate) flow: String,
    pub(crate) shop: String,
    /// Of the source, and of the shop.
    pub(crate) pairs: (u64, u64),
    /// How many differences, by the hub's word for their cause.
    pub(crate) causes: Vec<(u64, String)>,
    /// Pairs taken up again.
    pub(crate) again: u64,
    /// It was only to tell.
    pub(crate) dry: bool,
}

impl Check {
    /// `None`: no full check.
    fn of(entry: &AuditEntry) -> Option<Self> {
        if entry.action != ACTION {
            return None;
        }
        let (of_what, found) = entry.target.split_once(": ")?;
        let (flow, shop) = of_what.split_once(", shop ")?;
        let (pairs, causes) = found.split_once("; ")?;
        let (source, shop_has) = pairs.split_once(" pairs against ")?;
        let told = causes.strip_suffix(DRY);
        Some(Self {
            at: entry.at,
            who: entry.who.clone(),
            why: entry.why.clone(),
            flow: flow.to_owned(),
            shop: shop.to_owned(),
            pairs: (source.parse().ok()?, shop_has.parse().ok()?),
            causes: causes_of(told.unwrap_or(causes))?,
            again: entry.count,
            dry: told.is_some(),
        })
    }

    pub(crate) fn differences(&self) -> u64 {
        self.causes.iter().map(|(count, _)| count).sum()
    }

    /// After their sum, its causes in words; empty where both sides agreed.
    pub(crate) fn causes(&self) -> String {
        if let [(count, word)] = &self.causes[..] {
            return words(*count, word).to_owned();
        }
        let causes =
            self.causes.iter().map(|(count, word)| format!("{} {}", thousands(*count), words(*count, word)));
        causes.collect::<Vec<_>>().join(", ")
    }
}

fn causes_of(text: &str) -> Option<Vec<(u64, String)>> {
    if text == NONE {
        return Some(Vec::new());
    }
    let cause = |part: &str| {
        let (count, word) = part.split_once(' ')?;
        Some((count.parse().ok()?, word.to_owned()))
    };
    text.split(", ").map(cause).collect()
}

/// As `tidegate reconcile` says it.
fn words(count: u64, cause: &str) -> &str {
    match cause {
        "differs" if count != 1 => "differ",
        "missing_in_shopify" => "not in the shop",
        "unknown_in_source" => "only in the shop",
        "twice_in_source" => "twice at the source",
        "twice_in_shopify" => "twice in the shop",
        other => other,
    }
}

/// The checks among lines of the audit, newest first as they are.
pub(crate) fn checks(entries: &[AuditEntry]) -> Vec<Check> {
    entries.iter().filter_map(Check::of).collect()
}

/// Those of each flow and shop, oldest first: what one line of a plot shows.
pub(crate) fn series(checks: &[Check]) -> BTreeMap<(String, String), Vec<&Check>> {
    let mut all: BTreeMap<(String, String), Vec<&Check>> = BTreeMap::new();
    for check in checks.iter().rev() {
        all.entry((check.flow.clone(), check.shop.clone())).or_default().push(check);
    }
    for of_one in all.values_mut() {
        of_one.sort_by_key(|check| check.at);
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(action: &str, target: &str) -> AuditEntry {
        AuditEntry {
            at: Timestamp::UNIX_EPOCH,
            who: "ada".into(),
            action: action.into(),
            target: target.into(),
            why: "nightly".into(),
            count: 3,
        }
    }

    #[test]
    fn a_check_is_read_as_it_was_written() {
        let told = |target: &str| Check::of(&entry("reconcile", target));
        let found = told(
            "stock_to_shopify, shop acme: 100 pairs against 98; 3 differs, 2 missing_in_shopify, changed nothing",
        );
        let found = found.unwrap();
        assert_eq!(
            (found.flow.as_str(), found.shop.as_str(), found.pairs),
            ("stock_to_shopify", "acme", (100, 98))
        );
        assert_eq!((found.differences(), found.dry, found.again), (5, true, 3));
        assert_eq!(found.causes(), "3 differ, 2 not in the shop");
        let clean = told("s, shop acme: 1 pairs against 1; no difference").unwrap();
        assert_eq!((clean.differences(), clean.dry, clean.causes()), (0, false, String::new()));
        for (causes, expected) in
            [("1 differs", "differs"), ("31 differs", "differ"), ("1 differs, 2 new", "1 differs, 2 new")]
        {
            let one = told(&format!("s, shop acme: 1 pairs against 1; {causes}")).unwrap();
            assert_eq!(one.causes(), expected);
        }
    }

    #[test]
    fn what_is_no_check_is_none() {
        assert_eq!(Check::of(&entry("release", "s, shop acme: 1 pairs against 1; no difference")), None);
        for target in [
            "",
            "all",
            "s, shop acme: 1 pairs against x; no difference",
            "s, shop acme: 1 pairs against 1; many",
        ] {
            assert_eq!(Check::of(&entry("reconcile", target)), None, "{target}");
        }
    }
}
