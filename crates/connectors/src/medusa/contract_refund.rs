//! The contract once more, for refunds: each takes a unit off one order of many, or receives one.

use super::contract::{Fitted, call, fixture, line};
use super::scene::{done, state};
use super::scenes_of_refunds::refund_of;
use async_trait::async_trait;
use connector::contract::Fixture;
use connector::port::{Connector, Wanted};
use http::Method;
use kernel::fault::Reference;
use kernel::money::Money;
use rust_decimal::Decimal;
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// What each gives back, at so much.
const PRICE: &str = "1.25";

struct Refunds {
    medusa: Fitted,
    order: Wanted,
    /// Its id in Medusa.
    id: String,
    restock: &'static str,
}

impl Refunds {
    async fn of(medusa: Fitted) -> Self {
        let mut order = medusa.wanted(7);
        order.body["lines"] = json!([line("1", "SKU-0001", "3000", PRICE)]);
        order.body["shipping"] = json!([]);
        order.body["gross"] = json!("3750.00");
        done(&medusa, &order).await;
        let id = state(&medusa, &order).await.id;
        Self { medusa, order, id, restock: "cancel" }
    }

    /// All of it was sent, and comes back one by one.
    async fn sent(medusa: Fitted) -> Self {
        let refunds = Self { restock: "return", ..Self::of(medusa).await };
        let item = &state(&refunds.medusa, &refunds.order).await.items[0].id;
        let [place, _] = refunds.medusa.places();
        let body = json!({"items": [{"id": item, "quantity": 3000}], "location_id": place});
        let path = format!("/admin/orders/{}/fulfillments", refunds.id);
        refunds.medusa.ask(Method::POST, &path, Some(&body)).await;
        refunds
    }

    /// The edits that bear its name, or the changes that began its returns.
    async fn edits(&self, wanted: &Wanted) -> Vec<Value> {
        let path = format!("/admin/orders/{}/changes", self.id);
        let answer = self.medusa.ask(Method::GET, &path, None).await;
        let own = |change: &&Value| {
            change["internal_note"] == wanted.object_key.as_str() && change["change_type"] != "return_receive"
        };
        answer["order_changes"].as_array().unwrap().iter().filter(own).cloned().collect()
    }
}

#[async_trait]
impl Fixture for Refunds {
    fn target(&self) -> SocketAddr {
        self.medusa.target()
    }

    fn connector(&self, at: SocketAddr) -> Arc<dyn Connector> {
        self.medusa.connector(at)
    }

    fn wanted(&self, number: u32) -> Wanted {
        refund_of(&self.order, number, &[("1", 1, self.restock)])
    }

    fn with_missing_reference(&self, number: u32) -> Option<Wanted> {
        Some(refund_of(&self.medusa.wanted(999_999), number, &[("1", 1, self.restock)]))
    }

    fn references(&self) -> Option<(Reference, Reference)> {
        let order = |order: &Wanted| Reference {
            kind: "order".to_owned(),
            value: order.object_key.as_str().to_owned(),
        };
        Some((order(&self.order), order(&self.medusa.wanted(999_999))))
    }

    async fn count(&self, wanted: &Wanted) -> usize {
        self.edits(wanted).await.len()
    }

    async fn total(&self, wanted: &Wanted) -> Option<Money> {
        let edits = self.edits(wanted).await;
        let [edit] = edits.as_slice() else { return None };
        let details = &edit["actions"].as_array()?.last()?["details"];
        let units = match self.restock {
            "return" => details["quantity"].as_i64()?,
            _ => -details["quantity_diff"].as_i64()?,
        };
        let total = Decimal::from(units) * PRICE.parse::<Decimal>().ok()?;
        Money::parse(&total.to_string(), "EUR".parse().ok()?).ok()
    }

    /// Somebody makes an edit or a return of the same name.
    async fn duplicate(&self, wanted: &Wanted) -> bool {
        let body = json!({"order_id": self.id, "internal_note": wanted.object_key.as_str()});
        if self.restock == "return" {
            let begun = self.medusa.ask(Method::POST, "/admin/returns", Some(&body)).await;
            let item = &state(&self.medusa, &self.order).await.items[0].id;
            let path =
                format!("/admin/returns/{}/request", begun["return"]["id"].as_str().unwrap_or_default());
            let units = json!({"items": [{"id": item, "quantity": 1}]});
            self.medusa.ask(Method::POST, &format!("{path}-items"), Some(&units)).await;
            return self.medusa.ask(Method::POST, &path, Some(&json!({}))).await["order_preview"].is_object();
        }
        self.medusa.ask(Method::POST, "/admin/order-edits", Some(&body)).await;
        let path = format!("/admin/order-edits/{}/confirm", self.id);
        self.medusa.ask(Method::POST, &path, Some(&json!({}))).await["order_preview"].is_object()
    }

    fn time_out(&self) -> Duration {
        self.medusa.time_out()
    }
}

/// All that was given back is booked, and the order misses none of it.
async fn is_kept(refunds: Refunds) {
    connector::contract::run(&refunds).await.assert_kept();
    let observed = refunds.medusa.here().observe(&call(), &refunds.order).await.unwrap();
    let held = refunds.medusa.here().held(&observed).unwrap();
    assert_eq!(held.gross.to_string(), "3750.00 EUR");
}

#[tokio::test]
async fn the_contract_is_kept_for_refunds() {
    is_kept(Refunds::of(fixture().await).await).await;
}

#[tokio::test]
async fn the_contract_is_kept_for_returns() {
    is_kept(Refunds::sent(fixture().await).await).await;
}

#[tokio::test]
async fn real_medusa_keeps_the_contract_for_refunds() {
    connector::contract::run(&Refunds::of(Fitted::real()).await).await.assert_kept();
}

#[tokio::test]
async fn real_medusa_keeps_the_contract_for_returns() {
    connector::contract::run(&Refunds::sent(Fitted::real()).await).await.assert_kept();
}
