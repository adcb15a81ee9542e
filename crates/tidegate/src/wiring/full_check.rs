//! The full check of stock: all that the source has against all that the shop has, for one flow and one shop. Owns the order
//! of things: both sides are read whole, what differs is looked at once more (it may be on its way, or agree by now), told by
//! its cause, and, where that is asked for, taken up again as a fact like any other, behind live ones.
//!
//! Nothing is concluded from half a side: a stream that fails ends the check, and nothing was changed. Nor from a side that
//! cannot be the whole ([`guard`]). One that was killed goes on with what it had read of the shop ([`kept`]). There is one at a
//! time, over all nodes ([`running`]).

mod backfill;
mod each;
mod guard;
mod kept;
mod now;
mod numbers;
mod only_shop;
mod rows;
mod running;
mod second_look;
mod shop_side;
mod source_side;
mod straight;
mod told;

pub use each::{Looking, all, looking};
use running::Run;
pub use straight::Straight;
use told::{Watch, lines_of, policy_word};

use api::admin::{CheckError, Checking, StockBackfilled, StockCheck, StockChecked, StockNamed};
use async_trait::async_trait;
use config::{OnlyInShop, Violation};
use connector::port::Connector;
use domains::inventory::Key;
use engine::facts::Mapper;
use engine::work::{Progress, Scope};
use jiff::tz::TimeZone;
use kept::Kept;
use kernel::fault::{Fault, FaultKind};
use kernel::id::{FlowName, ShopId};
use shopify::graphql::ShopClient;
use shopify::inventory::location_ids;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// Differences that are kept with their names, of each cause; beyond they are counted.
const KEPT: usize = 25_000;
/// Pairs that one check holds: 24 bytes each.
const PAIRS_MAX: usize = 20_000_000;
/// Shopify's bulk operation, and each reading of a side.
const WITHIN: Duration = Duration::from_secs(3_600);
const TIME_OUT: Duration = Duration::from_secs(30);
/// Told of progress after so many.
const TELL_EVERY: u64 = 5_000;

/// One flow at one shop.
#[derive(Debug)]
struct FullCheck {
    scope: Scope,
    client: Arc<ShopClient>,
    target: Arc<dyn Connector>,
    mapper: Arc<dyn Mapper>,
    straight: Option<Straight>,
    /// Of the last whole snapshot's pairs, a new one has so many, in percent.
    floor_percent: u8,
    /// Of configuration and mappings.
    revision: String,
    /// For what is read; no other check uses it.
    folder: PathBuf,
    /// The same, for backfills: one may be asked for while a check runs.
    backfills: PathBuf,
    zone: TimeZone,
    /// What becomes of a quantity that somebody typed in the shop.
    policy: Violation,
    only_in_shop: OnlyInShop,
    /// The source may push, and numbers what it pushes.
    pushes: bool,
    /// The source can be asked for one pair.
    asks: bool,
}

#[async_trait]
impl StockCheck for FullCheck {
    fn flow(&self) -> &FlowName {
        &self.scope.flow
    }

    fn shop(&self) -> &ShopId {
        &self.scope.shop
    }

    fn zone(&self) -> &TimeZone {
        &self.zone
    }

    async fn backfill(
        &self,
        named: &StockNamed,
        brings: bool,
        progress: &dyn Progress,
    ) -> Result<StockBackfilled, CheckError> {
        self.brought(named, brings, progress).await
    }

    async fn run(&self, asked: &Checking, progress: &dyn Progress) -> Result<StockChecked, CheckError> {
        let run = self.begin(asked.mends).await?;
        let checked = self.checked(&run, asked, progress).await;
        run.end().await;
        checked
    }
}

impl FullCheck {
    async fn checked(
        &self,
        run: &Run,
        asked: &Checking,
        progress: &dyn Progress,
    ) -> Result<StockChecked, CheckError> {
        let (mut kept, note) = self.kept(&self.folder, asked.anew)?;
        let mut told = StockChecked {
            flow: self.scope.flow.to_string(),
            shop: self.scope.shop.to_string(),
            notes: note.into_iter().collect(),
            by_hand: policy_word(self.policy),
            ..StockChecked::default()
        };
        let found = self.found(&mut kept, (run, asked), progress, &mut told).await;
        // What the source said was doubted, or all is told: neither is gone on with.
        if matches!(found, Ok(()) | Err(CheckError::Doubted(_))) {
            kept.forget().map_err(files)?;
        }
        found.map(|()| told)
    }

    /// What an interrupted one has left in a folder.
    fn kept(&self, folder: &Path, anew: bool) -> Result<(Kept, Option<String>), Fault> {
        let now = self.scope.clock.now().wall;
        Kept::open(folder, &self.revision, now, anew).map_err(files)
    }

    async fn found(
        &self,
        kept: &mut Kept,
        (run, asked): (&Run, &Checking),
        progress: &dyn Progress,
        told: &mut StockChecked,
    ) -> Result<(), CheckError> {
        let places = location_ids(&self.client, &self.scope.call()).await?;
        let key = Key([super::clock::seed(), super::clock::seed()]);
        let shelves = self.shop_side(kept, key, progress, told).await?;
        let mut watch = Watch::begin(&self.scope.clock);
        let (check, differing, came, heard) = self.source_side(run, shelves, &places, progress, told).await?;
        watch.told("source", told);
        // By what the source told, and not by what is shown of it: of two locations that are one a whole one may be missing.
        let twice = check.twice() + came.unwrap_or_default().twice;
        let named = came.map_or(check.named() + told.unreadable, |came| came.named.saturating_sub(twice));
        run.may().await?;
        let measured = self.believe(named, twice, asked, told).await?;
        let report = shop_side::named(kept, check.end())?;
        (told.source, told.shop_has, told.same) = (report.source, report.shopify, report.same);
        let mut lines = lines_of(&report, &places, told);
        if !lines.is_empty() {
            self.second_look(run, differing, &places, &mut lines, told).await?;
        } else if asked.mends && self.policy == Violation::Ask {
            // What was asked about is as it should be by now.
            run.may().await?;
            self.ask(Vec::new(), told).await?;
        }
        if self.only_in_shop == OnlyInShop::Zero {
            self.zero((run, asked), measured, (&heard, &places), &mut lines, told).await?;
        }
        watch.told("second_look", told);
        told.differences = lines.into_values().collect();
        Ok(())
    }
}

fn bug(what: &str) -> Fault {
    Fault::new(FaultKind::Bug, "TG-5010", format!("the full check: {what}"))
}

/// The folder of a check cannot be used.
fn files(error: std::io::Error) -> Fault {
    let what = format!("what the full check reads cannot be kept in the data directory: {error}");
    Fault::new(FaultKind::Transient, "TG-6108", what)
}
