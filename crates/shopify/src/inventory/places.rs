//! The locations of a shop, for a mapping that gives them by name: asked for once for each shop, and again when a name
//! is not among them.

use super::code;
use super::seen::alike;
use super::want::Where;
use crate::graphql::{Claim, Deadline, LOCATIONS, ShopClient};
use connector::port::CallContext;
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

/// What is wrong with the locations of a flow's outlets in one shop, a sentence each; `outlets`: what the mapping makes of the name of each.
///
/// # Errors
/// As of any read.
pub async fn outlets(
    client: &ShopClient,
    call: &CallContext,
    outlets: &BTreeMap<String, Value>,
) -> Result<Vec<String>, Fault> {
    let names = read(client, &Deadline::new(client, call)).await?;
    Ok(wrong_of(&names, outlets))
}

fn wrong_of(names: &Names, outlets: &BTreeMap<String, Value>) -> Vec<String> {
    let (mut wrong, mut known) = (Vec::new(), BTreeMap::new());
    for (outlet, value) in outlets {
        let id = match Where::read(value) {
            Some(Where::Gid(id)) => names.values().any(|known| *known == id).then_some(id),
            Some(Where::Name(name)) => names.get(&name).cloned(),
            None => None,
        };
        let Some(id) = id else {
            let meant = value.as_str().and_then(|name| similar(names, name));
            let meant = meant.map_or_else(String::new, |meant| format!("; did you mean {meant:?}?"));
            wrong.push(format!("{outlet} is {value}, and the shop has no such location{meant}"));
            continue;
        };
        if let Some(first) = known.insert(id.clone(), outlet) {
            let called = names.iter().find(|(_, of)| **of == id).map_or(id.as_str(), |(name, _)| name);
            wrong.push(format!(
                "{first} and {outlet} are one of the shop's locations ({called}), so that each would set what the other shows: give each \
                 outlet a location of its own in the mapping's table"
            ));
        }
    }
    wrong
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outlets_that_are_one_location_are_told_whichever_way_they_are_written() {
        let names = [("Warehouse 1", "gid://shopify/Location/71"), ("Shop", "gid://shopify/Location/72")];
        let names: Names = names.map(|(name, id)| (name.to_owned(), id.to_owned())).into();
        let of = |web: Value, store: Value| {
            wrong_of(&names, &BTreeMap::from([("WEB".to_owned(), web), ("STORE".to_owned(), store)]))
        };
        assert_eq!(of(json!("Warehouse 1"), json!("Shop")), Vec::<String>::new());
        for store in [json!(71), json!("71"), json!("gid://shopify/Location/71"), json!(" Warehouse 1 ")] {
            let told = of(json!("Warehouse 1"), store.clone());
            assert!(
                told.len() == 1
                    && told[0].contains("STORE and WEB are one")
                    && told[0].contains("(Warehouse 1)"),
                "{store}: {told:?}"
            );
        }
        let told = of(json!("warehouse 1"), json!(73));
        assert!(
            told[0].contains("no such location") && told[1].contains("did you mean \"Warehouse 1\""),
            "{told:?}"
        );
    }
}
