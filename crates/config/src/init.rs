//! What `tidegate init` writes: a commented starting configuration for Shopify → ERP that passes `check` and runs,
//! its local secrets, and the mappings. Makes contents only; the binary writes them, and never over a file that is
//! there.

use crate::secret::SecretRef;
use crate::shops::ShopDomain;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use kernel::id::ShopId;
use secrecy::{ExposeSecret, SecretString};
use std::fmt;
use std::path::PathBuf;

const HEAD: &str = include_str!("init/head.toml");
const FLOWS: &str = include_str!("init/flows.toml");
const HTTP: &str = include_str!("init/http.toml");
const TRYTON: &str = include_str!("init/tryton.toml");

/// Which ERP the starting configuration is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErpKind {
    Http,
    Tryton,
}

/// What the starting configuration is made from.
pub struct InitOptions<'a> {
    /// `acme.myshopify.com`.
    pub shop_domain: &'a str,
    pub erp: ErpKind,
    /// Where the ERP is; absent, where it would be on this machine.
    pub erp_url: Option<&'a str>,
    /// The shop's zone; absent, UTC with a comment.
    pub time_zone: Option<&'a str>,
    /// Becomes `go_live_at`.
    pub now: Timestamp,
    /// Fills a buffer with random bytes of the operating system.
    pub random: &'a mut dyn FnMut(&mut [u8]),
    /// Against the look-alikes on this machine: nothing else is needed.
    pub twin: bool,
    /// What the user gave, or what the look-alikes take. What is absent is taken from the environment when the hub
    /// starts; against the look-alikes it is made up.
    pub access_token: Option<SecretString>,
    pub client_secret: Option<SecretString>,
    pub erp_secret: Option<SecretString>,
    /// Mapping files to lie beside, by name: `orders_to_erp.toml` and `erp_to_shopify.toml` are what the flows name.
    pub mappings: Vec<(String, String)>,
}

impl fmt::Debug for InitOptions<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("InitOptions");
        shown.field("shop_domain", &self.shop_domain).field("erp", &self.erp).field("twin", &self.twin);
        shown.finish_non_exhaustive()
    }
}

/// A file to be written, below the folder that the user named.
#[derive(Clone, PartialEq, Eq)]
pub struct InitFile {
    pub path: PathBuf,
    pub contents: String,
    /// Its mode on Unix: 0600 for secrets.
    pub mode: u32,
}

impl fmt::Debug for InitFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("InitFile");
        shown
            .field("path", &self.path)
            .field("mode", &format_args!("{:o}", self.mode))
            .finish_non_exhaustive()
    }
}

/// Why no configuration was made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InitError {
    #[error(
        "{0:?} is not a shop's permanent domain: write it as acme.myshopify.com (Settings, Domains shows it)"
    )]
    ShopDomain(String),
    #[error("{0:?} is not a time zone: write its IANA name, as in Europe/Amsterdam")]
    TimeZone(String),
    #[error("{0:?} is not a URL: write http:// or https:// and a host")]
    Url(String),
}

/// Makes all files. The folder holds `tidegate.toml`, `mappings/` and `secrets/`; the hub adds `data/`.
pub fn starting_configuration(options: InitOptions<'_>) -> Result<Vec<InitFile>, InitError> {
    let domain = ShopDomain::parse(options.shop_domain)
        .ok_or_else(|| InitError::ShopDomain(options.shop_domain.to_owned()))?;
    let zone = options.time_zone.unwrap_or("UTC");
    TimeZone::get(zone).map_err(|_| InitError::TimeZone(zone.to_owned()))?;
    let erp_url = options.erp_url.unwrap_or(match options.erp {
        ErpKind::Http => "http://127.0.0.1:9002",
        ErpKind::Tryton => "http://127.0.0.1:8000",
    });
    crate::net::BaseUrl::parse(erp_url).ok_or_else(|| InitError::Url(erp_url.to_owned()))?;

    let mut secrets = Secrets { random: options.random, files: Vec::new() };
    let master_key = secrets.local("master.key", None);
    let admin_token = secrets.local("admin.token", None);
    // Until the app's own is put there, nobody can sign: a webhook is refused, and the sweep does not need it.
    let client_secret = secrets.local("client_secret", options.client_secret.as_ref());
    let access_token =
        secrets.given("access_token", "SHOPIFY_ACCESS_TOKEN", options.access_token.as_ref(), options.twin);
    let erp_secret = secrets.given("erp.secret", "ERP_SECRET", options.erp_secret.as_ref(), options.twin);

    let erp = match options.erp {
        ErpKind::Http => HTTP,
        ErpKind::Tryton => TRYTON,
    };
    let shop = shop_name(&domain);
    // Whole seconds are enough, and read better.
    let go_live_at = Timestamp::from_second(options.now.as_second()).unwrap_or(options.now).to_string();
    let (public_url, admin_url) = if options.twin {
        ("public_url = \"http://127.0.0.1:8080\"", "admin_url = \"http://127.0.0.1:9001\"")
    } else {
        ("# public_url = \"https://hub.example.com\"", "# admin_url = \"http://127.0.0.1:9001\"")
    };
    let text = [HEAD, erp, FLOWS].concat();
    let text = [
        ("{shop}", shop.as_str()),
        ("{shop_domain}", domain.as_str()),
        ("{time_zone}", zone),
        ("{go_live_at}", &go_live_at),
        ("{public_url}", public_url),
        ("{admin_url}", admin_url),
        // The look-alike's own, unless it is told otherwise.
        ("{plan}", if options.twin { "plus" } else { "standard" }),
        ("{erp_url}", erp_url),
        ("{master_key}", &master_key.to_string()),
        ("{admin_token}", &admin_token.to_string()),
        ("{client_secret}", &client_secret.to_string()),
        ("{access_token}", &access_token.to_string()),
        ("{erp_secret}", &erp_secret.to_string()),
    ]
    .into_iter()
    .fold(text, |text, (name, value)| text.replace(name, value));

    let mut files = vec![InitFile { path: PathBuf::from("tidegate.toml"), contents: text, mode: 0o644 }];
    files.append(&mut secrets.files);
    for (name, contents) in options.mappings {
        files.push(InitFile { path: PathBuf::from("mappings").join(name), contents, mode: 0o644 });
    }
    Ok(files)
}

/// What the hub calls the shop: the first part of its domain, if that is a name.
fn shop_name(domain: &ShopDomain) -> String {
    let label = domain.as_str().split('.').next().unwrap_or("shop");
    if ShopId::new(label).is_ok() {
        label.to_owned()
    } else {
        format!("shop-{label}").chars().take(64).collect()
    }
}

struct Secrets<'a> {
    random: &'a mut dyn FnMut(&mut [u8]),
    files: Vec<InitFile>,
}

impl Secrets<'_> {
    /// A file with what was given, or with 32 random bytes in hexadecimal.
    fn local(&mut self, name: &str, given: Option<&SecretString>) -> SecretRef {
        let contents = match given {
            Some(secret) => format!("{}\n", secret.expose_secret()),
            None => {
                let mut bytes = [0u8; 32];
                (self.random)(&mut bytes);
                let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
                hex + "\n"
            }
        };
        let path = PathBuf::from("secrets").join(name);
        self.files.push(InitFile { path: path.clone(), contents, mode: 0o600 });
        SecretRef::File(path)
    }

    /// A file with what was given; else a variable that the user sets. The look-alikes take any secret.
    fn given(&mut self, name: &str, variable: &str, given: Option<&SecretString>, twin: bool) -> SecretRef {
        if given.is_some() || twin { self.local(name, given) } else { SecretRef::Env(variable.to_owned()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::Config;
    use std::collections::{BTreeMap, BTreeSet};
    use std::path::Path;

    fn made(erp: ErpKind, twin: bool, token: Option<&str>) -> Vec<InitFile> {
        let mut next = 0u8;
        let mut random = |bytes: &mut [u8]| {
            for byte in bytes {
                next = next.wrapping_add(1);
                *byte = next;
            }
        };
        let options = InitOptions {
            shop_domain: "Acme-2.myshopify.com",
            erp,
            erp_url: None,
            time_zone: Some("Europe/Amsterdam"),
            now: "2026-11-24T10:11:12.345Z".parse().unwrap(),
            random: &mut random,
            twin,
            access_token: token.map(SecretString::from),
            client_secret: None,
            erp_secret: None,
            mappings: vec![("orders_to_erp.toml".into(), "x".into())],
        };
        starting_configuration(options).unwrap()
    }

    #[test]
    fn what_is_made_loads_without_a_finding() {
        for (erp, twin) in
            [(ErpKind::Http, false), (ErpKind::Http, true), (ErpKind::Tryton, false), (ErpKind::Tryton, true)]
        {
            let files = made(erp, twin, None);
            let reading =
                Config::from_text("t.toml", &files[0].contents, Path::new("/etc/tg"), &BTreeMap::new(), &[]);
            assert!(reading.findings.is_empty(), "{}", crate::render(&reading.findings));
            for open in
                ["{shop", "{time", "{go_", "{public", "{admin", "{erp", "{master", "{client", "{access"]
            {
                assert!(!files[0].contents.contains(open), "{open} was not filled in");
            }
            let config = reading.config;
            assert_eq!(config.shops.keys().next().unwrap().as_str(), "acme-2");
            let flow = config.flows.values().find(|flow| flow.exports_orders()).unwrap();
            assert_eq!(flow.orders.go_live_at.as_ref().unwrap().value.to_string(), "2026-11-24T10:11:12Z");
            let hub = config.hub().unwrap();
            let key = hub.master_key.path(&config.base_dir).unwrap();
            assert!(!key.starts_with(config.base_dir.join("data")), "{key:?}");
        }
    }

    #[test]
    fn secrets_are_files_of_their_own_with_mode_0600_and_all_different() {
        let files = made(ErpKind::Http, true, Some("a-token"));
        let secrets: Vec<&InitFile> = files.iter().filter(|file| file.path.starts_with("secrets")).collect();
        assert_eq!(secrets.len(), 5);
        assert!(secrets.iter().all(|file| file.mode == 0o600));
        assert_eq!(secrets.iter().map(|file| &file.contents).collect::<BTreeSet<_>>().len(), 5);
        for file in &secrets {
            assert!(
                !files[0].contents.contains(file.contents.trim()),
                "{file:?} stands in the configuration"
            );
            assert!(!format!("{file:?}").contains(file.contents.trim()));
        }
        let key = secrets.iter().find(|file| file.path.ends_with("master.key")).unwrap();
        assert_eq!(key.contents.trim().len(), 64);
        let token = secrets.iter().find(|file| file.path.ends_with("access_token")).unwrap();
        assert_eq!(token.contents, "a-token\n");
    }

    #[test]
    fn what_was_not_given_is_asked_of_the_environment() {
        let files = made(ErpKind::Tryton, false, None);
        assert!(files[0].contents.contains("access_token = \"env:SHOPIFY_ACCESS_TOKEN\""));
        assert!(files.iter().all(|file| !file.path.ends_with("access_token")));
    }

    #[test]
    fn a_domain_that_is_none_is_refused() {
        let mut random = |_: &mut [u8]| {};
        let options = InitOptions {
            shop_domain: "https://acme.com",
            erp: ErpKind::Http,
            erp_url: None,
            time_zone: None,
            now: Timestamp::UNIX_EPOCH,
            random: &mut random,
            twin: false,
            access_token: None,
            client_secret: None,
            erp_secret: None,
            mappings: Vec::new(),
        };
        assert_eq!(starting_configuration(options), Err(InitError::ShopDomain("https://acme.com".into())));
    }
}
