//! Where routing and delivering run: on threads of their own that give way to the doors. A webhook is answered within
//! Shopify's five seconds or it is lost to the sweep; what is committed may wait. While nobody knocks they have the
//! whole machine.

use anyhow::Context as _;
use tokio::runtime::{Handle, Runtime};

/// How far they give way, in the measure of `nice`: under full load about a third of what the doors get.
const NICE: i32 = 5;

#[derive(Debug)]
pub struct Work(Runtime);

impl Work {
    pub fn new() -> anyhow::Result<Self> {
        // A thread that wakes another for each step costs more than the step: as few as keep up with the store's
        // one writer.
        let threads = std::thread::available_parallelism().map_or(1, usize::from).div_ceil(4);
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(threads)
            .thread_name("work")
            // A machine that does not let a thread give way lets it work all the same.
            .on_thread_start(|| {
                let _ = rustix::process::setpriority_process(None, NICE);
            })
            .enable_all()
            .build()
            .context("the runtime of the hub's work cannot be started")?;
        Ok(Self(runtime))
    }

    pub fn handle(&self) -> Handle {
        self.0.handle().clone()
    }

    /// What is still under way is left: the hub was drained before, and goes on from the store at its next start.
    pub fn end(self) {
        self.0.shutdown_background();
    }
}
