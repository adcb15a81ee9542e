//! A flash sale: ten times the orders within a second, for ten seconds. Whether every webhook is answered in Shopify's
//! five seconds, whether one is refused, and how late the orders are until the backlog is gone.

use super::clock::{Neighbours, now};
use super::figure::Figure;
use super::latency::arrived;
use super::load::{Answered, Pace, steady};
use super::orders::Requests;
use super::side::Who;
use super::sink::Sink;
use super::stage::orders;
use super::{Bench, PART_FLASH as PART};
use anyhow::ensure;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Orders a second before and after, and in the sale.
const CALM: u64 = 200;
const SALE: u64 = 2_000;
/// Connections that webhooks come over in either.
const CALM_CONNECTIONS: usize = 32;
const SALE_CONNECTIONS: usize = 512;
/// The bound on the export lag.
const LAG: Duration = Duration::from_secs(60);

pub async fn measure(bench: &Bench, sides: &[Who]) -> anyhow::Result<Vec<Figure>> {
    let mut figures = Vec::new();
    for who in sides {
        figures.extend(one(bench, who).await?);
    }
    Ok(figures)
}

async fn one(bench: &Bench, who: &Who) -> anyhow::Result<Vec<Figure>> {
    bench.tell(&format!("{}: a flash sale", who.name()));
    let (before_s, sale_s, after_s) = if bench.quick { (1, 2, 2) } else { (5, 10, 15) };
    let sink = Sink::start().await?;
    let mut side = who.set(bench, &sink.url()).await?;
    side.start().await?;
    let mut orders = orders()?;
    let mut make =
        |rate: u64, seconds: u64| anyhow::Ok(Arc::new(orders.make(usize::try_from(rate * seconds)?)));
    let (before, sale, after) = (make(CALM, before_s)?, make(SALE, sale_s)?, make(CALM, after_s)?);
    let first = Pace::from_now(CALM);
    let at = |seconds: u64, per_second: u64| Pace {
        begun: first.begun + Duration::from_secs(seconds),
        per_second,
    };
    let (second, third) = (at(before_s, SALE), at(before_s + sale_s, CALM));
    let neighbours = Neighbours::look(&[]);
    let to = side.address();
    let (_, answered, later) = tokio::try_join!(
        phase(to, before.clone(), CALM_CONNECTIONS, first),
        phase(to, sale.clone(), SALE_CONNECTIONS, second),
        phase(to, after.clone(), CALM_CONNECTIONS, third),
    )?;
    let busy = neighbours.since(&[]);
    let taken = before.len() as u64 + answered.ok + later.ok;
    let within = now() + Duration::from_secs(600);
    while sink.count() < taken && now() < within {
        crate::demo::pause(Duration::from_millis(50)).await;
    }
    let all = arrived(&sink, &before, Duration::from_secs(1)).await;
    ensure!(
        all && sink.count() >= taken,
        "{}: {} of {taken} orders arrived in ten minutes",
        who.name(),
        sink.count()
    );
    let lags = Lags::of(&sink, &[(&before, first), (&sale, second), (&after, third)]);
    let doubled = sink.doubled();
    side.strike().await?;
    ensure!(doubled == 0, "{doubled} orders were created twice");
    Ok(figures(who, &answered, later.refused, second.begun, &lags, busy))
}

/// Its connections are opened shortly before it: ones that rest for longer are closed by a server that is well.
async fn phase(
    to: SocketAddr,
    requests: Arc<Requests>,
    connections: usize,
    pace: Pace,
) -> anyhow::Result<Answered> {
    let left = pace.begun.saturating_duration_since(now());
    crate::demo::pause(left.saturating_sub(Duration::from_millis(50))).await;
    steady(to, requests, connections, pace).await
}

/// How late the orders were.
#[derive(Debug)]
struct Lags {
    longest: Duration,
    /// The last arrival of an order that was later than the bound.
    last_late: Option<Instant>,
    last: Instant,
}

impl Lags {
    fn of(sink: &Sink, phases: &[(&Arc<Requests>, Pace)]) -> Self {
        let mut lags = Self { longest: Duration::ZERO, last_late: None, last: phases[0].1.begun };
        for (requests, pace) in phases {
            for index in 0..requests.len() {
                let Some(at) = sink.arrival(requests.first_order + index as u64) else { continue };
                let lag = at.saturating_duration_since(pace.due(index));
                lags.longest = lags.longest.max(lag);
                // What came at the calm's own pace at the end is no backlog.
                if lag > Duration::from_secs(1) {
                    lags.last = lags.last.max(at);
                }
                if lag > LAG {
                    lags.last_late = lags.last_late.max(Some(at));
                }
            }
        }
        lags
    }
}

fn figures(
    who: &Who,
    sale: &Answered,
    refused_later: u64,
    begun: Instant,
    lags: &Lags,
    busy: f64,
) -> Vec<Figure> {
    let of = |what: &str| format!("{}: {what}", who.name());
    let since = |at: Instant| at.saturating_duration_since(begun).as_secs_f64();
    let longest = sale.at_ms(100.0) / 1e3;
    let answers = format!(
        "{} answered; p50 {:.0}, p99 {:.0} ms; all processes together took {busy:.1} processors",
        sale.ok,
        sale.at_ms(50.0),
        sale.at_ms(99.0)
    );
    let back = match lags.last_late {
        None => "it was never over 60 s".to_owned(),
        Some(at) => format!("under 60 s for good {:.0} s after the sale began", since(at)),
    };
    vec![
        Figure::new(PART, of("longest answer in the sale"), longest, "s").target("< 5").note(answers),
        Figure::new(PART, of("refused"), (sale.refused + refused_later) as f64, "webhooks").target("0"),
        Figure::new(PART, of("longest export lag"), lags.longest.as_secs_f64(), "s")
            .target("back under 60")
            .note(back),
        Figure::new(PART, of("backlog gone, after the sale began"), since(lags.last), "s")
            .note("no order later than a second from then on"),
    ]
}
