//! What can be sold, set in Shopify: the part of the connector `shopify` that takes subjects of kind `ats`, many in one
//! call. Each pair of SKU and location is looked at (`available` and `committed` in one read), planned by what the source
//! has and what is in flight, and set by compare-and-set, so that no unit that Shopify sold meanwhile goes back on sale.
//! Owns no stock: it keeps nothing but the locations' names.

mod activate;
mod changed;
mod config;
mod explained;
mod find;
mod look;
mod places;
mod plan;
mod seen;
mod set;
mod shared;
pub mod snapshot;
mod want;

pub use changed::{Changed, changed};
pub(crate) use config::{Config, SETTINGS};
pub use config::{SCHEMA, SCHEMA_NAME};
pub(crate) use explained::unaccounted;
pub use explained::{Explained, LevelNow, explained};
pub use places::outlets;

use crate::graphql::Shops;
use connector::port::{Applied, CallContext, Observation, Plan, Step, Together, Wanted};
use domains::inventory::family::Shown;
use kernel::fault::{Fault, FaultKind, Reference};
use kernel::key::CallKey;
use places::Places;
use plan::Frozen;
use std::collections::BTreeSet;

/// What a subject of ours is: `ats` of `ats:SKU@LOCATION`.
pub const KIND: &str = "ats";

/// Our own codes; each has a page in `docs/errors/`.
mod code {
    /// What the mapping made is not what the schema says.
    pub(super) const BODY: &str = "TG-6401";
    /// A frozen call that cannot be read back.
    pub(super) const FROZEN: &str = "TG-6402";
    /// The item is not stocked at the location, and is not to be.
    pub(super) const NOT_STOCKED: &str = "TG-6403";
    /// Shopify does not track the item's quantity.
    pub(super) const UNTRACKED: &str = "TG-6404";
    /// Another member of the same call was refused.
    pub(super) const FOR_ANOTHER: &str = "TG-6405";
    /// An answer that does not show what was set.
    pub(super) const NOT_SHOWN: &str = "TG-6406";
    /// An answer without what its document asks for.
    pub(super) const SHAPE: &str = "TG-6407";
    /// Several variants have one SKU.
    pub(super) const MANY: &str = "TG-6408";
    /// A plan without a look.
    pub(super) const UNSEEN: &str = "TG-6409";
}

/// How long the first of a call waits for others: next to nothing beside two minutes, and a call costs as much for one
/// as for all.
const AGE: std::time::Duration = std::time::Duration::from_millis(200);

/// Looks at stock levels and sets them, in all shops.
#[derive(Debug)]
pub(crate) struct Inventory {
    config: Config,
    shops: Shops,
    places: Places,
}

impl Inventory {
    pub(crate) fn new(config: Config, shops: Shops) -> Self {
        Self { config, shops, places: Places::default() }
    }

    /// As many as one look holds: it bears fewer than a write.
    pub(crate) fn together(&self) -> Together {
        Together { most: look::LEVELS_MAX, at_once: 2, age: AGE }
    }

    pub(crate) async fn observe_many(
        &self,
        call: &CallContext,
        wanted: &[Wanted],
    ) -> Vec<Result<Observation, Fault>> {
        match self.shops.get(&call.shop) {
            Ok(client) => look::many(client, &self.places, call, wanted).await,
            Err(fault) => vec![Err(fault); wanted.len()],
        }
    }

    pub(crate) fn plan(&self, wanted: &Wanted, observed: &Observation) -> Plan {
        plan::plan(&self.config, wanted, observed)
    }

    pub(crate) async fn apply_many(
        &self,
        call: &CallContext,
        calls: &[(CallKey, Step)],
    ) -> Vec<Result<Applied, Fault>> {
        let client = match self.shops.get(&call.shop) {
            Ok(client) => client,
            Err(fault) => return vec![Err(fault); calls.len()],
        };
        let (mut sets, mut activations, mut answers) = (Vec::new(), Vec::new(), Vec::new());
        for (index, (key, step)) in calls.iter().enumerate() {
            match Frozen::read(step) {
                Ok(Frozen::Set { level, quantity, kin }) => {
                    sets.push(set::Member { index, key, level, quantity, kin });
                }
                Ok(Frozen::Activate { item, location, sku, kin }) => {
                    activations.push(activate::Member { index, key, item, location, sku, kin });
                }
                Err(fault) => answers.push((index, Err(fault))),
            }
        }
        answers.extend(set::many(client, &self.config, call, sets).await);
        answers.extend(activate::each(client, call, activations).await);
        answers.sort_by_key(|(index, _)| *index);
        answers.into_iter().map(|(_, answer)| answer).collect()
    }

    /// Whether a SKU or a location that was missing is there by now.
    pub(crate) async fn exists(&self, call: &CallContext, reference: &Reference) -> Result<bool, Fault> {
        let client = self.shops.get(&call.shop)?;
        match reference.kind.as_str() {
            "sku" => find::sku_exists(client, call, &reference.value).await,
            "location" => {
                let deadline = crate::graphql::Deadline::new(client, call);
                let name = reference.value.as_str();
                let names = self.places.of(client, &deadline, &BTreeSet::from([name])).await?;
                Ok(names.contains_key(name))
            }
            _ => {
                let what = format!("{reference} is not looked for in Shopify: nothing refers to it there");
                Err(Fault::new(FaultKind::Rejected, code::BODY, what))
            }
        }
    }
}

/// What is to be shown of something that shares its units, by what a mapping made and what the shop shows of it and of the others:
/// by SKU at its own location, or at another, as the mapping calls that or by its whole id. `None`: it shares none, or says nothing
/// certain.
#[must_use]
pub fn to_show(
    body: &serde_json::Value,
    own: Shown,
    others: &dyn Fn(&str, Option<&str>) -> Option<Shown>,
) -> Option<i64> {
    let want = want::Want::read(body).ok().filter(|want| want.shared != shared::Shared::No)?;
    Some(want.shared.to_show(&want, own, &|sku, at| others(sku, at.map(want::Where::as_str))))
}

/// The locations of a shop by name, each as its global id.
pub async fn location_ids(
    client: &crate::graphql::ShopClient,
    call: &CallContext,
) -> Result<std::collections::BTreeMap<String, String>, Fault> {
    places::read(client, &crate::graphql::Deadline::new(client, call)).await
}

/// Whether a frozen call is one of stock. A call of `write_back` is a whole document.
pub(crate) fn is_ours(step: &Step) -> bool {
    Frozen::read(step).is_ok()
}

/// Whether a look shows that a frozen call was carried out.
pub(crate) fn shows(step: &Step, observed: &Observation) -> Option<bool> {
    plan::shows(&Frozen::read(step).ok()?, observed)
}

/// The answer of a call for one thing.
pub(crate) fn only<T>(answers: Vec<Result<T, Fault>>) -> Result<T, Fault> {
    let none = || Err(Fault::new(FaultKind::Bug, code::UNSEEN, "a call for one thing has no answer"));
    answers.into_iter().next().unwrap_or_else(none)
}
