//! A small server that answers as Tryton 8.0 was measured to (docs/connectors/tryton.md): the same log-in, the same
//! forms, the same refusals, for the models that the connector asks for. As strict as Tryton about keys, contexts,
//! fields, states and versions; it computes amounts by Tryton's rounding. No ERP: it ships and invoices nothing.

use super::desk_search::{picked, search};
use super::wire;
use axum::Router;
use axum::extract::State as Shared;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, StatusCode};
use rust_decimal::{Decimal, RoundingStrategy};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

pub(super) const DATABASE: &str = "desk";
pub(super) const USER: &str = "tidegate";
pub(super) const PASSWORD: &str = "desk-password";
const KEY: &str = "5e551011";

/// Ends when dropped.
#[derive(Debug)]
pub(super) struct Desk {
    pub(super) address: SocketAddr,
    serving: JoinHandle<()>,
}

impl Drop for Desk {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Desk {
    pub(super) async fn start() -> Self {
        let books = Arc::new(Mutex::new(Books::open()));
        let router = Router::new().route("/desk/rpc/", post(answer)).with_state(books);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let serving = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { address, serving }
    }
}

/// Tryton's error forms.
#[derive(Debug)]
pub(super) enum Refusal {
    User(String),
    Concurrency,
    /// An exception's text and nothing else.
    Unnamed(String),
}

type Told = Result<Value, Refusal>;

fn user_error(message: impl Into<String>) -> Refusal {
    Refusal::User(message.into())
}

async fn answer(Shared(books): Shared<Arc<Mutex<Books>>>, headers: HeaderMap, body: String) -> Response {
    let Ok(Value::Object(request)) = serde_json::from_str::<Value>(&body) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    if request.keys().map(String::as_str).ne(["id", "method", "params"]) {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    }
    let method = request["method"].as_str().unwrap_or_default().to_owned();
    let params = request["params"].as_array().cloned().unwrap_or_default();
    if method == "common.db.login" {
        let known = params == [json!(USER), json!({"password": PASSWORD})];
        let session = json!({"id": request["id"], "result": [2, KEY, null]});
        return if known {
            axum::Json(session).into_response()
        } else {
            StatusCode::UNAUTHORIZED.into_response()
        };
    }
    let session = format!("Session {}", STANDARD.encode(format!("{USER}:2:{KEY}")));
    if headers.get("authorization").is_none_or(|told| told.as_bytes() != session.as_bytes()) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    if !params.last().is_some_and(|context| context["company"] == 1) {
        return StatusCode::UNPROCESSABLE_ENTITY.into_response();
    }
    let Some(told) = books.lock().unwrap().call(&method, &params) else {
        return (StatusCode::FORBIDDEN, "<!doctype html>\n<title>403 Forbidden</title>").into_response();
    };
    let error = match told {
        Ok(result) => return axum::Json(json!({"id": request["id"], "result": result})).into_response(),
        Err(Refusal::User(message)) => json!(["UserError", [message, "", null]]),
        Err(Refusal::Concurrency) => {
            json!(["ConcurrencyException", "Records were modified in the meanwhile"])
        }
        Err(Refusal::Unnamed(text)) => json!([text, ""]),
    };
    axum::Json(json!({"id": request["id"], "error": error})).into_response()
}

/// Everything that the desk has. A link is the record itself, a link to many a list of records.
struct Books {
    sales: Vec<Value>,
    lines: i64,
    numbers: i64,
    writes: i64,
}

fn records(model: &str) -> Option<Vec<Value>> {
    let decimal = |text: &str| wire::decimal(text.parse().unwrap());
    let product = |id: i64, code: &str, unit: i64| json!({"id": id, "code": code, "sale_uom": {"id": unit}, "default_uom": {"id": unit}});
    let tax = |id: i64, name: &str, rate: &str| {
        json!({"id": id, "name": name, "rate": decimal(rate), "type": "percentage", "parent": null, "company": {"id": 1},
               "group": null})
    };
    Some(match model {
        "party.party" => vec![json!({"id": 2, "code": "CUST-001"})],
        "product.product" => vec![
            product(1, "SKU-0001", 1),
            product(2, "SKU-0002", 1),
            product(5, "SKU-0005", 2),
            product(21, "SHIPPING", 1),
        ],
        "account.tax" => vec![tax(1, "VAT 21 %", "0.21"), tax(2, "VAT 9 %", "0.09")],
        "account.invoice.payment_term" => {
            vec![json!({"id": 11, "name": "Net 30"}), json!({"id": 12, "name": "Net 60"})]
        }
        "currency.currency" => vec![json!({"id": 1, "code": "EUR", "rounding": decimal("0.01")})],
        "account.period" => vec![json!({
            "id": 23, "name": "2026", "state": "open", "type": "standard", "company": {"id": 1},
            "start_date": "2026-01-01", "end_date": "2026-12-31",
        })],
        "party.address" => vec![json!({
            "id": 2, "party": {"id": 2}, "street": "Havenstraat 12", "postal_code": "3011 AA", "city": "Rotterdam",
            "country": {"id": 1, "code": "NL"}, "attn": null, "party_name": null,
        })],
        _ => return None,
    })
}

fn record(model: &str, id: &Value) -> Result<Value, Refusal> {
    if id.is_null() {
        return Ok(Value::Null);
    }
    let found = records(model).into_iter().flatten().find(|record| record["id"] == *id);
    found.ok_or_else(|| user_error(format!("The value {id} for a field of \"Sale\" is not valid")))
}

impl Books {
    fn open() -> Self {
        Self { sales: Vec::new(), lines: 0, numbers: 0, writes: 0 }
    }

    /// `None`: no such method.
    fn call(&mut self, method: &str, params: &[Value]) -> Option<Told> {
        let (model, verb) = method.strip_prefix("model.")?.rsplit_once('.')?;
        let param = |at: usize| params.get(at).cloned().unwrap_or_default();
        Some(match (model, verb) {
            ("res.user", "get_preferences") => Ok(json!({"company": 1, "language": "en"})),
            ("sale.sale", "fields_get") => Ok(json!({"shipment_cost_method": {"type": "selection"}})),
            ("sale.sale", "on_change") => {
                Ok(json!({"payment_term": 11, "invoice_address": 2, "shipment_address": 2, "warehouse": 5}))
            }
            ("sale.sale", "create") => self.create(&param(0)[0]),
            ("sale.sale", "write") => self.write(&param(0)[0], &param(1), &param(2)),
            ("sale.sale", "quote" | "confirm" | "draft" | "cancel" | "process") => {
                self.press(verb, &param(0)[0], &param(1))
            }
            ("sale.sale", "search") => search(&self.sales, &param(0))
                .map(|found| found.iter().map(|sale| sale["id"].clone()).collect()),
            ("sale.sale", "read") => {
                search(&self.sales, &json!([["id", "in", param(0)]])).map(|found| picked(&found, &param(1)))
            }
            (_, "search_read") => {
                let all = if model == "sale.sale" { self.sales.clone() } else { records(model)? };
                search(&all, &param(0)).map(|mut found| {
                    found.truncate(param(2).as_u64().map_or(usize::MAX, |limit| limit as usize));
                    picked(&found, &param(4))
                })
            }
            _ => return None,
        })
    }

    fn create(&mut self, values: &Value) -> Told {
        let id = self.sales.len() as i64 + 1;
        let mut sale = json!({
            "id": id, "number": null, "state": "draft", "reference": null, "description": null, "comment": null,
            "sale_date": null, "company": {"id": 1}, "warehouse": {"id": 5}, "party": null, "currency": null,
            "payment_term": null, "invoice_address": null, "shipment_address": null, "lines": [], "shipments": [],
            "invoices": [],
        });
        self.set(&mut sale, values)?;
        if sale["party"].is_null() || sale["currency"].is_null() {
            return Err(user_error("A value is required for field \"Party\" in \"Sale\"."));
        }
        self.sales.push(sale);
        Ok(json!([id]))
    }

    fn write(&mut self, id: &Value, values: &Value, context: &Value) -> Told {
        let at = self.find(id, context)?;
        let mut sale = self.sales[at].clone();
        if values.get("lines").is_some() && sale["state"] != "draft" {
            return Err(user_error("You cannot add lines to sale because it is no longer in a draft state."));
        }
        self.set(&mut sale, values)?;
        self.sales[at] = sale;
        Ok(Value::Null)
    }

    fn find(&self, id: &Value, context: &Value) -> Result<usize, Refusal> {
        let unknown =
            || user_error(format!("You are trying to read records \"{id}\" of \"Sale\" that don't exist."));
        let at = self.sales.iter().position(|sale| sale["id"] == *id).ok_or_else(unknown)?;
        match context.pointer(&format!("/_timestamp/sale.sale,{id}")) {
            Some(seen) if *seen != self.sales[at]["_timestamp"] => Err(Refusal::Concurrency),
            _ => Ok(at),
        }
    }

    fn press(&mut self, verb: &str, id: &Value, context: &Value) -> Told {
        let at = self.find(id, context)?;
        let mut sale = self.sales[at].clone();
        let state = sale["state"].as_str().unwrap_or_default().to_owned();
        let to = match (verb, state.as_str()) {
            ("quote", "draft") if sale["lines"].as_array().is_some_and(|lines| !lines.is_empty()) => {
                "quotation"
            }
            ("confirm", "quotation") => "processing",
            ("draft", "quotation" | "cancelled") => "draft",
            ("cancel", "draft" | "quotation") => "cancelled",
            ("process", "processing" | "done") => state.as_str(),
            _ => return Err(user_error(format!("You can not call \"{verb}\" on \"{id}\" of \"Sale\"."))),
        };
        if verb == "quote" && !sale["carrier"].is_null() {
            return Err(user_error("To get a quote for sale you must enter a carrier."));
        }
        if verb == "quote" && sale["number"].is_null() {
            self.numbers += 1;
            sale["number"] = json!(self.numbers.to_string());
        }
        sale["state"] = json!(to);
        self.stamp(&mut sale);
        self.sales[at] = sale;
        Ok(Value::Null)
    }

    fn stamp(&mut self, sale: &mut Value) {
        self.writes += 1;
        sale["_timestamp"] = json!(format!("1795657280.{}", self.writes));
    }

    fn set(&mut self, sale: &mut Value, values: &Value) -> Result<(), Refusal> {
        for (name, value) in values.as_object().into_iter().flatten() {
            match name.as_str() {
                "reference" | "description" => sale[name] = value.as_str().map(str::trim).into(),
                "comment" | "sale_date" => sale[name] = value.clone(),
                "company" => sale[name] = json!({"id": value}),
                "carrier" | "shipment_cost_method" if value.is_null() => {}
                "party" => sale[name] = record("party.party", value)?,
                "currency" => sale[name] = record("currency.currency", value)?,
                "payment_term" => sale[name] = record("account.invoice.payment_term", value)?,
                "invoice_address" | "shipment_address" => sale[name] = record("party.address", value)?,
                "lines" => self.set_lines(sale, value)?,
                unknown => return Err(Refusal::Unnamed(format!("'{unknown}'"))),
            }
        }
        total(sale);
        self.stamp(sale);
        Ok(())
    }

    fn set_lines(&mut self, sale: &mut Value, commands: &Value) -> Result<(), Refusal> {
        let mut lines = sale["lines"].as_array().cloned().unwrap_or_default();
        for command in commands.as_array().into_iter().flatten() {
            match command[0].as_str() {
                Some("delete") => {
                    let gone = command[1].as_array().cloned().unwrap_or_default();
                    lines.retain(|line| !gone.contains(&line["id"]));
                }
                Some("create") => {
                    for values in command[1].as_array().into_iter().flatten() {
                        self.lines += 1;
                        lines.push(line(self.lines, values)?);
                    }
                }
                other => return Err(Refusal::Unnamed(format!("{other:?}"))),
            }
        }
        sale["lines"] = Value::Array(lines);
        Ok(())
    }
}

fn line(id: i64, values: &Value) -> Result<Value, Refusal> {
    let mut line = json!({"id": id, "product": null, "unit": null, "description": null, "taxes": []});
    for (name, value) in values.as_object().into_iter().flatten() {
        match name.as_str() {
            "type" | "quantity" | "unit_price" | "description" => line[name] = value.clone(),
            "product" => line[name] = record("product.product", value)?,
            "unit" => line[name] = if value.is_null() { Value::Null } else { json!({"id": value}) },
            "taxes" => {
                let ids = value[0][1].as_array().cloned().unwrap_or_default();
                line[name] = ids.iter().map(|id| record("account.tax", id)).collect::<Result<_, _>>()?;
            }
            unknown => return Err(Refusal::Unnamed(format!("'{unknown}'"))),
        }
    }
    let digits = |amount: Decimal| amount.normalize().scale();
    let (quantity, price) =
        amounts(&line).ok_or_else(|| Refusal::Unnamed("decimal.InvalidOperation".to_owned()))?;
    let piece = line["unit"]["id"] == 1;
    if digits(price) > 4 || (piece && digits(quantity) > 0) {
        return Err(user_error("The number of digits in a value of \"Sale Line\" exceeds the limit."));
    }
    line["amount"] = wire::decimal(round(quantity * price));
    Ok(line)
}

/// A quantity is a number and a price is none.
fn amounts(line: &Value) -> Option<(Decimal, Decimal)> {
    let price = Some(&line["unit_price"]).filter(|price| price["__class__"] == "Decimal")?;
    Some((wire::read_decimal(&line["quantity"])?, wire::read_decimal(price)?))
}

fn round(amount: Decimal) -> Decimal {
    amount.round_dp_with_strategy(2, RoundingStrategy::MidpointNearestEven)
}

/// Each tax is rounded once for the whole sale.
fn total(sale: &mut Value) {
    let mut net = Decimal::ZERO;
    let mut taxes = std::collections::BTreeMap::<i64, Decimal>::new();
    for line in sale["lines"].as_array().into_iter().flatten() {
        let (quantity, price) = amounts(line).unwrap_or_default();
        net += round(quantity * price);
        for tax in line["taxes"].as_array().into_iter().flatten() {
            let rate = wire::read_decimal(&tax["rate"]).unwrap_or_default();
            *taxes.entry(tax["id"].as_i64().unwrap_or_default()).or_default() += quantity * price * rate;
        }
    }
    let tax: Decimal = taxes.into_values().map(round).sum();
    sale["untaxed_amount"] = wire::decimal(net);
    sale["tax_amount"] = wire::decimal(tax);
    sale["total_amount"] = wire::decimal(net + tax);
}
