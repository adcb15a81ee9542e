//! Refunds beside all else: what the shop gives back of orders, shipped or not, and how it is judged that each was booked once, to
//! the cent or to the unit.

use crate::demo::{now, pause};
use rust_decimal::Decimal;
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use twin::shop::{FinancialStatus, Line, Order, RefundRequest, RestockType};
use twin::shopify::ShopifyTwin;

/// Of so many shipped orders one is given back of.
const OF: usize = 2;

/// What both sides come to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CreditProof {
    pub refunds: u64,
    pub credited: Decimal,
    pub lost: u64,
    pub doubled: u64,
    /// Of another amount.
    pub wrong: u64,
    /// What `credited` counts.
    #[serde(skip)]
    pub counts: &'static str,
    #[serde(skip)]
    pub named: Vec<String>,
}

impl CreditProof {
    /// What each refund became, by its name: once, and as it is wanted. What is wanted of nothing need not be there.
    pub fn compared<T: PartialEq + std::fmt::Debug>(
        counts: &'static str,
        wanted: BTreeMap<String, T>,
        mut there: BTreeMap<String, Vec<T>>,
        comes_to: impl Fn(&T) -> Decimal,
    ) -> Self {
        let (credited, named, refunds) = (Decimal::ZERO, Vec::new(), wanted.len() as u64);
        let mut proof = Self { refunds, credited, lost: 0, doubled: 0, wrong: 0, counts, named };
        for (name, given_back) in wanted {
            let booked = there.remove(&name).unwrap_or_default();
            proof.credited += booked.iter().map(&comes_to).sum::<Decimal>();
            let wrong = match booked.as_slice() {
                [] if comes_to(&given_back).is_zero() => continue,
                [] => &mut proof.lost,
                [one] if *one == given_back => continue,
                [_] => &mut proof.wrong,
                _ => &mut proof.doubled,
            };
            *wrong += 1;
            proof.named.push(format!("{name}: {given_back:?} was given back, and {booked:?} {counts}"));
        }
        proof.named.truncate(10);
        proof
    }

    /// Looks until each is booked, or for so long without headway: many at once take a slow system its time.
    pub async fn awaited(
        patience: Duration,
        mut judge: impl AsyncFnMut() -> anyhow::Result<Self>,
    ) -> anyhow::Result<Self> {
        let (mut until, mut least) = (kernel::clock::after(now(), patience), u64::MAX);
        loop {
            let proof = judge().await?;
            if proof.holds() || now() > until {
                return Ok(proof);
            }
            let amiss = proof.lost + proof.doubled + proof.wrong;
            if amiss < least {
                (until, least) = (kernel::clock::after(now(), patience), amiss);
            }
            pause(Duration::from_secs(2)).await;
        }
    }

    pub fn holds(&self) -> bool {
        self.lost + self.doubled + self.wrong == 0
    }

    pub fn written(&self) -> String {
        format!(
            "refunds    {} given back, {} {}; {} lost, {} doubled, {} of another amount{}",
            self.refunds,
            self.credited,
            self.counts,
            self.lost,
            self.doubled,
            self.wrong,
            self.named.iter().map(|what| format!("\n  {what}")).collect::<String>()
        )
    }
}

/// A unit of each line and, of every other order, its shipping go back. `restock`: what left returns to the shelf.
pub fn give_back(shop: &ShopifyTwin, restock: bool) {
    // On terms nothing was paid yet.
    let shipped = |order: &&Arc<Order>| {
        let paid = order.financial_status() == FinancialStatus::Paid && !order.test;
        paid && !order.fulfilments.is_empty() && order.refunds.is_empty()
    };
    let orders = shop.orders();
    for (number, order) in orders.iter().filter(shipped).step_by(OF).enumerate() {
        let comes_back = |line: &&Line| line.requires_shipping && line.fulfillable() == 0;
        let lines = order.lines.iter().filter(|line| line.current_quantity > 0 && line.sku.is_some());
        let lines = lines.filter(|line| !restock || comes_back(line)).map(|line| (line.id, 1)).collect();
        let request = RefundRequest { lines, shipping: number % 2 == 0, restock, note: None };
        // One that was free has nothing to give back.
        if let Err(refused) = shop.refund(order.id, request) {
            eprintln!("{refused}");
        }
    }
}

/// Whether an order does not leave before some of it is given back.
pub fn waits(order: u64) -> bool {
    order % 4 == 1
}

/// A unit of each line goes back of orders that wait, before anything of them left; of every other one nothing returns to a shelf
/// by Shopify's own hand.
pub fn give_back_before(shop: &ShopifyTwin) {
    let is_paid = |order: &&Arc<Order>| {
        let open = order.cancelled_at.is_none() && order.fulfilments.is_empty() && order.refunds.is_empty();
        // One that is a test goes to nobody's books, and what is given back of it neither.
        waits(order.id) && open && !order.test && order.financial_status() == FinancialStatus::Paid
    };
    let orders = shop.orders();
    for (number, order) in orders.iter().filter(is_paid).enumerate() {
        let lines = order.lines.iter().filter(|line| line.fulfillable() > 0 && line.sku.is_some());
        let lines = lines.map(|line| (line.id, 1)).collect();
        let request = RefundRequest { lines, shipping: false, restock: number % 2 == 0, note: None };
        if let Err(refused) = shop.refund(order.id, request) {
            eprintln!("{refused}");
        }
    }
}

/// Units that were given back, by the refund's name and by line: those that never left, and those that came back.
pub fn units_given_back(shop: &ShopifyTwin) -> [BTreeMap<String, BTreeMap<String, i64>>; 2] {
    [false, true].map(|came_back| {
        let mut all = BTreeMap::new();
        for order in shop.orders() {
            for refund in &order.refunds {
                let lines =
                    refund.lines.iter().filter(|line| (line.restock == RestockType::Return) == came_back);
                let units: BTreeMap<String, i64> =
                    lines.map(|line| (line.line_id.to_string(), i64::from(line.quantity))).collect();
                if !units.is_empty() {
                    all.insert(format!("{}-refund-{}", crate::demo::reference(order.id), refund.id), units);
                }
            }
        }
        all
    })
}

/// What was given back, by the name that its credit note has.
pub fn given_back(shop: &ShopifyTwin) -> BTreeMap<String, Decimal> {
    let mut all = BTreeMap::new();
    for order in shop.orders() {
        for refund in &order.refunds {
            let paid = refund.transactions.iter().filter_map(|id| order.transaction(*id));
            let paid: Decimal = paid.map(|transaction| transaction.amount.shop).sum();
            all.insert(format!("{}-refund-{}", crate::demo::reference(order.id), refund.id), paid);
        }
    }
    all
}
