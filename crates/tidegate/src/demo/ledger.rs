//! The ledger: what Shopify's side created against what stands in the ERP's own books. The hub is asked for one thing
//! alone: why an order that is not in the books is not there; and its word counts only where the shop's own record of
//! the order bears it out.

use super::counter::PricesLedger;
use super::play::{Played, is_exportable, reference};
use super::stage::Stage;
use super::warehouse::StockLedger;
use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use twin::erp::{Deed, Entry, Sale, SaleState};
use twin::shop::{Order, Trap};
use twin::shopify::WebhookCounts;

/// The hub's words about orders: by order id.
pub type Reasons = BTreeMap<u64, Value>;

/// By order, from the accounts of `prove`.
pub fn reasons(proofs: &[Value]) -> Reasons {
    let accounts = proofs.iter().flat_map(|proof| proof["accounts"].as_array().into_iter().flatten());
    accounts.filter_map(|account| Some((order_id(account)?, account.clone()))).collect()
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    pub sent: u64,
    pub exported: u64,
    /// More than one sale of one order.
    pub doubled: u64,
    /// To be in the books, and not there; or without a reason that the shop's record bears out.
    pub lost: u64,
    pub dead: u64,
    pub filtered: u64,
    /// Parts of `exported`: let go by triage, found by the sweep, touched by a person.
    pub released: u64,
    pub swept: u64,
    pub hands: u64,
}

/// What the sales say against what the shop charged.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Amounts {
    pub compared: u64,
    pub wrong: u64,
    /// Cancelled in the shop, and not in the books.
    pub not_cancelled: u64,
    /// Changed in the shop after the books had confirmed it, which is a ticket by the flow's policy.
    pub tickets: u64,
}

/// What the hub's own `prove` says of the amounts: the judge has compared them too, by other books.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Proved {
    pub compared: u64,
    pub untold: u64,
    pub wrong: u64,
    /// By day and currency, as `prove` prints them.
    pub sums: Vec<Value>,
}

#[derive(Debug, Clone, Default, Serialize)]
pub struct Ledger {
    pub counts: Counts,
    pub amounts: Amounts,
    pub proved: Proved,
    pub lag_p50_ms: u64,
    pub lag_p99_ms: u64,
    /// Share within the objective of 60 s, per mille.
    pub within_objective_per_mille: u64,
    /// Of orders on which nothing was missing, from the moment they could be exported.
    pub lags: u64,
    pub kills: u32,
    pub webhooks_sent: u64,
    pub webhook_duplicates: u64,
    pub webhooks_never_sent: u64,
    pub dead_by_cause: BTreeMap<String, u64>,
    pub filtered_by_rule: BTreeMap<String, u64>,
    /// Open dead letters of the hub beyond those orders: a person would look into them for nothing.
    pub stray_dead_letters: u64,
    /// Up to twenty, each with what is wrong.
    pub wrong: Vec<String>,
    pub numbers_back: u64,
    /// Changes that came to the books in another order than to the shop.
    pub out_of_order: u64,
    /// Where there is a warehouse.
    pub stock: Option<StockLedger>,
    /// Where carts ask for prices.
    pub prices: Option<PricesLedger>,
}

/// The lag that is promised, in milliseconds.
pub const OBJECTIVE_MS: u64 = 60_000;
const WRONG_NAMED_MAX: usize = 20;

impl Ledger {
    /// Taken after the play; asks the hub for reasons.
    pub async fn take(stage: &Stage, played: &Played) -> anyhow::Result<Self> {
        let proofs = stage.ground.proofs().await?;
        let mut ledger = Self::of(&stage.ground.shop.orders(), &stage.erp.sales(), played, &reasons(&proofs));
        ledger.proved(&proofs);
        ledger.stray(stage.ground.dead_letters().await?);
        if let Some(warehouse) = &stage.warehouse {
            let unreserved = stage.ground.unreserved().await?;
            ledger.stock(warehouse.ledger(&stage.ground.shop), &stage.ground.shop.orders(), unreserved);
        }
        if let Some(counter) = &stage.counter {
            ledger.prices(counter.ledger(&stage.ground).await?);
        }
        ledger.kills = stage.ground.hub.kills();
        ledger.order(&stage.erp.entries(), played);
        ledger.webhooks(&stage.ground.shop.stats().webhooks);
        Ok(ledger)
    }

    /// The hub's `prove` has to find what the judge finds: each sale that is there, and no difference that nothing
    /// explains.
    pub fn proved(&mut self, proofs: &[Value]) {
        for amounts in proofs.iter().map(|proof| &proof["amounts"]) {
            let count = |name: &str| amounts[name].as_u64().unwrap_or_default();
            self.proved.compared += count("compared");
            self.proved.untold += count("untold");
            self.proved.wrong += count("wrong");
            self.proved.sums.extend(amounts["sums"].as_array().into_iter().flatten().cloned());
            for differing in amounts["differences"].as_array().into_iter().flatten() {
                if differing["because"] == "unexplained" {
                    self.wrong(format!("prove does not explain {differing}"));
                }
            }
        }
        if self.proved.compared != self.counts.exported {
            self.wrong(format!(
                "prove compared the amounts of {} orders, and {} are in the books",
                self.proved.compared, self.counts.exported
            ));
        }
    }

    /// What came to the books of each order came in the order in which it happened in the shop: an amount of a state that
    /// an older one has overtaken is not among those that follow.
    pub fn order(&mut self, entries: &[Entry], played: &Played) {
        let states: BTreeMap<String, &[Decimal]> =
            played.totals.iter().map(|(id, totals)| (reference(*id), totals.as_slice())).collect();
        let mut rest = states.clone();
        for entry in entries.iter().filter(|entry| matches!(entry.what, Deed::Create | Deed::Amend)) {
            let Some(left) = rest.get_mut(&entry.reference) else { continue };
            match left.iter().position(|total| *total == entry.gross) {
                Some(at) => *left = &left[at..],
                // One that never was in the shop is told by the amounts.
                None if !states[&entry.reference].contains(&entry.gross) => {}
                None => {
                    self.out_of_order += 1;
                    self.wrong(format!(
                        "{} in the books: an older state came after a newer one",
                        entry.reference
                    ));
                }
            }
        }
    }

    /// The shop's quantities beside the warehouse's; an order does not reserve if it has an item that no warehouse has.
    pub fn stock(&mut self, mut stock: StockLedger, orders: &[Arc<Order>], unreserved: u64) {
        let unknown = orders.iter().filter(|order| order.traps.contains(&Trap::UnknownSku)).count() as u64;
        stock.unreserved = unreserved;
        for difference in std::mem::take(&mut stock.named) {
            self.wrong(difference);
        }
        if unreserved > unknown {
            self.wrong(format!("{unreserved} orders did not reserve, and {unknown} have an unknown item"));
            stock.stray_dead_letters = unreserved - unknown;
        }
        self.stock = Some(stock);
    }

    /// What carts were told, and what orders were charged.
    pub fn prices(&mut self, mut prices: PricesLedger) {
        for wrong in std::mem::take(&mut prices.named) {
            self.wrong(wrong);
        }
        self.prices = Some(prices);
    }

    pub fn webhooks(&mut self, counts: &WebhookCounts) {
        self.webhooks_sent = counts.attempts;
        self.webhook_duplicates = counts.duplicates + counts.copies + counts.stale;
        self.webhooks_never_sent = counts.never_sent;
    }

    /// The comparison itself.
    pub fn of(orders: &[Arc<Order>], sales: &[Sale], played: &Played, reasons: &Reasons) -> Self {
        let mut by_reference: BTreeMap<&str, Vec<&Sale>> = BTreeMap::new();
        for sale in sales {
            by_reference.entry(&sale.content.reference).or_default().push(sale);
        }
        let (mut ledger, mut lags) = (Self::default(), Vec::new());
        for order in orders {
            ledger.counts.sent += 1;
            let key = reference(order.id);
            let there = by_reference.remove(key.as_str()).unwrap_or_default();
            let reason = reasons.get(&order.id);
            match there.as_slice() {
                [] => ledger.absent(order, played, reason),
                [sale, more @ ..] => {
                    ledger.present(order, sale, reason);
                    if !more.is_empty() {
                        ledger.counts.doubled += 1;
                        ledger.wrong(format!("{} has {} sales", order.name, there.len()));
                    }
                    if !order.traps.contains(&Trap::UnknownSku)
                        && let Some(from) = played.exportable.get(&order.id)
                    {
                        lags.push(lag_ms(*from, sale.created_at));
                    }
                }
            }
        }
        for (reference, sales) in by_reference {
            ledger.counts.doubled += 1;
            ledger.wrong(format!("{} sales under {reference:?}, which is no order of the shop", sales.len()));
        }
        ledger.lags(lags);
        ledger
    }

    fn present(&mut self, order: &Order, sale: &Sale, reason: Option<&Value>) {
        self.counts.exported += 1;
        let flag = |name: &str| u64::from(reason.is_some_and(|reason| reason[name] == true));
        self.counts.released += flag("released");
        self.counts.swept += flag("swept");
        self.counts.hands += flag("hands");
        self.numbers_back += u64::from(order.metafields.iter().any(|field| field.value == sale.number));
        if is_ticket(order, sale, reason) {
            self.amounts.tickets += 1;
        } else if order.cancelled_at.is_some() {
            if sale.state != SaleState::Cancelled {
                self.amounts.not_cancelled += 1;
                self.wrong(format!(
                    "{} is cancelled in the shop and {:?} in the books",
                    order.name, sale.state
                ));
            }
        } else if order.refunds.is_empty() {
            let charged = order.totals().current_total.shop;
            self.amounts.compared += 1;
            if sale.totals.gross != charged {
                self.amounts.wrong += 1;
                self.wrong(format!(
                    "{}: the shop charged {charged}, the books say {}",
                    order.name, sale.totals.gross
                ));
            }
        }
    }

    /// Not in the books: rightly so only for a reason that the shop's own record bears out.
    fn absent(&mut self, order: &Order, played: &Played, reason: Option<&Value>) {
        let fate = reason.map_or(&Value::Null, |reason| &reason["fate"]);
        let text = |name: &str| fate[name].as_str().unwrap_or("no reason").to_owned();
        match fate["fate"].as_str() {
            Some("dead") if played.poison.contains(&order.id) || played.unknown_item.contains(&order.id) => {
                self.counts.dead += 1;
                *self.dead_by_cause.entry(text("code")).or_default() += 1;
            }
            Some("filtered") if order.test || order.cancelled_at.is_some() => {
                self.counts.filtered += 1;
                *self.filtered_by_rule.entry(text("rule")).or_default() += 1;
            }
            Some("waiting") if !is_exportable(order) => {
                self.counts.filtered += 1;
                *self.filtered_by_rule.entry("not yet paid".to_owned()).or_default() += 1;
            }
            _ => {
                self.counts.lost += 1;
                self.wrong(format!("{} is not in the books; the hub says {fate}", order.name));
            }
        }
    }

    /// Every open dead letter is one that the ledger knows of.
    pub fn stray(&mut self, dead_letters: u64) {
        self.stray_dead_letters = dead_letters.saturating_sub(self.counts.dead + self.amounts.tickets);
        if self.stray_dead_letters > 0 {
            self.wrong(format!(
                "the hub has {} dead letters of no order that is missing",
                self.stray_dead_letters
            ));
        }
    }

    fn wrong(&mut self, text: String) {
        if self.wrong.len() < WRONG_NAMED_MAX {
            self.wrong.push(text);
        }
    }

    fn lags(&mut self, mut lags: Vec<u64>) {
        lags.sort_unstable();
        let at =
            |per_mille: usize| lags.get((lags.len() * per_mille / 1000).min(lags.len().saturating_sub(1)));
        self.lag_p50_ms = at(500).copied().unwrap_or_default();
        self.lag_p99_ms = at(990).copied().unwrap_or_default();
        let within = lags.partition_point(|lag| *lag <= OBJECTIVE_MS);
        self.within_objective_per_mille = (within * 1000).checked_div(lags.len()).unwrap_or(1000) as u64;
        self.lags = lags.len() as u64;
    }

    /// Nothing lost, nothing doubled, all accounted for, and the amounts are right.
    pub fn holds(&self) -> bool {
        let counts = &self.counts;
        counts.lost == 0
            && counts.doubled == 0
            && self.out_of_order == 0
            && counts.exported + counts.dead + counts.filtered == counts.sent
            && self.amounts.wrong == 0
            && self.stray_dead_letters == 0
            && self.amounts.not_cancelled == 0
            && self.proved.wrong == 0
            && self.stock.as_ref().is_none_or(StockLedger::holds)
            && self.prices.as_ref().is_none_or(PricesLedger::holds)
            && self.proved.compared == counts.exported
    }

    /// As `--json` prints it.
    pub fn json(&self) -> Value {
        let counts = &self.counts;
        json!({
            "orders": {
                "sent": counts.sent, "exported": counts.exported, "doubled": counts.doubled, "lost": counts.lost,
                "dead": counts.dead, "filtered": counts.filtered, "released": counts.released, "swept": counts.swept,
                "hands": counts.hands,
            },
            "lag_ms": { "p50": self.lag_p50_ms, "p99": self.lag_p99_ms, "objective": OBJECTIVE_MS,
                "within_objective_per_mille": self.within_objective_per_mille },
            "kills": self.kills,
            "webhooks": { "sent": self.webhooks_sent, "duplicates": self.webhook_duplicates,
                "never_sent": self.webhooks_never_sent },
            "amounts": self.amounts,
            "proved": self.proved,
            "dead_by_cause": self.dead_by_cause,
            "filtered_by_rule": self.filtered_by_rule,
            "numbers_back": self.numbers_back,
            "out_of_order": self.out_of_order,
            "stock": self.stock,
            "prices": self.prices,
            "stray_dead_letters": self.stray_dead_letters,
            "wrong": self.wrong,
            "holds": self.holds(),
        })
    }
}

/// The hub says so, and the shop's own dates bear it out.
fn is_ticket(order: &Order, sale: &Sale, reason: Option<&Value>) -> bool {
    let says = reason.is_some_and(|reason| reason["fate"]["code"] == AFTER_CONFIRM);
    // The shop's dates have whole seconds.
    let after = |at: Timestamp| order.updated_at.as_second() >= at.as_second();
    says && sale.confirmed_at.is_some_and(after)
}

/// A change came after the confirmation.
const AFTER_CONFIRM: &str = "TG-3203";

/// `acme/order:5678` → 5678.
fn order_id(account: &Value) -> Option<u64> {
    account["subject"].as_str()?.rsplit_once(':')?.1.parse().ok()
}

fn lag_ms(from: Timestamp, until: Timestamp) -> u64 {
    u64::try_from(until.as_millisecond() - from.as_millisecond()).unwrap_or(0)
}

#[cfg(test)]
mod tests;
