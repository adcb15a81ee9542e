//! A store that moves to PostgreSQL by the command that a person types: killed again and again on the way, and whole at the
//! end; no hub starts on either end before that, and none on the former one after it.

use crate::folder::Folder;
use crate::seeded;
use bytes::Bytes;
use jiff::Timestamp;
use kernel::clock::{Clock, Mono, Now};
use kernel::envelope::{FactKind, TraceId, Via};
use kernel::id::{DomainName, ShopId, SystemName};
use kernel::subject::Subject;
use serde_json::Value;
use std::os::unix::fs::OpenOptionsExt as _;
use std::process::Stdio;
use std::sync::Arc;
use store::log::{DedupeKey, NewEnvelope};
use store::seal::{MasterKey, Random};
use store::{Store as _, StoreError};
use store_sqlite::{Options, SqliteStore};
use tokio::runtime::Runtime;
use tokio_postgres::{Client, NoTls};

const FACTS: u64 = 1500;
/// So that each of the larger tables takes dozens of them.
const BATCH: [&str; 2] = ["--batch-bytes", "20000"];
const COPY: [&str; 4] = ["store", "copy", "--to", "postgres:file:secrets/pg.url"];
const THERE: [&str; 2] = ["--set", "store.url=file:secrets/pg.url"];

#[derive(Debug)]
struct Standing;

impl Clock for Standing {
    fn now(&self) -> Now {
        Now { wall: at(0), mono: Mono(0) }
    }
}

#[derive(Debug)]
struct Chance;

impl Random for Chance {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), StoreError> {
        getrandom::fill(bytes).map_err(|error| StoreError::Unavailable(error.to_string()))
    }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_795_000_000 + second).unwrap()
}

/// An empty database, whose address stands in a file of the folder.
pub(crate) struct Database {
    runtime: Runtime,
    client: Client,
}

impl Database {
    pub(crate) fn new(folder: &Folder, name: &str) -> Self {
        let server = std::env::var("POSTGRES_URL").unwrap_or_else(|_| {
            panic!("POSTGRES_URL is not set: `cargo xtask test` starts a PostgreSQL for these tests")
        });
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let connect = |url: &str| {
            let (client, connection) = runtime.block_on(tokio_postgres::connect(url, NoTls)).unwrap();
            runtime.spawn(connection);
            client
        };
        let admin = connect(&server);
        runtime
            .block_on(admin.batch_execute(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")))
            .unwrap();
        runtime.block_on(admin.batch_execute(&format!("CREATE DATABASE {name}"))).unwrap();
        let url = format!("{}/{name}", server.rsplit_once('/').unwrap().0);
        let mut file = std::fs::File::options();
        let mut file = file
            .create(true)
            .write(true)
            .truncate(true)
            .mode(0o600)
            .open(folder.path("secrets/pg.url"))
            .unwrap();
        std::io::Write::write_all(&mut file, url.as_bytes()).unwrap();
        let client = connect(&url);
        Self { runtime, client }
    }

    /// Zero where the table is not there yet.
    pub(crate) fn number(&self, sql: &str) -> i64 {
        self.runtime.block_on(self.client.query_one(sql, &[])).map_or(0, |row| row.get(0))
    }
}

/// Facts that wait for routing, each of its own order, with its webhook's id.
fn facts(folder: &Folder) {
    let key = std::fs::read_to_string(folder.path("secrets/master.key")).unwrap();
    let store = SqliteStore::open(Options {
        path: folder.path("data/tidegate.db"),
        master_key: MasterKey::from_text(key.trim()).unwrap(),
        random: Arc::new(Chance),
        clock: Arc::new(Standing),
    })
    .unwrap();
    let shop = ShopId::new("acme").unwrap();
    let fact = |number: u64| NewEnvelope {
        shop: shop.clone(),
        domain: DomainName::new("orders").unwrap(),
        source: SystemName::new("shopify").unwrap(),
        topic: "orders/create".into(),
        kind: FactKind::State,
        via: Via::Webhook,
        subject: Subject::new(shop.clone(), "order", &format!("{}", 9_000_000 + number)),
        version: None,
        occurred_at: at(4),
        received_at: at(5),
        trace: TraceId([1; 16]),
        raw_hash: [3; 32],
        raw_bytes: 10,
        dedupe: Some(DedupeKey(u128::from(number).to_be_bytes())),
        payload: Bytes::from(format!("{{\"id\":{number}}}")),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(store.append((0..FACTS).map(fact).collect())).unwrap();
}

/// What a person sees of the store.
fn seen(folder: &Folder, more: &[&str]) -> Vec<Value> {
    let asked: [&[&str]; 4] =
        [&["orders", "show", "#1001"], &["orders", "show", "#1002"], &["dead-letters", "list"], &["audit"]];
    asked.iter().map(|args| folder.json(&[args, more].concat())).collect()
}

#[test]
fn a_move_that_is_killed_again_and_again_comes_to_its_end_and_only_then_counts() {
    let folder = Folder::new();
    seeded::two_orders(&folder);
    facts(&folder);
    let before = seen(&folder, &[]);
    let database = Database::new(&folder, "t_operate_move");
    let plan = folder.json(&[COPY.as_slice(), &["--dry-run"]].concat());
    assert_eq!((&plan["can"], database.number("SELECT count(*) FROM cursors")), (&true.into(), 0), "{plan}");

    let mut killed = 0;
    for progress in [1, 5, 60, 200, 400] {
        let args = [COPY.as_slice(), &BATCH].concat();
        let mut child = folder.command(&args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let rows = "SELECT (SELECT count(*) FROM roots) + (SELECT count(*) FROM payloads) + (SELECT count(*) FROM webhook_ids)";
        while database.number(rows) < progress && child.try_wait().unwrap().is_none() {}
        if child.try_wait().unwrap().is_none() {
            child.kill().unwrap();
            killed += 1;
        }
        child.wait().unwrap();
        if database.number("SELECT count(*) FROM cursors WHERE name = 'store.copying'") == 1 {
            folder.tidegate(&["status"]).refused(1, &["TG-4002", "store copy"]);
            folder.tidegate(&[&["status"][..], &THERE].concat()).refused(1, &["TG-4003", "half a copy"]);
        }
    }
    assert!(killed >= 3, "{killed}");

    let moved = folder.json(&[COPY.as_slice(), &BATCH].concat());
    let rows = |table: &str| {
        let tables = moved["tables"].as_array().unwrap();
        tables.iter().find(|of| of["table"] == table).map(|of| of["rows"].as_u64().unwrap()).unwrap()
    };
    assert_eq!([rows("envelopes"), rows("payloads"), rows("webhook_ids")], [FACTS + 2, FACTS + 2, FACTS]);
    assert_eq!([rows("dead_letters"), rows("awaited"), rows("lanes")], [1, 1, 2]);
    assert_eq!(seen(&folder, &THERE), before, "the same store, at another place");
    let status = folder.json(&[&["status"][..], &THERE].concat());
    assert_eq!([&status["log"]["envelopes"], &status["log"]["unrouted"]], [FACTS + 2, FACTS], "{status}");
    let last = i64::try_from(FACTS).unwrap() + 2;
    assert_eq!(database.number("SELECT nextval('positions')"), last + 1, "positions go on behind what moved");

    let run = ["run", "--set", "hub.listen=127.0.0.1:0"];
    for args in [&["status"][..], &run, &COPY] {
        folder.tidegate(args).refused(1, &["TG-4001", "t_operate_move", "reopen"]);
    }
    folder.json(&["store", "reopen", "--why", "the move was called off"]);
    assert_eq!(folder.json(&["audit"])["entries"][0]["action"], "reopen");
    // The place is somebody's store now.
    folder.tidegate(&COPY).refused(1, &["TG-4005", "in use"]);
}

#[test]
fn a_row_that_differs_switches_nothing_over() {
    let folder = Folder::new();
    seeded::two_orders(&folder);
    facts(&folder);
    let database = Database::new(&folder, "t_operate_differs");
    let args = [COPY.as_slice(), &BATCH].concat();
    let mut child = folder.command(&args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    while database.number("SELECT count(*) FROM payloads") < 100 && child.try_wait().unwrap().is_none() {}
    child.kill().unwrap();
    child.wait().unwrap();
    let broken =
        "UPDATE payloads SET body = body || '\\x00' WHERE position = (SELECT min(position) FROM payloads)";
    database.runtime.block_on(database.client.batch_execute(broken)).unwrap();
    folder.tidegate(&args).refused(1, &["TG-4004", "payloads differs", "Nothing was switched over"]);
    folder.tidegate(&[&["status"][..], &THERE].concat()).refused(1, &["TG-4003"]);

    folder.json(&["store", "reopen", "--why", "somebody wrote there"]);
    folder.tidegate(&args).refused(1, &["TG-4006", "--start-over"]);
    folder.json(&[args.as_slice(), &["--start-over"]].concat());
    assert_eq!(seen(&folder, &THERE).len(), 4);
}
