//! One SKU at one location as a card: what its source said last, what follows from it term by term, what the shop was set
//! to and when, and how it stands: told, waiting and for what, or dead with its cause.

use super::order::sentence;
use super::stock_now::ShopNow;
use crate::cards::Tone;
use crate::standing::{WaitCard, is_late, outcome_words, stands};
use crate::state::{StockFlow, Ui};
use crate::subjects::order_path;
use crate::words::{Moment, moment};
use engine::SystemView;
use engine::facts::State;
use engine::triage::cause;
use engine::waits::{Waits, waits_for};
use engine::work::stock_now::StockNow;
use jiff::Timestamp;
use kernel::envelope::Envelope;
use kernel::subject::Subject;
use serde_json::Value;
use store::delivery::{Delivery, DeliveryState, Outcome, StoredRef};
use store::operate::Pause;
use store::query::Life;

/// What holds deliveries, beside their own waits; read once for all pairs.
#[derive(Debug)]
pub(crate) struct Around {
    pub(crate) systems: Vec<SystemView>,
    pub(crate) pauses: Vec<Pause>,
}

impl Around {
    fn waits_for(&self, delivery: &Delivery, life: &Life, now: Timestamp) -> Option<Waits> {
        waits_for(delivery, &self.systems, &self.pauses, life, now)
    }
}

#[derive(Debug)]
pub(crate) struct PairCard {
    pub(crate) id: String,
    pub(crate) location: String,
    pub(crate) shop: String,
    pub(crate) source: String,
    pub(crate) target: String,
    pub(crate) flow: String,
    /// All that happened to it, and what a person may do about it.
    pub(crate) life: String,
    pub(crate) level: Option<Level>,
    /// Why there is no level.
    pub(crate) unreadable: Option<String>,
    pub(crate) set: Option<Set>,
    pub(crate) now: ShopNow,
    pub(crate) tone: Tone,
    pub(crate) word: String,
    /// How it stands, a sentence each.
    pub(crate) says: Vec<String>,
    pub(crate) waits: Vec<WaitCard>,
    pub(crate) dead: Vec<Dead>,
}

/// What the source said last.
#[derive(Debug)]
pub(crate) struct Level {
    /// `None`: it lies there for several of the shop's locations, and only what it may show is its own.
    pub(crate) whole: Option<Whole>,
    pub(crate) available: String,
    /// Kept back in all, in sales units; absent: it has no shelf of its own.
    pub(crate) safety: Option<String>,
    pub(crate) incoming: Vec<Promise>,
    /// Which part of that it shows.
    pub(crate) part: Option<String>,
    /// When the source changed it.
    pub(crate) changed: Moment,
    pub(crate) terms: Vec<Term>,
}

/// What comes, and what may be sold then.
#[derive(Debug)]
pub(crate) struct Promise {
    /// Absent: the source says no date.
    pub(crate) at: Option<Moment>,
    /// Absent: it is what a bundle is made of that comes.
    pub(crate) quantity: Option<String>,
    pub(crate) available: String,
}

/// What lies at one location.
#[derive(Debug)]
pub(crate) struct Whole {
    pub(crate) on_hand: String,
    pub(crate) reserved: String,
    pub(crate) counted: String,
}

/// A line of the explanation: what it adds, if anything, and its words.
#[derive(Debug)]
pub(crate) struct Term {
    pub(crate) adds: String,
    pub(crate) text: String,
}

/// What the shop was set to.
#[derive(Debug)]
pub(crate) struct Set {
    pub(crate) to: String,
    pub(crate) at: Moment,
    /// What the hub had to say of it: what it held back.
    pub(crate) note: Option<String>,
}

#[derive(Debug)]
pub(crate) struct Dead {
    pub(crate) cause: String,
    pub(crate) advice: String,
    pub(crate) owner: String,
}

impl PairCard {
    pub(crate) fn of(
        ui: &Ui,
        flow: &StockFlow,
        subject: &Subject,
        life: &Life,
        newest: Option<(Envelope, impl AsRef<[u8]>)>,
        around: &Around,
        there: StockNow,
    ) -> Self {
        let (now, zone) = (ui.now(), ui.zone(&subject.shop));
        let (mut level, mut unreadable) = (None, None);
        match newest {
            None => unreadable = Some("What the source said last is kept no more.".to_owned()),
            Some((envelope, payload)) => match flow.facts.read(&envelope.topic, payload.as_ref()) {
                Err(fault) => unreadable = Some(format!("What the source said last cannot be read: {fault}")),
                Ok(state) => {
                    let why = flow.facts.explain(&envelope.topic, payload.as_ref());
                    let figures = flow.facts.figures(&envelope.topic, payload.as_ref());
                    level = Some(said(&state, &why, &figures, ui, subject));
                }
            },
        }
        let ours: Vec<&Delivery> =
            life.deliveries.iter().filter(|delivery| delivery.flow == flow.name).collect();
        let external =
            life.external.iter().find(|(system, ..)| *system == flow.target).map(|(_, _, set)| set);
        let open: Vec<&Delivery> =
            ours.iter().copied().filter(|delivery| delivery.ended_at.is_none()).collect();
        let (tone, word, says) = standing(&ours, life, flow, ui, around);
        let waiting = |delivery: &&&Delivery| !matches!(delivery.state, DeliveryState::Dead);
        let wait = |delivery: &Delivery| around.waits_for(delivery, life, now);
        let set = external.and_then(|external| set(external, &ours, ui, subject));
        Self {
            id: format!("{}-{}", crate::words::escaped(&subject.path), flow.name)
                .replace(['%', '@', ':'], "-"),
            location: domains::inventory::parts(subject).map_or_else(String::new, |(_, location)| location),
            shop: subject.shop.to_string(),
            source: flow.source.to_string(),
            target: flow.target.to_string(),
            flow: flow.name.to_string(),
            life: order_path(subject),
            now: ShopNow::of(there, now, zone),
            level,
            unreadable,
            set,
            tone,
            word,
            says,
            waits: open
                .iter()
                .filter(waiting)
                .filter_map(|delivery| Some(WaitCard::of(wait(delivery)?, now, zone)))
                .collect(),
            dead: dead(life, flow),
        }
    }
}

fn said(state: &State, why: &[String], figures: &Value, ui: &Ui, subject: &Subject) -> Level {
    let promise = |promise: &Value| {
        let at = promise["at"].as_str().and_then(|at| at.parse().ok());
        Promise {
            at: at.map(|at| moment(at, ui.now(), ui.zone(&subject.shop))),
            quantity: promise["quantity"].as_str().map(str::to_owned),
            available: promise["available"].to_string(),
        }
    };
    let text = |member: &str| match &state.body[member] {
        value if value.is_null() => "–".to_owned(),
        value => value.as_str().map_or_else(|| value.to_string(), str::to_owned),
    };
    let unit = state.body["unit"].as_str().map_or_else(String::new, |unit| format!(" {unit}"));
    let part = domains::inventory::part(&state.body);
    let whole = || Whole {
        on_hand: text("on_hand") + &unit,
        reserved: text("reserved") + &unit,
        counted: text("counted"),
    };
    Level {
        whole: part.is_none().then(whole),
        available: part.as_ref().map_or_else(|| text("available"), |part| part.available.to_string()),
        part: part.map(|part| part.takes),
        safety: figures["shelf"]["safety"].as_str().map(str::to_owned),
        incoming: figures["incoming"].as_array().into_iter().flatten().map(promise).collect(),
        changed: moment(state.changed_at, ui.now(), ui.zone(&subject.shop)),
        terms: why.iter().map(|line| term(line)).collect(),
    }
}

/// A line of `Facts::explain`: a number set to the right, if there is one, two blanks, and what it is.
pub(super) fn term(line: &str) -> Term {
    let number = |text: &str| text.chars().all(|c| c.is_ascii_digit() || matches!(c, '-' | '.'));
    match line.trim_start().split_once("  ") {
        Some((adds, text)) if number(adds) => Term { adds: adds.to_owned(), text: text.to_owned() },
        _ => Term { adds: String::new(), text: line.trim().to_owned() },
    }
}

/// When: the newest of its deliveries that the target took; else when the item was first known there.
fn set(external: &StoredRef, ours: &[&Delivery], ui: &Ui, subject: &Subject) -> Option<Set> {
    let took = ours.iter().rev().find_map(|delivery| match &delivery.state {
        DeliveryState::Ended(Outcome::Delivered { note }) => Some((delivery.ended_at?, note.clone())),
        _ => None,
    });
    let (at, note) = took.unwrap_or((external.created_at, None));
    let note = note.map(|note| sentence(&format!("{note}.")));
    Some(Set { to: external.state.clone()?, at: moment(at, ui.now(), ui.zone(&subject.shop)), note })
}

/// Tone, word and sentences: the worst of what is open, else how the newest level ended.
fn standing(
    ours: &[&Delivery],
    life: &Life,
    flow: &StockFlow,
    ui: &Ui,
    around: &Around,
) -> (Tone, String, Vec<String>) {
    let now = ui.now();
    let open = ours.iter().filter(|delivery| delivery.ended_at.is_none()).map(|delivery| {
        let waits = around.waits_for(delivery, life, now);
        stands(delivery, waits.is_some_and(|waits| is_late(delivery, &waits, &ui.given.watched, now)))
    });
    let rank = |tone: Tone| match tone {
        Tone::Bad => 0,
        Tone::Warn => 1,
        Tone::Good | Tone::Idle => 2,
    };
    if let Some((tone, word)) = open.min_by_key(|(tone, _)| rank(*tone)) {
        return (tone, word, Vec::new());
    }
    let overtaken = |delivery: &&&Delivery| {
        matches!(delivery.state, DeliveryState::Ended(Outcome::Superseded { .. } | Outcome::Read { .. }))
    };
    let newest = ours.iter().rev().find(|delivery| !overtaken(delivery));
    match newest.map(|delivery| &delivery.state) {
        Some(DeliveryState::Ended(outcome)) => {
            let tone = match outcome {
                Outcome::Unchanged => Tone::Good,
                other => crate::standing::outcome_tone(other),
            };
            let word = if tone == Tone::Good { "told" } else { outcome.word() };
            // That the shop has it is said by what it was set to.
            let says = match outcome {
                Outcome::Delivered { .. } => Vec::new(),
                other => vec![sentence(&format!("{}.", outcome_words(other, flow.target.as_str())))],
            };
            (tone, word.to_owned(), says)
        }
        _ if life.envelopes.iter().any(|(_, routed)| !routed) => {
            (Tone::Idle, "received".to_owned(), vec!["Committed to the log; it is routed next.".to_owned()])
        }
        _ => (Tone::Idle, "not told".to_owned(), vec!["The flow did not have to act on it.".to_owned()]),
    }
}

fn dead(life: &Life, flow: &StockFlow) -> Vec<Dead> {
    let open = life.dead_letters.iter().filter(|letter| letter.closed.is_none() && letter.flow == flow.name);
    open.map(|letter| {
        let known = cause(&letter.fault, letter.system.as_str(), flow.source.as_str());
        Dead { cause: known.cause, advice: known.advice, owner: known.owner }
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_explanation_is_a_number_and_its_words() {
        for (line, adds, text) in [
            ("         120  on hand", "120", "on hand"),
            ("        -7.5  reserved at the source", "-7.5", "reserved at the source"),
            ("              5 units of this shop's", "", "5 units of this shop's"),
            ("no unit: \"case\"  twice", "", "no unit: \"case\"  twice"),
        ] {
            let term = term(line);
            assert_eq!((term.adds.as_str(), term.text.as_str()), (adds, text), "{line:?}");
        }
    }
}
