//! The price lists as Tryton has them, read whole: lists with their lines, whose they are, and products a page after the other. Owns
//! which of them count: lists of the connection's company that somebody buys by, products that are sold and have a code.

use super::super::ask::{Ask, CODES_MAX};
use super::super::wire;
use super::formula::{Formula, Name};
use super::table::{Base, Line, List, Product};
use super::{FORMULA, LISTS, Party, PriceLists};
use kernel::fault::{Fault, FaultKind};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Products that are read at once.
const PRODUCTS: usize = 500;
/// Tryton's own, where it does not say another.
const PRICE_DIGITS: u32 = 4;

/// Which list everyone buys by who has no other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Everyone {
    List(i64),
    /// None: the list prices of the products count.
    ListPrices,
}

/// All but the products.
#[derive(Debug)]
pub(super) struct Book {
    pub(super) lists: Vec<List>,
    pub(super) everyone: Everyone,
    /// By list.
    pub(super) companies: BTreeMap<i64, Vec<String>>,
    pub(super) currency: String,
    /// Above each category, the one above it.
    above: BTreeMap<i64, i64>,
    /// Some formula asks for what products cost.
    of_cost: bool,
}

impl Ask<'_> {
    pub(super) async fn book(&self, how: &PriceLists, everyones: Option<i64>) -> Result<Book, Fault> {
        let companies = self.owners(how).await?;
        let mut lists = self.lists().await?;
        let everyone = everyone(how, &lists, everyones)?;
        lists.retain(|list| companies.contains_key(&list.id) || everyone == Everyone::List(list.id));
        self.lines(&mut lists).await?;
        let of_cost = lists.iter().any(|list| {
            list.base == Base::CostPrice || list.lines.iter().any(|line| line.formula.names(Name::Cost))
        });
        let mut above = BTreeMap::new();
        self.pages("product.category", json!([]), &["parent"], |record| {
            if let (Some(id), Some(parent)) = (wire::id(record), record.get("parent").and_then(Value::as_i64))
            {
                above.insert(id, parent);
            }
        })
        .await?;
        Ok(Book { lists, everyone, companies, currency: self.currency().await?, above, of_cost })
    }

    async fn lists(&self) -> Result<Vec<List>, Fault> {
        let mut lists = Vec::new();
        let fields = ["name", "tax_included", "unit", "price"];
        self.pages("product.price_list", json!([["company", "=", self.config.company]]), &fields, |record| {
            let text = |field| wire::text(record, field);
            lists.extend(wire::id(record).map(|id| List {
                id,
                name: text("name").unwrap_or_default(),
                tax_included: is_true(record.get("tax_included")),
                by_sale_unit: text("unit").as_deref() == Some("product_sale"),
                base: match text("price").as_deref() {
                    Some("list_price") => Base::ListPrice,
                    Some("cost_price") => Base::CostPrice,
                    _ => Base::Nothing,
                },
                lines: Vec::new(),
            }));
        })
        .await?;
        Ok(lists)
    }

    /// In the order in which Tryton tries them.
    async fn lines(&self, lists: &mut [List]) -> Result<(), Fault> {
        let dated = self.has_field("product.price_list.line", "start_date").await?;
        let mut fields = vec!["price_list", "product", "category", "quantity", "formula", "sequence"];
        fields.extend(["start_date", "end_date"].iter().filter(|_| dated));
        let mut found: Vec<(Option<i64>, Value)> = Vec::new();
        let ids: Vec<i64> = lists.iter().map(|list| list.id).collect();
        for some in ids.chunks(CODES_MAX) {
            self.pages("product.price_list.line", json!([["price_list", "in", some]]), &fields, |record| {
                found.push((record.get("sequence").and_then(Value::as_i64), record.clone()));
            })
            .await?;
        }
        // Those without a place come first, then by place; lines of one place in the order in which they were made.
        found.sort_by_key(|(sequence, record)| (sequence.is_some(), *sequence, wire::id(record)));
        for (_, record) in found {
            let of = record.get("price_list").and_then(Value::as_i64);
            let Some(list) = lists.iter_mut().find(|list| Some(list.id) == of) else { continue };
            let line = line(&record).map_err(|what| {
                Fault::new(
                    FaultKind::Rejected,
                    FORMULA,
                    format!("the price list {:?} ({}): {what}", list.name, list.id),
                )
            })?;
            list.lines.push(line);
        }
        Ok(())
    }

    async fn has_field(&self, model: &str, field: &str) -> Result<bool, Fault> {
        let domain = json!([["model", "=", model], ["name", "=", field]]);
        Ok(!self.records("ir.model.field", domain, &["name"]).await?.is_empty())
    }

    /// The parties that have a list of their own, as the terms call them. Tryton cannot be asked for these alone.
    pub(super) async fn owners(&self, how: &PriceLists) -> Result<BTreeMap<i64, Vec<String>>, Fault> {
        let identifiers = matches!(how.party, Party::Identifier(_));
        let mut fields = vec!["code", "sale_price_list"];
        if identifiers {
            fields.extend(["identifiers.type", "identifiers.code"]);
        }
        let mut companies: BTreeMap<i64, BTreeSet<String>> = BTreeMap::new();
        self.pages("party.party", json!([]), &fields, |record| {
            let Some(list) = record.get("sale_price_list").and_then(Value::as_i64) else { return };
            let company = match &how.party {
                Party::Code => wire::text(record, "code"),
                Party::Identifier(kind) => wire::many(record, "identifiers")
                    .find(|one| wire::text(one, "type").as_deref() == Some(kind))
                    .and_then(|one| wire::text(one, "code")),
            };
            companies.entry(list).or_default().extend(company.filter(|company| !company.trim().is_empty()));
        })
        .await?;
        let named = companies.into_iter().filter(|(_, companies)| !companies.is_empty());
        Ok(named.map(|(list, companies)| (list, companies.into_iter().collect())).collect())
    }

    /// The list that Tryton gives to sales without another.
    pub(super) async fn everyones_list(&self) -> Result<Option<i64>, Fault> {
        let params = vec![json!([1]), json!(["sale_price_list"])];
        let configured = self.call("model.sale.configuration.read", params).await?;
        Ok(configured.pointer("/0/sale_price_list").and_then(Value::as_i64))
    }

    /// The company's: its price lists are in it.
    async fn currency(&self) -> Result<String, Fault> {
        let params = vec![json!([self.config.company]), json!(["currency.code"])];
        let company = self.call("model.company.company.read", params).await?;
        wire::linked_text(&company[0], "currency", "code").ok_or_else(|| {
            let what = format!(
                "Tryton's company {} has no currency: correct company in the connection",
                self.config.company
            );
            Fault::new(FaultKind::Rejected, LISTS, what)
        })
    }

    /// To how many digits Tryton rounds a price.
    pub(super) async fn price_digits(&self) -> Result<u32, Fault> {
        let fields = self.call("model.product.product.fields_get", vec![json!(["list_price"])]).await?;
        let digits = fields.pointer("/list_price/digits");
        // A list, or the same in a text.
        let digits = match digits {
            Some(Value::String(text)) => serde_json::from_str(text).unwrap_or_default(),
            Some(other) => other.clone(),
            None => Value::Null,
        };
        let digits = digits.get(1).and_then(Value::as_u64).and_then(|digits| u32::try_from(digits).ok());
        Ok(digits.unwrap_or(PRICE_DIGITS))
    }

    /// The next products by id, and the last of these ids; `None`: there are no more. `only`: of these alone, and then also those
    /// that are sold no more, without any price.
    pub(super) async fn priced_products(
        &self,
        book: &Book,
        only: Option<&[i64]>,
        last: i64,
    ) -> Result<(Vec<Product>, Option<i64>), Fault> {
        let mut fields = vec!["code", "list_price_used", "categories_all", "default_uom", "sale_uom"];
        fields.extend(["cost_price"].iter().filter(|_| book.of_cost));
        let mut domain = vec![json!(["id", ">", last]), json!(["code", "!=", null])];
        match only {
            None => domain.push(json!(["salable", "=", true])),
            Some(ids) => {
                fields.extend(["active", "salable"]);
                let from = ids.partition_point(|id| *id <= last);
                let some = &ids[from..ids.len().min(from + PRODUCTS)];
                domain.extend([json!(["id", "in", some]), json!(["active", "in", [true, false]])]);
            }
        }
        let params = vec![json!(domain), json!(0), json!(PRODUCTS), json!([["id", "ASC"]]), json!(fields)];
        let records = self.call("model.product.product.search_read", params).await?;
        let records: Vec<&Value> = records.as_array().into_iter().flatten().collect();
        let end = match only {
            None => records.last().and_then(|record| wire::id(record)).filter(|_| records.len() == PRODUCTS),
            Some(ids) => {
                let from = ids.partition_point(|id| *id <= last);
                ids.get(from + PRODUCTS - 1).copied().filter(|id| Some(id) != ids.last())
            }
        };
        Ok((records.into_iter().filter_map(|record| product(record, book)).collect(), end))
    }
}

fn everyone(how: &PriceLists, lists: &[List], configured: Option<i64>) -> Result<Everyone, Fault> {
    let Some(name) = &how.default_list else {
        return Ok(configured.map_or(Everyone::ListPrices, Everyone::List));
    };
    let named: Vec<i64> = lists.iter().filter(|list| list.name == *name).map(|list| list.id).collect();
    match named.as_slice() {
        [only] => Ok(Everyone::List(*only)),
        several => {
            let what = format!(
                "default_list is {name:?}, and Tryton has {} price lists of that name: correct the name",
                several.len()
            );
            Err(Fault::new(FaultKind::Rejected, LISTS, what))
        }
    }
}

/// SQLite knows no truth, and says 1.
fn is_true(value: Option<&Value>) -> bool {
    value.is_some_and(|value| {
        value.as_bool().unwrap_or_else(|| value.as_i64().is_some_and(|number| number != 0))
    })
}

fn line(record: &Value) -> Result<Line, String> {
    let number = |field: &str| record.get(field).and_then(Value::as_i64);
    let text = wire::text(record, "formula").unwrap_or_default();
    let id = wire::id(record).unwrap_or_default();
    let formula =
        Formula::parse(&text).map_err(|why| format!("its line {id} with the formula {text:?}: {why}"))?;
    Ok(Line {
        id,
        product: number("product"),
        category: number("category"),
        quantity: record.get("quantity").and_then(wire::read_decimal),
        from: record.get("start_date").and_then(wire::read_date),
        until: record.get("end_date").and_then(wire::read_date),
        text,
        formula,
    })
}

fn product(record: &Value, book: &Book) -> Option<Product> {
    let code = wire::text(record, "code").filter(|code| !code.trim().is_empty())?;
    let number = |field: &str| record.get(field).and_then(Value::as_i64);
    let amount = |field: &str| record.get(field).and_then(wire::read_decimal);
    let mut categories = BTreeSet::new();
    for category in record.get("categories_all").and_then(Value::as_array).into_iter().flatten() {
        let mut next = category.as_i64();
        while let Some(category) = next {
            // A circle ends where it began.
            next = if categories.insert(category) { book.above.get(&category).copied() } else { None };
        }
    }
    let is = |field: &str| record.get(field).is_none() || is_true(record.get(field));
    if !is("active") || !is("salable") {
        return Some(Product { id: 0, code, sold: false, ..Product::default() });
    }
    Some(Product {
        id: wire::id(record)?,
        code,
        sold: true,
        categories,
        list_price: amount("list_price_used"),
        cost_price: amount("cost_price"),
        sold_otherwise: number("sale_uom") != number("default_uom"),
    })
}
