//! Large carts, and how an input and what is expected of it look. What a cart is charged is resolution's to say, from the terms and
//! prices themselves and not from what was carried.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use kernel::money::{Currency, parse_exact};
use kernel::quantity::Unit;
use pricing::carried::{BYTES_MAX, Carried, Packing};
use pricing::document::Document;
use pricing::{Line, MemoryBook, Price, Resolver, Sku, Terms, Tier, Validity, Window};
use serde_json::{Value, json};
use std::io::Write as _;

/// An input, and what each function has to answer.
#[derive(Debug, Default)]
pub(crate) struct Row {
    /// What is said of it beside its figures; nothing of a case.
    pub(crate) cart: Option<String>,
    pub(crate) input: Value,
    pub(crate) cart_transform: Value,
    pub(crate) discounts: Value,
}

impl Row {
    /// As the compiled functions are given it.
    pub(crate) fn written(&self) -> Value {
        let Self { cart, input, cart_transform, discounts } = self;
        json!({"cart": cart, "input": input.to_string(), "cart_transform": cart_transform, "discounts": discounts})
    }

    /// Run here.
    pub(crate) fn holds(&self, which: &str) {
        let input = self.input.to_string();
        let answer = |answer: Result<String, String>| -> Value {
            serde_json::from_str(&answer.unwrap_or_else(|why| panic!("{which}: {why}\n{input}"))).unwrap()
        };
        let transformed = answer(tidegate_function::cart_transform::run(&input));
        assert_eq!(transformed, self.cart_transform, "{which}: cart transform of {input}");
        let lowered = answer(tidegate_function::discounts::run(&input));
        assert_eq!(lowered, self.discounts, "{which}: discounts of {input}");
    }
}

/// What the input queries ask for.
pub(crate) fn input(carried: &Value, day: &str, lines: &[Value]) -> Value {
    json!({
        "shop": {"localTime": {"date": day}},
        "cart": {
            "buyerIdentity": {"purchasingCompany": {"location": {"metafield": {"jsonValue": carried}}}},
            "lines": lines,
        },
        "discount": {"discountClasses": ["PRODUCT"]},
    })
}

const TERMS: &str = r#"{
  "lists": [
    {"id": "LIST-EUR", "kind": "list", "currency": "EUR", "for": "everyone", "rounding": {"to": "minor"}},
    {"id": "ACME-2026", "kind": "contract", "currency": "EUR", "for": "company:ACME"}
  ],
  "locations": [{"id": "L", "company": "ACME"}],
  "surcharges": [{"id": "ENERGY", "skus": "*", "percent": "1.5", "on": ["list"]}],
  "promotions": [
    {"id": "SPRING", "skus": "P-*", "percent_off": "12.5", "minimum": "10"},
    {"id": "SUMMER", "skus": "P-*", "amount_off": "0.75", "currency": "EUR"},
    {"id": "THREE-FOR-TWO", "skus": ["P-0003", "P-0007"], "buy": 2, "get": 1, "percent_off": "100"}
  ]
}"#;

/// So many SKUs that the metafield is full: each with a list price, most with tiers.
pub(crate) struct Full {
    terms: Terms,
    book: MemoryBook,
    skus: Vec<String>,
}

impl Full {
    pub(crate) fn new(skus: usize) -> Self {
        let document: Document = serde_json::from_str(TERMS).unwrap();
        let terms = Terms::compile(&document).unwrap();
        let (list, contract) =
            (terms.list_named("LIST-EUR").unwrap(), terms.list_named("ACME-2026").unwrap());
        let mut book = MemoryBook::default();
        let skus: Vec<String> = (0..skus).map(|number| format!("P-{number:04}")).collect();
        let number = |text: &str| parse_exact(text).unwrap();
        for (at, name) in skus.iter().enumerate() {
            let sku = Sku::parse(name).unwrap();
            let tier = |minimum: &str, cents: usize| Tier {
                minimum: number(minimum),
                amount: number(&format!("{}.{:02}", cents / 100, cents % 100)),
            };
            let base = 1_000 + at * 37;
            let mut tiers = vec![tier("1", base)];
            if at % 4 != 3 {
                tiers.push(tier("10", base * 9 / 10));
            }
            let window = |tiers| Window { validity: Validity::ALWAYS, unit: None, tiers };
            book.set(list, sku.clone(), Price::new(vec![window(tiers)]).unwrap());
            if at % 5 == 0 {
                book.set(contract, sku, Price::plain(tier("1", base * 8 / 10).amount).unwrap());
            }
        }
        Self { terms, book, skus }
    }

    pub(crate) fn carried(&self) -> Carried {
        let buyer = self.terms.buyer("L").unwrap();
        let packing = Packing { terms: &self.terms, book: &self.book, buyer, at: AT, zone: &TimeZone::UTC };
        packing.pack(self.skus.iter().map(String::as_str)).unwrap()
    }

    /// A cart of so many lines, of which so many are charged otherwise than they are to be.
    pub(crate) fn row(&self, lines: usize, otherwise: usize) -> Row {
        let euro = Currency::from_code("EUR").unwrap();
        let buyer = self.terms.buyer("L").unwrap();
        let resolver = Resolver::new(&self.terms, &self.book, buyer, euro, AT.as_second());
        let (mut asked, mut updates, mut candidates) = (Vec::new(), Vec::new(), Vec::new());
        for at in 0..lines {
            let (sku, quantity) = (&self.skus[at % self.skus.len()], 1 + (at as u64 * 7) % 30);
            let id = format!("gid://shopify/CartLine/{at:08x}-0000-4000-8000-{at:012x}");
            let line = Line { sku, quantity: quantity.into(), unit: Unit::piece() };
            let priced = resolver.price(&line).unwrap();
            let in_cents = !priced.is_average && priced.unit_price.normalize().scale() <= 2;
            let charged = match in_cents && at >= otherwise {
                true => priced.unit_price.normalize(),
                false => parse_exact("999").unwrap(),
            };
            if in_cents && charged != priced.unit_price {
                let amount = priced.unit_price.normalize().to_string();
                let price = json!({"adjustment": {"fixedPricePerUnit": {"amount": amount}}});
                updates.push(json!({"lineUpdate": {"cartLineId": id, "price": price}}));
            }
            let off = charged * line.quantity - priced.total;
            if !off.is_zero() {
                let amount = off.normalize().to_string();
                let value = json!({"fixedAmount": {"amount": amount}});
                candidates.push(json!({"targets": [{"cartLine": {"id": id}}], "value": value}));
            }
            asked.push(json!({
                "id": id,
                "quantity": quantity,
                "cost": {"amountPerQuantity": {"amount": charged.to_string(), "currencyCode": "EUR"}},
                "merchandise": {"__typename": "ProductVariant", "sku": sku},
            }));
        }
        let add = json!({"productDiscountsAdd": {"selectionStrategy": "ALL", "candidates": candidates}});
        let add = if candidates.is_empty() { json!([]) } else { json!([add]) };
        let carried = serde_json::to_value(self.carried()).unwrap();
        Row {
            cart: Some(format!("{lines} lines, {otherwise} of them to be changed")),
            input: input(&carried, "2026-11-27", &asked),
            cart_transform: json!({"operations": updates}),
            discounts: json!({"operations": add}),
        }
    }
}

const AT: Timestamp = Timestamp::constant(1_795_770_000, 0);

/// As many SKUs as the metafield takes.
fn full() -> Full {
    let fits = |skus: usize| serde_json::to_vec(&Full::new(skus).carried()).unwrap().len() <= BYTES_MAX;
    let most = (1..400).take_while(|skus| fits(*skus)).last().unwrap();
    Full::new(most)
}

#[test]
fn large_carts_are_priced_as_resolution_says() {
    let full = full();
    let rows = [full.row(100, 100), full.row(200, 120)];
    for row in &rows {
        row.holds(row.cart.as_deref().unwrap());
    }
    if let Some(path) = std::env::var_os("TIDEGATE_FUNCTION_CARTS") {
        let mut file = std::fs::File::create(path).unwrap();
        for row in &rows {
            writeln!(file, "{}", row.written()).unwrap();
        }
    }
    let skus = full.skus.len();
    println!("{skus} SKUs in {} bytes", serde_json::to_vec(&full.carried()).unwrap().len());
    assert!(skus >= 150, "the form has become longer: {skus}");
}
