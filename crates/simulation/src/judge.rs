//! The judge: looks at what the target was asked, did and has, and at what the shop acknowledged; promise by promise.
//! It shares no code with the engine and reads nothing of its store but which subjects people were told about.

use crate::target::{Action, Target};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

/// A broken promise of DESIGN section 3.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    pub promise: u8,
    pub what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "promise {}: {}", self.promise, self.what)
    }
}

/// A write that was sent and whose answer nobody has.
#[derive(Debug, Clone)]
struct Unanswered {
    call: String,
    action: Action,
    content: u64,
    sent_at: u64,
    /// The same call went unanswered before: an answer that only says "not now" tells nothing of the first.
    resent: bool,
    /// When the sender gave it up, if it has.
    lost_at: Option<u64>,
    /// Look-ups that showed no effect of it.
    absences: Vec<u64>,
    /// A look-up showed its effect.
    present: bool,
}

#[derive(Debug, Default)]
pub struct Judge {
    pub violations: Vec<Violation>,
    unanswered: BTreeMap<String, Unanswered>,
    /// Per key: the newest content version that was carried out.
    newest: BTreeMap<String, u64>,
    in_flight: BTreeMap<String, BTreeSet<u64>>,
    next_call: u64,
    pub calls_in_outage: u64,
    pub writes: u64,
}

const NS: u64 = 1_000_000_000;

impl Judge {
    fn violated(&mut self, promise: u8, what: String) {
        if self.violations.len() < 20 {
            self.violations.push(Violation { promise, what });
        }
    }

    /// A write leaves for the target. The number is to be given back with its end.
    pub fn write_begins(&mut self, write: &Write<'_>, now: u64) -> u64 {
        self.writes += 1;
        self.next_call += 1;
        let key = write.key;
        if !write.committed {
            self.violated(3, format!("{key}: a write left before its attempt was committed as sending"));
        }
        let flying = self.in_flight.entry(key.to_owned()).or_default();
        let others = flying.len();
        flying.insert(self.next_call);
        if others > 0 {
            self.violated(4, format!("{key}: {} writes in flight at once", others + 1));
        }
        let before = self.unanswered.get(key).cloned();
        if let Some(before) = &before {
            self.repeated(write, before, now);
        }
        self.unanswered.insert(
            key.to_owned(),
            Unanswered {
                call: write.call.to_owned(),
                action: write.action,
                content: write.content,
                sent_at: now,
                resent: before.is_some_and(|before| before.call == write.call),
                lost_at: None,
                absences: Vec::new(),
                present: false,
            },
        );
        self.next_call
    }

    /// One call is without an answer and another leaves for the same object.
    fn repeated(&mut self, write: &Write<'_>, before: &Unanswered, now: u64) {
        let settle_ns = u64::try_from(write.settle.as_nanos()).unwrap_or(u64::MAX);
        let lost_at = before.lost_at.unwrap_or(before.sent_at);
        let proved = before.absences.iter().filter(|at| **at >= lost_at + settle_ns).count() >= 2;
        if before.call == write.call {
            if !write.native {
                self.violated(
                    3,
                    format!("{}: call key {} was used twice without a native key", write.key, write.call),
                );
            }
        } else if !before.present && !proved {
            let waited = now.saturating_sub(lost_at) / NS;
            let looks = before.absences.len();
            self.violated(
                3,
                format!(
                    "{}: repeated blindly {waited} s after a call went unanswered, {looks} look-ups",
                    write.key
                ),
            );
        }
    }

    /// The sender has an answer. `conclusive`: it says what became of the call, not only "not now".
    pub fn write_answered(&mut self, key: &str, number: u64, conclusive: bool, now: u64) {
        if !conclusive && self.unanswered.get(key).is_some_and(|unanswered| unanswered.resent) {
            return self.write_lost(key, number, now);
        }
        self.unanswered.remove(key);
        self.write_ends(key, number);
    }

    /// The sender gave up (time-out, reset, its own death).
    pub fn write_lost(&mut self, key: &str, number: u64, now: u64) {
        if let Some(unanswered) = self.unanswered.get_mut(key) {
            unanswered.lost_at.get_or_insert(now);
        }
        self.write_ends(key, number);
    }

    fn write_ends(&mut self, key: &str, number: u64) {
        if let Some(flying) = self.in_flight.get_mut(key) {
            flying.remove(&number);
        }
    }

    /// The process died: all that it had in flight is lost to it.
    pub fn process_died(&mut self, now: u64) {
        self.in_flight.clear();
        for unanswered in self.unanswered.values_mut() {
            unanswered.lost_at.get_or_insert(now);
        }
    }

    /// A look-up was answered with this; `None`: not there.
    pub fn looked_up(&mut self, key: &str, seen: Option<Seen>, now: u64) {
        let Some(unanswered) = self.unanswered.get_mut(key) else { return };
        let effect = seen.is_some_and(|seen| match unanswered.action {
            Action::Create => true,
            Action::Amend => seen.content == unanswered.content,
            Action::Confirm => seen.confirmed,
            Action::Cancel => seen.cancelled,
        });
        if effect {
            unanswered.present = true;
        } else {
            unanswered.absences.push(now);
        }
    }

    /// The target carried a request out.
    pub fn carried_out(&mut self, key: &str, action: Action, content: u64, changed: bool) {
        if matches!(action, Action::Create | Action::Amend) {
            let newest = self.newest.entry(key.to_owned()).or_default();
            if content < *newest {
                let text = format!("{key}: content {content} was written over content {newest}");
                self.violated(5, text);
            } else {
                *newest = content;
            }
        }
        if action == Action::Amend && !changed {
            self.violated(2, format!("{key}: the target was told again what it had"));
        }
    }

    /// At quiescence: each order the shop has against what the target has.
    pub fn settle(&mut self, expected: &[Expected], target: &Target, outage: Option<Outage>) {
        for order in expected {
            let found: Vec<_> = target.objects.iter().filter(|object| object.key == order.key).collect();
            match (found.as_slice(), order.exempt) {
                ([], Exempt::No) => self.violated(6, format!("{}: lost: {}", order.key, order.told)),
                ([], _) | ([_], Exempt::Refused) => {}
                ([one], _) => {
                    if one.cancelled != order.cancelled {
                        self.violated(
                            6,
                            format!(
                                "{}: cancelled is {} and should be {}: {}",
                                order.key, one.cancelled, order.cancelled, order.told
                            ),
                        );
                    }
                    if !order.cancelled && one.content["content"] != order.content {
                        self.violated(
                            6,
                            format!(
                                "{}: has content {} and should have {}: {}",
                                order.key, one.content["content"], order.content, order.told
                            ),
                        );
                    }
                    if !order.cancelled && !one.confirmed {
                        self.violated(6, format!("{}: never confirmed: {}", order.key, order.told));
                    }
                }
                (many, _) => {
                    if order.told_of_many {
                        // A target that applies later than it declares may double; it was detected.
                        continue;
                    }
                    self.violated(3, format!("{}: {} objects", order.key, many.len()));
                }
            }
            if order.dead && order.exempt == Exempt::No {
                self.violated(
                    6,
                    format!("{}: a dead letter without a cause of its own: {}", order.key, order.told),
                );
            }
        }
        if let Some(outage) = outage {
            let bound = outage.bound();
            if self.calls_in_outage > bound {
                let text = format!(
                    "{} calls to a target that was down for {} s (at most {bound})",
                    self.calls_in_outage, outage.seconds
                );
                self.violated(7, text);
            }
        }
    }
}

/// A write as it leaves.
#[derive(Debug, Clone, Copy)]
pub struct Write<'a> {
    pub key: &'a str,
    pub call: &'a str,
    pub action: Action,
    pub content: u64,
    /// Whether the store has it as `sending`.
    pub committed: bool,
    pub settle: Duration,
    pub native: bool,
}

/// What a look-up shows of an object.
#[derive(Debug, Clone, Copy)]
pub struct Seen {
    pub content: u64,
    pub confirmed: bool,
    pub cancelled: bool,
}

/// How long the target was down, and how many lanes there were.
#[derive(Debug, Clone, Copy)]
pub struct Outage {
    pub seconds: u64,
    pub lanes: u64,
    pub lives: u64,
}

impl Outage {
    /// What a breaker with probes at most every few seconds may ask: its first failures in each life, then probes that
    /// slow down to one a minute.
    fn bound(&self) -> u64 {
        (20 + 3 * self.lanes) * (1 + self.lives) + self.seconds / 4
    }
}

/// Why an order may be missing at the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exempt {
    No,
    /// Cancelled before it was ever sent.
    Filtered,
    /// The target refuses it for ever.
    Refused,
}

/// What the shop says the target should have.
#[derive(Debug, Clone)]
pub struct Expected {
    pub key: String,
    pub content: u64,
    pub cancelled: bool,
    pub exempt: Exempt,
    pub dead: bool,
    /// A dead letter says that the target has more than one object.
    pub told_of_many: bool,
    /// What the hub says about it; only for the message.
    pub told: String,
}
