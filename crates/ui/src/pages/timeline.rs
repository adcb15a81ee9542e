//! One order's life as a story, oldest first: each fact and how it came, what routing decided, every attempt with its
//! answer, dead letters, what people did, the target's number, and what is awaited now. Shows no payload.

use crate::cards::Tone;
use crate::standing::{brings, deed, outcome_tone, outcome_words};
use crate::subjects::aloud;
use crate::words::{Moment, moment, thousands};
use engine::triage::cause;
use engine::waits::{Waits, span};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use kernel::clock::elapsed_ms;
use kernel::envelope::{Envelope, FactKind, Via};
use kernel::id::Position;
use store::delivery::{Delivery, DeliveryState};
use store::operate::AuditEntry;
use store::query::{AttemptRow, DeadLetter, Life};

/// The newest of them, where a life has more.
const ENTRIES_MAX: usize = 400;

/// One thing that happened.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) id: String,
    pub(crate) at: Moment,
    /// Since the one before it.
    pub(crate) gap: String,
    pub(crate) tone: Tone,
    pub(crate) title: String,
    pub(crate) text: Vec<String>,
    /// For whoever looks closer: label and value.
    pub(crate) details: Vec<(&'static str, String)>,
}

#[derive(Debug)]
pub(crate) struct Timeline {
    pub(crate) entries: Vec<Entry>,
    /// So many older ones are left out.
    pub(crate) left_out: usize,
}

/// An entry before its place is known. `rank` settles what happened at the same instant.
struct Happening {
    at: Timestamp,
    rank: (Position, u8),
    tone: Tone,
    title: String,
    text: Vec<String>,
    details: Vec<(&'static str, String)>,
}

impl Happening {
    fn new(at: Timestamp, rank: (Position, u8), tone: Tone, title: String) -> Self {
        Self { at, rank, tone, title, text: Vec::new(), details: Vec::new() }
    }
    fn text(mut self, text: impl Into<String>) -> Self {
        self.text.push(text.into());
        self
    }
    fn detail(mut self, label: &'static str, value: impl ToString) -> Self {
        self.details.push((label, value.to_string()));
        self
    }
}

/// `waiting` are the open deliveries with what they wait for; `audit` is what people did to this order.
pub(crate) fn timeline(
    life: &Life,
    waiting: &[(&Delivery, Waits)],
    audit: &[AuditEntry],
    now: Timestamp,
    zone: &TimeZone,
) -> Timeline {
    let mut all: Vec<Happening> = Vec::new();
    for (envelope, routed) in &life.envelopes {
        all.push(fact(envelope, *routed, life));
    }
    for delivery in &life.deliveries {
        all.extend(routing(delivery, life));
        all.extend(ending(delivery));
    }
    all.extend(life.attempts.iter().filter_map(|row| attempt(row, life)));
    all.extend(life.dead_letters.iter().flat_map(|letter| dead(letter, life)));
    all.extend(life.external.iter().map(|(system, _, link)| {
        let named = link.number.as_deref().unwrap_or(&link.id);
        let how = if link.adopted { "was there already and was adopted, not written to" } else { "exists" };
        Happening::new(
            link.created_at,
            (Position(i64::MAX), 5),
            Tone::Good,
            format!("{named} {how} in {system}"),
        )
        .detail("id there", &link.id)
        .detail("object key", &link.object_key)
    }));
    all.extend(audit.iter().map(hand));
    all.sort_by_key(|happening| (happening.at, happening.rank));
    all.extend(waiting.iter().map(|(delivery, waits)| awaited(delivery, waits, now, zone)));
    let left_out = all.len().saturating_sub(ENTRIES_MAX);
    let mut before = None;
    let entries = all.into_iter().skip(left_out).enumerate().map(|(place, happening)| {
        let gap = before.map_or_else(String::new, |before| gap(before, happening.at));
        before = Some(happening.at);
        Entry {
            id: format!("step-{place}"),
            at: moment(happening.at, now, zone),
            gap,
            tone: happening.tone,
            title: happening.title,
            text: happening.text,
            details: happening.details,
        }
    });
    Timeline { entries: entries.collect(), left_out }
}

fn gap(before: Timestamp, at: Timestamp) -> String {
    match elapsed_ms(before, at) {
        0 => String::new(),
        ms => format!("+{}", span(ms)),
    }
}

fn fact(envelope: &Envelope, routed: bool, life: &Life) -> Happening {
    let (source, topic) = (&envelope.source, &envelope.topic);
    let title = match envelope.via {
        Via::Webhook => format!("Webhook {topic} from {source}"),
        Via::Ingest => format!("{source} sent {topic}"),
        Via::Sweep => format!("Found by the sweep of {source}: its webhook was missed"),
        Via::Backfill => format!("Found by a backfill of {source}"),
        Via::Read => format!("Read again from {source}"),
        Via::Outcome => format!("An outcome became a fact: {topic}"),
        Via::Fold => format!("Folded from what {source} told: {topic}"),
        Via::Replay => format!("Sent again by a person: {topic}"),
    };
    let unreadable = envelope.kind == FactKind::Unreadable;
    let tone = if unreadable { Tone::Bad } else { Tone::Idle };
    let mut entry = Happening::new(envelope.received_at, (envelope.position, 0), tone, title);
    if envelope.subject.path != envelope.subject.root() {
        entry = entry.text(format!("about {} {}", envelope.subject.kind(), envelope.subject.key()));
    }
    let under_way_ms = elapsed_ms(envelope.occurred_at, envelope.received_at);
    if under_way_ms >= 1000 && !matches!(envelope.via, Via::Outcome | Via::Fold) {
        entry = entry.text(format!("{} after the change at {source}", span(under_way_ms)));
    }
    if unreadable {
        entry = entry.text("signed, but it cannot be read: kept as it came");
    }
    let taken = life.deliveries.iter().any(|delivery| delivery.position == envelope.position);
    match (routed, taken) {
        (false, _) => entry = entry.text("committed to the log; to be routed"),
        (true, false) => entry = entry.text("no flow had to act on it"),
        (true, true) => {}
    }
    entry
        .detail("fact", envelope.position)
        .detail("trace", envelope.trace)
        .detail("kind", envelope.kind.as_str())
        .detail("via", envelope.via.as_str())
        .detail("body", format!("{} bytes as received", thousands(u64::from(envelope.raw_bytes))))
}

/// What routing decided; where that ended the delivery, the reason stands here.
fn routing(delivery: &Delivery, life: &Life) -> Option<Happening> {
    let system = &delivery.lane.system;
    let at_once = delivery.ended_at == Some(delivery.created_at);
    let routed_at = life.envelopes.iter().find(|(envelope, _)| envelope.position == delivery.position);
    let at =
        routed_at.map_or(delivery.created_at, |(envelope, _)| delivery.created_at.max(envelope.received_at));
    let title = match &delivery.state {
        DeliveryState::Ended(outcome) if at_once => {
            format!("{}: {}", delivery.flow, outcome.word())
        }
        _ => format!("{} takes {} to {system}", delivery.flow, brings(delivery)),
    };
    let mut entry = Happening::new(at, (delivery.position, 1), Tone::Idle, title)
        .detail("delivery", delivery.id)
        .detail("kind", delivery.kind.as_str())
        .detail("lane", &delivery.lane);
    if let DeliveryState::Ended(outcome) = &delivery.state
        && at_once
    {
        entry.tone = outcome_tone(outcome);
        entry = entry.text(outcome_words(outcome, system.as_str()));
    }
    Some(entry)
}

/// How it ended later than it was routed.
fn ending(delivery: &Delivery) -> Option<Happening> {
    let ended_at = delivery.ended_at.filter(|ended_at| *ended_at != delivery.created_at)?;
    let DeliveryState::Ended(outcome) = &delivery.state else { return None };
    let title = format!("{}: {}", delivery.flow, outcome.word());
    let took = elapsed_ms(delivery.changed_at, ended_at);
    let entry = Happening::new(ended_at, (delivery.position, 6), outcome_tone(outcome), title)
        .text(outcome_words(outcome, delivery.lane.system.as_str()))
        .detail("delivery", delivery.id);
    Some(match outcome {
        store::delivery::Outcome::Delivered { .. } => entry.text(format!("{} after the change", span(took))),
        _ => entry,
    })
}

fn attempt(row: &AttemptRow, life: &Life) -> Option<Happening> {
    let delivery = life.deliveries.iter().find(|delivery| delivery.id == row.delivery)?;
    let (system, step) = (&delivery.lane.system, &row.step);
    let took = row.ended_at.map(|ended_at| span(elapsed_ms(row.started_at, ended_at)));
    let took = took.as_deref().unwrap_or("–");
    let (tone, said, text) = match (&row.fault, row.by_look_up, row.ended_at) {
        (_, _, None) => (
            Tone::Warn,
            "no answer yet",
            "committed as sending before its first byte left; looked up before anything is sent again".into(),
        ),
        (_, Some(true), _) => (
            Tone::Good,
            "found by a look-up",
            format!("no clear answer came; a look-up found it done after {took}"),
        ),
        (_, Some(false), _) => (
            Tone::Warn,
            "proved not done",
            format!("no clear answer came; after {took} look-ups proved that nothing was done"),
        ),
        (None, None, _) => (Tone::Good, "done", format!("answered after {took}")),
        (Some(fault), None, _) => (Tone::Bad, fault.kind.as_str(), format!("answered after {took}")),
    };
    let mut entry =
        Happening::new(row.started_at, (delivery.position, 3), tone, format!("{step} at {system}: {said}"));
    if let Some(fault) = &row.fault {
        let field = fault.field.as_ref().map_or_else(String::new, |field| format!(", at {field}"));
        entry = entry.text(format!("{}: {}{field}", fault.code, fault.message));
    }
    let entry = entry.text(text).detail("delivery", delivery.id).detail("call key", &row.call_key);
    Some(entry.detail("configuration", &row.revision))
}

fn dead(letter: &DeadLetter, life: &Life) -> Vec<Happening> {
    let delivery = life.deliveries.iter().find(|delivery| delivery.id == letter.delivery);
    let position = delivery.map_or(Position(i64::MAX), |delivery| delivery.position);
    let fact = life.envelopes.iter().find(|(envelope, _)| envelope.position == position);
    let source = fact.map_or("the source", |(envelope, _)| envelope.source.as_str());
    let known = cause(&letter.fault, letter.system.as_str(), source);
    let died =
        Happening::new(letter.dead_at, (position, 4), Tone::Bad, format!("Dead letter: {}", known.cause))
            .text(format!("{} (owner: {})", known.advice, known.owner))
            .detail("delivery", letter.delivery)
            .detail("code", &letter.fault.code)
            .detail("group", &letter.fingerprint);
    let closed = letter.closed.as_ref().map(|closed| {
        let title = format!("Dead letter closed by {}", closed.who);
        Happening::new(closed.at, (position, 7), Tone::Idle, title).text(closed.why.clone())
    });
    std::iter::once(died).chain(closed).collect()
}

fn hand(entry: &AuditEntry) -> Happening {
    let title = format!("{} {} it", entry.who, deed(&entry.action));
    Happening::new(entry.at, (Position(i64::MAX), 2), Tone::Idle, title).text(entry.why.clone())
}

fn awaited(delivery: &Delivery, waits: &Waits, now: Timestamp, zone: &TimeZone) -> Happening {
    let dead = matches!(delivery.state, DeliveryState::Dead);
    let tone = if dead { Tone::Bad } else { Tone::Warn };
    let title = format!("Now: {} waits for {}", delivery.flow, aloud(&waits.what));
    let mut entry = Happening::new(now, (delivery.position, 9), tone, title);
    if let Some(why) = &waits.why {
        entry = entry.text(why.clone());
    }
    if let Some(until) = waits.until.filter(|until| *until > now) {
        let until = moment(until, now, zone);
        entry = entry.text(format!("until {} ({})", until.text, until.distance));
    }
    entry.detail("delivery", delivery.id)
}
