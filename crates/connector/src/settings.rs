//! What the configuration tells a connector: the table `[systems.X.connection]`, and the secrets that it refers to,
//! apart from it. Owns the reading of typed values with every mistake reported in one go; knows no connector.

use kernel::flow::duration;
use secrecy::SecretString;
use serde_json::{Map, Value};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// `[systems.X.connection]`. A secret stands in `values` as its reference (`file:../secrets/erp.token`) and, once
/// resolved, in `secrets` under its dotted key (`auth.token`).
#[derive(Debug, Clone, Default)]
pub struct Settings {
    values: Map<String, Value>,
    secrets: BTreeMap<String, SecretString>,
}

/// Whether the secrets have to be there by now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Secrets {
    /// To connect.
    Resolved,
    /// To judge a configuration without them: only the references are looked at.
    Referred,
}

impl Settings {
    pub fn new(values: BTreeMap<String, Value>, secrets: BTreeMap<String, SecretString>) -> Self {
        Self { values: values.into_iter().collect(), secrets }
    }

    /// Which strings of the table are references to secrets, by dotted key: what the caller has to resolve.
    pub fn references(values: &BTreeMap<String, Value>) -> BTreeMap<String, String> {
        let mut found = BTreeMap::new();
        for (key, value) in values {
            collect_references(key, value, &mut found);
        }
        found
    }

    /// Reads the table with `read`; what it returns counts only if nothing was wrong.
    pub fn read<T>(&self, secrets: Secrets, read: impl FnOnce(&Section<'_>) -> T) -> Result<T, Vec<String>> {
        let problems = Problems::default();
        let root = Section {
            settings: self,
            need: secrets,
            path: String::new(),
            table: &self.values,
            asked: RefCell::default(),
            problems: &problems,
        };
        let made = read(&root);
        root.finish();
        let problems = problems.0.into_inner();
        if problems.is_empty() { Ok(made) } else { Err(problems) }
    }
}

fn is_reference(text: &str) -> bool {
    text.starts_with("env:") || text.starts_with("file:")
}

fn collect_references(key: &str, value: &Value, found: &mut BTreeMap<String, String>) {
    match value {
        Value::String(text) if is_reference(text) => {
            found.insert(key.to_owned(), text.clone());
        }
        Value::Object(table) => {
            for (name, value) in table {
                collect_references(&format!("{key}.{name}"), value, found);
            }
        }
        _ => {}
    }
}

#[derive(Debug, Default)]
struct Problems(RefCell<Vec<String>>);

/// A table that is being read. A key that nobody asked for is a mistake, so each key has to be asked for.
#[derive(Debug)]
pub struct Section<'a> {
    settings: &'a Settings,
    need: Secrets,
    path: String,
    table: &'a Map<String, Value>,
    asked: RefCell<BTreeSet<String>>,
    problems: &'a Problems,
}

impl<'a> Section<'a> {
    /// Reports a mistake at a key of this table, or at the table itself for an empty key.
    pub fn problem(&self, key: &str, what: impl AsRef<str>) {
        let at = self.dotted(key);
        let what = what.as_ref();
        self.problems.0.borrow_mut().push(if at.is_empty() {
            what.to_owned()
        } else {
            format!("{at}: {what}")
        });
    }

    /// The key as it stands in the connection: `create.path`.
    pub fn dotted(&self, key: &str) -> String {
        match (self.path.as_str(), key) {
            ("", key) => key.to_owned(),
            (path, "") => path.to_owned(),
            (path, key) => format!("{path}.{key}"),
        }
    }

    /// The value as it stands there.
    pub fn value(&self, key: &str) -> Option<&'a Value> {
        self.asked.borrow_mut().insert(key.to_owned());
        self.table.get(key)
    }

    pub fn keys(&self) -> impl Iterator<Item = &'a str> {
        self.table.keys().map(String::as_str)
    }

    fn typed<T>(&self, key: &str, expected: &str, read: impl FnOnce(&'a Value) -> Option<T>) -> Option<T> {
        let value = self.value(key)?;
        let read = read(value);
        if read.is_none() {
            self.problem(key, format!("must be {expected}"));
        }
        read
    }

    pub fn text(&self, key: &str) -> Option<String> {
        self.typed(key, "a text", |value| value.as_str().map(str::to_owned))
    }

    /// Empty, and a mistake, where it is absent.
    pub fn required_text(&self, key: &str) -> String {
        if !self.table.contains_key(key) {
            self.problem(key, "is required");
        }
        self.text(key).unwrap_or_default()
    }

    pub fn boolean(&self, key: &str, default: bool) -> bool {
        self.typed(key, "true or false", Value::as_bool).unwrap_or(default)
    }

    pub fn integer(&self, key: &str, default: u64) -> u64 {
        self.typed(key, "a whole number, zero or more", Value::as_u64).unwrap_or(default)
    }

    pub fn duration(&self, key: &str) -> Option<Duration> {
        let expected = "a duration with its unit: \"250ms\", \"30s\", \"24h\"";
        self.typed(key, expected, |value| value.as_str().and_then(duration))
    }

    /// A list of texts; absent is empty.
    pub fn texts(&self, key: &str) -> Vec<String> {
        let read = |value: &Value| {
            value.as_array()?.iter().map(|item| item.as_str().map(str::to_owned)).collect::<Option<Vec<_>>>()
        };
        self.typed(key, "a list of texts", read).unwrap_or_default()
    }

    /// A list of whole numbers; absent is `None`.
    pub fn integers(&self, key: &str) -> Option<Vec<u64>> {
        let read = |value: &Value| value.as_array()?.iter().map(Value::as_u64).collect::<Option<Vec<_>>>();
        self.typed(key, "a list of whole numbers", read)
    }

    /// A table of texts; absent is empty.
    pub fn table_of_texts(&self, key: &str) -> BTreeMap<String, String> {
        let read = |value: &Value| {
            value
                .as_object()?
                .iter()
                .map(|(name, text)| Some((name.clone(), text.as_str()?.to_owned())))
                .collect::<Option<BTreeMap<_, _>>>()
        };
        self.typed(key, "a table of texts", read).unwrap_or_default()
    }

    /// A secret. Its reference has to be there; its value only where the secrets are needed (else it is empty).
    pub fn secret(&self, key: &str) -> SecretString {
        let none = SecretString::from(String::new());
        let Some(text) = self.value(key).map(|value| value.as_str().unwrap_or_default()) else {
            self.problem(key, "is required: a secret's reference, \"env:NAME\" or \"file:PATH\"");
            return none;
        };
        if !is_reference(text) {
            self.problem(
                key,
                "must be a reference to a secret, \"env:NAME\" or \"file:PATH\", not the secret itself",
            );
            return none;
        }
        match self.settings.secrets.get(&self.dotted(key)) {
            Some(secret) => secret.clone(),
            None if self.need == Secrets::Referred => none,
            None => {
                self.problem(key, "the secret was not resolved");
                none
            }
        }
    }

    /// A table below this one, read by `read`. `None` where it is absent or no table.
    pub fn section<T>(&self, key: &str, read: impl FnOnce(&Section<'_>) -> T) -> Option<T> {
        let table = self.typed(key, "a table", Value::as_object)?;
        let section = Section {
            settings: self.settings,
            need: self.need,
            path: self.dotted(key),
            table,
            asked: RefCell::default(),
            problems: self.problems,
        };
        let made = read(&section);
        section.finish();
        Some(made)
    }

    fn finish(&self) {
        let asked = self.asked.borrow();
        for key in self.table.keys().filter(|key| !asked.contains(key.as_str())) {
            let known: Vec<&str> = asked.iter().map(String::as_str).collect();
            self.problem(key, format!("is not known here; known are {}", known.join(", ")));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret;
    use serde_json::json;

    fn settings(value: Value, secrets: &[(&str, &str)]) -> Settings {
        let Value::Object(table) = value else { panic!("a table") };
        let secrets =
            secrets.iter().map(|(key, text)| ((*key).to_owned(), SecretString::from((*text).to_owned())));
        Settings::new(table.into_iter().collect(), secrets.collect())
    }

    #[test]
    fn all_mistakes_are_told_in_one_go() {
        let settings = settings(
            json!({"url": 1, "wait": "30", "ok": "yes", "auth": {"token": "hunter2", "x": 1}, "list": [1], "nope": 1}),
            &[],
        );
        let problems = settings
            .read(Secrets::Resolved, |at| {
                at.required_text("url");
                at.required_text("absent");
                at.duration("wait");
                at.boolean("ok", false);
                at.texts("list");
                at.section("auth", |auth| auth.secret("token"));
            })
            .unwrap_err();
        assert_eq!(
            problems,
            [
                "url: must be a text",
                "absent: is required",
                "wait: must be a duration with its unit: \"250ms\", \"30s\", \"24h\"",
                "ok: must be true or false",
                "list: must be a list of texts",
                "auth.token: must be a reference to a secret, \"env:NAME\" or \"file:PATH\", not the secret itself",
                "auth.x: is not known here; known are token",
                "nope: is not known here; known are absent, auth, list, ok, url, wait",
            ]
        );
    }

    #[test]
    fn a_secret_is_needed_only_to_connect() {
        let read = |settings: &Settings, need| {
            settings.read(need, |at| at.section("auth", |auth| auth.secret("token"))).map(Option::unwrap)
        };
        let value = json!({"auth": {"token": "env:T"}});
        let without = settings(value.clone(), &[]);
        assert!(read(&without, Secrets::Referred).is_ok());
        assert_eq!(
            read(&without, Secrets::Resolved).unwrap_err(),
            ["auth.token: the secret was not resolved"]
        );
        let with = settings(value, &[("auth.token", "t0k3n")]);
        assert_eq!(read(&with, Secrets::Resolved).unwrap().expose_secret(), "t0k3n");
        assert!(!format!("{with:?}").contains("t0k3n"));
    }

    #[test]
    fn references_are_found_wherever_they_stand() {
        let values = BTreeMap::from([
            ("password".to_owned(), json!("file:../p")),
            ("auth".to_owned(), json!({"kind": "bearer", "token": "env:T"})),
            ("url".to_owned(), json!("http://x")),
        ]);
        let found = Settings::references(&values);
        assert_eq!(
            found,
            BTreeMap::from([
                ("auth.token".to_owned(), "env:T".to_owned()),
                ("password".to_owned(), "file:../p".to_owned())
            ])
        );
    }
}
