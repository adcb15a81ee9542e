//! Talks to a back office as a connector would: no redirects, no retries.

use reqwest::{Client, Method, RequestBuilder, Response};
use serde_json::{Value, json};
use tidegate_twin::erp::{ErpConfig, ErpTwin, Knobs};

pub(crate) struct Caller {
    pub(crate) erp: ErpTwin,
    http: Client,
}

/// The error code of an answer, or the status where there is none.
#[derive(Debug, PartialEq)]
pub(crate) struct Said {
    pub(crate) status: u16,
    pub(crate) code: String,
    pub(crate) field: Option<String>,
}

pub(crate) async fn office(knobs: Knobs) -> Caller {
    with(ErpConfig { knobs, ..ErpConfig::default() }).await
}

pub(crate) async fn with(config: ErpConfig) -> Caller {
    let erp = ErpTwin::start(config).await.unwrap();
    Caller { erp, http: client() }
}

pub(crate) fn client() -> Client {
    Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().build().unwrap()
}

/// One line of 3 × 10.00 less 1.50 at 19 %: net 28.50, tax 5.42 (5.415), gross 33.92.
pub(crate) fn sale(reference: &str) -> Value {
    json!({
        "reference": reference,
        "party": "CUST-001",
        "order_number": format!("#{reference}"),
        "currency": "EUR",
        "lines": [{
            "sku": "SKU-0001", "quantity": 3, "unit_price": "10.00", "discount": "1.50", "tax_rate": "0.19",
        }],
    })
}

impl Caller {
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.erp.url())).bearer_auth(self.erp.token())
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> RequestBuilder {
        self.request(Method::POST, path).json(body)
    }

    pub(crate) async fn get(&self, path: &str) -> Response {
        self.request(Method::GET, path).send().await.unwrap()
    }

    pub(crate) async fn create(&self, body: &Value) -> Response {
        self.post("/sales", body).send().await.unwrap()
    }

    /// Creates and expects success.
    pub(crate) async fn created(&self, body: &Value) -> Value {
        let response = self.create(body).await;
        assert_eq!(response.status(), 201);
        response.json().await.unwrap()
    }
}

pub(crate) async fn said(response: Response) -> Said {
    let status = response.status().as_u16();
    let body: Value = response.json().await.unwrap();
    let error = &body["error"];
    assert!(error["message"].as_str().is_some_and(|message| !message.is_empty()), "{body}");
    Said {
        status,
        code: error["code"].as_str().unwrap_or_default().to_owned(),
        field: error["field"].as_str().map(str::to_owned),
    }
}
