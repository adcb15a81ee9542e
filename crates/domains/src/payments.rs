//! Payments: money that was taken for an order.
//!
//! A payment is a `state` fact of the subject `order:5678/payment:999`, which its source never changes: a sale or a capture
//! that succeeded. What was authorised and not taken, what failed, and what was given back (`refunds`) is none. Which payments
//! an order has, only reading it can tell: a webhook's body says that money came, and not which. So what an order brings up is
//! the list of them, `order:5678/payments:all`, and each payment of it is a fact of its own.

mod model;
mod read;

pub use model::{Payment, canonical, json_schema};
pub use read::{Listed, from_graphql, is_payment, listed};

/// The topic of a payment that was read.
pub const TOPIC: &str = "payments/read";
/// What a subject of ours is: `payment` of `order:5678/payment:999`.
pub const KIND: &str = "payment";
const LIST: &str = "payments:all";

/// Without the shop; both ids are Shopify's numbers.
#[must_use]
pub fn path(order: &str, payment: &str) -> String {
    format!("order:{order}/{KIND}:{payment}")
}

/// What stands for all payments of an order.
#[must_use]
pub fn list_path(order: &str) -> String {
    format!("order:{order}/{LIST}")
}

/// The order of a path that stands for its payments; `None` for every other.
#[must_use]
pub fn list_of(path: &str) -> Option<&str> {
    let (order, rest) = path.strip_prefix("order:")?.split_once('/')?;
    let is_id = !order.is_empty() && order.bytes().all(|byte| byte.is_ascii_digit());
    (rest == LIST && is_id).then_some(order)
}

#[cfg(test)]
mod tests;
