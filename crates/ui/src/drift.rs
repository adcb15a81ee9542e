//! The drift's history in words and points: what each full check of stock found, as the store keeps it
//! (`engine::work::drift`); read, never guessed.

use crate::drift_chart::Point;
use crate::words::thousands;
use engine::work::drift::Checked;
use std::collections::BTreeMap;

/// Counts by the hub's word, in words a person reads: `1,240 differ, 4 not in the shop`. One alone is told without its count
/// where that stands beside it.
pub(crate) fn causes(counts: &BTreeMap<String, u64>) -> String {
    if counts.len() == 1 {
        return counts.iter().map(|(word, count)| cause(*count, word)).collect();
    }
    told(counts, cause)
}

/// The same of what a second look found.
pub(crate) fn whys(counts: &BTreeMap<String, u64>) -> String {
    told(counts, |_, word| why(word))
}

fn told<'a>(counts: &'a BTreeMap<String, u64>, word: impl Fn(u64, &'a str) -> &'a str) -> String {
    let all = counts.iter().map(|(name, count)| format!("{} {}", thousands(*count), word(*count, name)));
    all.collect::<Vec<_>>().join(", ")
}

/// As `tidegate reconcile` says it.
pub(crate) fn cause(count: u64, cause: &str) -> &str {
    match cause {
        "differs" if count != 1 => "differ",
        "missing_in_shopify" => "not in the shop, or not stocked there",
        "unknown_sku" => "not in the shop",
        "not_stocked" => "not stocked there",
        "wrong_location" => "at another location",
        "unknown_in_source" => "only in the shop",
        "twice_in_source" => "twice at the source",
        "twice_in_shopify" => "twice in the shop",
        other => other,
    }
}

pub(crate) fn why(word: &str) -> &str {
    match word {
        "missed" => "never came",
        "under_way" => "under way",
        "dead_letter" => "dead letters",
        "changed_in_shop" => "changed in the shop by somebody else",
        "settled" => "agree by now",
        "sequence_back" => "the source counts anew",
        "zeroed" => "set to 0",
        other => other,
    }
}

/// One check on a plot.
pub(crate) fn point(check: &Checked) -> Point {
    let all = [told(&check.causes, cause), whys(&check.whys)];
    let all: Vec<String> = all.into_iter().filter(|some| !some.is_empty()).collect();
    Point { at: check.began, count: check.differences(), more: all.join("; ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_cause_stands_without_its_count_and_several_with_theirs() {
        let counts = |all: &[(&str, u64)]| {
            all.iter().map(|(word, count)| ((*word).to_owned(), *count)).collect::<BTreeMap<_, _>>()
        };
        assert_eq!(causes(&counts(&[])), "");
        assert_eq!(causes(&counts(&[("differs", 1)])), "differs");
        let two = counts(&[("differs", 1_240), ("unknown_sku", 4)]);
        assert_eq!(causes(&two), "1,240 differ, 4 not in the shop");
        assert_eq!(whys(&counts(&[("missed", 3), ("settled", 1)])), "3 never came, 1 agree by now");
    }
}
