//! How a subject is called and where it is shown: an order by its name, stock as `SKU-0001 at WH-1` and never by the
//! spelling of its path. Owns words and links only; how a pair is spelled is `domains::inventory`'s.

use crate::state::Ui;
use crate::words::escaped;
use domains::inventory::parts;
use kernel::id::ShopId;
use kernel::subject::Subject;

/// The page of an order, or of whatever else has a life of its own.
pub(crate) fn order_path(subject: &Subject) -> String {
    format!("/orders/{}/{}", subject.shop, escaped(subject.root()))
}

/// The page of a SKU at all of its locations.
pub(crate) fn stock_path(sku: &str) -> String {
    format!("/stock?sku={}", escaped(sku))
}

/// Where somebody who reads its name wants to go: stock to its SKU, all else to its life.
pub(crate) fn page_of(ui: &Ui, root: &Subject) -> String {
    match parts(root) {
        Some((sku, _)) if !ui.given.stock.is_empty() => stock_path(&sku),
        _ => order_path(root),
    }
}

/// As people call it: `label` is an order's name, or a SKU.
pub(crate) fn called(root: &Subject, label: Option<&str>) -> String {
    match (parts(root), label) {
        (Some((sku, location)), _) => format!("{sku} at {location}"),
        (None, Some(label)) => label.to_owned(),
        (None, None) => root.path.replace(':', " "),
    }
}

/// What it is, after "the" or "this".
pub(crate) fn noun(root: &Subject) -> &'static str {
    if parts(root).is_some() { "pair" } else { "order" }
}

/// What a pause or the audit names, with stock in words: `acme/ats:SKU-0001@WH-1` and `shop acme, root ats:SKU-0001@WH-1`
/// are both `SKU-0001 at WH-1 (acme)`. All else stays as it is.
pub(crate) fn spoken(target: &str) -> String {
    let (shop, path) = match target.strip_prefix("shop ").and_then(|rest| rest.split_once(", root ")) {
        Some(named) => named,
        None => target.split_once('/').unwrap_or_default(),
    };
    // What is narrowed further, as by a delivery, keeps that.
    let (path, narrowed) = path.split_once(", ").map_or((path, None), |(path, rest)| (path, Some(rest)));
    let pair = ShopId::new(shop).ok().and_then(|shop| parts(&Subject { shop, path: path.to_owned() }));
    match (pair, narrowed) {
        (None, _) => target.to_owned(),
        (Some((sku, location)), None) => format!("{sku} at {location} ({shop})"),
        (Some((sku, location)), Some(rest)) => format!("{sku} at {location} ({shop}), {rest}"),
    }
}

/// A sentence of the engine's, with stock in words: a pair's spelling holds no blank.
pub(crate) fn aloud(sentence: &str) -> String {
    sentence.split(' ').map(spoken).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stock_is_called_by_sku_and_location_and_an_order_by_its_name() {
        let acme = ShopId::new("acme").unwrap();
        let of = |path: &str| Subject { shop: acme.clone(), path: path.to_owned() };
        for (path, label, expected) in [
            ("ats:SKU-0001@WH-1", Some("SKU-0001"), "SKU-0001 at WH-1"),
            ("ats:A%2FB@K%C3%B6ln", None, "A/B at Köln"),
            ("order:5678", Some("#1001"), "#1001"),
            ("order:5678", None, "order 5678"),
            ("ats:broken", None, "ats broken"),
        ] {
            assert_eq!(called(&of(path), label), expected, "{path}");
        }
        assert_eq!(stock_path("A/B &c"), "/stock?sku=A%2FB%20%26c");
    }

    #[test]
    fn what_the_audit_names_is_read_aloud_where_it_is_stock() {
        for (target, expected) in [
            ("acme/ats:SKU-0001@WH-1", "SKU-0001 at WH-1 (acme)"),
            ("shop acme, root ats:SKU-0001@WH-1", "SKU-0001 at WH-1 (acme)"),
            ("shop acme, root ats:SKU-0001@WH-1, delivery 7", "SKU-0001 at WH-1 (acme), delivery 7"),
            ("acme/order:5678", "acme/order:5678"),
            ("shop acme, root order:5678, delivery 7", "shop acme, root order:5678, delivery 7"),
            ("system erp", "system erp"),
            ("all", "all"),
            ("", ""),
        ] {
            assert_eq!(spoken(target), expected);
        }
        assert_eq!(
            aloud("the pause of acme/ats:A%20B@WH-1 to end,  12 s"),
            "the pause of A B at WH-1 (acme) to end,  12 s"
        );
    }
}
