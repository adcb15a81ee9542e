//! Ids: the number of the global id, as text. The gid wins where the two disagree, because numbers above 2^53 that
//! went through JavaScript are rounded.

use super::at::{At, Read};
use crate::json::Json;
use crate::orders::fault::BodyCode;

/// An object's own id and gid.
pub(crate) struct Ids {
    pub(crate) id: String,
    pub(crate) gid: String,
}

/// Reads `id` and `admin_graphql_api_id` (REST) or `id` (GraphQL) of an object of the type.
pub(crate) fn own(at: &At<'_>, kind: &str) -> Read<Ids> {
    if let Some(gid) = at.get("admin_graphql_api_id", "id") {
        if let Some(id) = gid_number(&gid) {
            return Ok(Ids { gid: canonical_gid(kind, &id), id });
        }
        if at.get("id", "id").is_none() {
            return Err(gid.fault(BodyCode::WrongType, format!("is not a gid://shopify/{kind}/… id")));
        }
    }
    let id = number(&at.need("id", "id")?)?;
    Ok(Ids { gid: canonical_gid(kind, &id), id })
}

/// A gid of another type says that the body is something else: a draft order looks much like an order.
pub(crate) fn refuse_other_type(at: &At<'_>, kind: &str) -> Read<()> {
    let Some(gid) = at.get("admin_graphql_api_id", "id") else { return Ok(()) };
    let Json::String(text) = gid.json else { return Ok(()) };
    let found = gid_digits(text).and_then(|_| text.split('/').nth(3)).unwrap_or(kind);
    if found == kind {
        return Ok(());
    }
    Err(gid.fault(BodyCode::WrongType, format!("is the id of a {found}, not of an {kind}")))
}

/// The number of an object's own id, where it can be read.
pub(crate) fn own_id(at: &At<'_>, kind: &str) -> Option<String> {
    own(at, kind).ok().map(|ids| ids.id)
}

/// As [`own`], where the object may have no id.
pub(crate) fn own_opt(at: &At<'_>, kind: &str) -> Read<Option<Ids>> {
    let known = at.get("id", "id").is_some() || at.get("admin_graphql_api_id", "id").is_some();
    if known { own(at, kind).map(Some) } else { Ok(None) }
}

/// A reference to another object: a number in REST, `{id: gid}` in GraphQL.
pub(crate) fn reference<'a>(at: &'a At<'a>, rest: &'a str, graphql: &'a str) -> Read<Option<String>> {
    let Some(found) = at.get(rest, graphql) else { return Ok(None) };
    match found.json {
        Json::Object(_) => match found.get("id", "id") {
            Some(id) => number(&id).map(Some),
            None => Ok(None),
        },
        _ => number(&found).map(Some),
    }
}

/// The digits of an id that is a number, a string of digits, or a gid.
pub(crate) fn number(at: &At<'_>) -> Read<String> {
    let digits = match at.json {
        Json::String(_) if gid_number(at).is_some() => gid_number(at),
        Json::String(_) | Json::Number(_) => Some(at.spelled()?.to_owned()),
        _ => None,
    };
    digits
        .filter(|text| !text.is_empty() && text.len() <= 20 && text.bytes().all(|b| b.is_ascii_digit()))
        .ok_or_else(|| at.fault(BodyCode::WrongType, "is not an id: a whole number or a gid://shopify/… is"))
}

/// `gid://shopify/Order/5678` and `gid://shopify/InventoryLevel/5?inventory_item_id=6` hold a number.
fn gid_number(at: &At<'_>) -> Option<String> {
    let Json::String(text) = at.json else { return None };
    gid_digits(text).map(str::to_owned)
}

/// The number of a gid; `None` where the text is none.
pub(crate) fn gid_digits(gid: &str) -> Option<&str> {
    let (_, last) = gid.strip_prefix("gid://shopify/")?.split_once('/')?;
    let digits = last.split(['?', '/']).next()?;
    let good = !digits.is_empty() && digits.len() <= 20 && digits.bytes().all(|b| b.is_ascii_digit());
    good.then_some(digits)
}

fn canonical_gid(kind: &str, id: &str) -> String {
    format!("gid://shopify/{kind}/{id}")
}

/// Sorts ids as numbers: shorter first, then by digits.
pub(crate) fn rank(id: &str) -> (usize, &str) {
    (id.len(), id)
}
