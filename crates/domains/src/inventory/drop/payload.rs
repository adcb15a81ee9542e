//! A level or a change of a file as its source would have pushed it, so that the same one is one fact whichever way it comes. The same
//! gives the same bytes.

use crate::inventory::change::Change;
use crate::inventory::level::{Incoming, Stock};
use serde_json::{Map, Value, json};

/// Read by [`crate::inventory::read`], it is the same level.
#[must_use]
pub fn payload(stock: &Stock) -> Vec<u8> {
    let mut body = Map::new();
    let mut put = |name: &str, value: Value| body.insert(name.to_owned(), value);
    put("sku", json!(stock.sku));
    put("location", json!(stock.location));
    put("on_hand", json!(stock.on_hand.to_string()));
    for (name, quantity) in [("reserved", stock.reserved), ("safety", stock.safety)] {
        if !quantity.is_zero() {
            put(name, json!(quantity.to_string()));
        }
    }
    if let Some(counted) = stock.counted {
        put("counted", json!(counted.to_string()));
    }
    if let Some(unit) = &stock.unit {
        put("unit", json!(unit));
    }
    if !stock.incoming.is_empty() {
        let due = |due: &Incoming| {
            let mut body = json!({ "quantity": due.quantity.to_string() });
            if let Some(at) = due.at {
                body["at"] = json!(at.to_string());
            }
            body
        };
        put("incoming", stock.incoming.iter().map(due).collect());
    }
    put("changed_at", json!(stock.changed_at.to_string()));
    Value::Object(body).to_string().into_bytes()
}

/// Read by [`crate::inventory::change::read`], it is the same change.
#[must_use]
pub fn change_payload(change: &Change) -> Vec<u8> {
    let by = change.by;
    let quantities = [("on_hand", by.on_hand), ("reserved", by.reserved), ("counted", by.counted)];
    let said = quantities.iter().filter(|(_, quantity)| !quantity.is_zero());
    let mut said: Map<String, Value> =
        said.map(|(name, quantity)| ((*name).to_owned(), json!(quantity.to_string()))).collect();
    // Said, and nothing: a change says something.
    if said.is_empty() {
        said.insert("on_hand".to_owned(), json!("0"));
    }
    let body = json!({
        "sku": change.sku, "location": change.location, "change": said, "changed_at": change.changed_at.to_string(),
    });
    body.to_string().into_bytes()
}
