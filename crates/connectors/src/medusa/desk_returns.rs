//! What of the desk takes goods back: a return is asked for and received by changes of its order, one open at a time. As Medusa 2.21:
//! asking twice asks for twice as many, what was received may be asked for again, a receipt that fails leaves the return received, and
//! one of nothing is taken.

use super::desk::{Books, Query, Refusal, Told, amount, invalid, not_allowed, not_found, only_fields, raw};
use super::wire::exact;
use http::Method;
use rust_decimal::Decimal;
use serde_json::{Value, json};

const REQUESTED: &str = "return_requested_quantity";
const RECEIVED: &str = "return_received_quantity";
const DISMISSED: &str = "return_dismissed_quantity";

fn units(record: &Value, field: &str) -> Decimal {
    exact(record, field).unwrap_or_default()
}

fn add(record: &mut Value, field: &str, more: Decimal) {
    record[format!("raw_{field}")] = raw(units(record, field) + more);
}

/// The units of an action, by the line that it concerns.
fn acts(change: &Value, kinds: &[&str]) -> Vec<(String, Decimal)> {
    let own = change["actions"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|one| kinds.contains(&one["action"].as_str().unwrap()));
    own.map(|one| {
        let details = &one["details"];
        (details["reference_id"].as_str().unwrap().to_owned(), amount(&details["quantity"]).unwrap())
    })
    .collect()
}

impl Books {
    pub(super) fn returns(&mut self, path: &[&str], method: &Method, query: &Query, body: &Value) -> Told {
        let deletes = *method == Method::DELETE;
        match path {
            [] if *method == Method::GET => {
                query.only(&["order_id", "id", "status", "fields", "limit", "offset"])?;
                let orders = query.all("order_id");
                let meant =
                    |one: &&Value| orders.is_empty() || orders.contains(&one["order_id"].as_str().unwrap());
                Ok(query.page("returns", self.returns.iter().filter(meant).cloned().collect()))
            }
            [] => self.begin_return(body),
            [id, rest @ ..] => {
                let of = self.returns.iter().position(|one| one["id"] == *id);
                let of = of.ok_or_else(|| not_found(format!("Return id not found: {id}")))?;
                let at = self.at(self.returns[of]["order_id"].as_str().unwrap().to_owned().as_str())?;
                if !self.returns[of]["canceled_at"].is_null() {
                    return Err(invalid(format!("Return with id {id} has been canceled.")));
                }
                match rest {
                    [] => {
                        self.active(of, at)?;
                        only_fields(body, &["location_id", "no_notification", "metadata"])?;
                        self.returns[of]["location_id"] = body["location_id"].clone();
                    }
                    ["request-items"] => self.act(of, at, "RETURN_ITEM", body)?,
                    ["receive-items"] => self.act(of, at, "RECEIVE_RETURN_ITEM", body)?,
                    ["dismiss-items"] => self.act(of, at, "RECEIVE_DAMAGED_RETURN_ITEM", body)?,
                    ["request"] if deletes => {
                        self.active(of, at)?;
                        self.orders[at]["order_change"] = Value::Null;
                        self.returns.remove(of);
                        return Ok(json!({"id": id, "object": "return", "deleted": true}));
                    }
                    ["request"] => self.confirm_request(of, at)?,
                    ["cancel"] => self.cancel_return(of, at)?,
                    ["receive"] if deletes => {
                        self.active(of, at)?;
                        self.orders[at]["order_change"] = Value::Null;
                        return Ok(json!({"id": id, "object": "return", "deleted": true}));
                    }
                    ["receive"] => {
                        only_fields(body, &["internal_note", "description", "metadata"])?;
                        self.change(at, "return_receive", id, &body["internal_note"])?;
                    }
                    ["receive", "confirm"] => self.confirm_receipt(of, at)?,
                    _ => return Err(not_found("no such path")),
                }
                Ok(json!({"order_preview": {"id": self.orders[at]["id"]}, "return": self.returns[of]}))
            }
        }
    }

    fn begin_return(&mut self, body: &Value) -> Told {
        only_fields(
            body,
            &["order_id", "location_id", "description", "internal_note", "no_notification", "metadata"],
        )?;
        let order = body["order_id"].as_str().unwrap_or_default();
        let at = self.at(order)?;
        if self.orders[at]["status"] == "canceled" {
            return Err(invalid(format!("Order with id {order} has been canceled.")));
        }
        let id = format!("return_{:06}", self.next());
        self.change(at, "return_request", &id, &body["internal_note"])?;
        self.returns
            .push(json!({"id": id, "order_id": order, "status": "open", "location_id": body["location_id"],
            "metadata": body["metadata"], "canceled_at": null, "items": []}));
        Ok(json!({"order": self.orders[at], "return": self.returns.last()}))
    }

    fn change(&mut self, at: usize, kind: &str, of: &str, note: &Value) -> Result<(), Refusal> {
        self.no_edit(at)?;
        let number = self.next();
        self.orders[at]["order_change"] = json!({"id": format!("ordch_{number}"), "order_id": self.orders[at]["id"], "status": "pending",
            "change_type": kind, "return_id": of, "internal_note": note, "actions": [], "items": self.orders[at]["items"]});
        Ok(())
    }

    /// The open change of a return.
    fn active(&self, of: usize, at: usize) -> Result<&Value, Refusal> {
        let change = &self.orders[at]["order_change"];
        let is_own = change.is_object() && change["return_id"] == self.returns[of]["id"];
        if is_own { Ok(change) } else { Err(invalid("An active Order Change is required to proceed")) }
    }

    /// All of them or none.
    fn act(&mut self, of: usize, at: usize, action: &str, body: &Value) -> Result<(), Refusal> {
        let asks = action == "RETURN_ITEM";
        let mut change = self.active(of, at)?.clone();
        for asked in body["items"].as_array().into_iter().flatten() {
            let id = asked["id"].as_str().unwrap_or_default();
            let quantity = asked["quantity"].as_number().and_then(|_| amount(&asked["quantity"]));
            let quantity =
                quantity.ok_or_else(|| invalid("Invalid request: Field 'items, 0, quantity' is required"))?;
            let is_it = |own: &Value| own["id"] == id;
            let own = change["items"].as_array_mut().unwrap().iter_mut().find(|own| is_it(own));
            let own = own.ok_or_else(|| {
                invalid(format!(
                    "Items with ids {id} does not exist in order with id {}.",
                    self.orders[at]["id"]
                ))
            })?;
            let returned =
                self.returns[of]["items"].as_array().unwrap().iter().any(|one| one["item_id"] == id);
            let detail = &mut own["detail"];
            if asks {
                if quantity > units(detail, "fulfilled_quantity") - units(detail, REQUESTED) {
                    let what =
                        format!("Cannot request to return more items than what was fulfilled for item {id}.");
                    return Err(invalid(what));
                }
                add(detail, REQUESTED, quantity);
            } else if !returned {
                let what = format!(
                    "Items with ids {id} does not exist in Return with id {}.",
                    self.returns[of]["id"]
                );
                return Err(invalid(what));
            } else if quantity > units(detail, REQUESTED) {
                let what = format!(
                    "Cannot receive more items than what was requested to be returned for item {id}."
                );
                return Err(invalid(what));
            } else {
                add(detail, REQUESTED, -quantity);
                add(detail, if action == "RECEIVE_RETURN_ITEM" { RECEIVED } else { DISMISSED }, quantity);
            }
            let number = self.next();
            change["actions"].as_array_mut().unwrap().push(json!({"id": format!("ordchact_{number}"), "ordering": number,
                "action": action, "details": {"reference_id": id, "quantity": asked["quantity"]}, "internal_note": asked["internal_note"]}));
        }
        self.orders[at]["order_change"] = change;
        Ok(())
    }

    /// The open change is confirmed: its lines are the order's.
    fn confirmed(&mut self, at: usize) {
        let mut change = self.orders[at]["order_change"].take();
        change["status"] = json!("confirmed");
        if !change["actions"].as_array().unwrap().is_empty() {
            self.orders[at]["items"] = change["items"].clone();
            self.touch(at);
            self.add_up(at);
        }
        self.changes.push(change);
    }

    fn confirm_request(&mut self, of: usize, at: usize) -> Result<(), Refusal> {
        let asked = acts(self.active(of, at)?, &["RETURN_ITEM"]);
        if asked.is_empty() {
            return Err(invalid("Order return request should have at least 1 item"));
        }
        let zero = raw(Decimal::ZERO);
        let item = |(id, quantity): &(String, Decimal)| json!({"item_id": id, "raw_quantity": raw(*quantity), "raw_received_quantity": zero, "raw_damaged_quantity": zero});
        self.returns[of]["items"] = asked.iter().map(item).collect();
        self.returns[of]["status"] = json!("requested");
        self.confirmed(at);
        Ok(())
    }

    fn cancel_return(&mut self, of: usize, at: usize) -> Result<(), Refusal> {
        let items = self.returns[of]["items"].as_array().unwrap().clone();
        if items.iter().any(|item| !units(item, "received_quantity").is_zero()) {
            return Err(not_allowed("Can't cancel a return which has returned items"));
        }
        let id = self.returns[of]["id"].clone();
        self.change(at, "", id.as_str().unwrap(), &Value::Null)?;
        self.orders[at]["order_change"]["change_type"] = Value::Null;
        for item in &items {
            let change = &mut self.orders[at]["order_change"];
            let own =
                change["items"].as_array_mut().unwrap().iter_mut().find(|own| own["id"] == item["item_id"]);
            add(&mut own.unwrap()["detail"], REQUESTED, -units(item, "quantity"));
            change["actions"].as_array_mut().unwrap().push(json!({"action": "CANCEL_RETURN_ITEM",
                "details": {"reference_id": item["item_id"], "quantity": 1}, "internal_note": null}));
        }
        self.confirmed(at);
        let now = self.stock.tick();
        self.returns[of]["status"] = json!("canceled");
        self.returns[of]["canceled_at"] = json!(now);
        Ok(())
    }

    fn confirm_receipt(&mut self, of: usize, at: usize) -> Result<(), Refusal> {
        let change = self.active(of, at)?.clone();
        let laid = acts(&change, &["RECEIVE_RETURN_ITEM"]);
        let counted = acts(&change, &["RECEIVE_RETURN_ITEM", "RECEIVE_DAMAGED_RETURN_ITEM"]);
        let sum = |id: &Value| -> Decimal {
            counted.iter().filter(|(item, _)| *id == item.as_str()).map(|(_, quantity)| *quantity).sum()
        };
        let place = self.returns[of]["location_id"].as_str().unwrap_or_default().to_owned();
        let sku = |id: &str| {
            let items = self.orders[at]["items"].as_array().unwrap();
            let item = items.iter().find(|item| item["id"] == id).unwrap();
            item["variant_sku"].as_str().map(str::to_owned)
        };
        let all = |item: &Value| {
            let now = sum(&item["item_id"]);
            (if now.is_zero() { units(item, "received_quantity") } else { now }) == units(item, "quantity")
        };
        let items = self.returns[of]["items"].as_array().unwrap();
        let status = if items.iter().all(all) { "received" } else { "partially_received" };
        let kept: Vec<String> =
            items.iter().filter_map(|item| sku(item["item_id"].as_str().unwrap())).collect();
        let laid: Vec<(String, Decimal)> =
            laid.iter().filter_map(|(id, quantity)| Some((sku(id)?, *quantity))).collect();
        self.returns[of]["status"] = json!(status);
        let has = |sku: &String| self.stock.levels.contains_key(&(sku.clone(), place.clone()));
        if !kept.is_empty() && !kept.iter().any(has) {
            // It fails there, and what it has written of the return stays.
            return Err((500, "unknown_error", "An unknown error occurred.".to_owned()));
        }
        for item in self.returns[of]["items"].as_array_mut().unwrap() {
            let now = sum(&item["item_id"]);
            if !now.is_zero() {
                item["raw_received_quantity"] = raw(now);
            }
        }
        for (sku, quantity) in laid.into_iter().filter(|(sku, _)| has(sku)).collect::<Vec<_>>() {
            let on_hand = self.stock.levels[&(sku.clone(), place.clone())].stocked;
            self.stock.set(&sku, &place, on_hand + quantity);
        }
        self.confirmed(at);
        Ok(())
    }
}
