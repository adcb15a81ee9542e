//! Prices, end to end: loaded from the command line, asked with a token and through the storefront of the shop's look-alike,
//! kept through a hub's death, and beside a system that hangs, fails, lies and is back.

use crate::folder::Folder;
use crate::hub::Hub;
use crate::office::{Office, now};
use reqwest::StatusCode;
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::sync::{Arc, Mutex};
use twin::shop::catalogue;
use twin::shopify::Role;

const TOKEN: &str = "token-of-the-storefronts-server";
pub(crate) const ACME: u64 = 1001;
pub(crate) const BOLT: u64 = 2001;
const OF_ACME: u64 = 7;
const OF_BOLT: u64 = 8;

const TERMS: &str = r#"
[[lists]]
id = "LIST-EUR"
kind = "list"
currency = "EUR"
for = "everyone"

[[lists]]
id = "ACME-2026"
kind = "contract"
currency = "EUR"
for = "company:ACME"

[[lists]]
id = "BOLT-2026"
kind = "contract"
currency = "EUR"
for = "company:BOLT"

[[locations]]
id = "gid://shopify/CompanyLocation/1001"
company = "ACME"

[[locations]]
id = "gid://shopify/CompanyLocation/2001"
company = "BOLT"
"#;

const PRICES: &str = "list,sku,price,min\n\
    LIST-EUR,PUMP-10,129.00,\n\
    ACME-2026,PUMP-10,104.50,1\n\
    ACME-2026,PUMP-10,99.00,10\n\
    BOLT-2026,PUMP-10,88.00,\n";
const CHANGED: &str = "list,sku,price\nACME-2026,PUMP-10,95.00\n";

/// The folder's hub has prices; `more` is what else stands in `[prices…]`.
pub(crate) fn with_prices(folder: &Folder, more: &str) {
    let secret = folder.path("secrets/storefront.prices");
    std::fs::write(&secret, TOKEN).unwrap();
    std::fs::set_permissions(&secret, PermissionsExt::from_mode(0o600)).unwrap();
    let config = folder.path("tidegate.toml");
    let text = std::fs::read_to_string(&config).unwrap();
    let own =
        "\n[prices]\n\n[prices.callers.storefront]\nbearer_token = \"file:secrets/storefront.prices\"\n";
    std::fs::write(&config, format!("{text}{own}{more}")).unwrap();
}

/// Two files that a person loads, one after the other.
pub(crate) fn load(folder: &Folder, terms: &str, prices: &str) -> u64 {
    std::fs::write(folder.path("terms.toml"), terms).unwrap();
    std::fs::write(folder.path("prices.csv"), prices).unwrap();
    folder.json(&["prices", "terms", "terms.toml"]);
    let told = folder.json(&["prices", "load", "prices.csv"]);
    assert_eq!(told["outcome"], "live", "{told}");
    told["version"].as_u64().unwrap()
}

fn gid(location: u64) -> String {
    format!("gid://shopify/CompanyLocation/{location}")
}

/// A server's cart of one line.
async fn cart(
    hub: &Hub,
    token: &str,
    location: Option<u64>,
    sku: &str,
    quantity: u32,
) -> (StatusCode, Value) {
    let body = json!({
        "company_location": location.map(gid), "currency": "EUR",
        "lines": [{ "sku": sku, "quantity": quantity }],
    });
    let url = format!("http://{}/v1/prices/resolve", hub.address);
    let asked = reqwest::Client::new().post(url).bearer_auth(token).json(&body).send().await.unwrap();
    (asked.status(), asked.json().await.unwrap())
}

async fn line(hub: &Hub, location: Option<u64>, sku: &str, quantity: u32) -> Value {
    let (status, told) = cart(hub, TOKEN, location, sku, quantity).await;
    assert_eq!(status, StatusCode::OK, "{told}");
    told["lines"][0].clone()
}

/// With the version that answered; nothing, where there are no prices yet.
pub(crate) async fn line_of(hub: &Hub, location: Option<u64>, sku: &str, quantity: u32) -> (Value, Value) {
    let (_, told) = cart(hub, TOKEN, location, sku, quantity).await;
    (told["version"].clone(), told["lines"][0].clone())
}

/// A buyer's browser asks the shop, which asks the hub.
async fn browse(office: &Office, customer: Option<u64>, location: Option<u64>) -> (StatusCode, Value) {
    let mut url = format!("{}/apps/prices/resolve?sku=PUMP-10&currency=EUR", office.shop.url());
    if let Some(location) = location {
        url = format!("{url}&company_location={location}");
    }
    let mut asked = reqwest::Client::new().get(url);
    if let Some(customer) = customer {
        asked = asked.header("cookie", format!("logged_in_customer={customer}"));
    }
    let answer = asked.send().await.unwrap();
    (answer.status(), answer.json().await.unwrap())
}

async fn seen(office: &Office, customer: Option<u64>, location: Option<u64>) -> String {
    let (status, told) = browse(office, customer, location).await;
    assert_eq!(status, StatusCode::OK, "{told}");
    told["lines"][0]["unit_price"].as_str().unwrap().to_owned()
}

fn forward(office: &Office, hub: &Hub) {
    office.shop.forward_storefront("/apps/prices", &format!("http://{}/proxy/prices", hub.address)).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn every_company_sees_its_own_price_also_after_the_hub_was_killed() {
    let office = Office::open().await;
    office.shop.know_company(1, "Acme", &[(ACME, "Acme Berlin")]);
    office.shop.know_company(2, "Bolt", &[(BOLT, "Bolt Wien")]);
    office.shop.give_role(OF_ACME, ACME, Role::OrderingOnly).unwrap();
    office.shop.give_role(OF_BOLT, BOLT, Role::OrderingOnly).unwrap();
    let folder = &office.folder;
    with_prices(folder, "\n[prices.storefront]\n");
    let hub = Hub::start(folder);
    forward(&office, &hub);
    let first = load(folder, TERMS, PRICES);

    // A server with a token asks for whom it likes.
    let told = line(&hub, Some(ACME), "PUMP-10", 12).await;
    assert_eq!(
        (&told["unit_price"], &told["total"], &told["list_price"], &told["source"]["list"]),
        (&json!("99.00"), &json!("1188.00"), &json!("129.00"), &json!("ACME-2026"))
    );
    assert_eq!(line(&hub, Some(BOLT), "PUMP-10", 12).await["unit_price"], "88.00");
    assert_eq!(
        cart(&hub, "another-token-of-nobody", Some(ACME), "PUMP-10", 1).await.0,
        StatusCode::UNAUTHORIZED
    );

    // A buyer's browser has the price of the buyer's own company.
    assert_eq!(seen(&office, Some(OF_ACME), None).await, "104.50");
    assert_eq!(seen(&office, Some(OF_BOLT), None).await, "88.00");
    assert_eq!(seen(&office, None, None).await, "129.00");
    let (status, others) = browse(&office, Some(OF_ACME), Some(BOLT)).await;
    assert_eq!(status, StatusCode::FORBIDDEN, "{others}");
    assert!(!others.to_string().contains("88"), "another's price was told: {others}");
    let (status, nobodys) = browse(&office, Some(OF_ACME), Some(999_999)).await;
    assert_eq!(
        (status, &nobodys),
        (StatusCode::FORBIDDEN, &others),
        "what is there was told from what is not"
    );
    assert_eq!(browse(&office, None, Some(ACME)).await.0, StatusCode::FORBIDDEN);

    let before = now().to_string();
    std::fs::write(folder.path("changed.csv"), CHANGED).unwrap();
    let second = folder.json(&["prices", "load", "changed.csv", "--why", "agreed for 2027"]);
    assert_eq!((&second["outcome"], &second["version"]), (&json!("live"), &json!(first + 1)), "{second}");
    let (_, living) = cart(&hub, TOKEN, Some(ACME), "PUMP-10", 12).await;
    assert_eq!((&living["version"], &living["lines"][0]["unit_price"]), (&json!(first + 1), &json!("95.00")));

    office.shop.take_roles(OF_ACME, ACME).unwrap();
    hub.kill();
    let hub = Hub::start(folder);
    forward(&office, &hub);
    let (_, again) = cart(&hub, TOKEN, Some(ACME), "PUMP-10", 12).await;
    assert_eq!((&again["version"], &again["lines"]), (&living["version"], &living["lines"]));
    assert_eq!(seen(&office, Some(OF_BOLT), None).await, "88.00");
    // Whose role was taken away is nobody in particular.
    assert_eq!(browse(&office, Some(OF_ACME), Some(ACME)).await.0, StatusCode::FORBIDDEN);
    assert_eq!(seen(&office, Some(OF_ACME), None).await, "129.00");

    let of_acme = gid(ACME);
    let explain =
        ["prices", "explain", "pump-10", "--quantity", "12", "--currency", "EUR", "--company-location"];
    let explain = [&explain[..], &[of_acme.as_str()]].concat();
    let is = folder.json(&explain);
    let was = folder.json(&[&explain[..], &["--at", before.as_str()]].concat());
    assert_eq!((&is["version"], &is["line"]["unit_price"]), (&json!(first + 1), &json!("95.00")), "{is}");
    assert_eq!((&was["version"], &was["line"]["unit_price"]), (&json!(first), &json!("99.00")), "{was}");
    let said = folder.tidegate(&["prices", "changes", "--sku", "PUMP-10"]);
    assert!(said.out.contains("95") && said.out.contains("ada"), "{}", said.out);
    assert_eq!(folder.tidegate(&["prices", "verify"]).code, Some(0));
}

/// As a theme asks, which knows the variants of its shop.
#[tokio::test(flavor = "multi_thread")]
async fn a_cart_that_names_variants_has_the_prices_of_their_skus() {
    let office = Office::open().await;
    office.shop.know_company(1, "Acme", &[(ACME, "Acme Berlin")]);
    office.shop.give_role(OF_ACME, ACME, Role::OrderingOnly).unwrap();
    let folder = &office.folder;
    with_prices(folder, "\n[prices.storefront]\n");
    let hub = Hub::start(folder);
    forward(&office, &hub);
    load(
        folder,
        TERMS,
        "list,sku,price\nLIST-EUR,SKU-0001,9.00\nACME-2026,SKU-0001,7.00\nBOLT-2026,SKU-0002,1.00\n",
    );
    let variant = |sku: &str| {
        let item = catalogue::ITEMS.iter().find(|item| item.sku == sku).unwrap();
        item.variant_id()
    };
    let (sold, others) = (variant("SKU-0001"), variant("SKU-0002"));
    let kept = folder.path("data/variants/acme");
    let browse = async |office: &Office, variant: u64| {
        let url = format!("{}/apps/prices/resolve?variant={variant}&currency=EUR", office.shop.url());
        let asked = reqwest::Client::new().get(url).header("cookie", format!("logged_in_customer={OF_ACME}"));
        asked.send().await.unwrap().json::<Value>().await.unwrap()["lines"][0].clone()
    };
    // All are read in the background once a cart asks, and kept.
    let seen = async |office: &Office, variant: u64| loop {
        let told = browse(office, variant).await;
        if told["status"] == "priced" {
            return told["unit_price"].clone();
        }
    };
    assert_eq!(seen(&office, sold).await, "7.00");
    assert_eq!(browse(&office, others).await["reason"], "variant", "another company's article");
    while !std::fs::read_to_string(&kept).is_ok_and(|kept| kept.contains(&others.to_string())) {
        tokio::task::yield_now().await;
    }
    hub.kill();
    let hub = Hub::start(folder);
    forward(&office, &hub);
    assert_eq!(browse(&office, sold).await["unit_price"], "7.00", "from what was kept, at once");
    let (sold, of_acme) = (format!("gid://shopify/ProductVariant/{sold}"), gid(ACME));
    let explain =
        ["prices", "explain", "--variant", &sold, "--currency", "EUR", "--company-location", &of_acme];
    let told = folder.json(&explain);
    assert_eq!(
        (&told["line"]["sku"], &told["line"]["unit_price"]),
        (&json!("SKU-0001"), &json!("7.00")),
        "{told}"
    );
}

/// What the system that makes prices does with a question.
#[derive(Debug, Clone, Copy)]
enum Does {
    Answers,
    Hangs,
    Fails,
    /// No JSON, and what no price can be.
    Says(&'static str),
}

/// It listens as long as the test runs.
struct Cpq {
    does: Arc<Mutex<Does>>,
    url: String,
}

impl Cpq {
    fn listen() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/prices", listener.local_addr().unwrap());
        let does = Arc::new(Mutex::new(Does::Answers));
        let knob = does.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let does = *knob.lock().unwrap();
                std::thread::spawn(move || answer(stream, does));
            }
        });
        Self { does, url }
    }

    fn turn_to(&self, does: Does) {
        *self.does.lock().unwrap() = does;
    }
}

fn answer(mut stream: TcpStream, does: Does) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let (mut line, mut bytes) = (String::new(), 0);
    while reader.read_line(&mut line).is_ok_and(|read| read > 2) {
        if let Some(length) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            bytes = length.trim().parse().unwrap();
        }
        line.clear();
    }
    let mut body = vec![0; bytes];
    if reader.read_exact(&mut body).is_err() {
        return;
    }
    let (status, body) = match does {
        Does::Answers => ("200 OK", r#"{"lines":[{"unit_price":"1180.00"}]}"#),
        Does::Says(body) => ("200 OK", body),
        Does::Fails => ("500 Internal Server Error", "out of memory"),
        // Until whoever asked goes away.
        Does::Hangs => {
            let _ = reader.read_exact(&mut [0]);
            return;
        }
    };
    // Whoever asked may be gone.
    let _ = write!(
        stream,
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_system_that_hangs_fails_or_lies_costs_its_own_lines_their_price_and_nothing_else() {
    let folder = Folder::new();
    let cpq = Cpq::listen();
    let live = format!(
        "\n[prices.live]\nurl = \"{}\"\nsystem = \"cpq\"\nskus = [\"CFG-*\"]\ndeadline = \"1s\"\nrequest_timeout = \"2s\"\n",
        cpq.url
    );
    with_prices(&folder, &live);
    let hub = Hub::start(&folder);
    let configured =
        (1..=200).fold(PRICES.to_owned(), |rows, item| format!("{rows}LIST-EUR,CFG-{item},1000.00,\n"));
    load(&folder, TERMS, &configured);
    // Each question is of an item that nobody has asked for: what was said a while ago would count.
    let mut item = 0;
    let mut next = || {
        item += 1;
        format!("CFG-{item}")
    };
    let mut fallbacks = 0;

    let told = line(&hub, Some(ACME), &next(), 1).await;
    assert_eq!((&told["unit_price"], &told["source"]["live"]), (&json!("1180.00"), &json!("cpq")), "{told}");

    let hung = "list price, because cpq did not answer in 1000 ms";
    let failed = "list price, because cpq failed";
    for (does, because) in [
        (Does::Hangs, hung),
        (Does::Fails, failed),
        (Does::Says("<html>maintenance</html>"), failed),
        (Does::Says(r#"{"lines":[{"unit_price":"-1"}]}"#), failed),
        (Does::Says(r#"{"lines":[]}"#), failed),
    ] {
        cpq.turn_to(does);
        let told = line(&hub, Some(ACME), &next(), 1).await;
        assert_eq!(
            (&told["unit_price"], &told["fallback"]),
            (&json!("1000.00"), &json!(because)),
            "{does:?}: {told}"
        );
        fallbacks += 1;
    }
    // Left alone, it holds no cart up.
    for _ in 0..10 {
        let told = line(&hub, Some(ACME), &next(), 1).await;
        assert_eq!(told["unit_price"], "1000.00", "{told}");
        fallbacks += 1;
        if told["fallback"].as_str().unwrap().contains("left alone") {
            break;
        }
    }
    let said = folder.tidegate(&["prices", "status"]);
    assert!(said.out.contains("cpq is left alone for a moment"), "{}", said.out);
    assert!(said.out.contains(&format!("{fallbacks} fell back")), "{}", said.out);
    assert_eq!(line(&hub, Some(ACME), "PUMP-10", 1).await["unit_price"], "104.50");

    cpq.turn_to(Does::Answers);
    let is_back = async {
        loop {
            let told = line(&hub, Some(ACME), &next(), 1).await;
            if told["source"]["live"] == "cpq" {
                return told;
            }
            fallbacks += 1;
            // Takes a process of its own, and so its time.
            folder.tidegate(&["prices", "status"]);
        }
    };
    assert_eq!(is_back.await["unit_price"], "1180.00");
    let status = folder.json(&["prices", "status"]);
    let live = &status["live"];
    assert_eq!(
        (&live["told"], &live["fallback"], &live["left_alone"]),
        (&json!(2), &json!(fallbacks), &json!(false)),
        "{live}"
    );
    assert!(live["failures"].as_u64().unwrap() >= 5, "{live}");
}
