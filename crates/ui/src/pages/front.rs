//! `/`: what is late, why, what happens next, at a glance; the page that an operator leaves open.

use crate::access::Session;
use crate::cards::{GroupCard, PauseCard, SystemCard, Tone, two};
use crate::chart::{Chart, charts};
use crate::chrome::{Chrome, Part, html};
use crate::error::PageError;
use crate::state::Ui;
use crate::stock_met::StockMet;
use crate::subjects::aloud;
use crate::words::{Moment, many, moment, span_or_dash, thousands};
use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use engine::overview::{About, Finding, Overview, Verdict, overview};
use engine::waits::span;
use jiff::Timestamp;
use kernel::fault::Severity;
use std::sync::Arc;

#[derive(Template)]
#[template(path = "front.html")]
struct FrontPage {
    chrome: Chrome,
    fresh: bool,
    tone: Tone,
    headline: String,
    findings: Vec<FindingCard>,
    stats: Vec<Stat>,
    charts: [Chart; 2],
    chart_words: String,
    minutes: Vec<MinuteRow>,
    covered_since: Option<Moment>,
    systems: Vec<SystemCard>,
    groups: Vec<GroupCard>,
    pauses: Vec<PauseCard>,
    topics: Vec<TopicRow>,
    log: String,
    stock_met: Vec<StockMet>,
}

struct FindingCard {
    tone: Tone,
    word: &'static str,
    what: String,
    why: Option<String>,
    next: String,
    link: Option<(String, &'static str)>,
}

/// One figure with its word.
struct Stat {
    label: &'static str,
    value: String,
    note: String,
    tone: Tone,
}

struct MinuteRow {
    from: Moment,
    count: u64,
    p50: String,
    p99: String,
    over: u64,
}

struct TopicRow {
    shop: String,
    topic: String,
    last: Moment,
    count: String,
    silent: bool,
}

pub(crate) async fn show(
    State(ui): State<Arc<Ui>>,
    Extension(session): Extension<Session>,
) -> Result<Response, PageError> {
    let now = ui.now();
    let seen = overview(ui.given.store.as_ref(), &ui.given.hub.snapshot(), &ui.given.watched, now).await?;
    let (tone, headline, title) = headline(&seen);
    let zone = &ui.given.time_zone;
    let page = FrontPage {
        chrome: Chrome::new(&ui, &session, Part::Front, title).refresh(5).reload(),
        fresh: seen.fresh,
        tone,
        headline,
        findings: seen.findings.iter().map(|finding| finding_card(finding, now)).collect(),
        stats: stats(&seen),
        charts: charts(&seen, zone),
        chart_words: chart_words(&seen),
        minutes: minutes(&seen, &ui),
        covered_since: seen.lag.covered_since.map(|at| moment(at, now, zone)),
        systems: seen.systems.iter().map(|line| SystemCard::of(line, &seen.pauses, &ui, now)).collect(),
        groups: seen.dead_letters.iter().map(|group| GroupCard::of(group, &ui, now)).collect(),
        pauses: seen.pauses.iter().map(|pause| PauseCard::of(pause, now, zone)).collect(),
        topics: topics(&seen, &ui),
        log: log(&seen),
        stock_met: seen.stock.iter().map(|met| StockMet::of(met, now, ui.zone(&met.shop))).collect(),
    };
    Ok(html(StatusCode::OK, &page))
}

/// Tone, the sentence at the top, and the title of the browser's tab.
fn headline(seen: &Overview) -> (Tone, String, String) {
    if seen.fresh && seen.findings.is_empty() {
        return (Tone::Idle, "Ready. Nothing has arrived yet.".into(), "Ready".into());
    }
    match seen.verdict {
        Verdict::Well => (Tone::Good, "All is well: exports are on time.".into(), "Well".into()),
        Verdict::Attention => {
            let things = seen.findings.iter().filter(|finding| finding.severity == Severity::Ticket).count();
            let title = format!("To see to: {things}");
            (Tone::Warn, "Exports are on time. Something wants a look.".into(), title)
        }
        Verdict::Trouble if seen.late.count > 0 => {
            let late = many(seen.late.count, "change");
            let verb = if seen.late.count == 1 { "is" } else { "are" };
            (Tone::Bad, format!("{late} {verb} late."), format!("Late: {}", thousands(seen.late.count)))
        }
        Verdict::Trouble => (Tone::Bad, "A person is needed now.".into(), "Needed".into()),
    }
}

fn finding_card(finding: &Finding, now: Timestamp) -> FindingCard {
    let (tone, word) = match finding.severity {
        Severity::Page => (Tone::Bad, "now"),
        Severity::Ticket => (Tone::Warn, "soon"),
        Severity::Info => (Tone::Idle, "to know"),
    };
    let until = finding.until.map(|until| kernel::clock::elapsed_ms(now, until)).filter(|ms| *ms > 0);
    let next = match until {
        Some(ms) if matches!(finding.about, About::DeadLetters(..)) => {
            format!("{}; looked for again in {}", finding.next, span(ms))
        }
        Some(ms) => format!("{} (in {})", finding.next, span(ms)),
        None => finding.next.clone(),
    };
    let link = match &finding.about {
        About::System(name) => Some((format!("/orders?system={name}&phase=open"), "See the orders")),
        About::DeadLetters(fingerprint, system) => {
            let fingerprint = crate::words::escaped(fingerprint);
            Some((format!("/dead-letters/group?system={system}&fingerprint={fingerprint}"), "See the group"))
        }
        About::Topic(_) => None,
        About::Pause(_) => Some(("/systems".into(), "Resume")),
    };
    FindingCard { tone, word, what: aloud(&finding.what), why: finding.why.clone(), next, link }
}

fn stats(seen: &Overview) -> Vec<Stat> {
    let objective = span(seen.objective_ms);
    let against = |lag: &engine::overview::Quantiles| match lag.p99_ms {
        None => (Tone::Idle, "no exports".to_owned()),
        Some(p99) if p99 > seen.objective_ms => {
            (Tone::Bad, format!("{} of {} over {objective}", thousands(lag.over), thousands(lag.count)))
        }
        Some(_) => (Tone::Good, format!("{} within {objective}", thousands(lag.count - lag.over))),
    };
    let (now_tone, now_note) = against(&seen.lag.now);
    let (hour_tone, hour_note) = against(&seen.lag.hour);
    let touched = seen.touched;
    let share = touched.per_10_000();
    vec![
        Stat {
            label: "Lag now, p50 / p99",
            value: two(seen.lag.now.p50_ms, seen.lag.now.p99_ms),
            note: format!("last 5 min and what waits: {now_note}"),
            tone: now_tone,
        },
        Stat {
            label: "Lag of the last hour",
            value: two(seen.lag.hour.p50_ms, seen.lag.hour.p99_ms),
            note: hour_note,
            tone: hour_tone,
        },
        Stat {
            label: "Late now",
            value: thousands(seen.late.count),
            note: seen
                .late
                .oldest_ms
                .map_or_else(|| "none over the objective".into(), |ms| format!("oldest {}", span(ms))),
            tone: if seen.late.count > 0 { Tone::Bad } else { Tone::Good },
        },
        Stat {
            label: "Throughput",
            value: format!("{} / min", thousands(seen.lag.per_minute)),
            note: format!("{} in the last hour", thousands(exported(seen))),
            tone: Tone::Idle,
        },
        Stat {
            label: "Touched by hand",
            value: share.map_or_else(|| "–".into(), |share| format!("{}.{:02} %", share / 100, share % 100)),
            note: format!(
                "{} of the newest {}; goal under 0.1 %",
                touched.by_hand,
                many(touched.orders, "order")
            ),
            tone: match share {
                None => Tone::Idle,
                Some(0..10) => Tone::Good,
                Some(_) => Tone::Warn,
            },
        },
    ]
}

fn exported(seen: &Overview) -> u64 {
    seen.lag.minutes.iter().map(|minute| minute.lag.count).sum()
}

/// What the chart shows, for whoever does not see it.
fn chart_words(seen: &Overview) -> String {
    let over =
        seen.lag.minutes.iter().filter(|m| m.lag.p99_ms.is_some_and(|ms| ms > seen.objective_ms)).count();
    let with = seen.lag.minutes.iter().filter(|minute| minute.lag.count > 0).count();
    format!(
        "Lag of exports by minute over the last hour, against the objective of {}: {with} minutes with exports, {over} of \
         them over it; p50 {}, p99 {}.",
        span(seen.objective_ms),
        span_or_dash(seen.lag.hour.p50_ms),
        span_or_dash(seen.lag.hour.p99_ms),
    )
}

fn minutes(seen: &Overview, ui: &Ui) -> Vec<MinuteRow> {
    let with_exports = seen.lag.minutes.iter().rev().filter(|minute| minute.lag.count > 0);
    with_exports
        .map(|minute| MinuteRow {
            from: moment(minute.from, seen.at, &ui.given.time_zone),
            count: minute.lag.count,
            p50: span_or_dash(minute.lag.p50_ms),
            p99: span_or_dash(minute.lag.p99_ms),
            over: minute.lag.over,
        })
        .collect()
}

fn topics(seen: &Overview, ui: &Ui) -> Vec<TopicRow> {
    let mut topics: Vec<_> = seen.topics.iter().collect();
    topics.sort_by_key(|topic| (!topic.silent, topic.since_ms));
    let row = |topic: &engine::overview::Topic| TopicRow {
        shop: topic.shop.to_string(),
        topic: topic.topic.clone(),
        last: moment(topic.last, seen.at, ui.zone(&topic.shop)),
        count: thousands(topic.count),
        silent: topic.silent,
    };
    topics.into_iter().map(row).collect()
}

fn log(seen: &Overview) -> String {
    let unrouted = match seen.log.unrouted {
        0 => "all routed".to_owned(),
        waiting => format!("{} to be routed", thousands(waiting)),
    };
    format!(
        "{} in the log, {unrouted}; {} in work",
        many(seen.log.envelopes, "fact"),
        thousands(seen.in_work as u64)
    )
}
