//! The shop's memory: orders, what hangs on them, stock, subscriptions, bulk operations; and the one way to change an
//! order.
//!
//! An order is replaced as a whole, so that who reads one has it as it was. Each change raises the webhooks that
//! Shopify would raise, with the body of that instant.

use super::access::Access;
use super::answer::Request;
use super::app_proxy::AppProxy;
use super::bucket::Bucket;
use super::bulk::BulkOperation;
use super::bulk_fault::BulkFault;
use super::config::{Mischief, ShopConfig};
use super::contract::Contract;
use super::faults::FaultDesk;
use super::fulfil::Stop;
use super::fulfil::holds::Holds;
use super::prices::Prices;
use super::roles::Roles;
use super::staged::Uploads;
use super::stock::{Pair, Stock};
use super::tokens::Tokens;
use super::webhooks::{Event, Outbox, Subscription, topic_name};
use crate::shop::{About, Change, Metafield, Notice, Order, What, placed, whole_second};
use anyhow::{Context as _, Result, ensure};
use apollo_compiler::ExecutableDocument;
use apollo_compiler::validation::Valid;
use jiff::Timestamp;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Everything behind the HTTP server.
#[derive(Debug)]
pub(super) struct Shop {
    pub(super) config: ShopConfig,
    pub(super) created_at: Timestamp,
    /// `http://127.0.0.1:…`, where bulk results are fetched.
    pub(super) url: String,
    state: Mutex<State>,
    bucket: Mutex<Bucket>,
    access: Mutex<Access>,
    pub(super) documents: Documents,
    pub(super) tokens: Tokens,
    pub(super) faults: FaultDesk,
    outbox: Outbox,
    counts: Mutex<BTreeMap<String, u64>>,
}

#[derive(Debug)]
pub(super) struct State {
    pub(super) orders: BTreeMap<u64, Arc<Order>>,
    pub(super) subscriptions: BTreeMap<u64, Subscription>,
    pub(super) bulk: BTreeMap<u64, BulkOperation>,
    /// Metafields of what is no order, by owner.
    pub(super) metafields: BTreeMap<String, Vec<Metafield>>,
    pub(super) stock: Stock,
    pub(super) prices: Prices,
    pub(super) roles: Roles,
    /// Of the app, where it has one.
    pub(super) app_proxy: Option<AppProxy>,
    pub(super) uploads: Uploads,
    /// Ordered for the next bulk operations.
    pub(super) bulk_faults: VecDeque<BulkFault>,
    /// Orders of which nothing may leave, by number.
    pub(super) stops: BTreeMap<u64, Stop>,
    /// Of the app, on fulfilment orders.
    pub(super) holds: Holds,
    /// Fulfilments of which the customer was written to, in that order.
    pub(super) mails: Vec<u64>,
    ids: u64,
}

impl State {
    fn new(config: &ShopConfig, now: Timestamp) -> Self {
        Self {
            orders: BTreeMap::new(),
            subscriptions: BTreeMap::new(),
            bulk: BTreeMap::new(),
            metafields: BTreeMap::new(),
            stock: Stock::new(&config.stock, now),
            prices: Prices::default(),
            roles: Roles::default(),
            app_proxy: None,
            uploads: Uploads::default(),
            bulk_faults: VecDeque::new(),
            stops: BTreeMap::new(),
            holds: Holds::new(),
            mails: Vec::new(),
            ids: 0,
        }
    }

    /// For what the shop numbers itself.
    pub(super) fn next_id(&mut self) -> u64 {
        self.ids += 1;
        1_910_000_000_000 + self.ids
    }

    /// Forgets subscriptions that were deleted for failing.
    pub(super) fn prune(&mut self) {
        self.subscriptions.retain(|_, subscription| !subscription.health.is_deleted());
    }
}

impl Shop {
    pub(super) fn new(config: ShopConfig, url: String, outbox: Outbox) -> Self {
        let now = config.clock.now();
        Self {
            created_at: now,
            url,
            state: Mutex::new(State::new(&config, now)),
            bucket: Mutex::new(Bucket::full(config.plan, now)),
            access: Mutex::new(Access::new(&config.scopes, &config.approved)),
            documents: Documents::default(),
            tokens: Tokens::default(),
            faults: FaultDesk::new(config.api_faults.clone()),
            outbox,
            counts: Mutex::default(),
            config,
        }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn now(&self) -> Timestamp {
        whole_second(self.config.clock.now())
    }

    /// A request of the app, with what it was granted.
    pub(super) fn request(self: &Arc<Self>, bulk: bool) -> Result<Arc<Request>> {
        self.made(bulk, None)
    }

    /// The same for a bulk operation, or for a piece of it.
    pub(super) fn bulk_request(self: &Arc<Self>, piece: Option<(usize, usize)>) -> Result<Arc<Request>> {
        self.made(true, piece)
    }

    fn made(self: &Arc<Self>, bulk: bool, piece: Option<(usize, usize)>) -> Result<Arc<Request>> {
        Ok(Arc::new(Request {
            shop: self.clone(),
            contract: Contract::get()?,
            access: self.access.lock().unwrap_or_else(PoisonError::into_inner).clone(),
            bulk,
            piece,
            variables: std::sync::OnceLock::new(),
            search_warnings: Mutex::default(),
        }))
    }

    /// From the next request on.
    pub(super) fn grant(&self, scopes: &BTreeSet<String>) {
        let access = Access::new(scopes, &self.config.approved);
        *self.access.lock().unwrap_or_else(PoisonError::into_inner) = access;
    }

    /// The scopes as they are granted now.
    pub(super) fn granted(&self) -> Vec<String> {
        let access = self.access.lock().unwrap_or_else(PoisonError::into_inner);
        access.scopes().map(str::to_owned).collect()
    }

    pub(super) fn place(&self, order: Order) -> Result<()> {
        let notices = placed(&order);
        let order = Arc::new(order);
        let mut state = self.state();
        ensure!(!state.orders.contains_key(&order.id), "order {} was placed already", order.id);
        state.stock.check(&order)?;
        let touched = state.stock.follow(None, &order, self.now());
        state.orders.insert(order.id, order.clone());
        self.raise(&state, &order, &notices);
        self.raise_levels(&state, "inventory_levels/update", &touched);
        Ok(())
    }

    /// Applies a change, or leaves the order as it was.
    pub(super) fn apply(&self, change: &Change, at: Timestamp) -> Result<Arc<Order>> {
        if let What::Place(order) = &change.what {
            let order = order.as_ref().clone();
            let id = order.id;
            self.place(order)?;
            return self.state().orders.get(&id).cloned().context("the order was just placed");
        }
        self.change(change.order_id, |order| change.apply(order, at))
    }

    /// Any change of one order; its notices are raised when it succeeded.
    pub(super) fn change(
        &self,
        order_id: u64,
        change: impl FnOnce(&mut Order) -> Result<Vec<Notice>>,
    ) -> Result<Arc<Order>> {
        self.change_within(order_id, |_, order| change(order))
    }

    /// The same for what has to see the shop besides; a refusal is the caller's own.
    pub(super) fn change_within<E: From<anyhow::Error>>(
        &self,
        order_id: u64,
        change: impl FnOnce(&State, &mut Order) -> Result<Vec<Notice>, E>,
    ) -> Result<Arc<Order>, E> {
        let mut state = self.state();
        let known =
            state.orders.get(&order_id).with_context(|| format!("the shop has no order {order_id}"))?.clone();
        let mut order = known.as_ref().clone();
        let notices = change(&state, &mut order)?;
        let touched = state.stock.follow(Some(&known), &order, self.now());
        locate(&mut order, &known, &state.stock);
        let order = Arc::new(order);
        state.orders.insert(order_id, order.clone());
        self.raise(&state, &order, &notices);
        self.raise_levels(&state, "inventory_levels/update", &touched);
        Ok(order)
    }

    /// A change that is reported as `orders/updated` alone.
    pub(super) fn update(
        &self,
        order_id: u64,
        at: Timestamp,
        change: impl FnOnce(&mut Order),
    ) -> Result<Arc<Order>> {
        self.change(order_id, |order| {
            change(order);
            order.updated_at = order.updated_at.max(whole_second(at));
            Ok(vec![Notice { topic: "orders/updated", about: About::Order }])
        })
    }

    /// Removes an order for good.
    pub(super) fn delete(&self, order_id: u64) -> Result<()> {
        let mut state = self.state();
        let order =
            state.orders.remove(&order_id).with_context(|| format!("the shop has no order {order_id}"))?;
        let touched = state.stock.forget(&order, self.now());
        let body = crate::shop::deleted_body(&order);
        let event = Event::new("orders/delete", Some(order), body, self.config.clock.now());
        self.outbox.raise(state.subscriptions.values(), event);
        self.raise_levels(&state, "inventory_levels/update", &touched);
        Ok(())
    }

    /// A webhook for each of the levels, with what it holds now.
    pub(super) fn raise_levels(&self, state: &State, topic: &'static str, pairs: &[Pair]) {
        let name = topic_name(topic);
        if !state.subscriptions.values().any(|subscription| subscription.topic == name) {
            return;
        }
        for pair in pairs {
            let Some(level) = state.stock.level(*pair) else { continue };
            let (item, location) = (pair.good.inventory_item_id(), pair.warehouse().id);
            let zone = self.config.profile.time_zone.clone();
            let at = level.updated_at().to_zoned(zone).strftime("%Y-%m-%dT%H:%M:%S%:z").to_string();
            let body = json!({
                "inventory_item_id": item,
                "location_id": location,
                "available": level.quantity("available"),
                "updated_at": at,
                "admin_graphql_api_id": format!("gid://shopify/InventoryLevel/{location}?inventory_item_id={item}"),
            });
            self.raise_other(state, topic, body);
        }
    }

    /// What goes wrong with webhooks from now on.
    pub(super) fn turn_mischief(&self, how: impl FnOnce(&mut Mischief)) {
        self.outbox.turn(how);
    }

    fn raise(&self, state: &State, order: &Arc<Order>, notices: &[Notice]) {
        let at = self.config.clock.now();
        for notice in notices {
            let name = topic_name(notice.topic);
            if state.subscriptions.values().any(|subscription| subscription.topic == name) {
                let event = Event::new(notice.topic, Some(order.clone()), notice.body(order), at);
                self.outbox.raise(state.subscriptions.values(), event);
            }
        }
    }

    /// An event that is not about an order.
    pub(super) fn raise_other(&self, state: &State, topic: &'static str, body: Value) {
        self.outbox
            .raise(state.subscriptions.values(), Event::new(topic, None, body, self.config.clock.now()));
    }

    pub(super) fn take(&self, cost: u32) -> bool {
        let there = self.bucket().take(cost, self.config.clock.now());
        self.count(if there { "queries" } else { "throttled" });
        there
    }

    pub(super) fn give_back(&self, requested: u32, actual: u32) {
        *self.counts().entry("points".to_owned()).or_default() += u64::from(actual);
        self.bucket().refund(requested, actual, self.config.clock.now());
    }

    /// `extensions.cost`.
    pub(super) fn cost(&self, requested: u32, actual: Option<u32>) -> Value {
        json!({
            "requestedQueryCost": requested,
            "actualQueryCost": actual,
            "throttleStatus": self.bucket().status(),
        })
    }

    fn bucket(&self) -> MutexGuard<'_, Bucket> {
        self.bucket.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn count(&self, what: &str) {
        *self.counts().entry(what.to_owned()).or_default() += 1;
    }

    pub(super) fn counts(&self) -> MutexGuard<'_, BTreeMap<String, u64>> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What was shipped or came back since is said to be where its stock is.
fn locate(order: &mut Order, before: &Order, stock: &Stock) {
    let id = order.id;
    for fulfilment in order.fulfilments.iter_mut().skip(before.fulfilments.len()) {
        let of_first = fulfilment.lines.iter().find_map(|(line, _)| stock.location_of(id, *line));
        fulfilment.location_id = of_first.unwrap_or(fulfilment.location_id);
    }
    let refunds = order.refunds.iter_mut().skip(before.refunds.len());
    for line in refunds.flat_map(|refund| &mut refund.lines).filter(|line| line.location_id.is_some()) {
        line.location_id = stock.location_of(id, line.line_id).or(line.location_id);
    }
}

/// Documents that were parsed and found valid before; a client sends the same few all day.
#[derive(Debug, Default)]
pub(super) struct Documents(Mutex<BTreeMap<String, Arc<Valid<ExecutableDocument>>>>);

const DOCUMENTS_MAX: usize = 256;

impl Documents {
    pub(super) fn get_or_parse(
        &self,
        text: &str,
        parse: impl FnOnce(&str) -> Result<Valid<ExecutableDocument>, Value>,
    ) -> Result<Arc<Valid<ExecutableDocument>>, Value> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(document) = known.get(text) {
            return Ok(document.clone());
        }
        let document = Arc::new(parse(text)?);
        if known.len() >= DOCUMENTS_MAX {
            known.clear();
        }
        known.insert(text.to_owned(), document.clone());
        Ok(document)
    }
}
