//! A year of changes, ten million of them, and how long finance waits for an answer.
//!
//! `cargo run --release -p tidegate-price-store --example year-of-changes -- [changes a night] [changes an hour]`

#![expect(clippy::disallowed_methods, reason = "it measures time and prints it")]

use jiff::Timestamp;
use pricing::Price;
use rust_decimal::Decimal;
use std::collections::BTreeSet;
use std::time::Instant;
use tidegate_price_store::{
    AuditQuery, Guards, LoadRequest, Mode, Options, PriceStore, PriceStoreError, Row, RowFault,
};

const LISTS: u64 = 500;
const SKUS: u64 = 2_000;
const DAY_S: i64 = 86_400;
const PEOPLE: [&str; 5] = ["Ada", "Grace", "Edsger", "Barbara", "Tony"];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let mut number = |default: u64| arguments.next().map_or(Ok(default), |text| text.parse::<u64>());
    let (nightly, hourly) = (number(25_000)?, number(100)?);
    let folder = std::env::temp_dir().join("tidegate-year-of-changes");
    let _ = std::fs::remove_dir_all(&folder);
    let store = PriceStore::open(&folder, Options { guards: Guards::none() })?;
    let began = Instant::now();
    load(&store, 0, LISTS * SKUS, 0)?;
    for day in 1..=365 {
        load(&store, day * 1000, nightly, day as i64 * DAY_S)?;
        for hour in 1..24_u64 {
            load(&store, day * 1000 + hour, hourly, day as i64 * DAY_S + hour as i64 * 3600)?;
        }
    }
    let stats = store.stats();
    println!(
        "{} prices; {} loads with {} changes in {:.0} s; at most {} layers, {} segments",
        stats.prices,
        stats.journal_entries,
        365 * (nightly + 23 * hourly),
        began.elapsed().as_secs_f64(),
        stats.layers_max,
        stats.segments
    );
    println!("on the disk: {:.0} MB", folder_bytes(&folder)? as f64 / 1e6);

    let lists = |ids: [u64; 3]| Some(ids.iter().map(|id| list(*id)).collect::<BTreeSet<_>>());
    let june = (Some(at(150 * DAY_S)), Some(at(181 * DAY_S)));
    let one = Some(BTreeSet::from([list(77)]));
    let queries = [
        ("a SKU in one list", AuditQuery { lists: one.clone(), sku: Some(sku(5)), ..AuditQuery::default() }),
        (
            "a SKU in the lists of a company",
            AuditQuery { lists: lists([1, 2, 3]), sku: Some(sku(5)), ..AuditQuery::default() },
        ),
        ("a SKU in all lists", AuditQuery { sku: Some(sku(5)), ..AuditQuery::default() }),
        ("the lists of a company", AuditQuery { lists: lists([1, 2, 3]), ..AuditQuery::default() }),
        (
            "a person, in June, a SKU",
            AuditQuery {
                by: Some("Grace".into()),
                sku: Some(sku(9)),
                from: june.0,
                until: june.1,
                ..AuditQuery::default()
            },
        ),
    ];
    for (what, query) in queries {
        let began = Instant::now();
        let found = store.audit(&query, usize::MAX)?.len();
        println!("{what:<34} {found:>8} changes   {:>7.1} ms", milliseconds(began));
    }
    let began = Instant::now();
    let found = store.audit(&AuditQuery { by: Some("Ada".into()), ..AuditQuery::default() }, 100)?.len();
    println!("{:<34} {found:>8} changes   {:>7.1} ms", "the last hundred of a person", milliseconds(began));
    let began = Instant::now();
    let then = store.price_at(&list(77), &sku(5), at(100 * DAY_S))?;
    println!(
        "{:<34} {:>8}           {:>7.1} ms",
        "a price nine months ago",
        then.is_some(),
        milliseconds(began)
    );
    let began = Instant::now();
    let findings = store.verify()?.findings.len();
    println!("{:<34} {findings:>8} findings  {:>7.1} ms", "verify", milliseconds(began));
    drop(store);
    let began = Instant::now();
    let store = PriceStore::open(&folder, Options { guards: Guards::none() })?;
    println!(
        "{:<34} {:>8}           {:>7.1} ms",
        "opened again",
        store.current().number(),
        milliseconds(began)
    );
    drop(store);
    std::fs::remove_dir_all(&folder)?;
    Ok(())
}

fn load(store: &PriceStore, load: u64, count: u64, second: i64) -> Result<(), PriceStoreError> {
    let by = PEOPLE[(load % PEOPLE.len() as u64) as usize].to_owned();
    let request = LoadRequest { source: "erp".into(), by, note: None, mode: Mode::Changes, dry_run: false };
    let rows = (0..count).map(|row| -> Result<Row<'static>, RowFault> {
        // Spread over lists and SKUs, other ones each time.
        let at = if load == 0 { row } else { (load * 7_919 + row * 104_729) % (LISTS * SKUS) };
        let cents = 100 + (load * 31 + row * 17) % 90_000;
        let price = Some(Price::Plain(Decimal::new(cents as i64, 2)));
        Ok(Row { list: list(at / SKUS).into(), sku: sku(at % SKUS).into(), price, line: None })
    });
    store.load(request, rows, at(second)).map(drop)
}

fn list(number: u64) -> String {
    format!("contract-{number:03}")
}

fn sku(number: u64) -> String {
    format!("SKU-{number:05}")
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap_or(Timestamp::UNIX_EPOCH)
}

fn milliseconds(began: Instant) -> f64 {
    began.elapsed().as_secs_f64() * 1000.0
}

fn folder_bytes(folder: &std::path::Path) -> std::io::Result<u64> {
    let mut bytes = 0;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let is_folder = entry.file_type()?.is_dir();
        bytes += if is_folder { folder_bytes(&entry.path())? } else { entry.metadata()?.len() };
    }
    Ok(bytes)
}
