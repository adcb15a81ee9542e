//! `[ownership.DOMAIN]`: which system's word counts, for the domain and for single fields. Reads what was written;
//! whether it makes sense is `check`'s.

use crate::key::Key;
use crate::reader::{Reading, Section, named};
use crate::source::{Origin, Setting};
use crate::tree::Node;
use crate::value::{Value, words};
use kernel::id::SystemName;
use std::collections::BTreeMap;

pub(crate) const KEYS: &[Key] = &[
    Key::required(
        "system_of_record",
        "owner",
        "The one system whose word counts for the domain.",
        "\"shopify\"",
    ),
    Key::table("fields", "Fields that another system owns; see below."),
    Key::optional(
        "transforms",
        "list of texts",
        "The mapping verbs that flows of this domain may use. Without it, all.",
        "[\"copy\", \"scale\", \"look_up\"]",
    ),
    Key::with(
        "violation",
        "policy for violations",
        "\"report\"",
        "What becomes of a change that comes from a system that does not own the field: `report`, `revert`, `accept`, or, of inventory, `ask`. It is recorded in any case. Of inventory it is what a full check does with a quantity that somebody typed in the shop: told (`report`), set back (`revert`; so too where nothing is written here), left until the source changes the pair (`accept`), or left until a person has decided (`ask`).",
        "\"revert\"",
    ),
];

pub(crate) const FIELD_KEYS: &[Key] = &[
    Key::required(
        "owner",
        "owner",
        "The one system whose word counts for the field and what lies below it.",
        "\"erp\"",
    ),
    Key::optional(
        "transforms",
        "list of texts",
        "The mapping verbs that may be used on the field. Without it, those of the domain.",
        "[\"copy\"]",
    ),
];

/// What becomes of a change by a system that does not own the field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Violation {
    Report,
    Revert,
    Accept,
    /// A person decides; nothing is written meanwhile.
    Ask,
}

words! {
    Violation, "policy for violations", "policy for violations": "report" => Violation::Report,
        "revert" => Violation::Revert, "accept" => Violation::Accept, "ask" => Violation::Ask;
}

/// The owners that were written: one, or by mistake several, which `check` refuses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owners(pub Vec<Setting<SystemName>>);

impl Value for Owners {
    const KIND: &'static str = "owner";
    fn read(node: &Node, key: &str, reading: &mut Reading) -> Option<Self> {
        if let crate::tree::Raw::List(_) = node.settled().raw {
            return Vec::<Setting<SystemName>>::read(node, key, reading).map(Self);
        }
        let name = SystemName::read(node, key, reading)?;
        Some(Self(vec![Setting::new(name, node.origin.clone())]))
    }
}

/// `[ownership.DOMAIN]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Ownership {
    pub at: Origin,
    pub system_of_record: Setting<Owners>,
    /// By the field's path in the domain's canonical model.
    pub fields: BTreeMap<String, FieldOwnership>,
    pub transforms: Option<Setting<Vec<Setting<String>>>>,
    pub violation: Setting<Violation>,
}

/// `fields = { "erp.number" = { owner = "erp" } }`.
#[derive(Debug, Clone, PartialEq)]
pub struct FieldOwnership {
    pub at: Origin,
    pub owner: Setting<Owners>,
    pub transforms: Option<Setting<Vec<Setting<String>>>>,
}

pub(crate) fn read(mut section: Section<'_>) -> Option<Ownership> {
    let (path, entry) = (section.path_of("fields"), section.entry("fields"));
    let mut fields = BTreeMap::new();
    for (name, path, entry) in named(section.reading(), &path, entry, |name| Ok(name.to_owned())) {
        let mut field = Section::open(section.reading(), path, Some(entry), FIELD_KEYS);
        let (owner, transforms) = (field.required("owner"), field.optional("transforms"));
        if let Some(owner) = owner {
            fields.insert(name, FieldOwnership { at: field.at.clone(), owner, transforms });
        }
    }
    let system_of_record = section.required("system_of_record");
    let (transforms, violation) = (section.optional("transforms"), section.with_default("violation"));
    Some(Ownership {
        at: section.at.clone(),
        system_of_record: system_of_record?,
        fields,
        transforms,
        violation: violation?,
    })
}
