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

impl BulkOperation {
    pub(super) fn new(id: u64, way: Way, query: String, at: Timestamp) -> Self {
        Self {
            id,
            way,
            query,
            status: "CREATED",
            error_code: None,
            created_at: at,
            completed_at: None,
            objects: 0,
            root_objects: 0,
            result: None,
        }
    }

    /// So many lines are done.
    pub(super) fn ran(&mut self, lines: u64) {
        (self.status, self.objects, self.root_objects) = ("RUNNING", lines, lines);
    }

    pub(super) fn is_open(&self) -> bool {
        matches!(self.status, "CREATED" | "RUNNING" | "CANCELING")
    }
}
