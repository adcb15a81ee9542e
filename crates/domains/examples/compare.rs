//! What the full check costs: two JSONL files of a million pairs with 1,000 planted differences, compared by the bare minimum
//! (a map of 64-bit hashes, counts only: what may be wrong and names nothing that Shopify alone has) and by
//! `inventory::compare`, each in a process of its own, in turns. Prints medians: the time, the highest resident size and the ratio
//! of each; fails where a planted difference was not found or another was invented. Run it with `--release`; arguments: pairs
//! (1000000), rounds (5).
//!
//! A third way, `strict`, compares levels as a source drops them: read strictly by `inventory::drop`, rules applied.

use serde::Deserialize;
use std::borrow::Cow;
use std::fs::File;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::{BufRead as _, BufReader, BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;
use tidegate_domains::inventory::compare::{Check, InFlight, Shelf, Shelves, Truth};
use tidegate_domains::inventory::drop::{Defaults, Lines, Says};
use tidegate_domains::inventory::{Key, Rules, Sold, sold};

type Failure = Box<dyn std::error::Error>;

const PLANTED: usize = 1_000;
const WAYS: [&str; 3] = ["floor", "compare", "strict"];

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [way, folder] = arguments.as_slice()
        && WAYS.contains(&way.as_str())
    {
        return child(way, Path::new(folder));
    }
    let number = |at: usize, default| arguments.get(at).map_or(Ok(default), |text| text.parse());
    let (pairs, rounds) = (number(0, 1_000_000usize)?, number(1, 5usize)?);
    let folder = Folder(std::env::temp_dir().join(format!("tidegate-compare-{}", std::process::id())));
    std::fs::create_dir_all(&folder.0)?;
    make(&folder.0, pairs)?;
    let mut runs: [Vec<Run>; 3] = Default::default();
    for _ in 0..rounds {
        for (way, runs) in WAYS.iter().zip(&mut runs) {
            runs.push(Run::of(way, &folder.0)?);
        }
    }
    let planted = format!("{} {} {}", PLANTED / 2, PLANTED / 4, PLANTED / 4);
    for (way, runs) in WAYS.iter().zip(&runs) {
        let seconds = median(runs.iter().map(|run| run.micros as f64 / 1e6));
        let megabytes = median(runs.iter().map(|run| run.kilobytes as f64 / 1e3));
        println!("{way:<8} {seconds:>8.3} s  {megabytes:>6.1} MB resident");
        if let Some(wrong) = runs.iter().find(|run| run.found != planted) {
            return Err(format!(
                "{way} found {} (differs, missing, unknown), planted {planted}",
                wrong.found
            )
            .into());
        }
    }
    let ratio = |way: usize| {
        median(runs[way].iter().zip(&runs[0]).map(|(run, floor)| run.micros as f64 / floor.micros as f64))
    };
    println!("{pairs} pairs, {PLANTED} planted differences, all found and none invented");
    println!(
        "medians of the rounds' ratios: compare / floor = {:.2}, strict / floor = {:.2}",
        ratio(1),
        ratio(2)
    );
    Ok(())
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_unstable_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Removed at the end, whatever it was.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

struct Run {
    micros: u128,
    kilobytes: u64,
    found: String,
}

impl Run {
    fn of(way: &str, folder: &Path) -> Result<Self, Failure> {
        let output = Command::new(std::env::current_exe()?).arg(way).arg(folder).output()?;
        let told = String::from_utf8(output.stdout)?;
        let mut lines = told.lines();
        let mut next = || lines.next().ok_or_else(|| String::from_utf8_lossy(&output.stderr).into_owned());
        Ok(Self { micros: next()?.parse()?, kilobytes: next()?.parse()?, found: next()?.to_owned() })
    }
}

#[expect(clippy::disallowed_methods, reason = "a measurement of real time is what this program is for")]
fn child(way: &str, folder: &Path) -> Result<(), Failure> {
    let start = Instant::now();
    let found = match way {
        "floor" => floor(folder)?,
        "compare" => compare(folder, simple)?,
        _ => compare(folder, strict)?,
    };
    println!("{}\n{}\n{} {} {}", start.elapsed().as_micros(), resident()?, found[0], found[1], found[2]);
    Ok(())
}

/// The highest it was, in kilobytes.
fn resident() -> Result<u64, Failure> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("no VmHWM")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}

/// Of `pairs`, half of the planted differ, a quarter is missing in Shopify, a quarter unknown in the source. Neither side is
/// in the order of the other.
fn make(folder: &Path, pairs: usize) -> Result<(), Failure> {
    let file = |name: &str| File::create(folder.join(name)).map(BufWriter::new);
    let (mut shopify, mut source, mut levels) = (file("shopify")?, file("source")?, file("levels")?);
    let every = (pairs / PLANTED).max(1);
    let planted =
        |n: usize| n.is_multiple_of(every).then_some(n / every).filter(|k| *k < PLANTED).map(|k| k % 4);
    // A stride that shares no factor with the number walks over all of them.
    let stride = (pairs / 3..).find(|stride| gcd(*stride, pairs) == 1).ok_or("no stride")?;
    for n in 0..pairs {
        let (sku, location) = (format!("SKU-{:07}", n / 10), format!("WH-{}", n % 10));
        let (available, committed, counted) = (n % 997, n % 3, n % 2);
        if planted(n) != Some(0) {
            let in_flight = committed.saturating_sub(counted);
            let wrong = usize::from(matches!(planted(n), Some(2 | 3)));
            let has = (available + wrong) as i64 - in_flight as i64;
            writeln!(
                shopify,
                "{{\"sku\":\"{sku}\",\"location\":\"{location}\",\"available\":{has},\"committed\":{committed}}}"
            )?;
        }
        let n = (n * stride) % pairs;
        let (sku, location) = (format!("SKU-{:07}", n / 10), format!("WH-{}", n % 10));
        let (available, counted) = (n % 997, n % 2);
        if planted(n) != Some(1) {
            let pair = format!("{{\"sku\":\"{sku}\",\"location\":\"{location}\"");
            writeln!(source, "{pair},\"available\":{available},\"counted\":{counted}}}")?;
            writeln!(
                levels,
                "{pair},\"on_hand\":\"{}\",\"reserved\":\"7\",\"counted\":\"{counted}\",\"changed_at\":\"2026-11-26T14:00:00Z\"}}",
                available + 7
            )?;
        }
    }
    [&mut shopify, &mut source, &mut levels].into_iter().try_for_each(|file| file.flush())?;
    Ok(())
}

fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[derive(Deserialize)]
struct Had<'a> {
    #[serde(borrow)]
    sku: Cow<'a, str>,
    #[serde(borrow)]
    location: Cow<'a, str>,
    available: i32,
    committed: i32,
}

#[derive(Deserialize)]
struct Said<'a> {
    #[serde(borrow)]
    sku: Cow<'a, str>,
    #[serde(borrow)]
    location: Cow<'a, str>,
    available: i64,
    counted: i64,
}

/// Each line, until `each` has enough.
fn lines(path: &Path, mut each: impl FnMut(&str) -> Result<bool, Failure>) -> Result<(), Failure> {
    let mut reader = BufReader::with_capacity(1 << 16, File::open(path)?);
    let mut line = String::new();
    while reader.read_line(&mut line)? > 0 {
        if !each(&line)? {
            break;
        }
        line.clear();
    }
    Ok(())
}

#[expect(clippy::disallowed_types, reason = "the bare minimum, which is never iterated")]
fn floor(folder: &Path) -> Result<[u64; 3], Failure> {
    let mut had = std::collections::HashMap::<u64, (i32, i32)>::new();
    let key = |sku: &str, location: &str| {
        let mut hasher = DefaultHasher::new();
        (sku, location).hash(&mut hasher);
        hasher.finish()
    };
    lines(&folder.join("shopify"), |line| {
        let row: Had<'_> = serde_json::from_str(line)?;
        had.insert(key(&row.sku, &row.location), (row.available, row.committed));
        Ok(true)
    })?;
    let mut found = [0; 3];
    lines(&folder.join("source"), |line| {
        let row: Said<'_> = serde_json::from_str(line)?;
        match had.remove(&key(&row.sku, &row.location)) {
            None => found[1] += 1,
            Some((available, committed)) => {
                let in_flight = (i64::from(committed) - row.counted).max(0);
                found[0] += u64::from(row.available - in_flight != i64::from(available));
            }
        }
        Ok(true)
    })?;
    found[2] = had.len() as u64;
    Ok(found)
}

fn compare(folder: &Path, source: fn(&Path, &mut Check) -> Result<(), Failure>) -> Result<[u64; 3], Failure> {
    let path = folder.join("shopify");
    let mut shelves = Shelves::new(Key([std::process::id().into(), 1]), 10_000_000);
    lines(&path, |line| {
        shelves.add(&shelf(&serde_json::from_str(line)?))?;
        Ok(true)
    })?;
    let mut check = Check::new(shelves, InFlight::Counted, 10_000);
    source(folder, &mut check)?;
    let mut naming = check.end();
    if naming.is_open() {
        lines(&path, |line| {
            naming.add(&shelf(&serde_json::from_str(line)?));
            Ok(naming.is_open())
        })?;
    }
    let report = naming.end();
    let named = report.all().iter().all(|(_, found)| found.count == found.kept.len() as u64);
    if !named || report.differences() != PLANTED as u64 {
        return Err(format!("{} differences, of which some have no name", report.differences()).into());
    }
    Ok([report.differs.count, report.missing_in_shopify.count, report.unknown_in_source.count])
}

fn shelf<'a>(row: &'a Had<'_>) -> Shelf<'a> {
    Shelf { sku: &row.sku, location: &row.location, available: row.available, committed: row.committed }
}

fn simple(folder: &Path, check: &mut Check) -> Result<(), Failure> {
    lines(&folder.join("source"), |line| {
        let row: Said<'_> = serde_json::from_str(line)?;
        let (available, counted) = (row.available, Some(row.counted));
        check.add(&Truth { sku: &row.sku, location: &row.location, available, counted });
        Ok(true)
    })
}

fn strict(folder: &Path, check: &mut Check) -> Result<(), Failure> {
    let rules = Rules::parse(&[], &[]).map_err(|faults| format!("{faults:?}"))?;
    let reader = BufReader::with_capacity(1 << 16, File::open(folder.join("levels"))?);
    for told in Lines::new(reader, &Defaults::default())? {
        let Says::Level(stock) = told?.says else { return Err("a file of levels holds changes".into()) };
        let Sold { available, counted } = sold(&stock, &rules)?;
        check.add(&Truth { sku: &stock.sku, location: &stock.location, available, counted });
    }
    Ok(())
}
