//! Whether a run may still write. Several nodes may be able to hydrate one shop: each write is preceded by the question whether
//! this run is still the one that does. Owns the question; how it is known is the caller's.

use super::code;
use async_trait::async_trait;
use kernel::fault::{Fault, FaultKind};
use std::fmt::Debug;
use std::sync::Arc;

/// Asked before each write.
#[async_trait]
pub trait Fence: Send + Sync + Debug {
    /// # Errors
    /// Why this run may no longer write; shown to a person.
    async fn holds(&self) -> Result<(), String>;
}

pub(super) async fn passed(fence: Option<&Arc<dyn Fence>>) -> Result<(), Fault> {
    let Some(fence) = fence else { return Ok(()) };
    fence.holds().await.map_err(|why| {
        let what = format!(
            "this run writes no more: {why}; what it has written stands, and is read by the next run"
        );
        Fault::new(FaultKind::Conflict, code::FENCED, what)
    })
}
