//! Catalogs: made for company locations, and the limits of Shopify's plans. At most 25 of them may be a location's; below
//! Plus a location has none of its own: there are three in all, of markets, and they are made by hand.

use super::{Catalog, Fault, Kind, Prices};
use crate::shopify::config::Plan;
use std::collections::BTreeSet;

const OF_LOCATION_MAX: usize = 25;
/// B2B catalogs that are in use, below Plus.
pub(super) const SMALL_PLAN_MAX: usize = 3;

#[derive(Clone, Debug, Default)]
pub(in crate::shopify) struct Context {
    pub(in crate::shopify) locations: Option<Vec<u64>>,
    pub(in crate::shopify) names_markets: bool,
}

#[derive(Clone, Debug)]
pub(in crate::shopify) struct NewCatalog {
    pub(in crate::shopify) title: String,
    pub(in crate::shopify) status: String,
    pub(in crate::shopify) context: Context,
    pub(in crate::shopify) list: Option<u64>,
}

#[derive(Clone, Debug, Default)]
pub(in crate::shopify) struct CatalogChange {
    pub(in crate::shopify) title: Option<String>,
    pub(in crate::shopify) status: Option<String>,
    pub(in crate::shopify) list: Option<u64>,
}

pub(in crate::shopify) fn has_direct_catalogs(plan: Plan) -> bool {
    matches!(plan, Plan::Plus | Plan::Enterprise)
}

fn title_fault(title: &str) -> Option<Fault> {
    let at = &["input", "title"];
    match title.chars().count() {
        _ if title.trim().is_empty() => Some(Fault::at("BLANK", at, "Title can't be blank")),
        256.. => Some(Fault::at("TOO_LONG", at, "Title is too long (maximum is 255 characters)")),
        _ => None,
    }
}

fn plan_fault(plan: Plan, status: &str) -> Option<Fault> {
    (!has_direct_catalogs(plan) && status == "ACTIVE").then(|| {
        let text = "Catalogs assigned to company locations can't be set to active with your plan.";
        Fault::at("UNPERMITTED_ENTITLEMENTS_DIRECT_CATALOG_ASSIGNMENT", &["input", "status"], text)
    })
}

impl Prices {
    /// `known`: company locations that orders name.
    fn location_faults(
        &self,
        locations: &[u64],
        known: &BTreeSet<u64>,
        own: Option<u64>,
        at: &[&str],
    ) -> Vec<Fault> {
        let mut faults = Vec::new();
        for (index, id) in locations.iter().enumerate() {
            if !known.contains(id) && !self.locations.contains_key(id) {
                let text = "The company location could not be found.";
                faults.push(Fault::of(Some("COMPANY_LOCATION_NOT_FOUND"), at, index, "", text));
            }
            let has = self
                .catalogs
                .values()
                .filter(|catalog| Some(catalog.id) != own && catalog.locations.contains(id));
            if has.count() >= OF_LOCATION_MAX {
                let text = "Cannot save the catalog because the catalog limit for the context was reached.";
                faults.push(Fault::of(Some("CONTEXT_CATALOG_LIMIT_REACHED"), at, index, "", text));
            }
        }
        faults
    }

    fn list_fault(&self, list: Option<u64>) -> Option<Fault> {
        let missing = list.is_some_and(|id| !self.lists.contains_key(&id));
        missing.then(|| Fault::at("PRICE_LIST_NOT_FOUND", &["input", "priceListId"], "Price list not found."))
    }

    pub(in crate::shopify) fn create_catalog(
        &mut self,
        id: u64,
        new: &NewCatalog,
        known: &BTreeSet<u64>,
        plan: Plan,
    ) -> Result<(), Vec<Fault>> {
        let mut faults: Vec<Fault> = title_fault(&new.title).into_iter().collect();
        faults.extend(self.list_fault(new.list));
        faults.extend(plan_fault(plan, &new.status));
        let at = ["input", "context", "companyLocationIds"];
        match (&new.context.locations, new.context.names_markets) {
            (Some(locations), false) => faults.extend(self.location_faults(locations, known, None, &at)),
            _ => {
                let text = "Must provide exactly one context type.";
                faults.push(Fault::at("MUST_PROVIDE_EXACTLY_ONE_CONTEXT_TYPE", &["input", "context"], text));
            }
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        let locations = new.context.locations.iter().flatten().copied().collect();
        let (title, status, kind) = (new.title.clone(), new.status.clone(), Kind::CompanyLocation);
        self.catalogs.insert(id, Catalog { id, title, status, kind, locations, list: None });
        if let Some(list) = new.list {
            self.tie(Some(id), list);
        }
        Ok(())
    }

    pub(in crate::shopify) fn update_catalog(
        &mut self,
        id: u64,
        change: &CatalogChange,
        plan: Plan,
    ) -> Result<(), Vec<Fault>> {
        self.writable(id, &["id"])?;
        let mut faults: Vec<Fault> = change.title.as_deref().and_then(title_fault).into_iter().collect();
        faults.extend(self.list_fault(change.list));
        faults.extend(change.status.as_deref().and_then(|status| plan_fault(plan, status)));
        if !faults.is_empty() {
            return Err(faults);
        }
        if let Some(catalog) = self.catalogs.get_mut(&id) {
            catalog.title = change.title.clone().unwrap_or_else(|| catalog.title.clone());
            catalog.status = change.status.clone().unwrap_or_else(|| catalog.status.clone());
        }
        if let Some(list) = change.list {
            self.tie(Some(id), list);
        }
        Ok(())
    }

    /// `catalogContextUpdate`.
    pub(in crate::shopify) fn change_context(
        &mut self,
        id: u64,
        (add, remove): (Option<&Context>, Option<&Context>),
        known: &BTreeSet<u64>,
    ) -> Result<(), Vec<Fault>> {
        self.writable(id, &["catalogId"])?;
        if add.is_none() && remove.is_none() {
            let text = "Must have `contexts_to_add` or `contexts_to_remove` argument.";
            return Err(vec![Fault::at("REQUIRES_CONTEXTS_TO_ADD_OR_REMOVE", &["contextsToAdd"], text)]);
        }
        if [add, remove].into_iter().flatten().any(|context| context.names_markets) {
            let text = "The arguments `contextsToAdd` and `contextsToRemove` must match existing catalog context type.";
            return Err(vec![Fault::at("CONTEXT_DRIVER_MISMATCH", &["contextsToAdd"], text)]);
        }
        let named =
            |context: Option<&Context>| context.and_then(|one| one.locations.clone()).unwrap_or_default();
        let (add, remove) = (named(add), named(remove));
        let at = ["contextsToAdd", "companyLocationIds"];
        let mut faults = self.location_faults(&add, known, Some(id), &at);
        let Some(catalog) = self.catalogs.get_mut(&id) else { return Ok(()) };
        for (index, one) in add.iter().enumerate().filter(|(_, one)| catalog.locations.contains(one)) {
            let text = format!("Context driver {one} already assigned to this catalog.");
            faults.push(Fault::of(Some("CONTEXT_ALREADY_ASSIGNED_TO_CATALOG"), &at, index, "", &text));
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        catalog.locations.extend(add);
        catalog.locations.retain(|one| !remove.contains(one));
        Ok(())
    }

    pub(in crate::shopify) fn delete_catalog(&mut self, id: u64, with_list: bool) -> Result<(), Vec<Fault>> {
        self.writable(id, &["id"])?;
        let catalog = self.catalogs.remove(&id);
        if let Some(list) = catalog.and_then(|catalog| catalog.list).filter(|_| with_list) {
            self.lists.remove(&list);
        }
        Ok(())
    }

    fn writable(&self, id: u64, at: &[&str]) -> Result<(), Vec<Fault>> {
        let fault = match self.catalogs.get(&id).map(|catalog| catalog.kind) {
            None => Fault::at("CATALOG_NOT_FOUND", at, "The catalog wasn't found."),
            Some(Kind::App) => {
                Fault::at("CANNOT_MODIFY_APP_CATALOG", at, "Cannot modify a catalog for an app.")
            }
            Some(Kind::Market) => {
                Fault::at("CANNOT_MODIFY_MARKET_CATALOG", at, "Cannot modify a catalog for a market.")
            }
            Some(Kind::CompanyLocation) => return Ok(()),
        };
        Err(vec![fault])
    }
}
