//! Amounts as a shop keeps them: a currency with its minor unit, shop and presentment money side by side, and the
//! two ways of rounding that Shopify shows (each amount to the minor unit; a split whose remainder sits on one share).
//!
//! It refuses floats, and it never converts an amount twice: each elementary amount is rounded in both currencies
//! once, and every total is a sum of those.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Mul, Neg, Sub};

use rust_decimal::{Decimal, RoundingStrategy};

/// A currency of the table below.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Currency {
    code: &'static str,
    minor_units: u32,
}

/// ISO 4217 codes with their number of decimals.
const CURRENCIES: [(&str, u32); 27] = [
    ("EUR", 2),
    ("USD", 2),
    ("GBP", 2),
    ("CHF", 2),
    ("SEK", 2),
    ("PLN", 2),
    ("AED", 2),
    ("AUD", 2),
    ("BRL", 2),
    ("CAD", 2),
    ("CZK", 2),
    ("DKK", 2),
    ("HKD", 2),
    ("ILS", 2),
    ("INR", 2),
    ("MXN", 2),
    ("NOK", 2),
    ("NZD", 2),
    ("RON", 2),
    ("SGD", 2),
    ("ZAR", 2),
    ("JPY", 0),
    ("KRW", 0),
    ("VND", 0),
    ("BHD", 3),
    ("KWD", 3),
    ("TND", 3),
];

impl Currency {
    pub const EUR: Self = Self { code: "EUR", minor_units: 2 };
    pub const USD: Self = Self { code: "USD", minor_units: 2 };
    pub const JPY: Self = Self { code: "JPY", minor_units: 0 };
    pub const BHD: Self = Self { code: "BHD", minor_units: 3 };
    pub const KWD: Self = Self { code: "KWD", minor_units: 3 };

    /// The currency of that ISO 4217 code, if the look-alike knows it.
    pub fn of(code: &str) -> Option<Self> {
        let (code, minor_units) = CURRENCIES.into_iter().find(|(known, _)| *known == code)?;
        Some(Self { code, minor_units })
    }

    pub fn code(self) -> &'static str {
        self.code
    }

    /// 0, 2 or 3.
    pub fn minor_units(self) -> u32 {
        self.minor_units
    }

    /// Half away from zero, to the minor unit.
    pub fn round(self, amount: Decimal) -> Decimal {
        let mut rounded =
            amount.round_dp_with_strategy(self.minor_units, RoundingStrategy::MidpointAwayFromZero);
        rounded.rescale(self.minor_units);
        rounded
    }

    /// `"12.30"`, `"5900"`, `"1.250"`: the decimals of the currency, always.
    pub fn write(self, amount: Decimal) -> String {
        self.round(amount).to_string()
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code)
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code)
    }
}

/// One amount in the shop's currency and in the one that the buyer saw.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MoneyBag {
    pub shop: Decimal,
    pub presentment: Decimal,
}

impl MoneyBag {
    pub const ZERO: Self = Self { shop: Decimal::ZERO, presentment: Decimal::ZERO };

    pub fn is_zero(&self) -> bool {
        self.shop.is_zero() && self.presentment.is_zero()
    }
}

impl Add for MoneyBag {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self { shop: self.shop + other.shop, presentment: self.presentment + other.presentment }
    }
}

impl AddAssign for MoneyBag {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sub for MoneyBag {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self { shop: self.shop - other.shop, presentment: self.presentment - other.presentment }
    }
}

impl Neg for MoneyBag {
    type Output = Self;
    fn neg(self) -> Self {
        Self { shop: -self.shop, presentment: -self.presentment }
    }
}

impl Mul<u32> for MoneyBag {
    type Output = Self;
    fn mul(self, count: u32) -> Self {
        let count = Decimal::from(count);
        Self { shop: self.shop * count, presentment: self.presentment * count }
    }
}

impl Sum for MoneyBag {
    fn sum<I: Iterator<Item = Self>>(bags: I) -> Self {
        bags.fold(Self::ZERO, Add::add)
    }
}

impl<'a> Sum<&'a MoneyBag> for MoneyBag {
    fn sum<I: Iterator<Item = &'a MoneyBag>>(bags: I) -> Self {
        bags.copied().sum()
    }
}

/// The two currencies of one order and the rate between them (presentment units for one shop unit).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Currencies {
    pub shop: Currency,
    pub presentment: Currency,
    pub rate: Decimal,
}

impl Currencies {
    /// Shop and presentment currency are the same: the usual case.
    pub fn single(currency: Currency) -> Self {
        Self { shop: currency, presentment: currency, rate: Decimal::ONE }
    }

    pub fn two(shop: Currency, presentment: Currency, rate: Decimal) -> Self {
        Self { shop, presentment, rate }
    }

    /// An elementary amount, given in shop money, rounded in both currencies.
    pub fn bag(&self, amount: Decimal) -> MoneyBag {
        self.round(MoneyBag { shop: amount, presentment: amount * self.rate })
    }

    pub fn round(&self, bag: MoneyBag) -> MoneyBag {
        MoneyBag { shop: self.shop.round(bag.shop), presentment: self.presentment.round(bag.presentment) }
    }

    /// `part` of `whole` equal shares, rounded. Two calls with growing `part` differ by what the step between them is
    /// worth, so that partial refunds add up to the whole.
    pub fn portion(&self, total: MoneyBag, part: u32, whole: u32) -> MoneyBag {
        if whole == 0 || part >= whole {
            return total;
        }
        let (part, whole) = (Decimal::from(part), Decimal::from(whole));
        self.round(MoneyBag {
            shop: total.shop * part / whole,
            presentment: total.presentment * part / whole,
        })
    }

    /// Splits a discount over weights: each share is rounded, and what is left over sits on the heaviest one.
    pub fn split(&self, total: MoneyBag, weights: &[MoneyBag]) -> Vec<MoneyBag> {
        let shop: Vec<_> = weights.iter().map(|weight| weight.shop).collect();
        let presentment: Vec<_> = weights.iter().map(|weight| weight.presentment).collect();
        split(self.shop, total.shop, &shop)
            .into_iter()
            .zip(split(self.presentment, total.presentment, &presentment))
            .map(|(shop, presentment)| MoneyBag { shop, presentment })
            .collect()
    }
}

fn split(currency: Currency, total: Decimal, weights: &[Decimal]) -> Vec<Decimal> {
    let weight: Decimal = weights.iter().sum();
    if weight.is_zero() {
        return vec![Decimal::ZERO; weights.len()];
    }
    let mut shares: Vec<_> = weights.iter().map(|w| currency.round(total * w / weight)).collect();
    let left_over = total - shares.iter().sum::<Decimal>();
    if let Some(heaviest) = (0..weights.len()).max_by_key(|index| weights[*index]) {
        shares[heaviest] += left_over;
    }
    shares
}

/// A GraphQL `Decimal`: at least one digit after the point, no further trailing zeros than the currency has not.
pub fn graphql_amount(currency: Currency, amount: Decimal) -> String {
    let mut amount = currency.round(amount).normalize();
    if amount.scale() == 0 {
        amount.rescale(1);
    }
    amount.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dec(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    #[test]
    fn a_split_adds_up_and_rounds_on_one_share() {
        let cases = [
            ("EUR", "10.00", "3.33,3.34,3.33"),
            ("JPY", "100", "33,34,33"),
            ("BHD", "1.000", "0.333,0.334,0.333"),
        ];
        for (code, total, shares) in cases {
            let money = Currencies::single(Currency::of(code).unwrap());
            let weights = [dec("5"), dec("5.001"), dec("5")].map(|w| MoneyBag { shop: w, presentment: w });
            let total = money.bag(dec(total));
            let split = money.split(total, &weights);
            assert_eq!(split.iter().sum::<MoneyBag>(), total);
            let written: Vec<_> = split.iter().map(|bag| money.shop.write(bag.shop)).collect();
            assert_eq!(written.join(","), shares, "{code}");
        }
    }

    #[test]
    fn portions_of_a_line_add_up_to_the_whole() {
        let money = Currencies::two(Currency::EUR, Currency::JPY, dec("161.37"));
        let total = money.bag(dec("10.00"));
        let mut taken = MoneyBag::ZERO;
        for part in 1..=7 {
            let step = money.portion(total, part, 7) - money.portion(total, part - 1, 7);
            taken += step;
        }
        assert_eq!(taken, total);
    }

    #[test]
    fn amounts_are_written_with_the_decimals_of_their_currency() {
        assert_eq!(Currency::EUR.write(dec("5")), "5.00");
        assert_eq!(Currency::JPY.write(dec("5900.4")), "5900");
        assert_eq!(Currency::KWD.write(dec("1.25")), "1.250");
        assert_eq!(graphql_amount(Currency::EUR, dec("10")), "10.0");
        assert_eq!(graphql_amount(Currency::EUR, dec("10.50")), "10.5");
        assert_eq!(graphql_amount(Currency::JPY, dec("5900")), "5900.0");
    }
}
