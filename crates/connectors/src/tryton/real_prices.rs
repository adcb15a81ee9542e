//! The real Tryton's price lists: each price that is told is the one that Tryton itself asks for the product at that quantity.

use super::contract::{Tryton, call};
use super::price_lists::{Party, PriceLists, price_source};
use super::wire;
use connector::prices::{PriceSource, Settled, ToldList, ToldPrices};
use rust_decimal::Decimal;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::Read as _;
use std::sync::Arc;

struct Lists {
    admin: Tryton,
    source: Arc<dyn PriceSource>,
    /// No other test has it.
    own: String,
    category: Value,
}

/// By list and SKU.
type Rows = BTreeMap<(String, String), Value>;

impl Lists {
    async fn new() -> Self {
        let tryton = Tryton::real();
        let how = PriceLists { prefix: "erp".to_owned(), party: Party::Code, default_list: None };
        let source = price_source(&tryton.settings(tryton.address()), how).unwrap();
        let (admin, own) = (tryton.as_admin(), tryton.shop().to_string());
        let category =
            admin.ask("model.product.category.create", vec![json!([{ "name": own }])]).await[0].clone();
        Self { admin, source, own, category }
    }

    async fn made(&self, model: &str, values: Value) -> i64 {
        let made = self.admin.ask(&format!("model.{model}.create"), vec![json!([values])]).await;
        made[0].as_i64().unwrap_or_else(|| panic!("{model}: {made}"))
    }

    async fn write(&self, model: &str, id: i64, values: Value) {
        self.admin.ask(&format!("model.{model}.write"), vec![json!([id]), values]).await;
    }

    /// A product of the test's own category, below a template.
    async fn product(&self, number: u32, list_price: &str, cost_price: &str) -> (i64, i64) {
        let code = format!("{}-{number}", self.own);
        let values = json!({"name": code, "code": code, "type": "goods", "default_uom": 1, "sale_uom": 1, "salable": true,
                            "list_price": decimal(list_price), "categories": [["add", [self.category]]],
                            "products": [["create", [{"cost_price": decimal(cost_price)}]]]});
        let template = self.made("product.template", values).await;
        let params =
            vec![json!([["template", "=", template]]), json!(0), json!(1), Value::Null, json!(["code"])];
        let found = self.admin.ask("model.product.product.search_read", params).await;
        (template, found[0]["id"].as_i64().unwrap())
    }

    async fn list(&self, price: Value, lines: Value) -> i64 {
        let values = json!({"name": format!("{} {lines:.20}", self.own), "company": 1, "price": price,
                            "lines": [["create", lines]]});
        self.made("product.price_list", values).await
    }

    async fn party(&self, code: &str, list: i64) -> i64 {
        self.made("party.party", json!({"name": code, "code": code, "sale_price_list": list})).await
    }

    /// What Tryton itself asks for a product.
    async fn tryton_asks(&self, list: i64, product: i64, quantity: &str) -> Option<Decimal> {
        let context =
            json!({"price_list": list, "quantity": quantity.parse::<f64>().unwrap(), "currency": 1});
        let params = vec![json!([product]), json!(["sale_price_uom"])];
        let read = self.admin.ask_in("model.product.product.read", params, context).await;
        wire::read_decimal(&read[0]["sale_price_uom"])
    }
}

fn decimal(amount: &str) -> Value {
    json!({"__class__": "Decimal", "decimal": amount})
}

fn rows(told: &mut ToldPrices) -> Rows {
    let mut text = String::new();
    told.rows.read_to_string(&mut text).unwrap();
    let row = |line: &str| {
        let row: Value = serde_json::from_str(line).unwrap();
        let name = |field: &str| row[field].as_str().unwrap().to_owned();
        ((name("list"), name("sku")), row["price"].clone())
    };
    text.lines().map(row).collect()
}

/// The price of a row at a quantity, of the window that counts now.
fn at(price: &Value, quantity: &str) -> Option<Decimal> {
    let quantity: Decimal = quantity.parse().unwrap();
    let amount = |text: &Value| text.as_str().unwrap().parse::<Decimal>().unwrap();
    match price {
        Value::Null => None,
        Value::String(_) => Some(amount(price)),
        windows => {
            let tiers = windows[0]["tiers"].as_array().unwrap();
            let first_is_any = |at: usize, from: Decimal| at == 0 && from <= Decimal::ONE;
            let fits = |(at, tier): &(usize, &Value)| {
                first_is_any(*at, amount(&tier[0])) || amount(&tier[0]) <= quantity
            };
            tiers.iter().enumerate().rfind(fits).map(|(_, tier)| amount(&tier[1]))
        }
    }
}

fn audience<'t>(terms: &'t [ToldList], id: &str) -> Option<&'t [String]> {
    terms.iter().find(|list| list.id == id).and_then(|list| list.companies.as_deref())
}

#[tokio::test]
async fn real_tryton_asks_the_prices_that_are_told_and_what_changed_is_told_again() {
    let lists = Lists::new().await;
    let mut products = Vec::new();
    for (number, (list_price, cost_price)) in
        [("19.9500", "7.0000"), ("0.0125", "0.0033"), ("1000.0001", "333.3333"), ("33.3333", "0.0000")]
            .into_iter()
            .enumerate()
    {
        products.push(lists.product(u32::try_from(number).unwrap(), list_price, cost_price).await);
    }
    let child = lists.made("product.category", json!({"name": "child", "parent": lists.category})).await;
    lists.write("product.template", products[1].0, json!({"categories": [["add", [child]]]})).await;
    let line = |formula: &str| json!({ "formula": formula });
    let of_list = lists
        .list(
            json!("list_price"),
            json!([
                {"formula": "unit_price * 0.8", "quantity": 100, "sequence": 5},
                {"formula": "unit_price * 0.9 - 0.00005", "quantity": 10, "sequence": 6},
                {"formula": "(list_price + cost_price) / 3", "product": products[2].1, "sequence": 1},
                {"formula": "unit_price / 7", "category": lists.category, "quantity": 0.5, "sequence": 7},
                line("list_price * 1.05 + 2"),
            ]),
        )
        .await;
    // A line without a place is tried first.
    let of_cost = lists
        .list(
            json!("cost_price"),
            json!([
                {"formula": "-(-unit_price) * 1.2 + .00015", "category": child},
                {"formula": "unit_price * 1.25", "sequence": 3},
                {"formula": "unit_price * 0.5", "sequence": 4},
            ]),
        )
        .await;
    let company = format!("{}-C", lists.own).to_uppercase();
    let party = lists.party(&company, of_list).await;
    lists.party(&format!("{company}2"), of_cost).await;

    let mut whole = lists.source.whole(&call()).await.unwrap().unwrap();
    let told = rows(&mut whole);
    let mut compared = 0;
    for list in [of_list, of_cost, 1, 2] {
        for (number, (_, product)) in products.iter().enumerate() {
            for quantity in ["0.4", "0.5", "1", "9", "10", "99", "100", "1000"] {
                let key = (format!("erp-{list}"), format!("{}-{number}", lists.own));
                let ours = told.get(&key).and_then(|price| at(price, quantity));
                let theirs = lists.tryton_asks(list, *product, quantity).await;
                assert_eq!(
                    ours,
                    theirs.map(|price| price.normalize()),
                    "{key:?} at {quantity}: {:?}",
                    told.get(&key)
                );
                compared += 1;
            }
        }
    }
    assert_eq!(compared, 128);
    let terms = whole.terms.as_ref().unwrap();
    assert_eq!(audience(terms, &format!("erp-{of_list}")), Some([company.clone()].as_slice()));
    assert!(
        terms
            .iter()
            .any(|list| list.id == "erp-everyone" && list.companies.is_none() && list.currency == "EUR")
    );
    let everyone = &told[&("erp-everyone".to_owned(), format!("{}-0", lists.own))];
    assert_eq!(at(everyone, "1"), Some("19.95".parse().unwrap()));
    lists.source.settled(&whole.next, Settled::Live).await.unwrap();

    // The first question behind it finds the overlap, the second one nothing: others may change what is theirs meanwhile.
    let mut point = whole.next;
    let mine = |told: &Rows| told.keys().filter(|(_, sku)| sku.starts_with(&lists.own)).count();
    let mut quiet = false;
    for _ in 0..10 {
        match lists.source.changes(&call(), Some(&point)).await.unwrap() {
            None => {
                quiet = true;
                break;
            }
            Some(told) => {
                lists.source.settled(&told.next, Settled::Live).await.unwrap();
                point = told.next;
            }
        }
    }
    assert!(quiet, "what is known is not told again");

    // A list price, written by the template's own form: that product in all of its lists.
    lists.write("product.template", products[0].0, json!({"list_price": decimal("29.9500")})).await;
    let mut changed = lists.source.changes(&call(), Some(&point)).await.unwrap().unwrap();
    let told = rows(&mut changed);
    let sku = format!("{}-0", lists.own);
    assert!(
        mine(&told) > 0
            && (changed.whole || told.keys().all(|(_, of)| *of == sku || !of.starts_with(&lists.own)))
    );
    let (list, ours) = (format!("erp-{of_list}"), lists.tryton_asks(of_list, products[0].1, "100").await);
    assert_eq!(at(&told[&(list.clone(), sku.clone())], "100"), ours.map(|price| price.normalize()));
    lists.source.settled(&changed.next, Settled::Live).await.unwrap();

    // A line, and whose a list is.
    let params = vec![
        json!([["price_list", "=", of_cost], ["sequence", "=", 3]]),
        json!(0),
        json!(1),
        Value::Null,
        json!(["formula"]),
    ];
    let first =
        lists.admin.ask("model.product.price_list.line.search_read", params).await[0]["id"].as_i64().unwrap();
    lists.write("product.price_list.line", first, json!({"formula": "unit_price * 3"})).await;
    lists.write("party.party", party, json!({"sale_price_list": of_cost})).await;
    let mut changed = lists.source.changes(&call(), Some(&changed.next)).await.unwrap().unwrap();
    assert!(changed.whole);
    let told = rows(&mut changed);
    assert_eq!(at(&told[&(format!("erp-{of_cost}"), sku.clone())], "1"), Some("21".parse().unwrap()));
    assert!(!told.keys().any(|(of, _)| *of == list), "nobody buys by it any more");
    let terms = changed.terms.as_ref().unwrap();
    assert_eq!(audience(terms, &format!("erp-{of_cost}")).unwrap().len(), 2);
    assert_eq!(audience(terms, &list), None);
    lists.source.settled(&changed.next, Settled::Live).await.unwrap();

    // A line that is gone is told by nobody: the next snapshot has it.
    lists.admin.ask("model.product.price_list.line.delete", vec![json!([first])]).await;
    let mut whole = lists.source.whole(&call()).await.unwrap().unwrap();
    assert_eq!(
        at(&rows(&mut whole)[&(format!("erp-{of_cost}"), sku.clone())], "1"),
        Some("3.5".parse().unwrap())
    );

    // A product that is sold no more has no price in any of them.
    lists.source.settled(&whole.next, Settled::Live).await.unwrap();
    lists.write("product.template", products[0].0, json!({"salable": false})).await;
    let mut changed = lists.source.changes(&call(), Some(&whole.next)).await.unwrap().unwrap();
    let told = rows(&mut changed);
    assert_eq!(
        told.get(&(format!("erp-{of_cost}"), sku.clone())).map_or(&Value::Null, |price| price),
        &Value::Null
    );

    // Tryton takes it for Python; here it is refused, with its list and line.
    let odd =
        lists.list(json!("list_price"), json!([line("unit_price if list_price else cost_price")])).await;
    lists.write("party.party", party, json!({"sale_price_list": odd})).await;
    let fault = lists.source.whole(&call()).await.unwrap_err();
    lists.write("party.party", party, json!({"sale_price_list": of_cost})).await;
    assert_eq!(fault.code, "TG-3312");
    assert!(
        fault.message.contains(&format!("({odd})")) && fault.message.contains("\"if\" at character 12"),
        "{fault}"
    );
}
