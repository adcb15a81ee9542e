//! The orders of a day, counted again from Shopify: what `prove` sets against the target. Owns the bound of 60 days
//! beyond which Shopify shows nothing without a scope of its own.

use super::{OrderSource, code, connection, list, need, need_instant, shape, subject};
use crate::graphql::{Claim, DAY_ORDERS, Deadline, SHOP, ShopClient, covers};
use connector::port::CallContext;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use kernel::fault::{Fault, FaultKind};
use kernel::id::ShopId;
use kernel::money::{Money, ShopMoney};
use kernel::subject::Subject;
use serde_json::{Value, json};
use std::collections::BTreeMap;

const VISIBLE: SignedDuration = SignedDuration::from_hours(60 * 24);

/// An order as a list shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DayOrder {
    pub subject: Subject,
    /// `#1001`.
    pub label: String,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub cancelled_at: Option<Timestamp>,
    pub test: bool,
    /// In small letters: `paid`.
    pub financial_status: Option<String>,
    /// After edits *and refunds*.
    pub current_total: ShopMoney,
    pub current_tax: ShopMoney,
}

impl OrderSource {
    /// Every order that was created on a day of the shop's zone, by creation; each once. Waits for the cost bucket
    /// within the call's time.
    ///
    /// # Errors
    /// Rejected where the day is one that Shopify does not show to this app.
    pub async fn orders_of_day(
        &self,
        call: &CallContext,
        day: Date,
        zone: &TimeZone,
        share_percent: u8,
    ) -> Result<Vec<DayOrder>, Fault> {
        let client = self.shops.get(&call.shop)?;
        let (deadline, claim) = (Deadline::new(client, call), self.list_claim(share_percent));
        let (from, until) = bounds(day, zone)?;
        if from < call.now.checked_sub(VISIBLE).unwrap_or(Timestamp::MIN) {
            refuse_too_old(client, &deadline, claim, day).await?;
        }
        let search = list::search("created_at", from, Some(until));
        let mut found = BTreeMap::new();
        let mut after = None;
        loop {
            let variables = json!({ "query": search, "after": after });
            let reply = client.ask_within(&deadline, claim, &DAY_ORDERS, &variables).await?;
            let (nodes, next) = connection(&reply.data, "orders")?;
            for node in nodes {
                let order = order(client.id(), node)?;
                found.insert((order.created_at, order.subject.clone()), order);
            }
            match next {
                Some(next) if after.as_ref() != Some(&next) => after = Some(next),
                Some(_) => return Err(shape("endCursor")),
                None => return Ok(found.into_values().collect()),
            }
        }
    }
}

/// A day has 23 to 25 hours.
fn bounds(day: Date, zone: &TimeZone) -> Result<(Timestamp, Timestamp), Fault> {
    let start = |day: Date| day.to_zoned(zone.clone()).map(|start| start.timestamp());
    day.tomorrow().and_then(|next| Ok((start(day)?, start(next)?))).map_err(|_| {
        Fault::new(FaultKind::Rejected, code::NOT_SERVED, format!("{day} is no day of the calendar"))
    })
}

async fn refuse_too_old(
    client: &ShopClient,
    deadline: &Deadline,
    claim: Claim,
    day: Date,
) -> Result<(), Fault> {
    let reply = client.ask_within(deadline, claim, &SHOP, &json!({})).await?;
    let granted = reply.data.pointer("/currentAppInstallation/accessScopes").and_then(Value::as_array);
    let all = granted.into_iter().flatten().filter_map(|scope| scope.get("handle")?.as_str());
    if all.into_iter().any(|granted| covers(granted, "read_all_orders")) {
        return Ok(());
    }
    let what = format!(
        "{day} is beyond the 60 days that Shopify shows without read_all_orders: ask Shopify for that scope, grant \
         it to the app, and name it in the app's scopes"
    );
    Err(Fault::new(FaultKind::Rejected, code::TOO_OLD, what))
}

fn order(shop: &ShopId, node: &Value) -> Result<DayOrder, Fault> {
    let cancelled_at = match node.get("cancelledAt") {
        None | Some(Value::Null) => None,
        Some(_) => Some(need_instant(node, "cancelledAt")?),
    };
    Ok(DayOrder {
        subject: subject(shop, need(node, "id")?).ok_or_else(|| shape("id"))?,
        label: need(node, "name")?.to_owned(),
        created_at: need_instant(node, "createdAt")?,
        updated_at: need_instant(node, "updatedAt")?,
        cancelled_at,
        test: node.get("test").and_then(Value::as_bool).ok_or_else(|| shape("test"))?,
        financial_status: node
            .get("displayFinancialStatus")
            .and_then(Value::as_str)
            .map(str::to_ascii_lowercase),
        current_total: money(node, "currentTotalPriceSet")?,
        current_tax: money(node, "currentTotalTaxSet")?,
    })
}

fn money(node: &Value, name: &str) -> Result<ShopMoney, Fault> {
    let shop = node.get(name).and_then(|set| set.get("shopMoney")).ok_or_else(|| shape(name))?;
    let currency = need(shop, "currencyCode")?.parse().map_err(|_| shape(name))?;
    Ok(ShopMoney::new(Money::parse(need(shop, "amount")?, currency).map_err(|_| shape(name))?))
}
