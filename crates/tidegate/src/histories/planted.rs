//! Mistakes that can be planted around the engine, most of them between it and a flow's own facts, so that it is shown that the judge notices what it
//! is there for.

use engine::facts::{Admission, Confirm, Facts, History, ListedAs, State, Touched};
use engine::plan::Plan;
use jiff::Timestamp;
use kernel::envelope::FactKind;
use kernel::fault::Fault;
use kernel::flow::OrderPolicy;
use kernel::id::{DomainName, FlowName};
use kernel::money::MoneyBag;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use std::sync::Arc;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mistake {
    /// What was given back lowers the sale, too.
    RefundIsAnEdit,
    /// What an edit took off is booked as a refund, too.
    EditIsARefund,
    /// What was given back is not looked for.
    LosesRefunds,
    /// What was given back is looked for before the ERP has the order.
    BeforeItsOrder,
    /// A credit note is sent again, as if its answer had not come.
    SendsAgain,
}

pub(super) const ALL: [Mistake; 5] = [
    Mistake::RefundIsAnEdit,
    Mistake::EditIsARefund,
    Mistake::LosesRefunds,
    Mistake::BeforeItsOrder,
    Mistake::SendsAgain,
];

/// Puts it between the engine and the flow that brings the orders.
pub(super) fn plant(plan: &mut Plan, mistake: Mistake) {
    let flow = plan.flows.get_mut(&FlowName::new("orders_to_erp").unwrap()).unwrap();
    flow.facts = Arc::new(Faulty { of: flow.facts.clone(), mistake });
}

#[derive(Debug)]
struct Faulty {
    of: Arc<dyn Facts>,
    mistake: Mistake,
}

impl Facts for Faulty {
    fn kind_of(&self, topic: &str) -> Option<FactKind> {
        self.of.kind_of(topic)
    }
    fn read(&self, topic: &str, payload: &[u8]) -> Result<State, Fault> {
        let mut state = self.of.read(topic, payload)?;
        let body: Value = serde_json::from_slice(payload).unwrap();
        let refunds = body["refunds"].as_array().into_iter().flatten();
        let gives_money =
            refunds.filter(|one| one["transactions"].as_array().is_some_and(|all| !all.is_empty()));
        if self.mistake == Mistake::RefundIsAnEdit && gives_money.count() > 0 {
            let mut lowered = state.body.as_ref().clone();
            lowered["lines"].as_array_mut().unwrap().pop();
            state.digest = Sha256::digest(lowered.to_string().as_bytes()).into();
            state.body = Arc::new(lowered);
        }
        Ok(state)
    }
    fn listed_as(&self, body: &Value, fingerprint: &str) -> ListedAs {
        self.of.listed_as(body, fingerprint)
    }
    fn charged(&self, state: &State) -> Option<MoneyBag> {
        self.of.charged(state)
    }
    fn touches(&self, topic: &str, payload: &[u8], state: &State) -> Vec<Touched> {
        let mut touched = self.of.touches(topic, payload, state);
        let is_refund = |one: &Touched| one.path.contains("/refund:");
        match self.mistake {
            Mistake::LosesRefunds => touched.retain(|one| !is_refund(one)),
            Mistake::EditIsARefund => {
                let body: Value = serde_json::from_slice(payload).unwrap();
                let all = body["refunds"].as_array().into_iter().flatten();
                let path = |refund: &Value| {
                    domains::refunds::path(&body["id"].to_string(), &refund["id"].to_string())
                };
                let paths: Vec<String> = all.map(path).collect();
                touched.retain(|one| !paths.contains(&one.path));
                let domain = DomainName::new("orders").unwrap();
                let found = |path| Touched { domain: domain.clone(), path, once: true, written: false };
                touched.extend(paths.into_iter().map(found));
            }
            Mistake::RefundIsAnEdit | Mistake::BeforeItsOrder | Mistake::SendsAgain => {}
        }
        touched
    }
    fn admit(&self, state: &State, policy: &OrderPolicy, history: History, now: Timestamp) -> Admission {
        self.of.admit(state, policy, history, now)
    }
    fn confirm(&self, state: &State, policy: &OrderPolicy, created_at: Timestamp, now: Timestamp) -> Confirm {
        self.of.confirm(state, policy, created_at, now)
    }
}
