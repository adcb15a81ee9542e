//! The full check of stock as a person asks for it: `tidegate reconcile inventory` of a running hub, between the look-alikes of
//! a shop and of a warehouse with a million pairs, of which a thousand do not agree. Whether it finds each of them by its
//! cause and invents none, how large the hub becomes, and how long it takes, beside the bare comparison of the same pairs as two
//! JSONL files on this machine. What the look-alikes take to write their lists is told apart: the hub waits for it.

use super::clock::{cpu_s, now, peak_mb, resident_mb};
use super::figure::Figure;
use super::sink::Sink;
use super::stage::{SHOP_DOMAIN, Stage, Targets};
use super::stock::{MAPPING, MORE_SCOPES, SCOPES, STOCK_FLOW};
use super::{Bench, PART_FULL_CHECK as PART};
use anyhow::{Context as _, ensure};
use serde::Deserialize;
use serde_json::Value;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::{BufRead as _, BufReader, BufWriter, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use twin::shopify::{ShopConfig, ShopifyTwin, StockConfig};
use twin::wms::{WmsConfig, WmsTwin};

/// What each pair has on both sides, where nothing is planted.
const UNITS: u32 = 100;
/// Of a thousand planted differences.
const DIFFER: u32 = 500;
const MISSING: u32 = 250;
/// SKUs of the shop alone, at two locations each.
const ALONE: u32 = 125;
const BARE_ROUNDS: usize = 3;

pub async fn measure(bench: &Bench) -> anyhow::Result<Vec<Figure>> {
    let goods: u32 = if bench.quick { 5_000 } else { 500_000 };
    let pairs = u64::from(goods) * 2;
    bench.tell(&format!("the bare comparison of {pairs} pairs as two JSONL files"));
    let folder = bench.folder.clone();
    let bare_s = tokio::task::spawn_blocking(move || bare_s(&folder, goods)).await??;

    bench.tell("a shop and a warehouse with as many");
    let sink = Sink::start().await?;
    let mut shop = ShopConfig::new(SHOP_DOMAIN);
    shop.stock = StockConfig {
        generated: goods + ALONE,
        stocked_at: 2,
        available: i64::from(UNITS),
        ..StockConfig::default()
    };
    let on_hand = (u64::from(UNITS), u64::from(UNITS));
    let keeper = WmsTwin::start(WmsConfig { generated: goods, on_hand, ..WmsConfig::default() }).await?;
    let targets = Targets { erp: &sink.url(), beside: None };
    let mut stage = Stage::set_at(&bench.folder, "full-check", targets, shop).await?;
    let planted = plant(&stage.shop, goods)?;
    with_stock(&stage.folder, &keeper)?;
    stage.hub.start().await?;
    let pid = stage.pid();
    let (base_mb, cpu) = (resident_mb(pid), cpu_s(pid));

    bench.tell("tidegate reconcile inventory --dry-run");
    let begun = now();
    let part = reconcile(&stage.folder).await?;
    let took_s = begun.elapsed().as_secs_f64();
    let (cpu, grown_mb) = (cpu_s(pid) - cpu, peak_mb(pid) - base_mb);
    keeper.shutdown().await?;
    stage.strike().await?;

    let (found, invented) = judge(&part, &planted)?;
    let part_s = |name: &str| part["took_ms"][name].as_u64().unwrap_or(0) as f64 / 1e3;
    let (own_s, waited_s) = (took_s - part_s("waiting"), part_s("waiting"));
    let figure = |name, value, unit| Figure::new(PART, name, value, unit);
    Ok(vec![
        figure("planted differences, found by their cause", found as f64, "pairs").target("1000"),
        figure("differences that are none", invented as f64, "pairs").target("0"),
        figure("hub's highest resident size, above its own", grown_mb, "MB")
            .target("< 100")
            .note(format!("it had {base_mb:.0} MB before")),
        figure("bare comparison of the pairs as two files", bare_s, "s").note(format!(
            "median of {BARE_ROUNDS}: read, parsed, compared by a map of hashes, nothing named"
        )),
        figure("hub's processor time", cpu, "s")
            .target("≤ 3 × the bare one")
            .note(format!("{:.1} × the bare one", cpu / bare_s)),
        figure("the command", took_s, "s").note(format!(
            "{waited_s:.1} s of it the shop's look-alike wrote its list; both look-alikes share the machine"
        )),
        figure("the command, without that wait", own_s, "s")
            .note(format!("{:.1} × the bare one", own_s / bare_s)),
        figure("of it: the shop's list read and written down", part_s("shop"), "s"),
        figure("of it: the source's list read and compared", part_s("source"), "s")
            .note("the warehouse's look-alike writes it meanwhile"),
        figure("of it: the second look at what differs", part_s("second_look"), "s"),
    ])
}

/// A pair as the check calls it, and the cause by which it is to be found.
type Planted = BTreeMap<(String, &'static str), &'static str>;

/// Makes both sides differ; evenly over all goods.
fn plant(shop: &ShopifyTwin, goods: u32) -> anyhow::Result<Planted> {
    let sku = |number: u32| format!("GEN-{number:06}");
    let mut planted = Planted::new();
    for at in 0..DIFFER {
        let sku = sku(1 + at * (goods / DIFFER));
        shop.set_by_hand(&sku, "WH-1", i64::from(UNITS) + 1)?;
        planted.insert((sku, "WH-1"), "differs");
    }
    for at in 0..MISSING {
        let sku = sku(2 + at * (goods / MISSING));
        shop.set_stocked(&sku, "WH-2", false)?;
        planted.insert((sku, "WH-2"), "not_stocked");
    }
    for number in goods + 1..=goods + ALONE {
        for place in ["WH-1", "WH-2"] {
            planted.insert((sku(number), place), "unknown_in_source");
        }
    }
    Ok(planted)
}

/// As a person runs it; what it says of the one flow.
async fn reconcile(folder: &Path) -> anyhow::Result<Value> {
    let output = tokio::process::Command::new(std::env::current_exe()?)
        .current_dir(folder)
        .args(["reconcile", "inventory", "--dry-run", "--json"])
        .output()
        .await?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    ensure!(output.status.success(), "the check failed: {said}");
    let answer: Value = serde_json::from_slice(&output.stdout).context(said)?;
    answer["parts"].get(0).cloned().context("it checked nothing")
}

/// How many of what was planted were found by their cause, and how many were told that are none.
fn judge(part: &Value, planted: &Planted) -> anyhow::Result<(usize, usize)> {
    let lines = part["differences"].as_array().context("it told no differences")?;
    let text = |line: &Value, name: &str| line[name].as_str().unwrap_or_default().to_owned();
    let mut found = BTreeSet::new();
    let mut invented = 0;
    for line in lines {
        let (sku, location, cause) = (text(line, "sku"), text(line, "location"), text(line, "cause"));
        // The shop's own name of a location stands where the source has none.
        let place = if location.ends_with(['2', '9']) { "WH-2" } else { "WH-1" };
        match planted.get(&(sku.clone(), place)) {
            Some(planted) if *planted == cause => drop(found.insert((sku, place))),
            _ => invented += 1,
        }
    }
    let counted: u64 = part["causes"].as_object().into_iter().flatten().filter_map(|(_, n)| n.as_u64()).sum();
    ensure!(counted == lines.len() as u64, "{counted} are counted and {} told", lines.len());
    Ok((found.len(), invented))
}

/// The flow, whose warehouse is asked for nothing but all that it has.
fn with_stock(folder: &Path, keeper: &WmsTwin) -> anyhow::Result<()> {
    let config = folder.join("tidegate.toml");
    let text = std::fs::read_to_string(&config)?;
    ensure!(text.contains(SCOPES), "the starting configuration has no {SCOPES}");
    let flow = STOCK_FLOW.replace("intake = \"push\"", "intake = \"push\"\nmode = \"off\"");
    let connection = format!(
        "\n[systems.wms.connection]\nurl = \"{}\"\ntoken = \"file:secrets/wms.token\"\n",
        keeper.url()
    );
    std::fs::write(&config, text.replace(SCOPES, MORE_SCOPES) + &flow + &connection)?;
    std::fs::write(folder.join("mappings/stock_to_shopify.toml"), MAPPING)?;
    for (name, secret) in [("wms.push", "bench-warehouse"), ("wms.token", keeper.token())] {
        let mut options = std::fs::OpenOptions::new();
        let mut opened = options
            .create(true)
            .write(true)
            .truncate(true)
            .mode(0o600)
            .open(folder.join("secrets").join(name))?;
        opened.write_all(secret.as_bytes())?;
    }
    Ok(())
}

#[derive(Deserialize)]
struct Plain<'a> {
    #[serde(borrow)]
    sku: Cow<'a, str>,
    #[serde(borrow)]
    location: Cow<'a, str>,
    available: i64,
}

/// What anybody would write first: both files read line by line, one into a map, the other against it.
#[expect(clippy::disallowed_types, reason = "the bare minimum, which is never iterated")]
fn bare_s(folder: &Path, goods: u32) -> anyhow::Result<f64> {
    let (shop, source) = (folder.join("bare-shop.jsonl"), folder.join("bare-source.jsonl"));
    for (path, wrong) in [(&shop, 1), (&source, 0)] {
        let mut out = BufWriter::new(std::fs::File::create(path)?);
        for number in 1..=goods {
            for place in ["WH-1", "WH-2"] {
                let available = UNITS + if number % 1000 == 0 { wrong } else { 0 };
                writeln!(
                    out,
                    "{{\"sku\":\"GEN-{number:06}\",\"location\":\"{place}\",\"available\":{available},\"committed\":0}}"
                )?;
            }
        }
        out.flush()?;
    }
    let name = |row: &Plain<'_>| {
        let mut hasher = DefaultHasher::new();
        (&row.sku, &row.location).hash(&mut hasher);
        hasher.finish()
    };
    let mut rounds = Vec::new();
    for _ in 0..BARE_ROUNDS {
        let begun = now();
        let mut had = std::collections::HashMap::<u64, i64>::new();
        lines(&shop, |row| {
            had.insert(name(row), row.available);
        })?;
        let mut differ = 0;
        lines(&source, |row| differ += u32::from(had.remove(&name(row)) != Some(row.available)))?;
        rounds.push(begun.elapsed().as_secs_f64());
        ensure!(differ == goods / 1000 * 2 && had.is_empty(), "the bare comparison compares wrong");
    }
    for path in [shop, source] {
        std::fs::remove_file(path)?;
    }
    Ok(super::clock::median(rounds))
}

fn lines(path: &Path, mut each: impl FnMut(&Plain<'_>)) -> anyhow::Result<()> {
    let mut reader = BufReader::with_capacity(1 << 16, std::fs::File::open(path)?);
    let mut line = String::new();
    while reader.read_line(&mut line)? > 0 {
        each(&serde_json::from_str(&line)?);
        line.clear();
    }
    Ok(())
}
