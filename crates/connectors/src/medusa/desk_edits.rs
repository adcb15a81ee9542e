//! What of the desk changes orders that are there: edits, one open for each order, and what was confirmed stands for good. As
//! Medusa 2.21: what is not confirmed can be dropped and is gone; a line is not lowered below what left; a line that was edited is
//! reserved anew with its whole quantity, what left of it included.

use super::desk::{Books, Query, Refusal, Told, amount, invalid, not_found, only_fields, raw};
use super::wire::exact;
use rust_decimal::Decimal;
use serde_json::{Value, json};

impl Books {
    pub(super) fn begin_edit(&mut self, body: &Value) -> Told {
        only_fields(body, &["order_id", "description", "internal_note", "metadata"])?;
        let id = body["order_id"].as_str().unwrap_or_default();
        let at = self.at(id)?;
        if self.orders[at]["status"] == "canceled" {
            return Err(invalid(format!("Order with id {id} has been canceled.")));
        }
        self.no_edit(at)?;
        let number = self.next();
        self.orders[at]["order_change"] = json!({"id": format!("ordch_{number}"), "order_id": id, "status": "pending",
            "change_type": "edit", "internal_note": body["internal_note"], "actions": [], "items": self.orders[at]["items"]});
        Ok(json!({"order_change": self.orders[at]["order_change"]}))
    }

    pub(super) fn no_edit(&self, at: usize) -> Result<(), Refusal> {
        if self.orders[at]["order_change"].is_null() {
            return Ok(());
        }
        Err(invalid(format!("Order ({}) already has an existing active order change", self.orders[at]["id"])))
    }

    fn open_edit(&self, id: &str) -> Result<usize, Refusal> {
        let at = self.at(id)?;
        match self.orders[at]["order_change"].is_null() {
            true => Err(invalid("An active Order Change is required to proceed")),
            false => Ok(at),
        }
    }

    pub(super) fn drop_edit(&mut self, id: &str) -> Told {
        let at = self.open_edit(id)?;
        self.orders[at]["order_change"] = Value::Null;
        Ok(json!({"id": id, "object": "order-edit", "deleted": true}))
    }

    pub(super) fn changes_of(&self, id: &str, query: &Query) -> Value {
        let kinds = query.all("change_type");
        let open = self.orders.iter().map(|order| &order["order_change"]).filter(|change| change.is_object());
        let meant = |change: &&Value| {
            change["order_id"] == id
                && (kinds.is_empty() || kinds.contains(&change["change_type"].as_str().unwrap_or_default()))
        };
        json!({"order_changes": self.changes.iter().chain(open).filter(meant).collect::<Vec<_>>()})
    }

    pub(super) fn edit(&mut self, id: &str, rest: &[&str], body: &Value) -> Told {
        let at = self.open_edit(id)?;
        match rest {
            ["items"] => self.add_item(at, &body["items"][0])?,
            ["items", "item", item] => self.set_item(at, item, body)?,
            ["confirm"] => self.confirm_edit(at)?,
            _ => return Err(not_found("no such path")),
        }
        Ok(json!({"order_preview": {"id": id}}))
    }

    fn add_item(&mut self, at: usize, body: &Value) -> Result<(), Refusal> {
        only_fields(body, &["variant_id", "title", "quantity", "unit_price", "metadata", "internal_note"])?;
        let item = self.item(body)?;
        self.acted(at, "ITEM_ADD", json!({"reference_id": item["id"]}), &body["internal_note"]);
        self.orders[at]["order_change"]["items"].as_array_mut().unwrap().push(item);
        Ok(())
    }

    fn set_item(&mut self, at: usize, item: &str, body: &Value) -> Result<(), Refusal> {
        only_fields(body, &["quantity", "unit_price", "internal_note", "metadata"])?;
        let quantity = body["quantity"].as_number().and_then(|_| amount(&body["quantity"]));
        let quantity = quantity.ok_or_else(|| invalid("Field 'quantity' is required"))?;
        let is_it = |own: &&Value| own["id"] == item;
        let there = self.orders[at]["items"].as_array().unwrap().iter().find(is_it);
        let there = there.map_or(Decimal::ZERO, |own| exact(own, "quantity").unwrap());
        let items = self.orders[at]["order_change"]["items"].as_array_mut().unwrap();
        let own = items.iter_mut().find(|own| own["id"] == item).ok_or_else(|| not_found("no item"))?;
        let left = exact(&own["detail"], "fulfilled_quantity").unwrap();
        if quantity < left {
            return Err(invalid(format!(
                "Item {item} has already been fulfilled and quantity cannot be lower than {left}."
            )));
        }
        own["raw_quantity"] = raw(quantity);
        if let Some(price) = amount(&body["unit_price"]) {
            own["raw_unit_price"] = raw(price);
        }
        let diff = super::order::number(quantity - there).unwrap();
        let details = json!({"reference_id": item, "quantity": body["quantity"], "unit_price": body["unit_price"], "quantity_diff": diff});
        self.acted(at, "ITEM_UPDATE", details, &body["internal_note"]);
        Ok(())
    }

    fn acted(&mut self, at: usize, action: &str, details: Value, note: &Value) {
        let number = self.next();
        let action = json!({"id": format!("ordchact_{number}"), "ordering": number, "action": action, "details": details,
                            "internal_note": note});
        self.orders[at]["order_change"]["actions"].as_array_mut().unwrap().push(action);
    }

    fn confirm_edit(&mut self, at: usize) -> Result<(), Refusal> {
        let mut change = self.orders[at]["order_change"].clone();
        let now = change["items"].as_array().cloned().unwrap_or_default();
        let acted: Vec<&Value> = change["actions"]
            .as_array()
            .unwrap()
            .iter()
            .map(|action| &action["details"]["reference_id"])
            .collect();
        let (touched, kept): (Vec<Value>, Vec<Value>) =
            now.into_iter().partition(|item| acted.contains(&&item["id"]));
        let stays = |item: &Value| exact(item, "quantity") != Some(Decimal::ZERO);
        let left: Vec<Value> = touched.iter().filter(|item| stays(item)).cloned().collect();
        let before = self.stock.clone();
        self.stock.free(&touched);
        if let Err(refused) = self.stock.reserve(&left) {
            self.stock = before;
            return Err(refused);
        }
        let is_empty = acted.is_empty();
        let items = self.orders[at]["items"].as_array().unwrap();
        let place = |item: &Value| items.iter().position(|own| own["id"] == item["id"]).unwrap_or(usize::MAX);
        let mut items: Vec<Value> = kept.into_iter().chain(left).collect();
        items.sort_by_key(place);
        self.orders[at]["items"] = Value::Array(items);
        self.orders[at]["order_change"] = Value::Null;
        change["status"] = json!("confirmed");
        self.changes.push(change);
        // One that changes nothing is confirmed, and the order is as it was.
        if !is_empty {
            self.touch(at);
            self.add_up(at);
        }
        Ok(())
    }
}
