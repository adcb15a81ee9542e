//! Prices as programs write them: an object a line, `{"list":"…","sku":"…","price":…}`. A price is an amount (a text, or a number,
//! of which every digit counts), a row of windows as [`crate::form::PriceForm`] writes them, or `null`: it is gone.

use super::record::Records;
use crate::form::{PriceForm, WindowForm};
use crate::gather::{Row, RowFault};
use jiff::tz::TimeZone;
use pricing::Price;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::io::BufRead;

/// `zone`: whose days dates without an offset are.
pub fn ndjson<R: BufRead>(reader: R, zone: TimeZone) -> Ndjson<R> {
    Ndjson { records: Records::new(reader), zone }
}

/// See [`ndjson`].
#[derive(Debug)]
pub struct Ndjson<R> {
    records: Records<R>,
    zone: TimeZone,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line<'a> {
    #[serde(borrow)]
    list: Cow<'a, str>,
    #[serde(borrow)]
    sku: Cow<'a, str>,
    #[serde(borrow)]
    price: &'a RawValue,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WindowLine<'a> {
    valid_from: Option<String>,
    valid_until: Option<String>,
    unit: Option<String>,
    #[serde(borrow)]
    tiers: Vec<[&'a RawValue; 2]>,
}

impl<R: BufRead> Iterator for Ndjson<R> {
    type Item = Result<Row<'static>, RowFault>;

    fn next(&mut self) -> Option<Self::Item> {
        let (line, text) = match self.records.next(false)? {
            Ok(record) => record,
            Err(fault) => return Some(Err(fault)),
        };
        Some(row(line, &text, &self.zone).map_err(|what| RowFault { line: Some(line), what }))
    }
}

fn row(line: u64, text: &str, zone: &TimeZone) -> Result<Row<'static>, String> {
    // Without its end, behind which a place would be one of the next line.
    let read: Line<'_> = serde_json::from_str(text.trim_end()).map_err(|error| told(&error))?;
    let price = price(read.price.get(), zone)
        .map_err(|what| format!("SKU {} of list {}: {what}", read.sku, read.list))?;
    Ok(Row {
        list: read.list.into_owned().into(),
        sku: read.sku.into_owned().into(),
        price,
        line: Some(line),
    })
}

fn price(raw: &str, zone: &TimeZone) -> Result<Option<Price>, String> {
    let form = match raw.as_bytes().first() {
        Some(b'n') => return Ok(None),
        Some(b'[') => {
            let windows: Vec<WindowLine<'_>> = serde_json::from_str(raw).map_err(|error| told(&error))?;
            PriceForm::Windows(windows.into_iter().map(WindowLine::form).collect::<Result<_, _>>()?)
        }
        _ => PriceForm::Plain(scalar(raw)?),
    };
    form.read(zone).map(Some)
}

impl WindowLine<'_> {
    fn form(self) -> Result<WindowForm, String> {
        let Self { valid_from, valid_until, unit, tiers } = self;
        let tier = |[minimum, amount]: [&RawValue; 2]| Ok([scalar(minimum.get())?, scalar(amount.get())?]);
        let tiers = tiers.into_iter().map(tier).collect::<Result<_, String>>()?;
        Ok(WindowForm { valid_from, valid_until, unit, tiers })
    }
}

/// A text, or the text of a number.
fn scalar(raw: &str) -> Result<String, String> {
    match raw.as_bytes().first() {
        Some(b'"') => serde_json::from_str(raw).map_err(|error| told(&error)),
        Some(b'{' | b'[' | b't' | b'f' | b'n') => Err("an amount is a text or a number".to_owned()),
        _ => Ok(raw.to_owned()),
    }
}

fn told(error: &serde_json::Error) -> String {
    // The line within the row is always the first: the row's own stands beside it.
    let text = error.to_string();
    let text = text.split(" at line ").next().unwrap_or(&text);
    format!("it is no price as JSON: {text}, at character {}", error.column())
}
