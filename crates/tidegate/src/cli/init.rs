//! `tidegate init`: writes a commented starting configuration with its mappings and local secrets. Never over a file
//! that is there.

use super::operate::page;
use super::{Common, Failure, say};
use anyhow::Context as _;
use config::{ErpKind, InitFile, InitOptions, starting_configuration};
use kernel::clock::Clock as _;
use secrecy::SecretString;
use serde_json::json;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

const EXAMPLES: &str = "\
Examples:
  tidegate init my-hub --shop acme.myshopify.com --erp http
  tidegate init my-hub --shop acme.myshopify.com --erp tryton --erp-url https://tryton.example --time-zone Europe/Amsterdam
  tidegate init my-hub --shop acme.myshopify.com --access-token-file ~/shop.token --erp-secret-file ~/erp.token
  tidegate init play --shop acme.myshopify.com --twin        against `tidegate twin shopify` and `tidegate twin erp`

A secret that is not given in a file is taken from the environment when the hub starts: SHOPIFY_ACCESS_TOKEN and
ERP_SECRET. The master key, the admin token and a first client secret are made here, readable by you alone. Without
--erp-url an ERP of kind http is the look-alike on this machine, whose token is known.";

/// Writes a commented starting configuration, Shopify to ERP, that passes `check` and runs
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The folder to write to
    dir: PathBuf,
    /// The shop's permanent domain
    #[arg(long, value_name = "DOMAIN")]
    shop: String,
    /// What kind of ERP
    #[arg(long, value_enum, default_value_t = Erp::Http)]
    erp: Erp,
    /// Where the ERP is; without it on this machine, where with http `tidegate twin erp` plays it
    #[arg(long, value_name = "URL")]
    erp_url: Option<String>,
    /// The shop's IANA time zone; without it, UTC
    #[arg(long, value_name = "ZONE")]
    time_zone: Option<String>,
    /// For the look-alikes on this machine: nothing else is needed
    #[arg(long)]
    twin: bool,
    /// Holds the shop's Admin API access token
    #[arg(long, value_name = "FILE")]
    access_token_file: Option<PathBuf>,
    /// Holds the app's client secret, which signs the webhooks
    #[arg(long, value_name = "FILE")]
    client_secret_file: Option<PathBuf>,
    /// Holds the ERP's token or password
    #[arg(long, value_name = "FILE")]
    erp_secret_file: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Erp {
    /// Any system with a REST API
    Http,
    /// Tryton 8.0
    Tryton,
}

impl Args {
    /// The ERP is the one that `tidegate twin erp` plays on this machine.
    fn looks_alike(&self) -> bool {
        self.erp == Erp::Http && (self.erp_url.is_none() || self.twin)
    }
}

const TO_HTTP: &str = include_str!("../../../../mappings/orders_to_http_erp.toml");
const TO_TRYTON: &str = include_str!("../../../../mappings/orders_to_tryton.toml");
const NUMBER_BACK: &str = include_str!("../../../../mappings/erp_number_to_shopify.toml");
/// What the look-alikes take where nothing else is said.
const TWIN_ACCESS_TOKEN: &str = "shpat_twin";
const TWIN_CLIENT_SECRET: &str = "hush";
const TWIN_ERP_TOKEN: &str = "erp-twin-token";

pub fn run(common: &Common, args: &Args) -> Result<(), Failure> {
    if args.twin && args.erp == Erp::Tryton {
        let text = "--twin: no look-alike plays Tryton; leave --erp out, or name a real one without --twin";
        return Err(Failure::Usage(text.to_owned()));
    }
    let given = |file: &Option<PathBuf>, twin: Option<&str>| -> anyhow::Result<Option<SecretString>> {
        match file {
            Some(file) => read_secret(file).map(Some),
            None => Ok(twin.map(SecretString::from)),
        }
    };
    let shop = |secret| args.twin.then_some(secret);
    let mut filled = Ok(());
    let mut random = |bytes: &mut [u8]| {
        if let Err(error) = getrandom::fill(bytes) {
            filled = Err(anyhow::anyhow!("the system gives no random bytes: {error}"));
        }
    };
    let (erp, orders) = match args.erp {
        Erp::Http => (ErpKind::Http, TO_HTTP),
        Erp::Tryton => (ErpKind::Tryton, TO_TRYTON),
    };
    let mut files = starting_configuration(InitOptions {
        shop_domain: &args.shop,
        erp,
        erp_url: args.erp_url.as_deref(),
        time_zone: args.time_zone.as_deref(),
        now: crate::wiring::clock::SystemClock::new().now().wall,
        random: &mut random,
        twin: args.twin,
        access_token: given(&args.access_token_file, shop(TWIN_ACCESS_TOKEN))?,
        client_secret: given(&args.client_secret_file, shop(TWIN_CLIENT_SECRET))?,
        erp_secret: given(&args.erp_secret_file, args.looks_alike().then_some(TWIN_ERP_TOKEN))?,
        mappings: vec![
            ("orders_to_erp.toml".to_owned(), orders.to_owned()),
            ("erp_to_shopify.toml".to_owned(), NUMBER_BACK.to_owned()),
        ],
    })
    .map_err(|error| Failure::Usage(error.to_string()))?;
    filled?;
    files.push(InitFile {
        path: PathBuf::from(".gitignore"),
        contents: "# Secrets and the database never belong into a repository.\n/secrets/\n/data/\n"
            .to_owned(),
        mode: 0o644,
    });
    if let Some(there) = files.iter().map(|file| args.dir.join(&file.path)).find(|path| path.exists()) {
        let text =
            format!("{} is there already, and nothing is written over: name another folder", there.display());
        return Err(Failure::Failed(anyhow::anyhow!(text)));
    }
    let mut written = Vec::new();
    for file in &files {
        let path = args.dir.join(&file.path);
        write(&path, &file.contents, file.mode)?;
        written.push(path);
    }
    told(common, args, &written);
    Ok(())
}

fn read_secret(file: &Path) -> anyhow::Result<SecretString> {
    let text = std::fs::read_to_string(file).with_context(|| format!("{} cannot be read", file.display()))?;
    anyhow::ensure!(!text.trim().is_empty(), "{} is empty", file.display());
    Ok(SecretString::from(text.trim()))
}

fn write(path: &Path, contents: &str, mode: u32) -> anyhow::Result<()> {
    let parent = path.parent().context("a file has a folder")?;
    std::fs::create_dir_all(parent).with_context(|| format!("{} cannot be made", parent.display()))?;
    let mut options = std::fs::OpenOptions::new();
    let file = options.create_new(true).write(true).mode(mode).open(path);
    file.and_then(|mut file| file.write_all(contents.as_bytes()))
        .with_context(|| format!("{} cannot be written", path.display()))
}

fn told(common: &Common, args: &Args, written: &[PathBuf]) {
    let next = next(args);
    if common.json {
        page::json(&json!({ "written": written, "next": next }));
        return;
    }
    for path in written {
        say::out(format_args!("wrote {}\n", path.display()));
    }
    say::out(format_args!("\nNext:\n  {}\n", next.join("\n  ")));
}

/// What is to be typed, line by line, with its reason behind it.
fn next(args: &Args) -> Vec<String> {
    let mut next: Vec<(String, &str)> = Vec::new();
    let mut then = |command: &str, why| next.push((command.to_owned(), why));
    if args.twin {
        then("tidegate twin shopify", "plays the shop, in another terminal");
    } else if args.access_token_file.is_none() {
        then("export SHOPIFY_ACCESS_TOKEN=…", "the shop's Admin API access token");
    }
    if args.looks_alike() {
        then("tidegate twin erp", "plays the ERP, in another terminal");
    } else if args.erp_secret_file.is_none() {
        then("export ERP_SECRET=…", "the ERP's token or password");
    }
    then(&format!("cd {}", args.dir.display()), "");
    then("tidegate check", "what would flow, and what is wrong");
    then("tidegate doctor", "also tries each system");
    then("tidegate run", "until Ctrl-C");
    let wide = next.iter().map(|(command, _)| command.chars().count()).max().unwrap_or_default();
    let line = |(command, why): (String, &str)| match why {
        "" => command,
        why => format!("{command:<wide$}  # {why}"),
    };
    next.into_iter().map(line).collect()
}
