//! That the target of another flow refuses what that one brings, or takes it after all.

use engine::facts::{Admission, Facts, History, State};
use engine::refusal::REFUSAL;
use jiff::Timestamp;
use kernel::envelope::FactKind;
use kernel::fault::{Fault, FaultKind};
use kernel::flow::OrderPolicy;
use kernel::id::FlowName;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use std::sync::Arc;

/// The rule under which a refusal is kept out that ended before anything was held for it.
const NOT_HELD: &str = "not_held";
/// And that of one that another flow follows.
const ANOTHER_FLOW: &str = "another_flow";

#[derive(Debug)]
pub struct Refusals {
    /// Whose target refuses.
    of: FlowName,
}

impl Refusals {
    pub fn new(of: FlowName) -> Self {
        Self { of }
    }
}

impl Facts for Refusals {
    fn kind_of(&self, topic: &str) -> Option<FactKind> {
        (topic == REFUSAL).then_some(FactKind::State)
    }

    fn read(&self, _topic: &str, payload: &[u8]) -> Result<State, Fault> {
        let unreadable = |error: String| {
            Fault::new(
                FaultKind::Bug,
                "TG-5007",
                format!("a refusal that was told cannot be read back: {error}"),
            )
        };
        let body: Value = serde_json::from_slice(payload).map_err(|error| unreadable(error.to_string()))?;
        let refused =
            body["refused"].as_bool().ok_or_else(|| unreadable("it does not say whether".to_owned()))?;
        let at = body["at"].as_str().and_then(|text| text.parse().ok());
        let at: Timestamp = at.ok_or_else(|| unreadable("it does not say when".to_owned()))?;
        Ok(State {
            label: self.of.to_string(),
            customer: None,
            created_at: at,
            updated_at: at,
            changed_at: at,
            digest: Sha256::digest(payload).into(),
            cancelled: !refused,
            body: Arc::new(body),
        })
    }

    fn admit(&self, state: &State, _: &OrderPolicy, history: History, _: Timestamp) -> Admission {
        if state.body["flow"] != *self.of.as_str() {
            return Admission::Filtered { rule: ANOTHER_FLOW.to_owned() };
        }
        match state.cancelled && !(history.exported || history.attempted) {
            true => Admission::Filtered { rule: NOT_HELD.to_owned() },
            false => Admission::Export,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::flow::{AfterConfirm, ConfirmWhen, Difference, Mode};

    #[test]
    fn what_ended_before_anything_was_held_is_kept_out_and_so_is_anothers() {
        let facts = Refusals::new(FlowName::new("orders_to_wms").unwrap());
        let policy = OrderPolicy {
            mode: Mode::Live,
            go_live_at: Timestamp::MIN,
            export_when: [].into(),
            confirm_when: ConfirmWhen::Never,
            after_confirm: AfterConfirm::default(),
            difference: Difference::default(),
        };
        let admitted = |flow: &str, refused: bool, attempted: bool| {
            let text = format!(r#"{{"flow":"{flow}","refused":{refused},"at":"2026-11-27T12:00:00Z"}}"#);
            let state = facts.read(REFUSAL, text.as_bytes()).unwrap();
            assert_eq!(state.cancelled, !refused);
            let history = History { attempted, ..History::default() };
            facts.admit(&state, &policy, history, Timestamp::UNIX_EPOCH)
        };
        let filtered = |rule: &str| Admission::Filtered { rule: rule.to_owned() };
        assert_eq!(admitted("orders_to_wms", true, false), Admission::Export);
        assert_eq!(admitted("orders_to_wms", false, true), Admission::Export);
        assert_eq!(admitted("orders_to_wms", false, false), filtered(NOT_HELD));
        assert_eq!(admitted("orders_to_erp", true, false), filtered(ANOTHER_FLOW));
        for payload in ["", "{}", r#"{"refused":true}"#, r#"{"refused":true,"at":"noon"}"#] {
            assert_eq!(
                facts.read(REFUSAL, payload.as_bytes()).unwrap_err().kind,
                FaultKind::Bug,
                "{payload}"
            );
        }
    }
}
