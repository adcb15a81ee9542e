//! What a source is: a system that facts come from and that can be asked, for a list, for one state, for what changed, or for all it
//! has. Owns what is asked and answered; who asks, when, and what becomes of it is the engine's.

use super::CallContext;
use async_trait::async_trait;
use bytes::Bytes;
use jiff::Timestamp;
use kernel::fault::Fault;
use kernel::money::MoneyBag;
use kernel::subject::Subject;
use serde::{Deserialize, Serialize};

/// One thing of the source in a list: enough to see whether the log has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listed {
    pub subject: Subject,
    /// What people call it: `#1001`.
    pub label: String,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    /// What tells two states of one instant apart, in the source's own short form; only the source's comparison
    /// reads it. Empty where there is nothing to compare.
    pub fingerprint: String,
    /// What it comes to, as edited and not as refunded; nothing where it is cancelled. `None` where no totals were asked
    /// for, or where only reading it can tell.
    pub charged: Option<MoneyBag>,
}

/// What a list is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListQuery {
    pub by: ListBy,
    pub from: Timestamp,
    /// Exclusive; absent = open.
    pub until: Option<Timestamp>,
    /// From the page before.
    pub cursor: Option<String>,
    /// What share of the source's budget may be used, 1 to 100.
    pub budget_percent: u8,
    /// With what each comes to, for whoever adds up a day. Such a list costs more.
    pub totals: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListBy {
    UpdatedAt,
    CreatedAt,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListPage {
    pub items: Vec<Listed>,
    /// Absent at the end.
    pub next: Option<String>,
}

/// A whole state, read by us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Read {
    /// As the source gave it; the domain knows its form by the topic.
    pub payload: Vec<u8>,
    /// `orders/read`: the topic under which it is appended.
    pub topic: String,
    pub updated_at: Timestamp,
    /// The source's sequence number of this state, where it numbers its states: what it pushes carries one too.
    pub sequence: Option<i64>,
}

/// One of the things that a subject stands for: a state of its own, which never changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Without the shop: `order:5678/payment:999`.
    pub path: String,
    pub read: Read,
}

/// What is found where a subject is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// The source has it no more.
    Nothing,
    State(Read),
    /// It stands for these: as many as there are, perhaps none.
    Parts(Vec<Part>),
}

impl From<Option<Read>> for Found {
    fn from(read: Option<Read>) -> Self {
        read.map_or(Self::Nothing, Self::State)
    }
}

/// One state as a feed gives it: what a push of the same would have said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fed {
    /// Without the shop: `ats:SKU-0001@WH-1`.
    pub path: String,
    pub topic: String,
    /// The source's sequence number of this state.
    pub sequence: i64,
    pub payload: Vec<u8>,
    /// It is no state: it says by how much one changed.
    pub change: Option<FedChange>,
}

/// How a change is known again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FedChange {
    /// The source's id of it; absent: it is known by its number.
    pub id: Option<String>,
    /// Whether it has a number; without, that of the fact says nothing.
    pub numbered: bool,
}

/// What changed at a source since a point that the source itself gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changes {
    pub items: Vec<Fed>,
    /// The point to ask from next time.
    pub next: String,
    /// There is more already.
    pub more: bool,
}

/// One state of all that a source has. Whose it is stands in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stated {
    /// The source's sequence number of this state.
    pub sequence: i64,
    pub payload: Bytes,
}

/// All that a source has of a domain, as it comes. What ends early is a fault, never an end.
#[async_trait]
pub trait Whole: Send + std::fmt::Debug {
    /// Under which the states that came last are facts.
    fn topic(&self) -> &'static str;

    /// As many as come together, in their order; none after the last, if all of them came.
    async fn next(&mut self) -> Result<Vec<Stated>, Fault>;

    /// Where what is given is put together of several states: how many of these have come so far. `None`: each is given as it came.
    fn came(&self) -> Option<Came> {
        None
    }

    /// Whether its states bear the source's own numbers, or instants in their place, which such numbers do not compare with. `None`:
    /// what they bear compares with all that the source tells in other ways.
    fn numbered(&self) -> Option<bool> {
        None
    }
}

/// States that a source has told, whatever was put together of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Came {
    pub named: u64,
    /// Of those, the ones of which another came before, and that are given no more.
    pub twice: u64,
}

/// A system that facts come from and that can be asked.
#[async_trait]
pub trait Source: Send + Sync + std::fmt::Debug {
    /// All that it has. The call's time is for the beginning. Refused where the source cannot tell.
    async fn whole(&self, call: &CallContext, domain: &str) -> Result<Box<dyn Whole>, Fault> {
        let _ = call;
        let what = format!("this source cannot tell all that it has in {domain}");
        Err(Fault::new(kernel::fault::FaultKind::Rejected, "TG-3401", what))
    }

    /// What changed since a point; `None`: from the beginning. Refused where the source cannot tell.
    async fn changes(&self, call: &CallContext, domain: &str, after: Option<&str>) -> Result<Changes, Fault> {
        let _ = (call, after);
        let what = format!("this source has no list of what changed in {domain}");
        Err(Fault::new(kernel::fault::FaultKind::Rejected, "TG-3401", what))
    }

    /// The whole state of a subject; `None` if the source no longer has it.
    async fn read(&self, call: &CallContext, subject: &Subject) -> Result<Option<Read>, Fault>;

    /// The parts of a subject that is no state but stands for several (`order:5678/payments:all`): each a state of its own that never
    /// changes. `None`: it is a state, and is read.
    async fn parts(&self, call: &CallContext, subject: &Subject) -> Result<Option<Vec<Part>>, Fault> {
        let _ = (call, subject);
        Ok(None)
    }

    /// A page of what was changed or made in a time.
    async fn list(&self, call: &CallContext, domain: &str, query: &ListQuery) -> Result<ListPage, Fault>;
}
