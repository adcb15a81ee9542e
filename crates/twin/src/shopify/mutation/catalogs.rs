//! Catalogs and price lists: their arguments and how they answer. The rules are `prices`'.

use super::payload;
use crate::shop::gid;
use crate::shopify::answer::{Answer, Arguments, Refusal, Request, Resolved};
use crate::shopify::nodes::{CatalogNode, PriceListNode, global_id, id_of, user_error};
use crate::shopify::prices::{CatalogChange, Context, Fault, NewCatalog, NewList};
use rust_decimal::Decimal;
use serde_json::Value;
use std::collections::BTreeSet;
use std::sync::Arc;

/// A catalog's id has its own type in it; any of them will do, and `Catalog` too.
fn catalog_id(id: &str) -> Result<u64, Refusal> {
    match global_id(id)? {
        ("Catalog" | "CompanyLocationCatalog" | "MarketCatalog" | "AppCatalog", number) => Ok(number),
        _ => Err(Refusal::new("RESOURCE_NOT_FOUND", format!("Invalid id: {id}"))),
    }
}

fn text<'a>(input: &'a Value, name: &str) -> Option<&'a str> {
    input.get(name).and_then(Value::as_str)
}

fn errors(type_name: &'static str, faults: Vec<Fault>) -> Vec<Answer> {
    faults
        .into_iter()
        .map(|fault| user_error(type_name, fault.code, Some(fault.field), &fault.text))
        .collect()
}

/// Locations that orders of companies name.
fn known(request: &Request) -> BTreeSet<u64> {
    let state = request.shop.state();
    state
        .orders
        .values()
        .filter_map(|order| order.company.as_ref().map(|company| company.location_id))
        .collect()
}

fn context(input: Option<&Value>) -> Result<Option<Context>, Refusal> {
    let Some(input) = input.filter(|input| !input.is_null()) else { return Ok(None) };
    let ids = |name: &str, kind: &str| {
        let ids = input.get(name).and_then(Value::as_array);
        ids.map(|ids| {
            ids.iter().map(|id| id_of(kind, id.as_str().unwrap_or_default())).collect::<Result<_, _>>()
        })
        .transpose()
    };
    let markets: Option<Vec<u64>> = ids("marketIds", "Market")?;
    Ok(Some(Context {
        locations: ids("companyLocationIds", "CompanyLocation")?,
        names_markets: markets.is_some(),
    }))
}

fn list_id(input: &Value, name: &str) -> Result<Option<u64>, Refusal> {
    text(input, name).map(|id| id_of("PriceList", id)).transpose()
}

fn no_publication(input: &Value) -> Result<(), Refusal> {
    match text(input, "publicationId") {
        None => Ok(()),
        Some(_) => Err(Refusal::not_modelled("catalogs with a publication")),
    }
}

fn catalog(type_name: &'static str, id: u64, done: Result<(), Vec<Fault>>, request: &Request) -> Resolved {
    let errors = errors("CatalogUserError", done.err().unwrap_or_default());
    let node = CatalogNode::find(request, id).filter(|_| errors.is_empty());
    payload(type_name, "catalog", node.map(Answer::node), errors)
}

pub(super) fn create(args: &Arguments, request: &Arc<Request>) -> Resolved {
    let input = args.get("input").cloned().unwrap_or_default();
    no_publication(&input)?;
    let new = NewCatalog {
        title: text(&input, "title").unwrap_or_default().to_owned(),
        status: text(&input, "status").unwrap_or_default().to_owned(),
        context: context(input.get("context"))?.unwrap_or_default(),
        list: list_id(&input, "priceListId")?,
    };
    let known = known(request);
    let mut state = request.shop.state();
    let id = state.next_id();
    let done = state.prices.create_catalog(id, &new, &known, request.shop.config.plan);
    drop(state);
    catalog("CatalogCreatePayload", id, done, request)
}

pub(super) fn update(args: &Arguments, request: &Arc<Request>) -> Resolved {
    let id = catalog_id(args.text("id").unwrap_or_default())?;
    let input = args.get("input").cloned().unwrap_or_default();
    no_publication(&input)?;
    if input.get("context").is_some_and(|context| !context.is_null()) {
        return Err(Refusal::not_modelled("catalogUpdate with a context: take catalogContextUpdate"));
    }
    let change = CatalogChange {
        title: text(&input, "title").map(str::to_owned),
        status: text(&input, "status").map(str::to_owned),
        list: list_id(&input, "priceListId")?,
    };
    let done = request.shop.state().prices.update_catalog(id, &change, request.shop.config.plan);
    catalog("CatalogUpdatePayload", id, done, request)
}

pub(super) fn change_context(args: &Arguments, request: &Arc<Request>) -> Resolved {
    let id = catalog_id(args.text("catalogId").unwrap_or_default())?;
    let (add, remove) = (context(args.get("contextsToAdd"))?, context(args.get("contextsToRemove"))?);
    let known = known(request);
    let done = request.shop.state().prices.change_context(id, (add.as_ref(), remove.as_ref()), &known);
    catalog("CatalogContextUpdatePayload", id, done, request)
}

pub(super) fn delete(args: &Arguments, request: &Arc<Request>) -> Resolved {
    let given = args.text("id").unwrap_or_default();
    let id = catalog_id(given)?;
    let done = request.shop.state().prices.delete_catalog(id, args.flag("deleteDependentResources"));
    let deleted = done.is_ok().then(|| Answer::Leaf(given.into()));
    payload(
        "CatalogDeletePayload",
        "deletedId",
        deleted,
        errors("CatalogUserError", done.err().unwrap_or_default()),
    )
}

/// Percent, with its sign.
fn adjustment(parent: Option<&Value>) -> Result<Option<Decimal>, Refusal> {
    let Some(adjustment) = parent.and_then(|parent| parent.get("adjustment")) else { return Ok(None) };
    let value =
        adjustment.get("value").map(ToString::to_string).and_then(|value| value.parse::<Decimal>().ok());
    let value = value.ok_or_else(|| Refusal::bad_request("The adjustment value is invalid."))?;
    Ok(Some(if text(adjustment, "type") == Some("PERCENTAGE_DECREASE") { -value } else { value }))
}

fn list(type_name: &'static str, id: u64, done: Result<(), Vec<Fault>>, request: &Request) -> Resolved {
    let errors = errors("PriceListUserError", done.err().unwrap_or_default());
    let node = PriceListNode::find(request, id).filter(|_| errors.is_empty());
    payload(type_name, "priceList", node.map(Answer::node), errors)
}

pub(super) fn create_list(args: &Arguments, request: &Arc<Request>) -> Resolved {
    let input = args.get("input").cloned().unwrap_or_default();
    let new = NewList {
        name: text(&input, "name").unwrap_or_default().to_owned(),
        currency: text(&input, "currency").unwrap_or_default().to_owned(),
        adjustment: adjustment(input.get("parent"))?.unwrap_or_default(),
        catalog: text(&input, "catalogId").map(catalog_id).transpose()?,
    };
    let mut state = request.shop.state();
    let id = state.next_id();
    let done = state.prices.create_list(id, &new);
    drop(state);
    list("PriceListCreatePayload", id, done, request)
}

pub(super) fn update_list(args: &Arguments, request: &Arc<Request>) -> Resolved {
    let id = id_of("PriceList", args.text("id").unwrap_or_default())?;
    let input = args.get("input").cloned().unwrap_or_default();
    let catalog = text(&input, "catalogId").map(catalog_id).transpose()?;
    let adjustment = adjustment(input.get("parent"))?;
    let (name, currency) = (text(&input, "name"), text(&input, "currency"));
    let done = request.shop.state().prices.update_list(id, name, currency, adjustment, catalog);
    list("PriceListUpdatePayload", id, done, request)
}

pub(super) fn delete_list(args: &Arguments, request: &Arc<Request>) -> Resolved {
    let id = id_of("PriceList", args.text("id").unwrap_or_default())?;
    let done = request.shop.state().prices.delete_list(id);
    let deleted = done.is_ok().then(|| Answer::Leaf(gid("PriceList", id).into()));
    payload(
        "PriceListDeletePayload",
        "deletedId",
        deleted,
        errors("PriceListUserError", done.err().unwrap_or_default()),
    )
}
