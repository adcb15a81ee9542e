//! An order's fulfilments and what of it is open, read whole.

use super::code;
use super::config::{Config, KEY};
use super::find::find;
use super::note::Notes;
use super::plan::plan;
use super::seen::{Context, Made, line, open, shape};
use crate::graphql::{
    Claim, Deadline, FULFILMENT_LINES, FULFILMENT_ORDER_LINES, ORDER_FULFILMENTS, ShopClient,
};
use crate::source::{connection, order_gid, order_of};
use connector::port::{CallContext, MissingReference, Observation, Observed, Plan, Wanted};
use domains::shipments::Open;
use kernel::fault::{Fault, FaultKind, Reference};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// As many as one answer holds; there is no second page of them.
const FULFILMENTS_MAX: usize = 40;
/// 8 each: no order leaves in more parts.
const PAGES_MAX: usize = 20;

/// Reads of one order.
pub(super) struct Look<'a> {
    client: &'a ShopClient,
    deadline: Deadline,
}

/// What the order shows.
pub(super) struct Shown {
    pub(super) made: Vec<Made>,
    pub(super) context: Context,
}

pub(super) async fn look(
    client: &ShopClient,
    config: &Config,
    call: &CallContext,
    wanted: &Wanted,
) -> Result<Observation, Fault> {
    let order = order_of(&wanted.subject)?;
    let look = Look { client, deadline: Deadline::new(client, call) };
    let Some(shown) = look.order(config, order).await? else {
        let reference = Reference { kind: "order".to_owned(), value: order.to_owned() };
        let missing = MissingReference { reference, field: "order".to_owned(), similar: None };
        let context = Context::no_order().value();
        return Ok(Observation { object: Observed::None, context, missing: vec![missing] });
    };
    let object = find(&look, wanted, &shown).await?;
    let observation = Observation { object, context: shown.context.value(), missing: Vec::new() };
    // What is open now or never is the plan's; what opens later is looked at again, and nothing is decided.
    match plan(config, wanted, &observation) {
        Plan::NotAllowed(fault) if fault.code == code::LATER => Err(fault),
        _ => Ok(observation),
    }
}

impl Look<'_> {
    async fn ask(&self, document: &crate::graphql::Document, variables: &Value) -> Result<Value, Fault> {
        let reply = self.client.ask_within(&self.deadline, Claim::LIVE, document, variables).await?;
        Ok(reply.data)
    }

    /// `None`: Shopify shows no such order.
    async fn order(&self, config: &Config, id: &str) -> Result<Option<Shown>, Fault> {
        let (mut after, mut all): (Option<String>, Vec<Open>) = (None, Vec::new());
        let mut shown = None;
        for _ in 0..PAGES_MAX {
            let variables =
                json!({ "id": order_gid(id), "namespace": config.namespace, "key": KEY, "after": after });
            let data = self.ask(&ORDER_FULFILMENTS, &variables).await?;
            let Some(order) = data.get("order").filter(|order| order.is_object()) else { return Ok(None) };
            if shown.is_none() {
                shown = Some(head(order)?);
            }
            let (nodes, next) = connection(order, "fulfillmentOrders")?;
            for node in nodes {
                all.push(self.open(node).await?);
            }
            let Some(next) = next else {
                let mut shown = shown.ok_or_else(shape)?;
                shown.context.open = all;
                return Ok(Some(shown));
            };
            after = Some(next);
        }
        Err(too_large("fulfilment orders"))
    }

    /// A fulfilment order with all of its lines.
    async fn open(&self, node: &Value) -> Result<Open, Fault> {
        let mut found = open(node)?;
        let (nodes, mut next) = connection(node, "lineItems")?;
        found.lines = nodes.iter().map(line).collect::<Result<_, _>>()?;
        while let Some(after) = next {
            let variables = json!({ "id": found.id, "after": after });
            let data = self.ask(&FULFILMENT_ORDER_LINES, &variables).await?;
            let (nodes, following) =
                connection(data.get("fulfillmentOrder").ok_or_else(shape)?, "lineItems")?;
            for node in nodes {
                found.lines.push(line(node)?);
            }
            next = following;
        }
        Ok(found)
    }

    /// Units by SKU; what has none is by the empty one. `None`: it is not there.
    pub(super) async fn holds(&self, made: &Made) -> Result<Option<BTreeMap<String, u64>>, Fault> {
        let (mut holds, mut after): (BTreeMap<String, u64>, Option<String>) = (BTreeMap::new(), None);
        loop {
            let data = self.ask(&FULFILMENT_LINES, &json!({ "id": made.id, "after": after })).await?;
            let Some(fulfilment) = data.get("fulfillment").filter(|one| one.is_object()) else {
                return Ok(None);
            };
            let (nodes, next) = connection(fulfilment, "fulfillmentLineItems")?;
            for node in nodes {
                let units = node.get("quantity").and_then(Value::as_u64).ok_or_else(shape)?;
                let sku = node.pointer("/lineItem/sku").and_then(Value::as_str).unwrap_or_default();
                *holds.entry(sku.to_owned()).or_default() += units;
            }
            match next {
                Some(next) => after = Some(next),
                None => return Ok(Some(holds)),
            }
        }
    }
}

fn head(order: &Value) -> Result<Shown, Fault> {
    let nodes = order.get("fulfillments").and_then(Value::as_array).ok_or_else(shape)?;
    if nodes.len() >= FULFILMENTS_MAX {
        return Err(too_large("fulfilments"));
    }
    let made = nodes.iter().map(Made::read).collect::<Result<Vec<_>, _>>()?;
    let note = order.pointer("/metafield/value").and_then(Value::as_str);
    let context = Context {
        has_order: true,
        order_cancelled: order.get("cancelledAt").is_some_and(|at| !at.is_null()),
        notes: Notes::read(note),
        made: made.iter().map(|made| made.id.clone()).collect(),
        open: Vec::new(),
    };
    Ok(Shown { made, context })
}

fn too_large(what: &str) -> Fault {
    let what = format!(
        "the order has more {what} than can be told apart: record this shipment in Shopify by hand and skip it here"
    );
    Fault::new(FaultKind::Rejected, code::TOO_LARGE, what)
}
