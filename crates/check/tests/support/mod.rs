//! The world that the configurations of these tests are judged against: four connectors, small schemas, the topics
//! and documents of orders.

use config::Config;
use connector::descriptor::{Becomes, Descriptor, Direction, OrderAbilities, Service, UnknownAnswer};
use connector::list::{Connected, Kind};
use connector::settings::{Secrets, Settings};
use mapping::Schema;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;
use tidegate_check::{DocumentFacts, DomainExpressions, Inputs, MappingInput, TopicFacts};

pub(crate) fn schemas() -> BTreeMap<String, Schema> {
    let text = || json!({ "type": ["string", "null"] });
    let of = |names: &[&str]| -> serde_json::Value {
        let properties: serde_json::Map<_, _> =
            names.iter().map(|name| ((*name).to_owned(), text())).collect();
        json!({ "type": "object", "properties": properties })
    };
    let decimal = json!({ "type": ["string", "null"], "format": "decimal" });
    let mut order = of(&["order_id", "name", "note", "channel"]);
    order["properties"]["customer"] = of(&["tags"]);
    order["properties"]["erp"] = of(&["number", "state"]);
    order["properties"]["lines"] = json!({ "type": "array", "items": {
        "type": "object", "properties": { "sku": text(), "quantity": decimal } } });
    let mut sale = of(&["reference", "number", "comment", "state", "note"]);
    sale["properties"]["lines"] = json!({ "type": "array", "items": {
        "type": "object", "properties": { "product": { "x-reference": "product", "type": "object" }, "quantity": decimal } } });
    let mut outcome = of(&["number", "state", "comment", "note"]);
    outcome["properties"]["customer"] = of(&["tags"]);
    let update = of(&["erp_number", "erp_state", "note", "tags"]);
    [
        ("order/1", &order),
        ("tryton.sale/1", &sale),
        ("tryton.outcome/1", &outcome),
        ("http.order/1", &sale),
        ("http.outcome/1", &outcome),
        ("shopify.order_update/1", &update),
        ("stock/1", &of(&["sku", "location", "bundles", "parts", "outlets"])),
        ("shopify.inventory/1", &of(&["sku", "location", "bundles", "parts", "outlets"])),
    ]
    .into_iter()
    .map(|(name, schema)| (name.to_owned(), Schema::new(name, schema).unwrap()))
    .collect()
}

fn services(source: &str, target: &str) -> Vec<Service> {
    let service =
        |direction, schema: &str| Service { domain: "orders".into(), direction, schema: schema.into() };
    vec![service(Direction::Source, source), service(Direction::Target, target)]
}

fn descriptor(kind: &str, title: &str, services: Vec<Service>, unknown: UnknownAnswer) -> Descriptor {
    Descriptor {
        kind: kind.into(),
        title: title.into(),
        services,
        unknown,
        health: true,
        observe_first: false,
        resolves_references: true,
        tells_changes: false,
        tells_whole: false,
        reads_states: false,
        only_changes: false,
        orders: OrderAbilities::default(),
        settings: Vec::new(),
    }
}

fn tryton(settings: &Settings) -> Result<Descriptor, Vec<String>> {
    settings.read(Secrets::Referred, |at| {
        for key in ["url", "database", "user"] {
            at.required_text(key);
        }
        at.secret("password");
    })?;
    let look_up = UnknownAnswer::LookUp { lag: Duration::from_secs(5) };
    let services = services("tryton.outcome/1", "tryton.sale/1");
    let mut tryton = descriptor("tryton", "Tryton 8.0 over JSON-RPC", services, look_up);
    tryton.orders = OrderAbilities {
        confirms: true,
        address: BTreeSet::from([Becomes::Amend, Becomes::Ticket]),
        line: BTreeSet::from([Becomes::Ticket]),
        cancel: BTreeSet::from([Becomes::CounterDocument, Becomes::Ticket]),
        reports_totals: true,
        adjusts_line: true,
        ..OrderAbilities::default()
    };
    Ok(tryton)
}

fn http(settings: &Settings) -> Result<Descriptor, Vec<String>> {
    let header = settings.read(Secrets::Referred, |at| {
        at.required_text("url");
        at.section("idempotency", |at| at.required_text("header"))
    })?;
    let unknown = match header {
        Some(_) => UnknownAnswer::NativeKey { lifetime: Duration::from_secs(86_400) },
        None => UnknownAnswer::Neither,
    };
    Ok(descriptor("http", "a REST system", services("http.outcome/1", "http.order/1"), unknown))
}

fn shopify(_: &Settings) -> Result<Descriptor, Vec<String>> {
    let look_up = UnknownAnswer::LookUp { lag: Duration::from_secs(5) };
    let mut services = services("order/1", "shopify.order_update/1");
    services.push(stock(Direction::Target, "shopify.inventory/1"));
    Ok(descriptor("shopify", "Shopify's Admin API", services, look_up))
}

fn stock(direction: Direction, schema: &str) -> Service {
    Service { domain: "inventory".into(), direction, schema: schema.into() }
}

fn stock_feed(settings: &Settings) -> Result<Descriptor, Vec<String>> {
    let (asked, files) = settings.read(Secrets::Referred, |at| {
        let (url, folder) = (at.text("url"), at.text("folder"));
        (url.is_some(), folder.and(at.text("files")))
    })?;
    let services = vec![stock(Direction::Source, "stock/1")];
    let feed = descriptor("stock_feed", "a stock feed", services, UnknownAnswer::Neither);
    let (only_changes, tells_changes) = (files.as_deref() == Some("changes"), asked || files.is_some());
    Ok(Descriptor { tells_changes, tells_whole: asked, only_changes, ..feed })
}

fn connect(_: &Settings) -> Connected {
    Err(vec!["only described in these tests".into()])
}

const KINDS: &[Kind] = &[
    Kind { name: "tryton", describe: tryton, connect, source: None, takes: true },
    Kind { name: "http", describe: http, connect, source: None, takes: true },
    Kind { name: "shopify", describe: shopify, connect, source: None, takes: true },
    Kind { name: "stock_feed", describe: stock_feed, connect, source: None, takes: true },
];

fn scopes(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn documents() -> BTreeMap<String, DocumentFacts> {
    let document = |scope: &str, direction| DocumentFacts {
        scopes: scopes(&[scope]),
        domain: Some("orders".into()),
        direction: Some(direction),
        schema: None,
    };
    BTreeMap::from([
        ("order_by_id".to_owned(), document("read_orders", Direction::Source)),
        ("order_ids_updated".to_owned(), document("read_orders", Direction::Source)),
        ("metafields_set".to_owned(), document("write_orders", Direction::Target)),
        (
            "products_page".to_owned(),
            DocumentFacts { domain: Some("products".into()), ..document("read_products", Direction::Source) },
        ),
        (
            "set_prices".to_owned(),
            DocumentFacts {
                scopes: scopes(&["write_products", "read_companies"]),
                domain: Some("pricing".into()),
                ..DocumentFacts::default()
            },
        ),
        (
            "customer_roles".to_owned(),
            DocumentFacts {
                scopes: scopes(&["read_customers"]),
                domain: Some("storefront".into()),
                ..DocumentFacts::default()
            },
        ),
    ])
}

fn topics() -> BTreeMap<String, TopicFacts> {
    let topic = |name: &str, domain: &str, scope: &str| {
        (name.to_owned(), TopicFacts { domain: domain.to_owned(), scopes: scopes(&[scope]) })
    };
    BTreeMap::from([
        topic("orders/create", "orders", "read_orders"),
        topic("orders/updated", "orders", "read_orders"),
        topic("refunds/create", "orders", "read_orders"),
        topic("products/update", "products", "read_products"),
    ])
}

pub(crate) fn secrets() -> BTreeMap<String, String> {
    let key = "00112233445566778899aabbccddeeff".repeat(2);
    let pairs = [
        ("MASTER_KEY", key.as_str()),
        ("ADMIN_TOKEN", "an-admin-token-for-tests"),
        ("SHORT", "short"),
        ("CLIENT_SECRET", "x"),
        ("ACME_TOKEN", "x"),
        ("TRYTON_PASSWORD", "x"),
        ("OMS_TOKEN", "x"),
    ];
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

pub(crate) fn expressions() -> DomainExpressions {
    let mut schemas = schemas();
    DomainExpressions {
        schemas: schemas.remove("order/1").map(|schema| ("orders".to_owned(), schema)).into_iter().collect(),
    }
}

/// Reads each flow's mapping from the case's folder, or the good one where the case has none of its own.
pub(crate) fn inputs<'a>(
    config: &Config,
    folder: &Path,
    good: &Path,
    expressions: &'a DomainExpressions,
) -> Inputs<'a> {
    let schemas = schemas();
    let load = |flow: &config::Flow| {
        let name = flow.mapping.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(folder.join(&name))
            .or_else(|_| std::fs::read_to_string(good.join(&name)));
        match text {
            Ok(text) => MappingInput::Loaded(tidegate_check::load_mapping(&name, &text, &schemas).0),
            Err(_) => MappingInput::Unreadable("no such file".into()),
        }
    };
    let bundles = |flow: &config::Flow| {
        let name = flow.stock.bundles.as_ref()?.file_name()?.to_owned();
        let read = std::fs::read(folder.join(&name)).or_else(|_| std::fs::read(good.join(&name)));
        Some(read.map_err(|_| "no such file".to_owned()))
    };
    let of_flows = config.flows.iter();
    Inputs {
        bundles: of_flows.filter_map(|(name, flow)| Some((name.to_string(), bundles(flow)?))).collect(),
        connectors: KINDS.iter().map(|kind| kind.name.to_owned()).collect(),
        systems: tidegate_check::describe_systems(config, KINDS),
        mappings: config.flows.iter().map(|(name, flow)| (name.to_string(), load(flow))).collect(),
        verbs: tidegate_check::verbs(),
        documents: documents(),
        topics: topics(),
        expressions: Some(expressions),
        secrets: Some(secrets()),
    }
}
