//! The oracle's random cases, carried in a metafield and run through both functions, here; `cargo xtask wasm` runs the same through
//! what was compiled. `TIDEGATE_FUNCTION_CASES` says how many, `TIDEGATE_FUNCTION_ROWS` a file that takes each with what is expected.

use crate::carts::{Row, input};
use crate::library;
use crate::model::{Ask, Case, Cause, Outcome};
use crate::number::Number;
use crate::{random, rules};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use pricing::Terms;
use pricing::carried::{PackFault, Packing};
use serde_json::{Value, json};
use std::io::Write as _;

/// The decimals of the cases' currencies.
const MINOR: &[(&str, u32)] = &[("EUR", 2), ("CHF", 2), ("JPY", 0), ("KWD", 3), ("CLF", 4)];

/// What became of a case.
enum Carried {
    Row(Box<Row>),
    /// Something changes within the day on which it was written.
    WithinTheDay,
    /// It does not count any more on the day of the question.
    Over,
    /// A number is so long that the page leaves open what is answered.
    Long,
}

/// As a cart asks: a company location, whole pieces.
fn asked(seed: u64) -> Case {
    let case = random::case(seed);
    let quantity = Number::whole(case.ask.quantity.ceiling().max(1));
    let location = case.ask.location.clone().or_else(|| Some("L1".to_owned()));
    Case { ask: Ask { location, quantity, unit: "C62".to_owned(), ..case.ask.clone() }, ..case }
}

fn carried(seed: u64) -> Carried {
    let case = asked(seed);
    let outcome = rules::answer(&case);
    if matches!(outcome, Err(Cause::Range)) || library::answer(&case) != Ok(outcome.clone()) {
        return Carried::Long;
    }
    let terms = Terms::compile(&library::document(&case)).expect("the oracle's terms have no fault");
    let book = library::book(&case, &terms).expect("the oracle's prices have no fault");
    let buyer = terms.buyer(case.ask.location.as_deref().expect("set above")).expect("it is in the terms");
    let zone = TimeZone::fixed(jiff::tz::offset(i8::try_from(case.zone).expect("hours")));
    let now = Timestamp::from_second(case.ask.instant).expect("an instant");
    // Written then, or some days before.
    let before = SignedDuration::from_hours([0, 0, 24, 72][usize::try_from(seed % 4).expect("small")]);
    let at = now.checked_sub(before).expect("an instant");
    let packing = Packing { terms: &terms, book: &book, buyer, at, zone: &zone };
    let packed = match packing.pack([case.ask.sku.as_str()]) {
        Ok(packed) => serde_json::to_value(packed).expect("it is written as JSON"),
        Err(PackFault::WithinTheDay(_)) => return Carried::WithinTheDay,
        Err(other) => panic!("seed {seed}: {other}"),
    };
    let day = now.to_zoned(zone).date().to_string();
    if packed["last"].as_str().is_some_and(|last| day.as_str() > last) {
        return Carried::Over;
    }
    let (charged, row) = expected(seed, &case, &outcome);
    let line = json!({
        "id": "gid://shopify/CartLine/1",
        "quantity": case.ask.quantity.to_string().parse::<u64>().expect("whole"),
        "cost": {"amountPerQuantity": {"amount": charged.to_string(), "currencyCode": case.ask.currency}},
        "merchandise": {"__typename": "ProductVariant", "sku": format!(" {}", case.ask.sku.to_lowercase())},
    });
    Carried::Row(Box::new(Row { input: input(&packed, &day, &[line]), ..row }))
}

/// What Shopify would charge for one, and what the two functions have to make of it.
fn expected(seed: u64, case: &Case, outcome: &Outcome) -> (Number, Row) {
    let nothing = json!({"operations": []});
    let mut row = Row { cart_transform: nothing.clone(), discounts: nothing, ..Row::default() };
    let Ok(answer) = outcome else { return (Number::whole(7), row) };
    let minor = MINOR.iter().find(|(code, _)| *code == case.ask.currency).expect("in the table").1;
    let fits = !answer.average && answer.unit_price.decimals().is_some_and(|decimals| decimals <= minor);
    let charged = match seed % 3 {
        0 if fits => answer.unit_price,
        1 => Number::scaled(1, minor),
        _ => Number::whole(5_000),
    };
    if fits && charged != answer.unit_price {
        let price = json!({"adjustment": {"fixedPricePerUnit": {"amount": answer.unit_price.to_string()}}});
        let update = json!({"cartLineId": "gid://shopify/CartLine/1", "price": price});
        row.cart_transform = json!({"operations": [{"lineUpdate": update}]});
    }
    let off = charged.times(case.ask.quantity).and_then(|charged| charged.minus(answer.total));
    if let Ok(off) = off.and_then(Number::in_range)
        && off.is_above(Number::ZERO)
    {
        let candidate = json!({
            "targets": [{"cartLine": {"id": "gid://shopify/CartLine/1"}}],
            "value": {"fixedAmount": {"amount": off.to_string()}},
        });
        let add = json!({"selectionStrategy": "ALL", "candidates": [candidate]});
        row.discounts = json!({"operations": [{"productDiscountsAdd": add}]});
    }
    (charged, row)
}

#[test]
fn the_functions_give_what_the_oracle_gives() {
    let cases: u64 = std::env::var("TIDEGATE_FUNCTION_CASES").map_or(3_000, |text| text.parse().unwrap());
    let mut file =
        std::env::var_os("TIDEGATE_FUNCTION_ROWS").map(|path| std::fs::File::create(path).unwrap());
    let (mut rows, mut changed, mut within, mut over, mut long) = (0_u64, [0_u64; 2], 0_u64, 0_u64, 0_u64);
    for seed in 1..=cases {
        let row = match carried(seed) {
            Carried::Row(row) => row,
            Carried::WithinTheDay => {
                within += 1;
                continue;
            }
            Carried::Over => {
                over += 1;
                continue;
            }
            Carried::Long => {
                long += 1;
                continue;
            }
        };
        rows += 1;
        row.holds(&format!("seed {seed}"));
        let none = |answer: &Value| answer["operations"] == json!([]);
        changed[0] += u64::from(!none(&row.cart_transform));
        changed[1] += u64::from(!none(&row.discounts));
        if let Some(file) = &mut file {
            writeln!(file, "{}", row.written()).unwrap();
        }
    }
    println!(
        "{cases} cases: {rows} carried, of which {} change a line and {} lower one; {within} change within the day, {over} are \
         over, {long} have too long a number",
        changed[0], changed[1]
    );
    assert!(
        cases < 1000 || (rows > cases / 4 && changed.iter().all(|many| *many > cases / 20)),
        "too few compared"
    );
    assert!(long <= 5 + cases / 50, "{long} of {cases} are left out for their long numbers");
}
