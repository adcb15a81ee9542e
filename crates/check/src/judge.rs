//! What all rules share: the configuration, what it is judged against, and the findings so far. Owns who may be
//! looked up, so that a mistake in one section does not raise others.

use crate::inputs::{Inputs, MappingFacts, MappingInput};
use config::{Code, Config, Finding, Flow, Origin, SHOPIFY, System, nearest};
use connector::descriptor::Descriptor;
use kernel::id::{FlowName, SystemName};

/// A judgement under way.
pub(crate) struct Judge<'a> {
    pub(crate) config: &'a Config,
    pub(crate) inputs: &'a Inputs<'a>,
    pub(crate) findings: Vec<Finding>,
}

impl<'a> Judge<'a> {
    pub(crate) fn finding(
        &mut self,
        code: Code,
        at: &Origin,
        key: impl Into<String>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.push(Finding::new(code, at, message, help).key(key));
    }

    pub(crate) fn push(&mut self, finding: Finding) {
        self.findings.push(finding);
    }

    pub(crate) fn flows(&self) -> impl Iterator<Item = (&'a FlowName, &'a Flow)> + use<'a> {
        self.config.flows.iter()
    }

    pub(crate) fn system(&self, name: &SystemName) -> Option<&'a System> {
        self.config.systems.get(name)
    }

    /// What is known of a system's connector; `None` where another rule says why.
    pub(crate) fn descriptor(&self, name: &SystemName) -> Option<&'a Descriptor> {
        let system = self.system(name)?;
        if is_shopify(name) != (system.connector.value == SHOPIFY) {
            return None;
        }
        self.inputs.descriptor(name.as_str())
    }

    /// The rules of a flow's mapping, if it was loaded and is well.
    pub(crate) fn mapping(&self, flow: &FlowName) -> Option<&'a MappingFacts> {
        match self.inputs.mappings.get(flow.as_str())? {
            MappingInput::Loaded(facts) if facts.findings.is_empty() => Some(facts),
            _ => None,
        }
    }

    /// Whether a section was written, well or not.
    pub(crate) fn is_known(&self, kind: &str, name: &str) -> bool {
        let known = match kind {
            "systems" => self.config.systems.keys().any(|system| system.as_str() == name),
            "shops" => self.config.shops.keys().any(|shop| shop.as_str() == name),
            "apps" => self.config.apps.contains_key(name),
            _ => false,
        };
        known || self.config.is_damaged(&format!("{kind}.{name}"))
    }

    /// Refuses a name for which there is no section.
    pub(crate) fn refers(&mut self, kind: &str, name: &str, at: &Origin, key: &str) {
        if self.is_known(kind, name) {
            return;
        }
        let known: Vec<&str> = match kind {
            "systems" => self.config.systems.keys().map(SystemName::as_str).collect(),
            "shops" => self.config.shops.keys().map(|shop| shop.as_str()).collect(),
            _ => self.config.apps.keys().map(String::as_str).collect(),
        };
        let help = match nearest(name, known.iter().copied()) {
            Some(near) => format!("did you mean {near}? Otherwise add a section [{kind}.{name}]"),
            None => format!("add a section [{kind}.{name}]"),
        };
        self.finding(Code::UnknownReference, at, key, format!("there is no [{kind}.{name}]"), help);
    }
}

pub(crate) fn is_shopify(system: &SystemName) -> bool {
    system.as_str() == SHOPIFY
}
