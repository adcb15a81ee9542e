//! The handle of a running look-alike: what a test, a demo or a person does to the shop, and what they can see of it.

use super::app_proxy::AppProxy;
use super::bulk_fault::BulkFault;
use super::config::{Mischief, ShopConfig};
use super::contract::Contract;
use super::faults::{ApiFault, ApiFaults};
use super::fulfil::holds::Hold;
use super::fulfil::{self, Stop};
use super::http::router;
use super::prices::{Charge, PriceCounts};
use super::roles::Role;
use super::shop::Shop;
use super::stock::{Levels, Pair, StockCounts, StockRow, StockSet};
use super::webhooks::{Outbox, SentWebhook, Subscription, Wanted, WebhookCounts};
use crate::shop::{CancelReason, Change, Currency, Order, RefundRequest, What};
use anyhow::{Context as _, Result};
use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;

/// A shop that is served until it is shut down or dropped.
#[derive(Debug)]
pub struct ShopifyTwin {
    shop: Arc<Shop>,
    counts: watch::Receiver<WebhookCounts>,
    outbox: Arc<super::webhooks::Sender>,
    stop: Option<oneshot::Sender<()>>,
    server: JoinHandle<()>,
}

/// What happened so far.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Stats {
    pub orders: usize,
    pub subscriptions: usize,
    pub webhooks: WebhookCounts,
    pub stock: StockCounts,
    /// By name: `requests`, `queries`, `throttled`, `unauthorized`, `points` of cost, and each mutation by its field's name.
    pub api: BTreeMap<String, u64>,
}

impl ShopifyTwin {
    /// Listens on 127.0.0.1 when it returns.
    pub async fn start(config: ShopConfig) -> Result<Self> {
        Contract::get()?;
        let address = ("127.0.0.1", config.port);
        let listener =
            TcpListener::bind(address).await.with_context(|| format!("listening on {address:?}"))?;
        let url = format!("http://{}", listener.local_addr()?);
        let outbox = Outbox::new(&config)?;
        let (sender, counts) = (outbox.sender().clone(), outbox.sender().counts());
        let shop = Arc::new(Shop::new(config, url, outbox));
        let (stop, stopped) = oneshot::channel::<()>();
        let app = router(shop.clone()).into_make_service_with_connect_info::<SocketAddr>();
        let server = tokio::spawn(async move {
            let until = async {
                // A dropped handle stops it too.
                let _ = stopped.await;
            };
            if let Err(error) = axum::serve(listener, app).with_graceful_shutdown(until).await {
                tracing::error!(error = %error, "the Shopify look-alike stopped serving");
            }
        });
        Ok(Self { shop, counts, outbox: sender, stop: Some(stop), server })
    }

    /// `http://127.0.0.1:…`; the API is below `/admin/api/2026-10/graphql.json`.
    pub fn url(&self) -> &str {
        &self.shop.url
    }

    /// Stops answering; webhooks that are under way end by themselves.
    pub async fn shutdown(mut self) -> Result<()> {
        if let Some(stop) = self.stop.take() {
            // An error means that the server has stopped already.
            let _ = stop.send(());
        }
        (&mut self.server).await.context("the server's task")
    }

    /// A subscription made from inside, for demos without a hub that makes its own.
    pub fn subscribe(&self, topic: &str, uri: &str) -> u64 {
        let now = self.shop.now();
        let mut state = self.shop.state();
        let id = state.next_id();
        let wanted = Wanted { uri: uri.to_owned(), ..Wanted::default() };
        state
            .subscriptions
            .insert(id, Subscription::new(id, super::webhooks::topic_name(topic), wanted, now));
        id
    }

    /// The scopes that the app has from the next request on.
    pub fn grant(&self, scopes: &BTreeSet<String>) {
        self.shop.grant(scopes);
    }

    /// How many tokens the app was given for its id and secret.
    pub fn tokens_given(&self) -> u64 {
        self.shop.tokens.count()
    }

    /// Each of them is refused from now on.
    pub fn revoke_tokens(&self) {
        self.shop.tokens.revoke();
    }

    /// From the next request on: `twin.turn_faults(|faults| faults.cut_off_per_mille = 50)`.
    pub fn turn_faults(&self, how: impl FnOnce(&mut ApiFaults)) {
        self.shop.faults.turn(how);
    }

    /// What goes wrong with the webhooks of what happens from now on.
    pub fn turn_mischief(&self, how: impl FnOnce(&mut Mischief)) {
        self.shop.turn_mischief(how);
    }

    /// Happens to the next request that faults concern; several happen one after another.
    pub fn fail_next(&self, fault: ApiFault) {
        self.shop.faults.order(fault);
    }

    /// Dates of the order are its own; its webhooks go out now.
    pub fn place(&self, order: Order) -> Result<()> {
        self.shop.place(order)
    }

    /// Anything that the workload thinks of; dates are the shop's now.
    pub fn apply(&self, change: &Change) -> Result<Arc<Order>> {
        self.shop.apply(change, self.shop.now())
    }

    /// The same at a date of the caller's.
    pub fn apply_at(&self, change: &Change, at: Timestamp) -> Result<Arc<Order>> {
        self.shop.apply(change, at)
    }

    pub fn pay(&self, order_id: u64, gateway: &str) -> Result<Arc<Order>> {
        self.apply(&Change { order_id, what: What::Pay { gateway: gateway.to_owned() } })
    }

    pub fn cancel(&self, order_id: u64, reason: CancelReason) -> Result<Arc<Order>> {
        self.apply(&Change { order_id, what: What::Cancel { reason, give_back: true, restock: true } })
    }

    /// Sets how many units of a line are current.
    pub fn edit(&self, order_id: u64, line_id: u64, quantity: u32) -> Result<Arc<Order>> {
        self.apply(&Change { order_id, what: What::EditQuantity { line_id, quantity } })
    }

    pub fn refund(&self, order_id: u64, request: RefundRequest) -> Result<Arc<Order>> {
        self.apply(&Change { order_id, what: What::Refund(request) })
    }

    /// A change that Shopify reports as `orders/updated` alone.
    pub fn update(&self, order_id: u64, change: impl FnOnce(&mut Order)) -> Result<Arc<Order>> {
        let at = self.shop.now();
        self.shop.update(order_id, at, change)
    }

    pub fn delete(&self, order_id: u64) -> Result<()> {
        self.shop.delete(order_id)
    }

    /// As they are now, by id.
    pub fn orders(&self) -> Vec<Arc<Order>> {
        self.shop.state().orders.values().cloned().collect()
    }

    pub fn order(&self, id: u64) -> Option<Arc<Order>> {
        self.shop.state().orders.get(&id).cloned()
    }

    /// What an item has at a location, given by its code, name or number; none where it was never stocked nor counted.
    pub fn stock(&self, sku: &str, location: &str) -> Option<Levels> {
        let state = self.shop.state();
        state.stock.shown(state.stock.find(sku, location)?)
    }

    /// By item, then location.
    pub fn all_stock(&self) -> Vec<StockRow> {
        self.shop.state().stock.rows()
    }

    /// Every `available` that somebody set, in its order; orders are not among them.
    pub fn stock_sets(&self) -> Vec<StockSet> {
        self.shop.state().stock.sets()
    }

    pub fn stock_counts(&self) -> StockCounts {
        self.shop.state().stock.counts
    }

    /// A person in the shop's admin types another `available`; its webhook goes out now.
    pub fn set_by_hand(&self, sku: &str, location: &str, available: i64) -> Result<()> {
        let at = self.shop.now();
        self.stock_change(sku, location, |state, pair| state.stock.set_by_hand(pair, available, at))
    }

    /// A person stocks an item at a location, or no longer; its quantities stay.
    pub fn set_stocked(&self, sku: &str, location: &str, is_stocked: bool) -> Result<()> {
        let at = self.shop.now();
        self.stock_change(sku, location, |state, pair| state.stock.set_active(pair, is_stocked, at))
    }

    fn stock_change(
        &self,
        sku: &str,
        location: &str,
        change: impl FnOnce(&mut super::shop::State, Pair),
    ) -> Result<()> {
        let mut state = self.shop.state();
        let found = state.stock.find(sku, location);
        let pair = found.with_context(|| format!("the shop has no {sku} at {location}"))?;
        change(&mut state, pair);
        self.shop.raise_levels(&state, "inventory_levels/update", &[pair]);
        Ok(())
    }

    /// A company location that has no order yet, so that a catalog may be made for it.
    pub fn know_company_location(&self, id: u64, name: &str) {
        self.shop.state().prices.locations.insert(id, name.to_owned());
    }

    /// A company that has no order yet, with its locations: number and name of each.
    pub fn know_company(&self, id: u64, name: &str, locations: &[(u64, &str)]) {
        let mut state = self.shop.state();
        state.roles.companies.insert(id, name.to_owned());
        for (location, name) in locations {
            state.prices.locations.insert(*location, (*name).to_owned());
            state.roles.company_of.insert(*location, id);
        }
    }

    /// A person in the shop's admin lets a customer buy for a company location; the customer need not have bought before.
    pub fn give_role(&self, customer: u64, location: u64, role: Role) -> Result<()> {
        self.shop.state().give_role(customer, location, role, self.shop.now())
    }

    /// And no longer.
    pub fn take_roles(&self, customer: u64, location: u64) -> Result<()> {
        self.shop.state().take_roles(customer, location)
    }

    /// The app's proxy: what a storefront asks below `/apps/prices` (this look-alike's own address stands for the
    /// storefront's) goes to that URL, signed. A request with the cookie `logged_in_customer=7` is customer 7's.
    pub fn forward_storefront(&self, path_prefix: &str, to: &str) -> Result<()> {
        let proxy = AppProxy::new(path_prefix, to)?;
        self.shop.state().app_proxy = Some(proxy);
        Ok(())
    }

    /// What a buyer at a company location pays for a unit: the lowest price over its catalogs.
    pub fn charged(&self, location: u64, currency: &str, sku: &str, quantity: i64) -> Result<Charge> {
        let state = self.shop.state();
        let good = state.stock.goods().by_sku(sku).with_context(|| format!("the shop has no {sku}"))?;
        let currency = Currency::of(currency).with_context(|| format!("no currency {currency}"))?;
        let own = (self.shop.config.currency, Decimal::new(good.price_cents(), 2));
        state.prices.charge(location, currency, (good, quantity), own)
    }

    /// A person in the shop's admin types another price into a list, named by its name; none takes it away.
    pub fn price_by_hand(&self, list: &str, sku: &str, amount: Option<Decimal>) -> Result<()> {
        let mut state = self.shop.state();
        let good = state.stock.goods().by_sku(sku).with_context(|| format!("the shop has no {sku}"))?;
        state.prices.by_hand(list, good, amount)
    }

    /// A B2B market's catalog, made by hand, with the company locations that are in the market; its price list's number.
    pub fn market_catalog_by_hand(&self, title: &str, currency: &str, locations: &[u64]) -> Result<u64> {
        let currency = Currency::of(currency).with_context(|| format!("no currency {currency}"))?;
        let mut state = self.shop.state();
        let (catalog, list) = (state.next_id(), state.next_id());
        state.prices.market_by_hand((catalog, list), title, currency, locations, self.shop.config.plan)?;
        Ok(list)
    }

    /// For the next bulk operation that is begun and has none yet.
    pub fn order_bulk_fault(&self, fault: BulkFault) {
        self.shop.state().bulk_faults.push_back(fault);
    }

    pub fn price_counts(&self) -> PriceCounts {
        self.shop.state().prices.counts
    }

    /// Nothing of an order may leave until it is released, for one of Shopify's reasons: `HIGH_RISK_OF_FRAUD`.
    pub fn hold(&self, order_id: u64, reason: &'static str) {
        self.shop.state().stops.insert(order_id, Stop::Hold { reason });
    }

    /// Nothing of an order may leave before.
    pub fn schedule(&self, order_id: u64, at: Timestamp) {
        self.shop.state().stops.insert(order_id, Stop::Scheduled { at });
    }

    /// Fulfilments of which the customer was written to, once for each mail, in that order: made, or tracked otherwise.
    pub fn mails(&self) -> Vec<u64> {
        self.shop.state().mails.clone()
    }

    /// Whether a person holds an order.
    pub fn is_held(&self, order_id: u64) -> bool {
        matches!(self.shop.state().stops.get(&order_id), Some(Stop::Hold { .. }))
    }

    /// What the app holds of an order, by fulfilment order.
    pub fn holds(&self, order_id: u64) -> Vec<(u64, Hold)> {
        let state = self.shop.state();
        let all = state.orders.get(&order_id).map(|order| fulfil::of(&state, order)).unwrap_or_default();
        let held = all.into_iter().filter(|of| of.status == "ON_HOLD");
        held.flat_map(|of| of.holds.into_iter().map(move |hold| (of.id, hold))).collect()
    }

    /// Somebody ends what the app holds of an order, by hand.
    pub fn end_holds(&self, order_id: u64) {
        let held: Vec<u64> = self.holds(order_id).into_iter().map(|(id, _)| id).collect();
        let mut state = self.shop.state();
        held.iter().for_each(|id| drop(state.holds.remove(id)));
    }

    /// Ends a hold or a schedule.
    pub fn release(&self, order_id: u64) {
        self.shop.state().stops.remove(&order_id);
    }

    /// Every attempt so far, in the order in which they ended.
    pub fn webhooks_sent(&self) -> Vec<SentWebhook> {
        self.outbox.log()
    }

    /// Changes with each attempt: wait for what is expected.
    pub fn webhook_counts(&self) -> watch::Receiver<WebhookCounts> {
        self.counts.clone()
    }

    /// Until no webhook is in flight or waits for anything.
    pub async fn settled(&self) {
        // The sender lives as long as this handle.
        let _ = self.counts.clone().wait_for(|counts| counts.open == 0).await;
    }

    pub fn stats(&self) -> Stats {
        let mut state = self.shop.state();
        state.prune();
        Stats {
            orders: state.orders.len(),
            subscriptions: state.subscriptions.len(),
            webhooks: *self.counts.borrow(),
            stock: state.stock.counts,
            api: self.shop.counts().clone(),
        }
    }
}
