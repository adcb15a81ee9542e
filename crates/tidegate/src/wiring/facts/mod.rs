//! The domains and what targets tell, as the engine asks for them.

mod final_states;
mod refusals;
mod shipments;
mod stock;

pub use final_states::FinalStates;
pub use refusals::Refusals;
pub use shipments::Shipments;
pub use stock::Stock;

use super::recent::Recent;
use domains::orders;
use engine::facts::{Admission, Confirm, Facts, History, ListedAs, State, Touched};
use jiff::Timestamp;
use kernel::envelope::FactKind;
use kernel::fault::{Fault, FaultKind};
use kernel::flow::OrderPolicy;
use kernel::id::DomainName;
use kernel::money::MoneyBag;
use mapping::Condition;
use serde::Deserialize as _;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use std::sync::Arc;

/// The topic under which a read order is appended: its body is a GraphQL answer, all others are REST-shaped.
pub const READ_TOPIC: &str = "orders/read";

/// What of the orders that a flow brought is carried by flows that follow it, and looked for therefore: under this domain.
#[derive(Debug, Clone, Default)]
pub struct Follow {
    pub refunds: Option<DomainName>,
    pub payments: Option<DomainName>,
}

/// Orders as Shopify sends them, for one flow with its filters.
#[derive(Debug)]
pub struct Orders {
    filters: Vec<Condition>,
    follow: Follow,
    recent: Recent,
}

impl Orders {
    pub fn new(filters: Vec<Condition>) -> Self {
        Self { filters, follow: Follow::default(), recent: Recent::default() }
    }

    pub fn followed(self, follow: Follow) -> Self {
        Self { follow, ..self }
    }

    fn order(topic: &str, payload: &[u8]) -> Result<orders::Order, Fault> {
        if topic == orders::MENDED_TOPIC {
            return orders::read_canonical(payload).map_err(|fault| {
                Fault::new(
                    FaultKind::Bug,
                    "TG-5006",
                    format!("a corrected order cannot be read back: {fault}"),
                )
            });
        }
        let order =
            if topic == READ_TOPIC { orders::from_graphql(payload) } else { orders::from_rest(payload) };
        order.map_err(orders::BodyFault::into_fault)
    }

    /// The canonical order once more as its type.
    fn typed(&self, state: &State) -> Option<Arc<orders::Order>> {
        let again = || orders::Order::deserialize(state.body.as_ref()).ok().map(Arc::new);
        self.recent.order(&state.body).or_else(again)
    }
}

impl Facts for Orders {
    fn kind_of(&self, topic: &str) -> Option<FactKind> {
        match orders::classify(topic) {
            _ if topic == READ_TOPIC || topic == orders::MENDED_TOPIC => Some(FactKind::State),
            orders::TopicKind::State => Some(FactKind::State),
            // Their bodies are not the order; it is read, and they are derived from it.
            orders::TopicKind::Hint | orders::TopicKind::Event(_) => Some(FactKind::Hint),
            orders::TopicKind::Privacy | orders::TopicKind::App | orders::TopicKind::Other => None,
        }
    }

    fn read(&self, topic: &str, payload: &[u8]) -> Result<State, Fault> {
        if let Some(state) = self.recent.state(topic, payload) {
            return Ok(state);
        }
        let order = Self::order(topic, payload)?;
        let unwritable =
            |error| Fault::new(FaultKind::Bug, "TG-5006", format!("an order cannot be written: {error}"));
        let (body, digest) = orders::with_digest(&order).map_err(unwritable)?;
        let state = State {
            label: order.name.clone(),
            customer: order.contact.customer.as_ref().map(|customer| customer.customer_id.clone()),
            created_at: order.created_at,
            updated_at: order.updated_at,
            changed_at: order.updated_at,
            cancelled: order.cancellation.is_some(),
            digest,
            body: Arc::new(body),
        };
        self.recent.keep(topic, payload, &state, order);
        Ok(state)
    }

    fn listed_as(&self, body: &Value, fingerprint: &str) -> ListedAs {
        use shopify::source::{Compared, compare, fingerprint_of};
        match compare(fingerprint, &fingerprint_of(body)) {
            Compared::Same => ListedAs::Same,
            Compared::Differs => ListedAs::Differs,
            Compared::Unknowable => ListedAs::CannotTell,
        }
    }

    /// Each refund that the order names, once: it never changes, and is read by itself. Of payments a webhook's body only says that
    /// there are some: so their list is read.
    fn touches(&self, topic: &str, payload: &[u8], state: &State) -> Vec<Touched> {
        let Follow { refunds, payments } = &self.follow;
        if refunds.is_none() && payments.is_none() {
            return Vec::new();
        }
        let order = self.recent.order(&state.body).or_else(|| Self::order(topic, payload).ok().map(Arc::new));
        let Some(order) = order else { return Vec::new() };
        let events = orders::events(&order);
        let mut touched = Vec::new();
        if let Some(domain) = refunds {
            let given_back = events.iter().filter(|event| event.kind == orders::EventKind::Refund);
            let path = |event: &orders::DerivedEvent| domains::refunds::path(&order.order_id, &event.id);
            touched.extend(given_back.map(|event| Touched {
                domain: domain.clone(),
                path: path(event),
                once: true,
                written: false,
            }));
        }
        let named = || events.iter().any(|event| event.kind == orders::EventKind::Payment);
        if let Some(domain) = payments
            && (named() || order.financial_status.is_some_and(orders::FinancialStatus::had_money))
        {
            let path = domains::payments::list_path(&order.order_id);
            touched.push(Touched { domain: domain.clone(), path, once: false, written: false });
        }
        touched
    }

    fn charged(&self, state: &State) -> Option<MoneyBag> {
        let order = self.typed(state)?;
        let total = order.totals.current.total;
        let called_off = MoneyBag::zero(total.shop.currency(), total.presentment.currency());
        Some(if order.cancellation.is_some() { called_off } else { total })
    }

    fn admit(&self, state: &State, policy: &OrderPolicy, history: History, _now: Timestamp) -> Admission {
        let Some(order) = self.typed(state) else {
            return Admission::Filtered { rule: "unreadable".to_owned() };
        };
        let past = orders::AdmitHistory { exported: history.exported, attempted: history.attempted };
        match orders::admit(&order, policy, past, history.named_by_backfill) {
            orders::Admission::Export if past.exported || past.attempted => Admission::Export,
            orders::Admission::Export => self.filtered(&state.body),
            orders::Admission::Wait { reason, .. } => Admission::Wait { until: None, text: reason },
            orders::Admission::Filtered { rule, .. } => {
                Admission::Filtered { rule: rule.as_str().to_owned() }
            }
        }
    }

    fn confirm(&self, state: &State, policy: &OrderPolicy, created_at: Timestamp, now: Timestamp) -> Confirm {
        let Some(order) = self.typed(state) else { return Confirm::NotByThis };
        match orders::confirm_due(&order, policy, created_at, now) {
            orders::ConfirmDue::Now => Confirm::Now,
            orders::ConfirmDue::At(at) => Confirm::At(at),
            orders::ConfirmDue::WhenPaid | orders::ConfirmDue::Never => Confirm::NotByThis,
        }
    }
}

impl Orders {
    /// The flow's own conditions: the first that does not hold keeps the order out.
    fn filtered(&self, body: &Value) -> Admission {
        for filter in &self.filters {
            match filter.holds(body) {
                Ok(true) => {}
                Ok(false) => return Admission::Filtered { rule: format!("filter {}", filter.text()) },
                Err(fault) => {
                    return Admission::Filtered { rule: format!("filter {} failed: {fault}", filter.text()) };
                }
            }
        }
        Admission::Export
    }
}

/// What a target tells of its object: its number and state.
#[derive(Debug)]
pub struct Told;

impl Facts for Told {
    fn kind_of(&self, topic: &str) -> Option<FactKind> {
        (topic == "object/told").then_some(FactKind::State)
    }

    fn read(&self, _topic: &str, payload: &[u8]) -> Result<State, Fault> {
        let body: Value = serde_json::from_slice(payload).map_err(|error| {
            Fault::new(FaultKind::Bug, "TG-5007", format!("what a target told cannot be read back: {error}"))
        })?;
        let at = body["told_at"].as_str().and_then(|text| text.parse().ok()).unwrap_or(Timestamp::UNIX_EPOCH);
        Ok(State {
            label: body["number"].as_str().unwrap_or_default().to_owned(),
            customer: None,
            created_at: at,
            updated_at: at,
            changed_at: at,
            digest: Sha256::digest(payload).into(),
            cancelled: false,
            body: Arc::new(body),
        })
    }
}
