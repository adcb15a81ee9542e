//! The two flows from the warehouse to the shop: levels by the domain's own reading and rules, parcels as events of their
//! order.

use super::bundles::Items;
use super::shelf::Shipment;
use crate::planted::Bug;
use crate::source::{shop_id, system};
use crate::world::World;
use domains::inventory::change::TOPIC as CHANGE;
use domains::inventory::composed::{self, Composed, TOPIC as COMPOSED};
use domains::inventory::{self, StockFault, folding, sharing};
use engine::facts::{Became, Facts, Folding, Mapped, Mapper, State, Told, Touched};
use engine::plan::FlowPlan;
use jiff::Timestamp;
use kernel::envelope::FactKind;
use kernel::fault::{Fault, FaultKind};
use kernel::flow::OrderPolicy;
use kernel::id::DomainName;
use kernel::key::ObjectKey;
use kernel::subject::Subject;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeSet;
use std::sync::Arc;

pub(super) const LEVEL: &str = "stock/level";
pub(super) const REFUND: &str = "refunds/read";
pub(super) const PARCEL: &str = "shipment/shipped";

fn domain(text: &str) -> DomainName {
    match DomainName::new(text) {
        Ok(name) => name,
        Err(error) => unreachable!("a name written here: {error}"),
    }
}

pub(super) fn stock_domain() -> DomainName {
    domain("inventory")
}

/// Apart from the orders', so that the write-back of numbers does not take them up.
pub(super) fn parcel_domain() -> DomainName {
    domain("parcels")
}

fn refund_domain() -> DomainName {
    domain("refunds")
}

/// What an order names, to be read by itself, once.
pub(crate) fn refunds_of(order: u64, refunds: &[u64]) -> Vec<Touched> {
    let path = |refund: &u64| format!("order:{order}/refund:{refund}");
    refunds
        .iter()
        .map(|refund| Touched { domain: refund_domain(), path: path(refund), once: true, written: false })
        .collect()
}

/// The flows of the stock, beside those of the orders.
pub(crate) fn flows(world: &World, policy: &OrderPolicy) -> Vec<FlowPlan> {
    let Some(stock) = &world.stock else { return Vec::new() };
    let Some(levels) = Levels::of(world).map(Arc::new) else { return Vec::new() };
    let parcels = |forgets| Arc::new(Parcels { forgets, items: stock.items.clone() });
    let flow = |name: &str, domain: DomainName, facts: Arc<dyn Facts>, mapper: Arc<dyn Mapper>| FlowPlan {
        name: crate::flows::flow(name),
        domain,
        source: system("erp"),
        target: system("shopify"),
        shops: BTreeSet::from([shop_id()]),
        policy: policy.clone(),
        facts,
        mapper,
        also_known_as: Vec::new(),
        tells: false,
        tells_refusals: false,
        readable: name == "stock",
        observe_first: true,
    };
    let refunds = Refunds { tells_what_came_back: world.tells_what_came_back() };
    let refunds = FlowPlan {
        source: system("shopify"),
        target: system("erp"),
        observe_first: false,
        readable: true,
        ..flow("refunds", refund_domain(), Arc::new(refunds), Arc::new(refunds))
    };
    let forgets = world.bug == Some(Bug::NotLookedAtAgain);
    vec![
        refunds,
        flow("stock", stock_domain(), levels.clone(), levels),
        flow("parcels", parcel_domain(), parcels(forgets), parcels(forgets)),
    ]
}

#[derive(Debug)]
pub(super) struct Levels {
    items: Items,
    /// The planted bug: what one gave up the others are not told of.
    apart: bool,
    /// The planted bug: what one location owes, the others of its pool do not give.
    forgiven: bool,
    /// The planted bug: the number of a change is not looked at.
    numberless: bool,
}

impl Levels {
    /// Of this run.
    pub(super) fn of(world: &World) -> Option<Self> {
        let items = world.stock.as_ref()?.items.clone();
        let is = |bug| world.bug == Some(bug);
        let (apart, forgiven) = (is(Bug::KinForgotten), is(Bug::DebtForgiven));
        Some(Self { items, apart, forgiven, numberless: is(Bug::FoldsTwice) })
    }

    /// What a state of a pool says under the planted bug.
    fn forgiven(&self, composed: &Composed, body: &mut Value) {
        if self.forgiven && composed.parts.len() == 1 {
            let sold = composed.levels().filter_map(|level| inventory::sold(level, &self.items.rules).ok());
            body["available"] = json!(sold.map(|sold| sold.available.max(0)).sum::<i64>());
        }
    }
}

fn rejected(code: &str, what: impl ToString) -> Fault {
    Fault::new(FaultKind::Rejected, code, what.to_string())
}

impl Facts for Levels {
    fn kind_of(&self, topic: &str) -> Option<FactKind> {
        match topic {
            LEVEL | COMPOSED => Some(FactKind::State),
            CHANGE => Some(FactKind::Change),
            _ => None,
        }
    }

    fn fold(&self, told: &Told<'_>, record: Option<&[u8]>) -> Result<Folding, Fault> {
        let Told { topic, payload, sequence, received_at: at, asked } = *told;
        let sequence = sequence.filter(|_| !(self.numberless && topic == CHANGE));
        let folding = folding::fold(&folding::Told { topic, payload, sequence, at, asked }, record);
        let folding = folding.map_err(StockFault::into_fault)?;
        let became = match folding.became {
            folding::Became::Level(payload) => Became::State { topic: LEVEL, payload },
            folding::Became::AsTold => Became::AsTold,
            folding::Became::Known => Became::Known,
            folding::Became::Older => Became::Older,
            folding::Became::NoLevel(fault) => Became::NoState(fault.into_fault()),
        };
        Ok(Folding { record: folding.record, became, read: folding.ask })
    }

    fn read(&self, topic: &str, payload: &[u8]) -> Result<State, Fault> {
        let rules = &self.items.rules;
        let mut of = None;
        let (label, changed_at, canonical) = if topic == COMPOSED {
            let composed = composed::read(payload).map_err(StockFault::into_fault)?;
            let canonical = composed.canonical(rules);
            let composed = of.insert(composed);
            (composed.sku.clone(), composed.changed_at(), canonical)
        } else {
            let stock = inventory::read(payload).map_err(StockFault::into_fault)?;
            let canonical = inventory::canonical(&stock, rules);
            (stock.sku, stock.changed_at, canonical)
        };
        let canonical = canonical.map_err(StockFault::into_fault)?;
        let mut body = canonical.body;
        if let Some(composed) = &of {
            self.forgiven(composed, &mut body);
        }
        body["levels"] = json!(self.items.levels_of(topic, payload));
        Ok(State {
            label,
            customer: None,
            created_at: changed_at,
            updated_at: changed_at,
            changed_at,
            cancelled: false,
            digest: canonical.digest,
            body: Arc::new(body),
        })
    }

    fn composes(&self, subject: &Subject) -> Option<Vec<String>> {
        sharing::composes(&self.items.rules, subject)
    }

    fn kin(&self, subject: &Subject) -> Option<Vec<String>> {
        sharing::kin(&self.items.rules, subject)
    }

    fn is_composed(&self, topic: &str) -> bool {
        topic == COMPOSED
    }

    fn touches(&self, topic: &str, _payload: &[u8], state: &State) -> Vec<Touched> {
        let others = topic == COMPOSED && !self.apart;
        let location = state.body["location"].as_str().unwrap_or_default();
        if others { self.items.touched_by(&state.label, location) } else { Vec::new() }
    }
}

impl Mapper for Levels {
    fn revision(&self) -> &str {
        "r1"
    }

    /// As `shopify.inventory/1`; which levels it is made of is for the judge alone, and no part of the digest.
    fn map(&self, body: &Value, _: &Subject, _: &ObjectKey, _: Timestamp) -> Result<Mapped, Fault> {
        let mut mapped = json!({
            "sku": body["sku"], "location": body["location"], "available": body["available"], "counted": body["counted"],
            "bundles": body["bundles"], "bundle_share": body["bundle_share"], "parts": body["parts"],
            "outlets": body["outlets"],
        });
        let digest = Sha256::digest(mapped.to_string().as_bytes()).into();
        mapped["levels"] = body["levels"].clone();
        Ok(Mapped { body: mapped, digest })
    }
}

#[derive(Debug)]
struct Parcels {
    /// The planted bug: the stock of what was shipped is not looked at again.
    forgets: bool,
    items: Items,
}

impl Facts for Parcels {
    fn kind_of(&self, topic: &str) -> Option<FactKind> {
        (topic == PARCEL).then_some(FactKind::Event)
    }

    fn follows_levels(&self) -> bool {
        true
    }

    fn read(&self, _topic: &str, payload: &[u8]) -> Result<State, Fault> {
        let shipment: Shipment =
            serde_json::from_slice(payload).map_err(|error| rejected("unreadable_body", error))?;
        Ok(State {
            label: shipment.id.to_string(),
            customer: None,
            created_at: shipment.shipped_at,
            updated_at: shipment.shipped_at,
            changed_at: shipment.shipped_at,
            cancelled: false,
            digest: Sha256::digest(payload).into(),
            body: Arc::new(json!(shipment)),
        })
    }

    fn touches(&self, _topic: &str, _payload: &[u8], state: &State) -> Vec<Touched> {
        let number = |name: &str| state.body[name].as_u64().and_then(|number| usize::try_from(number).ok());
        let (item, place) = (number("item").unwrap_or(0), number("place").unwrap_or(0));
        let pairs = if self.forgets { Vec::new() } else { self.items.pairs_of(item) };
        let path = |pair| {
            let (sku, location) = self.items.told_as(self.items.bin(pair, place));
            inventory::path(&sku, &location)
        };
        let touched =
            |pair| Touched { domain: stock_domain(), path: path(pair), once: false, written: false };
        pairs.into_iter().map(touched).collect()
    }
}

impl Mapper for Parcels {
    fn revision(&self) -> &str {
        "r1"
    }

    fn map(&self, body: &Value, _: &Subject, _: &ObjectKey, _: Timestamp) -> Result<Mapped, Fault> {
        Ok(Mapped { digest: Sha256::digest(body.to_string().as_bytes()).into(), body: body.clone() })
    }
}

#[derive(Debug, Clone, Copy)]
struct Refunds {
    /// What came back, beside the money.
    tells_what_came_back: bool,
}

impl Facts for Refunds {
    fn kind_of(&self, topic: &str) -> Option<FactKind> {
        (topic == REFUND).then_some(FactKind::State)
    }

    fn read(&self, _topic: &str, payload: &[u8]) -> Result<State, Fault> {
        let body: Value =
            serde_json::from_slice(payload).map_err(|error| rejected("unreadable_body", error))?;
        Ok(State {
            label: body["refund"].to_string(),
            customer: None,
            created_at: Timestamp::UNIX_EPOCH,
            updated_at: Timestamp::UNIX_EPOCH,
            changed_at: Timestamp::UNIX_EPOCH,
            cancelled: false,
            digest: Sha256::digest(payload).into(),
            body: Arc::new(body),
        })
    }
}

impl Mapper for Refunds {
    fn revision(&self) -> &str {
        "r1"
    }

    fn map(&self, body: &Value, _: &Subject, _: &ObjectKey, _: Timestamp) -> Result<Mapped, Fault> {
        let back = body["back"].as_u64().filter(|back| *back > 0 && self.tells_what_came_back);
        let mut body = json!({ "content": 1, "refund": body["refund"] });
        if let Some(back) = back {
            body["back"] = json!(back);
        }
        Ok(Mapped { digest: Sha256::digest(body.to_string().as_bytes()).into(), body })
    }
}
