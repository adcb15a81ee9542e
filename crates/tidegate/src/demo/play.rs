//! Plays the shop's orders at their pace, and the acts between them; notes when each order could first be exported, for
//! the lag.

use super::Args;
use super::acts::{self, Act};
use super::config::SHOP;
use super::report::Teller;
use super::stage::{Stage, now, pause};
use jiff::Timestamp;
use rust_decimal::Decimal;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use twin::erp::{Sale, SaleState};
use twin::shop::{Change, FinancialStatus, Mix, Order, What, Workload, WorkloadConfig};
use twin::shopify::{ShopConfig, ShopifyTwin};

/// What the shop did, as the shop knows it.
#[derive(Debug, Default)]
pub struct Played {
    /// When each order could first be exported: paid, authorised, or on payment terms, and no test.
    pub exportable: BTreeMap<u64, Timestamp>,
    /// What each order came to, in the course of its changes.
    pub totals: BTreeMap<u64, Vec<Decimal>>,
    /// Orders that no back office will ever take.
    pub poison: BTreeSet<u64>,
    /// Orders that wait for an item until somebody adds it.
    pub unknown_item: BTreeSet<u64>,
    /// Changes that the shop refused: none are expected.
    pub refused: u64,
}

impl Played {
    /// Waits for its time, lets it happen in the shop, and notes it.
    pub async fn apply(&mut self, shop: &ShopifyTwin, at: Timestamp, change: &Change) {
        let wait = Duration::try_from(at.duration_since(now())).unwrap_or(Duration::ZERO);
        if !wait.is_zero() {
            pause(wait).await;
        }
        match shop.apply(change) {
            Ok(order) => self.note(&order, now()),
            Err(error) => {
                tracing::warn!(%error, "the shop refused a change of the play");
                self.refused += 1;
            }
        }
    }

    /// After a change: whether the order can be exported from now on.
    pub fn note(&mut self, order: &Order, at: Timestamp) {
        if is_exportable(order) {
            self.exportable.entry(order.id).or_insert(at);
        }
        let (total, totals) = (order.totals().current_total.shop, self.totals.entry(order.id).or_default());
        if totals.last() != Some(&total) {
            totals.push(total);
        }
        if order.traps.contains(&twin::shop::Trap::LongPoNumber) {
            self.poison.insert(order.id);
        }
    }

    /// How many sales do not say yet what the shop says, and may still be changed: what became of the order is on its way, or no
    /// webhook told of it and the next sweep will. One that is confirmed may rightly stay behind: a person decides.
    pub fn behind(orders: &[Arc<Order>], sales: &[Sale]) -> usize {
        let by_reference: BTreeMap<String, &Order> =
            orders.iter().map(|order| (reference(order.id), order.as_ref())).collect();
        let is_behind = |sale: &&Sale| {
            let Some(order) = by_reference.get(&sale.content.reference) else { return false };
            let differs = order.refunds.is_empty() && order.totals().current_total.shop != sale.totals.gross;
            sale.state == SaleState::Draft && (order.cancelled_at.is_some() || differs)
        };
        sales.iter().filter(is_behind).count()
    }

    /// How many orders that are to be in the back office are not there. One that was cancelled, or is owed money again
    /// after an edit, may rightly be kept out if it was not exported before that.
    pub fn missing(&self, shop: &ShopifyTwin, there: &BTreeSet<String>) -> usize {
        let is_missing = |id: &&u64| {
            let is_wanted = shop.order(**id).is_some_and(|order| is_exportable(&order));
            let is_kept_out = self.poison.contains(id) || self.unknown_item.contains(id);
            is_wanted && !is_kept_out && !there.contains(&reference(**id))
        };
        self.exportable.keys().filter(is_missing).count()
    }
}

/// The object key of an order of the play (DESIGN section 2: shop, target and subject, never a version).
pub fn reference(order_id: u64) -> String {
    format!("{SHOP}-order-{order_id}")
}

pub fn is_exportable(order: &Order) -> bool {
    let status = order.financial_status();
    let paid = matches!(
        status,
        FinancialStatus::Paid
            | FinancialStatus::PartiallyRefunded
            | FinancialStatus::Refunded
            | FinancialStatus::Authorized
    );
    !order.test && order.cancelled_at.is_none() && (paid || order.payment_terms.is_some())
}

/// All orders and all acts.
pub(super) async fn all(args: &Args, stage: &mut Stage, teller: &Teller) -> anyhow::Result<Played> {
    let rate = args.rate();
    let mut mix = Mix::demo();
    // Later changes come while the play lasts.
    mix.change_delay_ms = (0, (args.orders * 1000 / rate / 8).clamp(2_000, 15_000));
    if stage.counter.is_some() {
        // One currency and prices without tax, as the lists have them.
        (mix.presentment, mix.tax_included) = (0, 0);
    }
    let orders = workload(args.seed, args.orders, 1, 1000 / rate, mix);
    let mut script = acts::script(args.orders);
    if args.calm {
        // Nothing is broken; what some orders wait for is still somebody's everyday work.
        script.retain(|(_, act)| *act == Act::ItemsAdded);
    }
    if stage.ground.hub.count() > 1 && !args.calm {
        acts::among_nodes(&mut script, args.orders, rate);
    }
    if stage.warehouse.is_none() {
        script.retain(|(_, act)| !matches!(act, Act::StockMoves | Act::Mute | Act::PastItsBooks));
    }
    if stage.counter.is_none() {
        script.retain(|(_, act)| !matches!(act, Act::Night | Act::Halved));
    }
    script.reverse();
    let (mut played, mut placed) = (Played::default(), 0);
    for (at, change) in orders {
        if matches!(change.what, What::Place(_)) {
            while let Some((_, act)) = script.pop_if(|(from, _)| placed >= *from) {
                act.perform(stage, teller).await?;
            }
            placed += 1;
            teller.placed(placed, args.orders);
        }
        played.apply(&stage.ground.shop, at, &change).await;
        stage.ground.hub.back().await?;
    }
    for (_, act) in script.into_iter().rev() {
        act.perform(stage, teller).await?;
    }
    Act::AllWell.perform(stage, teller).await?;
    Ok(played)
}

/// Orders of the stage's shop from now on, and what happens to them later.
pub fn workload(seed: u64, orders: u64, first_number: u64, interval_ms: u64, mix: Mix) -> Workload {
    let shop = Arc::new(ShopConfig::new(super::config::SHOP_DOMAIN).profile);
    Workload::new(WorkloadConfig { seed, orders, first_number, start: now(), interval_ms, shop, mix })
}
