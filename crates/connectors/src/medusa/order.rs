//! The wanted order as a mapping makes it: `medusa.order/1` (crates/mapping/schemas/medusa.order.schema.json), typed. Owns its
//! reading and how it goes into Medusa; knows no Medusa.

use super::code;
use kernel::fault::{Fault, FaultKind, Reference};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::Value;

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Order {
    /// The object key; the connector writes it in the places where it looks for it.
    #[serde(rename = "reference")]
    _reference: String,
    pub(super) order_number: Option<String>,
    pub(super) email: Option<String>,
    pub(super) currency: String,
    pub(super) shipping_address: Option<Address>,
    pub(super) billing_address: Option<Address>,
    pub(super) lines: Vec<Line>,
    #[serde(default)]
    pub(super) shipping: Vec<Shipping>,
    pub(super) gross: Decimal,
}

/// As Medusa names its parts.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Address {
    pub(super) first_name: Option<String>,
    pub(super) last_name: Option<String>,
    pub(super) company: Option<String>,
    pub(super) address_1: Option<String>,
    pub(super) address_2: Option<String>,
    pub(super) city: Option<String>,
    pub(super) province: Option<String>,
    pub(super) postal_code: Option<String>,
    pub(super) country_code: Option<String>,
    pub(super) phone: Option<String>,
}

/// `{"$ref": {"kind": "variant", "value": "SKU-0001"}}`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Marker {
    #[serde(rename = "$ref")]
    pub(super) reference: Reference,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Line {
    /// What tells the lines of one order apart for as long as it lives.
    pub(super) line: String,
    /// Absent: a line of words and an amount, which reserves nothing.
    pub(super) variant: Option<Marker>,
    pub(super) title: String,
    pub(super) quantity: Decimal,
    pub(super) unit_price: Decimal,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Shipping {
    pub(super) name: String,
    pub(super) amount: Decimal,
}

impl Order {
    /// What a mapping for this schema always makes; anything else is told and nothing is sent.
    pub(super) fn read(body: &Value) -> Result<Self, Fault> {
        let refused = |what: String| {
            let what = format!(
                "the mapping's result is no medusa.order/1 ({what}): nothing was sent; correct the mapping"
            );
            Fault::new(FaultKind::Rejected, code::BODY, what)
        };
        let order = Self::deserialize(body).map_err(|error| refused(error.to_string()))?;
        let mut names: Vec<&str> = order.lines.iter().map(|line| line.line.as_str()).collect();
        names.sort_unstable();
        if let Some(twice) = names.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(refused(format!("two lines are both named {:?}", twice[0])));
        }
        match order
            .lines
            .iter()
            .find(|line| number(line.quantity).is_none() || number(line.unit_price).is_none())
        {
            Some(line) => {
                Err(refused(format!("line {:?} has a number with more digits than Medusa holds", line.line)))
            }
            None => Ok(order),
        }
    }

    pub(super) fn currency(&self) -> String {
        self.currency.to_ascii_lowercase()
    }
}

impl Line {
    pub(super) fn sku(&self) -> Option<&str> {
        self.variant.as_ref().map(|variant| variant.reference.value.as_str())
    }
}

impl Address {
    /// With every part, so that what the order no longer has is taken out, and the country as Medusa writes it.
    pub(super) fn written(&self) -> Self {
        let clean =
            |part: &Option<String>| Some(part.as_deref().map(str::trim).unwrap_or_default().to_owned());
        Self {
            first_name: clean(&self.first_name),
            last_name: clean(&self.last_name),
            company: clean(&self.company),
            address_1: clean(&self.address_1),
            address_2: clean(&self.address_2),
            city: clean(&self.city),
            province: clean(&self.province),
            postal_code: clean(&self.postal_code),
            country_code: clean(&self.country_code).map(|code| code.to_ascii_lowercase()),
            phone: clean(&self.phone),
        }
    }
}

/// A decimal as the JSON number that an edit takes; `None` where a float cannot hold it.
pub(super) fn number(amount: Decimal) -> Option<Value> {
    let read: f64 = amount.normalize().to_string().parse().ok()?;
    let number =
        if amount.is_integer() { Value::from(i64::try_from(amount).ok()?) } else { Value::from(read) };
    let held = number.to_string();
    let held = Decimal::from_str_exact(&held).or_else(|_| Decimal::from_scientific(&held)).ok()?;
    (held == amount).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_written_exactly_or_not_at_all() {
        for text in ["9.1234", "2", "0", "0.000001", "1234567.891234", "-1.5"] {
            let amount: Decimal = text.parse().unwrap();
            assert_eq!(
                number(amount).unwrap().to_string().parse::<Decimal>().ok().or(Some(amount)),
                Some(amount),
                "{text}"
            );
        }
        assert_eq!(number("2.0".parse().unwrap()), Some(Value::from(2)));
        assert_eq!(number("0.12345678901234567890123".parse().unwrap()), None);
    }
}
