//! The worked examples of docs/connectors/http.md, read from the page itself.

use crate::page;
use connector::settings::Settings;
use secrecy::SecretString;
use serde_json::Value;
use std::collections::BTreeMap;

pub(super) const FIRST: &str = "<!-- example: idempotency key -->";
pub(super) const SECOND: &str = "<!-- example: look-up only -->";

/// The connection of one example.
#[derive(Debug, Clone)]
pub(super) struct Example {
    pub(super) connection: BTreeMap<String, Value>,
}

impl Example {
    pub(super) fn read(mark: &str) -> Self {
        let text = page::text("http");
        let after = text.split_once(mark).expect("the page has this example").1;
        Self { connection: page::example(after, "http") }
    }

    pub(super) fn without(mut self, key: &str) -> Self {
        self.connection.remove(key).expect("the example has this setting");
        self
    }

    pub(super) fn with(mut self, key: &str, value: Value) -> Self {
        self.connection.insert(key.to_owned(), value);
        self
    }

    /// At another place, each of its secrets being this one.
    pub(super) fn settings(&self, url: &str, secret: &str) -> Settings {
        let mut connection = self.connection.clone();
        connection.insert("url".to_owned(), Value::String(url.to_owned()));
        let secrets = Settings::references(&connection)
            .into_keys()
            .map(|key| (key, SecretString::from(secret.to_owned())))
            .collect();
        Settings::new(connection, secrets)
    }
}
