//! What several pages show alike: a system, a group of dead letters, a pause. Words and times made ready; the
//! templates only place them.

use crate::state::Ui;
use crate::subjects::spoken;
use crate::words::{Moment, escaped, many, moment, span_or_dash, thousands};
use engine::overview::{Group, SystemLine};
use engine::triage::Action;
use engine::waits::span;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use kernel::id::FlowName;
use store::operate::{Pause, PauseScope};

/// How something stands; every tone also has its word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    Good,
    Warn,
    Bad,
    Idle,
}

impl Tone {
    /// The class of a badge.
    pub(crate) fn class(self) -> &'static str {
        match self {
            Tone::Good => "good",
            Tone::Warn => "warn",
            Tone::Bad => "bad",
            Tone::Idle => "idle",
        }
    }
    /// A shape of its own, so that colour is not all that tells.
    pub(crate) fn mark(self) -> &'static str {
        match self {
            Tone::Good => "●",
            Tone::Warn => "▲",
            Tone::Bad => "■",
            Tone::Idle => "○",
        }
    }
}

#[derive(Debug)]
pub(crate) struct SystemCard {
    pub(crate) name: String,
    pub(crate) tone: Tone,
    pub(crate) word: String,
    pub(crate) why: Option<String>,
    pub(crate) next: Option<String>,
    pub(crate) in_work: String,
    /// Label, number, link.
    pub(crate) counts: Vec<Count>,
    pub(crate) oldest: Option<String>,
    pub(crate) paused: Option<PauseCard>,
}

#[derive(Debug)]
pub(crate) struct Count {
    pub(crate) label: &'static str,
    pub(crate) number: String,
    pub(crate) link: Option<String>,
    pub(crate) tone: Tone,
}

impl SystemCard {
    pub(crate) fn of(line: &SystemLine, pauses: &[Pause], ui: &Ui, now: Timestamp) -> Self {
        let scope =
            |pause: &&Pause| matches!(&pause.scope, PauseScope::System(name) if name.as_str() == line.name);
        let paused = pauses.iter().find(scope).map(|pause| PauseCard::of(pause, now, &ui.given.time_zone));
        let (tone, word, next) = stands(line, paused.is_some());
        let count = |label, number: u64, phase: &str, tone| Count {
            label,
            number: thousands(number),
            link: (number > 0).then(|| format!("/orders?system={}&phase={phase}", line.name)),
            tone: if number > 0 { tone } else { Tone::Idle },
        };
        Self {
            tone,
            word,
            why: line
                .running
                .as_ref()
                .filter(|running| running.breaker != "closed")
                .and_then(|r| r.trouble.clone()),
            next,
            in_work: line.running.as_ref().map_or_else(
                || "–".into(),
                |running| format!("{} of {}", running.in_work, running.concurrency),
            ),
            counts: vec![
                count("waiting", line.waiting, "waiting", Tone::Idle),
                Count { label: "due", number: thousands(line.due), link: None, tone: Tone::Idle },
                count("unknown", line.unknown, "unknown", Tone::Warn),
                count("dead", line.dead, "dead", Tone::Bad),
            ],
            oldest: line.oldest_ms.map(span),
            paused,
            name: line.name.clone(),
        }
    }
}

/// Tone, word and what happens next.
fn stands(line: &SystemLine, paused: bool) -> (Tone, String, Option<String>) {
    let Some(running) = &line.running else {
        return (Tone::Idle, "no word from the engine yet".into(), None);
    };
    let probe = match running.breaker_opens_in_ms {
        Some(ms) if ms > 0 => format!("next probe in {}", span(ms)),
        _ => "a probe is under way".to_owned(),
    };
    if running.credentials_refused {
        return (Tone::Bad, "credentials refused".into(), Some(probe));
    }
    if running.breaker != "closed" {
        return (Tone::Bad, format!("breaker {}", running.breaker), Some(probe));
    }
    if paused || running.paused {
        return (Tone::Warn, "paused".into(), None);
    }
    if line.stalled {
        return (
            Tone::Bad,
            "stands still".into(),
            Some("work is due and none is done: see the hub's log".into()),
        );
    }
    match running.throttled_for_ms {
        Some(ms) => (Tone::Warn, "asked us to wait".into(), Some(format!("goes on in {}", span(ms)))),
        None => (Tone::Good, "well".into(), None),
    }
}

#[derive(Debug)]
pub(crate) struct PauseCard {
    pub(crate) scope: String,
    /// For a form that resumes it: `system`, `flow` or `subject`, and its name.
    pub(crate) kind: &'static str,
    pub(crate) name: String,
    pub(crate) who: String,
    pub(crate) why: String,
    pub(crate) since: Moment,
    pub(crate) until: Option<Moment>,
}

impl PauseCard {
    pub(crate) fn of(pause: &Pause, now: Timestamp, zone: &TimeZone) -> Self {
        let (kind, name) = match &pause.scope {
            PauseScope::System(system) => ("system", system.to_string()),
            PauseScope::Flow(flow) => ("flow", flow.to_string()),
            PauseScope::Subject(subject) => ("subject", subject.to_string()),
        };
        Self {
            scope: spoken(&pause.scope.to_string()),
            kind,
            name,
            who: pause.by.who.clone(),
            why: pause.by.why.clone(),
            since: moment(pause.by.at, now, zone),
            until: pause.until.map(|until| moment(until, now, zone)),
        }
    }
}

#[derive(Debug)]
pub(crate) struct GroupCard {
    pub(crate) fingerprint: String,
    pub(crate) system: String,
    pub(crate) flow: String,
    pub(crate) count: u64,
    pub(crate) letters: String,
    pub(crate) cause: String,
    pub(crate) owner: String,
    pub(crate) advice: String,
    pub(crate) tone: Tone,
    pub(crate) by_itself: String,
    pub(crate) kind: String,
    pub(crate) code: String,
    pub(crate) field: Option<String>,
    pub(crate) oldest: Moment,
    pub(crate) newest: Moment,
    pub(crate) link: String,
}

impl GroupCard {
    pub(crate) fn of(group: &Group, ui: &Ui, now: Timestamp) -> Self {
        let zone = &ui.given.time_zone;
        let letter = &group.group;
        let link = format!(
            "/dead-letters/group?system={}&fingerprint={}",
            letter.system,
            escaped(&letter.fingerprint)
        );
        Self {
            fingerprint: letter.fingerprint.clone(),
            system: letter.system.to_string(),
            flow: letter.flow.to_string(),
            count: letter.count,
            letters: many(letter.count, "dead letter"),
            cause: group.cause.cause.clone(),
            owner: group.cause.owner.clone(),
            advice: group.cause.advice.clone(),
            tone: if group.cause.action == Action::Page { Tone::Bad } else { Tone::Warn },
            by_itself: by_itself(group, is_stock(ui, &letter.flow), now),
            kind: letter.kind.to_string(),
            code: letter.code.clone(),
            field: letter.field.clone(),
            oldest: moment(letter.oldest, now, zone),
            newest: moment(letter.newest, now, zone),
            link,
        }
    }
}

/// Whether a flow moves stock.
pub(crate) fn is_stock(ui: &Ui, flow: &FlowName) -> bool {
    ui.given.stock.iter().any(|known| known.name == *flow)
}

/// What Tidegate does without a person.
fn by_itself(group: &Group, stock: bool, now: Timestamp) -> String {
    match group.cause.action {
        Action::ReleaseWhenItExists => {
            let next = group.awaited.iter().map(|awaited| awaited.next_look_at).min();
            match next.map(|next| kernel::clock::elapsed_ms(now, next)) {
                Some(ms) if ms > 0 => {
                    format!("looks again in {} and releases what waits once it exists", span(ms))
                }
                Some(_) => "looks for it now and releases what waits once it exists".to_owned(),
                None => "releases it once it exists".to_owned(),
            }
        }
        Action::HealedByNewerState if stock => "a newer level takes its place".to_owned(),
        Action::HealedByNewerState => "a newer state of the order takes its place".to_owned(),
        Action::Ticket => "nothing: a person has to decide".to_owned(),
        Action::Page => "nothing: a person has to act now".to_owned(),
    }
}

/// `p50 / p99` of a figure.
pub(crate) fn two(p50_ms: Option<u64>, p99_ms: Option<u64>) -> String {
    match (p50_ms, p99_ms) {
        (None, None) => span_or_dash(None),
        _ => format!("{} / {}", span_or_dash(p50_ms), span_or_dash(p99_ms)),
    }
}
