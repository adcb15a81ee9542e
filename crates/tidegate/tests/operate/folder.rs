//! A hub's folder as `tidegate init` would write it, for the look-alikes on this machine; and the binary in it.

use config::{ErpKind, InitOptions, starting_configuration};
use jiff::Timestamp;
use secrecy::SecretString;
use serde_json::Value;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use tempfile::TempDir;

const ORDERS: &str = include_str!("../../../../mappings/orders_to_http_erp.toml");
const NUMBER_BACK: &str = include_str!("../../../../mappings/erp_number_to_shopify.toml");

pub(crate) struct Folder {
    dir: TempDir,
}

/// What a command said, and how it ended.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) out: String,
    pub(crate) err: String,
    pub(crate) code: Option<i32>,
}

impl Said {
    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.code, Some(0), "{self:?}");
        // One object and nothing else: whatever stands beside it is no JSON.
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// As it would be read by a person: refused with this code, in a text that holds all of these.
    pub(crate) fn refused(&self, code: i32, with: &[&str]) {
        assert_eq!(self.code, Some(code), "{self:?}");
        assert_eq!(self.out, "", "what went wrong is told on standard error");
        for text in with {
            assert!(self.err.contains(text), "{text:?} is missing: {}", self.err);
        }
    }
}

impl Folder {
    pub(crate) fn new() -> Self {
        // Nobody listens there: what is asked of either fails at once.
        Self::between("http://127.0.0.1:9", "http://127.0.0.1:9")
    }

    /// For a shop and an ERP at these addresses.
    pub(crate) fn between(shop: &str, erp: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut next = 0u8;
        let mut bytes = |buffer: &mut [u8]| {
            for byte in buffer {
                next = next.wrapping_add(37);
                *byte = next;
            }
        };
        let files = starting_configuration(InitOptions {
            shop_domain: "acme.myshopify.com",
            erp: ErpKind::Http,
            erp_url: Some(erp),
            time_zone: Some("UTC"),
            now: "2026-11-01T00:00:00Z".parse::<Timestamp>().unwrap(),
            random: &mut bytes,
            twin: true,
            access_token: Some(SecretString::from("shpat_test")),
            client_secret: Some(SecretString::from("hush")),
            erp_secret: Some(SecretString::from("erp")),
            mappings: vec![
                ("orders_to_erp.toml".to_owned(), ORDERS.to_owned()),
                ("erp_to_shopify.toml".to_owned(), NUMBER_BACK.to_owned()),
            ],
        })
        .unwrap();
        for file in files {
            let path = dir.path().join(&file.path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            let contents = file.contents.replace("http://127.0.0.1:9001", shop);
            let mut opened = std::fs::OpenOptions::new()
                .create(true)
                .write(true)
                .truncate(true)
                .mode(file.mode)
                .open(path)
                .unwrap();
            std::io::Write::write_all(&mut opened, contents.as_bytes()).unwrap();
        }
        Self { dir }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// The binary in this folder, as a user called ada.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tidegate"));
        command.current_dir(self.dir.path()).args(args).stdin(Stdio::null());
        let known: Vec<String> =
            std::env::vars().map(|(name, _)| name).filter(|name| name.starts_with("TIDEGATE")).collect();
        for name in known.iter().map(String::as_str).chain(["SUDO_USER", "COLUMNS"]) {
            command.env_remove(name);
        }
        command.env("USER", "ada");
        command
    }

    pub(crate) fn tidegate(&self, args: &[&str]) -> Said {
        let output = self.command(args).output().unwrap();
        Said {
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
            code: output.status.code(),
        }
    }

    pub(crate) fn json(&self, args: &[&str]) -> Value {
        self.tidegate(&[args, &["--json"]].concat()).json()
    }
}
