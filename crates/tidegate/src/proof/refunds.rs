//! Refunds beside all else: what the shop gives back of orders that were shipped, and how it is judged that each was credited
//! once, to the cent.

use rust_decimal::Decimal;
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;
use twin::shop::{FinancialStatus, Order, RefundRequest};
use twin::shopify::ShopifyTwin;

/// Of so many shipped orders one is given back of.
const OF: usize = 2;

/// What both sides come to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct CreditProof {
    pub refunds: u64,
    pub credited: Decimal,
    pub lost: u64,
    pub doubled: u64,
    /// Of another amount.
    pub wrong: u64,
    #[serde(skip)]
    pub named: Vec<String>,
}

impl CreditProof {
    pub fn holds(&self) -> bool {
        self.lost + self.doubled + self.wrong == 0
    }

    pub fn written(&self) -> String {
        format!(
            "refunds    {} given back, {} credited; {} lost, {} doubled, {} of another amount{}",
            self.refunds,
            self.credited,
            self.lost,
            self.doubled,
            self.wrong,
            self.named.iter().map(|what| format!("\n  {what}")).collect::<String>()
        )
    }
}

/// A unit of each line and, of every other order, its shipping go back; nothing returns to a shelf.
pub fn give_back(shop: &ShopifyTwin) {
    // On terms nothing was paid yet.
    let shipped = |order: &&Arc<Order>| {
        let paid = order.financial_status() == FinancialStatus::Paid;
        paid && !order.fulfilments.is_empty() && order.refunds.is_empty()
    };
    let orders = shop.orders();
    for (number, order) in orders.iter().filter(shipped).step_by(OF).enumerate() {
        let lines = order.lines.iter().filter(|line| line.current_quantity > 0 && line.sku.is_some());
        let request = RefundRequest {
            lines: lines.map(|line| (line.id, 1)).collect(),
            shipping: number % 2 == 0,
            restock: false,
            note: None,
        };
        // One that was free has nothing to give back.
        if let Err(refused) = shop.refund(order.id, request) {
            eprintln!("{refused}");
        }
    }
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
