//! The ledger: counts, entries, pages, and the file that outlives the process.

use std::io::Write;
use std::path::PathBuf;

use reqwest::Method;
use rust_decimal::Decimal;
use serde_json::{Value, json};
use tidegate_twin::erp::{Deed, ErpConfig, Knobs, LedgerLine, SaleState, read_ledger_file};

use crate::client::{client, office, sale, with};

fn file_config(path: PathBuf) -> ErpConfig {
    ErpConfig { ledger_file: Some(path), ..ErpConfig::default() }
}

#[tokio::test]
async fn counts_are_what_happened() {
    let caller = office(Knobs::default()).await;
    for reference in ["a-1", "b-1", "a-1", "c-1", "a-1"] {
        caller.created(&sale(reference)).await;
    }
    caller.request(Method::POST, "/sales/2/confirm").send().await.unwrap();
    let amendment = json!({ "lines": [{ "sku": "SKU-0002", "quantity": 1, "unit_price": "1.00" }] });
    caller.request(Method::PATCH, "/sales/4").header("If-Match", "1").json(&amendment).send().await.unwrap();
    caller.request(Method::POST, "/sales/5/cancel").send().await.unwrap();
    let ledger = caller.erp.ledger();
    assert_eq!((ledger.requests, ledger.creates, ledger.references), (8, 5, 3));
    assert_eq!((ledger.amends, ledger.confirms, ledger.cancels), (1, 1, 1));
    assert_eq!((ledger.doubled, ledger.doubled_references), (1, vec!["a-1".to_owned()]));
    // Three of 33.92 stand, one became 1.00, one is cancelled.
    assert_eq!(ledger.gross["EUR"], Decimal::new(10_276, 2));
    let entries = caller.erp.entries();
    let told: Vec<_> = entries.iter().map(|entry| (entry.what, entry.sale, entry.version)).collect();
    assert_eq!(told[5..], [(Deed::Confirm, 2, 2), (Deed::Amend, 4, 2), (Deed::Cancel, 5, 2)]);
    assert!(entries.is_sorted_by_key(|entry| entry.at));
}

#[tokio::test]
async fn sales_are_read_in_pages_over_http() {
    let caller = office(Knobs::default()).await;
    for number in 0..503 {
        caller.created(&sale(&format!("r-{number}"))).await;
    }
    let mut references = Vec::new();
    let mut after = json!(0);
    while !after.is_null() {
        let url = format!("{}/twin/ledger/sales?after={after}", caller.erp.url());
        let page: Value = client().get(url).send().await.unwrap().json().await.unwrap();
        references.extend(page["sales"].as_array().unwrap().iter().map(|sale| sale["reference"].clone()));
        after = page["next_after"].clone();
    }
    assert_eq!(references.len(), 503);
    assert_eq!(references[502], "r-502");
}

#[tokio::test]
async fn a_price_that_somebody_changed_by_hand_is_in_the_sale_and_in_no_ledger() {
    let caller = office(Knobs::default()).await;
    caller.created(&sale("r-1")).await;
    let before = caller.erp.sales()[0].totals.gross;
    let url = format!("{}/twin/misprice", caller.erp.url());
    let by_hand =
        |reference: &str| client().post(&url).json(&json!({ "reference": reference, "by": "1.00" })).send();
    assert_eq!(by_hand("r-2").await.unwrap().status(), 404);
    assert_eq!(by_hand("r-1").await.unwrap().status(), 200);
    let sale = caller.erp.sales()[0].clone();
    assert!(sale.totals.gross > before && sale.version == 2);
    assert_eq!(caller.erp.ledger().amends, 0);
}

#[tokio::test]
async fn a_restarted_office_knows_what_its_file_says() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.ndjson");
    let before = with(file_config(path.clone())).await;
    before.created(&sale("a-1")).await;
    before.created(&sale("b-1")).await;
    before.request(Method::POST, "/sales/1/confirm").send().await.unwrap();
    before.request(Method::POST, "/sales/2/cancel").send().await.unwrap();
    before.post("/items", &json!({ "sku": "SKU-9001" })).send().await.unwrap();
    let (sales, ledger) = (before.erp.sales(), before.erp.ledger());
    before.erp.stop();

    let lines = read_ledger_file(&path).unwrap();
    assert_eq!(lines.len(), 5);
    assert!(matches!(&lines[2], LedgerLine::Sale { what: Deed::Confirm, sale, .. } if sale.id == 1));

    // The process may have died in the middle of a line.
    let mut file = std::fs::OpenOptions::new().append(true).open(&path).unwrap();
    file.write_all(b"{\"at\":\"2026-10-31T09:30:00Z\",\"what\":\"cre").unwrap();
    let after = with(file_config(path.clone())).await;
    assert_eq!(after.erp.sales(), sales);
    assert_eq!(after.erp.sales()[0].state, SaleState::Confirmed);
    let restored = after.erp.ledger();
    assert_eq!((restored.creates, restored.confirms, restored.cancels), (2, 1, 1));
    assert_eq!((restored.references, restored.doubled, &restored.gross), (2, 0, &ledger.gross));
    assert_eq!(after.get("/items?sku=SKU-9001").await.json::<Value>().await.unwrap()["total"], 1);
    let next = after.created(&sale("a-1")).await;
    assert_eq!(next["id"], 3);
    after.erp.stop();
    assert_eq!(read_ledger_file(&path).unwrap().len(), 6, "the cut line is gone, the new one is whole");
}

#[tokio::test]
async fn a_damaged_file_is_refused_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.ndjson");
    std::fs::write(&path, "not json\n").unwrap();
    let error = tidegate_twin::erp::ErpTwin::start(file_config(path)).await.unwrap_err();
    assert!(error.to_string().contains("line 1"), "{error:#}");
}
