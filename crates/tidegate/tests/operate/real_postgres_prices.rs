//! Two hubs on one PostgreSQL share their prices: what one has loaded the other answers with, under the same version; whichever is
//! asked decides upon a load that is held; and neither a death in the middle of a load nor an empty data directory leaves them apart.

use crate::folder::Folder;
use crate::hub::{Hub, until};
use crate::pricing::{ACME, line_of, load, with_prices};
use crate::real_postgres::Database;
use serde_json::{Value, json};
use std::process::Stdio;

const ON_POSTGRES: [&str; 1] = ["store.url=file:secrets/pg.url"];
const TERMS: &str = "[[lists]]\nid = \"LIST-EUR\"\nkind = \"list\"\ncurrency = \"EUR\"\nfor = \"everyone\"\n\
    [[lists]]\nid = \"ACME\"\nkind = \"contract\"\ncurrency = \"EUR\"\nfor = \"company:ACME\"\n\
    [[locations]]\nid = \"gid://shopify/CompanyLocation/1001\"\ncompany = \"ACME\"\n";
const PRICES: &str = "list,sku,price\nLIST-EUR,PUMP-10,129.00\nACME,PUMP-10,104.50\n";

/// Another machine: the same configuration and secrets, and a data directory of its own.
fn beside(folder: &Folder) -> Folder {
    let other = Folder::new();
    with_prices(&other, "");
    for secret in ["master.key", "pg.url"] {
        std::fs::copy(folder.path("secrets").join(secret), other.path("secrets").join(secret)).unwrap();
    }
    other
}

fn start(folder: &Folder) -> Hub {
    Hub::start_with(folder, &ON_POSTGRES)
}

/// The price and the version, as this hub answers.
async fn answer(hub: &Hub, sku: &str) -> (Value, Value) {
    let (version, line) = line_of(hub, Some(ACME), sku, 1).await;
    (version, line["unit_price"].clone())
}

/// Until both have the same: a node looks each second.
async fn alike(one: &Hub, other: &Hub, sku: &str) -> (Value, Value) {
    loop {
        let told = (answer(one, sku).await, answer(other, sku).await);
        if told.0 == told.1 {
            return told.0;
        }
    }
}

fn head(folder: &Folder) -> Value {
    let told = folder.json(&["prices", "verify"]);
    assert_eq!(told["findings"], json!([]), "{told}");
    told["head_sha256"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_hub_has_loaded_the_other_answers_with_whatever_becomes_of_either() {
    let first = Folder::new();
    with_prices(&first, "");
    let database = tokio::task::block_in_place(|| Database::new(&first, "t_operate_prices"));
    let second = beside(&first);
    let (one, two) = (start(&first), start(&second));

    let version = load(&first, TERMS, PRICES);
    assert_eq!(answer(&one, "PUMP-10").await, (json!(version), json!("104.50")));
    assert_eq!(alike(&one, &two, "PUMP-10").await, (json!(version), json!("104.50")));

    // A guard holds a load at the second hub; at the first a person lets it go live.
    std::fs::write(second.path("zero.csv"), "list,sku,price\nACME,PUMP-10,0\n").unwrap();
    let held = second.tidegate(&["prices", "load", "zero.csv", "--json"]);
    assert_eq!(held.code, Some(3), "{held:?}");
    let held: Value = serde_json::from_str(&held.out).unwrap();
    assert_eq!(held["outcome"], "held", "{held}");
    let number = held["load"].to_string();
    until(&first, &["prices", "held"], &format!("load {number} "));
    first.json(&["prices", "approve", &number, "--why", "a gift, agreed with Ms Petersen"]);
    assert_eq!(alike(&one, &two, "PUMP-10").await, (json!(version + 1), json!("0.00")));
    assert_eq!(head(&first), head(&second), "one journal");

    // Killed in the middle of a load: nobody has any of it.
    let mut many = String::from("list,sku,price\n");
    (0..200_000).for_each(|item| many.push_str(&format!("LIST-EUR,MANY-{item},{}.25\n", item + 1)));
    std::fs::write(first.path("many.csv"), &many).unwrap();
    let mut loading = first.command(&["prices", "load", "many.csv"]);
    let mut loading = loading.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let chunks = "SELECT count(*) FROM series_chunks c WHERE NOT EXISTS \
                  (SELECT 1 FROM series_steps s WHERE s.body = c.body)";
    while tokio::task::block_in_place(|| database.number(chunks)) == 0 {
        assert!(loading.try_wait().unwrap().is_none(), "the load was over before it was cut off");
    }
    one.kill();
    loading.wait().unwrap();
    assert_eq!(answer(&two, "PUMP-10").await, (json!(version + 1), json!("0.00")));
    let one = start(&first);
    let (_, line) = line_of(&one, Some(ACME), "MANY-7", 1).await;
    assert_eq!(line["reason"], "no_price", "{line}");
    assert_eq!(head(&first), head(&second));

    // Loaded again, at the other one; and a third node begins with nothing.
    std::fs::write(second.path("many.csv"), &many).unwrap();
    let loaded = second.json(&["prices", "load", "many.csv"]);
    assert_eq!((&loaded["outcome"], &loaded["version"]), (&json!("live"), &json!(version + 2)), "{loaded}");
    assert_eq!(alike(&one, &two, "MANY-7").await, (json!(version + 2), json!("8.25")));
    let third = beside(&first);
    let three = start(&third);
    assert_eq!(answer(&three, "MANY-7").await, (json!(version + 2), json!("8.25")), "at once");
    assert_eq!(head(&third), head(&second));

    // One whose disk was lost begins with nothing too.
    two.kill();
    std::fs::remove_dir_all(second.path("data/prices")).unwrap();
    let two = start(&second);
    assert_eq!(answer(&two, "MANY-7").await, (json!(version + 2), json!("8.25")));
    assert_eq!(head(&third), head(&second));
    until(&third, &["prices", "status"], "has all changes");
    let status = third.json(&["prices", "status"]);
    let nodes = status["nodes"].as_array().unwrap();
    assert_eq!(nodes.len(), 3, "{status}");
    assert!(nodes.iter().all(|node| node["behind"].is_u64() && node["version"].is_u64()), "{status}");
    // It has a runtime of its own.
    tokio::task::block_in_place(move || drop(database));
}
