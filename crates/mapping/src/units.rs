//! Units of measure by their UN/ECE Recommendation 20 codes, with exact factors to the base unit of their kind.
//! It converts within a kind; pieces and packs are a matter of the product, and of a table.

use rust_decimal::Decimal;

/// A unit: its code, its kind, and how many base units it is, as a fraction of whole numbers.
struct Unit {
    code: &'static str,
    kind: &'static str,
    numerator: i64,
    denominator: i64,
}

const fn unit(code: &'static str, kind: &'static str, numerator: i64, denominator: i64) -> Unit {
    Unit { code, kind, numerator, denominator }
}

/// International yard and pound (1959): 0.9144 m and 0.453 592 37 kg. US gallon: 231 cubic inches.
const UNITS: &[Unit] = &[
    unit("MGM", "mass", 1, 1_000),
    unit("GRM", "mass", 1, 1),
    unit("KGM", "mass", 1_000, 1),
    unit("TNE", "mass", 1_000_000, 1),
    unit("ONZ", "mass", 45_359_237, 1_600_000),
    unit("LBR", "mass", 45_359_237, 100_000),
    unit("MMT", "length", 1, 1_000),
    unit("CMT", "length", 1, 100),
    unit("MTR", "length", 1, 1),
    unit("KMT", "length", 1_000, 1),
    unit("INH", "length", 254, 10_000),
    unit("FOT", "length", 3_048, 10_000),
    unit("YRD", "length", 9_144, 10_000),
    unit("MMK", "area", 1, 1_000_000),
    unit("CMK", "area", 1, 10_000),
    unit("MTK", "area", 1, 1),
    unit("FTK", "area", 9_290_304, 100_000_000),
    unit("MLT", "volume", 1, 1_000),
    unit("CLT", "volume", 1, 100),
    unit("LTR", "volume", 1, 1),
    unit("MTQ", "volume", 1_000, 1),
    unit("GLL", "volume", 3_785_411_784, 1_000_000_000),
    unit("C62", "count", 1, 1),
    unit("H87", "count", 1, 1),
    unit("PR", "count", 2, 1),
    unit("DZN", "count", 12, 1),
    unit("GRO", "count", 144, 1),
    unit("SEC", "time", 1, 1),
    unit("MIN", "time", 60, 1),
    unit("HUR", "time", 3_600, 1),
    unit("DAY", "time", 86_400, 1),
];

/// Every code, for suggestions.
pub(crate) fn codes() -> impl Iterator<Item = &'static str> + Clone {
    UNITS.iter().map(|unit| unit.code)
}

/// By which fraction a quantity is multiplied; the error says what does not go together.
pub(crate) fn factor(from: &str, to: &str) -> Result<(Decimal, Decimal), String> {
    let find = |code: &str| UNITS.iter().find(|unit| unit.code == code).ok_or_else(|| code.to_owned());
    let (from, to) = (find(from)?, find(to)?);
    if from.kind != to.kind {
        return Err(format!("{} is {} and {} is {}", from.code, from.kind, to.code, to.kind));
    }
    let numerator = i128::from(from.numerator) * i128::from(to.denominator);
    let denominator = i128::from(from.denominator) * i128::from(to.numerator);
    let divisor = greatest_common_divisor(numerator, denominator);
    Ok((
        Decimal::from_i128_with_scale(numerator / divisor, 0),
        Decimal::from_i128_with_scale(denominator / divisor, 0),
    ))
}

fn greatest_common_divisor(a: i128, b: i128) -> i128 {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}

/// True if dividing by this always ends: its only prime factors are 2 and 5.
pub(crate) fn divides_evenly(denominator: Decimal) -> bool {
    let mut rest = denominator.normalize().mantissa();
    for prime in [2, 5] {
        while rest != 0 && rest % prime == 0 {
            rest /= prime;
        }
    }
    rest == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn factors_are_exact() {
        for (from, to, numerator, denominator) in [
            ("KGM", "GRM", "1000", "1"),
            ("GRM", "KGM", "1", "1000"),
            ("LBR", "KGM", "45359237", "100000000"),
            ("DZN", "H87", "12", "1"),
            ("FOT", "INH", "12", "1"),
            ("HUR", "DAY", "1", "24"),
        ] {
            let (n, d) = factor(from, to).unwrap();
            assert_eq!(
                (n.to_string().as_str(), d.to_string().as_str()),
                (numerator, denominator),
                "{from} → {to}"
            );
        }
        assert!(factor("KGM", "LTR").unwrap_err().contains("mass"));
        assert_eq!(factor("KILO", "LTR").unwrap_err(), "KILO");
    }

    #[test]
    fn a_day_of_hours_does_not_divide_evenly_and_a_thousand_does() {
        assert!(!divides_evenly(Decimal::from(24)));
        assert!(divides_evenly(Decimal::from(1000)));
        assert!(divides_evenly(Decimal::ONE));
    }
}
