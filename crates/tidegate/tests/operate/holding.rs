//! What the warehouse refuses to reserve is held in the shop until it is taken, by the configuration that docs/inventory.md shows.

use crate::hub::{Hub, until};
use crate::office::PATIENCE;
use crate::patience::comes;
use crate::reserving::Warehouse;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use twin::shop::{CancelReason, Order};
use twin::shopify::{ApiFaults, Hold};

const PAGE: &str = include_str!("../../../../docs/inventory.md");
const FLOW: &str = "orders_to_wms";

/// The parts of the page that are a configuration.
fn shown() -> (String, String) {
    let part = |mark: &str| {
        let (_, rest) = PAGE.split_once(&format!("<!-- example: {mark} -->\n```toml\n")).unwrap();
        rest.split_once("```").unwrap().0.to_owned()
    };
    let owner = part("refusals owned");
    let line = owner.lines().find(|line| line.starts_with("owner")).unwrap();
    assert!(owner.starts_with("[ownership.orders.fields.\"wms_orders\"]"), "{owner}");
    (format!("\"wms_orders\" = {{ {line} }}"), part("refusals hold"))
}

/// The warehouse of the other test, that refuses what it does not have, and whose refusals are held.
async fn open() -> Warehouse {
    let warehouse = Warehouse::open_with(with_holds).await;
    warehouse.wms.turn(|knobs| knobs.refuses_short = true);
    warehouse
}

fn with_holds(text: String) -> String {
    let (owned, flow) = shown();
    let (owner, scopes) = ("\"erp.state\" = { owner = \"erp\" }", "\"read_locations\"]");
    assert!(text.contains(owner) && text.contains(scopes));
    let more = "\"read_locations\", \"write_merchant_managed_fulfillment_orders\"]";
    text.replace(owner, &format!("{owner}, {owned}")).replace(scopes, more) + "\n" + &flow
}

/// Its goods, by SKU.
fn goods(order: &Order) -> BTreeSet<String> {
    let open = order.lines.iter().filter(|line| line.fulfillable() > 0 && line.requires_shipping);
    open.filter_map(|line| line.sku.clone()).collect()
}

/// The warehouse has none of it any more, at no place.
fn runs_out(warehouse: &Warehouse, sku: &str) {
    for row in warehouse.wms.all_stock().iter().filter(|row| row.sku == sku) {
        warehouse.wms.correct(sku, row.location, 0).unwrap();
    }
}

/// Orders of which the first one's first SKU is nowhere: those that have it, and the others.
fn placed(warehouse: &Warehouse, count: u64) -> (String, Vec<Arc<Order>>, Vec<Arc<Order>>) {
    let orders = warehouse.office.orders(1001, count);
    let counts = |sku: &String| orders.iter().filter(|order| goods(order).contains(sku)).count();
    let all: BTreeSet<String> = orders.iter().flat_map(|order| goods(order)).collect();
    // One that some orders have and others have not.
    let sku = all.into_iter().filter(|sku| counts(sku) < orders.len()).max_by_key(counts).unwrap();
    runs_out(warehouse, &sku);
    let (short, others) = orders.iter().cloned().partition(|order| goods(order).contains(&sku));
    (sku, short, others)
}

/// Until it is so.
fn comes_about(warehouse: &Warehouse, what: &str, is_so: impl Fn() -> bool) {
    let has_come = comes(|| {
        warehouse.office.folder.tidegate(&["status"]);
        is_so()
    });
    if has_come {
        return;
    }
    let said = warehouse.office.folder.tidegate(&["deliveries", "list"]).out;
    panic!(
        "{what} never came about: {said}\n{}",
        warehouse.office.folder.tidegate(&["dead-letters", "list"]).out
    );
}

fn holds(warehouse: &Warehouse, order: &Order) -> Vec<(u64, Hold)> {
    warehouse.office.shop.holds(order.id)
}

fn are_held(warehouse: &Warehouse, orders: &[Arc<Order>]) -> bool {
    orders.iter().all(|order| !holds(warehouse, order).is_empty())
}

fn reserved(warehouse: &Warehouse, order: &Order) -> bool {
    warehouse.wms.order(&format!("acme-order-{}", order.id)).is_ok()
}

/// All that is dead of the flow is tried once more.
fn try_again(warehouse: &Warehouse) {
    let folder = &warehouse.office.folder;
    let groups = folder.json(&["dead-letters", "list", "--flow", FLOW])["groups"].clone();
    for group in groups.as_array().unwrap() {
        let id = group["id"].as_str().unwrap();
        folder.json(&["dead-letters", "release", "--group", id, "--why", "goods came"]);
    }
}

/// Whether all is done of the flow that holds. What was made again after an unknown answer is looked at once more, much later.
fn is_at_rest(warehouse: &Warehouse) -> bool {
    let args = ["deliveries", "list", "--phase", "open", "--flow", "holds_to_shopify"];
    let open = warehouse.office.folder.json(&args)["deliveries"].clone();
    open.as_array().unwrap().iter().all(|delivery| delivery["kind"] == "step")
}

/// The flows of the two that have dead letters.
fn dead(warehouse: &Warehouse) -> Vec<String> {
    let of = |flow: &&str| {
        let letters = warehouse.office.folder.json(&["dead-letters", "list", "--flow", flow]);
        letters["groups"] != serde_json::json!([])
    };
    [FLOW, "holds_to_shopify"].iter().filter(|flow| of(flow)).map(|flow| (*flow).to_owned()).collect()
}

fn calls(warehouse: &Warehouse, name: &str) -> usize {
    usize::try_from(warehouse.office.shop.stats().api.get(name).copied().unwrap_or(0)).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_warehouse_refuses_is_held_until_it_is_taken_changed_or_called_off() {
    let warehouse = open().await;
    let (shop, folder) = (&warehouse.office.shop, &warehouse.office.folder);
    let (sku, short, others) = placed(&warehouse, 24);
    let longer = |order: &&Arc<Order>| goods(order).len() > 1;
    let changed = short.iter().find(longer).expect("one of them has other goods as well").clone();
    let mut rest = short.iter().filter(|order| order.id != changed.id).cloned();
    let called_off = rest.next().expect("several orders have the SKU");
    let rest: Vec<Arc<Order>> = rest.collect();
    assert!(!rest.is_empty() && !others.is_empty());

    let _hub = warehouse.hub_with(&[]);
    comes_about(&warehouse, "a hold on each", || are_held(&warehouse, &short));
    comes_about(&warehouse, "each other order's reservation", || {
        others.iter().all(|order| reserved(&warehouse, order))
    });
    for order in &short {
        let (_, Hold { handle, reason, notes, .. }) = &holds(&warehouse, order)[0];
        assert_eq!((handle.as_str(), reason.as_str()), (FLOW, "INVENTORY_OUT_OF_STOCK"));
        let notes = notes.as_deref().unwrap();
        assert!(notes.starts_with("wms_orders: no_stock: ") && notes.contains(&sku), "{notes}");
    }
    assert!(others.iter().all(|order| holds(&warehouse, order).is_empty()));
    let all: usize = short.iter().map(|order| holds(&warehouse, order).len()).sum();

    // A newer state without the SKU is taken; one is called off.
    let line = changed.lines.iter().find(|line| line.sku.as_ref() == Some(&sku)).unwrap();
    shop.edit(changed.id, line.id, 0).unwrap();
    shop.cancel(called_off.id, CancelReason::Customer).unwrap();
    comes_about(&warehouse, "the changed order's release", || holds(&warehouse, &changed).is_empty());
    assert!(reserved(&warehouse, &changed));
    until(folder, &["orders", "show", &called_off.name], "filtered: cancelled_before_export");
    assert!(!reserved(&warehouse, &called_off));
    assert!(are_held(&warehouse, &rest), "they are refused as before");

    // Tried again in vain: held as before, once.
    try_again(&warehouse);
    comes_about(&warehouse, "the second refusal", || {
        let letters = folder.json(&["dead-letters", "list", "--flow", FLOW]);
        letters["letters"].as_array().unwrap().len() == rest.len()
    });
    comes_about(&warehouse, "rest", || is_at_rest(&warehouse));
    assert!(are_held(&warehouse, &rest));

    // Goods come; the rest is taken, and a person's hold stands.
    let watched = rest[0].id;
    shop.hold(watched, "HIGH_RISK_OF_FRAUD");
    warehouse.wms.receive(&sku, "WH-1", 900).unwrap();
    comes_about(&warehouse, "each release", || {
        try_again(&warehouse);
        rest.iter().all(|order| holds(&warehouse, order).is_empty())
    });
    assert!(rest.iter().all(|order| reserved(&warehouse, order)));
    comes_about(&warehouse, "rest", || is_at_rest(&warehouse));
    assert!(shop.is_held(watched), "a hold of another was released");
    assert_eq!(calls(&warehouse, "fulfillmentOrderHold"), all, "each hold was placed once");
    assert!(calls(&warehouse, "fulfillmentOrderReleaseHold") <= all);
    assert_eq!(dead(&warehouse), Vec::<String>::new());
}

/// Kills the hub as soon as that is so, in the middle of a call whose answer it does not have.
async fn killed_once(warehouse: &Warehouse, hub: Hub, is_so: impl Fn() -> bool) {
    let waited = tokio::time::timeout(PATIENCE, async {
        let mut look = tokio::time::interval(Duration::from_millis(5));
        while !is_so() {
            look.tick().await;
        }
    });
    assert!(waited.await.is_ok(), "{:?}", warehouse.office.shop.stats().api);
    hub.kill();
    let args = ["deliveries", "list", "--phase", "unknown", "--flow", "holds_to_shopify"];
    let unknown = warehouse.office.folder.json(&args)["deliveries"].as_array().unwrap().len();
    assert!(unknown > 0, "it was recorded already");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hub_that_is_killed_between_the_hold_and_its_record_neither_loses_nor_doubles_it() {
    let warehouse = open().await;
    let shop = &warehouse.office.shop;
    let (sku, short, _) = placed(&warehouse, 12);
    // Carried out, and the hub hears nothing of it.
    let unheard = |name: &str| {
        let only = [name.to_owned()].into();
        shop.turn_faults(|faults| {
            *faults = ApiFaults { only, unanswered_per_mille: 1000, ..ApiFaults::default() }
        });
    };
    let heard = || shop.turn_faults(|faults| *faults = ApiFaults::default());
    unheard("fulfillmentOrderHold");
    let hub = warehouse.hub_with(&[]);
    killed_once(&warehouse, hub, || short.iter().any(|order| !holds(&warehouse, order).is_empty())).await;
    heard();
    let hub = warehouse.hub_with(&[]);
    comes_about(&warehouse, "a hold on each", || are_held(&warehouse, &short));
    comes_about(&warehouse, "rest", || is_at_rest(&warehouse));
    let all: usize = short.iter().map(|order| holds(&warehouse, order).len()).sum();
    assert_eq!(calls(&warehouse, "fulfillmentOrderHold"), all, "each hold was placed once");

    warehouse.wms.receive(&sku, "WH-1", 900).unwrap();
    unheard("fulfillmentOrderReleaseHold");
    try_again(&warehouse);
    killed_once(&warehouse, hub, || short.iter().any(|order| holds(&warehouse, order).is_empty())).await;
    heard();
    let _hub = warehouse.hub_with(&[]);
    comes_about(&warehouse, "each release", || {
        try_again(&warehouse);
        short.iter().all(|order| holds(&warehouse, order).is_empty())
    });
    comes_about(&warehouse, "rest", || is_at_rest(&warehouse));
    assert!(short.iter().all(|order| reserved(&warehouse, order)));
    assert_eq!(calls(&warehouse, "fulfillmentOrderReleaseHold"), all, "each hold was released once");
    assert_eq!(calls(&warehouse, "fulfillmentOrderHold"), all);
    assert_eq!(dead(&warehouse), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flow_that_cannot_carry_refusals_is_refused_with_what_to_write() {
    let warehouse = open().await;
    let folder = &warehouse.office.folder;
    let path = folder.path("tidegate.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let (head, flow) = text.split_once("[flows.holds_to_shopify]").unwrap();
    let check = |from: &str, to: &str| {
        assert!(flow.contains(from), "{from}");
        std::fs::write(&path, format!("{head}[flows.holds_to_shopify]{}", flow.replace(from, to))).unwrap();
        let said = folder.tidegate(&["check"]);
        (said.code, said.out + &said.err)
    };
    let follows = "follows = \"orders_to_wms\"";
    for (from, to, told) in [
        (follows, "follows = \"orders_to_erp\"", "write source = \"erp\""),
        (follows, "", "nothing says of which orders"),
        (follows, "follows = \"orders_to_wms\"\nintake = \"outcome\"", "leave intake out"),
        ("refusals_to_shopify", "shipments_to_shopify", "source = \"object.refusal/1\""),
    ] {
        let (code, said) = check(from, to);
        assert!(code == Some(3) && said.contains(told), "{to}: {code:?} {said}");
    }
    let scope = "\"write_merchant_managed_fulfillment_orders\"";
    std::fs::write(&path, text.replace(&format!(", {scope}"), "")).unwrap();
    let said = folder.tidegate(&["check"]);
    let said = said.out + &said.err;
    assert!(said.contains("TG-1305") || said.contains("lacks the scope"), "{said}");
    assert!(
        said.contains("write_merchant_managed_fulfillment_orders, needed by document HoldFulfilmentOrder"),
        "{said}"
    );
}
