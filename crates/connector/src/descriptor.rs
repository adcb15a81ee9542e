//! What a connector declares about itself and its target, so that a configuration can be judged without a network.
//! Owns the words; judges nothing (that is `check`).

use kernel::flow::{ChangeBecomes, ConfirmWhen, Difference};
use serde::Serialize;
use std::collections::BTreeSet;
use std::time::Duration;

/// What a connector, with the connection it was given, can do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Descriptor {
    /// `tryton`, `http`, `shopify`: the word after `connector =`.
    pub kind: String,
    /// For a person: "Tryton 8.0 over JSON-RPC".
    pub title: String,
    /// Which domains it serves, and how.
    pub services: Vec<Service>,
    /// What protects a write whose answer is unknown.
    pub unknown: UnknownAnswer,
    /// Whether there is a call that tells if the system is well without touching an object.
    pub health: bool,
    /// Whether an object is looked for before its first create, even though we never sent one: where others write
    /// too, or a former connector did.
    pub observe_first: bool,
    /// Whether the target can tell if a reference (SKU, party, …) exists.
    pub resolves_references: bool,
    /// As a source: whether it can be asked what changed since a point that it gave.
    pub tells_changes: bool,
    /// As a source of stock: whether it can be asked for all that it has, as a full check does.
    pub tells_whole: bool,
    /// As a source: whether it can be asked for one of its states. One that drops files tells what changed, and is asked for nothing.
    pub reads_states: bool,
    /// As a source: whether what it can be asked for are changes of states and never a state.
    pub only_changes: bool,
    /// What order flows may ask of it.
    pub orders: OrderAbilities,
    /// The keys of `[systems.X.connection]`.
    pub settings: Vec<Setting>,
}

/// One domain in one direction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Service {
    pub domain: String,
    pub direction: Direction,
    /// The schema that a mapping into this target is checked against: `tryton.sale/1`. Sources: that of what they
    /// give.
    pub schema: String,
}

impl Service {
    /// What is told.
    pub fn source(domain: &str, schema: &str) -> Self {
        Self { domain: domain.to_owned(), direction: Direction::Source, schema: schema.to_owned() }
    }

    /// What is taken.
    pub fn target(domain: &str, schema: &str) -> Self {
        Self { domain: domain.to_owned(), direction: Direction::Target, schema: schema.to_owned() }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    Source,
    Target,
}

/// What protects a write whose answer is unknown (DESIGN promise 3).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum UnknownAnswer {
    /// The target honours a call key for this long: the same bytes under the same key *are* the look-up.
    NativeKey { lifetime: Duration },
    /// The target can be asked for an object key; an answer may be older than now by this much.
    LookUp { lag: Duration },
    /// Neither: an unknown answer goes to a person.
    Neither,
}

/// Which order policies a target can follow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Default)]
pub struct OrderAbilities {
    /// There is a confirmation apart from the create.
    pub confirms: bool,
    pub address: BTreeSet<Becomes>,
    pub line: BTreeSet<Becomes>,
    pub cancel: BTreeSet<Becomes>,
    /// It reports the totals that it computed, so that differences are seen.
    pub reports_totals: bool,
    /// It can add a line for a difference.
    pub adjusts_line: bool,
    /// An object that is observed shows what it comes to and in which currency, so that a day can be added up from it.
    pub lists_totals: bool,
}

/// [`ChangeBecomes`] with an order, for sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Becomes {
    Amend,
    CounterDocument,
    Ticket,
}

impl From<ChangeBecomes> for Becomes {
    fn from(change: ChangeBecomes) -> Self {
        match change {
            ChangeBecomes::Amend => Becomes::Amend,
            ChangeBecomes::CounterDocument => Becomes::CounterDocument,
            ChangeBecomes::Ticket => Becomes::Ticket,
        }
    }
}

impl OrderAbilities {
    /// Whether `confirm_when` can be followed. `never` always can.
    pub fn can_confirm(&self, when: ConfirmWhen) -> bool {
        self.confirms || when == ConfirmWhen::Never
    }
    pub fn can_settle(&self, difference: &Difference) -> bool {
        match difference {
            Difference::AdjustLine => self.reports_totals && self.adjusts_line,
            Difference::Accept(_) => self.reports_totals,
            Difference::Ticket => true,
        }
    }
}

/// One key of `[systems.X.connection]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Setting {
    pub name: &'static str,
    pub kind: SettingKind,
    pub required: bool,
    pub default: Option<&'static str>,
    pub meaning: &'static str,
    pub example: &'static str,
}

/// The same as a line of a table: name, kind, required, default, meaning, example.
pub type SettingRow = (&'static str, SettingKind, bool, Option<&'static str>, &'static str, &'static str);

impl From<&SettingRow> for Setting {
    fn from(row: &SettingRow) -> Self {
        let (name, kind, required, default, meaning, example) = *row;
        Self { name, kind, required, default, meaning, example }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SettingKind {
    Text,
    Url,
    /// A reference, `env:` or `file:`.
    Secret,
    Integer,
    Boolean,
    Duration,
    /// A table of texts (headers).
    Table,
    /// A list of texts.
    List,
}
