//! What a person should know at a glance: what is wrong, why, and what happens next. The words of the front page and
//! of `tidegate status`.

use super::late::{Late, LateGroup};
use super::silence::Topic;
use super::{Group, StockObjective, SystemLine, Watched};
use crate::triage::Action;
use crate::waits::{Because, span};
use jiff::Timestamp;
use kernel::fault::Severity;
use serde::Serialize;
use store::operate::{Pause, PauseScope};

/// A clock that is ahead by less is no matter: a source may round its times up to the second.
const CLOCK_AHEAD_MS: i64 = 2_000;

/// How it stands as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    Well,
    /// Somebody should look, in working hours.
    Attention,
    /// Late, or stuck until a person acts.
    Trouble,
}

/// One thing that a person should know.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Finding {
    pub severity: Severity,
    pub what: String,
    pub why: Option<String>,
    /// What happens next, or what to do.
    pub next: String,
    /// When it happens.
    pub until: Option<Timestamp>,
    pub about: About,
}

/// Where a page has more on it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "about", content = "name")]
pub enum About {
    System(String),
    /// A fingerprint and its system.
    DeadLetters(String, String),
    Topic(String),
    Pause(String),
}

pub(super) fn verdict(findings: &[Finding]) -> Verdict {
    let of = |finding: &Finding| match finding.severity {
        Severity::Info => Verdict::Well,
        Severity::Ticket => Verdict::Attention,
        Severity::Page => Verdict::Trouble,
    };
    findings.iter().map(of).max().unwrap_or(Verdict::Well)
}

pub(super) fn findings(
    late: &Late,
    systems: &[SystemLine],
    groups: &[Group],
    topics: &[Topic],
    pauses: &[Pause],
    watched: &Watched,
) -> Vec<Finding> {
    let mut all: Vec<Finding> = late.groups.iter().map(|group| of_late(group, late, watched)).collect();
    all.extend(systems.iter().filter_map(|system| of_system(system, late)));
    all.extend(groups.iter().map(of_group));
    all.extend(topics.iter().filter(|topic| topic.silent).map(of_topic));
    all.extend(pauses.iter().map(of_pause));
    sort(&mut all);
    all
}

/// Worst first. Stable: within a severity, what is late comes first.
pub(super) fn sort(all: &mut [Finding]) {
    all.sort_by_key(|finding| match finding.severity {
        Severity::Page => 0,
        Severity::Ticket => 1,
        Severity::Info => 2,
    });
}

/// What is late of a flow of stock.
pub(super) fn of_stock(late: &Late, watched: &Watched) -> Vec<Finding> {
    late.groups.iter().map(|group| of_late(group, late, watched)).collect()
}

/// A source whose clock is seen to be ahead: its dates are not to be trusted to the second.
pub(super) fn of_clock(stock: &StockObjective) -> Option<Finding> {
    let ahead_ms = stock.clock.least_ms.filter(|least| *least <= -CLOCK_AHEAD_MS)?.unsigned_abs();
    Some(Finding {
        severity: Severity::Ticket,
        what: format!("the clock of {} is ahead of ours by at least {}", stock.source, span(ahead_ms)),
        why: Some(format!("it dated {} after they had come here", many(stock.clock.ahead, "change"))),
        next: "set one of the two clocks right (NTP): until then lag is counted from when a change came here"
            .to_owned(),
        until: None,
        about: About::System(stock.source.to_string()),
    })
}

fn many(count: u64, one: &str) -> String {
    if count == 1 { format!("1 {one}") } else { format!("{count} {one}s") }
}

fn of_late(group: &LateGroup, late: &Late, watched: &Watched) -> Finding {
    let system = &group.system;
    let at_least = if late.more { "at least " } else { "" };
    let verb = if group.count == 1 { "is" } else { "are" };
    let next = match group.waits.because {
        Because::Breaker => format!("{system} is asked again by itself; then the oldest go first"),
        Because::Credentials => {
            format!("renew the credentials of {system}; what waits goes on by itself")
        }
        Because::Pause => format!("they go on when the pause ends, or resume {system}"),
        Because::Answer => "it is looked up before anything is sent again".to_owned(),
        Because::Limit | Because::Backoff => "tried again by itself".to_owned(),
        Because::Place | Because::Turn => format!("{system} is working them off, the oldest first"),
        Because::Reading => "the source is read again by itself".to_owned(),
        _ => "see the orders".to_owned(),
    };
    Finding {
        // Somebody paused it on purpose.
        severity: if group.waits.because == Because::Pause { Severity::Ticket } else { Severity::Page },
        what: format!(
            "{at_least}{} for {system} {verb} late: over {}, the oldest by {}",
            many(group.count, "change"),
            span(watched.objective_ms()),
            span(group.oldest_ms),
        ),
        why: Some(match &group.waits.why {
            Some(why) => format!("waits for {}: {why}", group.waits.what),
            None => format!("waits for {}", group.waits.what),
        }),
        next,
        until: group.waits.until,
        about: About::System(system.to_string()),
    }
}

/// A system that is not well, where nothing late told of it already.
fn of_system(line: &SystemLine, late: &Late) -> Option<Finding> {
    let name = &line.name;
    let about = About::System(name.clone());
    if line.stalled {
        return Some(Finding {
            severity: Severity::Page,
            what: format!("{name} stands still: {} due and none in work", many(line.due, "change")),
            why: Some("nothing known holds it".to_owned()),
            next: "see the hub's log; a restart loses nothing".to_owned(),
            until: None,
            about,
        });
    }
    let running = line.running.as_ref().filter(|running| running.breaker != "closed")?;
    let told = |group: &LateGroup| {
        group.system.as_str() == name
            && matches!(group.waits.because, Because::Breaker | Because::Credentials)
    };
    if late.groups.iter().any(told) {
        return None;
    }
    let (severity, what, next) = if running.credentials_refused {
        (
            Severity::Page,
            format!("{name} refuses the credentials"),
            format!("renew the credentials of {name}; what waits goes on by itself"),
        )
    } else {
        (
            Severity::Ticket,
            format!("the breaker of {name} is {}", running.breaker),
            format!("{name} is asked again by itself"),
        )
    };
    Some(Finding { severity, what, why: running.trouble.clone(), next, until: None, about })
}

fn of_group(group: &Group) -> Finding {
    let letters = many(group.group.count, "dead letter");
    Finding {
        severity: if group.cause.action == Action::Page { Severity::Page } else { Severity::Ticket },
        what: format!("{letters} in {}: {}", group.group.flow, group.cause.cause),
        why: None,
        next: format!("{} (owner: {})", group.cause.advice, group.cause.owner),
        until: group.awaited.iter().map(|awaited| awaited.next_look_at).min(),
        about: About::DeadLetters(group.group.fingerprint.clone(), group.group.system.to_string()),
    }
}

fn of_topic(topic: &Topic) -> Finding {
    Finding {
        severity: Severity::Ticket,
        what: format!("{} of {} is silent for {}", topic.topic, topic.shop, span(topic.since_ms)),
        why: Some(format!("{} facts came before, at another pace", topic.count)),
        next: "see whether the shop still sends: tidegate shopify subscriptions plan; the sweep finds what was missed"
            .to_owned(),
        until: None,
        about: About::Topic(topic.topic.clone()),
    }
}

fn of_pause(pause: &Pause) -> Finding {
    let name = match &pause.scope {
        PauseScope::System(system) => system.to_string(),
        PauseScope::Flow(flow) => flow.to_string(),
        PauseScope::Subject(subject) => subject.to_string(),
    };
    Finding {
        severity: Severity::Info,
        what: format!("{} is paused", pause.scope),
        why: Some(format!("{}: {}", pause.by.who, pause.by.why)),
        next: match pause.until {
            Some(_) => "goes on by itself".to_owned(),
            None => "stands until somebody resumes it".to_owned(),
        },
        until: pause.until,
        about: About::Pause(name),
    }
}
