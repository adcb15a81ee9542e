//! `[store]`: where the store is. Absent, it is the embedded one in `data_dir`; with a `url`, one PostgreSQL that any
//! number of nodes share.

use crate::code::Code;
use crate::finding::Finding;
use crate::key::Key;
use crate::reader::Section;
use crate::secret::SecretRef;
use crate::source::Setting;
use std::path::PathBuf;
use std::time::Duration;

pub(crate) const KEYS: &[Key] = &[
    Key::optional(
        "url",
        "secret",
        "The PostgreSQL that all nodes share: `postgres://user:password@host:port/database?sslmode=…`. Without it the store is embedded, in `data_dir`, for one node.",
        "\"env:TIDEGATE_PG\"",
    )
    .local(),
    Key::optional(
        "listen_url",
        "secret",
        "The server itself, where `url` is a pooler in transaction mode: one connection of each node listens there for the others.",
        "\"env:TIDEGATE_PG_DIRECT\"",
    )
    .local(),
    Key::optional(
        "ca_file",
        "path",
        "Certificates of the authorities that may vouch for the server. Without it, those of the operating system.",
        "\"postgres-ca.pem\"",
    )
    .local(),
    Key::with(
        "connections",
        "whole number",
        "8",
        "Connections of this node at most, beside the one that listens; at least 2.",
        "16",
    )
    .local(),
    Key::with(
        "statement_timeout",
        "duration",
        "\"10s\"",
        "A statement that takes longer is given up, as is the wait for a connection; the store is then unavailable and asked again.",
        "\"5s\"",
    )
    .local(),
    Key::with(
        "prepared_statements",
        "true or false",
        "true",
        "`false` for a pooler in transaction mode that knows no prepared statements: PgBouncer before 1.21, or with `max_prepared_statements = 0`.",
        "false",
    )
    .local(),
    Key::optional(
        "history_retention",
        "duration",
        "How long envelopes and attempts are kept. Without it, for ever; what prevents doubles is never dropped by age.",
        "\"730d\"",
    ),
];

/// `[store]` where it names a PostgreSQL.
#[derive(Debug, Clone, PartialEq)]
pub struct Postgres {
    pub url: Setting<SecretRef>,
    pub listen_url: Option<Setting<SecretRef>>,
    pub ca_file: Option<Setting<PathBuf>>,
    pub connections: Setting<u32>,
    pub statement_timeout: Setting<Duration>,
    pub prepared_statements: Setting<bool>,
    pub history_retention: Option<Setting<Duration>>,
}

/// One is not enough: a claim reads beside what it writes.
const CONNECTIONS_MIN: u32 = 2;

pub(crate) fn read(mut section: Section<'_>) -> Option<Postgres> {
    let url = section.optional::<SecretRef>("url");
    let listen_url = section.optional::<SecretRef>("listen_url");
    let ca_file = section.optional::<PathBuf>("ca_file");
    let connections = section.with_default::<u32>("connections");
    let statement_timeout = section.with_default("statement_timeout");
    let prepared_statements = section.with_default("prepared_statements");
    let history_retention = section.optional::<Duration>("history_retention");
    let few = connections.as_ref().filter(|setting| setting.value < CONNECTIONS_MIN);
    if let Some(few) = few {
        let message = format!("connections cannot be {}", few.value);
        let help = format!("write {CONNECTIONS_MIN} or more: a node reads beside what it writes");
        let finding = Finding::new(Code::Value, &few.origin, message, help);
        section.reading().finding(finding.key("store.connections"));
    }
    let Some(url) = url else {
        // Of use to a PostgreSQL alone; a url that was refused has its own finding.
        let useless = [
            ("listen_url", listen_url.map(|setting| setting.origin)),
            ("ca_file", ca_file.map(|setting| setting.origin)),
            ("history_retention", history_retention.map(|setting| setting.origin)),
        ];
        for (key, origin) in useless {
            if let Some(origin) = origin.filter(|_| section.entry("url").is_none()) {
                let message = format!("store.{key} is of no use without store.url");
                let help = "name the PostgreSQL in url, or leave the key out for the embedded store";
                let finding = Finding::new(Code::MissingKey, &origin, message, help);
                section.reading().finding(finding.key("store.url"));
            }
        }
        return None;
    };
    Some(Postgres {
        url,
        listen_url,
        ca_file,
        connections: connections?,
        statement_timeout: statement_timeout?,
        prepared_statements: prepared_statements?,
        history_retention,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::Config;
    use crate::render;
    use std::collections::BTreeMap;
    use std::path::Path;

    fn read(text: &str) -> (Option<Postgres>, String) {
        let reading = Config::from_text("tidegate.toml", text, Path::new("/etc/tg"), &BTreeMap::new(), &[]);
        let of_store = |finding: &&Finding| finding.key.as_ref().is_some_and(|key| key.starts_with("store"));
        let findings: Vec<_> = reading.findings.iter().filter(of_store).cloned().collect();
        (reading.config.postgres, render(&findings))
    }

    #[test]
    fn without_a_url_the_store_is_embedded_and_with_one_it_has_what_is_right_for_most() {
        assert_eq!(read("").0, None);
        let (found, told) = read("[store]\nurl = \"env:PG\"\nca_file = \"ca.pem\"");
        let found = found.unwrap_or_else(|| panic!("{told}"));
        assert_eq!(found.url.value, SecretRef::Env("PG".into()));
        assert_eq!(found.ca_file.unwrap().value, Path::new("/etc/tg/ca.pem"));
        assert_eq!((found.connections.value, found.prepared_statements.value), (8, true));
        assert_eq!(found.statement_timeout.value, Duration::from_secs(10));
        assert_eq!(found.history_retention, None);
    }

    #[test]
    fn an_address_in_the_file_is_refused_and_not_shown() {
        let (found, told) = read("[store]\nurl = \"postgres://tg:hunter2@db/tg\"");
        assert_eq!(found, None);
        assert!(told.contains("TG-1107") && told.contains("env:"), "{told}");
        assert!(!told.contains("hunter2"), "{told}");
    }

    #[test]
    fn what_no_postgres_uses_is_said() {
        let (found, told) = read("[store]\nca_file = \"ca.pem\"");
        assert_eq!(found, None);
        assert!(told.contains("store.ca_file is of no use without store.url"), "{told}");
        let (_, told) = read("[store]\nurl = \"env:PG\"\nconnections = 1");
        assert!(told.contains("connections cannot be 1"), "{told}");
    }

    #[test]
    fn nodes_may_differ_in_how_they_reach_the_store_and_not_in_what_it_keeps() {
        let revision = |text: &str| {
            let read = Config::from_text("tidegate.toml", text, Path::new("/etc/tg"), &BTreeMap::new(), &[]);
            crate::revision(&read.config)
        };
        let one = revision("[store]\nurl = \"env:PG\"");
        assert_eq!(one, revision("[store]\nurl = \"file:pg\"\nconnections = 4"));
        assert_ne!(one, revision("[store]\nurl = \"env:PG\"\nhistory_retention = \"9d\""));
    }
}
