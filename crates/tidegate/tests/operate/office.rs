//! A shop and a back office in the test's own process, so that the test knows their orders; and a folder between them.

use crate::folder::Folder;
use jiff::Timestamp;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;
use twin::erp::{ErpConfig, ErpTwin, Knobs};
use twin::shop::{Mix, Order, What, Workload, WorkloadConfig};
use twin::shopify::{ShopClock, ShopConfig, ShopifyTwin, signature};

const DOMAIN: &str = "acme.myshopify.com";
const SECRET: &str = "hush";
/// Nothing here takes so long, however busy the machine is.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

pub(crate) struct Office {
    pub(crate) shop: ShopifyTwin,
    pub(crate) erp: ErpTwin,
    pub(crate) folder: Folder,
}

impl Office {
    pub(crate) async fn open() -> Self {
        Self::open_with(|_| {}).await
    }

    /// At another shop.
    pub(crate) async fn open_with(change: impl FnOnce(&mut ShopConfig)) -> Self {
        let mut config = ShopConfig::new(DOMAIN);
        change(&mut config);
        config.access_token = "shpat_test".to_owned();
        config.client_secret = SECRET.to_owned();
        config.clock = ShopClock::real(1);
        let shop = ShopifyTwin::start(config).await.unwrap();
        // No idempotency key is known here: what is not looked up is made twice.
        let knobs = Knobs { idempotency_lifetime_ms: None, accept_any_item: true, ..Knobs::default() };
        let erp = ErpConfig { token: "erp".to_owned(), knobs, ..ErpConfig::default() };
        let erp = ErpTwin::start(erp).await.unwrap();
        let folder = Folder::between(shop.url(), &erp.url());
        let path = folder.path("tidegate.toml");
        let text = std::fs::read_to_string(&path).unwrap();
        let key = "idempotency = { header = \"Idempotency-Key\", lifetime = \"24h\" }";
        assert!(text.contains(key));
        std::fs::write(&path, text.replace(key, "")).unwrap();
        Self { shop, erp, folder }
    }

    /// With a flow that follows the orders, as a page shows it: its part of the configuration stands under that mark, and writes to the ERP.
    pub(crate) async fn with_follower(page: &str, mark: &str, mapping: (&str, &str)) -> Self {
        let office = Self::open().await;
        let folder = &office.folder;
        let erp = office.erp.url();
        let (_, shown) = page.split_once(&format!("<!-- example: {mark} -->\n```toml\n")).unwrap();
        let shown = shown.split_once("```").unwrap().0;
        let waits = [("\"20s\"", "\"2s\""), ("\"60s\"", "\"4s\""), ("http://127.0.0.1:9002", erp.as_str())];
        let flow = waits.into_iter().fold(shown.to_owned(), |text, (from, to)| {
            assert!(text.contains(from), "{from} is no longer on the page");
            text.replace(from, to)
        });
        let path = folder.path("tidegate.toml");
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, text + "\n" + &flow).unwrap();
        let (name, text) = mapping;
        std::fs::write(folder.path(&format!("mappings/{name}")), text).unwrap();
        let token = folder.path("secrets/erp.token");
        std::fs::write(&token, office.erp.token()).unwrap();
        std::fs::set_permissions(&token, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        let said = folder.tidegate(&["check"]);
        assert_eq!(said.code, Some(0), "what the page shows is refused: {}{}", said.out, said.err);
        office
    }

    /// How the orders of these names stand, and all dead letters: for whoever waits in vain.
    pub(crate) fn told_of<'a>(&self, names: impl Iterator<Item = &'a str>) -> String {
        let letters = self.folder.json(&["dead-letters", "list"])["groups"].to_string();
        names.map(|name| self.folder.tidegate(&["orders", "show", name]).out).collect::<String>() + &letters
    }

    /// Paid orders of customers, from that number on.
    pub(crate) fn orders(&self, first_number: u64, orders: u64) -> Vec<Arc<Order>> {
        self.orders_that(first_number, orders, |_| {})
    }

    /// The same orders, each changed before it is placed.
    pub(crate) fn orders_that(
        &self,
        first_number: u64,
        orders: u64,
        change: impl Fn(&mut Order),
    ) -> Vec<Arc<Order>> {
        let shop = Arc::new(ShopConfig::new(DOMAIN).profile);
        let mix = Mix { b2b: 0, ..Mix::plain() };
        let seed = 1;
        let start = now();
        let config = WorkloadConfig { seed, orders, first_number, start, interval_ms: 1, shop, mix };
        for (_, mut happens) in Workload::new(config) {
            if let What::Place(order) = &mut happens.what {
                change(order);
            }
            self.shop.apply(&happens).unwrap();
        }
        self.shop.orders()
    }

    /// Until the ERP was asked to make so many.
    pub(crate) async fn made(&self, creates: u64) {
        let made = self.erp.until(|ledger| ledger.creates >= creates);
        let waited = tokio::time::timeout(PATIENCE, made).await;
        assert!(waited.is_ok(), "the ERP never had {creates}: {:?}", self.erp.ledger());
    }

    /// A signed webhook of a topic that nobody has to subscribe to; the status.
    pub(crate) fn sends(&self, address: &str, topic: &str, body: &str) -> u16 {
        let id = format!("w-{topic}-{}", body.len());
        let signed = signature(SECRET, body.as_bytes());
        let request = format!(
            "POST /webhooks/shopify HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\ncontent-type: application/json\r\n\
             content-length: {}\r\nx-shopify-topic: {topic}\r\nx-shopify-hmac-sha256: {signed}\r\n\
             x-shopify-shop-domain: {DOMAIN}\r\nx-shopify-api-version: {}\r\nx-shopify-webhook-id: {id}\r\n\
             x-shopify-event-id: {id}\r\nx-shopify-triggered-at: {}\r\n\r\n{body}",
            body.len(),
            twin::shopify::API_VERSION,
            now()
        );
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer.split(' ').nth(1).unwrap().parse().unwrap()
    }
}

#[expect(clippy::disallowed_methods, reason = "the look-alike's orders are of today")]
pub(crate) fn now() -> Timestamp {
    Timestamp::now()
}
