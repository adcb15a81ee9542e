//! Shopify as a source of orders: one order or refund read whole, the payments of one, pages of what was changed or made, and the orders of a day.
//! Owns the documents' order and what a page's cursor is; what an order means is `domains::orders`'.

mod day;
mod fingerprint;
mod list;
mod payments;
mod read;
mod refund;

pub use fingerprint::{Compared, compare, fingerprint_of};

use crate::graphql::{Claim, Rank, Shops};
use async_trait::async_trait;
use connector::port::{CallContext, ListPage, ListQuery, Part, Read, Source};
use jiff::Timestamp;
use kernel::fault::{Fault, FaultKind};
use kernel::id::ShopId;
use kernel::subject::Subject;
use read::unsteady;
use serde_json::Value;

/// The topic under which a state that we read is appended.
pub const READ_TOPIC: &str = "orders/read";

/// Our own codes; each has a page in `docs/errors/`.
mod code {
    /// Shopify was asked for something that it does not have in this form.
    pub(super) const NOT_SERVED: &str = "TG-6201";
    /// Orders beyond 60 days, without the scope for them.
    pub(super) const TOO_OLD: &str = "TG-6202";
    /// An order that changes all the while it is read.
    pub(super) const UNSTEADY: &str = "TG-6203";
    /// An answer without a field that its document asks for.
    pub(super) const SHAPE: &str = "TG-6204";
}

/// Reads and lists the orders of all shops, under one claim on each shop's cost bucket.
#[derive(Debug, Clone)]
pub struct OrderSource {
    shops: Shops,
    claim: Claim,
}

impl OrderSource {
    /// With the priority of live orders: for hints and doubts.
    pub fn new(shops: Shops) -> Self {
        Self { shops, claim: Claim::LIVE }
    }

    /// The same shops under another claim: for sweeps and backfills.
    pub fn under(&self, claim: Claim) -> Self {
        Self { shops: self.shops.clone(), claim }
    }

    /// What a list may spend: never the bucket of live orders.
    fn list_claim(&self, share_percent: u8) -> Claim {
        match self.claim.rank {
            Rank::Backfill => Claim::backfill(share_percent),
            Rank::Live | Rank::Storefront | Rank::Stock | Rank::Sweep => Claim::sweep(share_percent),
        }
    }
}

#[async_trait]
impl Source for OrderSource {
    async fn read(&self, call: &CallContext, subject: &Subject) -> Result<Option<Read>, Fault> {
        if let Some((order, id)) = domains::refunds::parts(&subject.path) {
            return refund::refund(self.shops.get(&call.shop)?, call, self.claim, order, id).await;
        }
        let id = order_of(subject)?;
        read::order(self.shops.get(&call.shop)?, call, self.claim, id).await
    }

    async fn parts(&self, call: &CallContext, subject: &Subject) -> Result<Option<Vec<Part>>, Fault> {
        let Some(order) = domains::payments::list_of(&subject.path) else { return Ok(None) };
        payments::payments(self.shops.get(&call.shop)?, call, self.claim, order).await.map(Some)
    }

    async fn list(&self, call: &CallContext, domain: &str, query: &ListQuery) -> Result<ListPage, Fault> {
        if domain != "orders" {
            let what = format!("Shopify is listed by orders, not by {domain}");
            return Err(Fault::new(FaultKind::Rejected, code::NOT_SERVED, what));
        }
        let claim = self.list_claim(query.budget_percent);
        list::page(self.shops.get(&call.shop)?, call, claim, query).await
    }
}

/// The id of the order that a subject is, or belongs to.
pub(crate) fn order_of(subject: &Subject) -> Result<&str, Fault> {
    let id = subject.root().strip_prefix("order:");
    id.filter(|id| !id.is_empty() && id.bytes().all(|b| b.is_ascii_digit())).ok_or_else(|| {
        let what = format!("{subject} is no order, and belongs to none");
        Fault::new(FaultKind::Rejected, code::NOT_SERVED, what)
    })
}

pub(crate) fn order_gid(id: &str) -> String {
    format!("gid://shopify/Order/{id}")
}

/// The subject of an order's gid; a gid may carry a query.
fn subject(shop: &ShopId, gid: &str) -> Option<Subject> {
    let id = gid.strip_prefix("gid://shopify/Order/")?.split('?').next()?;
    Some(Subject::new(shop.clone(), "order", id))
}

/// A field that the document asks for and the schema promises.
pub(crate) fn need<'a>(node: &'a Value, name: &str) -> Result<&'a str, Fault> {
    node.get(name).and_then(Value::as_str).ok_or_else(|| shape(name))
}

fn need_instant(node: &Value, name: &str) -> Result<Timestamp, Fault> {
    need(node, name)?.parse().map_err(|_| shape(name))
}

pub(crate) fn shape(name: &str) -> Fault {
    let what =
        format!("Shopify's answer has no readable {name}; nothing was changed, it will be asked again");
    Fault::new(FaultKind::Transient, code::SHAPE, what).field(name)
}

/// The nodes of a connection, and the cursor of its next page.
pub(crate) fn connection<'a>(data: &'a Value, name: &str) -> Result<(&'a [Value], Option<String>), Fault> {
    let nodes = data.get(name).and_then(|page| page.get("nodes")).and_then(Value::as_array);
    let nodes = nodes.ok_or_else(|| shape(name))?;
    let page = data.get(name).and_then(|page| page.get("pageInfo"));
    let more = page.and_then(|page| page.get("hasNextPage")).and_then(Value::as_bool);
    let next = match more.ok_or_else(|| shape("hasNextPage"))? {
        false => None,
        true => Some(need(page.unwrap_or(&Value::Null), "endCursor")?.to_owned()),
    };
    Ok((nodes, next))
}
