//! Stock through the connector `shopify`: against answers as Shopify words them, and against the look-alike.

mod answers;
mod looks;
mod shelves;
mod told;
mod whole;

use crate::support::{acme, connection, ports};
use connector::port::{Connector, ExternalRef, Observation, Plan, Stage, Step, Wanted};
use connector::settings::Settings;
use kernel::flow::{AfterConfirm, Difference};
use kernel::key::{CallKey, ObjectKey};
use kernel::subject::Subject;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use tidegate_shopify::graphql::{ShopClient, Shops};
use tidegate_shopify::target::connect;
use twin::shopify::ShopClock;

pub(super) fn settings(value: Value) -> Settings {
    let Value::Object(table) = value else { panic!("a table") };
    Settings::new(table.into_iter().collect(), BTreeMap::new())
}

pub(super) fn connected(url: &str, clock: &ShopClock, with: Value) -> Arc<dyn Connector> {
    let client = ShopClient::connect(connection(url), ports(clock)).unwrap();
    connect(&settings(with), Shops::new([client])).unwrap()
}

pub(super) fn wanted(sku: &str, location: &str, available: i64, counted: Option<i64>) -> Wanted {
    let subject = Subject::new(acme(), "ats", &format!("{sku}@{location}"));
    Wanted {
        object_key: ObjectKey::of(&subject),
        subject,
        body: json!({
            "sku": sku, "location": location, "available": available, "counted": counted, "in_flight": "counted"
        }),
        stage: Stage::Present,
        after_confirm: AfterConfirm::default(),
        difference: Difference::default(),
        known: None,
        also_known_as: Vec::new(),
    }
}

pub(super) fn known(wanted: Wanted, id: &str) -> Wanted {
    Wanted { known: Some(ExternalRef { id: id.to_owned(), number: None, state: None }), ..wanted }
}

pub(super) fn call_key(number: usize) -> CallKey {
    CallKey(format!("tg-{number:04}-7-1"))
}

pub(super) fn next(connector: &dyn Connector, wanted: &Wanted, observation: &Observation) -> Step {
    match connector.plan(wanted, observation) {
        Plan::Next(step) => step,
        other => panic!("a step, not {other:?}"),
    }
}
