//! A file of prices, CSV or NDJSON. It reads the same in the smallest pieces and with a mark before it; each row and each fault
//! names a line of it; and a row that is read, written in either form, reads the same again.

use jiff::tz::TimeZone;
use price_store::form::PriceForm;
use price_store::read::{ROW_BYTES_MAX, csv, ndjson};
use price_store::{Row, RowFault};
use std::io::BufReader;
use std::sync::LazyLock;

const MARK: &[u8] = b"\xEF\xBB\xBF";

/// With a summer time.
static ZONE: LazyLock<TimeZone> =
    LazyLock::new(|| TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").expect("a zone"));

type Read = Vec<Result<Row<'static>, RowFault>>;

pub(crate) fn check(file: &[u8]) {
    for form in [Form::Csv, Form::Ndjson] {
        let read = form.read(file);
        let in_pieces: Read = match form {
            Form::Csv => csv(BufReader::with_capacity(1, file), ZONE.clone()).collect(),
            Form::Ndjson => ndjson(BufReader::with_capacity(1, file), ZONE.clone()).collect(),
        };
        assert_eq!(in_pieces, read, "in pieces it is another file");
        if !file.starts_with(b"\xEF") {
            assert_eq!(form.read(&[MARK, file].concat()), read, "with a mark it is another file");
        }
        // Between quotes a line end is text.
        if !file.contains(&b'\r') && !file.contains(&b'"') {
            let other = file.split(|byte| *byte == b'\n').collect::<Vec<_>>().join(&b"\r\n"[..]);
            assert_eq!(form.read(&other), read, "with other line ends it is another file");
        }
        check_lines(file, &read);
        for row in read.iter().flatten() {
            check_row(row);
        }
    }
}

#[derive(Clone, Copy)]
enum Form {
    Csv,
    Ndjson,
}

impl Form {
    fn read(self, file: &[u8]) -> Read {
        match self {
            Self::Csv => csv(file, ZONE.clone()).collect(),
            Self::Ndjson => ndjson(file, ZONE.clone()).collect(),
        }
    }
}

fn check_lines(file: &[u8], read: &Read) {
    let lines = file.split(|byte| *byte == b'\n').count() as u64;
    assert!(read.len() as u64 <= lines, "{} rows and faults of {lines} lines", read.len());
    for row in read {
        let line = match row {
            Ok(row) => row.line,
            Err(fault) => {
                assert!(!fault.what.is_empty());
                drop(fault.to_string());
                let place = fault.what.rsplit_once(", at character ").map(|(_, place)| place);
                assert_ne!(place, Some("0"), "at a character of the line: {fault}");
                fault.line
            }
        };
        assert!(line.is_some_and(|line| (1..=lines).contains(&line)), "the file has {lines} lines: {row:?}");
    }
}

fn check_row(row: &Row<'_>) {
    let form = row.price.as_ref().map(PriceForm::from);
    let line = serde_json::json!({ "list": row.list, "sku": row.sku, "price": form }).to_string();
    check_again(row, Form::Ndjson, &line);
    // Blanks at the ends of a cell are none of it.
    let is_cell = |text: &str| !text.is_empty() && text.trim() == text;
    if is_cell(&row.list) && is_cell(&row.sku) {
        check_again(row, Form::Csv, &table(row, form.as_ref()));
    }
}

fn check_again(row: &Row<'_>, form: Form, text: &str) {
    if text.len() > ROW_BYTES_MAX {
        return;
    }
    let again = form.read(text.as_bytes());
    let [Ok(again)] = again.as_slice() else { panic!("written, it is not one row: {again:?}\n{text}") };
    assert_eq!((&again.list, &again.sku, &again.price), (&row.list, &row.sku, &row.price), "{text}");
}

/// As CSV, with a row for each tier.
fn table(row: &Row<'_>, form: Option<&PriceForm>) -> String {
    let mut text = "list;sku;price;min;unit;valid_from;valid_until".to_owned();
    let mut add = |price: &str, rest: [&str; 4]| {
        let [min, unit, from, until] = rest;
        let cell = |text: &&str| format!("\"{}\"", text.replace('"', "\"\""));
        let cells: Vec<String> =
            [&row.list, &row.sku, price, min, unit, from, until].iter().map(cell).collect();
        text.push('\n');
        text.push_str(&cells.join(";"));
    };
    match form {
        None => add("-", [""; 4]),
        Some(PriceForm::Plain(amount)) => add(amount, [""; 4]),
        Some(PriceForm::Windows(windows)) => {
            for window in windows {
                let part = |part: &Option<String>| part.clone().unwrap_or_default();
                let (unit, from, until) =
                    (part(&window.unit), part(&window.valid_from), part(&window.valid_until));
                for [minimum, amount] in &window.tiers {
                    add(amount, [minimum, &unit, &from, &until]);
                }
            }
        }
    }
    text
}
