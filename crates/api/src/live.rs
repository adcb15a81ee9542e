//! What HTTP needs of a running hub: to tell it that something changed, and to look at it.

use engine::hub::{Hub, Snapshot};
use std::fmt::Debug;

/// The running hub, or what stands for it in a test.
pub trait LiveHub: Send + Sync + Debug {
    /// Envelopes were committed.
    fn appended(&self);
    /// An operator changed something in the store.
    fn changed(&self);
    fn snapshot(&self) -> Snapshot;
}

impl LiveHub for Hub {
    fn appended(&self) {
        Hub::appended(self);
    }
    fn changed(&self) {
        Hub::changed(self);
    }
    fn snapshot(&self) -> Snapshot {
        Hub::snapshot(self)
    }
}
