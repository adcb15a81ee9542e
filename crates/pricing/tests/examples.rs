//! The worked examples of `docs/pricing-examples.md`: what the page says is what the program says. `TIDEGATE_UPDATE=1` writes the
//! derivations anew, to be read before they are committed.

use kernel::money::{Currency, parse_exact};
use kernel::quantity::Unit;
use rust_decimal::Decimal;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use tidegate_pricing::document::Document;
use tidegate_pricing::{Buyer, Line, MemoryBook, Price, Resolver, Sku, Terms, Tier, Validity, Window};

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/pricing-examples.md");

#[derive(Deserialize)]
struct Row {
    list: String,
    sku: String,
    amount: Option<String>,
    #[serde(default)]
    tiers: Vec<(String, String)>,
    valid_from: Option<String>,
    valid_until: Option<String>,
}

#[derive(Deserialize)]
struct Ask {
    location: Option<String>,
    currency: String,
    at: jiff::Timestamp,
    sku: String,
    quantity: String,
    unit: Option<String>,
}

fn number(text: &str) -> Decimal {
    parse_exact(text).unwrap()
}

fn window(row: &Row, zone: &jiff::tz::TimeZone) -> Window {
    let whole = row.amount.iter().map(|amount| Tier { minimum: Decimal::ONE, amount: number(amount) });
    let tiers =
        row.tiers.iter().map(|(minimum, amount)| Tier { minimum: number(minimum), amount: number(amount) });
    let validity = Validity::parse(row.valid_from.as_deref(), row.valid_until.as_deref(), zone).unwrap();
    Window { validity, unit: None, tiers: whole.chain(tiers).collect() }
}

fn book(terms: &Terms, rows: &[Row], zone: &jiff::tz::TimeZone) -> MemoryBook {
    let mut windows: BTreeMap<(String, Sku), Vec<Window>> = BTreeMap::new();
    for row in rows {
        windows.entry((row.list.clone(), Sku::parse(&row.sku).unwrap())).or_default().push(window(row, zone));
    }
    let mut book = MemoryBook::default();
    for ((list, sku), windows) in windows {
        book.set(terms.list_named(&list).unwrap(), sku, Price::new(windows).unwrap());
    }
    book
}

/// The derivation as the command line prints it.
fn derivation(example: &str) -> String {
    let mut table: toml::Table = toml::from_str(example).unwrap();
    let rows: Vec<Row> = table.remove("prices").unwrap().try_into().unwrap();
    let ask: Ask = table.remove("ask").unwrap().try_into().unwrap();
    let document: Document = table.try_into().unwrap();
    let terms = Terms::compile(&document).unwrap();
    let zone = document
        .zone
        .as_deref()
        .map_or(jiff::tz::TimeZone::UTC, |name| jiff::tz::TimeZone::get(name).unwrap());
    let book = book(&terms, &rows, &zone);
    let nobody = Buyer::default();
    let buyer = ask.location.as_deref().map_or(&nobody, |location| terms.buyer(location).unwrap());
    let resolver =
        Resolver::new(&terms, &book, buyer, Currency::from_code(&ask.currency).unwrap(), ask.at.as_second());
    let unit = ask.unit.as_deref().map_or_else(Unit::piece, |code| Unit::from_code(code).unwrap());
    let line = Line { sku: &ask.sku, quantity: number(&ask.quantity), unit };
    let (answer, steps) = resolver.explain(&line);
    assert_eq!(answer, resolver.price(&line), "explaining changes nothing");
    let mut text = String::new();
    for step in steps {
        writeln!(text, "{}", step.sentence(resolver.currency())).unwrap();
    }
    match answer {
        Ok(priced) => {
            let average = if priced.is_average { " on average" } else { "" };
            let money = |amount| kernel::money::Money::new(amount, resolver.currency()).amount_text();
            let (unit_price, total) = (money(priced.unit_price), money(priced.total));
            write!(text, "= {unit_price} {}{average}, {total} in all", ask.currency).unwrap();
            let listed = priced
                .list_price
                .map_or_else(|| "no list price".to_owned(), |list| format!("list price {}", money(list)));
            write!(text, "; {listed}").unwrap();
            if !priced.quantity_allowed {
                text.push_str("; this quantity cannot be ordered");
            }
            text.push('\n');
        }
        Err(why) => writeln!(text, "= not priced ({}): {why}", why.code()).unwrap(),
    }
    text
}

#[test]
fn examples_of_the_page_are_what_the_program_says() {
    let page = std::fs::read_to_string(PAGE).unwrap();
    let mut parts = page.split("```toml\n");
    let mut written = parts.next().unwrap().to_owned();
    let mut examples = 0;
    for part in parts {
        let (example, rest) = part.split_once("```").unwrap();
        let (between, rest) = rest.split_once("```text\n").unwrap();
        let (_, after) = rest.split_once("```").unwrap();
        write!(written, "```toml\n{example}```{between}```text\n{}```{after}", derivation(example)).unwrap();
        examples += 1;
    }
    assert!(examples >= 9);
    if std::env::var_os("TIDEGATE_UPDATE").is_some() {
        std::fs::write(PAGE, &written).unwrap();
    }
    similar(&page, &written);
}

/// Line by line, so that a failure names the line.
fn similar(page: &str, written: &str) {
    for (number, (on_the_page, of_the_program)) in page.lines().zip(written.lines()).enumerate() {
        assert_eq!(on_the_page, of_the_program, "docs/pricing-examples.md line {}", number + 1);
    }
    assert_eq!(page.lines().count(), written.lines().count());
}
