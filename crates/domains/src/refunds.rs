//! Refunds: what was given back of an order, money or goods.
//!
//! A refund is a `state` fact of the subject `order:5678/refund:999`, which its source never changes. It is found in the
//! states of its order (a change has one carrier: the order's own state leaves refunds out) and read by itself, in one form.
//! What it comes to adds up to the cent: lines, shipping and duties, and the rest that Shopify calls an adjustment.

mod model;
mod paging;
mod read;

pub use model::{Refund, RefundLine, RefundShipping, canonical, json_schema};
pub use paging::{merge, next_page};
pub use read::from_graphql;

/// The topic of a refund that was read.
pub const TOPIC: &str = "refunds/read";
/// What a subject of ours is: `refund` of `order:5678/refund:999`.
pub const KIND: &str = "refund";

/// Without the shop; both ids are Shopify's numbers.
#[must_use]
pub fn path(order: &str, refund: &str) -> String {
    format!("order:{order}/{KIND}:{refund}")
}

/// Order and refund of a path; `None` where it is no refund.
#[must_use]
pub fn parts(of: &str) -> Option<(&str, &str)> {
    let (order, rest) = of.strip_prefix("order:")?.split_once('/')?;
    let refund = rest.strip_prefix(KIND)?.strip_prefix(':')?;
    let is_id = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    (is_id(order) && is_id(refund)).then_some((order, refund))
}

#[cfg(test)]
mod tests;
