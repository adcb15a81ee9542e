//! The connection's settings, what the connector declares, and the schema of what it takes.

use super::tags;
use connector::descriptor::{
    Becomes, Descriptor, Direction, OrderAbilities, Service, Setting, SettingKind, UnknownAnswer,
};
use connector::settings::{Secrets, Section, Settings};
use std::collections::BTreeSet;
use std::time::Duration;

/// What a mapping into Shopify names.
pub const SCHEMA_NAME: &str = "shopify.order_write_back/1";
/// Its JSON Schema.
pub const SCHEMA: &str = include_str!("../../schemas/order_write_back.schema.json");
/// What Shopify gives as a source: the canonical order.
const SOURCE_SCHEMA: &str = "order/1";
/// What was given back of one.
const REFUND_SCHEMA: &str = "refund/1";
/// And what was paid.
const PAYMENT_SCHEMA: &str = "payment/1";

/// `[systems.shopify.connection]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Config {
    pub(super) namespace: String,
    pub(super) number: String,
    pub(super) state: String,
    /// What the state's tag begins with; absent: none is set.
    pub(super) state_tag: Option<String>,
}

/// Only this app can write there, and no other app reads it.
pub(crate) const NAMESPACE: &str = "$app:tidegate";
const NUMBER: &str = "erp_number";
const STATE: &str = "erp_state";

impl Config {
    pub(crate) fn read(at: &Section<'_>) -> Self {
        let config = Self {
            namespace: name(at, "namespace", NAMESPACE, 3..=255),
            number: name(at, "number_key", NUMBER, 2..=64),
            state: name(at, "state_key", STATE, 2..=64),
            state_tag: at.text("state_tag"),
        };
        if let Some(beginning) = &config.state_tag {
            check_tag(at, beginning);
        }
        if config.number == config.state {
            at.problem("state_key", "must be another than number_key");
        }
        config
    }
}

/// A beginning by which our tags are told from others', with room for a state.
fn check_tag(at: &Section<'_>, beginning: &str) {
    let most = tags::TAG_CHARS_MAX / 2;
    let good = beginning.starts_with(tags::OWN)
        && beginning.len() > tags::OWN.len()
        && beginning.chars().count() <= most
        && !beginning.contains(',')
        && !beginning.starts_with(char::is_whitespace);
    if !good {
        at.problem(
            "state_tag",
            format!(
                "must begin with \"{}\", go on (\"{}:\"), hold no comma and be at most {most} characters: by that our \
                 own tags are left out of the order that is exported",
                tags::OWN,
                tags::OWN
            ),
        );
    }
}

/// Shopify's own bounds for namespaces and keys (shopify.dev: metafields).
fn name(at: &Section<'_>, key: &str, default: &str, length: std::ops::RangeInclusive<usize>) -> String {
    let name = at.text(key).unwrap_or_else(|| default.to_owned());
    let plain = name.strip_prefix("$app:").filter(|_| key == "namespace").unwrap_or(&name);
    let good = plain.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    if !good || plain.is_empty() || !length.contains(&name.len()) {
        let (least, most) = (length.start(), length.end());
        let app = if key == "namespace" { ", after \"$app:\" where only this app may write" } else { "" };
        at.problem(key, format!("must be {least} to {most} of a-z, A-Z, 0-9, '-' and '_'{app}"));
    }
    name
}

/// What it can do with these settings, or all that is wrong with them. Makes no call and needs no secret.
pub fn describe(settings: &Settings) -> Result<Descriptor, Vec<String>> {
    settings.read(Secrets::Referred, Config::read).map(|_| descriptor())
}

pub(crate) fn descriptor() -> Descriptor {
    let service = |direction, schema: &str| Service {
        domain: "orders".to_owned(),
        direction,
        schema: schema.to_owned(),
    };
    let ticket = || BTreeSet::from([Becomes::Ticket]);
    Descriptor {
        kind: "shopify".to_owned(),
        title: "Shopify, Admin GraphQL API".to_owned(),
        services: vec![
            service(Direction::Source, SOURCE_SCHEMA),
            service(Direction::Source, REFUND_SCHEMA),
            service(Direction::Source, PAYMENT_SCHEMA),
            service(Direction::Target, SCHEMA_NAME),
        ],
        // Metafields are read by the order's id: what was written is there at once.
        unknown: UnknownAnswer::LookUp { lag: Duration::ZERO },
        health: true,
        // The order has one set of these fields, and the write is absolute: there is nothing to double.
        observe_first: false,
        resolves_references: false,
        tells_changes: false,
        tells_whole: false,
        reads_states: false,
        only_changes: false,
        orders: OrderAbilities {
            address: ticket(),
            line: ticket(),
            cancel: ticket(),
            ..OrderAbilities::default()
        },
        settings: SETTINGS.to_vec(),
    }
}

const SETTINGS: &[Setting] = &[
    Setting {
        name: "namespace",
        kind: SettingKind::Text,
        required: false,
        default: Some(NAMESPACE),
        meaning: "The metafields' namespace. One that begins with $app: belongs to this app alone; any other is \
                  open to all apps and to the admin.",
        example: "custom",
    },
    Setting {
        name: "number_key",
        kind: SettingKind::Text,
        required: false,
        default: Some(NUMBER),
        meaning: "The metafield that holds the ERP's number.",
        example: "erp_number",
    },
    Setting {
        name: "state_key",
        kind: SettingKind::Text,
        required: false,
        default: Some(STATE),
        meaning: "The metafield that holds the ERP's state.",
        example: "erp_state",
    },
    Setting {
        name: "state_tag",
        kind: SettingKind::Text,
        required: false,
        default: None,
        meaning: "Shows the ERP's state as a tag of the order too: this beginning, which starts with tidegate, and the \
                  state. The former state's tag is taken off. Absent: no tags.",
        example: "tidegate:",
    },
];
