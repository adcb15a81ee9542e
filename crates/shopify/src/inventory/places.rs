//! The locations of a shop, for a mapping that gives them by name: asked for once for each shop, and again when a name
//! is not among them.

use super::code;
use super::seen::alike;
use crate::graphql::{Claim, Deadline, LOCATIONS, ShopClient};
use kernel::fault::{Fault, FaultKind};
use kernel::id::ShopId;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// More than a shop may have (shopify.dev: at most 1,000 locations).
const PAGES_MAX: usize = 8;

/// A shop's locations by name.
pub(super) type Names = BTreeMap<String, String>;

/// What was learnt of all shops.
#[derive(Debug, Default)]
pub(super) struct Places(Mutex<BTreeMap<ShopId, Arc<Names>>>);

impl Places {
    fn known(&self) -> MutexGuard<'_, BTreeMap<ShopId, Arc<Names>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The locations of a shop, fresh if one that is wanted is not among those that are known.
    pub(super) async fn of(
        &self,
        client: &ShopClient,
        deadline: &Deadline,
        wanted: &BTreeSet<&str>,
    ) -> Result<Arc<Names>, Fault> {
        let known = self.known().get(client.id()).cloned();
        if let Some(known) = known
            && wanted.iter().all(|name| known.contains_key(*name))
        {
            return Ok(known);
        }
        let fresh = Arc::new(read(client, deadline).await?);
        self.known().insert(client.id().clone(), fresh.clone());
        Ok(fresh)
    }
}

pub(super) async fn read(client: &ShopClient, deadline: &Deadline) -> Result<Names, Fault> {
    let (mut names, mut after) = (Names::new(), Value::Null);
    for _ in 0..PAGES_MAX {
        let reply = client.ask_within(deadline, Claim::STOCK, &LOCATIONS, &json!({ "after": after })).await?;
        let page = &reply.data["locations"];
        for node in page["nodes"].as_array().ok_or_else(super::seen::unreadable)? {
            if let (Some(id), Some(name)) = (node["id"].as_str(), node["name"].as_str()) {
                names.insert(name.to_owned(), id.to_owned());
            }
        }
        if page["pageInfo"]["hasNextPage"] != json!(true) {
            return Ok(names);
        }
        after = page["pageInfo"]["endCursor"].clone();
    }
    let what = format!("the shop's locations do not end after {PAGES_MAX} pages: name them by their numbers");
    Err(Fault::new(FaultKind::Rejected, code::SHAPE, what))
}

/// A location that the name may have meant.
pub(super) fn similar(names: &Names, name: &str) -> Option<String> {
    names.keys().find(|known| alike(known, name)).cloned()
}
