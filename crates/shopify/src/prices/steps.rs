//! The steps done: price lists and catalogs made, activated, changed, taken away. A name is looked up before it is made, and a
//! price list's is unique in the shop: one that was perhaps made is found at the next look.

use super::memory;
use super::patience::Shop;
use super::places::Step;
use super::read::{gid, number};
use super::run::Round;
use crate::graphql::{
    ACTIVATE_CATALOG, CHANGE_CATALOG, CREATE_CATALOG, CREATE_PRICE_LIST, DELETE_CATALOG, Document, Reply,
};
use domains::prices::{ARRAY_MAX, Arranged, Record};
use kernel::fault::{Fault, FaultKind};
use serde_json::{Value, json};
use std::collections::BTreeSet;

fn locations(all: &BTreeSet<u64>) -> Vec<String> {
    all.iter().map(|location| gid("CompanyLocation", *location)).collect()
}

/// The place of a location in what was sent: `input.context.companyLocationIds.3`.
fn place_of(field: Option<&str>) -> Option<usize> {
    let (_, rest) = field?.split_once("companyLocationIds.")?;
    rest.split('.').next()?.parse().ok()
}

/// What came of a write.
enum Came {
    Done(Reply),
    /// Not known, or refused: told, and looked at again.
    Not,
    /// Without these locations it may be done.
    Without(Vec<usize>),
}

impl Round<'_, '_> {
    /// Done one after another; one that is refused holds back none of the others.
    pub(super) async fn step(&mut self, step: &Step, arranged: &Arranged) -> Result<(), Fault> {
        match step {
            Step::Make { catalog, name, list, locations } => {
                let currency = arranged.catalogs[*catalog].currency;
                let list = match list {
                    Some(list) => Some(*list),
                    None => {
                        let made = self.make_list(name, currency.code()).await?;
                        if let Some(made) = made {
                            let empty = Record::of_new(made, currency);
                            memory::keep(self.options.memory.as_ref(), &empty).await?;
                        }
                        made
                    }
                };
                self.ids[*catalog] = list;
                if let Some(list) = list {
                    self.make_catalog(name, list, locations).await?;
                }
            }
            Step::AddLocations { id, name, locations } => {
                let mut rest: Vec<u64> = locations.iter().copied().collect();
                while !rest.is_empty() {
                    let some: BTreeSet<u64> = rest.drain(..rest.len().min(ARRAY_MAX)).collect();
                    self.add_locations(id, name, some).await?;
                }
            }
            Step::Activate { id, name } => {
                self.call(name, &ACTIVATE_CATALOG, &json!({ "id": id })).await?;
            }
            Step::RemoveLocations { id, name, locations: gone } => {
                for some in locations(gone).chunks(ARRAY_MAX) {
                    let context = json!({ "companyLocationIds": some });
                    let variables = json!({ "catalogId": id, "contextsToRemove": context });
                    self.call(name, &CHANGE_CATALOG, &variables).await?;
                }
            }
            Step::Delete { id, name } => {
                self.call(name, &DELETE_CATALOG, &json!({ "id": id, "withList": true })).await?;
            }
        }
        Ok(())
    }

    async fn make_list(&mut self, name: &str, currency: &str) -> Result<Option<u64>, Fault> {
        let parent = json!({ "adjustment": { "type": "PERCENTAGE_DECREASE", "value": 0.0 } });
        let input = json!({ "name": name, "currency": currency, "parent": parent });
        Ok(match self.call(name, &CREATE_PRICE_LIST, &json!({ "input": input })).await? {
            Came::Done(reply) => {
                reply.data.pointer("/priceListCreate/priceList/id").and_then(Value::as_str).and_then(number)
            }
            Came::Not | Came::Without(_) => None,
        })
    }

    /// As many locations at a time as an array may have; the rest is added at the next look.
    async fn make_catalog(&mut self, name: &str, list: u64, all: &BTreeSet<u64>) -> Result<(), Fault> {
        let mut some: Vec<u64> = all.iter().copied().take(ARRAY_MAX).collect();
        loop {
            let ids: Vec<String> = some.iter().map(|location| gid("CompanyLocation", *location)).collect();
            let context = json!({ "companyLocationIds": ids });
            let list = gid("PriceList", list);
            let input = json!({ "title": name, "status": "DRAFT", "priceListId": list, "context": context });
            match self.call(name, &CREATE_CATALOG, &json!({ "input": input })).await? {
                Came::Without(places) if places.len() < some.len() => self.without(name, &mut some, &places),
                Came::Without(places) => {
                    self.without(name, &mut some, &places);
                    return Ok(());
                }
                Came::Done(_) | Came::Not => return Ok(()),
            }
        }
    }

    async fn add_locations(&mut self, id: &str, name: &str, all: BTreeSet<u64>) -> Result<(), Fault> {
        let mut some: Vec<u64> = all.into_iter().collect();
        while !some.is_empty() {
            let ids: Vec<String> = some.iter().map(|location| gid("CompanyLocation", *location)).collect();
            let variables = json!({ "catalogId": id, "contextsToAdd": { "companyLocationIds": ids } });
            match self.call(name, &CHANGE_CATALOG, &variables).await? {
                Came::Without(places) => self.without(name, &mut some, &places),
                Came::Done(_) | Came::Not => return Ok(()),
            }
        }
        Ok(())
    }

    fn without(&mut self, name: &str, some: &mut Vec<u64>, places: &[usize]) {
        for place in places {
            if let Some(location) = some.get(*place) {
                self.refuse_at(name, *location);
            }
        }
        let mut place = 0;
        some.retain(|_| {
            place += 1;
            !places.contains(&(place - 1))
        });
    }

    async fn call(&mut self, name: &str, document: &Document, variables: &Value) -> Result<Came, Fault> {
        self.written.calls += 1;
        let shop: &Shop<'_> = self.shop;
        match shop.write(document, variables).await {
            Ok(reply) if reply.user_errors.is_empty() => Ok(Came::Done(reply)),
            Ok(reply) => {
                let places: Vec<usize> =
                    reply.user_errors.iter().filter_map(|error| place_of(error.field.as_deref())).collect();
                let is_of_locations = places.len() == reply.user_errors.len();
                for error in reply.user_errors {
                    let code = error.code.unwrap_or_default();
                    self.refuse(name, None, code, error.message);
                }
                if is_of_locations {
                    return Ok(Came::Without(places));
                }
                self.stuck.insert(name.to_owned());
                Ok(Came::Not)
            }
            Err(fault) if matches!(fault.kind, FaultKind::Ambiguous | FaultKind::Rejected) => {
                self.doubt(&format!("{} of {name}", document.name), &fault);
                Ok(Came::Not)
            }
            Err(fault) => Err(fault),
        }
    }
}
