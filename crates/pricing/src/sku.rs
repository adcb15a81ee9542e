//! A SKU as prices are looked up by it. Owns the one spelling under which two texts are the same SKU: without blanks around it
//! and without regard to case, which is the first cause of failed imports elsewhere. Refuses what no shop can hold.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::borrow::{Borrow, Cow};
use std::fmt;

/// Shopify takes 255 characters.
const CHARS_MAX: usize = 255;

/// A SKU in its one spelling: in capitals, without blanks around it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sku(Box<str>);

/// Why a text is no SKU.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SkuFault {
    #[error("the SKU is empty")]
    Empty,
    #[error("the SKU has more than {CHARS_MAX} characters")]
    Long,
    #[error("the SKU has a control character in it")]
    Control,
}

impl Sku {
    /// # Errors
    /// An empty text, one of more than 255 characters, and one with a control character inside.
    pub fn parse(text: &str) -> Result<Self, SkuFault> {
        Ok(Self(Self::spell(text)?.into()))
    }

    /// The one spelling, borrowed where the text is spelled so already: what a look-up needs.
    ///
    /// # Errors
    /// As [`Sku::parse`].
    pub fn spell(text: &str) -> Result<Cow<'_, str>, SkuFault> {
        // Most come so, and need not be looked at for blanks.
        if is_spelled(text) {
            return Ok(Cow::Borrowed(text));
        }
        let text = text.trim();
        if text.is_empty() {
            return Err(SkuFault::Empty);
        }
        if is_spelled(text) {
            return Ok(Cow::Borrowed(text));
        }
        if text.chars().count() > CHARS_MAX {
            return Err(SkuFault::Long);
        }
        if text.chars().any(char::is_control) {
            return Err(SkuFault::Control);
        }
        Ok(Cow::Owned(text.to_uppercase()))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_spelled(text: &str) -> bool {
    (1..=CHARS_MAX).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_graphic() && !b.is_ascii_lowercase())
}

impl Borrow<str> for Sku {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Sku {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Sku {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sku({})", self.0)
    }
}

impl Serialize for Sku {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Sku {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&Cow::<'de, str>::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_around_it_and_case_do_not_make_another_sku() {
        for text in ["AB-1", " ab-1", "Ab-1\r\n", "\tAB-1 "] {
            assert_eq!(Sku::parse(text).unwrap().as_str(), "AB-1", "{text:?}");
        }
        assert_eq!(Sku::parse("größe 1").unwrap().as_str(), "GRÖSSE 1");
        assert!(matches!(Sku::spell("AB-1"), Ok(Cow::Borrowed("AB-1"))));
    }

    #[test]
    fn what_no_shop_can_hold_is_refused() {
        assert_eq!(Sku::parse(" \n"), Err(SkuFault::Empty));
        assert_eq!(Sku::parse("A\u{0}B"), Err(SkuFault::Control));
        assert_eq!(Sku::parse(&"A".repeat(256)), Err(SkuFault::Long));
        assert!(Sku::parse(&"A".repeat(255)).is_ok());
    }
}
