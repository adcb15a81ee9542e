//! Examples of rules 7 to 10: what is changed, and how it is rounded.

use super::build::{Example, case, gives, list, number, promotion, surcharge};
use super::company;
use crate::model::{Adds, Gives, RoundTo, TierWay};
use crate::number::Half;

/// Rules 7 and 8: surcharges and promotions.
pub(super) fn of_changes() -> Vec<Example> {
    let tens = |quantity: &str| case(quantity).list(list("ALL").tiers("A", &[("1", "10")]));
    let buy = |buy, get, percent: &str| Gives::BuyGet { buy, get, percent: number(percent) };
    vec![
        // 10 × 1.1 = 11, + 6 per case of 12 = 11.5.
        gives(
            "surcharges by priority, an amount per case",
            tens("2")
                .unit(None, "CS", 12)
                .surcharge(surcharge("S", Adds::Amount(number("6"))).with(|it| {
                    (it.unit, it.currency, it.priority) = ("CS".to_owned(), Some("EUR".to_owned()), 1)
                }))
                .surcharge(surcharge("T", Adds::Percent(number("10"))).with(|it| it.priority = 2)),
            "ALL list: 2 × 11.5 = 23, each 11.5, list 10, surcharges T S",
        ),
        // 36, 34 and 36: 1.50 off wins. Then 8.5 × 0.9 = 7.65; 8 would be higher.
        gives(
            "of three that compete the lowest total, then what stacks, and none raises",
            tens("4")
                .promotion(promotion("P1", Gives::PercentOff(number("10"))).with(|it| it.priority = 5))
                .promotion(
                    promotion("P2", Gives::AmountOff(number("1.5")))
                        .with(|it| it.currency = Some("EUR".to_owned())),
                )
                .promotion(
                    promotion("P3", Gives::Fixed(number("9")))
                        .with(|it| it.currency = Some("EUR".to_owned())),
                )
                .promotion(
                    promotion("S1", Gives::PercentOff(number("10")))
                        .with(|it| (it.stacks, it.priority) = (true, 2)),
                )
                .promotion(
                    promotion("S2", Gives::Fixed(number("8")))
                        .with(|it| (it.stacks, it.priority, it.currency) = (true, 1, Some("EUR".to_owned()))),
                ),
            "ALL list: 4 × 7.65 = 30.6, each 7.65, list 10, promotions P2 S1",
        ),
        gives(
            "of equals the higher priority, then the id",
            tens("1")
                .promotion(promotion("P1", Gives::PercentOff(number("10"))))
                .promotion(promotion("P3", Gives::PercentOff(number("10"))).with(|it| it.priority = 1))
                .promotion(promotion("P2", Gives::PercentOff(number("10"))).with(|it| it.priority = 1)),
            "ALL list: 1 × 9 = 9, each 9, list 10, promotions P2",
        ),
        gives(
            "never below zero",
            tens("1").promotion(
                promotion("P", Gives::AmountOff(number("12")))
                    .with(|it| it.currency = Some("EUR".to_owned())),
            ),
            "ALL list: 1 × 0 = 0, each 0, list 10, promotions P",
        ),
        // ⌊10 ÷ 4⌋ × 1 = 2 for nothing: 8 × 10 = 80, ÷ 10 = 8.
        gives(
            "buy three, get one",
            tens("10").promotion(promotion("P", buy(3, 1, "100"))),
            "ALL list: 8 × 10 + 2 × 0 = 80, average 8, list 10, promotions P",
        ),
        gives(
            "buy three, get one of three is nothing",
            tens("3").promotion(promotion("P", buy(3, 1, "100"))),
            "ALL list: 3 × 10 = 30, each 10, list 10",
        ),
        gives(
            "buy and get is nothing to a graduated price of two portions",
            case("10")
                .list(
                    list("ALL")
                        .with(|it| it.tiers = TierWay::Graduated)
                        .tiers("A", &[("1", "10"), ("10", "9")]),
                )
                .promotion(promotion("P", buy(1, 1, "50"))),
            "ALL list: 9 × 10 + 1 × 9 = 99, average 9.9, list 10",
        ),
        // Twenty pieces are 1.66666666 cases: below 2.
        gives(
            "a minimum in the promotion's unit",
            tens("20")
                .unit(None, "CS", 12)
                .promotion(
                    promotion("P", Gives::PercentOff(number("5")))
                        .with(|it| (it.unit, it.minimum) = ("CS".to_owned(), Some(number("2")))),
                )
                .promotion(
                    promotion("Q", Gives::PercentOff(number("2"))).with(|it| it.minimum = Some(number("20"))),
                ),
            "ALL list: 20 × 9.8 = 196, each 9.8, list 10, promotions Q",
        ),
        gives(
            "what combines with list prices alone leaves a contract alone",
            tens("1").list(list("C").contract(company()).tiers("A", &[("1", "9.9")])).promotion(
                promotion("P", Gives::PercentOff(number("5"))).with(|it| it.sources.contract = false),
            ),
            "C contract: 1 × 9.9 = 9.9, each 9.9, list 10",
        ),
    ]
}

/// Rules 9 and 10: the rounding, the total.
pub(super) fn of_rounding() -> Vec<Example> {
    let one = |currency: &str, to, half, quantity: &str, price: &str| {
        let currency = currency.to_owned();
        let priced = list("ALL")
            .with(|it| (it.currency, it.round_to, it.half) = (currency.clone(), to, half))
            .tiers("A", &[("1", price)]);
        case(quantity).with(|it| it.ask.currency.clone_from(&currency)).list(priced)
    };
    let nines = RoundTo::Ending(number("0.99"));
    let fives = RoundTo::Increment(number("0.05"));
    let by_weight = |half| {
        let priced = list("ALL")
            .with(|it| (it.unit, it.tiers, it.half) = ("KGM".to_owned(), TierWay::Graduated, half));
        case("1.5")
            .with(|it| it.ask.unit = "KGM".to_owned())
            .list(priced.tiers("A", &[("0.5", "0.33"), ("1", "0.31")]))
    };
    vec![
        gives(
            "11.49 is as near to 10.99 as to 11.99",
            one("EUR", nines, Half::Up, "1", "11.49"),
            "ALL list: 1 × 11.99 = 11.99, each 11.99, list 11.99",
        ),
        gives(
            "and goes to the even whole part",
            one("EUR", nines, Half::Even, "1", "11.49"),
            "ALL list: 1 × 10.99 = 10.99, each 10.99, list 10.99",
        ),
        gives(
            "which is above from 10.49",
            one("EUR", nines, Half::Even, "1", "10.49"),
            "ALL list: 1 × 10.99 = 10.99, each 10.99, list 10.99",
        ),
        gives(
            "never below the ending itself",
            one("EUR", nines, Half::Up, "2", "0.2"),
            "ALL list: 2 × 0.99 = 1.98, each 0.99, list 0.99",
        ),
        gives(
            "but zero is zero",
            one("EUR", nines, Half::Up, "2", "0"),
            "ALL list: 2 × 0 = 0, each 0, list 0",
        ),
        // 1.125 ÷ 0.05 = 22.5.
        gives(
            "an increment, up",
            one("EUR", fives, Half::Up, "1", "1.125"),
            "ALL list: 1 × 1.15 = 1.15, each 1.15, list 1.15",
        ),
        gives(
            "an increment, to the even multiple",
            one("EUR", fives, Half::Even, "1", "1.125"),
            "ALL list: 1 × 1.1 = 1.1, each 1.1, list 1.1",
        ),
        gives(
            "yen have no decimals",
            one("JPY", RoundTo::Minor, Half::Even, "3", "98.5"),
            "ALL list: 3 × 98 = 294, each 98, list 98",
        ),
        gives(
            "dinars have three",
            one("KWD", RoundTo::Minor, Half::Up, "7", "1.2345"),
            "ALL list: 7 × 1.235 = 8.645, each 1.235, list 1.235",
        ),
        // 1 × 0.33 + 0.5 × 0.31 = 0.485: once, 0.49 up and 0.48 even; ÷ 1.5 = 0.32666667 and 0.32.
        gives(
            "the total is rounded once, up",
            by_weight(Half::Up),
            "ALL list: 1 × 0.33 + 0.5 × 0.31 = 0.49, average 0.32666667, list 0.33",
        ),
        gives(
            "the total is rounded once, even",
            by_weight(Half::Even),
            "ALL list: 1 × 0.33 + 0.5 × 0.31 = 0.48, average 0.32, list 0.33",
        ),
        gives(
            "29 digits are too many",
            one("EUR", RoundTo::Minor, Half::Up, "1000000000", "90000000000000000000"),
            "not priced: range",
        ),
        gives(
            "28 are not",
            one("EUR", RoundTo::Minor, Half::Up, "1000000000", "9000000000000000000"),
            "ALL list: 1000000000 × 9000000000000000000 = 9000000000000000000000000000, each 9000000000000000000, list 9000000000000000000",
        ),
        // The contract's increment is its own, and the list price is rounded to the list's cents: 9.996 is 10.
        gives(
            "the list price is rounded by its own list",
            one("EUR", RoundTo::Minor, Half::Up, "1", "9.996").list(
                list("C").contract(company()).with(|it| it.round_to = fives).tiers("A", &[("1", "5.01")]),
            ),
            "C contract: 1 × 5 = 5, each 5, list 10",
        ),
    ]
}
