//! How a written value becomes a typed one. One implementation for each kind of value, each with what it says when
//! it refuses.

use crate::cadence::Cadence;
use crate::code::Code;
use crate::finding::Finding;
use crate::mask::{is_secret_key, is_secret_value};
use crate::nearest::nearest;
use crate::reader::Reading;
use crate::secret::SecretRef;
use crate::source::Setting;
use crate::tree::{Node, Raw};
use crate::unit::{self, ByteSize, Rate, Share, UnitError};
use jiff::Timestamp;
use kernel::id::{DomainName, FlowName, ShopId, SystemName};
use std::path::PathBuf;
use std::time::Duration;

/// A kind of value. `KIND` is the word for it in the reference.
pub(crate) trait Value: Sized {
    const KIND: &'static str;
    /// `None` after a finding.
    fn read(node: &Node, key: &str, reading: &mut Reading) -> Option<Self>;
}

/// Notes that a value was refused.
pub(crate) fn refuse<T>(
    node: &Node,
    key: &str,
    reading: &mut Reading,
    message: String,
    help: &str,
) -> Option<T> {
    reading.finding(Finding::new(Code::Value, &node.origin, message, help).key(key));
    None
}

pub(crate) fn last_segment(key: &str) -> &str {
    key.rsplit('.').next().unwrap_or(key).trim_matches('"')
}

/// Text that is no secret: a token under a key that is not for secrets is refused, unechoed.
pub(crate) fn text(
    node: &Node,
    key: &str,
    reading: &mut Reading,
    wanted: &str,
    help: &str,
) -> Option<String> {
    let Some(text) = node.text() else {
        let message = format!("{} takes {wanted}, not {}", last_segment(key), node.kind());
        return refuse(node, key, reading, message, help);
    };
    if is_secret_value(&text) {
        reading.finding(literal_secret(node, key, false));
        return None;
    }
    Some(text)
}

/// Says that a secret was written out, and never what it is. `is_a_secrets`: the key takes nothing else, whatever its name.
pub(crate) fn literal_secret(node: &Node, key: &str, is_a_secrets: bool) -> Finding {
    let name: String = last_segment(key)
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' })
        .collect();
    let file = name.to_ascii_lowercase();
    let message = format!("{} holds a secret itself", last_segment(key));
    let help = if is_secret_key(last_segment(key)) || is_a_secrets {
        format!(
            "refer to it: \"env:{name}\" or \"file:../secrets/{file}\"; and replace the secret, it may have been seen"
        )
    } else {
        "a token or password does not belong here: move it to a secret's key, as \"env:NAME\" or \"file:PATH\"; and replace it, it may have been seen".to_owned()
    };
    Finding::new(Code::LiteralSecret, &node.origin, message, help).key(key)
}

impl Value for String {
    const KIND: &'static str = "text";
    fn read(node: &Node, key: &str, reading: &mut Reading) -> Option<Self> {
        let text = text(node, key, reading, "text", "put the value in quotes")?;
        if text.trim().is_empty() {
            return refuse(
                node,
                key,
                reading,
                format!("{} is empty", last_segment(key)),
                "write a value, or leave the key out",
            );
        }
        Some(text)
    }
}

impl Value for bool {
    const KIND: &'static str = "true or false";
    fn read(node: &Node, key: &str, reading: &mut Reading) -> Option<Self> {
        match node.settled().raw {
            Raw::Boolean(value) => Some(value),
            _ => {
                let message = format!("{} takes true or false, not {}", last_segment(key), node.kind());
                refuse(node, key, reading, message, "write true or false, without quotes")
            }
        }
    }
}

impl Value for u32 {
    const KIND: &'static str = "whole number";
    fn read(node: &Node, key: &str, reading: &mut Reading) -> Option<Self> {
        let help = "write a whole number from 1 to 4294967295, without quotes";
        match node.settled().raw {
            Raw::Integer(Some(number), _) if number > 0 && u32::try_from(number).is_ok() => {
                u32::try_from(number).ok()
            }
            Raw::Integer(_, written) => {
                let message = format!("{} cannot be {written}", last_segment(key));
                refuse(node, key, reading, message, help)
            }
            _ => {
                let message = format!("{} takes a whole number, not {}", last_segment(key), node.kind());
                refuse(node, key, reading, message, help)
            }
        }
    }
}

fn with_unit<T>(
    node: &Node,
    key: &str,
    reading: &mut Reading,
    read: fn(&str) -> Result<T, UnitError>,
    wanted: &str,
    help: &str,
    unit: &str,
) -> Option<T> {
    if let Raw::Integer(_, written) = &node.settled().raw {
        return no_unit(node, key, reading, wanted, &format!("{written}{unit}"));
    }
    let written = text(node, key, reading, wanted, help)?;
    match read(&written) {
        Ok(value) => Some(value),
        Err(UnitError::NoUnit(suggestion)) => no_unit(node, key, reading, wanted, &suggestion),
        Err(UnitError::Not) => {
            let message = format!("{} takes {wanted}, not {written:?}", last_segment(key));
            refuse(node, key, reading, message, help)
        }
    }
}

fn no_unit<T>(node: &Node, key: &str, reading: &mut Reading, wanted: &str, suggestion: &str) -> Option<T> {
    let message = format!("{} takes {wanted}, and this number has no unit", last_segment(key));
    let help = format!("write \"{suggestion}\"");
    reading.finding(Finding::new(Code::Unit, &node.origin, message, help).key(key));
    None
}

impl Value for Duration {
    const KIND: &'static str = "duration";
    fn read(node: &Node, key: &str, reading: &mut Reading) -> Option<Self> {
        let help = "write a whole number and ms, s, m, h or d, as in \"30s\"";
        let value = with_unit(node, key, reading, unit::duration, "a duration", help, "s")?;
        if value.is_zero() {
            return refuse(node, key, reading, format!("{} cannot be nothing", last_segment(key)), help);
        }
        Some(value)
    }
}

impl Value for Cadence {
    const KIND: &'static str = "cadence";
    fn read(node: &Node, key: &str, reading: &mut Reading) -> Option<Self> {
        let help = "write how often, as in \"24h\", or when, as in \"30 2 * * * Europe/Berlin\"";
        let written = text(node, key, reading, "a cadence", help)?;
        match Cadence::parse(&written) {
            Ok(cadence) => Some(cadence),
            Err(message) => refuse(node, key, reading, message, help),
        }
    }
}

impl Value for ByteSize {
    const KIND: &'static str = "size";
    fn read(node: &Node, key: &str, reading: &mut Reading) -> Option<Self> {
        let help = "write a whole number and B, KiB, MiB, GiB, kB, MB or GB, as in \"64MiB\"";
        let value = with_unit(node, key, reading, unit::byte_size, "a size", help, "MiB")?;
        if value.0 == 0 {
            return refuse(node, key, reading, format!("{} cannot be nothing", last_segment(key)), help);
        }
        Some(value)
    }
}

impl Value for Rate {
    const KIND: &'static str = "rate";
    fn read(node: &Node, key: &str, reading: &mut Reading) -> Option<Self> {
        let help = "write requests in a second, minute or hour, as in \"20/s\"";
        with_unit(node, key, reading, unit::rate, "a rate", help, "/s")
    }
}

impl Value for Share {
    const KIND: &'static str = "share";
    fn read(node: &Node, key: &str, reading: &mut Reading) -> Option<Self> {
        let help = "write a whole number of percent from 1 to 100, as in \"25%\"";
        with_unit(node, key, reading, unit::share, "a share", help, "%")
    }
}

impl Value for Timestamp {
    const KIND: &'static str = "instant";
    fn read(node: &Node, key: &str, reading: &mut Reading) -> Option<Self> {
        let help = "write date, time and offset, as in \"2026-11-24T00:00:00Z\"";
        let written = match &node.settled().raw {
            Raw::Datetime(written) => written.clone(),
            _ => text(node, key, reading, "an instant", help)?,
        };
        match written.parse() {
            Ok(instant) => Some(instant),
            Err(_) => {
                let message = format!("{} takes an instant, not {written:?}", last_segment(key));
                refuse(node, key, reading, message, help)
            }
        }
    }
}

impl Value for PathBuf {
    const KIND: &'static str = "path";
    fn read(node: &Node, key: &str, reading: &mut Reading) -> Option<Self> {
        let help = "write a path; a relative one counts from the folder of the configuration file";
        let written = text(node, key, reading, "a path", help)?;
        if written.trim().is_empty() || written.contains('\0') {
            return refuse(node, key, reading, format!("{} is not a path", last_segment(key)), help);
        }
        Some(reading.base_dir.join(written))
    }
}

impl Value for SecretRef {
    const KIND: &'static str = "secret";
    fn read(node: &Node, key: &str, reading: &mut Reading) -> Option<Self> {
        match node.text().as_deref().and_then(SecretRef::parse) {
            Some(reference) => Some(reference),
            None => {
                reading.finding(literal_secret(node, key, true));
                None
            }
        }
    }
}

macro_rules! named_values {
    ($($type:ty = $kind:literal;)*) => {$(
        impl Value for $type {
            const KIND: &'static str = $kind;
            fn read(node: &Node, key: &str, reading: &mut Reading) -> Option<Self> {
                let help = "write the name under which it is configured";
                let written = text(node, key, reading, "a name", help)?;
                match <$type>::new(&written) {
                    Ok(name) => Some(name),
                    Err(refused) => {
                        reading.finding(Finding::new(Code::Name, &node.origin, refused.to_string(), help).key(key));
                        None
                    }
                }
            }
        }
    )*};
}

named_values! {
    ShopId = "shop";
    SystemName = "system";
    FlowName = "flow";
}

/// The domains of DESIGN section 9.
pub const DOMAINS: &[&str] =
    &["orders", "inventory", "pricing", "products", "customers", "media", "audiences", "payouts"];

impl Value for DomainName {
    const KIND: &'static str = "domain";
    fn read(node: &Node, key: &str, reading: &mut Reading) -> Option<Self> {
        let written = one_of(node, key, reading, "domain", DOMAINS)?;
        DomainName::new(DOMAINS[written]).ok()
    }
}

/// One of a closed list of words; returns its place in the list.
pub(crate) fn one_of(
    node: &Node,
    key: &str,
    reading: &mut Reading,
    what: &str,
    words: &[&str],
) -> Option<usize> {
    let list = words.join(", ");
    let article = if what.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
    let written = text(node, key, reading, &format!("{article} {what}"), &format!("write one of {list}"))?;
    if let Some(at) = words.iter().position(|word| *word == written) {
        return Some(at);
    }
    let help = match nearest(&written, words.iter().copied()) {
        Some(near) => format!("did you mean {near}? It takes one of {list}"),
        None => format!("write one of {list}"),
    };
    refuse(node, key, reading, format!("{written:?} is not {article} {what}"), &help)
}

/// A closed list of words as a value.
macro_rules! words {
    ($($type:ty, $what:literal, $kind:literal: $($word:literal => $value:expr),+;)*) => {$(
        impl $crate::value::Value for $type {
            const KIND: &'static str = $kind;
            fn read(
                node: &$crate::tree::Node,
                key: &str,
                reading: &mut $crate::reader::Reading,
            ) -> Option<Self> {
                let values = [$($value),+];
                let at = $crate::value::one_of(node, key, reading, $what, &[$($word),+])?;
                values.into_iter().nth(at)
            }
        }
    )*};
}
pub(crate) use words;

/// A list; each item keeps its own place.
impl<T: Value> Value for Vec<Setting<T>> {
    const KIND: &'static str = list_kind(T::KIND);
    fn read(node: &Node, key: &str, reading: &mut Reading) -> Option<Self> {
        let settled = node.settled();
        let items = match settled.raw {
            Raw::List(items) => items,
            // A variable may hold a plain list: TIDEGATE__APPS__MAIN__SCOPES=read_orders,write_orders.
            Raw::Loose(text) => loose_items(&text, node),
            _ => {
                let message = format!("{} takes a list, not {}", last_segment(key), node.kind());
                return refuse(node, key, reading, message, "write it in brackets, as in [\"a\", \"b\"]");
            }
        };
        let read: Vec<Option<Setting<T>>> = items
            .iter()
            .map(|item| T::read(item, key, reading).map(|value| Setting::new(value, item.origin.clone())))
            .collect();
        read.into_iter().collect()
    }
}

fn loose_items(text: &str, node: &Node) -> Vec<Node> {
    let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
    items.map(|item| Node { raw: Raw::Loose(item.to_owned()), origin: node.origin.clone() }).collect()
}

const fn list_kind(kind: &str) -> &'static str {
    match kind.as_bytes() {
        b"network" => "list of networks",
        b"shop" => "list of shops",
        b"export condition" => "list of export conditions",
        b"right" => "list of rights",
        b"currency and name" => "list of currencies and names",
        _ => "list of texts",
    }
}
