//! What follows from the page for any case, whatever the price: checked of the library's answers alone, without the oracle's rules.

use crate::chance::Chance;
use crate::compared::wanted;
use crate::library::{answer, answers, breaks};
use crate::model::{Answer, Case, Cause, For, Kind, List, Outcome, Skus, TierWay};
use crate::number::Number;
use crate::random;

/// A quarter of those that are compared with the oracle: each is asked more than once.
fn cases() -> u64 {
    (wanted().0 / 4).max(5_000)
}

/// The cases that have a price, with it.
fn priced() -> impl Iterator<Item = (u64, Case, Answer)> {
    (1..=cases()).filter_map(|seed| {
        let case = random::case(seed);
        let answer = answer(&case).expect("the cases are not refused").ok()?;
        Some((seed, case, answer))
    })
}

fn source<'a>(case: &'a Case, answer: &Answer) -> &'a List {
    case.lists.iter().find(|list| list.id == answer.source).expect("the source is a list of the case")
}

/// "Ties are broken by a documented order": never by the order in which something was declared.
#[test]
fn the_order_of_declarations_decides_nothing() {
    for seed in 1..=cases() {
        let case = random::case(seed);
        let mut other = case.clone();
        let mut chance = Chance::of(!seed);
        other.locations = chance.shuffled(&other.locations);
        for location in &mut other.locations {
            location.groups = chance.shuffled(&location.groups);
        }
        other.units = chance.shuffled(&other.units);
        other.quantity_rules = chance.shuffled(&other.quantity_rules);
        other.lists = chance.shuffled(&other.lists);
        for list in &mut other.lists {
            list.whom = chance.shuffled(&list.whom);
            list.prices = chance.shuffled(&list.prices);
            for price in &mut list.prices {
                price.windows = chance.shuffled(&price.windows);
            }
        }
        other.surcharges = chance.shuffled(&other.surcharges);
        other.promotions = chance.shuffled(&other.promotions);
        let whom = other.surcharges.iter_mut().map(|one| (&mut one.whom, &mut one.skus));
        for (whom, skus) in whom.chain(other.promotions.iter_mut().map(|one| (&mut one.whom, &mut one.skus)))
        {
            *whom = chance.shuffled(whom);
            if let Skus::Only(named) = skus {
                *named = chance.shuffled(named);
            }
        }
        assert_eq!(answer(&other), answer(&case), "seed {seed}");
    }
}

/// "Lines do not influence one another."
#[test]
fn lines_do_not_influence_one_another() {
    for (seed, case, alone) in priced() {
        let quantities =
            [Number::whole(7), case.ask.quantity, Number::ZERO, Number::whole(60), case.ask.quantity];
        let cart = answers(&case, &quantities).expect("the cases are not refused");
        assert_eq!([&cart[1], &cart[4]], [&Ok(alone.clone()), &Ok(alone)], "seed {seed}");
    }
}

/// "The total is the sum over the portions of quantity × unit price, each exact; the sum is rounded once."
#[test]
fn portions_add_up_to_the_quantity_and_to_the_total() {
    for (seed, case, answer) in priced() {
        let (mut quantity, mut sum) = (Number::ZERO, Number::ZERO);
        for portion in &answer.portions {
            assert!(portion.quantity > Number::ZERO && portion.price >= Number::ZERO, "seed {seed}");
            quantity = quantity.plus(portion.quantity).expect("short");
            let exact = portion.quantity.times(portion.price).expect("short");
            sum = sum.plus(exact).expect("short");
        }
        assert_eq!(quantity, case.ask.quantity, "seed {seed}");
        let decimals = match case.ask.currency.as_str() {
            "JPY" => 0,
            "KWD" => 3,
            "CLF" => 4,
            _ => 2,
        };
        let rounded = sum.to_decimals(decimals, source(&case, &answer).half);
        assert_eq!(Ok(answer.total), rounded, "seed {seed}");
    }
}

/// "A promotion never raises a price." And a surcharge in an amount or in percent above zero never lowers one, which is not said of
/// those that are below.
#[test]
fn promotions_never_raise() {
    let mut lowered = 0;
    for (seed, case, answer) in priced().filter(|(_, case, _)| !case.promotions.is_empty()) {
        let without = Case { promotions: vec![], ..case };
        let before = match crate::library::answer(&without).expect("not refused") {
            Ok(before) => before,
            Err(Cause::Range) => continue,
            Err(cause) => panic!("seed {seed}: it has no price without: {cause:?}"),
        };
        assert!(answer.total <= before.total, "seed {seed}");
        assert_eq!((&answer.source, answer.list_price), (&before.source, before.list_price), "seed {seed}");
        assert!(!answer.promotions.is_empty() || answer == before, "seed {seed}");
        lowered += u64::from(answer.total < before.total);
    }
    assert!(lowered > cases() / 20, "{lowered} were lowered: the cases show little");
}

/// What is more has a price too, of the same kind or a contract's; in tiers a unit of it is not dearer, and graduated the whole is
/// not cheaper. (Promotions aside: "buy five, get one" makes the sixth unit free and the seventh dear.)
#[test]
fn more_is_not_dearer_by_the_unit_nor_graduated_cheaper_in_all() {
    let mut compared = [0, 0];
    for (seed, case, _) in priced() {
        let case = Case { promotions: vec![], ..case };
        let more = case.ask.quantity.plus(Number::whole(i128::from(seed % 9) + 1)).expect("short");
        if more > Number::whole(1_000_000_000) {
            continue;
        }
        let both = answers(&case, &[case.ask.quantity, more]).expect("the cases are not refused");
        let (few, many) = match &both[..] {
            [Ok(few), Ok(many)] => (few, many),
            [_, Err(Cause::Range)] | [Err(Cause::Range), _] => continue,
            _ => panic!("seed {seed}: what is more has no price, or only what is more: {both:?}"),
        };
        assert!(many.kind == few.kind || many.kind == Kind::Contract, "seed {seed}");
        if many.source != few.source {
            continue;
        }
        if of_one_way(&case, TierWay::Volume) {
            assert!(many.unit_price <= few.unit_price, "seed {seed}");
            compared[0] += 1;
        } else if of_one_way(&case, TierWay::Graduated) {
            assert!(many.total >= few.total, "seed {seed}");
            compared[1] += 1;
        }
    }
    assert!(
        compared.iter().all(|many| *many > cases() / 20),
        "{compared:?} were compared: the cases show little"
    );
}

/// All lists of the case, so that a base is none of the other way.
fn of_one_way(case: &Case, way: TierWay) -> bool {
    case.lists.iter().all(|list| list.tiers == way)
}

/// "From which quantity of the asked unit on the last unit has which price": by asking for that quantity, and for one less.
#[test]
fn breaks_are_where_the_price_of_the_last_unit_changes() {
    let mut met = 0;
    for (seed, mut case, answer) in priced() {
        (case.surcharges, case.promotions) = (vec![], vec![]);
        case.lists = with_its_bases(&case, &answer.source);
        let is_graduated = of_one_way(&case, TierWay::Graduated);
        if !is_graduated && !of_one_way(&case, TierWay::Volume) {
            continue;
        }
        let told = breaks(&case);
        // In a unit that is not counted whole the next larger quantity is a millionth more.
        let is_whole = answers(&case, &[Number::scaled(5, 1)]) == Ok(vec![Err(Cause::Quantity)]);
        let least = if is_whole { Number::ONE } else { Number::scaled(1, 6) };
        for (place, (from, price)) in told.iter().enumerate() {
            let is_behind = !is_whole && (*from == Number::ZERO || (place > 0 && is_graduated));
            let first = if is_behind { from.plus(least).expect("short") } else { *from };
            if first > Number::whole(1_000_000_000) {
                continue;
            }
            let before = first.minus(least).expect("short");
            let outcomes = answers(&case, &[first, before]).expect("not refused");
            assert_eq!(last_price(&outcomes[0], &answer.source), Some(*price), "seed {seed}, from {from}");
            let of_the_one_before = place.checked_sub(1).map(|place| told[place].1);
            assert_eq!(
                last_price(&outcomes[1], &answer.source),
                of_the_one_before,
                "seed {seed}, before {from}"
            );
            met += 1;
        }
    }
    assert!(met > cases() / 5, "{met} breaks were met: the cases show little");
}

/// A list and all that stand behind it, which are asked as its bases alone.
fn with_its_bases(case: &Case, id: &str) -> Vec<List> {
    let mut lists: Vec<List> = Vec::new();
    let mut next = Some(id.to_owned());
    while let Some(list) = next.and_then(|id| case.lists.iter().find(|list| list.id == id)) {
        let is_base = !lists.is_empty();
        lists.push(list.clone().with(|it| {
            if is_base {
                it.whom = vec![For::Group("of nobody".to_owned())];
            }
        }));
        next = list.base.as_ref().map(|base| base.id.clone());
    }
    lists
}

fn last_price(outcome: &Outcome, source: &str) -> Option<Number> {
    let answer = outcome.as_ref().ok().filter(|answer| answer.source == source)?;
    answer.portions.last().map(|portion| portion.price)
}
