//! Which fields of an order say something about a person: for reports on what flows move. Every text of the canonical
//! order is judged here, on one list or the other; a test holds that none is forgotten.

/// How a field leads to a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PersonalKind {
    /// Says who it is.
    Identity,
    /// A way to reach them.
    Contact,
    /// Where they live or receive things.
    Address,
    /// People write what they like there.
    FreeText,
    /// A number that leads to a person by way of another system.
    Pseudonym,
}

impl PersonalKind {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Contact => "contact",
            Self::Address => "address",
            Self::FreeText => "free text",
            Self::Pseudonym => "pseudonym",
        }
    }
}

/// A field, by its path without marks of list items, and what is below it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PersonalField {
    pub field: &'static str,
    pub kind: PersonalKind,
}

const fn personal(field: &'static str, kind: PersonalKind) -> PersonalField {
    PersonalField { field, kind }
}

/// The fields of an order that are about a person, or may be. An order of a company is one of the person who placed it.
pub const PERSONAL: &[PersonalField] = &[
    personal("order_id", PersonalKind::Pseudonym),
    personal("gid", PersonalKind::Pseudonym),
    personal("name", PersonalKind::Pseudonym),
    personal("confirmation_number", PersonalKind::Pseudonym),
    personal("source.identifier", PersonalKind::Pseudonym),
    personal("po_number", PersonalKind::FreeText),
    personal("note", PersonalKind::FreeText),
    personal("attributes", PersonalKind::FreeText),
    personal("tags", PersonalKind::FreeText),
    personal("lines.attributes", PersonalKind::FreeText),
    personal("company", PersonalKind::Pseudonym),
    personal("contact.customer.customer_id", PersonalKind::Pseudonym),
    personal("contact.customer.first_name", PersonalKind::Identity),
    personal("contact.customer.last_name", PersonalKind::Identity),
    personal("contact.customer.email", PersonalKind::Contact),
    personal("contact.customer.phone", PersonalKind::Contact),
    personal("contact.email", PersonalKind::Contact),
    personal("contact.phone", PersonalKind::Contact),
    personal("contact.locale", PersonalKind::Identity),
    personal("billing_address.name", PersonalKind::Identity),
    personal("billing_address.first_name", PersonalKind::Identity),
    personal("billing_address.last_name", PersonalKind::Identity),
    personal("billing_address.phone", PersonalKind::Contact),
    personal("billing_address", PersonalKind::Address),
    personal("shipping_address.name", PersonalKind::Identity),
    personal("shipping_address.first_name", PersonalKind::Identity),
    personal("shipping_address.last_name", PersonalKind::Identity),
    personal("shipping_address.phone", PersonalKind::Contact),
    personal("shipping_address", PersonalKind::Address),
];

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;
    use std::collections::BTreeSet;

    /// Texts that say something about the sale and nothing about a person.
    const OF_THE_SALE: &[&str] = &[
        "created_at",
        "processed_at",
        "updated_at",
        "closed_at",
        "cancellation",
        "currency",
        "presentment_currency",
        "financial_status",
        "fulfilment_status",
        "source.channel",
        "source.app_id",
        "payment_terms",
        "discounts",
        "lines",
        "shipping_lines",
        "taxes",
        "totals",
    ];

    fn within(field: &str, of: &str) -> bool {
        field == of || field.strip_prefix(of).is_some_and(|rest| rest.starts_with('.'))
    }

    /// Every path of the published schema at which a text may stand.
    fn texts(schema: &Value, root: &Value, path: &str, found: &mut BTreeSet<String>) {
        if let Some(name) = schema["$ref"].as_str() {
            return texts(root.pointer(name.trim_start_matches('#')).unwrap(), root, path, found);
        }
        for one in ["anyOf", "oneOf", "allOf"].iter().filter_map(|key| schema[*key].as_array()).flatten() {
            texts(one, root, path, found);
        }
        if schema["items"].is_object() {
            texts(&schema["items"], root, path, found);
        }
        for (name, below) in schema["properties"].as_object().into_iter().flatten() {
            let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            texts(below, root, &path, found);
        }
        let is_text = match &schema["type"] {
            Value::String(kind) => kind == "string",
            Value::Array(kinds) => kinds.iter().any(|kind| kind == "string"),
            _ => schema["enum"].is_array() || schema["const"].is_string(),
        };
        if is_text {
            found.insert(path.to_owned());
        }
    }

    #[test]
    fn every_text_of_an_order_is_judged() {
        let schema: Value = serde_json::from_str(&crate::orders::json_schema().unwrap()).unwrap();
        let mut found = BTreeSet::new();
        texts(&schema, &schema, "", &mut found);
        assert!(found.len() > 60, "{}", found.len());
        let judged = |path: &String| {
            PERSONAL.iter().any(|one| within(path, one.field))
                || OF_THE_SALE.iter().any(|of| within(path, of))
        };
        let forgotten: Vec<_> = found.iter().filter(|path| !judged(path)).collect();
        assert!(forgotten.is_empty(), "is this about a person? {forgotten:?}");
        // And no row of the list is about a field that there no longer is.
        let stale: Vec<_> =
            PERSONAL.iter().filter(|one| !found.iter().any(|path| within(path, one.field))).collect();
        assert!(stale.is_empty(), "{stale:?}");
    }
}
