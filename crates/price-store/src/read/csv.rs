//! Prices as a spreadsheet or an ERP writes them: `list,sku,min,price,unit,valid_from,valid_until`, a row for each tier. Owns that rows
//! of one SKU of one list, which stand one below the other, become one price: those of the same unit and validity are its tiers.

use super::record::Records;
use crate::form::{number, unit};
use crate::gather::{Row, RowFault};
use jiff::tz::TimeZone;
use kernel::quantity::Unit;
use pricing::price::{TIERS_MAX, WINDOWS_MAX};
use pricing::{Price, PriceFault, Sku, Tier, Validity, Window};
use rust_decimal::Decimal;
use std::io::BufRead;

/// The columns in the order in which their names are told.
const COLUMNS: [&str; 7] = ["list", "sku", "price", "min", "unit", "valid_from", "valid_until"];
const REQUIRED: usize = 3;

/// `list`, `sku` and `price` must be there, in any order, named in the first row; `-` as a price says that it is gone. The first row
/// also says whether fields are apart by a comma, a semicolon or a tab. `zone`: whose days dates are.
pub fn csv<R: BufRead>(reader: R, zone: TimeZone) -> Csv<R> {
    Csv { records: Records::new(reader), zone, head: None, pending: None, ended: false }
}

/// See [`csv`].
#[derive(Debug)]
pub struct Csv<R> {
    records: Records<R>,
    zone: TimeZone,
    head: Option<Head>,
    pending: Option<Pending>,
    ended: bool,
}

#[derive(Debug, Clone)]
struct Head {
    separator: char,
    /// Of each column its place in a row.
    places: [Option<usize>; COLUMNS.len()],
    fields: usize,
}

/// The rows of one SKU so far.
#[derive(Debug)]
struct Pending {
    line: u64,
    list: String,
    sku: String,
    /// None: `-`.
    windows: Option<Vec<Window>>,
}

#[derive(Debug)]
struct One {
    list: String,
    sku: String,
    tier: Option<(Tier, Option<Unit>, Validity)>,
}

impl<R: BufRead> Iterator for Csv<R> {
    type Item = Result<Row<'static>, RowFault>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.ended {
            let (line, text) = match self.records.next(true) {
                None => {
                    self.ended = true;
                    break;
                }
                Some(Err(fault)) => return Some(Err(fault)),
                Some(Ok(record)) => record,
            };
            let fault = |what: String| Some(Err(RowFault { line: Some(line), what }));
            let Some(head) = self.head.clone() else {
                match Head::read(&text) {
                    Ok(head) => self.head = Some(head),
                    Err(what) => {
                        // No row can be understood.
                        self.ended = true;
                        return fault(what);
                    }
                }
                continue;
            };
            let one = match One::read(&text, &head, &self.zone) {
                Ok(one) => one,
                Err(what) => return fault(what),
            };
            match self.pending.as_mut().map(|pending| pending.add(&one)) {
                Some(Ok(true)) => {}
                Some(Err(what)) => return fault(what),
                None | Some(Ok(false)) => {
                    if let Some(before) = self.pending.replace(Pending::of(line, one)) {
                        return Some(before.row());
                    }
                }
            }
        }
        self.pending.take().map(Pending::row)
    }
}

impl Head {
    fn read(text: &str) -> Result<Self, String> {
        let count = |separator: &char| text.matches(*separator).count();
        let separator = [',', ';', '\t'].into_iter().max_by_key(count).unwrap_or(',');
        let names = fields(text, separator)?;
        let mut places = [None; COLUMNS.len()];
        for (place, name) in names.iter().enumerate() {
            let name = name.trim();
            let column = COLUMNS.iter().position(|column| column.eq_ignore_ascii_case(name));
            let column = column
                .ok_or_else(|| format!("the column '{}' is none of {}", excerpt(name), COLUMNS.join(", ")))?;
            if places[column].replace(place).is_some() {
                return Err(format!("the column '{name}' stands twice in the first row"));
            }
        }
        match (0..REQUIRED).find(|column| places[*column].is_none()) {
            Some(column) => Err(format!("the first row names no column '{}'", COLUMNS[column])),
            None => Ok(Self { separator, places, fields: names.len() }),
        }
    }
}

impl One {
    fn read(text: &str, head: &Head, zone: &TimeZone) -> Result<Self, String> {
        let fields = fields(text, head.separator)?;
        if fields.len() != head.fields {
            return Err(format!(
                "the row has {} fields and the first row names {}",
                fields.len(),
                head.fields
            ));
        }
        let field = |column: usize| head.places[column].map_or("", |place| fields[place].trim());
        let [list, sku, price, min, unit_code, from, until] = std::array::from_fn(field);
        if list.is_empty() || sku.is_empty() {
            return Err("'list' or 'sku' is empty".to_owned());
        }
        let (list, sku) = (list.to_owned(), sku.to_owned());
        if price == "-" {
            return Ok(Self { list, sku, tier: None });
        }
        let named = |name: &'static str| move |what: String| format!("{name}: {what}");
        let amount = number(price).map_err(named("price"))?;
        let amount = pricing::price::amount_of(amount).map_err(|fault| format!("price: {fault}"))?;
        let minimum = if min.is_empty() { Decimal::ONE } else { number(min).map_err(named("min"))? };
        let given = |text| Some(text).filter(|text: &&str| !text.is_empty());
        let unit = given(unit_code).map(unit).transpose().map_err(named("unit"))?;
        let validity = Validity::parse(given(from), given(until), zone)
            .map_err(|fault| format!("valid_from, valid_until: {fault}"))?;
        Ok(Self { list, sku, tier: Some((Tier { minimum, amount }, unit, validity)) })
    }
}

impl Pending {
    fn of(line: u64, one: One) -> Self {
        let mut pending = Self { line, list: one.list, sku: one.sku, windows: None };
        pending.windows = one.tier.map(|tier| vec![window(tier)]);
        pending
    }

    /// False: the row is of another SKU or list.
    fn add(&mut self, one: &One) -> Result<bool, String> {
        let same_sku = || self.sku == one.sku || Sku::spell(&self.sku).ok() == Sku::spell(&one.sku).ok();
        if self.list != one.list || !same_sku() {
            return Ok(false);
        }
        let (Some(windows), Some((tier, unit, validity))) = (&mut self.windows, &one.tier) else {
            return Err(format!("SKU {} is gone ('-') and has a price: one of the two", self.sku));
        };
        let is_full = windows.len() >= WINDOWS_MAX;
        match windows.iter_mut().find(|window| window.unit == *unit && window.validity == *validity) {
            Some(window) if window.tiers.len() >= TIERS_MAX => {
                return Err(many(&self.sku, &self.list, "tiers", TIERS_MAX));
            }
            Some(window) => {
                let at = window.tiers.partition_point(|other| other.minimum <= tier.minimum);
                window.tiers.insert(at, *tier);
            }
            None if is_full => {
                return Err(many(&self.sku, &self.list, "validities", WINDOWS_MAX));
            }
            None => windows.push(window((*tier, unit.clone(), *validity))),
        }
        Ok(true)
    }

    fn row(self) -> Result<Row<'static>, RowFault> {
        let line = Some(self.line);
        let price = self.windows.map(Price::new).transpose().map_err(|fault| RowFault {
            line,
            what: format!("SKU {} of list {}: {fault}", self.sku, self.list),
        })?;
        Ok(Row { list: self.list.into(), sku: self.sku.into(), price, line })
    }
}

/// Told at the row that is one too many: a file that is all of one SKU takes no more memory than any other.
fn many(sku: &str, list: &str, what: &'static str, most: usize) -> String {
    format!("SKU {sku} of list {list}: {}", PriceFault::Many(what, most))
}

fn window((tier, unit, validity): (Tier, Option<Unit>, Validity)) -> Window {
    Window { validity, unit, tiers: vec![tier] }
}

/// The fields of a record: between quotes a separator and a line end are text, and two quotes are one.
fn fields(record: &str, separator: char) -> Result<Vec<String>, String> {
    let record = record.strip_suffix('\n').unwrap_or(record);
    let record = record.strip_suffix('\r').unwrap_or(record);
    let mut fields = Vec::with_capacity(COLUMNS.len());
    let mut rest = record;
    loop {
        let Some(quoted) = rest.strip_prefix('"') else {
            let (field, after) =
                rest.split_once(separator).map_or((rest, None), |(field, after)| (field, Some(after)));
            fields.push(field.to_owned());
            match after {
                Some(after) => rest = after,
                None => return Ok(fields),
            }
            continue;
        };
        let (field, after) = quoted_field(quoted)?;
        fields.push(field);
        if after.is_empty() {
            return Ok(fields);
        }
        rest = after
            .strip_prefix(separator)
            .ok_or("behind a closing quote there is neither a separator nor the end")?;
    }
}

fn quoted_field(mut rest: &str) -> Result<(String, &str), String> {
    let mut field = String::new();
    loop {
        let (text, after) = rest.split_once('"').ok_or("a quote is opened and never closed")?;
        field.push_str(text);
        match after.strip_prefix('"') {
            Some(after) => {
                field.push('"');
                rest = after;
            }
            None => return Ok((field, after)),
        }
    }
}

fn excerpt(text: &str) -> String {
    text.chars().take(40).collect()
}
