//! What the step function is told and what it asks for. Data only: the hub performs effects with tokio, the
//! simulation with its own clock and faults.

use crate::last_look::{Recall, Recalled};
use crate::nodes::Nodes;
use crate::notice::Notice;
use crate::overview::Accepted;
use connector::port::{Applied, Found, Observation, Step, Wanted};
use jiff::Timestamp;
use kernel::envelope::TraceId;
use kernel::fault::{Fault, FaultKind, Reference};
use kernel::id::{FlowName, ShopId, SystemName};
use kernel::key::CallKey;
use kernel::subject::{Lane, Subject};
use std::collections::BTreeMap;
use store::delivery::{Claim, Move, Moved};
use store::log::{Routed, Unrouted};
use store::operate::Pause;
use store::port::ClaimRequest;
use store::query::Awaited;

/// What happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// Time passed.
    Wake,
    /// Envelopes were committed.
    Appended,
    Unrouted(Vec<Unrouted>),
    /// A route effect is committed; with what was claimed along with it, a part for each claim that it asked for.
    Routed(Vec<(SystemName, Vec<Claim>)>),
    Claimed {
        system: SystemName,
        claims: Vec<Claim>,
    },
    /// Answers to one `Advance`, in its order.
    Advanced(Vec<(Lane, Moved)>),
    NextDue(BTreeMap<SystemName, Timestamp>),
    Observed {
        lane: Lane,
        fence: i64,
        result: Result<Observation, Fault>,
    },
    Applied {
        lane: Lane,
        fence: i64,
        result: Result<Applied, Fault>,
    },
    HasRead {
        lane: Lane,
        fence: i64,
        result: Result<Found, Fault>,
    },
    /// `None`: it is kept no more.
    Recalled {
        lane: Lane,
        fence: i64,
        recalled: Option<Recalled>,
    },
    Health {
        system: SystemName,
        result: Result<(), Fault>,
    },
    Pauses(Vec<Pause>),
    Awaited(Vec<Awaited>),
    Looked {
        awaited: Awaited,
        result: Result<bool, Fault>,
    },
    /// Another node committed something: there may be work.
    Woken,
    /// How this node stands among those that work on the store.
    Nodes(Nodes),
    /// An operator released, skipped or resumed something: there may be due work.
    Changed,
    /// A store effect failed; nothing of it was done.
    StoreFailed {
        what: StoreWork,
        why: String,
    },
}

/// Which store effect failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreWork {
    Unrouted,
    /// With the systems whose claims went along.
    Route(Vec<SystemName>),
    Claim(SystemName),
    Advance(Vec<Lane>),
    Recall(Lane),
    NextDue,
    Pauses,
    Awaited,
    Other,
}

/// What is to be done. Every effect but `GiveBack`, `AwaitedAgain`, `AwaitedFound`, `Raise`, `Ended`, `Folded` and
/// `Unaccounted` is answered by exactly one event (or the process ends).
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    FetchUnrouted {
        limit: u32,
    },
    /// Commits the decisions; then claims, so that what was just routed is taken up without another way to the store.
    Route {
        decisions: Vec<Routed>,
        at: Timestamp,
        claims: Vec<ClaimRequest>,
    },
    Claim(ClaimRequest),
    Advance(Vec<Move>),
    GiveBack(Vec<(Lane, i64, Option<Timestamp>)>),
    FetchNextDue,
    FetchPauses,
    FetchAwaited {
        due: Timestamp,
        limit: u32,
    },
    AwaitedAgain {
        awaited: Awaited,
        next: Timestamp,
    },
    AwaitedFound {
        awaited: Awaited,
        at: Timestamp,
    },
    Observe(Call<Wanted>),
    Apply(Call<(CallKey, Step)>),
    Read(Call<Subject>),
    Recall(Recall),
    Health {
        system: SystemName,
    },
    Look {
        system: SystemName,
        shop: ShopId,
        reference: Reference,
        awaited: Awaited,
    },
    Raise(Notice),
    /// A delivery ended or died, and that is committed; for metrics.
    Ended(Ending),
    /// It was decided what becomes of a change; for metrics.
    Folded(Folded),
    /// A target shows more than is known of: the shop's documents are to be asked for soon.
    Unaccounted(Unheard),
}

/// What becomes of a change that a source told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folded {
    pub system: SystemName,
    pub shop: ShopId,
    /// `folded`, `known`, `no_state`, `refused`.
    pub outcome: &'static str,
}

/// A shop of which something may not have been heard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unheard {
    pub shop: ShopId,
    /// When it was seen.
    pub at: Timestamp,
}

/// How a delivery left its lane for good.
#[derive(Debug, Clone, PartialEq)]
pub struct Ending {
    pub system: SystemName,
    pub flow: FlowName,
    /// `delivered`, `unchanged`, …, `dead`.
    pub outcome: &'static str,
    pub fault: Option<FaultKind>,
    /// From the change at the source to its existence in the target.
    pub lag_ms: Option<u64>,
    pub shop: ShopId,
    /// Of what was delivered and not taken up again by a backfill or a check: when it changed, came, and was accepted.
    pub accepted: Option<Accepted>,
}

/// A call to a system on behalf of a lane.
#[derive(Debug, Clone, PartialEq)]
pub struct Call<T> {
    pub system: SystemName,
    pub lane: Lane,
    pub fence: i64,
    pub trace: TraceId,
    pub span: u64,
    pub what: T,
}
