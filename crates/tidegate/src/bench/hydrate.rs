//! Price lists into a shop's catalogs, between this process and the look-alike of a Plus shop in it: a first load, a run that has
//! nothing to do, and a night in which one price in a hundred is another. What it took in calls and lines, beside the fewest
//! that there can be, and in time; the look-alike does Shopify's part of the work on the same machine.

use super::clock::{now, peak_mb};
use super::figure::Figure;
use super::stage::SHOP_DOMAIN;
use super::{Bench, PART_HYDRATE as PART};
use crate::wiring::clock::SystemClock;
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
use shopify::prices::{Options, Report, hydrate};
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

    /// A run, how long it took, and how many requests.
    async fn run(&self, changed: u32) -> anyhow::Result<(Report, f64, u64)> {
        let wanted = self.wanted(changed)?;
        let requests = || self.shop.stats().api.get("requests").copied().unwrap_or(0);
        let (begun, before) = (now(), requests());
        let report = hydrate(&self.client, &self.call, &wanted, &Options::default(), &mut |_| {}).await?;
        ensure!(
            report.unsettled == 0 && report.refused.is_empty(),
            "not everything was written: {:?} {:?}",
            report.refused,
            report.notes
        );
        Ok((report, begun.elapsed().as_secs_f64(), requests() - before))
    }
}

pub async fn measure(bench: &Bench) -> anyhow::Result<Vec<Figure>> {
    let (lists, items) = if bench.quick { (5, 2_000) } else { (150, 24_000) };
    let scene = Scene::set(lists, items).await?;
    let all = lists * u64::from(items);
    let mut figures = Vec::new();
    for (what, changed, target) in
        [("first load", 0, "< 900"), ("nothing to do", 0, ""), ("one price in a hundred", CHANGED, "< 60")]
    {
        bench.tell(&format!("{what}: {lists} lists of {items} prices"));
        let (report, took_s, requests) = scene.run(changed).await?;
        let changes = report.plan.counts().changes();
        let fewest = lists * (changes / lists).div_ceil(ARRAY_MAX as u64);
        let sent = report.plan.calls() as u64;
        let by = if report.plan.in_bulk { "lines of writes in bulk" } else { "calls of their own" };
        let time = Figure::new(PART, format!("{what}, of {all} prices"), took_s, "s");
        let time = if target.is_empty() { time } else { time.target(target) };
        figures.push(time.note(format!("{changes} changes, {} rounds, read back", report.rounds)));
        let calls = Figure::new(PART, format!("{what}: writes of prices"), sent as f64, "calls");
        figures.push(calls.target("≤ 1.3 × the fewest").note(format!(
            "fewest {fewest}; {by}, in {} operations; {requests} requests in all",
            report.written.operations
        )));
    }
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
