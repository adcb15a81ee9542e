//! Reads the values that documents of terms have in common. Each says for a person what it would have read.

use super::super::faults::Faults;
use crate::audience::Audience;
use crate::document::{State, Texts};
use crate::price::{QUANTITY_DECIMALS_MAX, QUANTITY_MAX, amount_of};
use crate::validity::Validity;
use jiff::tz::TimeZone;
use kernel::money::parse_exact;
use rust_decimal::Decimal;

/// Ids are shown, compared by their bytes and written into files.
const ID_CHARS_MAX: usize = 200;
const PERCENT_DECIMALS_MAX: u32 = 4;

pub(super) fn id(text: &str) -> Result<(), String> {
    if text.is_empty() || text.trim() != text || text.chars().any(char::is_control) {
        return Err(format!("'{text}' is no id: one without blanks around it"));
    }
    if text.chars().count() > ID_CHARS_MAX {
        return Err(format!("an id has at most {ID_CHARS_MAX} characters"));
    }
    Ok(())
}

pub(super) fn approved(state: State) -> bool {
    matches!(state, State::Approved)
}

pub(super) fn audiences(texts: &Texts, faults: &mut Faults, place: &dyn Fn() -> String) -> Vec<Audience> {
    if texts.as_slice().is_empty() {
        faults.tell(place(), "it is for nobody: write everyone, or name somebody");
    }
    texts.as_slice().iter().filter_map(|text| faults.keep(place, Audience::parse(text))).collect()
}

pub(super) fn validity(
    from: Option<&str>,
    until: Option<&str>,
    zone: &TimeZone,
    faults: &mut Faults,
    place: &dyn Fn(&str) -> String,
) -> Validity {
    let field = if from.is_some() { "valid_from" } else { "valid_until" };
    faults.keep(|| place(field), Validity::parse(from, until, zone)).unwrap_or(Validity::ALWAYS)
}

fn number(text: &str) -> Result<Decimal, String> {
    parse_exact(text.trim()).map_err(|fault| fault.to_string())
}

pub(super) fn amount(text: &str) -> Result<Decimal, String> {
    amount_of(number(text)?).map_err(|fault| fault.to_string())
}

/// More than 0, as quantities are.
pub(super) fn pieces(text: &str) -> Result<Decimal, String> {
    let value = number(text)?.normalize();
    if value > Decimal::ZERO && value <= QUANTITY_MAX && value.scale() <= QUANTITY_DECIMALS_MAX {
        Ok(value)
    } else {
        Err(format!(
            "{value} is no quantity: more than 0, at most {QUANTITY_MAX}, at most {QUANTITY_DECIMALS_MAX} decimals"
        ))
    }
}

/// A part of a hundred: more than 0, at most 100.
pub(super) fn percent_off(text: &str) -> Result<Decimal, String> {
    let value = number(text)?.normalize();
    if value > Decimal::ZERO && value <= Decimal::ONE_HUNDRED && value.scale() <= PERCENT_DECIMALS_MAX {
        Ok(value)
    } else {
        Err(format!(
            "{value} is no percentage off: more than 0, at most 100, at most {PERCENT_DECIMALS_MAX} decimals"
        ))
    }
}

/// 100 and a percentage that may be negative: `-10` is 90.
pub(super) fn of_hundred(text: &str) -> Result<Decimal, String> {
    let value = number(text)?.normalize();
    let fits = value >= -Decimal::ONE_HUNDRED
        && value <= Decimal::ONE_THOUSAND
        && value.scale() <= PERCENT_DECIMALS_MAX;
    if fits {
        Ok((Decimal::ONE_HUNDRED + value).normalize())
    } else {
        Err(format!("{value} is no percentage: -100 to 1000, at most {PERCENT_DECIMALS_MAX} decimals"))
    }
}
