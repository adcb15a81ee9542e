//! How one delivery stands, in a word and a tone, with what it waits for. Shared by the list of orders, the page of an
//! order and its timeline; the reasons are `engine::waits`'.

use crate::cards::Tone;
use crate::state::Ui;
use crate::subjects::aloud;
use crate::words::{Moment, moment};
use engine::overview::Watched;
use engine::waits::{Because, Waits, span};
use jiff::Timestamp;
use kernel::clock::elapsed_ms;
use kernel::subject::Subject;
use store::delivery::{Delivery, DeliveryKind, DeliveryState, Outcome};

/// What it waits for, made ready.
#[derive(Debug)]
pub(crate) struct WaitCard {
    pub(crate) what: String,
    pub(crate) why: Option<String>,
    pub(crate) until: Option<Moment>,
}

impl WaitCard {
    pub(crate) fn of(waits: Waits, now: Timestamp, zone: &jiff::tz::TimeZone) -> Self {
        let ahead = |until: &Timestamp| elapsed_ms(now, *until) > 0;
        Self {
            what: aloud(&waits.what),
            why: waits.why,
            until: waits.until.filter(ahead).map(|until| moment(until, now, zone)),
        }
    }
}

/// An export that has been open for longer than the objective, unless the flow's own policy makes it wait: the rule of
/// the overview.
pub(crate) fn is_late(delivery: &Delivery, waits: &Waits, watched: &Watched, now: Timestamp) -> bool {
    matches!(delivery.kind, DeliveryKind::State | DeliveryKind::Event)
        && !matches!(waits.because, Because::Condition | Because::Schedule)
        && watched
            .objective_of(&delivery.flow)
            .is_some_and(|objective| elapsed_ms(delivery.changed_at, now) > objective)
}

/// Tone and word of an open or ended delivery.
pub(crate) fn stands(delivery: &Delivery, late: bool) -> (Tone, String) {
    match &delivery.state {
        DeliveryState::Dead => (Tone::Bad, "dead letter".into()),
        _ if late => (Tone::Bad, "late".into()),
        DeliveryState::Unknown { .. } => (Tone::Warn, "answer unknown".into()),
        DeliveryState::Waiting { .. } => (Tone::Idle, "waiting".into()),
        DeliveryState::Ended(outcome) => (outcome_tone(outcome), outcome.word().into()),
    }
}

pub(crate) fn outcome_tone(outcome: &Outcome) -> Tone {
    match outcome {
        Outcome::Delivered { .. } => Tone::Good,
        Outcome::Skipped { .. } => Tone::Warn,
        _ => Tone::Idle,
    }
}

/// How it ended, in a sentence. What a shadow would have sent is of the payload, and stays out.
pub(crate) fn outcome_words(outcome: &Outcome, system: &str) -> String {
    match outcome {
        Outcome::Delivered { note: None } => format!("{system} has it"),
        Outcome::Delivered { note: Some(note) } => format!("{system} has it; {note}"),
        Outcome::Superseded { by } => format!("a newer state took its place (fact {by})"),
        Outcome::Unchanged => format!("{system} has this state already: nothing was sent"),
        Outcome::Filtered { rule } => format!("kept out by the rule “{rule}”"),
        Outcome::Skipped { who, why } => format!("by {who}: {why}"),
        Outcome::Shadowed { .. } => "the flow runs in shadow: nothing was sent".into(),
        Outcome::Redacted => "its data were destroyed by a redaction request".into(),
        Outcome::Read { found: true } => format!("{system} was read; the answer is a fact of its own"),
        Outcome::Read { found: false } => format!("{system} was read; nothing is there"),
    }
}

/// What a delivery brings: `the order`, `refund 999`, `a later step`.
pub(crate) fn brings(delivery: &Delivery) -> String {
    let subject = &delivery.subject;
    match delivery.kind {
        DeliveryKind::Read => "a read of the source".into(),
        DeliveryKind::Step => "a later step".into(),
        DeliveryKind::State | DeliveryKind::Event => match subject.part() {
            Some(part) => part,
            None if domains::inventory::parts(subject).is_some() => "the level".into(),
            None => format!("the {}", subject.kind()),
        },
    }
}

/// `4 min` since its change was made, or from its change to its end.
pub(crate) fn age(delivery: &Delivery, now: Timestamp) -> String {
    span(elapsed_ms(delivery.changed_at, delivery.ended_at.unwrap_or(now)))
}

/// The root of a subject.
pub(crate) fn root_of(subject: &Subject) -> Subject {
    Subject { shop: subject.shop.clone(), path: subject.root().to_owned() }
}

/// The names of all systems and flows of the configuration, for filters and forms.
pub(crate) fn system_names(ui: &Ui) -> std::collections::BTreeSet<String> {
    let flows = ui.given.watched.flows.values();
    let named = flows.flat_map(|flow| [flow.source.to_string(), flow.target.to_string()]);
    let running = ui.given.hub.snapshot().systems.into_iter().map(|system| system.name);
    named.chain(running).collect()
}

/// What somebody did, after their name.
pub(crate) fn deed(action: &str) -> &str {
    match action {
        "release" => "released",
        "skip" => "skipped",
        "pause" => "paused",
        "resume" => "resumed",
        "replay" => "sent again",
        other => other,
    }
}
