//! What stands outside of the hub: a shop that can be listed, an ERP that is only asked, and a domain between them.

use crate::world::{NOW, at, order};
use async_trait::async_trait;
use connector::descriptor::{Descriptor, OrderAbilities, UnknownAnswer};
use connector::port::{
    Applied, CallContext, Connector, ExternalRef, Held, ListBy, ListPage, ListQuery, Listed, ObjectState,
    Observation, Observed, Plan, Read, Source, Step, Wanted,
};
use engine::facts::{Facts, State};
use jiff::Timestamp;
use kernel::envelope::FactKind;
use kernel::fault::{Fault, FaultKind, Reference};
use kernel::key::CallKey;
use kernel::money::{Money, MoneyBag, PresentmentMoney, ShopMoney};
use kernel::subject::Subject;
use kernel::version::Digest;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

pub(crate) fn eur(amount: &str) -> Money {
    Money::parse(amount, "EUR".parse().unwrap()).unwrap()
}

/// A shop whose orders can be listed and read.
#[derive(Debug, Default)]
pub(crate) struct Shop {
    pub(crate) orders: Mutex<Vec<Listed>>,
    pub(crate) page: usize,
    /// Fails at this page.
    pub(crate) fails_at: Mutex<Option<usize>>,
}

impl Shop {
    pub(crate) fn has(&self, number: u64, created: Timestamp) {
        self.orders.lock().unwrap().push(Listed {
            subject: order(number),
            label: format!("#{}", 1000 + number),
            created_at: created,
            updated_at: created,
            fingerprint: String::new(),
            charged: None,
        });
    }

    /// As [`has`](Self::has), with what the list says that it comes to.
    pub(crate) fn charges(&self, number: u64, created: Timestamp, total: Option<&str>) {
        self.has(number, created);
        let money = total.map(eur);
        let bag = money.map(|money| MoneyBag::new(ShopMoney::new(money), PresentmentMoney::new(money)));
        self.orders.lock().unwrap().last_mut().unwrap().charged = bag;
    }
}

#[async_trait]
impl Source for Shop {
    async fn read(&self, _: &CallContext, subject: &Subject) -> Result<Option<Read>, Fault> {
        let orders = self.orders.lock().unwrap();
        let found = orders.iter().find(|listed| listed.subject == *subject);
        Ok(found.map(|listed| Read {
            payload: json!({ "id": listed.subject.key(), "name": listed.label }).to_string().into_bytes(),
            topic: "orders/read".into(),
            updated_at: listed.updated_at,
            sequence: None,
        }))
    }

    async fn list(&self, _: &CallContext, _: &str, query: &ListQuery) -> Result<ListPage, Fault> {
        let page: usize = query.cursor.as_deref().map_or(0, |cursor| cursor.parse().unwrap());
        let mut fails_at = self.fails_at.lock().unwrap();
        if *fails_at == Some(page) {
            *fails_at = None;
            return Err(Fault::new(FaultKind::Transient, "connect", "the shop is not there"));
        }
        let within = |listed: &&Listed| {
            let at = if query.by == ListBy::CreatedAt { listed.created_at } else { listed.updated_at };
            at >= query.from && query.until.is_none_or(|until| at < until)
        };
        let all: Vec<Listed> = self.orders.lock().unwrap().iter().filter(within).cloned().collect();
        let size = self.page.max(1);
        let items: Vec<Listed> = all.iter().skip(page * size).take(size).cloned().collect();
        let next = (all.len() > (page + 1) * size).then(|| (page + 1).to_string());
        Ok(ListPage { items, next })
    }
}

/// An ERP that is only asked.
#[derive(Debug)]
pub(crate) struct Erp {
    descriptor: Descriptor,
    /// How many objects it has under a reference; an order that is not named here is not there.
    pub(crate) has: Mutex<BTreeMap<Subject, u64>>,
    /// What an order comes to in its books.
    pub(crate) books: Mutex<BTreeMap<Subject, Money>>,
    asking: AtomicU32,
    pub(crate) asked_at_once: AtomicU32,
}

impl Default for Erp {
    fn default() -> Self {
        Self::with(OrderAbilities { lists_totals: true, ..OrderAbilities::default() })
    }
}

impl Erp {
    pub(crate) fn with(orders: OrderAbilities) -> Self {
        let descriptor = Descriptor {
            kind: "test".into(),
            title: "an ERP".into(),
            services: Vec::new(),
            unknown: UnknownAnswer::LookUp { lag: Duration::ZERO },
            health: false,
            observe_first: true,
            resolves_references: false,
            tells_changes: false,
            tells_whole: false,
            reads_states: false,
            only_changes: false,
            orders,
            settings: Vec::new(),
        };
        Self {
            descriptor,
            has: Mutex::default(),
            books: Mutex::default(),
            asking: AtomicU32::new(0),
            asked_at_once: AtomicU32::new(0),
        }
    }
}

fn not_asked() -> Fault {
    Fault::new(FaultKind::Bug, "not_asked", "this is not asked of a target by these endpoints")
}

#[async_trait]
impl Connector for Erp {
    fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }
    async fn health(&self, _: &CallContext) -> Result<(), Fault> {
        Err(not_asked())
    }
    async fn observe(&self, _: &CallContext, wanted: &Wanted) -> Result<Observation, Fault> {
        let asking = self.asking.fetch_add(1, Ordering::SeqCst) + 1;
        self.asked_at_once.fetch_max(asking, Ordering::SeqCst);
        tokio::task::yield_now().await;
        self.asking.fetch_sub(1, Ordering::SeqCst);
        let count = self.has.lock().unwrap().get(&wanted.subject).copied().unwrap_or(0);
        let external = ExternalRef { id: "1".into(), number: None, state: None };
        let object = match count {
            0 => Observed::None,
            1 => {
                let gross = self.books.lock().unwrap().get(&wanted.subject).copied();
                Observed::One(ObjectState { external, body: json!(gross), adopted: false })
            }
            _ => Observed::Many((0..count).map(|id| id.to_string()).collect()),
        };
        Ok(Observation { object, ..Observation::unasked() })
    }
    fn plan(&self, _: &Wanted, _: &Observation) -> Plan {
        Plan::NotAllowed(not_asked())
    }
    fn held(&self, observed: &Observation) -> Option<Held> {
        let Observed::One(state) = &observed.object else { return None };
        Some(Held { gross: serde_json::from_value(state.body.clone()).ok()?, void: false })
    }
    async fn apply(&self, _: &CallContext, _: &CallKey, _: &Step) -> Result<Applied, Fault> {
        Err(not_asked())
    }
    async fn exists(&self, _: &CallContext, _: &Reference) -> Result<bool, Fault> {
        Err(not_asked())
    }
}

/// A domain whose states are told apart by their second alone.
#[derive(Debug)]
pub(crate) struct Plain;

impl Facts for Plain {
    fn kind_of(&self, _: &str) -> Option<FactKind> {
        Some(FactKind::State)
    }
    fn read(&self, _: &str, _: &[u8]) -> Result<State, Fault> {
        Ok(State {
            body: Arc::new(Value::Null),
            label: String::new(),
            customer: None,
            created_at: at(NOW),
            updated_at: at(NOW),
            digest: Digest::default(),
            changed_at: at(NOW),
            cancelled: false,
        })
    }
    /// What only reading tells: a euro for each order.
    fn charged(&self, _: &State) -> Option<MoneyBag> {
        Some(MoneyBag::new(ShopMoney::new(eur("1")), PresentmentMoney::new(eur("1"))))
    }
}
