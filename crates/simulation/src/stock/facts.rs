//! The two flows from the warehouse to the shop: levels by the domain's own reading and rules, parcels as events of their
//! order.

use super::shelf::Shipment;
use super::{LOCATION, sku};
use crate::planted::Bug;
use crate::source::{shop_id, system};
use crate::world::World;
use domains::inventory::{self, Rules};
use engine::facts::{Admission, Confirm, Facts, History, Mapped, Mapper, State, Touched};
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
    if world.stock.is_none() {
        return Vec::new();
    }
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
        readable: name == "stock",
        observe_first: true,
    };
    let refunds = FlowPlan {
        source: system("shopify"),
        target: system("erp"),
        observe_first: false,
        readable: true,
        ..flow("refunds", refund_domain(), Arc::new(Refunds), Arc::new(Refunds))
    };
    let forgets = world.bug == Some(Bug::NotLookedAtAgain);
    vec![
        refunds,
        flow("stock", stock_domain(), Arc::new(Levels), Arc::new(Levels)),
        flow("parcels", parcel_domain(), Arc::new(Parcels { forgets }), Arc::new(Parcels { forgets })),
    ]
}

#[derive(Debug)]
struct Levels;

fn rejected(code: &str, what: impl ToString) -> Fault {
    Fault::new(FaultKind::Rejected, code, what.to_string())
}

impl Facts for Levels {
    fn kind_of(&self, topic: &str) -> Option<FactKind> {
        (topic == LEVEL).then_some(FactKind::State)
    }

    fn read(&self, _topic: &str, payload: &[u8]) -> Result<State, Fault> {
        let rules = Rules::default();
        let stock = inventory::read(payload).map_err(inventory::StockFault::into_fault)?;
        let canonical = inventory::canonical(&stock, &rules).map_err(inventory::StockFault::into_fault)?;
        Ok(State {
            label: stock.sku,
            customer: None,
            created_at: stock.changed_at,
            updated_at: stock.changed_at,
            changed_at: stock.changed_at,
            cancelled: false,
            digest: canonical.digest,
            body: Arc::new(canonical.body),
        })
    }

    fn can_be(&self, _: &Value, _: &str) -> bool {
        true
    }

    fn admit(&self, _: &State, _: &OrderPolicy, _: History, _: Timestamp) -> Admission {
        Admission::Export
    }

    fn confirm(&self, _: &State, _: &OrderPolicy, _: Timestamp, _: Timestamp) -> Confirm {
        Confirm::NotByThis
    }
}

impl Mapper for Levels {
    fn revision(&self) -> &str {
        "r1"
    }

    /// As `shopify.inventory/1`; the instant is for the judge alone, and no part of the digest.
    fn map(&self, body: &Value, _: &Subject, _: &ObjectKey, _: Timestamp) -> Result<Mapped, Fault> {
        let mut mapped = json!({
            "sku": body["sku"], "available": body["available"], "counted": body["counted"],
        });
        let digest = Sha256::digest(mapped.to_string().as_bytes()).into();
        mapped["changed_at"] = body["changed_at"].clone();
        Ok(Mapped { body: mapped, digest })
    }
}

#[derive(Debug)]
struct Parcels {
    /// The planted bug: the stock of what was shipped is not looked at again.
    forgets: bool,
}

impl Facts for Parcels {
    fn kind_of(&self, topic: &str) -> Option<FactKind> {
        (topic == PARCEL).then_some(FactKind::Event)
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
        let pair = state.body["pair"].as_u64().and_then(|pair| usize::try_from(pair).ok()).unwrap_or(0);
        let path = inventory::path(&sku(pair), LOCATION);
        if self.forgets {
            Vec::new()
        } else {
            vec![Touched { domain: stock_domain(), path, once: false, written: false }]
        }
    }

    fn can_be(&self, _: &Value, _: &str) -> bool {
        true
    }

    fn admit(&self, _: &State, _: &OrderPolicy, _: History, _: Timestamp) -> Admission {
        Admission::Export
    }

    fn confirm(&self, _: &State, _: &OrderPolicy, _: Timestamp, _: Timestamp) -> Confirm {
        Confirm::NotByThis
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

#[derive(Debug)]
struct Refunds;

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

    fn can_be(&self, _: &Value, _: &str) -> bool {
        true
    }

    fn admit(&self, _: &State, _: &OrderPolicy, _: History, _: Timestamp) -> Admission {
        Admission::Export
    }

    fn confirm(&self, _: &State, _: &OrderPolicy, _: Timestamp, _: Timestamp) -> Confirm {
        Confirm::NotByThis
    }
}

impl Mapper for Refunds {
    fn revision(&self) -> &str {
        "r1"
    }

    fn map(&self, body: &Value, _: &Subject, _: &ObjectKey, _: Timestamp) -> Result<Mapped, Fault> {
        let body = json!({ "content": 1, "refund": body["refund"] });
        Ok(Mapped { digest: Sha256::digest(body.to_string().as_bytes()).into(), body })
    }
}
