//! A small server that answers as Medusa 2.21 was measured to (docs/connectors/medusa.md): the same paths, forms and refusals, for
//! what the connector asks. As strict about unknown fields, states and open edits; as careless about filters that it does not know
//! and about idempotency keys. It rounds nothing.

use super::desk_stock::Stock;
use super::wire::{decimal, exact};
use axum::Router;
use axum::body::Bytes;
use axum::extract::State as Shared;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, Method, StatusCode, Uri};
use rust_decimal::Decimal;
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

pub(super) const KEY: &str = "sk_desk";

/// Ends when dropped.
#[derive(Debug)]
pub(super) struct Desk {
    pub(super) address: SocketAddr,
    pub(super) books: Arc<Mutex<Books>>,
    serving: JoinHandle<()>,
}

impl Drop for Desk {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Desk {
    pub(super) async fn start() -> Self {
        let books = Arc::new(Mutex::new(Books::default()));
        let router = Router::new().fallback(answer).with_state(books.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let serving = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { address, books, serving }
    }
}

/// Status, type, message.
pub(super) type Refusal = (u16, &'static str, String);
pub(super) type Told = Result<Value, Refusal>;

pub(super) fn invalid(what: impl Into<String>) -> Refusal {
    (400, "invalid_data", what.into())
}
pub(super) fn not_allowed(what: impl Into<String>) -> Refusal {
    (400, "not_allowed", what.into())
}
pub(super) fn not_found(what: impl Into<String>) -> Refusal {
    (404, "not_found", what.into())
}

async fn answer(
    Shared(books): Shared<Arc<Mutex<Books>>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let known = format!("Basic {}", STANDARD.encode(format!("{KEY}:")));
    if headers.get("authorization").is_none_or(|told| told.as_bytes() != known.as_bytes()) {
        return (StatusCode::UNAUTHORIZED, axum::Json(json!({"message": "Unauthorized"}))).into_response();
    }
    let body: Value = serde_json::from_slice(&body).unwrap_or(Value::Null);
    let query = Query::read(uri.query().unwrap_or_default());
    let path: Vec<String> = uri.path().split('/').skip(1).map(decoded).collect();
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    match books.lock().unwrap().call(&method, &path, &query, &body) {
        Ok(told) => axum::Json(told).into_response(),
        Err((status, kind, message)) => {
            let said = axum::Json(json!({"type": kind, "message": message}));
            (StatusCode::from_u16(status).unwrap(), said).into_response()
        }
    }
}

/// Names and values, as they stand in an address.
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    fn read(text: &str) -> Self {
        let pair = |part: &str| part.split_once('=').map(|(name, value)| (decoded(name), decoded(value)));
        Self(text.split('&').filter_map(pair).collect())
    }
    pub(super) fn all(&self, name: &str) -> Vec<&str> {
        let list = format!("{name}[]");
        self.0
            .iter()
            .filter(|(own, _)| own == name || *own == list)
            .map(|(_, value)| value.as_str())
            .collect()
    }
    pub(super) fn one(&self, name: &str) -> Option<&str> {
        self.all(name).first().copied()
    }
    pub(super) fn only(&self, known: &[&str]) -> Result<(), Refusal> {
        let strange = self.0.iter().find(|(name, _)| !known.contains(&name.trim_end_matches("[]")));
        strange.map_or(Ok(()), |(name, _)| Err(invalid(format!("Unrecognized fields: '{name}'"))))
    }
    /// A page of a list.
    pub(super) fn page(&self, name: &str, items: Vec<Value>) -> Value {
        let number = |name: &str, or: usize| self.one(name).map_or(or, |text| text.parse().unwrap());
        let (count, offset, limit) = (items.len(), number("offset", 0), number("limit", 15));
        let page: Vec<Value> = items.into_iter().skip(offset).take(limit).collect();
        json!({name: page, "count": count, "offset": offset, "limit": limit})
    }
}

fn decoded(text: &str) -> String {
    let mut bytes = text.bytes();
    let mut out = Vec::new();
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let hex = [bytes.next().unwrap(), bytes.next().unwrap()];
            out.push(u8::from_str_radix(std::str::from_utf8(&hex).unwrap(), 16).unwrap());
        } else {
            out.push(byte);
        }
    }
    String::from_utf8(out).unwrap()
}

/// Everything that the desk has.
#[derive(Debug, Default)]
pub(super) struct Books {
    /// Drafts and orders, as they are answered.
    pub(super) orders: Vec<Value>,
    pub(super) stock: Stock,
    /// Changes of orders that were confirmed, as they are answered.
    pub(super) changes: Vec<Value>,
    pub(super) returns: Vec<Value>,
    numbers: i64,
}

pub(super) fn raw(amount: Decimal) -> Value {
    json!({"value": amount.normalize().to_string(), "precision": 20})
}

/// Text or number, as a write may have it.
pub(super) fn amount(value: &Value) -> Option<Decimal> {
    value.as_number().map_or_else(|| decimal(value), |number| number.to_string().parse().ok())
}

pub(super) fn only_fields(body: &Value, known: &[&str]) -> Result<(), Refusal> {
    let strange = body.as_object().into_iter().flatten().find(|(name, _)| !known.contains(&name.as_str()));
    strange.map_or(Ok(()), |(name, _)| Err(invalid(format!("Unrecognized fields: '{name}'"))))
}

impl Books {
    pub(super) fn next(&mut self) -> i64 {
        self.numbers += 1;
        self.numbers
    }

    fn call(&mut self, method: &Method, path: &[&str], query: &Query, body: &Value) -> Told {
        let get = method == Method::GET;
        match path {
            ["admin", "regions", _] if get => Ok(json!({"region": {"id": "reg_1"}})),
            ["admin", "product-variants"] if get => {
                let known = query.all("sku").into_iter().filter(|sku| Stock::knows(sku));
                let variants = known.map(|sku| json!({"id": format!("variant_{sku}"), "sku": sku})).collect();
                Ok(query.page("variants", variants))
            }
            ["admin", "inventory-items"] if get => Ok(query.page("inventory_items", self.stock.items(query))),
            ["admin", "reservations"] if get => Ok(query.page("reservations", self.stock.reserved(query))),
            ["admin", "draft-orders"] if get => {
                query.only(&["q", "order", "fields", "limit", "offset"])?;
                Ok(query.page("draft_orders", self.list(query, true)))
            }
            ["admin", "orders"] if get => Ok(query.page("orders", self.list(query, false))),
            ["admin", "draft-orders"] => self.create(body),
            ["admin", "draft-orders", id, "convert-to-order"] => self.convert(id),
            ["admin", "reservations", id] => self.stock.write_reservation(id, method, body),
            ["admin", "returns", rest @ ..] => self.returns(rest, method, query, body),
            ["admin", "orders", id, "changes"] if get => Ok(self.changes_of(id, query)),
            ["admin", "order-edits"] => self.begin_edit(body),
            ["admin", "order-edits", id] if *method == Method::DELETE => self.drop_edit(id),
            ["admin", "order-edits", id, rest @ ..] => self.edit(id, rest, body),
            ["admin", "orders", id] if get => Ok(json!({"order": self.orders[self.at(id)?]})),
            ["admin", "orders", id, "preview"] if get => {
                let order = &self.orders[self.at(id)?];
                let mut preview = order.clone();
                if let Some(items) = order.pointer("/order_change/items") {
                    preview["items"] = items.clone();
                    let actions = order["order_change"]["actions"].as_array().unwrap();
                    for item in preview["items"].as_array_mut().unwrap() {
                        let own = |action: &&Value| action["details"]["reference_id"] == item["id"];
                        item["actions"] = actions.iter().filter(own).cloned().collect();
                    }
                }
                Ok(json!({"order": preview}))
            }
            ["admin", "orders", id] => {
                only_fields(body, &["email", "shipping_address", "billing_address", "metadata"])?;
                let at = self.at(id)?;
                for (field, value) in body.as_object().unwrap() {
                    match value.as_object() {
                        // What is not named stays.
                        Some(parts) => parts
                            .iter()
                            .for_each(|(part, value)| self.orders[at][field][part] = value.clone()),
                        None => self.orders[at][field] = value.clone(),
                    }
                }
                Ok(json!({"order": self.orders[at]}))
            }
            ["admin", "orders", id, "cancel"] => self.cancel(id),
            ["admin", "orders", id, "fulfillments", rest @ ..] => self.fulfil(id, rest, body),
            _ => Err(not_found("no such path")),
        }
    }

    pub(super) fn at(&self, id: &str) -> Result<usize, Refusal> {
        let at = self.orders.iter().position(|order| order["id"] == id);
        at.ok_or_else(|| not_found(format!("Order id not found: {id}")))
    }

    pub(super) fn touch(&mut self, at: usize) {
        let now = self.stock.tick();
        self.orders[at]["version"] = json!(self.orders[at]["version"].as_i64().unwrap() + 1);
        self.orders[at]["updated_at"] = json!(now);
    }

    fn list(&self, query: &Query, drafts: bool) -> Vec<Value> {
        let words = query.one("q").unwrap_or_default().to_lowercase();
        let time = |text: &str| text.parse::<jiff::Timestamp>().unwrap();
        let since = query.one("updated_at[$gte]").map(time);
        let said = |order: &Value| {
            let parts = ["shipping_address", "billing_address"]
                .map(|field| order[field].as_object().cloned().unwrap_or_default());
            let parts =
                parts.into_iter().flatten().map(|(_, part)| part.as_str().unwrap_or_default().to_lowercase());
            parts
                .chain([order["email"].as_str().unwrap_or_default().to_lowercase()])
                .any(|text| text.contains(&words))
        };
        let meant = |order: &&Value| {
            order["is_draft_order"] == drafts
                && (words.is_empty() || said(order))
                && since.is_none_or(|since| time(order["updated_at"].as_str().unwrap()) >= since)
        };
        let mut found: Vec<Value> = self.orders.iter().filter(meant).cloned().collect();
        if query.one("order") == Some("updated_at") {
            found.sort_by_key(|order| order["updated_at"].as_str().unwrap().to_owned());
        }
        found
    }

    pub(super) fn item(&mut self, item: &Value) -> Result<Value, Refusal> {
        let quantity =
            item["quantity"].as_number().map(|number| number.to_string().parse::<Decimal>().unwrap());
        let (Some(quantity), Some(price)) = (quantity, amount(&item["unit_price"])) else {
            return Err(invalid("Field 'items, 0, quantity' is required"));
        };
        let sku = item["variant_id"].as_str().and_then(|id| id.strip_prefix("variant_"));
        if sku.is_some_and(|sku| !Stock::knows(sku)) {
            return Err(invalid(format!("Items with ids {} do not exist", item["variant_id"])));
        }
        let id = format!("ordli_{}", self.next());
        let variant = sku.map(|sku| self.stock.variant(sku));
        Ok(
            json!({"id": id, "variant_sku": sku, "variant": variant, "title": item.get("title").cloned().unwrap_or(json!("A thing")),
                  "metadata": item["metadata"], "raw_quantity": raw(quantity), "raw_unit_price": raw(price),
                  "detail": {"raw_fulfilled_quantity": raw(Decimal::ZERO), "raw_return_requested_quantity": raw(Decimal::ZERO),
                             "raw_return_received_quantity": raw(Decimal::ZERO), "raw_return_dismissed_quantity": raw(Decimal::ZERO)}}),
        )
    }

    fn create(&mut self, body: &Value) -> Told {
        only_fields(
            body,
            &[
                "email",
                "region_id",
                "sales_channel_id",
                "currency_code",
                "shipping_address",
                "billing_address",
                "items",
                "shipping_methods",
                "metadata",
                "no_notification_order",
            ],
        )?;
        if body["region_id"] != "reg_1" || body["sales_channel_id"] != "sc_1" {
            return Err(not_found("Region or sales channel not found"));
        }
        let items: Vec<Value> = body["items"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|item| self.item(item))
            .collect::<Result<_, _>>()?;
        self.stock.places(&items)?;
        let method = |method: &Value| json!({"name": method["name"], "raw_amount": raw(amount(&method["amount"]).unwrap())});
        let methods: Vec<Value> =
            body["shipping_methods"].as_array().into_iter().flatten().map(method).collect();
        let (number, now) = (self.next(), self.stock.tick());
        self.orders.push(json!({
            "id": format!("order_{number:06}"), "display_id": number, "status": "draft", "is_draft_order": true, "version": 1,
            "email": body["email"], "currency_code": body["currency_code"], "metadata": body["metadata"], "updated_at": now,
            "shipping_address": body["shipping_address"], "billing_address": body["billing_address"], "items": items,
            "shipping_methods": methods, "fulfillments": [], "order_change": null, "summary": {},
        }));
        let at = self.orders.len() - 1;
        self.add_up(at);
        Ok(json!({"draft_order": self.orders[at]}))
    }

    /// Rounded by nobody.
    pub(super) fn add_up(&mut self, at: usize) {
        let order = &self.orders[at];
        let items = order["items"].as_array().unwrap().iter();
        // What a return has received is off the total, whatever became of it.
        let paid = |item: &Value| {
            let of = |field: &str| exact(&item["detail"], field).unwrap();
            let kept = exact(item, "quantity").unwrap()
                - of("return_received_quantity")
                - of("return_dismissed_quantity");
            kept * exact(item, "unit_price").unwrap()
        };
        let lines: Decimal = items.map(paid).sum();
        let ways: Decimal =
            order["shipping_methods"].as_array().unwrap().iter().map(|m| exact(m, "amount").unwrap()).sum();
        self.orders[at]["summary"] = json!({"raw_current_order_total": raw(lines + ways)});
    }

    fn convert(&mut self, id: &str) -> Told {
        let at = self.at(id)?;
        if self.orders[at]["is_draft_order"] != true {
            return Err(invalid(format!("Order {id} is not a draft order")));
        }
        let items = self.orders[at]["items"].as_array().cloned().unwrap_or_default();
        self.stock.reserve(&items)?;
        self.orders[at]["is_draft_order"] = json!(false);
        self.orders[at]["status"] = json!("pending");
        self.orders[at]["updated_at"] = json!(self.stock.tick());
        Ok(json!({"order": self.orders[at]}))
    }

    fn cancel(&mut self, id: &str) -> Told {
        let at = self.at(id)?;
        if self.orders[at]["status"] == "canceled" {
            return Err(invalid(format!("Order with id {id} has been canceled.")));
        }
        self.no_edit(at)?;
        if self.orders[at]["fulfillments"].as_array().unwrap().iter().any(|one| one["canceled_at"].is_null())
        {
            return Err(not_allowed("All fulfillments must be canceled before canceling an order"));
        }
        let items = self.orders[at]["items"].as_array().cloned().unwrap_or_default();
        self.stock.free(&items);
        self.orders[at]["status"] = json!("canceled");
        self.touch(at);
        Ok(json!({"order": self.orders[at]}))
    }
}
