//! What the system tells of shipments (docs/shipments.md): `GET /shipments?after=17&shop=acme` says what changed, in the form in
//! which levels are told. Owns the form; the data itself is the domain's to judge, byte for byte as it came.

use super::answer::parsed;
use connector::outbound::{Answer, segment};
use connector::port::{Changes, Fed};
use domains::shipments;
use kernel::fault::Fault;
use kernel::id::ShopId;
use serde::Deserialize;
use serde_json::value::RawValue;

/// What it gives.
pub(super) const SCHEMA: &str = "shipment/1";

#[derive(Deserialize)]
struct Item<'a> {
    version: i64,
    #[serde(borrow)]
    data: &'a RawValue,
}

#[derive(Deserialize)]
struct Page<'a> {
    #[serde(borrow)]
    items: Vec<Item<'a>>,
    next: String,
    #[serde(default)]
    more: bool,
}

/// Where to ask. A warehouse of several shops tells each what is its own.
pub(super) fn path(shop: &ShopId, after: Option<&str>) -> String {
    let after = after.map(|after| format!("&after={}", segment(after))).unwrap_or_default();
    format!("/shipments?shop={}{after}", segment(shop.as_str()))
}

pub(super) fn changes(answer: &Answer) -> Result<Changes, Fault> {
    let page: Page<'_> = parsed(answer)?;
    let items = page.items.iter().map(fed).collect::<Result<_, Fault>>()?;
    Ok(Changes { items, next: page.next, more: page.more })
}

/// A shipment that is not sound is given on as it is: it becomes a dead letter of its own, and holds back no other one. One that
/// does not even say whose it is has no place to go: the page is refused, and asked for again until the system has mended it.
fn fed(item: &Item<'_>) -> Result<Fed, Fault> {
    let payload = item.data.get().as_bytes().to_vec();
    let path = shipments::path_of(&payload)
        .map_err(|fault| super::answer::form(format!("version {}: {fault}", item.version)))?;
    Ok(Fed { path, topic: shipments::TOPIC.to_owned(), sequence: item.version, payload, change: None })
}
