//! A SKU at a location as a subject: `ats:SKU-0001@WH-1`. Owns the spelling: whatever is not a letter, a digit, `-`, `_`
//! or `.` is written `%XX`, so that no two pairs ever meet and the path stays a path. Capitals count, as at the source;
//! blanks at the ends do not, as when a level is read. A pair has one spelling: another one is no pair.

use kernel::id::ShopId;
use kernel::subject::Subject;

const KIND: &str = "ats";

/// The subject of a pair.
#[must_use]
pub fn subject(shop: ShopId, sku: &str, location: &str) -> Subject {
    Subject { shop, path: path(sku, location) }
}

/// The same without its shop.
#[must_use]
pub fn path(sku: &str, location: &str) -> String {
    format!("{KIND}:{}@{}", written(sku.trim()), written(location.trim()))
}

/// A pair that shares its units with others, `ats:FIRST@WH-1/ats:SKU-0001`: one root, and so one lane, for all that share them.
/// `first` stands for all of them ([`super::bundles::Bundles::family`]).
#[must_use]
pub fn shared(first: &str, sku: &str, location: &str) -> String {
    format!("{}/{SHARED}:{}", path(first, location), written(sku.trim()))
}

/// The same of what is divided over several of the shop's locations: `ats:FIRST@WH-1/ats:SKU@WEB` is what lies at `place` and is
/// shown at `outlet`.
#[must_use]
pub fn divided(first: &str, sku: &str, place: &str, outlet: &str) -> String {
    format!("{}/{}", path(first, place), path(sku, outlet))
}

/// What such a pair is below its root: of the same kind.
const SHARED: &str = KIND;

/// SKU and location of a subject, whether it shares its units or not: the location where it is shown. `None` where it is no pair.
#[must_use]
pub fn parts(subject: &Subject) -> Option<(String, String)> {
    let Some((root, child)) = subject.path.split_once('/') else { return alone(subject) };
    let (first, location) = alone(&Subject { shop: subject.shop.clone(), path: root.to_owned() })?;
    let own = child.strip_prefix(SHARED)?.strip_prefix(':')?;
    if let Some((sku, outlet)) = own.split_once('@') {
        let (sku, outlet) = (spelled(sku)?, spelled(outlet)?);
        return (divided(&first, &sku, &location, &outlet) == subject.path).then_some((sku, outlet));
    }
    let sku = spelled(own)?;
    (shared(&first, &sku, &location) == subject.path).then_some((sku, location))
}

/// Where what a subject shows lies, as far as its name says so: at its own location, or at that which is divided.
pub(super) fn lies_at(subject: &Subject) -> Option<String> {
    let root = Subject { shop: subject.shop.clone(), path: subject.root().to_owned() };
    alone(&root).map(|(_, location)| location)
}

/// The same of a pair that shares nothing.
#[must_use]
pub fn alone(subject: &Subject) -> Option<(String, String)> {
    let (sku, location) = subject.path.strip_prefix(KIND)?.strip_prefix(':')?.split_once('@')?;
    let (sku, location) = (spelled(sku)?, spelled(location)?);
    (path(&sku, &location) == subject.path).then_some((sku, location))
}

/// As a part of a subject: nothing in it makes a path of its own.
pub(crate) fn written(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.') {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// What was written so; `None` where it is not of this spelling or empty.
pub(crate) fn spelled(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        if *first == b'%' {
            let hex = std::str::from_utf8(after.get(..2)?).ok()?;
            bytes.push(u8::from_str_radix(hex, 16).ok()?);
            rest = after.get(2..)?;
        } else {
            bytes.push(*first);
        }
    }
    String::from_utf8(bytes).ok().filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn shop() -> ShopId {
        ShopId::new("acme").unwrap()
    }

    #[test]
    fn a_pair_is_readable_where_its_names_are_plain() {
        assert_eq!(subject(shop(), "SKU-0001", "WH-1").to_string(), "acme/ats:SKU-0001@WH-1");
        assert_eq!(path("A/B@C", "Köln"), "ats:A%2FB%40C@K%C3%B6ln");
        assert_eq!(path(" SKU-0001\r\n", "WH-1"), "ats:SKU-0001@WH-1");
    }

    #[test]
    fn what_shares_its_units_has_one_root() {
        let subject = Subject { shop: shop(), path: shared("A", "B/1", "WH 1") };
        assert_eq!((subject.path.as_str(), subject.root()), ("ats:A@WH%201/ats:B%2F1", "ats:A@WH%201"));
        assert_eq!(parts(&subject), Some(("B/1".to_owned(), "WH 1".to_owned())));
        assert_eq!(alone(&subject), None);
        let divided = Subject { shop: shop(), path: divided("A", "B/1", "WH 1", "WEB@1") };
        assert_eq!(
            (divided.path.as_str(), divided.root()),
            ("ats:A@WH%201/ats:B%2F1@WEB%401", "ats:A@WH%201")
        );
        assert_eq!(parts(&divided), Some(("B/1".to_owned(), "WEB@1".to_owned())));
        assert_eq!((alone(&divided), lies_at(&divided).as_deref()), (None, Some("WH 1")));
        for bad in [
            "ats:A@WH/ats:",
            "ats:A@WH/ats:B@",
            "ats:A@WH/ats:@W",
            "ats:A@WH/ats:B@C@D",
            "ats:A@WH/ats:B/C",
            "ats:A@WH/sku:B",
            "ats:A/ats:B@WH",
        ] {
            assert_eq!(parts(&Subject { shop: shop(), path: bad.to_owned() }), None, "{bad}");
        }
    }

    #[test]
    fn what_is_no_pair_has_no_parts() {
        let other_spellings =
            ["ats:%2f@WH", "ats:%41@WH", "ats:A B@WH", "ats:%20A@WH", "ats:%+F@WH", "ats:A@B@C"];
        let broken =
            ["order:5678", "ats:SKU", "ats:@WH-1", "ats:SKU@", "ats:%G1@WH-1", "ats:%4@WH", "ats:%FF@WH"];
        for bad in other_spellings.into_iter().chain(broken) {
            assert_eq!(parts(&Subject { shop: shop(), path: bad.to_owned() }), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn two_pairs_never_meet(pairs in proptest::collection::vec(("\\PC{1,12}", "\\PC{1,6}"), 2..20)) {
            let mut seen = BTreeMap::new();
            let trimmed = pairs.into_iter().map(|pair| (pair.0.trim().to_owned(), pair.1.trim().to_owned()));
            for pair in trimmed.filter(|pair| !pair.0.is_empty() && !pair.1.is_empty()) {
                let subject = subject(shop(), &pair.0, &pair.1);
                prop_assert!(!subject.path.contains('/'), "a slash would make another root");
                prop_assert_eq!(parts(&subject), Some(pair.clone()));
                if let Some(other) = seen.insert(subject.path, pair.clone()) {
                    prop_assert_eq!(other, pair);
                }
            }
        }
    }
}
