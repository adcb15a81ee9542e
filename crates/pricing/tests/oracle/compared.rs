//! The library against the oracle, case by case. `TIDEGATE_ORACLE_CASES` says how many (20,000 unless said), `TIDEGATE_ORACLE_SEED`
//! from which seed on: a difference is printed with its seed, and made small.

use crate::model::{Adds, Case, Cause, Gives, Outcome};
use crate::number::Number;
use crate::tell::tell;
use crate::{library, random, rules, small};

/// How many cases, and the seed of the first.
pub(crate) fn wanted() -> (u64, u64) {
    let number = |name: &str, otherwise: u64| {
        std::env::var(name)
            .map_or(otherwise, |text| text.parse().unwrap_or_else(|_| panic!("{name} is a number")))
    };
    (number("TIDEGATE_ORACLE_CASES", 20_000), number("TIDEGATE_ORACLE_SEED", 1))
}

/// How the answers to one case stand to one another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Compared {
    Same(Outcome),
    /// One of the two says that a number is too long, of a case with very long numbers: the page leaves that border open.
    AtTheBorder,
    Refused(String),
    Different(Box<[Outcome; 2]>),
}

pub(crate) fn compared(case: &Case) -> Compared {
    let oracle = rules::answer(case);
    let library = match library::answer(case) {
        Ok(library) => library,
        Err(why) => return Compared::Refused(why),
    };
    let is_range = |outcome: &Outcome| *outcome == Err(Cause::Range);
    if oracle == library {
        Compared::Same(oracle)
    } else if is_range(&oracle) != is_range(&library) && has_long_numbers(case) {
        Compared::AtTheBorder
    } else {
        Compared::Different(Box::new([oracle, library]))
    }
}

/// Whether 28 digits may be needed at all.
fn has_long_numbers(case: &Case) -> bool {
    let windows = case.lists.iter().flat_map(|list| &list.prices).flat_map(|price| &price.windows);
    let prices = windows.flat_map(|window| &window.tiers).map(|tier| tier.price);
    let added = case.surcharges.iter().filter_map(|surcharge| match surcharge.adds {
        Adds::Amount(amount) => Some(amount),
        Adds::Percent(_) => None,
    });
    let given = case.promotions.iter().filter_map(|promotion| match promotion.gives {
        Gives::AmountOff(amount) | Gives::Fixed(amount) => Some(amount),
        Gives::PercentOff(_) | Gives::BuyGet { .. } => None,
    });
    let pieces = case.units.iter().map(|unit| unit.pieces);
    let million = Number::whole(1_000_000);
    prices.chain(added).chain(given).chain(pieces).any(|number| number > million)
}

#[test]
fn the_library_gives_what_the_oracle_gives() {
    let (cases, first) = wanted();
    let (mut priced, mut border) = (0_u64, 0_u64);
    let mut unpriced = [0_u64; 3];
    for seed in first..first + cases {
        let done = seed - first;
        if done > 0 && done.is_multiple_of(1_000_000) {
            println!("{done} cases and no difference");
        }
        let case = random::case(seed);
        match compared(&case) {
            Compared::Same(Ok(_)) => priced += 1,
            Compared::Same(Err(cause)) => unpriced[cause as usize] += 1,
            Compared::AtTheBorder => border += 1,
            Compared::Refused(why) => panic!("seed {seed}: the library refuses the case: {why}\n{case:#?}"),
            Compared::Different(_) => {
                let small = small::smaller(case, |case| matches!(compared(case), Compared::Different(_)));
                let Compared::Different(outcomes) = compared(&small) else {
                    unreachable!("a smaller case is one that differs");
                };
                panic!(
                    "seed {seed} (TIDEGATE_ORACLE_SEED={seed} TIDEGATE_ORACLE_CASES=1)\n{small:#?}\noracle:  {}\nlibrary: {}\n{outcomes:#?}",
                    tell(&outcomes[0]),
                    tell(&outcomes[1])
                );
            }
        }
    }
    let [quantity, no_price, range] = unpriced;
    println!(
        "{cases} cases from seed {first} on: no difference. {priced} have a price, {no_price} none, {quantity} no quantity, \
         {range} too long a number; {border} at the border of the latter"
    );
    assert!(border <= 5 + cases / 1000, "{border} of {cases} at the border: it hides differences");
    assert!(cases < 1000 || priced > cases / 2, "most cases have a price: {priced} of {cases}");
}
