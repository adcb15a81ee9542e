//! What Medusa shipped of this shop's orders, as shipments (docs/shipments.md): one for each fulfilment, once it left, and again where
//! it is written later or cancelled. Owns which orders are this shop's: those that bear our key.
//!
//! A fulfilment's version is the time at which Medusa last wrote it. Each question begins some time before the newest order that was
//! seen, and what is told twice is one fact to the hub.

use super::ask::Ask;
use super::config::ShipsWhen;
use super::ours::{Since, order_of, updated_at};
use super::wire::{exact, list, text};
use connector::polled::number_of;
use connector::port::{Changes, Fed};
use domains::shipments;
use jiff::{SignedDuration, Timestamp};
use kernel::fault::Fault;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// What it gives.
pub(super) const SCHEMA: &str = "shipment/1";
/// Orders of one answer.
const PAGE: usize = 100;
/// A fulfilment in the shop has no more.
const NUMBERS_MAX: usize = 10;
/// A change that was begun before another one, and committed after it, is within this.
const OVERLAP: SignedDuration = SignedDuration::from_mins(2);

const FIELDS: &str = "id,updated_at,metadata,items.id,items.variant_sku,fulfillments.id,fulfillments.location_id,\
                      fulfillments.packed_at,fulfillments.shipped_at,fulfillments.canceled_at,fulfillments.updated_at,\
                      fulfillments.items.line_item_id,fulfillments.items.sku,fulfillments.items.raw_quantity,\
                      fulfillments.labels.tracking_number,fulfillments.labels.tracking_url";

/// From where it is asked next.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Point {
    /// The newest order that was seen by the last question that came to its end.
    since: Option<Timestamp>,
    /// Where the question that is under way goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    under_way: Option<Since>,
}

impl Ask<'_> {
    pub(super) async fn shipment_changes(&self, after: Option<&str>) -> Result<Changes, Fault> {
        let point: Point = after.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
        let begin = Since { at: point.since.map(|since| since - OVERLAP), offset: 0 };
        let (orders, next) = self.orders_since(point.under_way.unwrap_or(begin), FIELDS, PAGE).await?;
        let items = orders.iter().flat_map(|order| self.parcels(order)).collect();
        let more = next.is_some();
        let newest = orders.iter().filter_map(updated_at).max().max(point.since);
        let next = Point { since: if more { point.since } else { newest }, under_way: next };
        Ok(Changes { items, next: serde_json::to_string(&next).unwrap_or_default(), more })
    }

    fn parcels(&self, order: &Value) -> Vec<Fed> {
        let Some(number) = order_of(order, self.call.shop.as_str()) else { return Vec::new() };
        list(order, "fulfillments").filter_map(|one| self.parcel(order, &number, one)).collect()
    }

    /// `None`: it has not left.
    fn parcel(&self, order: &Value, number: &str, one: &Value) -> Option<Fed> {
        let time = |field: &str| text(one, field)?.parse::<Timestamp>().ok();
        let (id, written) = (text(one, "id")?, time("updated_at")?);
        let left = match self.config.ships_when {
            ShipsWhen::Shipped => time("shipped_at"),
            ShipsWhen::Packed => time("shipped_at").or_else(|| time("packed_at")),
        }?;
        let mut body =
            Map::from_iter([("shipment".to_owned(), json!(id)), ("order".to_owned(), json!(number))]);
        if let Some(cancelled) = time("canceled_at") {
            body.insert("cancelled_at".to_owned(), json!(cancelled.to_string()));
        } else {
            body.extend(self.shipped(order, one, left)?);
        }
        Some(Fed {
            path: shipments::path(number, &id),
            topic: shipments::TOPIC.to_owned(),
            sequence: number_of(written),
            payload: Value::Object(body).to_string().into_bytes(),
            change: None,
        })
    }

    /// `None`: nothing of it is known by a SKU.
    fn shipped(&self, order: &Value, one: &Value, left: Timestamp) -> Option<Map<String, Value>> {
        let sold: BTreeMap<String, String> = list(order, "items")
            .filter_map(|item| Some((text(item, "id")?, text(item, "variant_sku")?)))
            .collect();
        let lines: Vec<Value> = list(one, "items")
            .filter_map(|item| {
                // As it was sold: the shelf may call it otherwise. A line that is sent in several things is told by theirs.
                let line = text(item, "line_item_id").unwrap_or_default();
                let alone = list(one, "items")
                    .filter(|other| text(other, "line_item_id").as_ref() == Some(&line))
                    .count()
                    == 1;
                let sku = sold.get(&line).filter(|_| alone).cloned().or_else(|| text(item, "sku"))?;
                let quantity = exact(item, "quantity").filter(|_| !sku.trim().is_empty())?;
                Some(json!({"sku": sku, "quantity": quantity.normalize().to_string()}))
            })
            .collect();
        if lines.is_empty() {
            return None;
        }
        let mut body = Map::new();
        let place = text(one, "location_id");
        if let Some(place) = place.as_deref().and_then(|place| self.config.called(place)) {
            body.insert("location".to_owned(), json!(place));
        }
        body.insert("lines".to_owned(), json!(lines));
        body.insert("shipped_at".to_owned(), json!(left.to_string()));
        let said = |field: &str| -> Vec<String> {
            let said =
                list(one, "labels").filter_map(|label| text(label, field)).map(|said| said.trim().to_owned());
            said.filter(|said| !said.is_empty()).take(NUMBERS_MAX).collect()
        };
        let mut urls = said("tracking_url");
        urls.retain(|url| url.starts_with("https://") || url.starts_with("http://"));
        let numbers = said("tracking_number");
        if !numbers.is_empty() {
            body.insert("tracking".to_owned(), json!({"numbers": numbers, "urls": urls}));
        }
        Some(body)
    }
}
