//! Orders reserve at the warehouse, by the connector `http` alone and the configuration that docs/inventory.md shows: the
//! warehouse counts them, and what the shop sells is what the warehouse has to sell.

use crate::hub::Hub;
use crate::office::Office;
use crate::patience::comes;
use std::collections::BTreeMap;
use std::sync::Arc;
use twin::shop::{CancelReason, Order, RefundRequest};
use twin::wms::{PushTarget, TruthRow, WmsConfig, WmsTwin};

const PAGE: &str = include_str!("../../../../docs/inventory.md");
const RESERVE: &str = include_str!("../../../../mappings/orders_to_wms.toml");
const SHIPMENTS: &str = include_str!("../../../../mappings/shipments_to_shopify.toml");
const REFUSALS: &str = include_str!("../../../../mappings/refusals_to_shopify.toml");
const STOCK: &str = include_str!("../../../../mappings/stock_to_shopify.toml");
pub(crate) const SECRET: &str = "warehouse";
/// Orders are asked for every second: no webhook comes here.
pub(crate) const SETTINGS: [&str; 6] = [
    "flows.orders_to_erp.intake=poll",
    "flows.orders_to_erp.sweep.every=1s",
    "flows.orders_to_wms.intake=poll",
    "flows.orders_to_wms.sweep.every=1s",
    "systems.erp.settle_after=1s",
    // A hub that is killed while it sets levels looks for so long whether they were set.
    "systems.shopify.settle_after=1s",
];
const STOCK_FLOW: &str = include_str!("../../stock_flow.toml");
/// What is its own.
const OWN: &str = r#"
[systems.wms.connection]
url = "WMS_URL"
token = "file:secrets/wms.token"

[flows.stock_to_shopify.sweep]
every = "1s"
"#;

const RELEASE: &str = include_str!("../../../../mappings/refunds_to_wms.toml");

/// The parts of the page that are a configuration.
fn shown() -> String {
    let part = |mark: &str| {
        let (_, rest) = PAGE.split_once(&format!("<!-- example: {mark} -->\n```toml\n")).unwrap();
        rest.split_once("```").unwrap().0
    };
    part("orders reserve").to_owned() + part("refunds release")
}

/// The office with a warehouse that tells its stock and takes orders.
pub(crate) struct Warehouse {
    pub(crate) office: Office,
    pub(crate) wms: WmsTwin,
}

impl Warehouse {
    async fn open() -> Self {
        Self::open_with(|text| text).await
    }

    /// With more in the configuration.
    pub(crate) async fn open_with(more: impl FnOnce(String) -> String) -> Self {
        let office = Office::open().await;
        let wms = WmsConfig { on_hand: (800, 900), ..WmsConfig::default() };
        let wms = WmsTwin::start(wms).await.unwrap();
        let folder = &office.folder;
        // What would be a minute elsewhere.
        let waits = [("\"20s\"", "\"2s\""), ("\"60s\"", "\"4s\""), ("http://127.0.0.1:9003", wms.url())];
        let orders = waits.into_iter().fold(shown(), |text, (from, to)| {
            assert!(text.contains(from), "{from} is no longer on the page");
            text.replace(from, to)
        });
        let path = folder.path("tidegate.toml");
        let text = std::fs::read_to_string(&path).unwrap();
        let scopes = "\"read_products\"]";
        assert!(text.contains(scopes));
        let all = "\"read_products\", \"read_inventory\", \"write_inventory\", \"read_locations\"]";
        let text =
            text.replace(scopes, all) + STOCK_FLOW + &OWN.replace("WMS_URL", wms.url()) + "\n" + &orders;
        std::fs::write(&path, more(text)).unwrap();
        std::fs::write(folder.path("mappings/stock_to_shopify.toml"), STOCK).unwrap();
        std::fs::write(folder.path("mappings/orders_to_wms.toml"), RESERVE).unwrap();
        std::fs::write(folder.path("mappings/refunds_to_wms.toml"), RELEASE).unwrap();
        std::fs::write(folder.path("mappings/shipments_to_shopify.toml"), SHIPMENTS).unwrap();
        std::fs::write(folder.path("mappings/refusals_to_shopify.toml"), REFUSALS).unwrap();
        for (name, secret) in [("wms.push", SECRET), ("wms.token", wms.token())] {
            let file = folder.path(&format!("secrets/{name}"));
            std::fs::write(&file, secret).unwrap();
            std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        }
        let said = folder.tidegate(&["check"]);
        assert_eq!(said.code, Some(0), "what the page shows is refused: {}{}", said.out, said.err);
        Self { office, wms }
    }

    /// A hub that is pushed to.
    fn hub(&self) -> Hub {
        self.hub_with(&[])
    }

    pub(crate) fn hub_with(&self, more: &[&str]) -> Hub {
        let key = |setting: &str| setting.split_once('=').map(|(key, _)| key.to_owned());
        let mut settings = SETTINGS.to_vec();
        settings.retain(|setting| more.iter().all(|other| key(other) != key(setting)));
        let hub = Hub::start_with(&self.office.folder, &[settings.as_slice(), more].concat());
        self.wms.push_to(Some(PushTarget {
            url: format!("http://{}/ingest/wms/inventory", hub.address),
            secret: SECRET.to_owned(),
            shop: "acme".to_owned(),
        }));
        hub
    }

    /// What is not as it should be at rest.
    fn wrong(&self, row: &TruthRow) -> Option<String> {
        let (there, truth) = (self.office.shop.stock(&row.sku, row.location).unwrap(), row.truth);
        let in_flight = (there.committed - truth.counted).max(0);
        let free = truth.on_hand - truth.reserved - in_flight;
        let is_right = there.available == free && there.committed == truth.counted;
        (!is_right).then(|| format!("{} at {}: {there:?}, {truth:?}", row.sku, row.location))
    }

    /// Until the warehouse has counted what the shop sold, and the shop sells what the warehouse has to sell.
    pub(crate) fn at_rest(&self) {
        let mut wrong = Vec::new();
        let is_at_rest = comes(|| {
            self.office.folder.tidegate(&["status"]);
            wrong = self.wms.all_stock().iter().filter_map(|row| self.wrong(row)).collect();
            wrong.is_empty()
        });
        assert!(is_at_rest, "{wrong:#?}\n{}", self.office.folder.tidegate(&["status"]).out);
        let oversold = (self.office.shop.stock_counts().oversold, self.wms.ledger().counts.oversold);
        assert_eq!(oversold, (0, 0), "units were sold that nobody has");
    }

    /// By SKU: what the shop's order has, and what is reserved for it.
    fn reserved(&self, order: &Order) -> [BTreeMap<String, i64>; 2] {
        let mut has = BTreeMap::new();
        for line in order.lines.iter().filter(|line| line.fulfillable() > 0) {
            *has.entry(line.sku.clone().unwrap_or_default()).or_default() += i64::from(line.fulfillable());
        }
        let view = self.wms.order(&format!("acme-order-{}", order.id)).unwrap();
        let mut reserved = BTreeMap::new();
        for line in view.lines.into_iter().filter(|line| line.quantity > 0) {
            *reserved.entry(line.sku).or_default() += line.quantity;
        }
        [has, reserved]
    }

    /// Each order has its units at the warehouse, once.
    fn each_once(&self, orders: &[Arc<Order>]) {
        assert_eq!(self.wms.ledger().counts.orders, orders.len() as u64);
        for order in orders {
            let [has, reserved] = self.reserved(order);
            assert!(!has.is_empty() && has == reserved, "{}: {has:?} and {reserved:?}", order.name);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_is_counted_by_the_warehouse_changed_there_and_given_back() {
    let warehouse = Warehouse::open().await;
    let _hub = warehouse.hub();
    warehouse.at_rest();
    let orders = warehouse.office.orders(1001, 20);
    warehouse.at_rest();
    warehouse.each_once(&orders);
    let counted = warehouse.wms.ledger().counted;
    assert!(counted > 0, "none of the orders had goods");

    // One is given back, of another a line becomes fewer.
    let shop = &warehouse.office.shop;
    let edited = orders.iter().find(|order| order.lines.iter().any(|line| line.quantity > 1)).unwrap();
    let line = edited.lines.iter().find(|line| line.quantity > 1).unwrap();
    shop.edit(edited.id, line.id, 1).unwrap();
    let cancelled = orders.iter().find(|order| order.id != edited.id).unwrap();
    let given_back: u32 = cancelled.lines.iter().map(|line| line.quantity).sum();
    shop.cancel(cancelled.id, CancelReason::Customer).unwrap();
    warehouse.at_rest();
    let view = warehouse.wms.order(&format!("acme-order-{}", cancelled.id)).unwrap();
    assert_eq!((view.state, warehouse.wms.ledger().counts.cancelled), ("cancelled", 1));
    let [has, reserved] = warehouse.reserved(&shop.order(edited.id).unwrap());
    assert_eq!(has, reserved, "an edit is not at the warehouse");
    let fewer = i64::from(given_back + line.quantity - 1);
    assert_eq!(warehouse.wms.ledger().counted, counted - fewer);
    // The ERP has confirmed both, which is its flow's ticket and none of the warehouse's.
    let letters = warehouse.office.folder.json(&["dead-letters", "list"])["groups"].to_string();
    assert!(!letters.contains("orders_to_wms"), "{letters}");
}

/// No webhook came, and the next sweep is an hour away: what Shopify has committed beyond what the warehouse counted tells of it.
#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_was_not_heard_of_is_asked_for_as_soon_as_its_stock_is_looked_at() {
    let warehouse = Warehouse::open().await;
    let _hub = warehouse.hub_with(&[
        "flows.orders_to_erp.sweep.every=1h",
        "flows.orders_to_erp.slo.export_lag=2h",
        "flows.orders_to_wms.sweep.every=1h",
        "flows.orders_to_wms.slo.export_lag=2h",
    ]);
    warehouse.at_rest();
    let orders = warehouse.office.orders(1001, 1);
    let line = orders[0].lines.iter().find(|line| line.fulfillable() > 0).unwrap();
    let sku = line.sku.as_deref().unwrap();
    let sold_at =
        warehouse.wms.all_stock().into_iter().find(|row| row.sku == sku && warehouse.wrong(row).is_some());
    let sold_at = sold_at.expect("nobody has heard of the order").location;
    warehouse.wms.receive(sku, sold_at, 1).unwrap();
    warehouse.at_rest();
    warehouse.each_once(&orders);
}

/// Before the warehouse has heard of the order, while answers are lost, and before an edit that names the order's lines anew: each unit is
/// free again once.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_given_back_is_released_once_and_not_reserved_again() {
    let warehouse = Warehouse::open().await;
    let shop = &warehouse.office.shop;
    let gives_back = |order: &Order| {
        let line = order.lines.iter().find(|line| line.fulfillable() > 0).unwrap();
        let request = RefundRequest { lines: vec![(line.id, 1)], shipping: false, restock: true, note: None };
        shop.refund(order.id, request).unwrap()
    };
    let orders = warehouse.office.orders(1001, 20);
    orders[..4].iter().for_each(|order| drop(gives_back(order)));
    warehouse.wms.turn(|knobs| {
        knobs.error_per_mille = 100;
        knobs.error_after_per_mille = 200;
    });
    let hub = warehouse.hub();
    warehouse.office.made(10).await;
    orders[4..8].iter().for_each(|order| drop(gives_back(order)));
    hub.kill();
    orders[8..10].iter().for_each(|order| drop(gives_back(order)));
    let _hub = warehouse.hub();
    warehouse.at_rest();
    let released = || warehouse.wms.ledger().counts.releases;
    let letters = || warehouse.office.folder.json(&["dead-letters", "list"])["groups"].to_string();
    let all_are = || {
        warehouse.office.folder.tidegate(&["status"]);
        released() >= 10
    };
    assert!(comes(all_are), "{} are released: {}", released(), letters());
    assert_eq!(released(), 10, "{}", letters());
    let is_as_in_the_shop = || {
        for order in &orders {
            let [has, reserved] = warehouse.reserved(&shop.order(order.id).unwrap());
            assert_eq!(has, reserved, "{}: {:?}", order.name, warehouse.wms.releases());
        }
    };
    is_as_in_the_shop();
    // An edit writes the lines as they were ordered.
    let long =
        |order: &&Arc<Order>| shop.order(order.id).unwrap().lines.iter().any(|line| line.fulfillable() > 1);
    let edited = shop.order(orders[..10].iter().find(long).unwrap().id).unwrap();
    let line = edited.lines.iter().find(|line| line.fulfillable() > 1).unwrap();
    shop.edit(edited.id, line.id, line.current_quantity - 1).unwrap();
    warehouse.at_rest();
    is_as_in_the_shop();
    assert!(!letters().contains("refunds_to_wms"), "{}", letters());
}

#[tokio::test(flavor = "multi_thread")]
async fn lost_answers_lost_levels_and_a_killed_hub_reserve_nothing_twice_and_sell_nothing_twice() {
    let warehouse = Warehouse::open().await;
    let hub = warehouse.hub();
    warehouse.at_rest();
    warehouse.wms.turn(|knobs| {
        knobs.error_per_mille = 100;
        knobs.error_after_per_mille = 300;
        knobs.drop_per_mille = 100;
        knobs.duplicate_per_mille = 100;
        knobs.reorder_per_mille = 100;
    });
    warehouse.office.orders(1001, 40);
    warehouse.wms.stir(100);
    warehouse.office.made(10).await;
    hub.kill();
    // Nobody is there: the shop goes on selling, and the warehouse on working.
    let orders = warehouse.office.orders(1041, 20);
    warehouse.wms.stir(50);
    let _hub = warehouse.hub();
    warehouse.at_rest();
    warehouse.each_once(&orders);
    let pushes = warehouse.wms.ledger().pushes;
    assert!(pushes.dropped > 0 && pushes.duplicated > 0, "nothing went wrong: {pushes:?}");
}
