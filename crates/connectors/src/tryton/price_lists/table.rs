//! A price list as it was read, and what it says of one product: at each quantity and on each day the first line that fits, as Tryton's
//! `compute` takes it. Pure. Owns how lines become tiers and validities; refuses what cannot be said so.

use super::formula::{Formula, Refused, Values};
use jiff::ToSpan as _;
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// What `unit_price` of a list's formulas is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Base {
    ListPrice,
    CostPrice,
    Nothing,
}

#[derive(Debug, Clone)]
pub(super) struct List {
    pub(super) id: i64,
    pub(super) name: String,
    pub(super) tax_included: bool,
    /// Its quantities are in the unit of sale, not in the product's own.
    pub(super) by_sale_unit: bool,
    pub(super) base: Base,
    /// In the order in which they are tried.
    pub(super) lines: Vec<Line>,
}

#[derive(Debug, Clone)]
pub(super) struct Line {
    pub(super) id: i64,
    pub(super) product: Option<i64>,
    pub(super) category: Option<i64>,
    pub(super) quantity: Option<Decimal>,
    pub(super) from: Option<Date>,
    pub(super) until: Option<Date>,
    pub(super) text: String,
    pub(super) formula: Formula,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Product {
    pub(super) id: i64,
    pub(super) code: String,
    /// One that is not any more has no price in any list.
    pub(super) sold: bool,
    /// With those above them.
    pub(super) categories: BTreeSet<i64>,
    pub(super) list_price: Option<Decimal>,
    pub(super) cost_price: Option<Decimal>,
    /// Its unit of sale is another than its own.
    pub(super) sold_otherwise: bool,
}

/// Minimum quantity and price.
type Tiers = Vec<(Decimal, Decimal)>;

impl List {
    /// The price of a product as a row has it; `Null`: it has none.
    pub(super) fn price(&self, product: &Product, digits: u32) -> Result<Value, String> {
        if !product.sold {
            return Ok(Value::Null);
        }
        let lines: Vec<&Line> = self.lines.iter().filter(|line| line.is_of(product)).collect();
        if self.by_sale_unit && product.sold_otherwise && lines.iter().any(|line| line.quantity.is_some()) {
            return Err(format!(
                "its quantities are in the unit of sale, and product {} has another unit of its own: write them in the \
                 product's unit (Unit: Product Default)",
                product.code
            ));
        }
        let values = self.values(product);
        let mut windows: Vec<(Option<Date>, Option<Date>, Tiers)> = Vec::new();
        for (from, until) in spans(&lines) {
            let on = from.or(until).unwrap_or(Date::MIN);
            let counting: Vec<&Line> = lines.iter().filter(|line| line.counts_on(on)).copied().collect();
            let tiers = tiers(&counting, &values, digits).map_err(|(line, why)| told(line, &why))?;
            match windows.last_mut() {
                // The day after is no other.
                Some((_, end, before)) if *before == tiers => *end = until,
                _ => windows.push((from, until, tiers)),
            }
        }
        windows.retain(|(_, _, tiers)| !tiers.is_empty());
        Ok(row(&windows))
    }

    fn values(&self, product: &Product) -> Values {
        // Tryton takes a product without a cost for one that costs nothing.
        let cost_price = Some(product.cost_price.unwrap_or_default());
        let unit_price = match self.base {
            Base::ListPrice => product.list_price,
            Base::CostPrice => cost_price,
            Base::Nothing => None,
        };
        Values { unit_price, list_price: product.list_price, cost_price }
    }
}

impl Line {
    fn is_of(&self, product: &Product) -> bool {
        self.product.is_none_or(|of| of == product.id)
            && self.category.is_none_or(|of| product.categories.contains(&of))
    }

    fn counts_on(&self, day: Date) -> bool {
        self.from.is_none_or(|from| from <= day) && self.until.is_none_or(|until| until >= day)
    }
}

fn told(line: &Line, why: &str) -> String {
    format!("its line {} with the formula {:?}: {why}", line.id, line.text)
}

/// The spans of days in which the same lines count.
fn spans(lines: &[&Line]) -> Vec<(Option<Date>, Option<Date>)> {
    let after = |day: Date| day.checked_add(1.day()).ok();
    let begins: BTreeSet<Date> =
        lines.iter().flat_map(|line| [line.from, line.until.and_then(after)]).flatten().collect();
    let before = |day: Date| day.checked_sub(1.day()).ok();
    let starts = std::iter::once(None).chain(begins.iter().map(|day| Some(*day)));
    let ends = begins.iter().map(|day| before(*day)).chain(std::iter::once(None));
    starts.zip(ends).collect()
}

fn tiers<'l>(lines: &[&'l Line], values: &Values, digits: u32) -> Result<Tiers, (&'l Line, String)> {
    let breaks: BTreeSet<Decimal> =
        lines.iter().filter_map(|line| line.quantity).chain([Decimal::ZERO]).collect();
    let mut tiers = Tiers::new();
    for quantity in breaks {
        let first = lines.iter().find(|line| line.quantity.is_none_or(|from| from <= quantity));
        let Some(line) = first else { continue };
        let price = line.formula.compute(values, digits).map_err(|why: Refused| (*line, why.to_string()))?;
        let Some(price) = price else {
            if tiers.is_empty() {
                continue;
            }
            let what = format!("from {quantity} on there is no price, and below it there is");
            return Err((line, what));
        };
        if price.is_sign_negative() && !price.is_zero() {
            return Err((line, format!("it comes to {price}, and a price is not negative")));
        }
        let price = price.normalize();
        if tiers.last().is_none_or(|(_, before)| *before != price) {
            tiers.push((quantity, price));
        }
    }
    Ok(tiers)
}

fn row(windows: &[(Option<Date>, Option<Date>, Tiers)]) -> Value {
    let is_any = |(minimum, _): &(Decimal, Decimal)| *minimum <= Decimal::ONE;
    if let [(None, None, tiers)] = windows
        && let [only] = tiers.as_slice()
        && is_any(only)
    {
        return json!(only.1.to_string());
    }
    if windows.is_empty() {
        return Value::Null;
    }
    let windows = windows.iter().map(|(from, until, tiers)| {
        // A first tier from 1 on, or from less, means any quantity.
        let minimum = |minimum: &Decimal| if minimum.is_zero() { Decimal::ONE } else { minimum.normalize() };
        let first_is_any = tiers.first().is_some_and(is_any);
        let rows = tiers.iter().enumerate().map(|(at, (from, amount))| {
            let from = if at == 0 && first_is_any && tiers.get(1).is_none_or(|next| next.0 > Decimal::ONE) {
                Decimal::ONE
            } else if from.is_zero() {
                // Something below one piece follows: kilograms.
                Decimal::new(1, 6)
            } else {
                minimum(from)
            };
            json!([from.to_string(), amount.to_string()])
        });
        let mut window = json!({ "tiers": rows.collect::<Vec<_>>() });
        for (name, day) in [("valid_from", from), ("valid_until", until)] {
            if let Some(day) = day {
                window[name] = day.to_string().into();
            }
        }
        window
    });
    Value::Array(windows.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(quantity: Option<i64>, formula: &str) -> Line {
        Line {
            id: 7,
            product: None,
            category: None,
            quantity: quantity.map(Decimal::from),
            from: None,
            until: None,
            text: formula.to_owned(),
            formula: Formula::parse(formula).unwrap(),
        }
    }

    fn list(lines: Vec<Line>) -> List {
        List {
            id: 1,
            name: "Wholesale".to_owned(),
            tax_included: false,
            by_sale_unit: false,
            base: Base::ListPrice,
            lines,
        }
    }

    fn product() -> Product {
        Product {
            id: 5,
            code: "SKU-5".to_owned(),
            sold: true,
            categories: BTreeSet::from([2, 3]),
            list_price: Some("10".parse().unwrap()),
            ..Product::default()
        }
    }

    fn price(lines: Vec<Line>) -> Result<Value, String> {
        list(lines).price(&product(), 4)
    }

    #[test]
    fn the_first_line_that_fits_counts_at_each_quantity() {
        let tiered = vec![
            line(Some(100), "unit_price * 0.8"),
            line(Some(10), "unit_price * 0.9"),
            line(None, "unit_price * 0.95"),
        ];
        assert_eq!(price(tiered), Ok(json!([{"tiers": [["1", "9.5"], ["10", "9"], ["100", "8"]]}])));
        // A line that stands first and fits any quantity hides the others.
        assert_eq!(price(vec![line(None, "4.75"), line(Some(10), "4")]), Ok(json!("4.75")));
        assert_eq!(price(vec![line(Some(10), "4")]), Ok(json!([{"tiers": [["10", "4"]]}])));
        assert_eq!(
            price(vec![line(Some(1), "4"), line(None, "5")]),
            Ok(json!([{"tiers": [["0.000001", "5"], ["1", "4"]]}]))
        );
        assert_eq!(
            price(vec![line(Some(10), "4"), line(None, "4.0000")]),
            Ok(json!("4")),
            "no break where nothing breaks"
        );
        assert_eq!(price(vec![]), Ok(Value::Null));
    }

    #[test]
    fn a_line_is_for_its_product_and_for_its_category_with_all_below() {
        let of = |product, category| Line { product, category, ..line(None, "1") };
        assert_eq!(price(vec![of(Some(6), None), of(None, Some(9)), line(None, "2")]), Ok(json!("2")));
        assert_eq!(price(vec![of(Some(5), Some(3)), line(None, "2")]), Ok(json!("1")));
    }

    #[test]
    fn days_become_validities() {
        let from = |from: &str, until: &str, formula| Line {
            from: from.parse().ok(),
            until: until.parse().ok(),
            ..line(None, formula)
        };
        assert_eq!(
            price(vec![from("2026-12-01", "2026-12-24", "8"), line(None, "9")]),
            Ok(json!([
                {"tiers": [["1", "9"]], "valid_until": "2026-11-30"},
                {"tiers": [["1", "8"]], "valid_from": "2026-12-01", "valid_until": "2026-12-24"},
                {"tiers": [["1", "9"]], "valid_from": "2026-12-25"},
            ]))
        );
        assert_eq!(
            price(vec![from("2027-01-01", "", "8")]),
            Ok(json!([{"tiers": [["1", "8"]], "valid_from": "2027-01-01"}]))
        );
    }

    #[test]
    fn what_cannot_be_a_price_names_the_line_and_its_formula() {
        let refused = price(vec![line(None, "unit_price - 11")]).unwrap_err();
        assert!(
            refused.contains("line 7") && refused.contains("\"unit_price - 11\"") && refused.contains("-1"),
            "{refused}"
        );
        let by_sale = List { by_sale_unit: true, ..list(vec![line(Some(10), "4"), line(None, "5")]) };
        let refused = by_sale.price(&Product { sold_otherwise: true, ..product() }, 4).unwrap_err();
        assert!(refused.contains("SKU-5"), "{refused}");
        // A product without a list price has none here, as in Tryton.
        let bare = Product { list_price: None, ..product() };
        assert_eq!(list(vec![line(None, "unit_price * 0.9")]).price(&bare, 4), Ok(Value::Null));
    }
}
