//! `"EUR Spain"`, `"EUR Dealers for group:dealers"`: a price list that a person made in a shop's admin for a market, by its currency
//! and its name, and whose prices it is to say. Owns how it is written; whether the shop has it is judged where prices are brought out.

use crate::reader::Reading;
use crate::tree::Node;
use crate::value::{Value, refuse, text};
use kernel::money::Currency;
use std::fmt;

/// How the names of lists begin that Tidegate makes itself.
const OURS: &str = "tidegate/";
/// The longest name that a price list of Shopify's has.
const NAME_MAX: usize = 255;
/// How those are named whose prices it may be to say, as in a list's `for`.
const BUYERS: [&str; 3] = ["group:", "company:", "company_location:"];
const EVERYONE: &str = "everyone";

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct MarketList {
    pub currency: Currency,
    /// Under which it stands in the shop's admin.
    pub name: String,
    /// As in a list's `for`: of whoever is of this company or group alone.
    pub buyers: String,
}

impl MarketList {
    fn parse(written: &str) -> Result<Self, String> {
        let written = written.trim();
        let (currency, name) = written.split_once(char::is_whitespace).unwrap_or((written, ""));
        let currency = currency.parse().map_err(|_| {
            format!("{currency:?} is no currency: a market's price list is a currency and its name")
        })?;
        let is_buyers = |text: &str| {
            text == EVERYONE
                || BUYERS.iter().any(|kind| text.strip_prefix(kind).is_some_and(|id| !id.trim().is_empty()))
        };
        let (name, buyers) = match name.rsplit_once(" for ") {
            Some((name, buyers)) if is_buyers(buyers.trim()) => (name, buyers.trim()),
            _ => (name, EVERYONE),
        };
        match name.trim() {
            "" => Err(format!("{written:?} names no price list after its currency")),
            name if name.len() > NAME_MAX => {
                Err(format!("no price list has a name of more than {NAME_MAX} bytes"))
            }
            name if name.starts_with(OURS) => {
                Err(format!("{name:?} is the name of a list that Tidegate makes for company locations"))
            }
            name => Ok(Self { currency, name: name.to_owned(), buyers: buyers.to_owned() }),
        }
    }
}

impl fmt::Display for MarketList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.currency, self.name)?;
        if self.buyers == EVERYONE { Ok(()) } else { write!(f, " for {}", self.buyers) }
    }
}

impl Value for MarketList {
    const KIND: &'static str = "currency and name";
    fn read(node: &Node, key: &str, reading: &mut Reading) -> Option<Self> {
        let help = "write the currency and the name of the price list in the shop's admin, as in \"EUR Spain\" or \"EUR Dealers for group:dealers\"";
        let written = text(node, key, reading, "a currency and a name", help)?;
        Self::parse(&written).map_or_else(|message| refuse(node, key, reading, message, help), Some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_currency_and_a_name() {
        let list = MarketList::parse("EUR  Rest of Europe ").unwrap();
        assert_eq!((list.currency.code(), list.name.as_str()), ("EUR", "Rest of Europe"));
        assert_eq!(list.to_string(), "EUR Rest of Europe");
        assert_eq!(list.buyers, "everyone");
        let dealers = MarketList::parse("EUR Spain, dealers for group:dealers").unwrap();
        assert_eq!((dealers.name.as_str(), dealers.buyers.as_str()), ("Spain, dealers", "group:dealers"));
        assert_eq!(dealers.to_string(), "EUR Spain, dealers for group:dealers");
        assert_eq!(MarketList::parse("EUR Spain for group:").unwrap().name, "Spain for group:");
        for (written, why) in [
            ("Spain", "no currency"),
            ("EUR", "names no price list"),
            ("EUR  ", "names no price list"),
            ("eur Spain", "no currency"),
            ("EUR tidegate/LIST EUR", "that Tidegate makes"),
        ] {
            let refused = MarketList::parse(written).unwrap_err();
            assert!(refused.contains(why), "{written}: {refused}");
        }
    }
}
