//! The real Tryton as a source of stock: what is told of what moves there, and in which order it is read.

use super::contract::{Tryton, call, line};
use super::real::done;
use connector::port::{CallContext, Changes, Fed, Source, Wanted};
use jiff::{Timestamp, ToSpan as _};
use kernel::subject::Subject;
use serde_json::{Value, json};
use std::sync::Arc;

/// A product of one's own, and one who asks.
pub(super) struct Shelf {
    pub(super) tryton: Tryton,
    pub(super) admin: Tryton,
    source: Arc<dyn Source>,
    pub(super) product: i64,
    pub(super) sku: String,
    /// Of the asker's clock: a second a call.
    asked: i64,
    point: Option<String>,
}

impl Shelf {
    pub(super) async fn new(on_hand: i64) -> Self {
        let tryton = Tryton::real().with("locations", json!({"main": "WH"}));
        let admin = tryton.as_admin();
        let sku = format!("S-{}", tryton.shop());
        let product = product(&admin, &sku).await;
        let source = tryton.source();
        let mut shelf = Self { tryton, admin, source, product, sku, asked: 0, point: None };
        shelf.holds(on_hand).await;
        // What others did before is not asked for.
        shelf.point = Some(format!("{{\"since\":\"{}\"}}", shelf.newest_move().await));
        shelf
    }

    /// An inventory of today: so many lie in the storage zone.
    pub(super) async fn holds(&self, on_hand: i64) {
        let storage = self.location("STO").await;
        let lines = json!([["create", [{"product": self.product, "quantity": on_hand}]]]);
        let values = json!({"location": storage, "company": 1, "empty_quantity": "keep", "lines": lines});
        let made = self.tryton.ask("model.stock.inventory.create", vec![json!([values])]).await;
        self.tryton.ask("model.stock.inventory.confirm", vec![made]).await;
    }

    async fn location(&self, code: &str) -> Value {
        let params = vec![json!([["code", "=", code]]), json!(0), json!(null), json!(null), json!(["code"])];
        self.tryton.ask("model.stock.location.search_read", params).await[0]["id"].clone()
    }

    async fn newest_move(&self) -> Timestamp {
        let order = json!([["last_modified_at", "DESC"]]);
        let params = vec![json!([]), json!(0), json!(1), order, json!(["last_modified_at"])];
        let found = self.tryton.ask("model.stock.move.search_read", params).await;
        super::wire::read_instant(&found[0]["last_modified_at"]).unwrap()
    }

    fn call(&mut self) -> CallContext {
        self.asked += 1;
        let now: Timestamp = "2026-11-26T14:00:00Z".parse().unwrap();
        CallContext { shop: self.tryton.shop(), now: now + self.asked.seconds(), ..call() }
    }

    /// All that is told until there is no more: of this shelf alone, because others move theirs at the same time.
    pub(super) async fn changes(&mut self) -> Vec<Fed> {
        let mut told = Vec::new();
        loop {
            let call = self.call();
            let Changes { items, next, more } =
                self.source.changes(&call, "inventory", self.point.as_deref()).await.unwrap();
            told.extend(items.into_iter().filter(|fed| fed.path == self.path()));
            self.point = Some(next);
            if !more {
                return told;
            }
        }
    }

    fn path(&self) -> String {
        domains::inventory::path(&self.sku, "main")
    }

    /// What the last change says: on hand, reserved, counted.
    pub(super) async fn level(&mut self) -> [String; 3] {
        let told = self.changes().await;
        figures(&told.last().expect("a change that is told").payload)
    }

    pub(super) fn order(&self, quantity: u32) -> Wanted {
        order(&self.tryton, &self.sku, quantity)
    }
}

/// An order of so many, at ten euro each.
pub(super) fn order(tryton: &Tryton, sku: &str, quantity: u32) -> Wanted {
    let mut wanted = tryton.order();
    let (net, tenths) = (format!("{}.00", quantity * 10), quantity * 21);
    let tax = format!("{}.{}0", tenths / 10, tenths % 10);
    let gross = format!("{}.{}0", quantity * 10 + tenths / 10, tenths % 10);
    wanted.body["lines"] = json!([line(sku, &quantity.to_string(), "10.0000", &net, &[("0.21", &tax)])]);
    wanted.body["totals"] = json!({"net": net, "tax": tax, "gross": gross});
    wanted
}

/// Goods at ten euro, with nothing of them anywhere.
async fn product(admin: &Tryton, code: &str) -> i64 {
    let params = |domain: Value| vec![domain, json!(0), json!(1), json!(null), json!(["code"])];
    let category =
        admin.ask("model.product.category.search_read", params(json!([["name", "=", "Goods"]]))).await;
    let price = json!({"__class__": "Decimal", "decimal": "10.00"});
    let values = json!({"name": code, "code": code, "type": "goods", "default_uom": 1, "sale_uom": 1, "salable": true,
                        "list_price": price, "account_category": category[0]["id"], "products": [["create", [{}]]]});
    admin.ask("model.product.template.create", vec![json!([values])]).await;
    let made = admin.ask("model.product.product.search_read", params(json!([["code", "=", code]]))).await;
    made[0]["id"].as_i64().unwrap()
}

fn figures(payload: &[u8]) -> [String; 3] {
    let level = domains::inventory::read(payload).unwrap();
    [level.on_hand, level.reserved, level.counted.unwrap()].map(|quantity| quantity.to_string())
}

#[tokio::test]
async fn real_tryton_tells_each_move_as_the_level_that_it_leaves() {
    let mut shelf = Shelf::new(10).await;
    assert_eq!(shelf.level().await, ["10", "0", "0"]);
    // A sale that our order becomes is the reservation; nothing of it is reserved before its confirmation.
    let mut wanted = shelf.order(3);
    done(&*shelf.tryton.here(), &mut wanted).await;
    assert_eq!(shelf.level().await, ["10", "3", "3"]);
    // Somebody else's sale is reserved and not this shop's.
    let mut other = shelf.order(2);
    other.object_key = kernel::key::ObjectKey(format!("another-{}", other.object_key));
    other.body["reference"] = json!(other.object_key.as_str());
    done(&*shelf.tryton.here(), &mut other).await;
    assert_eq!(shelf.level().await, ["10", "5", "3"]);
    super::real_parcels::ship(&shelf.tryton, &wanted, None).await;
    assert_eq!(shelf.level().await, ["7", "2", "0"]);
    shelf.holds(40).await;
    assert_eq!(shelf.level().await, ["40", "2", "0"]);
    assert!(shelf.changes().await.is_empty(), "nothing moved, and nothing is told again");
}

#[tokio::test]
async fn real_tryton_tells_what_is_on_its_way_with_its_planned_date() {
    let mut shelf = Shelf::new(10).await;
    assert_eq!(shelf.level().await, ["10", "0", "0"]);
    let (from, to) = (shelf.location("SUP").await, shelf.location("IN").await);
    for (quantity, day) in
        [(40, json!({"__class__": "date", "year": 2099, "month": 12, "day": 1})), (7, Value::Null)]
    {
        let price = json!({"__class__": "Decimal", "decimal": "1.00"});
        let values = json!({"product": shelf.product, "quantity": quantity, "unit": 1, "from_location": from,
                            "to_location": to, "company": 1, "currency": 1, "unit_price": price, "planned_date": day});
        shelf.admin.ask("model.stock.move.create", vec![json!([values])]).await;
    }
    let told = shelf.changes().await;
    let level =
        domains::inventory::read(&told.last().expect("what was planned is a change").payload).unwrap();
    assert_eq!(level.on_hand.to_string(), "10", "it is not there yet");
    let due: Vec<_> = level
        .incoming
        .iter()
        .map(|due| (due.at.map(|at| at.to_string()), due.quantity.to_string()))
        .collect();
    assert_eq!(due, [(None, "7".to_owned()), (Some("2099-12-01T00:00:00Z".to_owned()), "40".to_owned())]);
}

#[tokio::test]
async fn real_tryton_is_asked_again_for_what_the_hub_did_not_commit() {
    let mut shelf = Shelf::new(10).await;
    shelf.changes().await;
    shelf.holds(11).await;
    let before = shelf.point.clone();
    let call = shelf.call();
    let lost = shelf.source.changes(&call, "inventory", before.as_deref()).await.unwrap();
    assert!(lost.more && lost.items.is_empty(), "what moved is named first, and read in a call of its own");
    let call = shelf.call();
    let read = shelf.source.changes(&call, "inventory", Some(&lost.next)).await.unwrap();
    assert!(read.items.iter().any(|fed| fed.path == shelf.path()));
    // The hub never came back with the point behind it, as where it died, or where another of its feeds asks meanwhile: the
    // same is found once more.
    let again = shelf.changes().await;
    assert_eq!(figures(&again[0].payload), ["11", "0", "0"]);
    // Another node takes over, with a point that is older.
    shelf.source = shelf.tryton.source();
    shelf.point = before;
    let anew = shelf.changes().await;
    assert_eq!(figures(&anew[0].payload), ["11", "0", "0"]);
    assert!(anew[0].sequence > again[0].sequence, "a later read has the greater number");
}

#[tokio::test]
async fn real_tryton_whole_agrees_with_its_parts() {
    let mut shelf = Shelf::new(10).await;
    let mut wanted = shelf.order(4);
    done(&*shelf.tryton.here(), &mut wanted).await;
    let call = shelf.call();
    let mut whole = shelf.source.whole(&call, "inventory").await.unwrap();
    let all = crate::whole::by_path(whole.as_mut()).await.unwrap();
    assert!(!all.keys().any(|path| path.contains("SHIPPING")), "a service has no stock");
    assert_eq!(figures(&all[&shelf.path()].payload), ["10", "4", "4"]);
    let kilograms = &all["ats:SKU-0005@main"].payload;
    assert_eq!(domains::inventory::read(kilograms).unwrap().unit.as_deref(), Some("kg"));
    let subject = |path: String| Subject { shop: shelf.tryton.shop(), path };
    let (ours, none) = (subject(shelf.path()), subject("ats:NO-SUCH@main".to_owned()));
    let call = shelf.call();
    let read = shelf.source.read(&call, &ours).await.unwrap().unwrap();
    assert_eq!(figures(&read.payload), ["10", "4", "4"]);
    assert!(read.sequence > Some(all[&shelf.path()].sequence));
    assert_eq!(shelf.source.read(&call, &none).await.unwrap(), None);
    // From the beginning, all is told as well.
    shelf.point = None;
    assert_eq!(shelf.level().await, ["10", "4", "4"]);
}

#[tokio::test]
async fn real_tryton_keeps_the_stock_of_a_code_apart_from_that_of_its_former_product() {
    let mut shelf = Shelf::new(10).await;
    shelf.changes().await;
    let gone = json!([[shelf.product], {"active": false}]);
    shelf.admin.ask("model.product.product.write", gone.as_array().unwrap().clone()).await;
    shelf.holds(9).await;
    assert_eq!(shelf.level().await, ["9", "0", "0"], "what is no longer sold still lies there");
    shelf.product = product(&shelf.admin, &shelf.sku).await;
    shelf.holds(12).await;
    assert_eq!(shelf.level().await, ["12", "0", "0"]);
}

#[tokio::test]
async fn real_tryton_has_no_such_location() {
    let tryton = Tryton::real().with("locations", json!({"main": "NOWHERE"}));
    let fault = tryton.source().changes(&call(), "inventory", None).await.unwrap_err();
    assert_eq!(fault.code, "TG-3311");
    assert!(fault.message.contains("NOWHERE") && fault.message.contains("main"), "{fault}");
}
