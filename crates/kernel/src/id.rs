//! Names and numbers by which things are known: shops, systems, flows, positions. Owns their spelling; refuses
//! names that could not stand in a file name, a metric label or a URL.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Why a name was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} {name:?} is not a name: use 1 to 64 of a-z, 0-9, '-', '_' and begin with a letter")]
pub struct NameError {
    pub what: &'static str,
    pub name: String,
}

fn checked(what: &'static str, name: &str) -> Result<String, NameError> {
    let mut bytes = name.bytes();
    let good = matches!(bytes.next(), Some(b'a'..=b'z'))
        && name.len() <= 64
        && bytes.all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_'));
    if good { Ok(name.to_owned()) } else { Err(NameError { what, name: name.to_owned() }) }
}

macro_rules! name {
    ($(#[$doc:meta])* $type:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $type(String);

        impl $type {
            /// Refuses what [`NameError`] says.
            pub fn new(name: &str) -> Result<Self, NameError> {
                checked($what, name).map(Self)
            }
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
        impl TryFrom<String> for $type {
            type Error = NameError;
            fn try_from(name: String) -> Result<Self, NameError> {
                Self::new(&name)
            }
        }
        impl From<$type> for String {
            fn from(name: $type) -> String {
                name.0
            }
        }
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

name!(
    /// A shop as the configuration calls it (`acme`), not its domain. First in every key of the store.
    ShopId, "shop"
);
name!(
    /// A configured external system. `shopify` is the name of every shop's own Shopify.
    SystemName, "system"
);
name!(
    /// A configured flow.
    FlowName, "flow"
);
name!(
    /// `orders`, `inventory`, …: DESIGN section 2.
    DomainName, "domain"
);

/// Place of an envelope in the log. It orders; it does not account: see DESIGN section 6.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Position(pub i64);

/// One delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DeliveryId(pub i64);

/// One attempt of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AttemptId(pub i64);

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
impl fmt::Display for DeliveryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_refused_that_could_not_stand_in_a_path() {
        for bad in ["", "A", "1a", "a/b", "a b", "ä", &"a".repeat(65)] {
            assert!(ShopId::new(bad).is_err(), "{bad:?}");
        }
        for good in ["a", "acme-eu", "erp_2"] {
            assert_eq!(ShopId::new(good).unwrap().as_str(), good);
        }
    }
}
