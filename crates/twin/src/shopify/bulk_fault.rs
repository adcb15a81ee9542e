//! What goes wrong with bulk operations on purpose.

/// What goes wrong with one on purpose, ordered for the next that is begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BulkFault {
    /// It fails once so many objects are written or lines are run, as after Shopify's longest time: `TIMEOUT`, with what
    /// it did until then.
    TimeOut { after: u64 },
    /// It goes no further from there and does not end, until it is cancelled.
    Hang { after: u64 },
}

/// Why one did not come to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stopped {
    Failed(&'static str),
    Hung,
}

impl BulkFault {
    /// Whether it is time, after so many.
    pub(super) fn stops(self, done: u64) -> Option<Stopped> {
        match self {
            Self::TimeOut { after } => (done >= after).then_some(Stopped::Failed("TIMEOUT")),
            Self::Hang { after } => (done >= after).then_some(Stopped::Hung),
        }
    }
}
