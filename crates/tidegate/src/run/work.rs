//! Where routing and delivering run: on few threads of their own, so that the doors need not wait until a batch is
//! read, and so that a step does not wake one thread after another.

use anyhow::Context as _;
use std::time::Duration;
use tokio::runtime::{Handle, Runtime};

/// A thread that blocks longer is left to the end of the process.
const END_WITHIN: Duration = Duration::from_secs(2);

#[derive(Debug)]
pub struct Work(Runtime);

impl Work {
    pub fn new() -> anyhow::Result<Self> {
        // Measured at 200 orders/s on two processors: with a thread for each processor an order took a third more of
        // them, for nothing but waking each other. The store's one writer is the slower of the two in any case.
        let threads = std::thread::available_parallelism().map_or(1, usize::from).div_ceil(4);
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(threads)
            .thread_name("work")
            .enable_all()
            .build()
            .context("the runtime of the hub's work cannot be started")?;
        Ok(Self(runtime))
    }

    pub fn handle(&self) -> Handle {
        self.0.handle().clone()
    }

    /// What is still under way ends here: the hub was drained before, and goes on from the store at its next start.
    /// Its tasks give up their hold of the store, which is closed with the last.
    pub fn end(self) {
        self.0.shutdown_timeout(END_WITHIN);
    }
}
