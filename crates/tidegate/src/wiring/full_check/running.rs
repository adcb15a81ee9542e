//! That one check or backfill of a flow's stock at a shop runs at a time: in one data directory by a lock of its folder, over all
//! nodes by a lease of the store. Owns the question before each write whether this run still may.

use super::kept::{NotKept, lock};
use super::numbers::Numbers;
use super::{FullCheck, files};
use crate::wiring::clock::seed;
use crate::wiring::run_lease::{self, Lease, OneOf};
use api::admin::CheckError;
use kernel::fault::{Fault, FaultKind};
use shopify::prices::Fence;
use std::fs::File;
use std::sync::Arc;

/// One run. It is given back with [`Run::end`]; where it is dropped, others wait as long as its lease lasts.
#[derive(Debug)]
pub(super) struct Run {
    lease: Lease,
    fence: Arc<dyn Fence>,
    /// What differs is taken up again.
    pub(super) mends: bool,
    /// What the levels of the source's snapshot are ordered by.
    pub(super) numbers: Numbers,
    /// Held until it is dropped, by whatever ends the process too.
    _lock: File,
}

impl FullCheck {
    pub(super) async fn begin(&self, mends: bool) -> Result<Run, CheckError> {
        let folder = &self.folder;
        let lock = match lock(folder) {
            Ok(lock) => lock,
            Err(NotKept::UnderWay) => return Err(self.under_way()),
            Err(NotKept::Broken(error)) => return Err(files(error).into()),
        };
        let owner = run_lease::owner(folder, seed).map_err(files)?;
        let (scope, one_of) = (&self.scope, OneOf::stock(&self.scope.flow, &self.scope.shop));
        match Lease::take(&scope.store, &scope.clock, one_of, owner).await? {
            Some((lease, _)) => Ok(Run::new(lease, mends, lock)),
            None => Err(self.under_way()),
        }
    }

    fn under_way(&self) -> CheckError {
        CheckError::UnderWay { flow: self.scope.flow.clone(), shop: self.scope.shop.clone() }
    }
}

impl Run {
    fn new(lease: Lease, mends: bool, lock: File) -> Self {
        Self { fence: lease.fence(), lease, mends, numbers: Numbers::default(), _lock: lock }
    }

    /// To be asked before each write.
    pub(super) async fn may(&self) -> Result<(), Fault> {
        self.fence.holds().await.map_err(|why| {
            let what = format!("this check writes no more: {why}; what it had taken up again stays so");
            Fault::new(FaultKind::Transient, "TG-6109", what)
        })
    }

    pub(super) async fn end(self) {
        self.lease.give_back().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wiring::run_lease::tests::Turned;
    use kernel::clock::Clock;
    use kernel::id::{FlowName, ShopId};
    use store::{MemoryStore, Store};

    #[tokio::test]
    async fn a_run_whose_node_slept_while_another_began_writes_no_more() {
        let folder = tempfile::tempdir().unwrap();
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
        let turned = Arc::new(Turned::new());
        let clock: Arc<dyn Clock> = turned.clone();
        let of = |shop: &str| OneOf::stock(&FlowName::new("stock").unwrap(), &ShopId::new(shop).unwrap());
        let take = async |shop: &str, owner: &str| {
            Lease::take(&store, &clock, of(shop), owner.to_owned()).await.unwrap().map(|(lease, _)| lease)
        };
        let run = Run::new(take("acme", "a").await.unwrap(), true, lock(folder.path()).unwrap());
        assert!(take("acme", "b").await.is_none(), "two at a time");
        assert!(take("beta", "b").await.is_some(), "another shop's is another");
        assert_eq!(run.may().await, Ok(()));
        turned.later(61);
        let other = take("acme", "b").await.unwrap();
        let fault = run.may().await.unwrap_err();
        assert!(fault.code == "TG-6109" && fault.message.contains("another run has begun"), "{fault}");
        other.give_back().await;
        assert!(run.may().await.is_err(), "another one was there in between");
    }
}
