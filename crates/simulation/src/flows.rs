//! The configuration of every run: orders to the ERP, their numbers back to the shop. Owns the settings of its systems;
//! the order's own facts and mapping stand in `facts`.

use crate::facts::{Content, Orders};
use crate::hub::{SETTLE, TIME_OUT};
use crate::planted::Bug;
use crate::source::{domain, shop_id, system};
use crate::world::World;
use connector::descriptor::UnknownAnswer;
use connector::port::{Done, Observation, Observed, Plan as Next, Step, Wanted};
use engine::engine::Planner;
use engine::facts::{Facts, Mapped, Mapper, State};
use engine::mutant::Mutant;
use engine::plan::{FlowPlan, Plan, SystemPlan};
use jiff::Timestamp;
use kernel::backoff::Backoff;
use kernel::envelope::FactKind;
use kernel::fault::{Fault, FaultKind};
use kernel::flow::{AfterConfirm, ConfirmWhen, Difference, Mode, OrderPolicy};
use kernel::id::FlowName;
use kernel::key::ObjectKey;
use kernel::subject::Subject;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

pub fn flow(text: &str) -> FlowName {
    match FlowName::new(text) {
        Ok(name) => name,
        Err(error) => unreachable!("a name written here: {error}"),
    }
}

pub(crate) fn plan(world: &World) -> Plan {
    let mix = &world.mix;
    let forget_address = world.bug == Some(Bug::Engine(Mutant::DigestIgnoresField));
    let policy = OrderPolicy {
        mode: Mode::Live,
        go_live_at: Timestamp::MIN,
        export_when: BTreeSet::new(),
        confirm_when: mix.confirm_after.map_or(ConfirmWhen::AtOnce, ConfirmWhen::After),
        after_confirm: AfterConfirm::default(),
        difference: Difference::default(),
    };
    let base =
        |name: &str, source: &str, target: &str, facts: Arc<dyn Facts>, mapper: Arc<dyn Mapper>| FlowPlan {
            name: flow(name),
            domain: domain(),
            source: system(source),
            target: system(target),
            shops: BTreeSet::from([shop_id()]),
            policy: policy.clone(),
            facts,
            mapper,
            also_known_as: Vec::new(),
            tells: name == "orders",
            tells_refusals: false,
            readable: name == "orders",
            observe_first: false,
        };
    let orders = Orders { forget_address, forget_refunds: world.bug == Some(Bug::LosesRefunds) };
    let less_refunds = world.bug == Some(Bug::RefundIsAnEdit);
    let flows = [
        base("orders", "shopify", "erp", Arc::new(orders), Arc::new(Content { less_refunds })),
        base("numbers", "erp", "shopify", Arc::new(Numbers), Arc::new(Numbers)),
    ];
    let unknown = if mix.native_key {
        UnknownAnswer::NativeKey { lifetime: Duration::from_secs(86_400 * 7) }
    } else {
        UnknownAnswer::LookUp { lag: mix.lag }
    };
    let mut erp = SystemPlan::new(system("erp"), unknown);
    erp.health = mix.health_call;
    erp.resolves_references = true;
    erp.time_out = TIME_OUT;
    erp.settle_after = SETTLE;
    erp.concurrency = mix.width;
    erp.attempts_max = 25;
    erp.backoff = Backoff { first: Duration::from_millis(500), max: Duration::from_secs(60) };
    let mut shopify = SystemPlan::new(system("shopify"), UnknownAnswer::LookUp { lag: Duration::ZERO });
    // What it has begun it ends within that; with stock, calls are carried out late.
    shopify.settle_after = Duration::from_secs(if world.stock.is_some() { 20 } else { 5 });
    shopify.attempts_max = 25;
    shopify.health = false;
    Plan {
        revision: "1".into(),
        flows: flows
            .into_iter()
            .chain(crate::stock::flows(world, &policy))
            .map(|flow| (flow.name.clone(), flow))
            .collect(),
        systems: [erp, shopify].into_iter().map(|system| (system.name.clone(), system)).collect(),
        reading: flow("reading"),
    }
}

/// The write-back of the target's number to the shop.
#[derive(Debug)]
struct Numbers;

impl Facts for Numbers {
    fn kind_of(&self, _topic: &str) -> Option<FactKind> {
        Some(FactKind::State)
    }
    fn read(&self, _topic: &str, payload: &[u8]) -> Result<State, Fault> {
        let body: Value = serde_json::from_slice(payload)
            .map_err(|error| Fault::new(FaultKind::Rejected, "unreadable_body", error.to_string()))?;
        let at: Timestamp =
            body["told_at"].as_str().and_then(|text| text.parse().ok()).unwrap_or(Timestamp::MIN);
        Ok(State {
            label: String::new(),
            customer: None,
            created_at: at,
            updated_at: at,
            changed_at: at,
            digest: Sha256::digest(body.to_string().as_bytes()).into(),
            cancelled: false,
            body: Arc::new(body),
        })
    }
}

impl Mapper for Numbers {
    fn revision(&self) -> &str {
        "r1"
    }
    fn map(&self, body: &Value, _: &Subject, _: &ObjectKey, _: Timestamp) -> Result<Mapped, Fault> {
        let body = json!({ "number": body["number"] });
        Ok(Mapped { digest: Sha256::digest(body.to_string().as_bytes()).into(), body })
    }
}

#[derive(Debug)]
pub(crate) struct WriteBack;

impl Planner for WriteBack {
    fn plan(&self, wanted: &Wanted, observed: &Observation) -> Next {
        match &observed.object {
            Observed::One(object) if object.body["number"] == wanted.body["number"] => Next::Done(Done {
                external: object.external.clone(),
                note: None,
                unchanged: true,
                adopted: false,
            }),
            _ => Next::Next(Step {
                name: "set".into(),
                creates: false,
                idempotent: true,
                request: json!({ "order": wanted.subject.key(), "number": wanted.body["number"] })
                    .to_string()
                    .into_bytes(),
            }),
        }
    }
}
