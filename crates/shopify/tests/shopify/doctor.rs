//! The doctor at the look-alike.

use crate::support::{call, config, connection, noon, ports, start};
use secrecy::SecretString;
use std::collections::{BTreeMap, BTreeSet};
use tidegate_shopify::doctor::{Expected, Outcome, probe};
use tidegate_shopify::graphql::{ShopAccess, ShopClient, ShopConnection};

fn expected() -> Expected {
    let needed = |scope: &str| (scope.to_owned(), BTreeSet::from(["document Order".to_owned()]));
    Expected {
        scopes: BTreeMap::from([needed("read_orders"), needed("write_orders")]),
        time_zone: "UTC".into(),
        restore_rate: 1000,
    }
}

async fn outcomes(client: &ShopClient, expected: &Expected) -> Vec<(&'static str, Outcome)> {
    let probes = probe(client, &call(), expected).await;
    // The look-alike's server writes the date of the machine's own clock, which this test does not set.
    let known = probes.into_iter().filter(|probe| probe.name != "clock");
    known.map(|probe| (probe.name, probe.outcome)).collect()
}

#[tokio::test]
async fn a_shop_that_is_well() {
    let (_twin, client) = start(config()).await;
    let names = ["token", "domain", "scopes", "api_version", "time_zone", "plan"];
    assert_eq!(outcomes(&client, &expected()).await, names.map(|name| (name, Outcome::Well)));
    assert!(probe(&client, &call(), &expected()).await.iter().any(|probe| probe.name == "clock"));
}

#[tokio::test]
async fn each_fault_is_named() {
    let config = config();
    let (twin, _) = start(config.clone()).await;
    let connected = |change: fn(&mut ShopConnection)| {
        let mut connection = connection(twin.url());
        change(&mut connection);
        ShopClient::connect(connection, ports(&config.clock)).unwrap()
    };
    let only_bad = async |client: ShopClient, expected: Expected| {
        let all = outcomes(&client, &expected).await;
        all.into_iter().filter(|(_, outcome)| *outcome != Outcome::Well).collect::<Vec<_>>()
    };
    let wrong_token = connected(|c| c.access = ShopAccess::Token(SecretString::from("wrong")));
    assert_eq!(only_bad(wrong_token, expected()).await, [("token", Outcome::Failed)]);
    let credentials = |id: &str, secret: &str| ShopAccess::ClientCredentials {
        client_id: id.to_owned(),
        client_secret: SecretString::from(secret.to_owned()),
    };
    let mut granted = connection(twin.url());
    granted.access = credentials("twin-client-id", "hush");
    let well_too = ShopClient::connect(granted.clone(), ports(&config.clock)).unwrap();
    assert_eq!(only_bad(well_too, expected()).await, []);
    granted.access = credentials("twin-client-id", "wrong");
    let wrong_secret = ShopClient::connect(granted, ports(&config.clock)).unwrap();
    let probes = probe(&wrong_secret, &call(), &expected()).await;
    assert!(probes[0].outcome == Outcome::Failed && probes[0].text.contains("invalid_client"), "{probes:?}");
    let wrong_version = connected(|c| c.api_version = "2019-01".into());
    assert_eq!(only_bad(wrong_version, expected()).await, [("token", Outcome::Failed)]);
    let wrong_domain = connected(|c| c.domain = "beta.myshopify.com".into());
    assert_eq!(only_bad(wrong_domain, expected()).await, [("domain", Outcome::Failed)]);
    let well = || connected(|_| {});
    let other_zone = Expected { time_zone: "Europe/Amsterdam".into(), ..expected() };
    assert_eq!(only_bad(well(), other_zone).await, [("time_zone", Outcome::Warning)]);
    let other_plan = Expected { restore_rate: 100, ..expected() };
    assert_eq!(only_bad(well(), other_plan).await, [("plan", Outcome::Warning)]);
    twin.grant(&BTreeSet::from(["read_orders".to_owned()]));
    assert_eq!(only_bad(well(), expected()).await, [("scopes", Outcome::Failed)]);
    let probes = probe(&well(), &call(), &expected()).await;
    let scopes = probes.iter().find(|probe| probe.name == "scopes").unwrap();
    assert!(scopes.text.contains("write_orders (document Order)"), "{}", scopes.text);
    // Eleven months on.
    let mut later = call();
    later.now = noon().checked_add(jiff::SignedDuration::from_hours(24 * 300)).unwrap();
    let probes = probe(&well(), &later, &expected()).await;
    let version = probes.iter().find(|probe| probe.name == "api_version").unwrap();
    assert_eq!(version.outcome, Outcome::Warning);
}
