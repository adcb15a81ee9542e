//! A shop that answers what it was told to, whatever it is asked, and remembers that; and answers to tell it, as Shopify
//! words them.

use super::connected;
use crate::support::config;
use axum::extract::State;
use axum::routing::post;
use axum::{Json, Router};
use connector::port::Connector;
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

#[derive(Clone, Default)]
pub(super) struct Told {
    asked: Arc<Mutex<Vec<Value>>>,
    answers: Arc<Mutex<VecDeque<Value>>>,
    file: Arc<Mutex<String>>,
    pub(super) url: String,
}

impl Told {
    pub(super) async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let told = Self { url: format!("http://{}", listener.local_addr().unwrap()), ..Self::default() };
        let app = Router::new().fallback(post(answer).get(file)).with_state(told.clone());
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        told
    }

    /// What is answered next, behind what was said before.
    pub(super) fn says(&self, data: Value) {
        self.answers.lock().unwrap().push_back(json!({ "data": data }));
    }

    pub(super) fn fails(&self, code: &str) {
        let error = json!({ "message": "no", "extensions": { "code": code } });
        self.answers.lock().unwrap().push_back(json!({ "errors": [error] }));
    }

    /// What lies at every address that is fetched.
    pub(super) fn holds(&self, file: &str) {
        file.clone_into(&mut self.file.lock().unwrap());
    }

    /// Operations and variables since the last time.
    pub(super) fn asked(&self) -> Vec<(String, Value)> {
        let asked: Vec<Value> = self.asked.lock().unwrap().drain(..).collect();
        let name = |body: &Value| body["operationName"].as_str().unwrap().to_owned();
        asked.iter().map(|body| (name(body), body["variables"].clone())).collect()
    }

    pub(super) fn operations(&self) -> Vec<String> {
        self.asked().into_iter().map(|(name, _)| name).collect()
    }
}

async fn file(State(told): State<Told>) -> String {
    told.file.lock().unwrap().clone()
}

async fn answer(State(told): State<Told>, Json(body): Json<Value>) -> Json<Value> {
    told.asked.lock().unwrap().push(body);
    let answer = told.answers.lock().unwrap().pop_front();
    Json(answer.unwrap_or_else(|| json!({ "errors": "nothing was said" })))
}

pub(super) const HERE: &str = "gid://shopify/Location/1";

pub(super) async fn shop(with: Value) -> (Told, Arc<dyn Connector>) {
    let told = Told::start().await;
    let connector = connected(&told.url, &config().clock, with);
    (told, connector)
}

pub(super) fn item(number: usize) -> String {
    format!("gid://shopify/InventoryItem/{number}")
}

pub(super) fn id(number: usize) -> String {
    format!("gid://shopify/InventoryLevel/1?inventory_item_id={number}")
}

fn quantities(available: i64, committed: i64) -> Value {
    json!([{ "name": "available", "quantity": available }, { "name": "committed", "quantity": committed }])
}

pub(super) fn level(number: usize, sku: &str, available: i64, committed: i64) -> Value {
    json!({
        "id": id(number), "isActive": true, "quantities": quantities(available, committed),
        "item": { "id": item(number), "sku": sku, "tracked": true }, "location": { "id": HERE }
    })
}

pub(super) fn variant(number: usize, sku: &str, level: Value) -> Value {
    json!({
        "id": format!("gid://shopify/ProductVariant/{number}"), "sku": sku,
        "inventoryItem": { "id": item(number), "tracked": true, "inventoryLevel": level }
    })
}

pub(super) fn found(variants: Value) -> Value {
    json!({ "productVariants": { "nodes": variants, "pageInfo": { "hasNextPage": false, "endCursor": null } } })
}

pub(super) fn sku(number: usize) -> String {
    format!("SKU-{number:04}")
}
