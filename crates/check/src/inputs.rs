//! What a configuration is judged against: plain data that connectors, mappings and documents hand in. Reads no file
//! and no network; whoever wires the hub gathers it.

use config::{Finding, Source};
use connector::descriptor::{Descriptor, Direction};
use mapping::Word;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// All that `check` knows beside the configuration.
#[derive(Debug, Default)]
pub struct Inputs<'a> {
    /// The connectors that are built in: the words after `connector =`.
    pub connectors: BTreeSet<String>,
    /// What each configured system's connector can do with the connection it was given, by the system's name; or all
    /// that is wrong with the connection, each beginning with the dotted key that it is about (`connector::settings`).
    /// See [`crate::describe_systems`].
    pub systems: BTreeMap<String, Result<Descriptor, Vec<String>>>,
    /// The mapping of each flow, by the flow's name.
    pub mappings: BTreeMap<String, MappingInput>,
    /// What stands in the file of bundles of each flow that names one, or why it cannot be read, by the flow's name.
    pub bundles: BTreeMap<String, Result<Vec<u8>, String>>,
    /// Every mapping verb.
    pub verbs: BTreeSet<String>,
    /// The GraphQL documents, by name.
    pub documents: BTreeMap<String, DocumentFacts>,
    /// Shopify's webhook topics that the hub understands.
    pub topics: BTreeMap<String, TopicFacts>,
    /// Judges a filter's expression; absent, filters are not judged.
    pub expressions: Option<&'a dyn Expressions>,
    /// Where secrets of `env:` are looked for. `None`: no secret is looked for (`--without-secrets`).
    pub secrets: Option<BTreeMap<String, String>>,
}

/// The mapping of a flow, loaded or not.
#[derive(Debug, Clone)]
pub enum MappingInput {
    Loaded(MappingFacts),
    /// The file cannot be read: why, in the words of the operating system.
    Unreadable(String),
}

/// What a mapping does, without how.
#[derive(Debug, Clone)]
pub struct MappingFacts {
    /// The file, for findings that point into it.
    pub source: Source,
    /// The schemas that its header names: `order/1`, `tryton.sale/1`.
    pub source_schema: String,
    pub target_schema: String,
    pub rules: Vec<RuleFacts>,
    /// What is wrong with the mapping in itself; the rules are then not judged.
    pub findings: Vec<Finding>,
}

/// One target field of a mapping.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleFacts {
    /// The target field's path; list items are not told apart.
    pub to: String,
    /// The source fields that decide its value.
    pub reads: BTreeSet<String>,
    /// The verbs that it goes through.
    pub verbs: BTreeSet<String>,
    /// What its tables translate, where anything else is refused there.
    pub words: BTreeMap<String, Word>,
    /// Where it stands in the mapping file.
    pub span: Range<usize>,
}

/// What a GraphQL document needs, and who sends it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DocumentFacts {
    pub scopes: BTreeSet<String>,
    /// The domain whose flows send it; `None`: every flow. `storefront`: no flow, but storefronts that ask for prices.
    pub domain: Option<String>,
    /// Whether it is sent where Shopify is the source or the target; `None`: either.
    pub direction: Option<Direction>,
    /// The schema that the flow's mapping writes, where only some flows of the domain send it.
    pub schema: Option<String>,
}

/// What a topic is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicFacts {
    pub domain: String,
    /// What the app needs in order to subscribe.
    pub scopes: BTreeSet<String>,
}

/// Judges a CEL expression over the source of a domain.
pub trait Expressions: std::fmt::Debug {
    /// What is wrong with it; empty if nothing.
    fn judge(&self, domain: &str, expression: &str) -> Vec<ExpressionFault>;
}

/// One thing that is wrong with an expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpressionFault {
    /// A code of the mapping's list, `TG-2013`.
    pub code: &'static str,
    pub message: String,
    pub help: String,
}

impl Inputs<'_> {
    /// What a system's connector can do; `None` where it is unknown or refuses its connection.
    pub(crate) fn descriptor(&self, system: &str) -> Option<&Descriptor> {
        self.systems.get(system)?.as_ref().ok()
    }
}
