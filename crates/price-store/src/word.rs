//! A price in four bytes, and the bytes beside them where four do not do. Owns that form: it is canonical, so that two prices
//! are equal when their forms are. Refuses what is no price.
//!
//! A word: the top bit clear: three bits of decimals (0 to 6) and 28 bits of digits, so that every amount up to
//! 2,684,354.55 is in it; seven decimals mean *gone*. The top bit set: the other 31 are the place in the side area, where
//! windows, tiers and larger amounts stand.

use kernel::quantity::Unit;
use pricing::price::{PriceFault, Tier, Window, amount_of};
use pricing::{Price, Validity};
use rust_decimal::Decimal;

const DIGITS: u32 = 28;
const DIGITS_MASK: u32 = (1 << DIGITS) - 1;
const SIDE: u32 = 1 << 31;
/// The price was there and is no more: hides what older layers say.
pub(crate) const GONE: u32 = 7 << DIGITS;
/// The side area of one list.
pub(crate) const SIDE_BYTES_MAX: usize = (1 << 31) - 1;

const FROM: u8 = 1;
const UNTIL: u8 = 2;
const UNIT: u8 = 4;

/// What stands at one place of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Value<'a> {
    /// A word whose top bit is clear.
    Plain(u32),
    /// An encoded price, without its length.
    Side(&'a [u8]),
    Gone,
}

impl<'a> Value<'a> {
    /// Of a word and the side area that it may point into. None: it points outside; a checksum has been forged.
    #[inline]
    pub(crate) fn of(word: u32, side: &'a [u8]) -> Option<Self> {
        if word & SIDE != 0 {
            let mut rest = side.get(usize::try_from(word & !SIDE).ok()?..)?;
            let length = usize::try_from(take(&mut rest)?).ok()?;
            return rest.get(..length).map(Self::Side);
        }
        Some(if word == GONE { Self::Gone } else { Self::Plain(word) })
    }

    /// The word, after what it needs beside it is put there. None: the side area is full.
    pub(crate) fn put(self, side: &mut Vec<u8>) -> Option<u32> {
        match self {
            Self::Plain(word) => Some(word),
            Self::Gone => Some(GONE),
            Self::Side(bytes) => {
                let at = side.len();
                if at + bytes.len() + 5 > SIDE_BYTES_MAX {
                    return None;
                }
                give(side, bytes.len() as u64);
                side.extend_from_slice(bytes);
                u32::try_from(at).ok().map(|at| at | SIDE)
            }
        }
    }

    /// None: gone, or bytes that no price was ever written as.
    #[inline]
    pub(crate) fn price(self) -> Option<Price> {
        match self {
            Self::Plain(word) => Some(Price::Plain(plain(word))),
            Self::Gone => None,
            Self::Side(bytes) => decode(bytes),
        }
    }
}

/// A price as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Encoded {
    Plain(u32),
    Side(Vec<u8>),
}

impl Encoded {
    /// # Errors
    /// What no reader of prices would have let through.
    pub(crate) fn of(price: &Price) -> Result<Self, PriceFault> {
        let windows = match price {
            Price::Plain(amount) => return plain_of(*amount),
            Price::Windows(windows) => windows.clone(),
        };
        let windows = match Price::new(windows)? {
            Price::Plain(amount) => return plain_of(amount),
            Price::Windows(windows) => windows,
        };
        let mut bytes = Vec::with_capacity(16 * windows.len());
        give(&mut bytes, windows.len() as u64);
        for window in &windows {
            window_into(&mut bytes, window);
        }
        Ok(Self::Side(bytes))
    }

    pub(crate) fn value(&self) -> Value<'_> {
        match self {
            Self::Plain(word) => Value::Plain(*word),
            Self::Side(bytes) => Value::Side(bytes),
        }
    }
}

fn plain_of(amount: Decimal) -> Result<Encoded, PriceFault> {
    let amount = amount_of(amount)?;
    Ok(match u32::try_from(amount.mantissa()) {
        Ok(digits) if digits <= DIGITS_MASK => Encoded::Plain(amount.scale() << DIGITS | digits),
        _ => {
            let mut bytes = vec![0];
            number_into(&mut bytes, amount);
            Encoded::Side(bytes)
        }
    })
}

#[inline]
fn plain(word: u32) -> Decimal {
    Decimal::from_parts(word & DIGITS_MASK, 0, 0, false, word >> DIGITS)
}

/// The amount of a plain word in millionths: what is compared.
pub(crate) fn micros(word: u32) -> u64 {
    const POWERS: [u64; 8] = [1_000_000, 100_000, 10_000, 1_000, 100, 10, 1, 1];
    u64::from(word & DIGITS_MASK) * POWERS[(word >> DIGITS & 7) as usize]
}

fn window_into(bytes: &mut Vec<u8>, window: &Window) {
    let Validity { from_s, until_s } = window.validity;
    let flag = |is: bool, flag: u8| if is { flag } else { 0 };
    bytes.push(
        flag(from_s.is_some(), FROM) | flag(until_s.is_some(), UNTIL) | flag(window.unit.is_some(), UNIT),
    );
    for second in [from_s, until_s].into_iter().flatten() {
        give(bytes, (second << 1 ^ second >> 63).cast_unsigned());
    }
    if let Some(unit) = &window.unit {
        give(bytes, unit.code().len() as u64);
        bytes.extend_from_slice(unit.code().as_bytes());
    }
    give(bytes, window.tiers.len() as u64);
    for tier in &window.tiers {
        number_into(bytes, tier.minimum);
        number_into(bytes, tier.amount);
    }
}

fn decode(mut bytes: &[u8]) -> Option<Price> {
    let rest = &mut bytes;
    let count = take(rest)?;
    if count == 0 {
        return Some(Price::Plain(number(rest)?));
    }
    let mut windows = Vec::with_capacity(usize::try_from(count).ok()?.min(pricing::price::WINDOWS_MAX));
    for _ in 0..count {
        windows.push(window(rest)?);
    }
    Some(Price::Windows(windows))
}

fn window(rest: &mut &[u8]) -> Option<Window> {
    let (flags, after) = rest.split_first()?;
    *rest = after;
    let from_s = if flags & FROM != 0 { Some(second(rest)?) } else { None };
    let until_s = if flags & UNTIL != 0 { Some(second(rest)?) } else { None };
    let unit = if flags & UNIT != 0 { Some(unit(rest)?) } else { None };
    let count = take(rest)?;
    let mut tiers = Vec::with_capacity(usize::try_from(count).ok()?.min(pricing::price::TIERS_MAX));
    for _ in 0..count {
        tiers.push(Tier { minimum: number(rest)?, amount: number(rest)? });
    }
    Some(Window { validity: Validity { from_s, until_s }, unit, tiers })
}

fn second(rest: &mut &[u8]) -> Option<i64> {
    let zigzag = take(rest)?;
    Some((zigzag >> 1).cast_signed() ^ -((zigzag & 1).cast_signed()))
}

fn unit(rest: &mut &[u8]) -> Option<Unit> {
    let length = usize::try_from(take(rest)?).ok()?;
    let (code, after) = rest.split_at_checked(length)?;
    *rest = after;
    Unit::from_code(std::str::from_utf8(code).ok()?).ok()
}

/// Digits × 8 + decimals: an amount has at most 18 digits, so that it fits.
fn number_into(bytes: &mut Vec<u8>, number: Decimal) {
    let number = number.normalize();
    let digits = u64::try_from(number.mantissa()).unwrap_or_default();
    give(bytes, digits << 3 | u64::from(number.scale() & 7));
}

fn number(rest: &mut &[u8]) -> Option<Decimal> {
    let number = take(rest)?;
    Decimal::try_from_i128_with_scale(i128::from(number >> 3), u32::try_from(number & 7).ok()?).ok()
}

/// Seven bits a byte, the lowest first.
pub(crate) fn give(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push((number & 0x7F) as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

pub(crate) fn take(rest: &mut &[u8]) -> Option<u64> {
    let mut number = 0_u64;
    for shift in (0..64).step_by(7) {
        let (byte, after) = rest.split_first()?;
        *rest = after;
        number |= u64::from(byte & 0x7F) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::money::parse_exact;

    fn back(price: &Price) -> Price {
        let mut side = vec![7; 3];
        let word = Encoded::of(price).unwrap().value().put(&mut side).unwrap();
        Value::of(word, &side).unwrap().price().unwrap()
    }

    #[test]
    fn every_price_comes_back_as_it_was() {
        for text in ["0", "0.000001", "4.75", "2684354.55", "2684354.56", "268435455", "999999999999.999999"]
        {
            let price = Price::plain(parse_exact(text).unwrap()).unwrap();
            assert_eq!(back(&price), price, "{text}");
        }
        let tier = |minimum: &str, amount: &str| Tier {
            minimum: parse_exact(minimum).unwrap(),
            amount: parse_exact(amount).unwrap(),
        };
        let window = |from_s, until_s, unit: Option<&str>, tiers| Window {
            validity: Validity { from_s, until_s },
            unit: unit.map(|code| Unit::from_code(code).unwrap()),
            tiers,
        };
        let price = Price::new(vec![
            window(None, Some(-5), None, vec![tier("1", "3"), tier("10.5", "2.999999")]),
            window(Some(1_798_757_999), None, Some("CS"), vec![tier("1000000000", "999999999999.999999")]),
        ])
        .unwrap();
        assert_eq!(back(&price), price);
    }

    #[test]
    fn a_usual_amount_takes_four_bytes_and_one_amount_has_one_form() {
        let forms = ["4.75", "4.750", "04.7500"].map(|text| {
            Encoded::of(&Price::Plain(parse_exact(text).unwrap_or(Decimal::new(475, 2)))).unwrap()
        });
        assert!(forms.iter().all(|form| *form == forms[0] && matches!(form, Encoded::Plain(_))));
        assert_eq!(
            micros(
                Encoded::of(&Price::Plain(Decimal::new(475, 2)))
                    .map(|e| match e {
                        Encoded::Plain(word) => word,
                        Encoded::Side(_) => 0,
                    })
                    .unwrap()
            ),
            4_750_000
        );
    }

    #[test]
    fn what_is_no_price_is_not_kept() {
        assert!(Encoded::of(&Price::Plain(Decimal::new(-1, 0))).is_err());
        assert!(Encoded::of(&Price::Windows(Vec::new())).is_err());
    }
}
