//! The headers by which a column of a CSV file is known, in English and German, in small letters with `_` between words. Owns what may mean
//! what: what is less than on hand (available, free) means no level, because it would be lessened twice; and what could be a level or a
//! change (quantity) is one only where it is known what the file holds.

use super::holds::Holds;

pub(super) const VERSION: &str = "version";
pub(super) const ID: &str = "id";

type Field = (&'static str, &'static [&'static str]);

/// What both have.
const OF_BOTH: &[Field] = &[
    ("sku", &["sku", "variant_sku", "item_sku", "item_number", "article_number", "artikelnummer"]),
    ("location", &["location", "location_code", "warehouse", "warehouse_code", "site", "lager", "lagerort"]),
    ("unit", &["unit", "uom", "unit_of_measure", "einheit", "mengeneinheit"]),
    (
        "changed_at",
        &[
            "changed_at",
            "updated_at",
            "modified_at",
            "last_modified",
            "timestamp",
            "geaendert_am",
            "geändert_am",
        ],
    ),
    (VERSION, &["version", "sequence", "sequence_number"]),
];

const OF_LEVELS: &[Field] = &[
    (
        "on_hand",
        &["on_hand", "onhand", "quantity_on_hand", "qty_on_hand", "stock", "bestand", "lagerbestand"],
    ),
    ("reserved", &["reserved", "quantity_reserved", "qty_reserved", "allocated", "reserviert"]),
    ("counted", &["counted"]),
    ("safety", &["safety", "safety_stock", "buffer", "sicherheitsbestand"]),
];

const OF_CHANGES: &[Field] = &[
    (
        "on_hand",
        &[
            "change",
            "on_hand_change",
            "change_on_hand",
            "quantity_change",
            "qty_change",
            "delta",
            "movement",
            "bewegung",
            "bewegungsmenge",
            "änderung",
            "aenderung",
            "bestandsänderung",
            "bestandsaenderung",
        ],
    ),
    ("reserved", &["reserved_change", "change_reserved"]),
    ("counted", &["counted_change", "change_counted"]),
    (ID, &["id", "change_id", "movement_id", "document", "document_number", "beleg", "belegnummer"]),
];

/// On hand, or by how much it changes.
const EITHER: &[&str] = &["quantity", "qty"];

fn plain(header: &str) -> String {
    header.trim().to_lowercase().replace([' ', '-'], "_")
}

fn find(fields: &[Field], name: &str) -> Option<&'static str> {
    fields.iter().find(|(_, names)| names.contains(&name)).map(|(field, _)| *field)
}

/// The field that a header means.
pub(super) fn field(header: &str, holds: Holds) -> Option<&'static str> {
    let name = plain(header);
    let own = match holds {
        Holds::Levels => OF_LEVELS,
        Holds::Changes => OF_CHANGES,
    };
    let either = || EITHER.contains(&name.as_str()).then_some("on_hand");
    find(OF_BOTH, &name).or_else(|| find(own, &name)).or_else(either)
}

/// Whether a quantity of a level, or what one changes by, is meant by this header and nothing else; `None`: neither.
pub(super) fn tells(header: &str) -> Option<Holds> {
    let name = plain(header);
    let quantity = |fields| find(fields, &name).is_some_and(|field| field != ID);
    match (quantity(OF_LEVELS), quantity(OF_CHANGES)) {
        (true, _) => Some(Holds::Levels),
        (_, true) => Some(Holds::Changes),
        _ => None,
    }
}

/// Whether it may be either.
pub(super) fn is_either(header: &str) -> bool {
    EITHER.contains(&plain(header).as_str())
}

/// How many of these mean anything: so the delimiter is found.
pub(super) fn known<'a>(headers: impl Iterator<Item = &'a str>) -> usize {
    let means = |header: &&str| {
        [Holds::Levels, Holds::Changes].into_iter().any(|holds| field(header, holds).is_some())
    };
    headers.filter(means).count()
}

/// How a column may be called that means this field.
pub(super) fn names(of: &str, holds: Holds) -> String {
    let own = match holds {
        Holds::Levels => OF_LEVELS,
        Holds::Changes => OF_CHANGES,
    };
    let mut names: Vec<&str> = OF_BOTH
        .iter()
        .chain(own)
        .filter(|(field, _)| *field == of)
        .flat_map(|(_, names)| *names)
        .copied()
        .collect();
    if of == "on_hand" {
        names.extend(EITHER);
    }
    names.join(" or ")
}

/// A field of a change, as a fault names it.
pub(super) fn spelled(field: &str, holds: Holds) -> String {
    match (holds, field) {
        (Holds::Changes, "on_hand" | "reserved" | "counted") => format!("change.{field}"),
        _ => field.to_owned(),
    }
}
