//! One thing that happens in the shop: an order is placed, or an order changes. Applying it says which webhook topics
//! Shopify would raise, in its order, and what each is about.

use anyhow::{Result, ensure};
use jiff::Timestamp;
use serde_json::Value;

use super::body;
use super::line::Line;
use super::order::{Address, CancelReason, Order};
use super::payment::TransactionKind;
use super::refund::RefundRequest;
use super::status::{FinancialStatus, FulfilmentStatus};

#[derive(Clone, Debug)]
pub struct Change {
    pub order_id: u64,
    pub what: What,
}

#[derive(Clone, Debug)]
pub enum What {
    Place(Box<Order>),
    Authorise {
        gateway: String,
    },
    Pay {
        gateway: String,
    },
    EditQuantity {
        line_id: u64,
        quantity: u32,
    },
    AddLine(Box<Line>),
    ChangeShippingAddress(Box<Address>),
    Cancel {
        reason: CancelReason,
        give_back: bool,
        restock: bool,
    },
    Refund(RefundRequest),
    /// Empty: all that is open.
    Fulfil {
        units: Vec<(u64, u32)>,
    },
    SetMetafield {
        namespace: String,
        key: String,
        kind: String,
        value: String,
    },
    AddTag(String),
}

/// A webhook that is due. Its body is that of the moment: make it before the order changes again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    pub topic: &'static str,
    pub about: About,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum About {
    Order,
    Refund(u64),
    Transaction(u64),
    Fulfilment(u64),
    /// Line id and change in quantity.
    Edit {
        id: u64,
        lines: Vec<(u64, i64)>,
    },
}

impl Notice {
    fn order(topic: &'static str) -> Self {
        Self { topic, about: About::Order }
    }

    /// The body as the order is now; null where what it is about does not exist.
    pub fn body(&self, order: &Order) -> Value {
        let written = match &self.about {
            About::Order => Some(body::webhook_body(order)),
            About::Refund(id) => order.refund_of(*id).map(|refund| body::refund_body(order, refund)),
            About::Transaction(id) => order.transaction(*id).map(|one| body::transaction_body(order, one)),
            About::Fulfilment(id) => order
                .fulfilments
                .iter()
                .find(|one| one.id == *id)
                .map(|one| body::fulfilment_body(order, one)),
            About::Edit { id, lines } => Some(body::edited_body(order, *id, lines)),
        };
        written.unwrap_or(Value::Null)
    }
}

/// The topics of an order that was just placed: created, and paid where it is.
pub fn placed(order: &Order) -> Vec<Notice> {
    let mut notices = vec![Notice::order("orders/create")];
    if order.financial_status() == FinancialStatus::Paid {
        notices.push(Notice::order("orders/paid"));
    }
    for transaction in &order.transactions {
        notices
            .push(Notice { topic: "order_transactions/create", about: About::Transaction(transaction.id) });
    }
    notices
}

impl Change {
    /// Applies it to the order it names. `Place` puts its order in the place of the one given.
    pub fn apply(&self, order: &mut Order, at: Timestamp) -> Result<Vec<Notice>> {
        if let What::Place(placed_order) = &self.what {
            *order = placed_order.as_ref().clone();
            return Ok(placed(order));
        }
        ensure!(order.id == self.order_id, "change of order {} given order {}", self.order_id, order.id);
        self.what.apply(order, at)
    }
}

impl What {
    fn apply(&self, order: &mut Order, at: Timestamp) -> Result<Vec<Notice>> {
        let transactions_before = order.transactions.len();
        let refunds_before = order.refunds.len();
        let mut notices = match self {
            Self::Place(_) => Vec::new(),
            Self::Authorise { gateway } => order.authorise(gateway, at).map(|_| Vec::new())?,
            Self::Pay { gateway } => order.pay(gateway, at).map(|_| vec![Notice::order("orders/paid")])?,
            Self::EditQuantity { line_id, quantity } => {
                let before = order.line(*line_id).map_or(0, |line| line.current_quantity);
                order.edit_quantity(*line_id, *quantity, at)?;
                vec![edited(order, *line_id, i64::from(*quantity) - i64::from(before))]
            }
            Self::AddLine(line) => {
                let id = order.add_line(line.as_ref().clone(), at)?;
                vec![edited(order, id, i64::from(line.quantity))]
            }
            Self::ChangeShippingAddress(address) => {
                order.change_shipping_address(address.as_ref().clone(), at).map(|()| Vec::new())?
            }
            Self::Cancel { reason, give_back, restock } => {
                order.cancel(*reason, *give_back, *restock, at)?;
                vec![Notice::order("orders/cancelled")]
            }
            Self::Refund(request) => order.refund(request, at).map(|_| Vec::new())?,
            Self::Fulfil { units } => fulfilled(order, units, at)?,
            Self::SetMetafield { namespace, key, kind, value } => {
                order.set_metafield(namespace, key, kind, value, at);
                Vec::new()
            }
            Self::AddTag(tag) => {
                order.add_tag(tag, at);
                Vec::new()
            }
        };
        notices.push(Notice::order("orders/updated"));
        notices.extend(new_refunds(order, refunds_before));
        notices.extend(new_transactions(order, transactions_before));
        Ok(notices)
    }
}

fn edited(order: &mut Order, line_id: u64, delta: i64) -> Notice {
    let id = order.part_id();
    Notice { topic: "orders/edited", about: About::Edit { id, lines: vec![(line_id, delta)] } }
}

fn fulfilled(order: &mut Order, units: &[(u64, u32)], at: Timestamp) -> Result<Vec<Notice>> {
    let id = order.fulfil(units, at)?;
    let topic = match order.fulfilment_status() {
        FulfilmentStatus::Fulfilled => "orders/fulfilled",
        FulfilmentStatus::Partial | FulfilmentStatus::Unfulfilled => "orders/partially_fulfilled",
    };
    Ok(vec![Notice::order(topic), Notice { topic: "fulfillments/create", about: About::Fulfilment(id) }])
}

fn new_refunds(order: &Order, before: usize) -> Vec<Notice> {
    let new = order.refunds.iter().skip(before);
    new.map(|refund| Notice { topic: "refunds/create", about: About::Refund(refund.id) }).collect()
}

fn new_transactions(order: &Order, before: usize) -> Vec<Notice> {
    order
        .transactions
        .iter()
        .skip(before)
        .filter(|transaction| transaction.kind != TransactionKind::Refund)
        .map(|one| Notice { topic: "order_transactions/create", about: About::Transaction(one.id) })
        .collect()
}
