//! `[apps.NAME]`: Shopify apps: what signs their webhooks and what they may do.

use crate::code::Code;
use crate::finding::Finding;
use crate::key::Key;
use crate::reader::{Reading, Section};
use crate::secret::SecretRef;
use crate::source::{Origin, Setting};
use crate::tree::Node;
use crate::value::{Value, text};

pub(crate) const KEYS: &[Key] = &[
    Key::optional(
        "client_id",
        "text",
        "The app's client id. With it a shop needs no `access_token`: tokens of a day are asked for by id and secret (client credentials grant), which Shopify gives an app of the store's own organisation.",
        "\"1a2b3c4d5e6f7a8b9c0d1e2f3a4b5c6d\"",
    ),
    Key::required(
        "client_secret",
        "secret",
        "The app's client secret: it signs the webhooks.",
        "\"env:SHOPIFY_CLIENT_SECRET\"",
    ),
    Key::optional(
        "previous_client_secret",
        "secret",
        "The former client secret, while it is rotated: Shopify may sign with it for an hour more.",
        "\"file:../secrets/client_secret.previous\"",
    ),
    Key::with(
        "api_version",
        "API version",
        "\"2026-10\"",
        "The version of Shopify's Admin API. One is supported for at least twelve months.",
        "\"2026-10\"",
    ),
    Key::required(
        "scopes",
        "list of texts",
        "The access scopes that the app was granted. `tidegate check` says which are needed, and for what.",
        "[\"read_orders\", \"write_orders\"]",
    ),
];

/// `[apps.NAME]`.
#[derive(Debug, Clone, PartialEq)]
pub struct App {
    pub at: Origin,
    pub client_id: Option<Setting<String>>,
    pub client_secret: Setting<SecretRef>,
    pub previous_client_secret: Option<Setting<SecretRef>>,
    pub api_version: Setting<ApiVersion>,
    pub scopes: Setting<Vec<Setting<String>>>,
}

/// A release of Shopify's Admin API, `2026-10`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ApiVersion(String);

impl ApiVersion {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Value for ApiVersion {
    const KIND: &'static str = "API version";
    fn read(node: &Node, key: &str, reading: &mut Reading) -> Option<Self> {
        let help = "write year and month of a release: January, April, July or October, as in \"2026-10\"";
        let written = text(node, key, reading, "an API version", help)?;
        let good = written.split_once('-').is_some_and(|(year, month)| {
            year.len() == 4
                && year.bytes().all(|b| b.is_ascii_digit())
                && ["01", "04", "07", "10"].contains(&month)
        });
        if good {
            return Some(Self(written));
        }
        let message = format!("{written:?} is not an API version");
        reading.finding(Finding::new(Code::Value, &node.origin, message, help).key(key));
        None
    }
}

pub(crate) fn read(mut section: Section<'_>) -> Option<App> {
    let client_id = section.optional("client_id");
    let (client_secret, previous_client_secret) =
        (section.required("client_secret"), section.optional("previous_client_secret"));
    let (api_version, scopes) = (section.with_default("api_version"), section.required("scopes"));
    Some(App {
        at: section.at.clone(),
        client_id,
        client_secret: client_secret?,
        previous_client_secret,
        api_version: api_version?,
        scopes: scopes?,
    })
}
