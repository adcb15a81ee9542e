//! What the tests have in common: prices written as texts, loads of them, and what stands in a folder.

use crate::{Guards, LoadRequest, Mode, Options, Outcome, PriceStore, PriceStoreError, Row, RowFault};
use jiff::Timestamp;
use kernel::money::parse_exact;
use pricing::Price;

pub(super) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

pub(super) fn request(mode: Mode) -> LoadRequest {
    LoadRequest { source: "erp".into(), by: "nightly".into(), note: None, mode, dry_run: false }
}

pub(super) fn price(text: &str) -> Price {
    Price::plain(parse_exact(text).unwrap()).unwrap()
}

/// `list sku amount` a line; an amount of `-` is gone.
pub(super) fn rows(text: &str) -> Vec<Result<Row<'_>, RowFault>> {
    text.split(',')
        .map(|row| {
            let mut words = row.split_whitespace();
            let (list, sku) = (words.next().unwrap().into(), words.next().unwrap().into());
            let price = words.next().filter(|amount| *amount != "-").map(price);
            Ok(Row { list, sku, price, line: None })
        })
        .collect()
}

/// Rows of SKUs that are told apart by their number.
pub(super) fn many(list: &str, numbers: std::ops::Range<u32>, price: impl Fn(u32) -> String) -> String {
    let rows: Vec<String> = numbers.map(|number| format!("{list} SKU-{number} {}", price(number))).collect();
    rows.join(",")
}

/// What [`rows`] reads, at a second.
pub(super) fn load(
    store: &PriceStore,
    mode: Mode,
    text: &str,
    second: i64,
) -> Result<Outcome, PriceStoreError> {
    store.load(request(mode), rows(text).into_iter(), at(second))
}

/// With guards that hold none of the small loads here but for what is wrong at any size.
pub(super) fn options() -> Options {
    Options { guards: Guards { few: 1000, ..Guards::default() } }
}

pub(super) fn copy_all(from: &std::path::Path, to: &std::path::Path) {
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            std::fs::create_dir_all(&to).unwrap();
            copy_all(&entry.path(), &to);
        } else {
            std::fs::copy(entry.path(), to).unwrap();
        }
    }
}
