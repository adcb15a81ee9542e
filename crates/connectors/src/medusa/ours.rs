//! Which of Medusa's reservations are for orders of this shop. A reservation names no more than a line; which order has that
//! line is read of the orders that changed since the reservation was made, and known by the key that we wrote into them. So
//! what other channels sell from the same shelf is never taken for ours. Owns what was found out, in memory alone.

use super::ask::Ask;
use super::sale::KEY;
use super::source::Shared;
use super::wire::{list, text};
use connector::outbound::segment;
use connector::port::CallContext;
use jiff::{SignedDuration, Timestamp};
use kernel::fault::Fault;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Orders at once.
const PAGE: usize = 200;
/// An order is written a moment before its reservations are, or after.
const AROUND: SignedDuration = SignedDuration::from_mins(5);
/// By then an order whose lines are reserved stands in the list.
const SETTLED: SignedDuration = SignedDuration::from_mins(10);

/// By line: whether it is of an order of ours.
#[derive(Debug, Default)]
pub(super) struct Ours(BTreeMap<String, bool>);

impl Ours {
    fn unknown<'a>(&self, lines: impl Iterator<Item = (&'a str, Timestamp)>) -> BTreeMap<String, Timestamp> {
        lines
            .filter(|(line, _)| !self.0.contains_key(*line))
            .map(|(line, at)| (line.to_owned(), at))
            .collect()
    }

    /// What is no longer reserved is forgotten.
    pub(super) fn only(&mut self, reserved: &BTreeSet<&str>) {
        self.0.retain(|line, _| reserved.contains(line.as_str()));
    }
}

impl Shared {
    /// Those of these lines that are of this shop's orders, each with the time at which it was reserved.
    pub(super) async fn ours_of<'a>(
        &self,
        call: &CallContext,
        lines: &[(&'a str, Timestamp)],
    ) -> Result<BTreeSet<&'a str>, Fault> {
        let unknown = self.ours(&call.shop, |ours| ours.unknown(lines.iter().copied()));
        if let Some(since) = unknown.values().min() {
            let found = self.ask(call).lines_since(*since - AROUND, &unknown).await?;
            self.ours(&call.shop, |ours| {
                let old = |at: &Timestamp| *at < call.now - SETTLED;
                // One that no order has by now is for something else: an exchange, a claim, another program's.
                ours.0
                    .extend(unknown.iter().filter(|(_, at)| old(at)).map(|(line, _)| (line.clone(), false)));
                ours.0.extend(found);
            });
        }
        let is_ours = |ours: &mut Ours| {
            lines
                .iter()
                .map(|(line, _)| *line)
                .filter(|line| ours.0.get(*line).copied().unwrap_or(false))
                .collect()
        };
        Ok(self.ours(&call.shop, is_ours))
    }
}

/// The shop's number of an order that became this one; `None`: it is not of this shop.
pub(super) fn order_of(record: &Value, shop: &str) -> Option<String> {
    let metadata =
        record.get("metadata").filter(|metadata| metadata.get(KEY).is_some_and(Value::is_string))?;
    let number = text(metadata, "shopify_order_id").filter(|_| {
        let of = text(metadata, "shopify_shop");
        of.as_deref() == Some(shop)
    })?;
    (!number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())).then_some(number)
}

impl Ask<'_> {
    async fn lines_since(
        &self,
        since: Timestamp,
        wanted: &BTreeMap<String, Timestamp>,
    ) -> Result<BTreeMap<String, bool>, Fault> {
        let mut found = BTreeMap::new();
        let mut from = Since { at: Some(since), offset: 0 };
        while found.len() < wanted.len() {
            let (orders, next) = self.orders_since(from, "id,updated_at,metadata,items.id", PAGE).await?;
            for order in &orders {
                let ours = order_of(order, self.call.shop.as_str()).is_some();
                let lines = list(order, "items").filter_map(|item| text(item, "id"));
                found.extend(lines.filter(|line| wanted.contains_key(line)).map(|line| (line, ours)));
            }
            let Some(next) = next else { break };
            from = next;
        }
        Ok(found)
    }

    /// Orders by the time of their last change, a page of them, and from where there are more. By time and not by place in the
    /// list: one that changes meanwhile goes to its end, and all behind it move up.
    pub(super) async fn orders_since(
        &self,
        from: Since,
        fields: &str,
        most: usize,
    ) -> Result<(Vec<Value>, Option<Since>), Fault> {
        let since =
            from.at.map(|at| format!("{}={}&", segment("updated_at[$gte]"), segment(&at.to_string())));
        let path = format!("/admin/orders?{}order=updated_at&fields={fields}", since.unwrap_or_default());
        let (orders, _) = self.page(&path, "orders", most, from.offset).await?;
        let last = orders.last().and_then(updated_at).filter(|_| orders.len() >= most);
        let next = last.map(|last| {
            if from.at.is_none_or(|at| last > at) {
                Since { at: Some(last), offset: 0 }
            } else {
                Since { offset: from.offset + orders.len(), ..from }
            }
        });
        Ok((orders, next))
    }
}

/// From where orders are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) struct Since {
    pub(super) at: Option<Timestamp>,
    /// Among those of one instant.
    pub(super) offset: usize,
}

pub(super) fn updated_at(record: &Value) -> Option<Timestamp> {
    text(record, "updated_at")?.parse().ok()
}
