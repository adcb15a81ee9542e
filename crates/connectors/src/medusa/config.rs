//! The connection of the `medusa` connector, read and checked. Owns its settings and what each means; makes no call.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use connector::connection::{self, ALLOW_PRIVATE, CONNECT_TIME_OUT, answer_bytes_max, read_time_out};
use connector::descriptor::{SettingKind, SettingRow};
use connector::outbound::{Auth, OutboundConfig};
use connector::settings::{Secrets, Section, Settings};
use secrecy::{ExposeSecret as _, SecretString};
use std::collections::BTreeMap;

#[derive(Debug, Clone)]
pub(super) struct Config {
    pub(super) outbound: OutboundConfig,
    /// Ids of Medusa: where an order is sold, through what, and how it is sent.
    pub(super) region: String,
    pub(super) sales_channel: String,
    pub(super) shipping_option: String,
    /// What a location is called here, and its id there. None: it is asked for neither stock nor shipments.
    pub(super) locations: BTreeMap<String, String>,
    pub(super) ships_when: ShipsWhen,
}

/// From when on a fulfilment of Medusa is a shipment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ShipsWhen {
    Shipped,
    Packed,
}

impl Config {
    pub(super) fn read(settings: &Settings, secrets: Secrets) -> Result<Self, Vec<String>> {
        settings.read(secrets, |at| {
            let config = Self {
                outbound: outbound(at),
                region: id(at, "region", "reg_"),
                sales_channel: id(at, "sales_channel", "sc_"),
                shipping_option: id(at, "shipping_option", "so_"),
                locations: at.table_of_texts("locations"),
                ships_when: ships_when(at),
            };
            let mut seen = Vec::new();
            for (name, location) in &config.locations {
                if !location.starts_with("sloc_") || seen.contains(&location) {
                    at.problem(
                        "locations",
                        format!("{name} is {location:?}: each is an id of its own, sloc_…"),
                    );
                }
                seen.push(location);
            }
            config
        })
    }

    /// For stock and shipments.
    pub(super) fn is_asked(&self) -> bool {
        !self.locations.is_empty()
    }

    /// What a location is called here; `None`: it is none of ours.
    pub(super) fn called(&self, location: &str) -> Option<&str> {
        self.locations.iter().find(|(_, id)| *id == location).map(|(name, _)| name.as_str())
    }
}

fn outbound(at: &Section<'_>) -> OutboundConfig {
    // A secret API key is the user of HTTP basic, without a password.
    let key = STANDARD.encode(format!("{}:", at.secret("api_key").expose_secret()));
    let key = SecretString::from(format!("Basic {key}"));
    let base = OutboundConfig {
        auth: Auth::ApiKey { header: "authorization".to_owned(), key },
        read_time_out: std::time::Duration::from_secs(60),
        // Orders bring all their lines along, and a page of levels holds a thousand.
        answer_bytes_max: 4 * 1024 * 1024,
        ..OutboundConfig::new(at.required_text("url"))
    };
    let outbound = connection::read(at, base);
    connection::judge(at, &outbound);
    outbound
}

fn id(at: &Section<'_>, key: &str, begins: &str) -> String {
    let id = at.required_text(key);
    if !id.is_empty() && !id.starts_with(begins) {
        at.problem(key, format!("must be an id of Medusa that begins with {begins}"));
    }
    id
}

fn ships_when(at: &Section<'_>) -> ShipsWhen {
    match at.text("ships_when").as_deref() {
        None | Some("shipped") => ShipsWhen::Shipped,
        Some("packed") => ShipsWhen::Packed,
        Some(_) => {
            at.problem("ships_when", "must be shipped or packed");
            ShipsWhen::Shipped
        }
    }
}

pub(super) const SETTINGS: &[SettingRow] = &[
    ("url", SettingKind::Url, true, None, "Where Medusa is.", "https://medusa.example"),
    (
        "api_key",
        SettingKind::Secret,
        true,
        None,
        "A secret API key (Settings, Secret API keys). It does not expire.",
        "file:../secrets/medusa.key",
    ),
    ("region", SettingKind::Text, true, None, "The region that orders are sold in, by its id.", "reg_01J…"),
    (
        "sales_channel",
        SettingKind::Text,
        true,
        None,
        "The sales channel that orders come through, by its id.",
        "sc_01J…",
    ),
    (
        "shipping_option",
        SettingKind::Text,
        true,
        None,
        "How orders are sent, by its id. An order without one cannot be fulfilled there.",
        "so_01J…",
    ),
    (
        "locations",
        SettingKind::Table,
        false,
        None,
        "What each stock location is called in mappings, and its id. Absent: the system is not asked for stock or shipments.",
        "{ ROT = \"sloc_01J…\" }",
    ),
    (
        "ships_when",
        SettingKind::Text,
        false,
        Some("shipped"),
        "From when on a fulfilment is a shipment: shipped, or packed. What was shipped cannot be taken back in Medusa.",
        "packed",
    ),
    ALLOW_PRIVATE,
    CONNECT_TIME_OUT,
    read_time_out("60s", "30s"),
    answer_bytes_max("4194304"),
];
