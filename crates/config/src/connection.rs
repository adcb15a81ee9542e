//! `[systems.NAME.connection]`: settings whose names only the connector knows. Owns that no secret stands in them
//! and that each value knows its place; what they mean is the connector's.

use crate::code::Code;
use crate::finding::Finding;
use crate::mask::{is_reference, is_secret_key};
use crate::reader::{InForce, Reading};
use crate::secret::SecretRef;
use crate::source::{Origin, Setting};
use crate::tree::{Entry, Node, Raw};
use crate::value::{literal_secret, text};
use std::collections::BTreeMap;

/// The settings of one connection, by name.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Connection {
    pub at: Origin,
    pub settings: BTreeMap<String, Setting<ConnectionValue>>,
}

/// One setting of a connection.
#[derive(Debug, Clone, PartialEq)]
pub enum ConnectionValue {
    Text(String),
    Secret(SecretRef),
    Integer(i64),
    Boolean(bool),
    List(Vec<Setting<ConnectionValue>>),
    Table(BTreeMap<String, Setting<ConnectionValue>>),
}

impl ConnectionValue {
    /// The word for it in a sentence.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Text(_) => "text",
            Self::Secret(_) => "a secret",
            Self::Integer(_) => "a whole number",
            Self::Boolean(_) => "true or false",
            Self::List(_) => "a list",
            Self::Table(_) => "a table",
        }
    }

    fn secrets<'a>(
        &'a self,
        key: String,
        origin: &'a Origin,
        found: &mut Vec<(String, &'a SecretRef, &'a Origin)>,
    ) {
        match self {
            Self::Secret(reference) => found.push((key, reference, origin)),
            Self::List(items) => {
                for (at, item) in items.iter().enumerate() {
                    item.value.secrets(format!("{key}[{at}]"), &item.origin, found);
                }
            }
            Self::Table(table) => {
                for (name, inner) in table {
                    inner.value.secrets(format!("{key}.{name}"), &inner.origin, found);
                }
            }
            _ => {}
        }
    }
}

impl Connection {
    pub fn get(&self, name: &str) -> Option<&ConnectionValue> {
        self.settings.get(name).map(|setting| &setting.value)
    }

    pub fn text(&self, name: &str) -> Option<&str> {
        match self.get(name)? {
            ConnectionValue::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Every secret in it, with its key below the connection and its place.
    pub fn secrets(&self) -> Vec<(String, &SecretRef, &Origin)> {
        let mut found = Vec::new();
        for (name, setting) in &self.settings {
            setting.value.secrets(name.clone(), &setting.origin, &mut found);
        }
        found
    }

    /// As JSON, with each secret as its reference: what a connector reads.
    pub fn values(&self) -> BTreeMap<String, serde_json::Value> {
        let mut refer =
            |reference: &SecretRef, _: &Origin| Ok::<_, std::convert::Infallible>(reference.to_string());
        self.to_json(&mut refer).unwrap_or_default().into_iter().collect()
    }

    /// As JSON, with each secret replaced by what `resolve` answers. What comes out holds secrets: do not print it.
    pub fn to_json<E>(
        &self,
        resolve: &mut dyn FnMut(&SecretRef, &Origin) -> Result<String, E>,
    ) -> Result<serde_json::Map<String, serde_json::Value>, E> {
        table_to_json(&self.settings, resolve)
    }
}

fn table_to_json<E>(
    table: &BTreeMap<String, Setting<ConnectionValue>>,
    resolve: &mut dyn FnMut(&SecretRef, &Origin) -> Result<String, E>,
) -> Result<serde_json::Map<String, serde_json::Value>, E> {
    table.iter().map(|(name, setting)| Ok((name.clone(), to_json(setting, resolve)?))).collect()
}

fn to_json<E>(
    setting: &Setting<ConnectionValue>,
    resolve: &mut dyn FnMut(&SecretRef, &Origin) -> Result<String, E>,
) -> Result<serde_json::Value, E> {
    Ok(match &setting.value {
        ConnectionValue::Text(text) => text.clone().into(),
        ConnectionValue::Secret(reference) => resolve(reference, &setting.origin)?.into(),
        ConnectionValue::Integer(number) => (*number).into(),
        ConnectionValue::Boolean(value) => (*value).into(),
        ConnectionValue::List(items) => {
            items.iter().map(|item| to_json(item, resolve)).collect::<Result<Vec<_>, E>>()?.into()
        }
        ConnectionValue::Table(table) => table_to_json(table, resolve)?.into(),
    })
}

pub(crate) fn read(entry: Option<&Entry>, path: &str, reading: &mut Reading) -> Connection {
    let Some(entry) = entry else { return Connection::default() };
    let node = entry.node.settled();
    let Raw::Table(table) = &node.raw else {
        let message = format!("connection is {} and not a table", entry.node.kind());
        let help = format!("write it as a section: [{path}]");
        reading.finding(Finding::new(Code::Value, &entry.node.origin, message, help).key(path));
        return Connection::default();
    };
    let mut settings = BTreeMap::new();
    for (name, entry) in table {
        let key = format!("{path}.{name}");
        if let Some(value) = value(&entry.node, &key, name, reading) {
            let (value_text, origin) = (entry.node.canonical(), entry.node.origin.clone());
            reading.in_force.push(InForce { key, value: value_text, origin: origin.clone(), local: false });
            settings.insert(name.clone(), Setting::new(value, origin));
        }
    }
    Connection { at: entry.key_at.clone(), settings }
}

fn value(node: &Node, key: &str, name: &str, reading: &mut Reading) -> Option<ConnectionValue> {
    let settled = node.settled();
    match &settled.raw {
        Raw::Table(table) => {
            let mut inner = BTreeMap::new();
            for (name, entry) in table {
                let value = value(&entry.node, &format!("{key}.{name}"), name, reading)?;
                inner.insert(name.clone(), Setting::new(value, entry.node.origin.clone()));
            }
            Some(ConnectionValue::Table(inner))
        }
        Raw::List(items) => {
            let mut inner = Vec::new();
            for item in items {
                inner.push(Setting::new(value(item, key, name, reading)?, item.origin.clone()));
            }
            Some(ConnectionValue::List(inner))
        }
        // Below `faults` and `exists` the keys are the target's own words (`invalid_token = "unauthorized"`).
        _ if is_secret_key(name)
            && !key.contains(".connection.faults.")
            && !key.contains(".connection.exists.") =>
        {
            secret(node, key, reading)
        }
        Raw::Integer(Some(number), _) => Some(ConnectionValue::Integer(*number)),
        Raw::Boolean(flag) => Some(ConnectionValue::Boolean(*flag)),
        Raw::Text(_) | Raw::Loose(_) => {
            let written = text(node, key, reading, "text", "put the value in quotes")?;
            if is_reference(&written) {
                secret(node, key, reading)
            } else {
                Some(ConnectionValue::Text(written))
            }
        }
        Raw::Integer(None, written) | Raw::Float(written) | Raw::Datetime(written) => {
            let message = format!("{name} cannot be {written}");
            let help = "write it as text in quotes";
            reading.finding(Finding::new(Code::Value, &node.origin, message, help).key(key));
            None
        }
    }
}

fn secret(node: &Node, key: &str, reading: &mut Reading) -> Option<ConnectionValue> {
    let reference = node.text().as_deref().and_then(SecretRef::parse);
    if reference.is_none() {
        reading.finding(literal_secret(node, key, false));
    }
    reference.map(ConnectionValue::Secret)
}
