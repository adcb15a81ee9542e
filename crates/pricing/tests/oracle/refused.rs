//! What the page says is refused when terms or prices are read: the cases of the comparison have none of it.

use crate::library;
use crate::model::{Adds, Base, Case, For, Gives, List, Moment, Price};
use crate::worked::build::{case, list, number, promotion, surcharge};

fn derived(id: &str, base: &str, percent: &str) -> List {
    list(id).with(|it| it.base = Some(Base { id: base.to_owned(), percent: number(percent) }))
}

fn of(lists: Vec<List>) -> Case {
    lists.into_iter().fold(case("1"), Case::list)
}

/// `B0` has so many bases behind it.
fn chain(bases: usize) -> Case {
    let derived = (0..bases).map(|place| derived(&format!("B{place}"), &format!("B{}", place + 1), "0"));
    of(derived.chain([list(&format!("B{bases}")).tiers("A", &[("1", "10")])]).collect())
}

/// Two windows of one unit, of which the first ends with the second `until` and the other begins with the second `from`.
fn two_windows(until: i64, from: i64) -> Case {
    let one = list("ALL").tiers("A", &[("1", "10")]);
    let mut price: Price = one.prices[0].clone();
    price.windows.push(price.windows[0].clone());
    price.windows[0].valid.until = Some(Moment::Second(until));
    price.windows[1].valid.from = Some(Moment::Second(from));
    of(vec![List { prices: vec![price], ..one }])
}

#[test]
fn what_the_page_refuses_is_refused() {
    let everyone = || list("ALL").tiers("A", &[("1", "10")]);
    let in_dollars = || list("USD").with(|it| it.currency = "USD".to_owned());
    let euros = || Some("EUR".to_owned());
    let refused = [
        ("a base that is not there", of(vec![derived("D", "X", "0")]), "no list 'X'"),
        ("a base in another currency", of(vec![in_dollars(), derived("D", "USD", "0")]), "another currency"),
        (
            "a base with tax of a list without",
            of(vec![everyone().with(|it| it.taxed = true), derived("D", "ALL", "0")]),
            "one is with tax and one without",
        ),
        ("a list that is its own base", of(vec![derived("D", "D", "0")]), "circle"),
        ("a circle of two", of(vec![derived("D", "E", "0"), derived("E", "D", "0")]), "circle"),
        ("nine bases in a chain", chain(9), "more than 8 bases"),
        ("a percentage below -100", of(vec![everyone(), derived("D", "ALL", "-100.01")]), "-100"),
        ("two lists of one id", of(vec![everyone(), everyone()]), "two lists"),
        (
            "a tier that is dearer",
            of(vec![list("ALL").tiers("A", &[("1", "9"), ("5", "10")])]),
            "would cost 10",
        ),
        ("minimums that fall", of(vec![list("ALL").tiers("A", &[("5", "9"), ("1", "8")])]), "rising order"),
        ("validities that overlap by a second", two_windows(501, 500), "overlap"),
        ("a negative price", of(vec![list("ALL").tiers("A", &[("1", "-1")])]), "negative"),
        ("a list for nobody", of(vec![everyone().with(|it| it.whom = vec![])]), "nobody"),
        ("a piece that is twelve pieces", case("1").unit(None, "C62", 12), "piece itself"),
        ("a unit that is two things", case("1").unit(None, "CS", 12).unit(None, "CS", 10), "twice"),
        (
            "a negative surcharge",
            case("1").surcharge(surcharge("S", Adds::Amount(number("-1"))).with(|it| it.currency = euros())),
            "negative",
        ),
        (
            "an amount without a currency",
            case("1").surcharge(surcharge("S", Adds::Amount(number("1")))),
            "currency",
        ),
        (
            "a percentage below nothing",
            case("1").surcharge(surcharge("S", Adds::Percent(number("-101")))),
            "-100",
        ),
        (
            "a fixed price without one",
            case("1").promotion(promotion("P", Gives::Fixed(number("1")))),
            "currency",
        ),
        (
            "more than all off",
            case("1").promotion(promotion("P", Gives::PercentOff(number("101")))),
            "at most 100",
        ),
        (
            "buy none",
            case("1").promotion(promotion("P", Gives::BuyGet { buy: 0, get: 1, percent: number("50") })),
            "at least 1",
        ),
    ];
    for (says, case, why) in refused {
        let refusal = library::answer(&case).expect_err(says);
        assert!(refusal.contains(why), "{says}: {refusal}");
    }
}

#[test]
fn what_is_just_not_refused_is_taken() {
    let everyone = || list("ALL").tiers("A", &[("1", "10")]);
    let taken = [
        chain(8),
        of(vec![everyone(), derived("D", "ALL", "-100")]),
        of(vec![list("ALL").tiers("A", &[("1", "10"), ("5", "10")])]),
        two_windows(500, 500),
        of(vec![everyone().with(|it| it.whom = vec![For::Everyone, For::Everyone])]),
    ];
    for case in taken {
        assert!(library::answer(&case).is_ok(), "{case:#?}");
    }
}
