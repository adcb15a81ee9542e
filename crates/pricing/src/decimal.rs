//! Exact steps of a price's derivation. Owns the one rounded step that the rules allow on the way: a × b ÷ c to 8 decimals,
//! a half up. Refuses to round anything else, and answers "does not fit" where 28 digits are not enough.

use kernel::money::{exact_add, exact_mul};
use rust_decimal::Decimal;

/// To how many decimals a unit price is kept between two steps.
pub const WORKING_DECIMALS: u32 = 8;

/// A value on the way needed more than 28 digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an amount on the way has more than 28 digits")]
pub struct OutOfRange;

/// a × b ÷ c, to 8 decimals, a half away from zero. None of them is negative; `c` is not zero.
///
/// # Errors
/// More digits on the way than 128 bits hold.
pub fn mul_div(a: Decimal, b: Decimal, c: Decimal) -> Result<Decimal, OutOfRange> {
    let (whole, rest, under) = divided(a, b, c)?;
    at_working_decimals(if rest >= under - rest { whole + 1 } else { whole })
}

/// a × b ÷ c, cut behind 8 decimals. None of them is negative; `c` is not zero.
///
/// # Errors
/// More digits on the way than 128 bits hold.
pub fn mul_div_cut(a: Decimal, b: Decimal, c: Decimal) -> Result<Decimal, OutOfRange> {
    divided(a, b, c).and_then(|(whole, ..)| at_working_decimals(whole))
}

fn at_working_decimals(whole: i128) -> Result<Decimal, OutOfRange> {
    Decimal::try_from_i128_with_scale(whole, WORKING_DECIMALS)
        .map(|value| value.normalize())
        .map_err(|_| OutOfRange)
}

/// The quotient in units of the eighth decimal, what is left, and of how much.
fn divided(a: Decimal, b: Decimal, c: Decimal) -> Result<(i128, i128, i128), OutOfRange> {
    let (a, b, c) = (a.normalize(), b.normalize(), c.normalize());
    let power = |exponent: u32| 10_i128.checked_pow(exponent).ok_or(OutOfRange);
    let times = |x: i128, y: i128| x.checked_mul(y).ok_or(OutOfRange);
    let mut over = times(a.mantissa(), b.mantissa())?;
    let mut under = c.mantissa();
    if under == 0 {
        return Err(OutOfRange);
    }
    let (up, down) = (WORKING_DECIMALS + c.scale(), a.scale() + b.scale());
    if up >= down {
        over = times(over, power(up - down)?)?;
    } else {
        under = times(under, power(down - up)?)?;
    }
    Ok((over / under, over % under, under))
}

/// To 8 decimals, a half up.
#[must_use]
pub fn working(value: Decimal) -> Decimal {
    value
        .round_dp_with_strategy(WORKING_DECIMALS, rust_decimal::RoundingStrategy::MidpointAwayFromZero)
        .normalize()
}

/// # Errors
/// A product that 28 digits do not hold.
pub fn product(a: Decimal, b: Decimal) -> Result<Decimal, OutOfRange> {
    if let (Ok(of_a), Ok(of_b)) = (u32::try_from(a.mantissa()), u32::try_from(b.mantissa())) {
        // Nine digits each, as most have them, cannot be too many.
        let digits = u64::from(of_a) * u64::from(of_b);
        let scale = a.scale() + b.scale();
        if scale <= Decimal::MAX_SCALE {
            return Ok(Decimal::from_parts(digits as u32, (digits >> 32) as u32, 0, false, scale));
        }
    }
    exact_mul(a, b).map_err(|_| OutOfRange)
}

/// # Errors
/// A sum that 28 digits do not hold.
pub fn sum(a: Decimal, b: Decimal) -> Result<Decimal, OutOfRange> {
    if a.is_zero() { Ok(b) } else { exact_add(a, b).map_err(|_| OutOfRange) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::money::parse_exact;

    #[test]
    fn a_half_of_the_eighth_decimal_goes_up() {
        let rows = [
            ("10", "1", "3", "3.33333333"),
            ("20", "1", "3", "6.66666667"),
            ("0.00000001", "1", "2", "0.00000001"),
            ("0.00000001", "4", "10", "0"),
            ("19.99", "90", "100", "17.991"),
            ("9.1234", "12", "1", "109.4808"),
            ("0", "5", "7", "0"),
        ];
        for (a, b, c, expected) in rows {
            let [a, b, c, expected] = [a, b, c, expected].map(|text| parse_exact(text).unwrap());
            assert_eq!(mul_div(a, b, c), Ok(expected), "{a} × {b} ÷ {c}");
        }
    }

    #[test]
    fn short_numbers_are_multiplied_and_added_as_long_ones_are() {
        let rows = ["0", "0.00", "1", "4.75", "0.000001", "4294967295", "4294967296", "429.4967295", "-2.5"];
        let numbers = rows.map(|text| text.parse::<Decimal>().unwrap());
        for a in numbers {
            for b in numbers {
                assert_eq!(product(a, b), exact_mul(a, b).map_err(|_| OutOfRange), "{a} × {b}");
                assert_eq!(sum(a, b), exact_add(a, b).map_err(|_| OutOfRange), "{a} + {b}");
            }
        }
        let tiny = Decimal::new(3, 15);
        assert_eq!(product(tiny, tiny), Err(OutOfRange));
    }

    #[test]
    fn what_does_not_fit_is_said() {
        let large = Decimal::MAX;
        assert_eq!(mul_div(large, large, Decimal::ONE), Err(OutOfRange));
        assert_eq!(mul_div(Decimal::ONE, Decimal::ONE, Decimal::ZERO), Err(OutOfRange));
    }
}
