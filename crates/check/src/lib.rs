//! Judges a configuration against what connectors, mappings and documents declare, and explains the flow of truth.
//!
//! It is handed everything: it opens no network and no file but those of secrets. It finds all there is to find
//! and mends nothing.

mod cadence;
mod connection;
mod echo;
mod explain;
mod explain_text;
mod expressions;
mod failure;
mod fields;
mod inputs;
mod judge;
mod load;
mod mappings;
mod owners;
mod personal;
mod personal_text;
mod picture;
mod policies;
mod prices;
mod references;
mod scopes;
mod secrets;
mod served;
mod stock;
mod systems;
mod topics;

pub use explain::{
    DomainTruth, Explanation, FieldTruth, FlowTruth, OrderTruth, ScopeNeed, SettingTruth, SystemTruth,
};
pub use inputs::{
    DocumentFacts, ExpressionFault, Expressions, Inputs, MappingFacts, MappingInput, RuleFacts, TopicFacts,
};

pub use personal::{Kept, Moved, PersonalData, PersonalFact, PersonalFlow, personal_data};
pub use picture::Width;

pub use load::{DomainExpressions, describe_systems, load_mapping, verbs};

use config::{Config, Finding};
use serde::Serialize;

/// The judgement: what is wrong, and what the configuration means.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// In the order of the file.
    pub findings: Vec<Finding>,
    pub explanation: Explanation,
}

impl Report {
    pub fn is_good(&self) -> bool {
        self.findings.is_empty()
    }

    /// Adds what reading the configuration found, and sorts.
    #[must_use]
    pub fn with(mut self, findings: Vec<Finding>) -> Self {
        self.findings.extend(findings);
        self.findings.sort_by_cached_key(Finding::order);
        self.findings.dedup();
        self
    }
}

/// Judges all of it, each rule on its own. A partial configuration (`config::Reading`) is judged as far as it goes:
/// what refers to a damaged section is left out.
pub fn run(config: &Config, inputs: &Inputs<'_>) -> Report {
    let explanation = explain::explain(config, inputs);
    if config.is_broken() {
        // A line that is not TOML swallows what stands in it: judging the rest would find its absence.
        return Report { findings: Vec::new(), explanation };
    }
    let mut judge = judge::Judge { config, inputs, findings: Vec::new() };
    references::judge(&mut judge);
    secrets::judge(&mut judge);
    systems::judge(&mut judge);
    connection::judge(&mut judge);
    owners::judge(&mut judge);
    served::judge(&mut judge);
    mappings::judge(&mut judge);
    echo::judge(&mut judge);
    policies::judge(&mut judge);
    topics::judge(&mut judge);
    expressions::judge(&mut judge);
    stock::judge(&mut judge);
    scopes::judge(&mut judge);
    cadence::judge(&mut judge);
    prices::judge(&mut judge);
    let report = Report { findings: judge.findings, explanation };
    report.with(Vec::new())
}
