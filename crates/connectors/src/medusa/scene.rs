//! A shelf of one's own in a Medusa, the desk's or a real one, and who sells, packs and looks there: for the scenes that are played
//! before both.

use super::contract::{Fitted, call, line};
use super::source;
use connector::contract::Fixture as _;
use connector::port::{CallContext, Changes, Connector, Done, Fed, Observed, Plan, Source, Stage, Wanted};
use http::Method;
use jiff::ToSpan as _;
use kernel::fault::Fault;
use kernel::id::ShopId;
use kernel::key::CallKey;
use kernel::subject::Subject;
use rust_decimal::Decimal;
use serde_json::{Value, json};
use std::sync::Arc;

/// Each scene before the desk, and before the real Medusa that `cargo xtask services` starts.
macro_rules! scenes {
    ($($scene:ident, $real:ident;)+) => {$(
        #[tokio::test]
        async fn $scene() {
            super::$scene(crate::medusa::contract::fixture().await).await;
        }

        #[tokio::test]
        async fn $real() {
            super::$scene(crate::medusa::contract::Fitted::real()).await;
        }
    )+};
}
pub(super) use scenes;

/// A thing that is sold, at one location.
pub(super) struct Shelf {
    pub(super) medusa: Fitted,
    pub(super) source: Arc<dyn Source>,
    pub(super) sku: String,
    pub(super) place: String,
    item: String,
    /// Of the asker's clock: a second a call.
    asked: i64,
    pub(super) point: Option<String>,
}

impl Shelf {
    pub(super) async fn new(medusa: Fitted, on_hand: i64) -> Self {
        let [place, other] = medusa.places();
        let medusa = medusa.with("locations", json!({"ROT": place, "HAM": other}));
        let sku = if medusa.is_desk() { "SKU-0003".to_owned() } else { format!("S-{}", medusa.shop()) };
        let item = if medusa.is_desk() { format!("iitem_{sku}") } else { product(&medusa, &sku).await };
        let source = source::source(&medusa.settings(medusa.target())).unwrap();
        let shelf = Self { medusa, source, sku, place, item, asked: 0, point: None };
        shelf.holds(on_hand).await;
        shelf
    }

    /// So many lie there from now on.
    pub(super) async fn holds(&self, on_hand: i64) {
        if self.medusa.is_desk() {
            let mut books = self.medusa.desk().books.lock().unwrap();
            books.stock.set(&self.sku, &self.place, Decimal::from(on_hand));
            books.stock.set(&self.sku, &self.medusa.places()[1], Decimal::ZERO);
            return;
        }
        let level =
            json!({"inventory_item_id": self.item, "location_id": self.place, "stocked_quantity": on_hand});
        let path = "/admin/inventory-items/location-levels/batch";
        let had = self.medusa.ask(Method::POST, path, Some(&json!({"update": [level]}))).await;
        if had.get("updated").is_none() {
            self.medusa.ask(Method::POST, path, Some(&json!({"create": [level]}))).await;
        }
    }

    /// So many are on their way there.
    pub(super) async fn comes(&self, incoming: i64) {
        if self.medusa.is_desk() {
            let mut books = self.medusa.desk().books.lock().unwrap();
            books.stock.comes(&self.sku, &self.place, Decimal::from(incoming));
            return;
        }
        let path = format!("/admin/inventory-items/{}/location-levels/{}", self.item, self.place);
        self.medusa.ask(Method::POST, &path, Some(&json!({"incoming_quantity": incoming}))).await;
    }

    pub(super) fn call(&mut self) -> CallContext {
        self.asked += 1;
        let now = if self.medusa.is_desk() { call().now } else { super::contract::now() };
        CallContext {
            shop: ShopId::new(self.medusa.shop()).unwrap(),
            now: now + self.asked.seconds(),
            ..call()
        }
    }

    /// A hub that begins anew.
    pub(super) fn anew(&mut self) {
        self.source = source::source(&self.medusa.settings(self.medusa.target())).unwrap();
    }

    pub(super) async fn page(&mut self, domain: &str, after: Option<&str>) -> Changes {
        let call = self.call();
        self.source.changes(&call, domain, after).await.unwrap()
    }

    /// All that is told until there is no more: of this shelf alone, because others move theirs at the same time.
    pub(super) async fn changes(&mut self) -> Vec<Fed> {
        let mut told = Vec::new();
        loop {
            let after = self.point.clone();
            let Changes { items, next, more } = self.page("inventory", after.as_deref()).await;
            told.extend(items.into_iter().filter(|fed| fed.path == self.path()));
            self.point = Some(next);
            if !more {
                return told;
            }
        }
    }

    pub(super) fn path(&self) -> String {
        domains::inventory::path(&self.sku, "ROT")
    }

    pub(super) fn subject(&self) -> Subject {
        Subject { shop: ShopId::new(self.medusa.shop()).unwrap(), path: self.path() }
    }

    /// What the last change says: on hand, reserved, counted.
    pub(super) async fn level(&mut self) -> [String; 3] {
        let told = self.changes().await;
        figures(&told.last().expect("a change that is told").payload)
    }

    /// An order of so many, at four euro each.
    pub(super) fn order(&self, number: u32, quantity: u32) -> Wanted {
        let mut wanted = self.medusa.wanted(number);
        wanted.body["lines"] = json!([line("1", &self.sku, &quantity.to_string(), "4.00")]);
        wanted.body["shipping"] = json!([]);
        wanted.body["gross"] = json!(format!("{}.00", quantity * 4));
        wanted
    }

    /// Packs so many of an order's first line; the fulfilment.
    pub(super) async fn pack(&self, wanted: &Wanted, units: u32) -> Value {
        let id = self.medusa.found(wanted).await[0]["id"].as_str().unwrap().to_owned();
        let order = self.order_of(&id).await;
        let items = json!([{"id": order["items"][0]["id"], "quantity": units}]);
        let body = json!({"items": items, "location_id": self.place});
        self.medusa.ask(Method::POST, &format!("/admin/orders/{id}/fulfillments"), Some(&body)).await;
        let order = self.order_of(&id).await;
        let packed = order["fulfillments"].as_array().unwrap();
        let newest = packed.iter().max_by_key(|one| one["packed_at"].as_str().unwrap().to_owned());
        json!({"order": id, "id": newest.unwrap()["id"], "items": items})
    }

    async fn order_of(&self, id: &str) -> Value {
        let fields = "id,*items,*fulfillments,*fulfillments.items";
        self.medusa.ask(Method::GET, &format!("/admin/orders/{id}?fields={fields}"), None).await["order"]
            .clone()
    }

    fn of(packed: &Value, what: &str) -> String {
        let text = |field: &str| packed[field].as_str().unwrap().to_owned();
        format!("/admin/orders/{}/fulfillments/{}/{what}", text("order"), text("id"))
    }

    pub(super) async fn ship(&self, packed: &Value, labels: Value) {
        let body = json!({"items": packed["items"], "labels": labels});
        self.medusa.ask(Method::POST, &Self::of(packed, "shipments"), Some(&body)).await;
    }

    pub(super) async fn unpack(&self, packed: &Value) {
        self.medusa.ask(Method::POST, &Self::of(packed, "cancel"), Some(&json!({}))).await;
    }

    /// The shipments that are told of this shop's orders, from the beginning.
    pub(super) async fn shipments(&mut self) -> Vec<(i64, Value)> {
        let (mut point, mut told) = (None::<String>, Vec::new());
        loop {
            let page = self.page("orders", point.as_deref()).await;
            told.extend(page.items.into_iter().map(|fed| {
                domains::shipments::read(&fed.payload).unwrap();
                (fed.sequence, serde_json::from_slice(&fed.payload).unwrap())
            }));
            point = Some(page.next);
            if !page.more {
                return told;
            }
        }
    }
}

/// A thing that nobody has any of; its inventory item.
async fn product(medusa: &Fitted, sku: &str) -> String {
    let profiles = medusa.ask(Method::GET, "/admin/shipping-profiles?limit=1&fields=id", None).await;
    let body = json!({
        "title": sku, "handle": sku.to_lowercase(), "status": "published",
        "shipping_profile_id": profiles["shipping_profiles"][0]["id"], "sales_channels": [{"id": medusa.sales_channel()}],
        "options": [{"title": "Size", "values": ["One"]}],
        "variants": [{"title": "One", "sku": sku, "manage_inventory": true, "options": {"Size": "One"},
                      "prices": [{"currency_code": "eur", "amount": 4}]}],
    });
    medusa.ask(Method::POST, "/admin/products", Some(&body)).await;
    let found = medusa.ask(Method::GET, &format!("/admin/inventory-items?sku={sku}&fields=id"), None).await;
    found["inventory_items"][0]["id"].as_str().unwrap().to_owned()
}

pub(super) fn figures(payload: &[u8]) -> [String; 3] {
    let level = domains::inventory::read(payload).unwrap();
    [level.on_hand, level.reserved, level.counted.unwrap()].map(|quantity| quantity.to_string())
}

/// Steps until there is none left, and how it ended.
pub(super) async fn walk(connector: &dyn Connector, wanted: &Wanted) -> (Vec<String>, Result<Done, Fault>) {
    let mut steps = Vec::new();
    for number in 0..20 {
        let observed = connector.observe(&call(), wanted).await.unwrap();
        match connector.plan(wanted, &observed) {
            Plan::Done(done) => return (steps, Ok(done)),
            Plan::NotAllowed(fault) => return (steps, Err(fault)),
            Plan::Next(step) => {
                steps.push(step.name.clone());
                if let Err(fault) = connector.apply(&call(), &CallKey(format!("tg-{number}")), &step).await {
                    return (steps, Err(fault));
                }
            }
        }
    }
    panic!("no end: {steps:?}")
}

pub(super) async fn done(medusa: &Fitted, wanted: &Wanted) -> (Vec<String>, Done) {
    let (steps, ended) = walk(&*medusa.here(), wanted).await;
    (steps, ended.unwrap())
}

pub(super) async fn refused(medusa: &Fitted, wanted: &Wanted) -> (Vec<String>, Fault) {
    let (steps, ended) = walk(&*medusa.here(), wanted).await;
    (steps, ended.unwrap_err())
}

/// The next step, not taken.
pub(super) async fn next(medusa: &Fitted, wanted: &Wanted) -> connector::port::Step {
    let connector = medusa.here();
    let observed = connector.observe(&call(), wanted).await.unwrap();
    match connector.plan(wanted, &observed) {
        Plan::Next(step) => step,
        other => panic!("{other:?}"),
    }
}

pub(super) async fn state(medusa: &Fitted, wanted: &Wanted) -> super::sale::Sale {
    let observed = medusa.here().observe(&call(), wanted).await.unwrap();
    let Observed::One(object) = observed.object else { panic!("{observed:?}") };
    serde_json::from_value(object.body).unwrap()
}

pub(super) fn cancelled(wanted: &Wanted) -> Wanted {
    Wanted { stage: Stage::Cancelled, ..wanted.clone() }
}
