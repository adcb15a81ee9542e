//! A cart that names variants, as a theme does: each line has the price of the SKU that its variant has, and what is not known
//! keeps no cart waiting and tells nobody anything.

use super::storefront::Forwarded;
use super::{ACME, BOLT, Counter, SHOP};
use async_trait::async_trait;
use http::{Method, StatusCode};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tidegate_api::prices::{Explain, Sold, VariantShop};

/// What a shop sells; hangs while it is told to.
#[derive(Debug, Default)]
pub(crate) struct Sells {
    pub(crate) skus: Mutex<BTreeMap<u64, &'static str>>,
    /// Each question.
    pub(crate) asked: Mutex<Vec<Vec<u64>>>,
    hangs: AtomicBool,
    read: tokio::sync::Notify,
}

impl Sells {
    pub(crate) fn shop(self: &Arc<Self>, id: &str, domain: &str, file: PathBuf) -> VariantShop {
        VariantShop { id: id.to_owned(), domain: domain.to_owned(), sold: self.clone(), file }
    }

    fn has(&self, skus: &[(u64, &'static str)]) {
        self.skus.lock().unwrap().extend(skus.iter().copied());
    }

    fn questions(&self) -> Vec<Vec<u64>> {
        std::mem::take(&mut *self.asked.lock().unwrap())
    }

    async fn answers(&self) {
        if self.hangs.load(Ordering::Relaxed) {
            std::future::pending::<()>().await;
        }
    }
}

#[async_trait]
impl Sold for Sells {
    async fn skus(&self, variants: &[u64]) -> Result<Vec<Option<Box<str>>>, String> {
        self.asked.lock().unwrap().push(variants.to_vec());
        self.answers().await;
        let skus = self.skus.lock().unwrap();
        Ok(variants.iter().map(|id| skus.get(id).map(|sku| (*sku).into())).collect())
    }

    /// Not before a test lets it.
    async fn all(&self, take: &mut (dyn for<'s> FnMut(u64, &'s str) + Send)) -> Result<(), String> {
        self.read.notified().await;
        self.skus.lock().unwrap().iter().for_each(|(id, sku)| take(*id, sku));
        Ok(())
    }
}

fn cart(variants: &[Value]) -> String {
    let lines: Vec<Value> = variants.iter().map(|id| json!({"variant": id, "quantity": 1})).collect();
    json!({"company_location": ACME, "currency": "EUR", "lines": lines}).to_string()
}

async fn lines(counter: &Counter, variants: &[Value]) -> Vec<Value> {
    counter.resolve(&cart(variants)).await.json()["lines"].as_array().unwrap().clone()
}

#[tokio::test(start_paused = true)]
async fn each_variant_has_the_price_of_its_sku() {
    let counter = Counter::new();
    counter.sells.has(&[(1, "PUMP"), (2, "pump"), (3, "CFG-1"), (4, "")]);
    let told =
        lines(&counter, &[json!("gid://shopify/ProductVariant/1"), json!(2), json!("3"), json!(4)]).await;
    assert_eq!(
        (&told[0]["unit_price"], &told[0]["sku"], &told[0]["variant"]),
        (&json!("104.50"), &json!("PUMP"), &json!("gid://shopify/ProductVariant/1"))
    );
    // Two variants with one SKU: two lines, each of its own quantity.
    assert_eq!((&told[1]["unit_price"], &told[1]["quantity"]), (&json!("104.50"), &json!("1")));
    assert_eq!((&told[2]["unit_price"], &told[2]["variant"]), (&json!("1000.00"), &json!("3")));
    assert_eq!((&told[3]["reason"], &told[3]["sku"]), (&json!("variant"), &Value::Null));
    assert!(told[3]["message"].as_str().unwrap().contains("no SKU"), "{}", told[3]);
    // All in one question, once; the one without SKU as well.
    assert_eq!(counter.sells.questions(), [[1, 2, 3, 4]]);
    lines(&counter, &[json!(1), json!(3), json!(4)]).await;
    assert_eq!(counter.sells.questions(), [[0; 0]; 0]);
}

#[tokio::test(start_paused = true)]
async fn one_line_is_asked_for_with_get_and_explained() {
    let counter = Counter::new();
    counter.sells.has(&[(1, "PUMP")]);
    let server = [("authorization", super::SERVER)];
    let path = "/v1/prices/resolve?variant=1&quantity=10&currency=EUR&company_location=gid://shopify/CompanyLocation/1";
    let told = counter.send(Method::GET, path, &server, "").await.json();
    assert_eq!(told["lines"][0]["unit_price"], "99.00");
    let both = format!("{path}&sku=PUMP");
    let refused = counter.send(Method::GET, &both, &server, "").await;
    refused.refused(StatusCode::BAD_REQUEST, "TG-7204", "sku or variant");
    let asks = Explain { sku: None, variant: Some("1".to_owned()), ..counter.asks(ACME, "", None) };
    let told = counter.prices.explain(asks.clone()).await.unwrap();
    assert_eq!((&told.line["sku"], &told.line["unit_price"]), (&json!("PUMP"), &json!("104.50")));
    let unknown = counter.prices.explain(Explain { variant: Some("99".to_owned()), ..asks }).await;
    assert!(unknown.unwrap_err().message.contains("no variant 99"));
}

#[tokio::test(start_paused = true)]
async fn a_line_that_names_none_or_two_says_so_and_leaves_the_others_alone() {
    let counter = Counter::new();
    counter.sells.has(&[(1, "PUMP")]);
    let body = json!({"company_location": ACME, "currency": "EUR", "lines": [
        {"variant": 1, "sku": "PUMP", "quantity": 1}, {"quantity": 1}, {"variant": "one", "quantity": 1},
        {"variant": -1, "quantity": 1}, {"variant": 1, "quantity": 0}, {"variant": 1, "quantity": 1}]});
    let told = counter.resolve(&body.to_string()).await.json();
    let reasons: Vec<_> = (0..5).map(|at| told["lines"][at]["reason"].as_str().unwrap()).collect();
    assert_eq!(reasons, ["unreadable", "unreadable", "unreadable", "unreadable", "quantity"]);
    assert_eq!(told["lines"][5]["unit_price"], "104.50");
}

/// SKUs are numbers often enough.
#[tokio::test(start_paused = true)]
async fn the_number_of_a_variant_is_never_taken_for_the_sku_of_another_article() {
    let counter = Counter::new();
    counter.bring("list,sku,price\nLIST,11,5\nLIST,12,6\nLIST,13,7\n", crate::world::at(crate::world::NOW));
    counter.sells.has(&[(12, ""), (13, "PUMP")]);
    let told = lines(&counter, &[json!(11), json!(12), json!(13)]).await;
    assert_eq!((&told[0]["reason"], &told[1]["reason"]), (&json!("variant"), &json!("variant")), "{told:?}");
    assert!(told[1]["message"].as_str().unwrap().contains("no SKU"), "{}", told[1]);
    assert_eq!(told[2]["unit_price"], "104.50", "it is asked of the shop which SKU it has");
}

#[tokio::test(start_paused = true)]
async fn while_the_shop_hangs_a_cart_waits_no_longer_than_the_deadline() {
    let counter = Counter::new();
    counter.sells.has(&[(1, "PUMP"), (2, "CFG-1")]);
    lines(&counter, &[json!(1)]).await;
    counter.sells.hangs.store(true, Ordering::Relaxed);
    let within = async |ms| {
        let variants = [json!(1), json!(2)];
        tokio::time::timeout(Duration::from_millis(ms), lines(&counter, &variants)).await
    };
    assert!(within(119).await.is_err());
    let told = within(121).await.unwrap();
    assert_eq!((&told[0]["unit_price"], &told[1]["reason"]), (&json!("104.50"), &json!("variant")));
    // However many carts come, each question is under way once, and no more than two are.
    for variant in 2..9 {
        lines(&counter, &[json!(2), json!(variant)]).await;
    }
    assert_eq!(counter.sells.questions(), [vec![1], vec![2], vec![3]]);
}

#[tokio::test(start_paused = true)]
async fn a_variant_that_came_or_has_another_sku_is_known_a_minute_later() {
    let counter = Counter::new();
    counter.sells.has(&[(1, "OLD-ONE")]);
    let told = lines(&counter, &[json!(1), json!(2)]).await;
    assert_eq!((&told[0]["reason"], &told[1]["reason"]), (&json!("no_price"), &json!("variant")));
    counter.sells.has(&[(1, "PUMP"), (2, "CFG-1")]);
    counter.clock.forward(Duration::from_secs(59));
    assert_eq!(lines(&counter, &[json!(2)]).await[0]["reason"], "variant", "it was asked for a moment ago");
    counter.clock.forward(Duration::from_secs(1));
    let told = lines(&counter, &[json!(1), json!(2)]).await;
    assert_eq!((&told[0]["unit_price"], &told[1]["unit_price"]), (&json!("104.50"), &json!("1000.00")));
}

#[tokio::test(start_paused = true)]
async fn all_are_read_while_carts_ask_and_are_there_after_a_restart() {
    let mut counter = Counter::new();
    counter.sells.has(&[(1, "PUMP"), (2, "CFG-1")]);
    let file = counter.folder.path().join("variants");
    let is_kept = async |text: &str| {
        counter.sells.read.notify_one();
        while !std::fs::read_to_string(&file).is_ok_and(|kept| kept.contains(text)) {
            tokio::task::yield_now().await;
        }
    };
    lines(&counter, &[json!(1)]).await;
    is_kept("2\tCFG-1\t").await;
    // The SKU went on to another variant; the first one has a price and is not asked for by itself.
    counter.sells.has(&[(1, "CFG-1"), (2, "PUMP"), (3, "PUMP")]);
    counter.clock.forward(Duration::from_secs(3600));
    assert_eq!(lines(&counter, &[json!(1)]).await[0]["unit_price"], "104.50");
    is_kept("3\tPUMP\t").await;
    counter.sells.questions();
    let told = lines(&counter, &[json!(1), json!(2), json!(3)]).await;
    let prices: Vec<_> = told.iter().map(|line| line["unit_price"].as_str().unwrap()).collect();
    assert_eq!(prices, ["1000.00", "104.50", "104.50"]);
    let silent = Arc::<Sells>::default();
    silent.hangs.store(true, Ordering::Relaxed);
    counter.again(vec![silent.shop("acme", SHOP, file)]);
    assert_eq!(lines(&counter, &[json!(2)]).await[0]["unit_price"], "104.50");
    assert_eq!((counter.sells.questions().len(), silent.questions().len()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn where_there_are_several_shops_a_variant_is_of_the_one_that_is_said() {
    let mut counter = Counter::new();
    let (acme, bolt) = (Arc::<Sells>::default(), Arc::<Sells>::default());
    acme.has(&[(1, "PUMP")]);
    bolt.has(&[(1, "CFG-1")]);
    let at = |name: &str| counter.folder.path().join(name);
    let shops = vec![acme.shop("acme", SHOP, at("a")), bolt.shop("bolt", "bolt.myshopify.com", at("b"))];
    counter.again(shops);
    let of = |shop: &str| cart(&[json!(1)]).replacen('{', &format!("{{\"shop\":{shop},"), 1);
    for (shop, price) in [("\"acme\"", "104.50"), ("\"bolt.myshopify.com\"", "1000.00")] {
        assert_eq!(counter.resolve(&of(shop)).await.json()["lines"][0]["unit_price"], price);
    }
    counter.resolve(&of("null")).await.refused(StatusCode::BAD_REQUEST, "TG-7204", "say shop");
    counter.resolve(&of("\"none\"")).await.refused(StatusCode::BAD_REQUEST, "TG-7204", "none of this name");
    // By SKU nobody has to say it.
    counter.resolve(&super::cart(Some(ACME), "PUMP")).await.json();
}

/// An article that only another company has, one that the shop has not, one without SKU, and another shop's.
#[tokio::test(start_paused = true)]
async fn a_storefront_does_not_learn_whether_a_variant_is_there() {
    let counter = Counter::new();
    counter.sells.has(&[(1, "PUMP"), (2, "SECRET-PART"), (4, "")]);
    let ask = |customer: &'static str, variant: u64| {
        let counter = &counter;
        let location = if customer == "9" { BOLT } else { ACME };
        let body = cart(&[json!(variant)]).replace(ACME, location);
        async move {
            let said = Forwarded { customer, ..Forwarded::default() }.post(counter, &body).await;
            said.text.replace(&format!("\"variant\":\"{variant}\""), "")
        }
    };
    let foreign = ask("7", 2).await;
    assert!(foreign.contains("\"reason\":\"variant\"") && !foreign.contains("SECRET"), "{foreign}");
    assert_eq!([ask("7", 3).await, ask("7", 4).await], [foreign.clone(), foreign]);
    // As long as well: each was asked of the shop, also once it is known.
    assert_eq!(counter.sells.questions(), [[2], [3], [4]]);
    counter.clock.forward(Duration::from_secs(60));
    assert_eq!(ask("7", 2).await, ask("7", 3).await);
    assert_eq!(counter.sells.questions(), [[2], [3]]);
    assert!(ask("9", 2).await.contains("SECRET-PART"), "whose it is has its price");
    assert!(ask("7", 1).await.contains("104.50"));
    let other = cart(&[json!(1)]).replacen('{', "{\"shop\":\"bolt\",", 1);
    let refused = Forwarded::default().post(&counter, &other).await;
    refused.refused(StatusCode::BAD_REQUEST, "TG-7204", "Shopify signs");
}
