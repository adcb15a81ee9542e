//! What a buyer pays, asked over HTTP: carts of a hundred lines at five hundred a second, from a read model of millions of contract
//! prices; alone, while loads that change one price in ten follow on each other, and while a system that makes prices itself
//! hangs. In the same run, in this process: the look-ups in bare arrays, and the ten rules without HTTP.

mod floor;
mod peers;
mod world;

use super::clock::{Neighbours, cpu_s, median, now, peak_mb, resident_mb};
use super::figure::Figure;
use super::load::{Answered, Pace, steady};
use super::orders::Requests;
use super::sink::Sink;
use super::stage::{Stage, Targets};
use super::{Bench, PART_PRICES as PART};
use anyhow::{Context as _, ensure};
use floor::Took;
use price_store::{LoadRequest, Mode, Options, Outcome, PriceStore};
use rust_decimal::Decimal;
use serde_json::Value;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::net::TcpListener;
use world::{Cart, LINES, World};

pub use peers::measure as beside;

const TOKEN: &str = "bench-prices-token";
const RATE: u64 = 500;
/// More than wait for a system that hangs, at that rate.
const CONNECTIONS: usize = 128;
/// Carts for what is measured in this process.
const ALONE: usize = 2_000;
/// Carts whose answer is held against what this process computes.
const COMPARED: usize = 20;

/// Before the hub starts.
struct Built {
    took_s: f64,
    bare: Took,
    resolved: Took,
    /// Of the first carts.
    prices: Vec<Vec<Option<Decimal>>>,
}

pub async fn measure(bench: &Bench, prices: u64) -> anyhow::Result<Vec<Figure>> {
    let world = Arc::new(World::of(prices));
    let span_s = if bench.quick { 3 } else { 20 };
    let sink = Sink::start().await?;
    let mut stage = Stage::set(&bench.folder, "prices", Targets { erp: &sink.url(), beside: None }).await?;
    let hung = hung().await?;
    with_prices(&stage.folder, &hung)?;

    bench.tell(&format!("{} contract prices are built", world.prices()));
    let (folder, of) = (stage.folder.clone(), world.clone());
    let built = tokio::task::spawn_blocking(move || build(&folder, &of)).await??;

    bench.tell("the hub reads them");
    let begun = now();
    stage.hub.start().await?;
    let start_s = begun.elapsed().as_secs_f64();
    let pid = stage.pid();
    let opened_mb = resident_mb(pid);
    compare(&stage, &world, &built.prices).await?;
    let carts = RATE * span_s;
    let requests = |first: u64, is_configured: bool| {
        let requests = (first..first + carts).map(|cart| world.cart(cart, is_configured).request(TOKEN));
        Arc::new(Requests::of(requests))
    };
    steady(stage.address, requests(1_000_000, false), CONNECTIONS, Pace::from_now(RATE)).await?;

    bench.tell("carts, and nothing else");
    let asked = requests(2_000_000, false);
    let (cpu, neighbours) = (cpu_s(pid), Neighbours::look(&[pid]));
    let alone = steady(stage.address, asked, CONNECTIONS, Pace::from_now(RATE)).await?;
    let (cpu_ms, others) = ((cpu_s(pid) - cpu) * 1e3 / carts as f64, neighbours.since(&[pid]));
    let status = tidegate(&stage.folder, &["prices", "status", "--json"]).await?;

    bench.tell(&format!("carts, while {} prices change, again and again", world.changes()));
    let (beside, loads) = beside_loads(&stage, &world, requests(3_000_000, false)).await?;
    let highest_mb = peak_mb(pid);

    bench.tell("carts, each with a line for a system that hangs");
    let asked = requests(4_000_000, true);
    let hanging = steady(stage.address, asked, CONNECTIONS, Pace::from_now(RATE)).await?;
    let live = tidegate(&stage.folder, &["prices", "status", "--json"]).await?["live"].clone();
    let fell_back = live["fallback"].as_u64().unwrap_or(0);
    ensure!(
        fell_back == carts && live["told"] == 0,
        "{fell_back} of {carts} carts fell back, which the system that hangs does not explain: {live}"
    );
    stage.strike().await?;

    let of = |what: &str| format!("{what}, {RATE} carts/s of {LINES} lines");
    let load_s: Vec<f64> = loads.iter().map(|load| (load * 10.0).round() / 10.0).collect();
    let mut figures = in_process(&world, &built);
    figures.extend([
        figure("the hub starts, all prices read and checked", start_s, "s"),
        figure(
            "read model, a price",
            status["stats"]["centibytes_per_price"].as_f64().unwrap_or(0.0) / 100.0,
            "bytes",
        )
        .target("≤ 12")
        .note("prices and the dictionary of SKUs"),
        figure("hub's resident size", opened_mb, "MB")
            .note(format!("{highest_mb:.0} at its most, loads among it")),
        over_http(of("p99"), &alone, 99.0).target("< 5, aim 2"),
        figure("CPU a cart", cpu_ms, "ms")
            .note(format!("user and system of the hub; others took {others:.1} processors")),
        over_http(of("p99, loads beside"), &beside, 99.0).target("< 5, aim 2"),
        figure("a load meanwhile, from command to live", median(loads.clone()), "s")
            .note(format!("{} changes each: {load_s:?} s", world.changes())),
        over_http(of("p95, a system hangs"), &hanging, 95.0).target("< 300").note(format!(
            "{}; {} questions to it",
            spread(&hanging),
            live["questions"]
        )),
    ]);
    Ok(figures)
}

fn figure(name: impl Into<String>, value: f64, unit: &'static str) -> Figure {
    Figure::new(PART, name, value, unit)
}

fn in_process(world: &World, built: &Built) -> Vec<Figure> {
    let Built { took_s, bare, resolved, .. } = built;
    vec![
        figure(format!("{} prices built, on the disk and live", world.prices()), *took_s, "s")
            .note("from a stream, with the list for everybody beside them"),
        figure("a cart in bare sorted arrays, the floor", bare.p50, "µs")
            .note(format!("p99 {:.0}", bare.p99)),
        figure("a cart by the ten rules, in process", resolved.p50, "µs").target("< 100").note(format!(
            "p99 {:.0}; {:.1} of the floor",
            resolved.p99,
            resolved.p50 / bare.p50
        )),
    ]
}

fn over_http(name: String, answered: &Answered, percentile: f64) -> Figure {
    figure(name, answered.at_ms(percentile), "ms").note(spread(answered))
}

fn spread(answered: &Answered) -> String {
    let at = |percentile: f64| answered.at_ms(percentile);
    format!(
        "p50 {:.2}, p95 {:.2}, p99 {:.2}, max {:.0} ms over {} carts; {} errors",
        at(50.0),
        at(95.0),
        at(99.0),
        at(100.0),
        answered.ok,
        answered.refused
    )
}

/// The read model as the hub will find it.
fn build(folder: &Path, world: &World) -> anyhow::Result<Built> {
    let store = PriceStore::open(&folder.join("data/prices"), Options::default())?;
    let begun = now();
    let at = crate::demo::now();
    store.set_terms(world.terms().as_bytes(), "bench", false, at)?;
    let request = LoadRequest {
        source: "bench".into(),
        by: "bench".into(),
        note: None,
        mode: Mode::All,
        dry_run: false,
    };
    let outcome = store.load(request, world.rows(), at)?;
    ensure!(matches!(outcome, Outcome::Live { .. }), "the prices do not count: name a new folder");
    let took_s = begun.elapsed().as_secs_f64();
    let carts: Vec<Cart> = (0..ALONE as u64).map(|cart| world.cart(cart, false)).collect();
    let at_s = at.as_second() + 1;
    let prices = carts.iter().take(COMPARED).map(|cart| floor::prices(&store, cart, at_s));
    Ok(Built {
        prices: prices.collect::<Result<_, _>>()?,
        took_s,
        bare: floor::bare(world, &carts),
        resolved: floor::resolved(&store, &carts, at_s)?,
    })
}

/// The hub says what this process computed: what is measured is the right answer.
async fn compare(stage: &Stage, world: &World, computed: &[Vec<Option<Decimal>>]) -> anyhow::Result<()> {
    let client = reqwest::Client::new();
    for (number, computed) in (0_u64..).zip(computed) {
        let request = world.cart(number, false).request(TOKEN);
        let body = request.splitn(2, |byte| *byte == b'{').nth(1).context("a request has a body")?;
        let asked = client
            .post(format!("{}/v1/prices/resolve", stage.hub.url()))
            .bearer_auth(TOKEN)
            .header("content-type", "application/json")
            .body([b"{", body].concat());
        let answer: Value = asked.send().await?.error_for_status()?.json().await?;
        let lines = answer["lines"].as_array().context("an answer has lines")?;
        let said = lines.iter().map(|line| line["unit_price"].as_str().and_then(|price| price.parse().ok()));
        let said: Vec<Option<Decimal>> = said.collect();
        ensure!(&said == computed, "the hub says {said:?} where {computed:?} is right");
    }
    Ok(())
}

/// The second: how long each load took that ended meanwhile or was under way at the end, in seconds.
async fn beside_loads(
    stage: &Stage,
    world: &Arc<World>,
    asked: Arc<Requests>,
) -> anyhow::Result<(Answered, Vec<f64>)> {
    let folder = stage.folder.clone();
    let (of, to) = (world.clone(), folder.clone());
    let write =
        move || [0, 1].iter().try_for_each(|which| of.write_changes(&changes_file(&to, *which), *which));
    tokio::task::spawn_blocking(write).await??;
    let is_over = Arc::new(AtomicBool::new(false));
    let over = is_over.clone();
    let loading = tokio::spawn(async move {
        let mut took = Vec::new();
        for which in [0, 1].into_iter().cycle() {
            let file = changes_file(&folder, which).to_string_lossy().into_owned();
            let begun = now();
            let told = tidegate(&folder, &["prices", "load", &file, "--json"]).await?;
            ensure!(told["outcome"] == "live", "a load did not go live: {}", told["outcome"]);
            took.push(begun.elapsed().as_secs_f64());
            if over.load(Ordering::Acquire) {
                break;
            }
        }
        Ok(took)
    });
    let answered = steady(stage.address, asked, CONNECTIONS, Pace::from_now(RATE)).await;
    is_over.store(true, Ordering::Release);
    let took = loading.await??;
    Ok((answered?, took))
}

fn changes_file(folder: &Path, which: i64) -> std::path::PathBuf {
    folder.join(format!("changes-{which}.csv"))
}

/// As a person runs it.
async fn tidegate(folder: &Path, args: &[&str]) -> anyhow::Result<Value> {
    let program = std::env::current_exe()?;
    let output = tokio::process::Command::new(program).current_dir(folder).args(args).output().await?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    ensure!(output.status.success(), "tidegate {} failed: {said}", args.join(" "));
    serde_json::from_slice(&output.stdout).context(said)
}

fn with_prices(folder: &Path, hung: &str) -> anyhow::Result<()> {
    let secret = folder.join("secrets/storefront.prices");
    let mut options = std::fs::OpenOptions::new();
    let mut opened = options.create(true).truncate(true).write(true).mode(0o600).open(secret)?;
    std::io::Write::write_all(&mut opened, TOKEN.as_bytes())?;
    let config = folder.join("tidegate.toml");
    let text = std::fs::read_to_string(&config)?;
    let more = format!(
        "\n[prices.callers.storefront]\nbearer_token = \"file:secrets/storefront.prices\"\nrate_limit = \"1000000/s\"\n\n\
         [prices.live]\nurl = \"{hung}\"\nskus = [\"CFG-*\"]\n"
    );
    Ok(std::fs::write(&config, text + &more)?)
}

/// A system that takes every question and answers none, as long as the measurement runs.
async fn hung() -> anyhow::Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}/prices", listener.local_addr()?);
    tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok((stream, _)) = listener.accept().await {
            held.push(stream);
        }
    });
    Ok(url)
}
