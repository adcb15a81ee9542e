//! Exact numbers of the oracle: a fraction of two whole numbers, always reduced, and the ways to round one. Owns no rule of a
//! price. Refuses to be inexact: what does not fit is [`TooLong`], never something near it.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

/// A value has more digits than the page allows ("more than 28 digits on the way").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TooLong;

/// How a half is rounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Half {
    /// Away from zero.
    Up,
    /// To the even neighbour.
    Even,
}

/// A fraction, reduced; the denominator is positive. 38 digits of an `i128` hold any value of 28 digits beside the factors by
/// which it is changed before it is rounded again.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Number {
    top: i128,
    bottom: i128,
}

impl Number {
    pub(crate) const ZERO: Self = Self { top: 0, bottom: 1 };
    pub(crate) const ONE: Self = Self { top: 1, bottom: 1 };

    pub(crate) fn whole(value: i128) -> Self {
        Self { top: value, bottom: 1 }
    }

    /// `value` × 10^-`decimals`.
    pub(crate) fn scaled(value: i128, decimals: u32) -> Self {
        Self::fraction(value, 10_i128.pow(decimals))
    }

    fn fraction(top: i128, bottom: i128) -> Self {
        let common = divisor(top, bottom);
        Self { top: top / common, bottom: bottom / common }
    }

    pub(crate) fn plus(self, other: Self) -> Result<Self, TooLong> {
        let common = divisor(self.bottom, other.bottom);
        let (mine, theirs) = (other.bottom / common, self.bottom / common);
        let under = self.bottom.checked_mul(mine).ok_or(TooLong)?;
        let left = self.top.checked_mul(mine).ok_or(TooLong)?;
        let right = other.top.checked_mul(theirs).ok_or(TooLong)?;
        Ok(Self::fraction(left.checked_add(right).ok_or(TooLong)?, under))
    }

    pub(crate) fn minus(self, other: Self) -> Result<Self, TooLong> {
        self.plus(Self { top: -other.top, bottom: other.bottom })
    }

    pub(crate) fn times(self, other: Self) -> Result<Self, TooLong> {
        let (first, second) = (divisor(self.top, other.bottom), divisor(other.top, self.bottom));
        Ok(Self {
            top: (self.top / first).checked_mul(other.top / second).ok_or(TooLong)?,
            bottom: (self.bottom / second).checked_mul(other.bottom / first).ok_or(TooLong)?,
        })
    }

    /// `other` is zero only where a mistake was planted: pieces of a unit and quantities are positive.
    pub(crate) fn over(self, other: Self) -> Result<Self, TooLong> {
        if other.is_zero() {
            return Err(TooLong);
        }
        let turned = if other.top < 0 { (-other.bottom, -other.top) } else { (other.bottom, other.top) };
        self.times(Self { top: turned.0, bottom: turned.1 })
    }

    /// The next whole number below, or itself.
    pub(crate) fn floor(self) -> i128 {
        self.top.div_euclid(self.bottom)
    }

    /// The next whole number above, or itself.
    pub(crate) fn ceiling(self) -> i128 {
        -(-self.top).div_euclid(self.bottom)
    }

    pub(crate) fn is_whole(self) -> bool {
        self.bottom == 1
    }

    pub(crate) fn is_zero(self) -> bool {
        self.top == 0
    }

    pub(crate) fn is_above(self, other: Self) -> bool {
        self > other
    }

    /// The nearest whole multiple of `step`; a half by `half`.
    pub(crate) fn to_multiple(self, step: Self, half: Half) -> Result<Self, TooLong> {
        let many = self.over(step)?;
        let below = many.floor();
        let rest = many.minus(Self::whole(below))?;
        let up = match rest.cmp(&Self::fraction(1, 2)) {
            Ordering::Less => false,
            Ordering::Greater => true,
            Ordering::Equal if half == Half::Even => below % 2 != 0,
            // Away from zero: upwards, but for what is negative.
            Ordering::Equal => below >= 0,
        };
        Self::whole(below + i128::from(up)).times(step)
    }

    pub(crate) fn to_decimals(self, decimals: u32, half: Half) -> Result<Self, TooLong> {
        self.to_multiple(Self::scaled(1, decimals), half)
    }

    /// What is behind so many decimals is dropped.
    pub(crate) fn cut(self, decimals: u32) -> Result<Self, TooLong> {
        let step = Self::scaled(1, decimals);
        Self::whole(self.over(step)?.floor()).times(step)
    }

    /// How many decimals it is written with; none where it has no end.
    pub(crate) fn decimals(self) -> Option<u32> {
        let (mut rest, mut twos, mut fives) = (self.bottom, 0, 0);
        while rest % 2 == 0 {
            (rest, twos) = (rest / 2, twos + 1);
        }
        while rest % 5 == 0 {
            (rest, fives) = (rest / 5, fives + 1);
        }
        (rest == 1).then_some(twos.max(fives))
    }

    /// Itself, if it is written with at most 28 digits.
    pub(crate) fn in_range(self) -> Result<Self, TooLong> {
        const MOST: i128 = 10_i128.pow(28);
        let decimals = self.decimals().ok_or(TooLong)?;
        let factor = 10_i128.checked_pow(decimals).ok_or(TooLong)? / self.bottom;
        let digits = self.top.checked_mul(factor).ok_or(TooLong)?;
        if digits.abs() < MOST { Ok(self) } else { Err(TooLong) }
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        // Whole parts first, then the parts below one: these are small enough to be multiplied crosswise.
        let (mine, theirs) = (self.floor(), other.floor());
        mine.cmp(&theirs).then_with(|| {
            let left = (self.top - mine * self.bottom).checked_mul(other.bottom);
            let right = (other.top - theirs * other.bottom).checked_mul(self.bottom);
            left.expect("a fraction fits").cmp(&right.expect("a fraction fits"))
        })
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The greatest common divisor, by halving (a division of `i128` is slow, and this is asked all the time).
fn divisor(one: i128, two: i128) -> i128 {
    let (mut one, mut two) = (one.unsigned_abs(), two.unsigned_abs());
    if one == 0 || two == 0 {
        return i128::try_from((one | two).max(1)).expect("it divides an i128");
    }
    if one == 1 || two == 1 {
        return 1;
    }
    let twos = (one | two).trailing_zeros();
    one >>= one.trailing_zeros();
    while two != 0 {
        two >>= two.trailing_zeros();
        if one > two {
            (one, two) = (two, one);
        }
        two -= one;
    }
    i128::try_from(one << twos).expect("it divides an i128")
}

impl fmt::Display for Number {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(decimals) = self.decimals() else {
            return write!(out, "{}/{}", self.top, self.bottom);
        };
        let sign = if self.top < 0 { "-" } else { "" };
        let over = self.top.unsigned_abs();
        let under = self.bottom.unsigned_abs();
        write!(out, "{sign}{}", over / under)?;
        let mut rest = over % under;
        for place in 0..decimals {
            rest *= 10;
            write!(out, "{}{}", if place == 0 { "." } else { "" }, rest / under)?;
            rest %= under;
        }
        Ok(())
    }
}

impl fmt::Debug for Number {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

impl FromStr for Number {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (whole, part) = text.split_once('.').unwrap_or((text, ""));
        let digits = format!("{whole}{part}");
        let value = digits.parse().map_err(|_| format!("{text} is not a decimal number"))?;
        let decimals = u32::try_from(part.len()).map_err(|_| format!("{text} is too long"))?;
        Ok(Self::scaled(value, decimals))
    }
}

#[test]
fn fractions_are_exact_and_halves_go_where_they_should() {
    let number = |text: &str| text.parse::<Number>().expect("a number of the table");
    let third = Number::ONE.over(Number::whole(3)).expect("small");
    assert_eq!(third.plus(third).and_then(|two| two.plus(third)), Ok(Number::ONE));
    assert_eq!(third.decimals(), None);
    assert_eq!(third.cut(8).expect("small").to_string(), "0.33333333");
    for (value, step, up, even) in [
        ("0.125", "0.01", "0.13", "0.12"),
        ("0.135", "0.01", "0.14", "0.14"),
        ("-0.125", "0.01", "-0.13", "-0.12"),
        ("2.5", "1", "3", "2"),
        ("3.5", "1", "4", "4"),
        ("0.075", "0.05", "0.1", "0.1"),
        ("0.125", "0.05", "0.15", "0.1"),
        ("0.1249", "0.05", "0.1", "0.1"),
        ("7", "0.05", "7", "7"),
    ] {
        assert_eq!(number(value).to_multiple(number(step), Half::Up), Ok(number(up)), "{value} up");
        assert_eq!(number(value).to_multiple(number(step), Half::Even), Ok(number(even)), "{value} even");
    }
    assert_eq!(number("9999999999999999999999999999").in_range(), Ok(number("9999999999999999999999999999")));
    assert_eq!(number("10000000000000000000000000000").in_range(), Err(TooLong));
    assert_eq!(number("100000000000000000000.00000001").in_range(), Err(TooLong));
    assert_eq!(number("-12.050").to_string(), "-12.05");
    assert!(number("0.3") < third && third < number("0.34"));
}
