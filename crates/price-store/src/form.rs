//! A price as text: in the journal, in answers of the API, in NDJSON files. Owns that form, in which amounts are texts and
//! instants have their offset; what it says is judged by [`pricing::Price::new`].

use jiff::Timestamp;
use jiff::tz::TimeZone;
use kernel::money::parse_exact;
use kernel::quantity::Unit;
use pricing::{Price, Tier, Validity, Window};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A plain amount, or windows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum PriceForm {
    Plain(String),
    Windows(Vec<WindowForm>),
}

/// One validity of a price. An end that is written as a date counts as a whole day, an instant is the first that does not
/// count.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WindowForm {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_from: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_until: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// Minimum quantity and unit price.
    pub tiers: Vec<[String; 2]>,
}

impl From<&Price> for PriceForm {
    fn from(price: &Price) -> Self {
        match price {
            Price::Plain(amount) => Self::Plain(amount.to_string()),
            Price::Windows(windows) => Self::Windows(windows.iter().map(WindowForm::from).collect()),
        }
    }
}

impl From<&Window> for WindowForm {
    fn from(window: &Window) -> Self {
        let text = |second: Option<i64>| {
            second.map(|second| {
                Timestamp::from_second(second).map_or_else(|_| second.to_string(), |at| at.to_string())
            })
        };
        Self {
            valid_from: text(window.validity.from_s),
            valid_until: text(window.validity.until_s),
            unit: window.unit.as_ref().map(|unit| unit.code().to_owned()),
            tiers: window
                .tiers
                .iter()
                .map(|tier| [tier.minimum.to_string(), tier.amount.to_string()])
                .collect(),
        }
    }
}

/// In a few words: `5, 4.5 from 10 per CS since 2027-01-01T00:00:00Z`.
impl fmt::Display for PriceForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plain(amount) => f.write_str(amount),
            Self::Windows(windows) => {
                let windows: Vec<String> = windows.iter().map(ToString::to_string).collect();
                f.write_str(&windows.join("; "))
            }
        }
    }
}

impl fmt::Display for WindowForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tier = |[minimum, amount]: &[String; 2]| match minimum.as_str() {
            "0" | "1" => amount.clone(),
            minimum => format!("{amount} from {minimum}"),
        };
        f.write_str(&self.tiers.iter().map(tier).collect::<Vec<_>>().join(", "))?;
        for (word, part) in [("per", &self.unit), ("since", &self.valid_from), ("until", &self.valid_until)] {
            if let Some(part) = part {
                write!(f, " {word} {part}")?;
            }
        }
        Ok(())
    }
}

impl PriceForm {
    /// `zone`: whose days dates without an offset are.
    ///
    /// # Errors
    /// What is wrong with it, for a person.
    pub fn read(&self, zone: &TimeZone) -> Result<Price, String> {
        match self {
            Self::Plain(amount) => Price::plain(number(amount)?).map_err(|fault| fault.to_string()),
            Self::Windows(windows) => {
                let windows: Result<Vec<Window>, String> =
                    windows.iter().map(|form| form.read(zone)).collect();
                Price::new(windows?).map_err(|fault| fault.to_string())
            }
        }
    }
}

impl WindowForm {
    fn read(&self, zone: &TimeZone) -> Result<Window, String> {
        let validity = Validity::parse(self.valid_from.as_deref(), self.valid_until.as_deref(), zone)
            .map_err(|fault| fault.to_string())?;
        let unit = self.unit.as_deref().map(unit).transpose()?;
        let tiers: Result<Vec<Tier>, String> = self
            .tiers
            .iter()
            .map(|[minimum, amount]| Ok(Tier { minimum: number(minimum)?, amount: number(amount)? }))
            .collect();
        Ok(Window { validity, unit, tiers: tiers? })
    }
}

pub(crate) fn number(text: &str) -> Result<rust_decimal::Decimal, String> {
    let text = text.trim();
    parse_exact(text).map_err(|_| {
        let shown: String = text.chars().take(40).collect();
        format!("'{shown}' is no number: digits, with a point before the decimals, such as 1234.50")
    })
}

pub(crate) fn unit(text: &str) -> Result<Unit, String> {
    Unit::from_code(text.trim()).map_err(|fault| fault.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_price_is_told_in_a_few_words() {
        let told = |text: &str| serde_json::from_str::<PriceForm>(text).unwrap().to_string();
        assert_eq!(told(r#""4.75""#), "4.75");
        let windows = r#"[{"tiers": [["1", "5"], ["10", "4.5"]], "unit": "CS"},
            {"tiers": [["0", "4"]], "valid_from": "2027-01-01T00:00:00Z"}]"#;
        assert_eq!(told(windows), "5, 4.5 from 10 per CS; 4 since 2027-01-01T00:00:00Z");
    }

    #[test]
    fn what_is_written_is_read_again_and_what_is_no_price_is_told() {
        for text in [
            r#""4.75""#,
            r#"[{"valid_until":"2026-12-01T00:00:00Z","unit":"CS","tiers":[["1","5"],["10","4.5"]]}]"#,
        ] {
            let form: PriceForm = serde_json::from_str(text).unwrap();
            let price = form.read(&TimeZone::UTC).unwrap();
            assert_eq!(serde_json::to_string(&PriceForm::from(&price)).unwrap(), text);
        }
        let fault =
            |text: &str| serde_json::from_str::<PriceForm>(text).unwrap().read(&TimeZone::UTC).unwrap_err();
        assert!(fault(r#""4,75""#).starts_with("'4,75' is no number"));
        assert!(fault("[]").contains("without any price"));
    }
}
