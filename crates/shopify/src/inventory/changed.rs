//! When the quantity of a pair was changed last, as far as Shopify says so. By whom it does not say: an adjustment names its app, and
//! not the person, and is found by its own id alone. Of a pair there is only the address of Shopify's page of its history.

use super::look::LEVELS_MAX;
use super::seen::unreadable;
use crate::graphql::{Claim, Deadline, STOCK_CHANGED, ShopClient};
use connector::port::CallContext;
use jiff::Timestamp;
use kernel::fault::Fault;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// What Shopify says of the last change.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changed {
    pub at: Option<Timestamp>,
    /// Its page, for people: it shows who.
    pub history_url: Option<String>,
}

/// Of levels, by their ids; one that is gone is left out.
///
/// # Errors
/// Shopify cannot be asked.
pub async fn changed(
    client: &ShopClient,
    call: &CallContext,
    levels: &[String],
) -> Result<BTreeMap<String, Changed>, Fault> {
    let deadline = Deadline::new(client, call);
    let mut all = BTreeMap::new();
    for ids in levels.chunks(LEVELS_MAX) {
        let reply =
            client.ask_within(&deadline, Claim::STOCK, &STOCK_CHANGED, &json!({ "ids": ids })).await?;
        let nodes = reply.data.get("nodes").and_then(Value::as_array).ok_or_else(unreadable)?;
        for node in nodes {
            let Some(id) = node["id"].as_str() else { continue };
            let at = node["quantities"][0]["updatedAt"].as_str().and_then(|at| at.parse().ok());
            let history_url = node["item"]["inventoryHistoryUrl"].as_str().map(str::to_owned);
            all.insert(id.to_owned(), Changed { at, history_url });
        }
    }
    Ok(all)
}
