//! Tables for money: spelling, exactness, rounding, allocation.

use rust_decimal::Decimal;

use super::*;

fn money(text: &str, currency: &str) -> Money {
    Money::parse(text, currency.parse().unwrap()).unwrap()
}

#[test]
fn currencies_are_sorted_and_have_0_2_3_or_4_decimals() {
    let codes: Vec<_> = Currency::all().map(Currency::code).collect();
    let mut sorted = codes.clone();
    sorted.sort_unstable();
    sorted.dedup();
    assert_eq!(codes, sorted);
    for currency in Currency::all() {
        assert!(matches!(currency.minor_digits(), 0 | 2 | 3 | 4));
        assert_eq!(currency.code().parse(), Ok(currency));
    }
    for (code, digits) in [("JPY", 0), ("EUR", 2), ("KWD", 3), ("CLF", 4), ("VND", 0), ("TND", 3)] {
        assert_eq!(Currency::from_code(code).unwrap().minor_digits(), digits, "{code}");
    }
    for unknown in ["eur", "EU", "XXX", "", "EURO", "example string"] {
        assert!(matches!(Currency::from_code(unknown), Err(MoneyError::UnknownCurrency(_))), "{unknown}");
    }
}

#[test]
fn amounts_are_read_exactly_and_spelled_by_the_currency() {
    for (text, currency, spelled) in [
        ("12.3", "EUR", "12.30"),
        ("12.300", "EUR", "12.30"),
        ("12.345", "EUR", "12.345"),
        ("5900.0", "JPY", "5900"),
        ("1.5", "KWD", "1.500"),
        ("107.7", "MGA", "107.70"),
        ("-0.00", "EUR", "0.00"),
        ("007", "EUR", "7.00"),
        ("1.5e3", "EUR", "1500.00"),
        ("15E-1", "EUR", "1.50"),
        ("0e999999", "EUR", "0.00"),
        ("999999999999999999.99", "EUR", "999999999999999999.99"),
        ("0.1000000000000000055", "EUR", "0.1000000000000000055"),
        ("10000000000", "JPY", "10000000000"),
    ] {
        assert_eq!(money(text, currency).amount_text(), spelled, "{text} {currency}");
    }
}

#[test]
fn what_is_no_amount_is_refused_with_its_reason() {
    for text in
        ["", " 1", "1 ", "+1", "1,5", "1.", ".5", "1.2.3", "NaN", "Infinity", "--1", "1e", "1e+", "0x1", "١"]
    {
        assert_eq!(parse_exact(text), Err(MoneyError::NotDecimal(text.into())), "{text}");
    }
    for text in
        ["1e400", "1e99999999999999999999", "1000000000000000000", "1e-40", "0.00000000000000000000000000001"]
    {
        assert_eq!(parse_exact(text), Err(MoneyError::OutOfRange(text.into())), "{text}");
    }
    let long = "9".repeat(10_000);
    assert!(parse_exact(&long).unwrap_err().to_string().len() < 200);
}

#[test]
fn arithmetic_refuses_to_mix_currencies_and_to_round() {
    let (euro, yen) = (money("1.10", "EUR"), money("1", "JPY"));
    assert!(matches!(euro.checked_add(yen), Err(MoneyError::MixedCurrencies(..))));
    assert!(matches!(euro.checked_cmp(yen), Err(MoneyError::MixedCurrencies(..))));
    assert_eq!(euro.checked_add(money("2.2", "EUR")).unwrap(), money("3.3", "EUR"));
    assert_eq!(euro.checked_sub(money("2.2", "EUR")).unwrap(), money("-1.1", "EUR"));
    assert_eq!(euro.checked_mul(Decimal::from(7000)).unwrap(), money("7700", "EUR"));
    let fine = money("0.0000000000000000000000000001", "EUR");
    assert_eq!(fine.checked_mul(money("0.1", "EUR").amount()), Err(MoneyError::Inexact));
    assert_eq!(money("999999999999999999", "EUR").checked_add(fine), Err(MoneyError::Inexact));
}

#[test]
fn rounding_follows_the_rule_and_the_minor_unit() {
    for (text, currency, half_up, half_even) in [
        ("0.125", "EUR", "0.13", "0.12"),
        ("0.135", "EUR", "0.14", "0.14"),
        ("-0.125", "EUR", "-0.13", "-0.12"),
        ("0.5", "JPY", "1", "0"),
        ("1.0005", "KWD", "1.001", "1.000"),
        ("0.12345", "CLF", "0.1235", "0.1234"),
    ] {
        assert_eq!(money(text, currency).round(Rounding::HalfUp).amount_text(), half_up, "{text}");
        assert_eq!(money(text, currency).round(Rounding::HalfEven).amount_text(), half_even, "{text}");
    }
    assert!(money("10.004", "EUR").agrees_with(money("10.00", "EUR")).unwrap());
    assert!(!money("10.01", "EUR").agrees_with(money("10.00", "EUR")).unwrap());
}

#[test]
fn allocation_keeps_the_rounding() {
    let weights = |all: &[i64]| all.iter().copied().map(Decimal::from).collect::<Vec<_>>();
    for (amount, currency, over, parts) in [
        ("10.00", "EUR", vec![1, 1, 1], vec!["3.34", "3.33", "3.33"]),
        ("-10.00", "EUR", vec![1, 1, 1], vec!["-3.34", "-3.33", "-3.33"]),
        ("0.01", "EUR", vec![1, 1, 5], vec!["0.00", "0.00", "0.01"]),
        ("100", "JPY", vec![2, 1], vec!["67", "33"]),
        ("1.000", "KWD", vec![1, 2], vec!["0.333", "0.667"]),
        ("0.00", "EUR", vec![1, 0], vec!["0.00", "0.00"]),
        ("0.005", "EUR", vec![1, 1], vec!["0.003", "0.002"]),
    ] {
        let whole = money(amount, currency);
        let split = whole.allocate(&weights(&over)).unwrap();
        assert_eq!(split.iter().map(|part| part.amount_text()).collect::<Vec<_>>(), parts, "{amount}");
        assert_eq!(Money::sum(whole.currency(), split).unwrap(), whole);
    }
    for bad in [vec![], vec![0, 0], vec![1, -1], vec![-1]] {
        assert_eq!(money("1", "EUR").allocate(&weights(&bad)), Err(MoneyError::NoWeights), "{bad:?}");
    }
}

#[test]
fn json_is_two_strings_and_nothing_else() {
    let json = serde_json::to_string(&money("12.3", "EUR")).unwrap();
    assert_eq!(json, r#"{"amount":"12.30","currency":"EUR"}"#);
    assert_eq!(serde_json::from_str::<Money>(&json).unwrap(), money("12.3", "EUR"));
    for bad in [
        r#"{"amount":12.3,"currency":"EUR"}"#,
        r#"{"amount":"12.3","currency":"eur"}"#,
        r#"{"amount":"1e400","currency":"EUR"}"#,
        r#"{"amount":"1","currency":"EUR","x":1}"#,
        r#"{"amount":"1"}"#,
    ] {
        assert!(serde_json::from_str::<Money>(bad).is_err(), "{bad}");
    }
    let bag = MoneyBag::new(ShopMoney::new(money("1", "EUR")), PresentmentMoney::new(money("150", "JPY")));
    assert_eq!(
        serde_json::to_string(&bag).unwrap(),
        r#"{"shop":{"amount":"1.00","currency":"EUR"},"presentment":{"amount":"150","currency":"JPY"}}"#
    );
    assert_eq!(serde_json::from_str::<MoneyBag>(&serde_json::to_string(&bag).unwrap()).unwrap(), bag);
}
