//! An order's fulfilments and what of it is open, read whole; and which of the fulfilments is the shipment that is asked for.

use super::code;
use super::config::{Config, KEY};
use super::note::{Notes, Whose};
use super::plan::allotted;
use super::seen::{Context, Made, line, open, shape};
use super::want::Want;
use crate::graphql::{
    Claim, Deadline, FULFILMENT_LINES, FULFILMENT_ORDER_LINES, ORDER_FULFILMENTS, ShopClient,
};
use crate::source::{connection, order_gid, order_of};
use connector::port::{CallContext, MissingReference, Observation, Observed, Stage, Wanted};
use domains::shipments::{Open, Short};
use kernel::fault::{Fault, FaultKind, Reference};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// As many as one answer holds; there is no second page of them.
const FULFILMENTS_MAX: usize = 40;
/// 8 each: no order leaves in more parts.
const PAGES_MAX: usize = 20;

/// Reads of one order.
struct Look<'a> {
    client: &'a ShopClient,
    deadline: Deadline,
}

/// What the order shows.
struct Shown {
    made: Vec<Made>,
    context: Context,
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
    let object = look.object(wanted, &shown).await?;
    // What is open now or never is the plan's; what opens later is looked at again, and nothing is decided.
    if object == Observed::None
        && wanted.stage != Stage::Cancelled
        && let Ok(want) = Want::read(&wanted.body)
        && let Err(Short::Later { why }) = allotted(&want, &shown.context.open)
    {
        let what = format!(
            "the order's units may not leave yet: {why}; what was shipped waits until Shopify releases them"
        );
        return Err(Fault::new(FaultKind::Conflict, code::LATER, what));
    }
    Ok(Observation { object, context: shown.context.value(), missing: Vec::new() })
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

    /// The fulfilment that is this shipment: the one that we know, else the one that came when it was sent and holds the same,
    /// else one that somebody made with its tracking numbers.
    async fn object(&self, wanted: &Wanted, shown: &Shown) -> Result<Observed, Fault> {
        if let Some(known) = &wanted.known {
            let found = shown.made.iter().find(|made| made.id == known.id);
            return Ok(found.map_or(Observed::None, |made| one(made, false)));
        }
        // What is wrong with it is the plan's to say.
        let Ok(want) = Want::read(&wanted.body) else { return Ok(Observed::None) };
        let notes = &shown.context.notes;
        let may_adopt = wanted.stage != Stage::Cancelled && !want.tracking.numbers.is_empty();
        let mut found = Vec::new();
        for made in &shown.made {
            let adopted = match notes.whose(&want.shipment, &made.id) {
                Whose::This => false,
                Whose::Nobody if may_adopt && want.tracking.has(&made.numbers) && !made.is_cancelled() => {
                    true
                }
                Whose::Nobody | Whose::Another => continue,
            };
            if self.is_same(wanted, &want, made).await? {
                found.push((made, adopted));
            }
        }
        // One that we sent is nearer than one that somebody made.
        if found.iter().any(|(_, adopted)| !adopted) {
            found.retain(|(_, adopted)| !adopted);
        }
        Ok(match found.as_slice() {
            [] => Observed::None,
            [(made, adopted)] => one(made, *adopted),
            several => Observed::Many(several.iter().map(|(made, _)| made.id.clone()).collect()),
        })
    }

    /// Whether a fulfilment holds what the shipment holds, from where it left. A shipment that was cancelled need not say what
    /// it held: then what was sent for it is it.
    async fn is_same(&self, wanted: &Wanted, want: &Want, made: &Made) -> Result<bool, Fault> {
        if wanted.stage == Stage::Cancelled && want.lines.is_empty() {
            return Ok(true);
        }
        let units: u64 = want.lines.iter().map(|(_, units)| u64::from(*units)).sum();
        let is_there = made.place.as_ref().is_none_or(|(id, name)| want.left_from(id, name));
        if units != made.units || !is_there {
            return Ok(false);
        }
        let mut left: BTreeMap<&str, u64> =
            want.lines.iter().map(|(sku, units)| (sku.as_str(), u64::from(*units))).collect();
        let mut after: Option<String> = None;
        loop {
            let data = self.ask(&FULFILMENT_LINES, &json!({ "id": made.id, "after": after })).await?;
            let Some(fulfilment) = data.get("fulfillment").filter(|one| one.is_object()) else {
                return Ok(false);
            };
            let (nodes, next) = connection(fulfilment, "fulfillmentLineItems")?;
            for node in nodes {
                let units = node.get("quantity").and_then(Value::as_u64).ok_or_else(shape)?;
                let sku = node.pointer("/lineItem/sku").and_then(Value::as_str).unwrap_or_default();
                let Some(left) = left.get_mut(sku).filter(|left| **left >= units) else {
                    return Ok(false);
                };
                *left -= units;
            }
            match next {
                Some(next) => after = Some(next),
                None => return Ok(left.values().all(|left| *left == 0)),
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

fn one(made: &Made, adopted: bool) -> Observed {
    Observed::One(made.state(adopted))
}

fn too_large(what: &str) -> Fault {
    let what = format!(
        "the order has more {what} than can be told apart: record this shipment in Shopify by hand and skip it here"
    );
    Fault::new(FaultKind::Rejected, code::TOO_LARGE, what)
}
