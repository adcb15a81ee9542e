//! What the judge is shown: a write as it leaves, what a look-up saw, what the shop says the target should have.

use crate::target::Action;
use std::time::Duration;

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
    pub node: usize,
    /// It left only when its node woke up.
    pub deferred: bool,
}

/// A request as the target carried it out.
#[derive(Debug, Clone, Copy)]
pub struct CarriedOut<'a> {
    pub key: &'a str,
    pub action: Action,
    pub content: u64,
    /// The target had this content before.
    pub same: bool,
    /// Nobody is to blame for that: it came late, or says by its key that it is the same call.
    pub may_repeat: bool,
    /// Later than the target declares.
    pub late: bool,
    /// Whose request it was, and when its attempt was committed.
    pub node: usize,
    pub begun_at: u64,
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
    pub nodes: u64,
}

impl Outage {
    /// What a breaker with probes at most every few seconds may ask: its first failures in each life, then probes that
    /// slow down to one a minute.
    pub(crate) fn bound(&self) -> u64 {
        (20 + 3 * self.lanes) * (1 + self.lives) + self.nodes * self.seconds / 4
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
    /// What of it is mapped: one that was changed and changed back is as it was, under whichever number.
    pub quantity: u64,
    pub address: String,
    pub cancelled: bool,
    pub exempt: Exempt,
    pub dead: bool,
    /// A dead letter says that the target has more than one object.
    pub told_of_many: bool,
    /// What the hub says about it; only for the message.
    pub told: String,
}
