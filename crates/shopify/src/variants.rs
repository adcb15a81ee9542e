//! Which SKU a variant of a shop has: a few by their ids while a cart waits, or all of them in the background. Keeps nothing; how
//! long it is believed is the caller's.

use crate::graphql::{Claim, Deadline, ShopClient, VARIANTS};
use crate::prices::gid_number;
use crate::source::shape;
use connector::port::CallContext;
use kernel::fault::Fault;
use serde_json::{Value, json};

/// Of one question; Shopify takes as many ids.
pub const ASKED_MAX: usize = 250;

/// The SKU of each, in their order: none where the shop has no such variant, an empty one where the variant has no SKU.
pub async fn skus(
    client: &ShopClient,
    call: &CallContext,
    variants: &[u64],
) -> Result<Vec<Option<Box<str>>>, Fault> {
    let deadline = Deadline::new(client, call);
    let mut skus = Vec::with_capacity(variants.len());
    for some in variants.chunks(ASKED_MAX) {
        let ids: Vec<String> = some.iter().map(|id| format!("gid://shopify/ProductVariant/{id}")).collect();
        let reply =
            client.ask_within(&deadline, Claim::STOREFRONT, &VARIANTS, &json!({ "ids": ids })).await?;
        let nodes = reply.data.get("nodes").and_then(Value::as_array);
        let nodes = nodes.filter(|nodes| nodes.len() == some.len()).ok_or_else(|| shape("nodes"))?;
        for (asked, node) in some.iter().zip(nodes) {
            skus.push(sku(*asked, node)?);
        }
    }
    Ok(skus)
}

fn sku(asked: u64, node: &Value) -> Result<Option<Box<str>>, Fault> {
    if node.is_null() {
        return Ok(None);
    }
    // The answers stand in the order of the ids; one that does not is no answer.
    let id = node.get("id").and_then(Value::as_str).and_then(gid_number);
    if id != Some(asked) {
        return Err(shape("id"));
    }
    Ok(Some(node.get("sku").and_then(Value::as_str).unwrap_or_default().into()))
}
