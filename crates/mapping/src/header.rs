//! The header of a mapping file: its name, and the schemas that it goes from and to.

use serde::Serialize;

use crate::error::{Findings, LoadCode};
use crate::nearest::suggest;
use crate::read::Keys;
use crate::schema::Schema;

/// The keys of a mapping file.
pub(crate) const KEYS: &[&str] =
    &["name", "description", "source", "target", "tables", "context_tables", "rules"];

/// What a mapping says about itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Header {
    /// The mapping's name.
    pub name: String,
    /// What it is for; may be empty.
    pub description: String,
    /// The name of the source schema: `order/1`.
    pub source: String,
    /// The name of the target schema: `tryton.sale/1`.
    pub target: String,
}

impl Header {
    /// Notes a finding if the mapping is for other schemas than these.
    pub(crate) fn expect_schemas(&self, source: &Schema, target: &Schema, findings: &mut Findings) {
        for (key, says, is) in
            [("source", &self.source, source.name()), ("target", &self.target, target.name())]
        {
            if says != is {
                findings.add_help(
                    LoadCode::Header,
                    0..0,
                    format!("the mapping's {key} is `{says}`, but it is used where `{is}` is needed"),
                    suggest(says, [is]),
                );
            }
        }
    }
}

pub(crate) fn read(keys: &mut Keys<'_, '_>, findings: &mut Findings) -> Option<Header> {
    let name = required(keys, "name", "orders_to_erp", findings);
    let source = required(keys, "source", "order/1", findings);
    let target = required(keys, "target", "tryton.sale/1", findings);
    let description = match keys.take("description") {
        Some(entry) => entry.text(findings).unwrap_or_default().to_owned(),
        None => String::new(),
    };
    Some(Header { name: name?, description, source: source?, target: target? })
}

fn required(keys: &mut Keys<'_, '_>, key: &str, example: &str, findings: &mut Findings) -> Option<String> {
    let Some(entry) = keys.take(key) else {
        findings.add_help(
            LoadCode::Header,
            keys.span.clone(),
            format!("the mapping has no `{key}`"),
            format!("write `{key} = \"{example}\"` at its top"),
        );
        return None;
    };
    entry.word(findings).map(str::to_owned)
}
