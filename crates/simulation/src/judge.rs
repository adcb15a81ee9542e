//! The judge: looks at what the target was asked, did and has, and at what the shop acknowledged; promise by promise.
//! It shares no code with the engine and reads nothing of its store but which subjects people were told about.

use crate::evidence::{CarriedOut, Seen, Write};
use crate::target::Action;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

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
    number: u64,
    node: usize,
    call: String,
    action: Action,
    content: u64,
    sent_at: u64,
    /// The same call went unanswered before: an answer that only says "not now" tells nothing of the first.
    resent: bool,
    /// When the sender gave it up, if it has.
    lost_at: Option<u64>,
    /// When each node first looked for it, in whatever way that ended.
    found: BTreeMap<usize, u64>,
    /// Look-ups that showed no effect of it.
    absences: Vec<u64>,
    /// Somebody has looked it up twice, late enough: that holds for whoever goes on, also when he is gone.
    proved: bool,
    settle: u64,
    /// A look-up showed its effect.
    present: bool,
}

#[derive(Debug, Default)]
pub struct Judge {
    pub violations: Vec<Violation>,
    unanswered: BTreeMap<String, Unanswered>,
    /// Per key: the newest content version that was carried out.
    newest: BTreeMap<String, u64>,
    /// Per key: when the target was told something that it had not.
    told_at: BTreeMap<String, u64>,
    /// Per node and key: when it was answered what the target has.
    sights: BTreeMap<(usize, String), u64>,
    in_flight: BTreeMap<String, BTreeMap<u64, Flying>>,
    /// Keys at which the target carried something out later than it declares.
    pub(crate) late: BTreeSet<String>,
    /// Calls under way, by node and root; not those of nodes that sleep.
    under_way: BTreeSet<(usize, String)>,
    /// Roots whose calls failed at a node since one of its calls went well.
    failing: BTreeMap<usize, BTreeSet<String>>,
    decided: BTreeSet<String>,
    next_call: u64,
    pub calls_in_outage: u64,
    pub writes: u64,
}

/// A write on its way.
#[derive(Debug, Clone)]
struct Flying {
    node: usize,
    call: String,
    /// Its node slept meanwhile: what it does cannot be stopped any more.
    slept: bool,
}

const NS: u64 = 1_000_000_000;
/// Of anything, at once.
pub const BATCH_MAX: u32 = 1024;
/// What a lease is, less what a request may take: a request that leaves later may overlap with a take-over. The clocks of
/// nodes may go a little differently.
const LEAVES_WITHIN: u64 = 50 * NS + NS / 20;

impl Judge {
    pub(crate) fn violated(&mut self, promise: u8, what: String) {
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
        let number = self.next_call;
        let flying = self.in_flight.entry(key.to_owned()).or_default();
        let same_call = |other: &&Flying| write.native && other.call == write.call;
        let others = flying.values().filter(|other| !other.slept && !same_call(other)).count();
        let fresh = Flying { node: write.node, call: write.call.to_owned(), slept: write.deferred };
        flying.insert(number, fresh);
        if write.deferred {
            // The node slept with it in its socket: whoever has taken over looks first, and waits for it.
            return number;
        }
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
                number,
                node: write.node,
                call: write.call.to_owned(),
                action: write.action,
                content: write.content,
                sent_at: now,
                resent: before.is_some_and(|before| before.call == write.call),
                lost_at: None,
                found: BTreeMap::new(),
                absences: Vec::new(),
                proved: false,
                settle: u64::try_from(write.settle.as_nanos()).unwrap_or(u64::MAX),
                present: false,
            },
        );
        number
    }

    /// One call is without an answer and another leaves for the same object.
    fn repeated(&mut self, write: &Write<'_>, before: &Unanswered, now: u64) {
        let settle_ns = u64::try_from(write.settle.as_nanos()).unwrap_or(u64::MAX);
        let lost_at = before.lost_at.unwrap_or(before.sent_at);
        // Whoever took over while the sender was still waiting counts from when it found the attempt (promise 3); what it has
        // proved holds for whoever goes on.
        let lost_at = before.found.values().copied().chain([lost_at]).min().unwrap_or(lost_at);
        // The clocks of nodes may go a little differently.
        let from = lost_at + settle_ns.saturating_sub(NS / 20);
        let proved = before.absences.iter().filter(|at| **at >= from).count() >= 2;
        if before.call == write.call {
            if !write.native {
                self.violated(
                    3,
                    format!("{}: call key {} was used twice without a native key", write.key, write.call),
                );
            }
        } else if !before.present && !proved && !before.proved {
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
        let is_it = |unanswered: &&Unanswered| unanswered.number == number;
        if !conclusive && self.unanswered.get(key).filter(is_it).is_some_and(|unanswered| unanswered.resent) {
            return self.write_lost(key, number, now);
        }
        if self.unanswered.get(key).is_some_and(|unanswered| unanswered.number == number) {
            self.unanswered.remove(key);
        }
        if conclusive {
            let of = self.in_flight.get(key).and_then(|flying| flying.get(&number)).cloned();
            if let Some(of) = &of {
                self.sights.insert((of.node, key.to_owned()), now);
            }
            let call = of.map(|of| of.call);
            if self.unanswered.get(key).is_some_and(|unanswered| Some(&unanswered.call) == call.as_ref()) {
                self.unanswered.remove(key);
            }
            self.call_is_answered(key, number);
        }
        self.write_ends(key, number);
    }

    /// The sender gave up (time-out, reset, its own death).
    pub fn write_lost(&mut self, key: &str, number: u64, now: u64) {
        if let Some(unanswered) =
            self.unanswered.get_mut(key).filter(|unanswered| unanswered.number == number)
        {
            unanswered.lost_at.get_or_insert(now);
        }
        self.write_ends(key, number);
    }

    /// Under a native key the answer to one is the answer to all of one call: another that is still on its way does
    /// nothing any more.
    fn call_is_answered(&mut self, key: &str, number: u64) {
        let Some(flying) = self.in_flight.get_mut(key) else { return };
        let Some(call) = flying.get(&number).map(|of| of.call.clone()) else { return };
        for other in flying.values_mut().filter(|other| other.call == call) {
            other.slept = true;
        }
    }

    fn write_ends(&mut self, key: &str, number: u64) {
        if let Some(flying) = self.in_flight.get_mut(key) {
            flying.remove(&number);
        }
    }

    /// A node died: all that it had in flight is lost to it.
    pub fn node_died(&mut self, node: usize, now: u64) {
        for flying in self.in_flight.values_mut() {
            flying.retain(|_, of| of.node != node);
        }
        for unanswered in self.unanswered.values_mut().filter(|unanswered| unanswered.node == node) {
            unanswered.lost_at.get_or_insert(now);
        }
        for unanswered in self.unanswered.values_mut() {
            unanswered.found.remove(&node);
        }
        self.under_way.retain(|(of, _)| *of != node);
        self.failing.remove(&node);
    }

    /// A node fell asleep with what it had in flight.
    pub fn node_slept(&mut self, node: usize) {
        for of in self.in_flight.values_mut().flat_map(BTreeMap::values_mut).filter(|of| of.node == node) {
            of.slept = true;
        }
        self.under_way.retain(|(of, _)| *of != node);
    }

    /// A lane was taken from a node by a clock that stands apart: what it has in flight cannot be stopped any more.
    pub fn taken_early(&mut self, node: usize, key: &str) {
        let flying = self.in_flight.get_mut(key).into_iter().flat_map(BTreeMap::values_mut);
        flying.filter(|of| of.node == node).for_each(|of| of.slept = true);
    }

    /// A process decides that a request leaves, under a lease that counts from `begun`.
    pub fn decides(&mut self, call: &str, begun: Option<u64>, now: u64) {
        if !self.decided.insert(call.to_owned()) {
            return;
        }
        if let Some(late) = begun.map(|begun| now.saturating_sub(begun)).filter(|late| *late > LEAVES_WITHIN)
        {
            self.violated(3, format!("{call}: left {} s into its lease, when it was over", late / NS));
        }
    }

    /// A call to the target begins; `settled`: every node has its share.
    pub fn call_began(&mut self, node: usize, root: &str, settled: bool, width: u32) {
        self.under_way.insert((node, root.to_owned()));
        if settled && self.under_way.len() > width as usize {
            let calls = self.under_way.len();
            self.violated(8, format!("{calls} calls under way at a target that allows {width}"));
        }
    }

    pub fn call_ended(&mut self, node: usize, root: &str) {
        self.under_way.remove(&(node, root.to_owned()));
    }

    pub fn target_is_well(&mut self, node: usize) {
        self.failing.remove(&node);
    }

    pub fn target_failed(&mut self, node: usize, root: &str) {
        self.failing.entry(node).or_default().insert(root.to_owned());
    }

    /// One object alone never opens a breaker.
    pub fn breaker_opened(&mut self, node: usize) {
        let failing = self.failing.get(&node).map_or(0, BTreeSet::len);
        if failing < 2 {
            self.violated(7, format!("a breaker was opened by {failing} object alone"));
        }
    }

    /// A process asks the store for so many.
    pub fn asks(&mut self, what: &str, limit: u32, most: u32) {
        if limit > most {
            self.violated(8, format!("{limit} {what} are asked for at once"));
        }
    }

    /// A node looks for what became of a call.
    pub fn looks(&mut self, node: usize, key: &str, now: u64) {
        if let Some(unanswered) = self.unanswered.get_mut(key) {
            unanswered.found.entry(node).or_insert(now);
        }
    }

    /// A look-up was answered with this; `None`: not there.
    pub fn looked_up(&mut self, node: usize, key: &str, seen: Option<Seen>, now: u64) {
        self.sights.insert((node, key.to_owned()), now);
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
            let Some(found) = unanswered.found.get(&node) else { return };
            let from = found + unanswered.settle.saturating_sub(NS / 20);
            unanswered.proved |= unanswered.absences.iter().filter(|at| **at >= from).count() >= 2;
        }
    }

    /// The target carried a request out.
    pub fn carried_out(&mut self, done: &CarriedOut<'_>, now: u64) {
        let CarriedOut { key, action, content, .. } = *done;
        if done.late {
            self.late.insert(key.to_owned());
        }
        if !done.late && matches!(action, Action::Create | Action::Amend) {
            // A create writes over nothing: where one was carried out late, this makes a second object, to be told of.
            let doubles = action == Action::Create && self.late.contains(key);
            let newest = self.newest.entry(key.to_owned()).or_default();
            if content >= *newest {
                *newest = content;
            } else if !doubles {
                let text = format!("{key}: content {content} was written over content {newest}");
                self.violated(5, text);
            }
        }
        if action == Action::Amend && done.same && !done.may_repeat && self.could_see(done) {
            self.violated(2, format!("{key}: the target was told again what it had"));
        }
        if !done.same {
            self.told_at.insert(key.to_owned(), now);
        }
    }

    /// Whether the sender's last look could show what the target has. What another request told it since, one that was
    /// in the socket of a node that slept, nobody could see; a look from before a lease says nothing of today.
    fn could_see(&self, done: &CarriedOut<'_>) -> bool {
        let seen_at = self.sights.get(&(done.node, done.key.to_owned())).copied().unwrap_or_default();
        let told_at = self.told_at.get(done.key).copied().unwrap_or_default();
        told_at <= seen_at || done.begun_at.saturating_sub(seen_at) > 2 * LEAVES_WITHIN
    }
}
