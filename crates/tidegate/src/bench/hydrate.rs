//! Price lists into a shop's catalogs, between this process and the look-alike of a Plus shop in it: a first load, a run that has
//! nothing to do, a night in which one price in a hundred is another, one that is killed and gone on with, and a comparison with
//! all that the shop has. What it took in calls, lines and points of cost, beside the fewest that there can be, and in time; the
//! look-alike does Shopify's part of the work on the same machine.

use super::clock::{now, peak_mb};
use super::figure::Figure;
use super::stage::SHOP_DOMAIN;
use super::{Bench, PART_HYDRATE as PART};
use crate::wiring::clock::SystemClock;
use crate::wiring::last_read::LastRead;
use crate::wiring::shops::Timer;
use anyhow::{Context as _, ensure};
use connector::port::CallContext;
use domains::prices::{ARRAY_MAX, Offer, Place, Wanted};
use kernel::clock::Clock;
use kernel::envelope::TraceId;
use kernel::id::ShopId;
use kernel::money::Currency;
use rust_decimal::Decimal;
use secrecy::SecretString;
use shopify::graphql::{Ports, ShopAccess, ShopClient, ShopConnection};
use shopify::prices::{Options, Progress, Report, hydrate};
use std::sync::Arc;
use std::time::Duration;
use twin::shopify::{Plan, ShopConfig, ShopifyTwin, StockConfig};

/// In how many of a hundred prices a night changes something.
const CHANGED: u32 = 1;

struct Scene {
    shop: ShopifyTwin,
    client: Arc<ShopClient>,
    call: CallContext,
    lists: u64,
    items: u32,
}

impl Scene {
    async fn set(lists: u64, items: u32) -> anyhow::Result<Self> {
        let stock = StockConfig { generated: items, ..StockConfig::default() };
        let config = ShopConfig { stock, plan: Plan::Plus, ..ShopConfig::new(SHOP_DOMAIN) };
        let (rate, token) = (config.plan.restore_rate(), config.access_token.clone());
        let shop = ShopifyTwin::start(config).await?;
        for location in 1..=lists {
            shop.know_company_location(location, &format!("Location {location}"));
        }
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let id = ShopId::new("bench").context("a shop's name")?;
        let connection = ShopConnection {
            id: id.clone(),
            domain: SHOP_DOMAIN.to_owned(),
            admin_url: Some(shop.url().to_owned()),
            api_version: twin::shopify::API_VERSION.to_owned(),
            access: ShopAccess::Token(SecretString::from(token)),
            restore_rate: rate,
        };
        let now = clock.now().wall;
        let ports = Ports { clock, pause: Arc::new(Timer) };
        let client = ShopClient::connect(connection, ports).map_err(anyhow::Error::msg)?;
        let time_out = Duration::from_secs(120);
        let call = CallContext { shop: id, time_out, trace: TraceId([7; 16]), span: 1, now };
        Ok(Self { shop, client: Arc::new(client), call, lists, items })
    }

    /// Each list is for a location of its own.
    fn wanted(&self, changed: u32) -> anyhow::Result<Vec<Wanted>> {
        let currency = Currency::from_code("EUR").context("the shop's currency")?;
        let price = |list: u64, number: u32| {
            let cents = 500 + u64::from(number % 997) + list + u64::from(number % 100 < changed);
            Offer::plain(Decimal::from(cents) / Decimal::ONE_HUNDRED)
        };
        let one = |list: u64| {
            let prices: Vec<(String, Offer)> =
                (1..=self.items).map(|number| (format!("GEN-{number:06}"), price(list, number))).collect();
            let place = Place::Locations([list].into());
            Wanted {
                id: format!("list-{list}"),
                currency,
                place,
                prices: Box::new(prices),
                has_quantities: false,
            }
        };
        Ok((1..=self.lists).map(one).collect())
    }

    fn counted(&self, what: &str) -> u64 {
        self.shop.stats().api.get(what).copied().unwrap_or(0)
    }

    /// A run, how long it took, and what it asked.
    async fn run(&self, changed: u32, options: &Options) -> anyhow::Result<(Report, Took)> {
        let wanted = self.wanted(changed)?;
        let (begun, requests, points) = (now(), self.counted("requests"), self.counted("points"));
        let report = hydrate(&self.client, &self.call, &wanted, options, &mut |_| {}).await?;
        ensure!(
            report.unsettled == 0 && report.refused.is_empty(),
            "not everything was written: {:?} {:?}",
            report.refused,
            report.notes
        );
        let took = Took {
            seconds: begun.elapsed().as_secs_f64(),
            requests: self.counted("requests") - requests,
            points: self.counted("points") - points,
        };
        Ok((report, took))
    }

    /// Dropped once a part of its writes is answered.
    async fn kill(&self, changed: u32, options: &Options) -> anyhow::Result<()> {
        let wanted = self.wanted(changed)?;
        let (writes, mut written) = tokio::sync::watch::channel(false);
        let mut tell = |progress: &Progress<'_>| {
            if matches!(progress, Progress::Writing { done, of } if *done * 2 >= *of) {
                writes.send_replace(true);
            }
        };
        tokio::select! {
            biased;
            reached = written.wait_for(|written| *written) => { reached?; }
            ended = hydrate(&self.client, &self.call, &wanted, options, &mut tell) => { ended?; }
        }
        Ok(())
    }
}

#[derive(Clone, Copy)]
struct Took {
    seconds: f64,
    requests: u64,
    points: u64,
}

/// The fewest calls that there can be: each list's changes by as many as an array may hold. And what reading them back by
/// pages costs at least, in points.
fn fewest(report: &Report) -> (u64, u64) {
    let most = ARRAY_MAX as u64;
    let (mut calls, mut points) = (0, 0);
    for changes in report.plan.catalogs.iter().map(|one| one.counts.changes()) {
        calls += changes.div_ceil(most);
        points += changes / most * page(most) + if changes % most > 0 { page(changes % most) } else { 0 };
    }
    (calls, points)
}

/// A list 1, its connection 2, and ⌊2 ln n⌋ times a price and its variant.
fn page(prices: u64) -> u64 {
    let sized =
        (1..=u64::from(u8::MAX)).take_while(|size| (*size as f64 / 2.0).exp() <= prices as f64).last();
    3 + 2 * sized.unwrap_or(1)
}

pub async fn measure(bench: &Bench) -> anyhow::Result<Vec<Figure>> {
    let (lists, items) = if bench.quick { (5, 2_000) } else { (150, 24_000) };
    let scene = Scene::set(lists, items).await?;
    let all = lists * u64::from(items);
    let folder = bench.folder.join("hydrated");
    let memory = LastRead::open(&folder)?.context("another run has the folder")?;
    let options = Options { memory: Some(Arc::new(memory)), ..Options::default() };
    let compared = Options { against_shop: true, ..options.clone() };
    let mut figures = Vec::new();
    for (what, changed, options, target) in [
        ("first load", 0, &options, "< 900"),
        ("nothing to do", 0, &options, ""),
        ("one price in a hundred", CHANGED, &options, "< 60"),
        ("killed in the middle and gone on with, one in a hundred", CHANGED * 2, &options, "< 60"),
        ("compared with all that the shop has", CHANGED * 2, &compared, ""),
    ] {
        bench.tell(&format!("{what}: {lists} lists of {items} prices"));
        if what.starts_with("killed") {
            // Call by call, so that it has a middle.
            let call_by_call = Options { direct_max: usize::MAX, ..options.clone() };
            scene.kill(changed, &call_by_call).await?;
        }
        let (report, took) = scene.run(changed, options).await?;
        let (changes, basis) = (report.plan.counts().changes(), &report.plan.basis);
        let ((fewest, to_read), sent) = (fewest(&report), report.plan.calls() as u64);
        let by = if report.plan.in_bulk { "lines of writes in bulk" } else { "calls of their own" };
        let time = Figure::new(PART, format!("{what}, of {all} prices"), took.seconds, "s");
        let time = if target.is_empty() { time } else { time.target(target) };
        figures.push(time.note(format!(
            "{changes} changes, {} rounds, read back; {} prices as they were last read, {} open, {} lists read in whole",
            report.rounds,
            basis.kept,
            basis.again,
            basis.whole.len()
        )));
        let calls = Figure::new(PART, format!("{what}: writes of prices"), sent as f64, "calls");
        figures.push(calls.target("≤ 1.3 × the fewest").note(format!(
            "fewest {fewest}; {by}, in {} operations; {} requests in all",
            report.written.operations, took.requests
        )));
        let points = Figure::new(PART, format!("{what}: cost"), took.points as f64, "points");
        figures.push(points.note(least_points(&report, to_read)));
    }
    let bytes =
        std::fs::read_dir(&folder)?.filter_map(|file| file.ok()?.metadata().ok()).map(|file| file.len());
    let kept = bytes.sum::<u64>() as f64 / all as f64;
    figures.push(Figure::new(PART, "kept of a price between runs", kept, "bytes"));
    let counts = scene.shop.price_counts();
    figures.push(
        Figure::new(PART, "prices written that stood there so", counts.prices_set_again as f64, "prices")
            .target("0"),
    );
    let peak = peak_mb(std::process::id());
    figures.push(
        Figure::new(PART, "highest resident size", peak, "MB")
            .note("look-alike, wanted lists and run in one process"),
    );
    Ok(figures)
}

/// What the steps cost and, where not all is read in bulk, what reading back does; writes and reads in bulk cost nothing.
fn least_points(report: &Report, to_read: u64) -> String {
    let (writes, reads) = (report.written.calls * 10, if is_read_in_bulk(report) { 0 } else { to_read });
    format!(
        "least {}: {writes} for catalogs and writes, {reads} for reading back; the rest is waiting for what runs in bulk",
        writes + reads
    )
}

/// So many prices are written that all are read back in bulk.
fn is_read_in_bulk(report: &Report) -> bool {
    let pages: u64 =
        report.plan.catalogs.iter().map(|one| one.counts.changes().div_ceil(ARRAY_MAX as u64)).sum();
    pages > Options::default().again_max as u64
}
