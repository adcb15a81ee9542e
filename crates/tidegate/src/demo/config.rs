//! The configuration that a stage's hub runs with: the one that `tidegate init` writes, with the look-alikes' addresses
//! and with shorter waits, so that a minute holds what takes an hour elsewhere. It is a file like any other, so that
//! every command works on it.

use anyhow::Context as _;
use config::{ErpKind, InitOptions, starting_configuration};
use jiff::Timestamp;
use secrecy::SecretString;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use twin::shopify::Plan;

pub const SHOP_DOMAIN: &str = "acme.myshopify.com";
/// What `init` calls it.
pub const SHOP: &str = "acme";
pub const FLOW: &str = "orders_to_erp";

/// Where things are, and what they take.
#[derive(Debug)]
pub struct Addresses<'a> {
    pub hub: &'a str,
    pub shop: &'a str,
    pub access_token: &'a str,
    pub client_secret: &'a str,
    /// The shop's.
    pub plan: Plan,
}

/// The back office.
#[derive(Debug, Clone, Copy)]
pub enum Office<'a> {
    /// The look-alike. `by_look_up`: it ignores idempotency keys, and the configuration says so.
    Rest { url: &'a str, token: &'a str, by_look_up: bool },
    /// A real one.
    Tryton { url: &'a str, database: &'a str, user: &'a str, password: &'a str },
    /// A real one, by an API key; the rest are ids of its own.
    Medusa { url: &'a str, key: &'a str, region: &'a str, sales_channel: &'a str, shipping_option: &'a str },
}

const ORDERS: &str = include_str!("../../../../mappings/orders_to_http_erp.toml");
const ORDERS_TO_TRYTON: &str = include_str!("../../../../mappings/orders_to_tryton.toml");
const ORDERS_TO_MEDUSA: &str = include_str!("../../../../mappings/orders_to_medusa.toml");
const NUMBER_BACK: &str = include_str!("../../../../mappings/erp_number_to_shopify.toml");

/// In place of what is meant for months: each is a key that anybody may set.
const WAITS: &str = r#"
[systems.shopify]
request_timeout = "5s"
lease = "15s"
settle_after = "5s"

[systems.erp.breaker]
open_first = "500ms"
open_longest = "4s"

[systems.erp.retry]
first = "200ms"
longest = "4s"
"#;

/// What waits for seconds instead of minutes has spent its attempts within seconds: a look at a real system is many calls, and the gate
/// before it loses one of five.
const PATIENCE: &str = "attempts_max = 40\n";

/// One store for several nodes.
const SHARED: &str = r#"
[store]
url = "file:secrets/postgres.url"
"#;

/// Half of the sales are confirmed at their changes' pace; a cancellation after that becomes a counter document.
const TRYTON_LIVE: &str = r#"mode = "live"
confirm_when = 'after("20s")'
after_confirm = { cancel = "counter_document" }
difference = "adjust_line"
sweep = { every = "5s", overlap = "20s" }"#;

/// Reserved at once, and changed as the shop changes it: Medusa can.
const MEDUSA_LIVE: &str = r#"mode = "live"
after_confirm = { address = "amend", line = "amend", cancel = "amend" }
sweep = { every = "5s", overlap = "20s" }"#;

/// Sales are confirmed after a while, as where people may change their minds; what changes later is a ticket, but for a
/// cancellation, which this ERP takes at any time.
const LIVE: &str = r#"mode = "live"
confirm_when = 'after("20s")'
after_confirm = { cancel = "amend" }
sweep = { every = "5s", overlap = "20s" }"#;

/// Writes all files below the folder.
/// `postgres`: where the nodes' store is, if they share one.
pub fn write(
    folder: &Path,
    at: &Addresses<'_>,
    office: &Office<'_>,
    postgres: Option<&str>,
    now: Timestamp,
) -> anyhow::Result<()> {
    let mut random = |bytes: &mut [u8]| {
        // A demo's keys guard a demo's data; without randomness there is no demo.
        let filled = getrandom::fill(bytes);
        assert!(filled.is_ok(), "the system gives no random bytes");
    };
    let (erp, url, secret, orders) = match *office {
        Office::Rest { url, token, .. } => (ErpKind::Http, url, token, ORDERS.to_owned()),
        // This Tryton knows no term of seven days.
        Office::Tryton { url, password, .. } => {
            (ErpKind::Tryton, url, password, format!("{ORDERS_TO_TRYTON}\"Net 7\" = \"Direct\"\n"))
        }
        // Its section is written over below.
        Office::Medusa { url, key, .. } => (ErpKind::Tryton, url, key, ORDERS_TO_MEDUSA.to_owned()),
    };
    let files = starting_configuration(InitOptions {
        shop_domain: SHOP_DOMAIN,
        erp,
        erp_url: Some(url),
        time_zone: Some("UTC"),
        now,
        random: &mut random,
        twin: true,
        access_token: Some(SecretString::from(at.access_token)),
        client_secret: Some(SecretString::from(at.client_secret)),
        erp_secret: Some(SecretString::from(secret)),
        mappings: vec![
            ("orders_to_erp.toml".to_owned(), orders),
            ("erp_to_shopify.toml".to_owned(), NUMBER_BACK.to_owned()),
        ],
    })?;
    if let Some(url) = postgres {
        let path = folder.join("secrets/postgres.url");
        std::fs::create_dir_all(folder.join("secrets"))?;
        let mut options = std::fs::OpenOptions::new();
        let mut opened = options.create(true).truncate(true).write(true).mode(0o600).open(&path)?;
        std::io::Write::write_all(&mut opened, url.as_bytes())?;
    }
    for file in files {
        let path = folder.join(&file.path);
        let parent = path.parent().context("a file has a folder")?;
        std::fs::create_dir_all(parent)?;
        let contents = if file.path.ends_with("tidegate.toml") {
            let shared = if postgres.is_some() { SHARED } else { "" };
            adapted(&file.contents, at, office)? + shared
        } else {
            file.contents
        };
        let mut options = std::fs::OpenOptions::new();
        let mut opened = options.create(true).truncate(true).write(true).mode(file.mode).open(&path)?;
        std::io::Write::write_all(&mut opened, contents.as_bytes())
            .with_context(|| format!("{} cannot be written", path.display()))?;
    }
    Ok(())
}

/// Each replacement has to find its place: a starting configuration that was reworded is not passed over in silence.
fn adapted(text: &str, at: &Addresses<'_>, office: &Office<'_>) -> anyhow::Result<String> {
    let listen = at.hub.trim_start_matches("http://");
    let mut replacements = vec![
        ("listen = \"127.0.0.1:8080\"", format!("listen = \"{listen}\"\nlog_format = \"text\"")),
        ("public_url = \"http://127.0.0.1:8080\"", format!("public_url = \"{}\"", at.hub)),
        ("plan = \"plus\"", format!("plan = \"{}\"", at.plan.name())),
        ("admin_url = \"http://127.0.0.1:9001\"", format!("admin_url = \"{}\"", at.shop)),
    ];
    match *office {
        Office::Rest { by_look_up, .. } => {
            if by_look_up {
                let key = "idempotency = { header = \"Idempotency-Key\", lifetime = \"24h\" }";
                replacements.push((key, String::new()));
            }
            replacements.push(("request_timeout = \"20s\"", "request_timeout = \"2s\"".to_owned()));
            replacements.push(("lease = \"60s\"", "lease = \"10s\"".to_owned()));
            replacements.push(("settle_after = \"60s\"", "settle_after = \"3s\"".to_owned()));
            replacements.push(("mode = \"live\"", LIVE.to_owned()));
        }
        Office::Tryton { database, user, .. } => {
            replacements.push(("database = \"tryton\"", format!("database = \"{database}\"")));
            replacements.push(("user = \"tidegate\"", format!("user = \"{user}\"")));
            replacements
                .push(("settle_after = \"90s\"", "settle_after = \"35s\"\nconcurrency = 4".to_owned()));
            replacements.push(("mode = \"live\"", TRYTON_LIVE.to_owned()));
        }
        Office::Medusa { region, sales_channel, shipping_option, .. } => {
            replacements.push(("connector = \"tryton\"", "connector = \"medusa\"".to_owned()));
            replacements
                .push(("settle_after = \"90s\"", "settle_after = \"35s\"\nconcurrency = 2".to_owned()));
            replacements.push(("database = \"tryton\"", format!("region = \"{region}\"")));
            let sold =
                format!("sales_channel = \"{sales_channel}\"\nshipping_option = \"{shipping_option}\"");
            replacements.push(("user = \"tidegate\"", sold));
            replacements.push(("password = ", "api_key = ".to_owned()));
            replacements.push(("mode = \"live\"", MEDUSA_LIVE.to_owned()));
        }
    }
    let mut text = text.to_owned();
    for (from, to) in replacements {
        anyhow::ensure!(text.contains(from), "the starting configuration has no line {from:?}");
        text = text.replacen(from, &to, 1);
    }
    let patient = matches!(office, Office::Tryton { .. } | Office::Medusa { .. });
    Ok(text + WAITS + if patient { PATIENCE } else { "" })
}
