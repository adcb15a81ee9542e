//! A schema in the PostgreSQL of the tests, nodes that share it, and the look-alikes that they work between.

use crate::folder::Folder;
use jiff::Timestamp;
use serde_json::Value;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::OpenOptionsExt as _;
use std::process::{Child, Stdio};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio_postgres::{Client, NoTls};
use twin::erp::{ErpConfig, ErpTwin, Knobs};
use twin::shop::{Mix, Workload, WorkloadConfig};
use twin::shopify::{ShopClock, ShopConfig, ShopifyTwin};

/// Nothing here takes so long, however busy the machine is.
pub(crate) const PATIENCE: Duration = Duration::from_secs(90);

pub(crate) fn server() -> String {
    std::env::var("POSTGRES_URL").unwrap_or_else(|_| {
        panic!(
            "POSTGRES_URL is not set: these tests need a real PostgreSQL. `cargo xtask test` starts one; by hand: \
             set -a; . <(cargo xtask services ensure postgres); set +a"
        )
    })
}

/// A shop, an ERP that knows no idempotency key, a folder with their configuration, and a schema for the store.
pub(crate) struct World {
    pub(crate) shop: ShopifyTwin,
    pub(crate) erp: ErpTwin,
    pub(crate) folder: Folder,
    pub(crate) database: Client,
    schema: String,
}

impl World {
    pub(crate) async fn new(schema: &str) -> Self {
        let mut config = ShopConfig::new("acme.myshopify.com");
        config.access_token = "shpat_test".to_owned();
        config.client_secret = "hush".to_owned();
        config.clock = ShopClock::real(1);
        let shop = ShopifyTwin::start(config).await.unwrap();
        let knobs = Knobs { idempotency_lifetime_ms: None, accept_any_item: true, ..Knobs::default() };
        let erp = ErpConfig { token: "erp".to_owned(), knobs, ..ErpConfig::default() };
        let erp = ErpTwin::start(erp).await.unwrap();
        let (database, connection) = tokio_postgres::connect(&server(), NoTls).await.unwrap();
        tokio::spawn(connection);
        let schema = format!("tidegate_test_{schema}");
        let anew = format!(
            "DROP SCHEMA IF EXISTS {schema} CASCADE; CREATE SCHEMA {schema}; SET search_path = {schema}"
        );
        database.batch_execute(&anew).await.unwrap();
        let folder = Folder::between(shop.url(), &erp.url());
        let joint = if server().contains('?') { '&' } else { '?' };
        let url = format!("{}{joint}options=-csearch_path%3D{schema}", server());
        let mut options = std::fs::OpenOptions::new();
        let mut file =
            options.create(true).write(true).mode(0o600).open(folder.path("secrets/postgres.url")).unwrap();
        std::io::Write::write_all(&mut file, url.as_bytes()).unwrap();
        let path = folder.path("tidegate.toml");
        let mut text =
            std::fs::read_to_string(&path).unwrap() + "\n[store]\nurl = \"file:secrets/postgres.url\"\n";
        for (from, to) in [
            ("request_timeout = \"20s\"", "request_timeout = \"5s\""),
            ("lease = \"60s\"", "lease = \"10s\""),
            ("settle_after = \"60s\"", "settle_after = \"1s\""),
            ("idempotency = { header = \"Idempotency-Key\", lifetime = \"24h\" }", ""),
            (
                "mode = \"live\"",
                "mode = \"live\"\nintake = \"poll\"\nsweep = { every = \"2s\", overlap = \"30s\" }",
            ),
        ] {
            assert!(text.contains(from), "{from}");
            text = text.replacen(from, to, 1);
        }
        std::fs::write(&path, text).unwrap();
        Self { shop, erp, folder, database, schema }
    }

    /// Paid orders that nothing happens to any more.
    pub(crate) fn orders(&self, count: u64) {
        let shop = Arc::new(ShopConfig::new("acme.myshopify.com").profile);
        let mix = Mix { b2b: 0, ..Mix::plain() };
        let config = WorkloadConfig {
            seed: 1,
            orders: count,
            first_number: 1,
            start: now(),
            interval_ms: 1,
            shop,
            mix,
        };
        for (_, change) in Workload::new(config) {
            self.shop.apply(&change).unwrap();
        }
    }

    /// Asks the store for a number, until it is that one.
    pub(crate) async fn until(&self, sql: &str, wanted: i64) {
        let asked = async {
            let mut look = tokio::time::interval(Duration::from_millis(50));
            loop {
                look.tick().await;
                let row = self.database.query_one(sql, &[]).await;
                // Before the first node has made the tables there is none.
                if row.is_ok_and(|row| row.get::<_, i64>(0) == wanted) {
                    return;
                }
            }
        };
        let found = tokio::time::timeout(PATIENCE, asked).await;
        assert!(found.is_ok(), "{sql} was never {wanted}");
    }

    pub(crate) async fn end(self) {
        self.database.batch_execute(&format!("DROP SCHEMA {} CASCADE", self.schema)).await.unwrap();
        self.erp.stop();
    }
}

#[expect(clippy::disallowed_methods, reason = "the look-alike's orders are of today")]
fn now() -> Timestamp {
    Timestamp::now()
}

/// A running node with what it has said; it is killed with the test.
pub(crate) struct Node {
    process: Child,
    said: watch::Receiver<Vec<String>>,
    pub(crate) name: String,
}

impl Node {
    /// Returns when it takes webhooks.
    pub(crate) async fn start(world: &World, number: u32, settings: &[&str]) -> Self {
        let folder = world.folder.path(&format!("node-{number}"));
        let data_dir = format!("hub.data_dir={}", folder.display());
        let mut args = vec![
            "run",
            "--set",
            "hub.listen=127.0.0.1:0",
            "--set",
            "hub.log_format=text",
            "--set",
            data_dir.as_str(),
        ];
        args.extend(settings.iter().flat_map(|setting| ["--set", setting]));
        let mut process =
            world.folder.command(&args).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let log = BufReader::new(process.stderr.take().unwrap());
        let (say, said) = watch::channel(Vec::new());
        std::thread::spawn(move || {
            for line in log.lines().map_while(Result::ok) {
                eprintln!("NODE {number} {line}");
                say.send_modify(|lines| lines.push(line));
            }
        });
        let mut node = Self { process, said, name: String::new() };
        node.says("the hub runs at").await;
        node.name = std::fs::read_to_string(folder.join("node")).unwrap().trim().to_owned();
        node
    }

    /// Waits until it has said that so often.
    pub(crate) async fn says_times(&mut self, text: &str, times: usize) {
        let has = |lines: &Vec<String>| lines.iter().filter(|line| line.contains(text)).count() >= times;
        let waited = tokio::time::timeout(PATIENCE, self.said.wait_for(has)).await;
        assert!(waited.is_ok_and(|said| said.is_ok()), "it never said {text:?}");
    }

    pub(crate) async fn says(&mut self, text: &str) {
        self.says_times(text, 1).await;
    }

    pub(crate) fn has_said(&self, text: &str) -> bool {
        self.said.borrow().iter().any(|line| line.contains(text))
    }

    /// SIGKILL.
    pub(crate) fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // Ended already, where the test did it.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The demo, as a person starts it; its ledger.
pub(crate) fn demo(args: &[&str]) -> (Value, String) {
    let folder = Folder::new();
    let output = folder.command(&[&["demo", "--json"], args].concat()).output().unwrap();
    let (out, told) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let ledger = serde_json::from_str(out.trim()).unwrap_or_else(|error| panic!("{error}: {out:?}\n{told}"));
    (ledger, told.into_owned())
}

/// A torture on PostgreSQL, and what it said. `near`: within the objective is not asked of a busy machine.
pub(crate) fn said(args: &[&str], near: bool) -> (Value, String) {
    let folder = Folder::new();
    let output = folder.command(&[args, &["--store", "postgres", "--json"]].concat()).output().unwrap();
    let (out, told) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(near || output.status.success(), "{told}");
    let said = serde_json::from_str(out.trim()).unwrap_or_else(|error| panic!("{error}: {out:?}\n{told}"));
    (said, told.into_owned())
}
