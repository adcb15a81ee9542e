//! A cart as it is asked for. Owns how its parts are spelled, and what makes the question as a whole unreadable; what makes
//! one line unreadable is that line's answer.

use super::PriceError;
use jiff::Timestamp;
use kernel::money::{Currency, parse_exact};
use kernel::quantity::Unit;
use pricing::Line;
use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// The most lines of one cart.
pub const LINES_MAX: usize = 500;

/// `POST /v1/prices/resolve`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Cart<'a> {
    /// Absent: nobody in particular.
    #[serde(borrow, default)]
    pub(crate) company_location: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(crate) currency: Cow<'a, str>,
    /// Whose variants the lines name; needed where there are several.
    #[serde(borrow, default)]
    pub(crate) shop: Option<Cow<'a, str>>,
    /// Now, where it is absent.
    #[serde(default)]
    pub(crate) at: Option<Timestamp>,
    /// Whether each line's derivation is told.
    #[serde(default)]
    pub(crate) why: bool,
    #[serde(borrow)]
    pub(crate) lines: Vec<CartLine<'a>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CartLine<'a> {
    /// The caller's own; it comes back.
    #[serde(borrow, default)]
    pub(crate) id: Option<Cow<'a, str>>,
    /// Either this or `variant`.
    #[serde(borrow, default)]
    pub(crate) sku: Option<Cow<'a, str>>,
    /// Shopify's id of the variant: `gid://shopify/ProductVariant/12`, or the number.
    #[serde(borrow, default, deserialize_with = "some_number_or_text")]
    pub(crate) variant: Option<Cow<'a, str>>,
    /// A number or its text: 12, 2.5, "12". As it was written, without the quotes of a text.
    #[serde(borrow, deserialize_with = "number_or_text")]
    pub(crate) quantity: Cow<'a, str>,
    /// A piece, where it is absent.
    #[serde(borrow, default)]
    pub(crate) unit: Option<Cow<'a, str>>,
}

impl<'a> Cart<'a> {
    pub(crate) fn read(body: &'a [u8]) -> Result<Self, PriceError> {
        let cart: Cart<'a> = serde_json::from_slice(body)
            .map_err(|error| PriceError::mend(format!("the body is not a cart: {error}")))?;
        cart.is_bounded()?;
        Ok(cart)
    }

    /// It has lines, and not too many.
    pub(crate) fn is_bounded(&self) -> Result<(), PriceError> {
        if self.lines.is_empty() {
            return Err(PriceError::mend(
                "lines is empty: write at least one, as in {\"sku\": \"A-1\", \"quantity\": 1}",
            ));
        }
        if self.lines.len() > LINES_MAX {
            let message = format!(
                "a cart has at most {LINES_MAX} lines, and this one {}: ask in parts",
                self.lines.len()
            );
            return Err(PriceError::large(message));
        }
        Ok(())
    }

    pub(crate) fn currency(&self) -> Result<Currency, PriceError> {
        currency(&self.currency)
    }

    /// Of each line that is asked for by its variant, the number; empty where none is.
    pub(crate) fn variants(&self) -> Vec<Option<u64>> {
        if self.lines.iter().all(|line| line.variant.is_none()) {
            return Vec::new();
        }
        self.lines.iter().map(|line| line.variant.as_deref().and_then(variant)).collect()
    }
}

/// As ISO 4217 writes it.
pub(crate) fn currency(code: &str) -> Result<Currency, PriceError> {
    Currency::from_code(code).map_err(|error| PriceError::mend(format!("currency: {error}")))
}

impl CartLine<'_> {
    /// The line as the rules take it, or why it cannot be read. `known`: the SKU of its variant. One that has none is a SKU that no
    /// list has, so that all else that is wrong with the line is told as of any other.
    pub(crate) fn read<'l>(&'l self, known: Option<&'l str>) -> Result<Line<'l>, String> {
        let sku = match (&self.sku, &self.variant) {
            (Some(sku), None) => sku,
            (None, Some(written)) if variant(written).is_some() => {
                known.filter(|sku| !sku.is_empty()).unwrap_or(OF_NO_LIST)
            }
            (None, Some(written)) => {
                return Err(format!(
                    "variant is {written:?}; write Shopify's id, as in \"gid://shopify/ProductVariant/12\", or the number"
                ));
            }
            (Some(_), Some(_)) | (None, None) => return Err(NEITHER.to_owned()),
        };
        line(sku, &self.quantity, self.unit.as_deref())
    }
}

/// In place of the SKU of a variant of which none is known. Not the number that was written: that may well be the SKU of another article.
const OF_NO_LIST: &str = "GID://SHOPIFY/PRODUCTVARIANT/";
const NEITHER: &str = "say sku or variant, one of the two";

/// The number of a variant, as Shopify's id has it or by itself.
pub(crate) fn variant(written: &str) -> Option<u64> {
    let number = written.strip_prefix("gid://shopify/ProductVariant/").unwrap_or(written);
    if number.starts_with('+') { None } else { number.parse().ok() }
}

/// One line of its three texts.
pub(crate) fn line<'a>(sku: &'a str, quantity: &str, unit: Option<&str>) -> Result<Line<'a>, String> {
    let unit =
        unit.map_or_else(|| Ok(Unit::piece()), Unit::from_code).map_err(|error| format!("unit: {error}"))?;
    Ok(Line { sku, quantity: number(quantity)?, unit })
}

fn number(written: &str) -> Result<Decimal, String> {
    parse_exact(written).map_err(|_| format!("quantity is {written:?}; write a number, as in 12 or \"2.5\""))
}

/// Exactly as it stands there: a float would change it.
fn number_or_text<'de: 'a, 'a, D: Deserializer<'de>>(deserializer: D) -> Result<Cow<'a, str>, D::Error> {
    let raw = <&'de RawValue>::deserialize(deserializer)?.get();
    match raw.strip_prefix('"').and_then(|text| text.strip_suffix('"')) {
        // What has escapes in it is no number, and is told as it stands there.
        Some(text) => Ok(Cow::Borrowed(text)),
        None => Ok(Cow::Borrowed(raw)),
    }
}

fn some_number_or_text<'de: 'a, 'a, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Cow<'a, str>>, D::Error> {
    number_or_text(deserializer).map(|written| Some(written).filter(|written| written != "null"))
}

/// `GET /v1/prices/resolve?sku=…&quantity=…&currency=…`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OneLine {
    company_location: Option<String>,
    currency: String,
    at: Option<Timestamp>,
    #[serde(default)]
    why: bool,
    shop: Option<String>,
    sku: Option<String>,
    variant: Option<String>,
    quantity: Option<String>,
    unit: Option<String>,
}

impl OneLine {
    /// Of a storefront's query; what has another name is Shopify's, or the theme's own.
    pub(super) fn of_storefront<'a>(
        pairs: impl Iterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, PriceError> {
        let mut given: BTreeMap<&str, &str> = BTreeMap::new();
        for (name, value) in pairs {
            if given.insert(name, value).is_some() {
                return Err(PriceError::mend(format!("{name} is said twice")));
            }
        }
        let needed = |name: &str| {
            let value = given.get(name).map(|value| (*value).to_owned());
            value.ok_or_else(|| PriceError::mend(format!("{name} is missing")))
        };
        let optional = |name: &str| given.get(name).map(|value| (*value).to_owned());
        if given.contains_key("at") || given.contains_key("why") {
            return Err(PriceError::not_for_storefronts());
        }
        Ok(Self {
            company_location: optional("company_location"),
            currency: needed("currency")?,
            at: None,
            why: false,
            // Shopify signs whose storefront it is.
            shop: None,
            sku: optional("sku"),
            variant: optional("variant"),
            quantity: optional("quantity"),
            unit: optional("unit"),
        })
    }

    /// As a cart of one line; one piece, where no quantity is said.
    pub(super) fn cart(&self) -> Result<Cart<'_>, PriceError> {
        if self.sku.is_some() == self.variant.is_some() {
            return Err(PriceError::mend(NEITHER));
        }
        let quantity = self.quantity.as_deref().unwrap_or("1");
        Ok(Cart {
            company_location: self.company_location.as_deref().map(Cow::Borrowed),
            currency: Cow::Borrowed(&self.currency),
            shop: self.shop.as_deref().map(Cow::Borrowed),
            at: self.at,
            why: self.why,
            lines: vec![CartLine {
                id: None,
                sku: self.sku.as_deref().map(Cow::Borrowed),
                variant: self.variant.as_deref().map(Cow::Borrowed),
                quantity: Cow::Borrowed(quantity),
                unit: self.unit.as_deref().map(Cow::Borrowed),
            }],
        })
    }
}
