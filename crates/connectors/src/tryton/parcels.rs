//! What Tryton shipped of this shop's sales, as shipments (docs/shipments.md). Owns which of them are told: those of sales that
//! our orders became, known by their reference; one for each order in a shipment, once it is done, and again where it is
//! written later or cancelled.
//!
//! A shipment's version is the time at which Tryton last wrote it, which is when that transaction began: each question begins
//! some time (`overlap`) before the newest that was seen. It asks for that time alone, because what is in a shipment costs Tryton a
//! hundred times as much: only what the point does not have yet is read.

use super::ask::Ask;
use super::places::Places;
use super::wire;
use connector::port::{Changes, Fed};
use domains::shipments;
use jiff::Timestamp;
use kernel::fault::Fault;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// What it gives.
pub(super) const SCHEMA: &str = "shipment/1";
/// Shipments of one answer.
const PAGE: usize = 100;
/// A fulfilment has no more.
const NUMBERS_MAX: usize = 10;

/// From where it is asked next.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Point {
    /// The newest that was seen by the last question that came to its end.
    since: Option<Timestamp>,
    /// Of the question that is under way: up to which id, and the newest so far.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    under_way: Option<(i64, Option<Timestamp>)>,
    /// What was told of the last while: as of when.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    told: BTreeMap<i64, Timestamp>,
}

impl Ask<'_> {
    pub(super) async fn shipment_changes(
        &self,
        places: &Places,
        after: Option<&str>,
    ) -> Result<Changes, Fault> {
        let mut point: Point = after.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
        let (last, newest) = point.under_way.unwrap_or((0, point.since));
        let from = point.since.and_then(|since| since.checked_sub(self.config.overlap).ok());
        let ours = format!("{}-order-", self.call.shop);
        let mut domain = vec![
            json!(["id", ">", last]),
            json!(["company", "=", self.config.company]),
            json!(["state", "in", ["done", "cancelled"]]),
            json!(["moves.origin.sale.reference", "like", format!("{}%", like(&ours)), "sale.line"]),
        ];
        domain.extend(from.map(|from| json!(["last_modified_at", ">=", wire::instant(from)])));
        let found = self.shipments(json!(domain), &["last_modified_at".to_owned()]).await?;
        let written = |record: &Value| {
            wire::id(record).zip(record.get("last_modified_at").and_then(wire::read_instant))
        };
        let found: BTreeMap<i64, Timestamp> = found.iter().filter_map(written).collect();
        let news: Vec<i64> =
            found.iter().filter(|(id, at)| point.told.get(*id) != Some(*at)).map(|(id, _)| *id).collect();
        let mut items = Vec::new();
        if !news.is_empty() {
            let fields = self.fields().await?;
            for record in self.shipments(json!([["id", "in", news]]), &fields).await? {
                let Some((_, at)) = written(&record) else { continue };
                items.extend(self.parcels(&record, at, &ours, places));
            }
        }
        let newest = found.values().copied().max().max(newest);
        let more = found.len() == PAGE;
        let next = found.keys().next_back().copied().unwrap_or(last);
        point.told.extend(found);
        let from = newest.and_then(|newest| newest.checked_sub(self.config.overlap).ok());
        point.told.retain(|_, at| from.is_none_or(|from| *at >= from));
        if more {
            point.under_way = Some((next, newest));
        } else {
            (point.since, point.under_way) = (newest, None);
        }
        Ok(Changes { items, next: serde_json::to_string(&point).unwrap_or_default(), more })
    }

    async fn shipments(&self, domain: Value, fields: &[String]) -> Result<Vec<Value>, Fault> {
        let params = vec![domain, json!(0), json!(PAGE), json!([["id", "ASC"]]), json!(fields)];
        match self.call("model.stock.shipment.out.search_read", params).await? {
            Value::Array(records) => Ok(records),
            _ => Err(super::ask::no_list("stock.shipment.out")),
        }
    }

    async fn fields(&self) -> Result<Vec<String>, Fault> {
        let mut fields: Vec<String> = [
            "number",
            "state",
            "last_modified_at",
            "warehouse_storage",
            "outgoing_moves.state",
            "outgoing_moves.from_location",
            "outgoing_moves.internal_quantity",
            "outgoing_moves.last_modified_at",
            "outgoing_moves.product.code",
            "outgoing_moves.sale.reference",
        ]
        .map(str::to_owned)
        .to_vec();
        if let Some(tracking) = &self.config.tracking {
            fields.push(tracking.clone());
            // Who carries it is a module's field.
            let known = self.call("model.stock.shipment.out.fields_get", vec![json!(["carrier"])]).await?;
            if known.get("carrier").is_some() {
                fields.push("carrier.party.name".to_owned());
            }
        }
        Ok(fields)
    }

    /// One for each order of ours that the shipment holds something of.
    fn parcels(&self, record: &Value, at: Timestamp, ours: &str, places: &Places) -> Vec<Fed> {
        let (Some(number), Some(state)) = (wire::text(record, "number"), wire::text(record, "state")) else {
            return Vec::new();
        };
        let mut orders: BTreeMap<String, Vec<&Value>> = BTreeMap::new();
        for of in wire::many(record, "outgoing_moves") {
            let order = wire::linked_text(of, "sale", "reference")
                .and_then(|reference| Some(reference.strip_prefix(ours)?.to_owned()))
                .filter(|order| !order.is_empty() && order.bytes().all(|b| b.is_ascii_digit()));
            if let Some(order) = order {
                orders.entry(order).or_default().push(of);
            }
        }
        let shipped = state == "done";
        let parcel = |(order, moves): (String, Vec<&Value>)| {
            let moves: Vec<&Value> = moves.into_iter().filter(|of| is_done(of)).collect();
            if shipped && moves.is_empty() {
                return None;
            }
            let mut body = Map::new();
            body.insert("shipment".to_owned(), json!(number));
            body.insert("order".to_owned(), json!(order));
            if shipped {
                body.extend(self.shipped(record, at, &moves, places));
            } else {
                body.insert("cancelled_at".to_owned(), json!(at.to_string()));
            }
            Some(Fed {
                path: shipments::path(&order, &number),
                topic: shipments::TOPIC.to_owned(),
                sequence: connector::polled::number_of(at),
                payload: Value::Object(body).to_string().into_bytes(),
                change: None,
            })
        };
        orders.into_iter().filter_map(parcel).collect()
    }

    fn shipped(
        &self,
        record: &Value,
        at: Timestamp,
        moves: &[&Value],
        places: &Places,
    ) -> Map<String, Value> {
        let number = |of: &Value, field: &str| of.get(field).and_then(Value::as_i64);
        let storage = number(record, "warehouse_storage");
        let from = moves.iter().map(|of| number(of, "from_location")).chain([storage]);
        let place = from.filter_map(|location| places.of(location).first()).next();
        let lines: Vec<Value> = moves
            .iter()
            .map(|of| {
                let units = of.get("internal_quantity").and_then(wire::read_decimal).unwrap_or_default();
                json!({"sku": wire::linked_text(of, "product", "code"), "quantity": units.normalize().to_string()})
            })
            .collect();
        let left =
            moves.iter().filter_map(|of| of.get("last_modified_at").and_then(wire::read_instant)).max();
        let mut body = Map::new();
        if let Some(place) = place {
            body.insert("location".to_owned(), json!(places.all[*place].name));
        }
        body.insert("lines".to_owned(), json!(lines));
        body.insert("shipped_at".to_owned(), json!(left.unwrap_or(at).to_string()));
        if let Some(numbers) = self.config.tracking.as_deref().map(|path| texts(record, path)) {
            let mut way = Map::from_iter([("numbers".to_owned(), json!(numbers))]);
            let carrier =
                record.get("carrier.").and_then(|carrier| wire::linked_text(carrier, "party", "name"));
            way.extend(carrier.map(|carrier| ("company".to_owned(), json!(carrier))));
            if !numbers.is_empty() {
                body.insert("tracking".to_owned(), Value::Object(way));
            }
        }
        body
    }
}

fn is_done(of: &Value) -> bool {
    let some = of.get("internal_quantity").and_then(wire::read_decimal).is_some_and(|units| !units.is_zero());
    some && wire::text(of, "state").as_deref() == Some("done")
}

/// In a pattern of `like`, a text that stands for itself.
fn like(text: &str) -> String {
    super::ask::literal(text)
}

/// What a path of fields leads to, at most as many as a fulfilment has: `reference`, `packages.shipping_reference`.
fn texts(record: &Value, path: &str) -> Vec<String> {
    let mut at = vec![record];
    let mut steps = path.split('.').peekable();
    while let Some(step) = steps.next() {
        let key = if steps.peek().is_some() { format!("{step}.") } else { step.to_owned() };
        at = at
            .into_iter()
            .filter_map(|value| value.get(&key))
            .flat_map(|value| value.as_array().map_or_else(|| vec![value], |many| many.iter().collect()))
            .collect();
    }
    let said = at.into_iter().filter_map(Value::as_str).map(str::trim).filter(|text| !text.is_empty());
    said.take(NUMBERS_MAX).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tracking_numbers_stand_in_a_field_of_the_shipment_or_of_its_packages() {
        let record = json!({"reference": " 0034 ", "packages.": [{"id": 1, "shipping_reference": "A"},
                            {"id": 2, "shipping_reference": null}, {"id": 3, "shipping_reference": "B"}]});
        assert_eq!(texts(&record, "reference"), ["0034"]);
        assert_eq!(texts(&record, "packages.shipping_reference"), ["A", "B"]);
        assert_eq!(texts(&record, "no.such"), [] as [&str; 0]);
    }
}
