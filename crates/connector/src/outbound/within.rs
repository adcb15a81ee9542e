//! Several reads that are one call to the hub.

use super::{Access, Failure, classify};
use crate::port::CallContext;
use kernel::fault::Fault;

/// Ends them in the call's time.
pub async fn within<T>(
    call: &CallContext,
    reads: impl Future<Output = Result<T, Fault>> + Send,
) -> Result<T, Fault> {
    let late = |_| classify::failure(Access::Read, &Failure::TimedOut { after: call.time_out });
    tokio::time::timeout(call.time_out, reads).await.unwrap_or_else(|elapsed| Err(late(elapsed)))
}
