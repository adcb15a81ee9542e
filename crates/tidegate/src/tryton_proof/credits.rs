//! Refunds beside all else: what the shop gives back of orders that were shipped, and the credit notes that Tryton's own
//! records hold of it: one for each, to the cent.

use super::books::Books;
use crate::demo::{now, pause};
use anyhow::Context as _;
use rust_decimal::Decimal;
use serde::Serialize;
use serde_json::json;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use twin::shop::{FinancialStatus, Order, RefundRequest};
use twin::shopify::ShopifyTwin;

const MAPPING: &str = include_str!("../../../../mappings/refunds_to_tryton.toml");
const FLOW: &str = r#"
[flows.refunds_to_erp]
domain = "orders"
source = "shopify"
target = "erp"
follows = "orders_to_erp"
mapping = "mappings/refunds_to_erp.toml"
difference = "adjust_line"
"#;
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

/// Adds the flow to what the hub runs with; before it starts.
pub fn configure(folder: &Path) -> anyhow::Result<()> {
    let path = folder.join("tidegate.toml");
    let text = std::fs::read_to_string(&path)?;
    std::fs::write(&path, text + FLOW)?;
    std::fs::write(folder.join("mappings/refunds_to_erp.toml"), MAPPING)
        .context("a mapping cannot be written")
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
fn given_back(shop: &ShopifyTwin) -> BTreeMap<String, Decimal> {
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

/// Tryton's credit notes beside the shop's refunds.
pub async fn judge(books: &Books, shop: &ShopifyTwin) -> anyhow::Result<CreditProof> {
    let wanted = given_back(shop);
    let domain = json!([["type", "=", "out"], ["reference", "like", "acme-order-%-refund-%"]]);
    let mut there: BTreeMap<String, Vec<Decimal>> = BTreeMap::new();
    for row in books.all("account.invoice", domain, &["reference", "total_amount", "state"]).await? {
        let amount = row["total_amount"]["decimal"].as_str().and_then(|text| text.parse::<Decimal>().ok());
        let reference = row["reference"].as_str().unwrap_or_default().to_owned();
        there.entry(reference).or_default().push(-amount.unwrap_or_default());
    }
    let mut proof = CreditProof { refunds: wanted.len() as u64, ..CreditProof::default() };
    for (reference, amount) in wanted {
        let credited = there.remove(&reference).unwrap_or_default();
        proof.credited += credited.iter().sum::<Decimal>();
        let wrong = match credited.as_slice() {
            // Nothing was paid back, so that there is nothing to credit.
            [] if amount.is_zero() => continue,
            [] => &mut proof.lost,
            [one] if *one == amount => continue,
            [_] => &mut proof.wrong,
            _ => &mut proof.doubled,
        };
        *wrong += 1;
        proof.named.push(format!("{reference}: {amount} was given back, and {credited:?} credited"));
    }
    proof.named.truncate(10);
    Ok(proof)
}

/// Until each is credited, or for so long.
pub async fn credited(books: &Books, shop: &ShopifyTwin, patience: Duration) -> anyhow::Result<CreditProof> {
    let until = kernel::clock::after(now(), patience);
    loop {
        let proof = judge(books, shop).await?;
        if proof.holds() || now() > until {
            return Ok(proof);
        }
        pause(Duration::from_secs(2)).await;
    }
}
