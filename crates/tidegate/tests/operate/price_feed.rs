//! Prices that come by themselves: a feed that the hub asks at its cadence, a guard that holds what it tells, a person who approves
//! it, a kill in between, and what a buyer pays, with its source.

use crate::folder::Folder;
use crate::hub::{Hub, until};
use crate::office::Office;
use crate::pricing::with_prices;
use axum::Router;
use axum::extract::{RawQuery, State};
use axum::routing::get;
use serde_json::json;
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;

const TERMS: &str = "[[lists]]\nid = \"ERP-1\"\nkind = \"list\"\ncurrency = \"EUR\"\nfor = \"everyone\"\n";

/// Pages by the point that they are asked from; what is not there is not known.
type Pages = Arc<Mutex<Vec<(&'static str, String)>>>;

struct Erp {
    address: String,
    pages: Pages,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Erp {
    async fn open() -> Self {
        let pages = Pages::default();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let answers = async |State((pages, asked)): State<(Pages, Arc<Mutex<Vec<String>>>)>,
                             RawQuery(query): RawQuery| {
            let after =
                query.and_then(|query| query.strip_prefix("after=").map(str::to_owned)).unwrap_or_default();
            asked.lock().unwrap().push(after.clone());
            let pages = pages.lock().unwrap();
            let page = pages.iter().find(|(from, _)| *from == after).map(|(_, page)| page.clone());
            page.unwrap_or_else(|| format!("{{\"rows\":0,\"next\":\"{after}\"}}"))
        };
        let router =
            Router::new().route("/prices/changes", get(answers)).with_state((pages.clone(), asked.clone()));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}/prices", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { address, pages, asked }
    }

    /// What changed after a point: SKUs with their prices, and the point behind them.
    fn tells(&self, after: &'static str, rows: &[(&str, &str)], next: &str) {
        let mut page: String = rows
            .iter()
            .map(|(sku, price)| format!("{{\"list\":\"ERP-1\",\"sku\":\"{sku}\",\"price\":\"{price}\"}}\n"))
            .collect();
        page.push_str(&format!("{{\"rows\":{},\"next\":\"{next}\"}}\n", rows.len()));
        self.pages.lock().unwrap().push((after, page));
    }
}

fn source(folder: &Folder) -> serde_json::Value {
    folder.json(&["prices", "sources"])["sources"][0].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feed_is_asked_by_itself_held_by_a_guard_approved_and_gone_on_with_after_a_kill() {
    let office = Office::open().await;
    let erp = Erp::open().await;
    let folder = &office.folder;
    let section =
        format!("\n[prices.sources.erp]\nurl = {:?}\nlists = [\"ERP-*\"]\nevery = \"1s\"\n", erp.address);
    with_prices(folder, &section);
    erp.tells("", &[("PUMP-10", "129.00"), ("SEAL-1", "4.00")], "1");
    let hub = Hub::start(folder);
    std::fs::write(folder.path("terms.toml"), TERMS).unwrap();
    folder.json(&["prices", "terms", "terms.toml"]);
    until(folder, &["prices", "sources"], "asked on from 1");
    let text = folder.tidegate(&["prices", "explain", "PUMP-10", "--currency", "EUR"]);
    assert!(text.out.contains("129.00 EUR each"), "{}", text.out);

    // What it tells next is half the price: a guard holds it, and nothing is asked behind it.
    erp.tells("1", &[("PUMP-10", "64.50")], "2");
    until(folder, &["prices", "held"], "PUMP-10");
    let held = source(folder)["held"][0].as_u64().unwrap();
    let waits = folder.tidegate(&["prices", "pull"]);
    assert_eq!(waits.code, Some(3), "{}", waits.out);
    assert!(waits.out.contains(&format!("approve {held}")), "{}", waits.out);

    // Killed while it waits, and approved before the hub has asked again.
    hub.kill();
    let hub = Hub::start(folder);
    erp.tells("2", &[("SEAL-1", "4.10")], "3");
    folder.json(&["prices", "approve", &held.to_string(), "--why", "agreed by mail"]);
    until(folder, &["prices", "sources"], "asked on from 3");
    assert_eq!(folder.json(&["prices", "held"])["held"], json!([]), "nothing is held twice");
    let text = folder.tidegate(&["prices", "explain", "PUMP-10", "--currency", "EUR"]);
    assert!(text.out.contains("64.50 EUR each"), "{}", text.out);
    let changes = folder.tidegate(&["prices", "changes", "--sku", "PUMP-10"]);
    assert!(changes.out.contains("erp") && changes.out.contains("agreed by mail"), "{}", changes.out);

    // Killed between a load and its point, which is asked for once more, and changes nothing.
    hub.kill();
    let kept = std::fs::read_to_string(folder.path("data/prices/sources/erp.json")).unwrap();
    std::fs::write(
        folder.path("data/prices/sources/erp.json"),
        kept.replace("\"cursor\": \"3\"", "\"cursor\": \"2\""),
    )
    .unwrap();
    let before = erp.asked.lock().unwrap().len();
    let _hub = Hub::start(folder);
    until(folder, &["prices", "sources"], "asked on from 3");
    assert!(erp.asked.lock().unwrap()[before..].contains(&"2".to_owned()));
    let changes = folder.json(&["prices", "changes", "--sku", "SEAL-1"]);
    assert_eq!(changes["changes"].as_array().unwrap().len(), 2, "{changes}");

    // A row of a list that is not its own: nothing of its page counts, it is said, and the next one is asked for.
    let foreign =
        "{\"list\":\"LIST-EUR\",\"sku\":\"PUMP-10\",\"price\":\"1\"}\n{\"rows\":1,\"next\":\"4\"}\n";
    erp.pages.lock().unwrap().push(("3", foreign.to_owned()));
    until(folder, &["prices", "sources"], "asked on from 4");
    let told = source(folder);
    assert!(told["refused"]["message"].as_str().unwrap().contains("not a list of the source erp"), "{told}");
    // Half an answer is none.
    erp.pages
        .lock()
        .unwrap()
        .push(("4", "{\"list\":\"ERP-1\",\"sku\":\"PUMP-10\",\"price\":\"1\"}\n".to_owned()));
    until(folder, &["prices", "sources"], "TG-3412");
    assert_eq!(source(folder)["cursor"], "4");
    let refused = folder.tidegate(&["prices", "pull", "erp", "--dry-run"]);
    assert!(refused.err.contains("TG-7217") && refused.err.contains("TG-3412"), "{}", refused.err);
}
