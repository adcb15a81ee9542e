//! A storefront asks through Shopify: a buyer of one company learns no price of another's, whatever the request says.

use super::{ACME, ACME_SOUTH, BOLT, Counter, SECRET, SHOP, cart};
use crate::answer::Answer;
use crate::world::{NOW, at};
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::{Method, StatusCode};
use sha2::Sha256;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// As Shopify forwards it: the storefront's own parameters, who is logged in, when.
pub(super) struct Forwarded<'a> {
    pub(super) own: &'a [(&'a str, &'a str)],
    pub(super) customer: &'a str,
    pub(super) second: i64,
    pub(super) shop: &'a str,
    pub(super) secret: &'a str,
}

impl Default for Forwarded<'_> {
    fn default() -> Self {
        Self { own: &[], customer: "7", second: at(NOW).as_second(), shop: SHOP, secret: SECRET }
    }
}

impl Forwarded<'_> {
    fn path(&self) -> String {
        let second = self.second.to_string();
        let mut pairs = self.own.to_vec();
        pairs.extend([
            ("shop", self.shop),
            ("logged_in_customer_id", self.customer),
            ("path_prefix", "/apps/prices"),
            ("timestamp", second.as_str()),
        ]);
        let mut told: Vec<String> = pairs.iter().map(|(name, value)| format!("{name}={value}")).collect();
        told.sort();
        let mut mac = Hmac::<Sha256>::new_from_slice(self.secret.as_bytes()).unwrap();
        mac.update(told.concat().as_bytes());
        let signature: String =
            mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
        let query: Vec<String> = pairs
            .iter()
            .map(|(name, value)| format!("{name}={}", value.replace('/', "%2F").replace(' ', "+")))
            .collect();
        format!("/proxy/prices/resolve?{}&signature={signature}", query.join("&"))
    }

    pub(super) async fn post(&self, counter: &Counter, body: &str) -> Answer {
        counter.send(Method::POST, &self.path(), &[], body).await
    }
}

const LINE: [(&str, &str); 2] = [("sku", "PUMP"), ("currency", "EUR")];

#[tokio::test]
async fn a_customer_with_one_role_needs_not_say_for_whom() {
    let counter = Counter::new();
    let told = Forwarded::default().post(&counter, &cart(None, "PUMP")).await.json();
    assert_eq!(
        (&told["company_location"], &told["lines"][0]["unit_price"]),
        (&ACME.into(), &"104.50".into())
    );
    let got =
        counter.send(Method::GET, &Forwarded { own: &LINE, ..Forwarded::default() }.path(), &[], "").await;
    assert_eq!(got.json()["lines"], told["lines"]);
    assert_eq!(got.header("cache-control"), "private, no-store");
}

#[tokio::test]
async fn one_with_several_says_which_and_may_leave_out_what_all_ids_have() {
    let counter = Counter::new();
    let eight = Forwarded { customer: "8", ..Forwarded::default() };
    let refused = eight.post(&counter, &cart(None, "PUMP")).await;
    refused.refused(StatusCode::CONFLICT, "TG-7213", ACME_SOUTH);
    for spelled in [ACME_SOUTH, "2"] {
        let told = eight.post(&counter, &cart(Some(spelled), "PUMP")).await.json();
        assert_eq!(told["company_location"], ACME_SOUTH);
    }
}

#[tokio::test]
async fn nobody_logged_in_has_the_price_for_everybody_and_no_other() {
    let counter = Counter::new();
    let nobody = Forwarded { customer: "", ..Forwarded::default() };
    let told = nobody.post(&counter, &cart(None, "PUMP")).await.json();
    assert_eq!((&told["company_location"], &told["lines"][0]["unit_price"]), (&().into(), &"129.00".into()));
    nobody.post(&counter, &cart(Some(ACME), "PUMP")).await.refused(
        StatusCode::FORBIDDEN,
        "TG-7212",
        "no role",
    );
}

/// By each way in that a request has.
#[tokio::test]
async fn a_buyer_cannot_learn_what_another_company_pays() {
    let counter = Counter::new();
    let own = Forwarded::default();
    let mut answers = Vec::new();
    // In the body, whether it is there or not, in any spelling.
    for location in
        [BOLT, "9", "gid://shopify/CompanyLocation/404", "404", "", "gid://shopify/CompanyLocation/9 "]
    {
        let answer = own.post(&counter, &cart(Some(location), "PUMP")).await;
        answer.refused(StatusCode::FORBIDDEN, "TG-7212", "no role");
        answers.push(answer.text);
    }
    // In the query.
    let asked = [LINE[0], LINE[1], ("company_location", "9")];
    let answer = counter.send(Method::GET, &Forwarded { own: &asked, ..own }.path(), &[], "").await;
    answers.push(answer.text);
    answers.dedup();
    assert_eq!(answers.len(), 1, "an answer tells what is there: {answers:?}");
    // In headers, which nobody signed.
    let headers = [("x-company-location", BOLT), ("x-shopify-customer-id", "9"), ("cookie", "customer=9")];
    let path = Forwarded::default().path();
    let told = counter.send(Method::POST, &path, &headers, &cart(None, "PUMP")).await.json();
    assert_eq!(told["company_location"], ACME);
    // With the tag of the other's answer.
    let nine = Forwarded { customer: "9", own: &LINE, ..Forwarded::default() };
    let others = counter.send(Method::GET, &nine.path(), &[], "").await;
    assert_eq!(others.json()["lines"][0]["unit_price"], "40.00");
    let tag = others.header("etag").to_owned();
    let path = Forwarded { own: &LINE, ..Forwarded::default() }.path();
    let mine = counter.send(Method::GET, &path, &[("if-none-match", &tag)], "").await;
    assert_eq!(mine.json()["lines"][0]["unit_price"], "104.50");
    // By the derivation, which names what is for others.
    let why = cart(None, "PUMP").replacen('{', "{\"why\":true,", 1);
    own_refuses(&counter, &why).await;
    let later = cart(None, "PUMP").replacen('{', "{\"at\":\"2027-01-01T00:00:00Z\",", 1);
    own_refuses(&counter, &later).await;
    // By an article that only the other has: as one that nobody has.
    let of = |sku: &'static str| {
        let counter = &counter;
        async move { Forwarded::default().post(counter, &cart(None, sku)).await.text.replace(sku, "…") }
    };
    assert_eq!(of("SECRET-PART").await, of("NO-SUCH-ONE").await);
    // The token of a server is no way around, nor is the storefront's signature one at the server's door.
    let path = Forwarded::default().path().replace("/proxy/prices", "/v1/prices");
    let server = counter.send(Method::POST, &path, &[], &cart(Some(BOLT), "PUMP")).await;
    server.refused(StatusCode::UNAUTHORIZED, "TG-7201", "Bearer");
}

async fn own_refuses(counter: &Counter, body: &str) {
    let refused = Forwarded::default().post(counter, body).await;
    refused.refused(StatusCode::BAD_REQUEST, "TG-7204", "not for storefronts");
}

#[tokio::test]
async fn what_shopify_did_not_sign_now_is_nobodys() {
    let counter = Counter::new();
    let body = cart(None, "PUMP");
    let second = at(NOW).as_second();
    let forged = [
        Forwarded { secret: "guess", ..Forwarded::default() }.path(),
        Forwarded { secret: "", ..Forwarded::default() }.path(),
        Forwarded { shop: "other.myshopify.com", ..Forwarded::default() }.path(),
        Forwarded { second: second - 91, ..Forwarded::default() }.path(),
        Forwarded { second: second + 31, ..Forwarded::default() }.path(),
        Forwarded { customer: "7 or 9", ..Forwarded::default() }.path(),
        Forwarded::default().path().replace("customer_id=7", "customer_id=9"),
        format!("{}&logged_in_customer_id=9", Forwarded::default().path()),
        format!("{}&company_location=9", Forwarded::default().path()),
        "/proxy/prices/resolve".to_owned(),
        "/proxy/prices/resolve?signature=00".to_owned(),
    ];
    let mut answers = Vec::new();
    for path in forged {
        let answer = counter.send(Method::POST, &path, &[], &body).await;
        answer.refused(StatusCode::UNAUTHORIZED, "TG-7211", "Shopify");
        answers.push(answer.text);
    }
    answers.dedup();
    assert_eq!(answers.len(), 1);
    // Nothing was asked of Shopify for them.
    assert_eq!(counter.roles.asked.load(Ordering::Relaxed), 0);
    // A replay within its time tells its buyer's price, and later nothing.
    let path = Forwarded::default().path();
    assert_eq!(counter.send(Method::POST, &path, &[], &body).await.status, StatusCode::OK);
    counter.clock.forward(Duration::from_secs(91));
    let late = counter.send(Method::POST, &path, &[], &body).await;
    late.refused(StatusCode::UNAUTHORIZED, "TG-7211", "Shopify");
}

#[tokio::test]
async fn a_role_that_was_taken_away_ends_within_a_minute() {
    let counter = Counter::new();
    let ask = |seconds: u64| {
        let counter = &counter;
        async move {
            counter.clock.forward(Duration::from_secs(seconds));
            let forwarded = Forwarded { second: counter.second(), ..Forwarded::default() };
            forwarded.post(counter, &cart(Some(ACME), "PUMP")).await.status
        }
    };
    assert_eq!(ask(0).await, StatusCode::OK);
    counter.roles.roles.lock().unwrap().clear();
    assert_eq!(ask(59).await, StatusCode::OK);
    assert_eq!(ask(1).await, StatusCode::FORBIDDEN);
    assert_eq!(counter.roles.asked.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn while_shopify_does_not_answer_a_role_is_believed_for_ten_minutes() {
    let counter = Counter::new();
    let ask = |seconds: u64, customer: &'static str| {
        let counter = &counter;
        async move {
            counter.clock.forward(Duration::from_secs(seconds));
            let forwarded = Forwarded { second: counter.second(), customer, ..Forwarded::default() };
            forwarded.post(counter, &cart(None, "PUMP")).await
        }
    };
    assert_eq!(ask(0, "7").await.status, StatusCode::OK);
    counter.roles.down.store(true, Ordering::Relaxed);
    assert_eq!(ask(599, "7").await.status, StatusCode::OK);
    // Of somebody whom it does not know it tells nothing, not even the price for everybody.
    ask(0, "9").await.refused(StatusCode::SERVICE_UNAVAILABLE, "TG-7214", "ask again");
    ask(1, "7").await.refused(StatusCode::SERVICE_UNAVAILABLE, "TG-7214", "ask again");
}

#[tokio::test]
async fn a_storefront_that_asks_too_often_is_told_when_to_come_again() {
    let counter = Counter::new();
    let ask = || Forwarded::default();
    for _ in 0..50 {
        assert_eq!(ask().post(&counter, &cart(None, "PUMP")).await.status, StatusCode::OK);
    }
    let refused = ask().post(&counter, &cart(None, "PUMP")).await;
    refused.refused(StatusCode::TOO_MANY_REQUESTS, "TG-7203", "storefront");
    assert_eq!(refused.header("retry-after"), "1");
    // What Shopify did not sign uses none of it up.
    counter.clock.forward(Duration::from_secs(60));
    for _ in 0..60 {
        let forged = Forwarded { secret: "guess", second: counter.second(), ..Forwarded::default() };
        assert_eq!(forged.post(&counter, &cart(None, "PUMP")).await.status, StatusCode::UNAUTHORIZED);
    }
    let own = Forwarded { second: counter.second(), ..Forwarded::default() };
    assert_eq!(own.post(&counter, &cart(None, "PUMP")).await.status, StatusCode::OK);
}
