//! Exact decimals: parsing that loses nothing, and arithmetic that fails rather than rounds.

use rust_decimal::Decimal;

use super::MoneyError;

const DIGITS_MAX: usize = 28;
const INTEGER_DIGITS_MAX: i64 = 18;

/// Reads `12.30`, `-5`, `1.5e3`: the grammar of a JSON number, also with leading zeros, since amounts arrive as
/// strings too. NaN, infinities, blanks, signs other than `-` and everything out of range are refused.
pub fn parse_exact(text: &str) -> Result<Decimal, MoneyError> {
    let not_decimal = || MoneyError::NotDecimal(excerpt(text));
    let (negative, unsigned) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (mantissa, exponent) = match unsigned.find(['e', 'E']) {
        Some(at) => (&unsigned[..at], parse_exponent(&unsigned[at + 1..]).ok_or_else(not_decimal)?),
        None => (unsigned, 0),
    };
    let (integer, fraction) = match mantissa.split_once('.') {
        Some((_, "")) => return Err(not_decimal()),
        Some((integer, fraction)) => (integer, fraction),
        None => (mantissa, ""),
    };
    if integer.is_empty() || !integer.bytes().chain(fraction.bytes()).all(|b| b.is_ascii_digit()) {
        return Err(not_decimal());
    }
    assemble(integer, fraction, exponent, negative).ok_or_else(|| MoneyError::OutOfRange(excerpt(text)))
}

/// Digits and exponent to a decimal; `None` when it does not fit exactly.
fn assemble(integer: &str, fraction: &str, exponent: i64, negative: bool) -> Option<Decimal> {
    let fraction = fraction.trim_end_matches('0');
    let digits: Vec<u8> = integer.bytes().chain(fraction.bytes()).skip_while(|b| *b == b'0').collect();
    if digits.is_empty() {
        return Some(Decimal::ZERO);
    }
    if digits.len() > DIGITS_MAX + 18 {
        return None;
    }
    // value = digits × 10^-scale; trailing zeros of the digits are taken into the scale.
    let zeros = digits.iter().rev().take_while(|b| **b == b'0').count();
    let significant = &digits[..digits.len() - zeros];
    let scale = i64::try_from(fraction.len()).ok()? - exponent - i64::try_from(zeros).ok()?;
    let length = i64::try_from(significant.len()).ok()?;
    if length - scale > INTEGER_DIGITS_MAX || scale > DIGITS_MAX as i64 || significant.len() > DIGITS_MAX {
        return None;
    }
    let mut value: i128 = significant.iter().fold(0, |sum, b| sum * 10 + i128::from(b - b'0'));
    let mut scale = scale;
    while scale < 0 {
        value = value.checked_mul(10)?;
        scale += 1;
    }
    if negative {
        value = -value;
    }
    Decimal::try_from_i128_with_scale(value, u32::try_from(scale).ok()?).ok()
}

fn parse_exponent(text: &str) -> Option<i64> {
    let (sign, digits) = match text.as_bytes().first()? {
        b'-' => (-1, &text[1..]),
        b'+' => (1, &text[1..]),
        _ => (1, text),
    };
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    // An exponent that does not fit is out of range, not malformed: clamp it and let the range check speak.
    const CLAMP: i64 = 1_000_000;
    let digits = digits.trim_start_matches('0');
    let magnitude = if digits.is_empty() { 0 } else { digits.parse().unwrap_or(CLAMP).min(CLAMP) };
    Some(sign * magnitude)
}

/// Long input is not repeated in an error.
fn excerpt(text: &str) -> String {
    const SHOWN: usize = 40;
    if text.chars().count() <= SHOWN {
        text.to_owned()
    } else {
        text.chars().take(SHOWN).chain(['…']).collect()
    }
}

/// `a + b`, or an error where the decimal type would have to round.
pub fn exact_add(a: Decimal, b: Decimal) -> Result<Decimal, MoneyError> {
    let sum = a.checked_add(b).ok_or(MoneyError::Inexact)?;
    let wanted = a.normalize().scale().max(b.normalize().scale());
    if !sum.is_zero() && sum.scale() < wanted { Err(MoneyError::Inexact) } else { Ok(sum) }
}

/// `a − b`, or an error where the decimal type would have to round.
pub fn exact_sub(a: Decimal, b: Decimal) -> Result<Decimal, MoneyError> {
    exact_add(a, -b)
}

/// `a × b`, or an error where the decimal type would have to round.
pub fn exact_mul(a: Decimal, b: Decimal) -> Result<Decimal, MoneyError> {
    let (a, b) = (a.normalize(), b.normalize());
    if a.is_zero() || b.is_zero() {
        return Ok(Decimal::ZERO);
    }
    let product = a.checked_mul(b).ok_or(MoneyError::Inexact)?;
    if product.scale() < a.scale() + b.scale() { Err(MoneyError::Inexact) } else { Ok(product) }
}
