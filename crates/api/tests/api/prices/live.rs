//! A line whose price a system makes when it is asked, while that system answers, hangs and is back.

use super::{ACME, Counter, cart};
use async_trait::async_trait;
use pricing::goods::Goods;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tidegate_api::prices::{LiveSettings, Quotes, Wanted};

#[derive(Debug, Default)]
struct Erp {
    hangs: AtomicBool,
    asked: Mutex<Vec<Wanted>>,
}

#[async_trait]
impl Quotes for Erp {
    async fn ask(&self, wanted: &[Wanted]) -> Result<Vec<Option<rust_decimal::Decimal>>, String> {
        self.asked.lock().unwrap().extend_from_slice(wanted);
        if self.hangs.load(Ordering::Relaxed) {
            std::future::pending::<()>().await;
        }
        Ok(wanted.iter().map(|_| Some("11.805".parse().unwrap())).collect())
    }
}

fn counter() -> (Counter, Arc<Erp>) {
    counter_for("CFG-*")
}

fn counter_for(goods: &str) -> (Counter, Arc<Erp>) {
    let erp = Arc::<Erp>::default();
    let live = LiveSettings {
        system: "erp".to_owned(),
        quotes: erp.clone(),
        goods: Goods::parse(&[goods]).unwrap(),
        deadline: Duration::from_millis(150),
        fresh: Duration::from_secs(30),
        stale: Duration::from_secs(600),
        concurrency: 8,
    };
    (Counter::with(Some(live)), erp)
}

async fn line(counter: &Counter, sku: &str) -> Value {
    counter.resolve(&cart(Some(ACME), sku)).await.json()["lines"][0].clone()
}

#[tokio::test(start_paused = true)]
async fn a_variant_is_asked_for_by_its_sku_and_one_that_nobody_knows_of_nobody() {
    let (counter, erp) = counter_for("*");
    counter.sells.skus.lock().unwrap().extend([(1, "cfg-1"), (2, "")]);
    let body = json!({"company_location": ACME, "currency": "EUR", "lines": [
        {"variant": 1, "quantity": 1}, {"variant": 2, "quantity": 1}, {"variant": 3, "quantity": 1}]});
    let told = counter.resolve(&body.to_string()).await.json();
    assert_eq!(told["lines"][0]["source"]["live"], "erp");
    assert_eq!([&told["lines"][1]["reason"], &told["lines"][2]["reason"]], [&json!("variant"); 2]);
    let asked: Vec<String> = erp.asked.lock().unwrap().iter().map(|one| one.sku.to_string()).collect();
    assert_eq!(asked, ["CFG-1"]);
}

#[tokio::test(start_paused = true)]
async fn what_the_system_says_is_the_price_and_is_told_as_its_word() {
    let (counter, erp) = counter();
    let told = line(&counter, "cfg-1").await;
    assert_eq!(
        (&told["unit_price"], &told["total"], &told["list_price"]),
        (&json!("11.805"), &json!("11.81"), &json!("1000.00"))
    );
    assert_eq!(told["source"], json!({"live": "erp", "age_ms": 0}));
    // For whom, and what: in the spelling of the price lists.
    let asked = erp.asked.lock().unwrap().pop().unwrap();
    assert_eq!((asked.company_location.as_deref(), &*asked.sku, &*asked.unit), (Some(ACME), "CFG-1", "C62"));
    // Other lines are no business of its.
    assert_eq!(line(&counter, "PUMP").await["source"]["list"], "OF-ACME");
    assert!(erp.asked.lock().unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn while_it_hangs_the_cart_has_another_price_and_says_which_and_why() {
    let (counter, erp) = counter();
    erp.hangs.store(true, Ordering::Relaxed);
    let told = line(&counter, "CFG-1").await;
    assert_eq!((&told["unit_price"], &told["source"]["list"]), (&json!("1000.00"), &json!("LIST")));
    assert_eq!(told["fallback"], "list price, because erp did not answer in 150 ms");
    let told = line(&counter, "CFG-2").await;
    assert_eq!(told["status"], "not_priced");
    assert!(
        told["message"].as_str().unwrap().starts_with("erp did not answer in 150 ms, and no list"),
        "{told}"
    );
    assert_eq!(
        (counter.metrics.lines_that_came("fallback"), counter.metrics.lines_that_came("none")),
        (1, 1)
    );
    assert_eq!(counter.metrics.carts("server", 200), 2);
    // One line that waits leaves the others of its cart alone.
    let body = json!({"company_location": ACME, "currency": "EUR",
        "lines": [{"sku": "CFG-3", "quantity": 1}, {"sku": "PUMP", "quantity": 1}]});
    let told = counter.resolve(&body.to_string()).await.json();
    assert_eq!(told["lines"][1]["unit_price"], "104.50");
}
