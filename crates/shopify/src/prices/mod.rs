//! Price lists of the owner into a shop's catalogs: what is there is read, compared with what is wanted, and the least that
//! makes it so is written and read back. Owns the calls; what a catalog can say, which catalogs there are and what differs is
//! `domains::prices`.
//!
//! What the shop has is the state. What was read of it may be kept between runs, and is believed then but for what was written
//! since; without that all is read. A run that was killed is begun again and finds what is done; writes of it that still go on
//! at Shopify are waited for first, because a line of them would come after a newer price.
//! A catalog counts for its buyers only once all of its prices are there, and what is no longer wanted goes after that.

mod encode;
mod fence;
mod held;
mod look;
mod memory;
mod open;
mod patience;
mod places;
mod plan;
mod read;
mod run;
mod steps;
mod write;

pub use fence::Fence;
pub use memory::Memory;
pub use places::{Places, SeenCatalog, SeenList, Step};
pub use plan::{Basis, CatalogPlan, Drift, ListPlan, Plan, Whole};
pub(crate) use read::number as gid_number;
pub use run::{Refused, Report, Written, hydrate};

use crate::bulk::AT_ONCE_MAX;
use crate::graphql::ShopClient;
use connector::port::CallContext;
use domains::prices::Wanted;
use kernel::fault::Fault;
use std::sync::Arc;
use std::time::Duration;

/// Our own codes; each has a page in `docs/errors/`.
mod code {
    /// Nothing at all is wanted, and what is not wanted would go.
    pub(super) const NOTHING: &str = "TG-6421";
    /// A wanted list cannot be read.
    pub(super) const SOURCE: &str = "TG-6422";
    /// What Shopify says of its prices cannot be read.
    pub(super) const UNREADABLE: &str = "TG-6423";
    /// What was read cannot be kept.
    pub(super) const MEMORY: &str = "TG-6424";
    /// Another run has taken its place.
    pub(super) const FENCED: &str = "TG-6425";
}

/// How it is done; [`Options::default`] is right for a shop beside which orders run.
#[derive(Debug, Clone)]
pub struct Options {
    /// Names of catalogs and price lists that are ours begin so.
    pub prefix: String,
    /// What is wanted is all there is to be: catalogs of ours that are not wanted, and locations of those that are, go. Else
    /// they stay and are told.
    pub is_whole: bool,
    /// Of the cost bucket; orders go first in any case.
    pub share_percent: u8,
    /// More calls than that are made in bulk.
    pub direct_max: usize,
    /// A list of more prices is read in bulk, where no price of it may depend on the quantity.
    pub paged_max: u64,
    /// Of one file of a write in bulk; Shopify takes 100 MB. So many times `at_once` are held in memory.
    pub file_bytes_max: usize,
    /// Writes in bulk that run at a time; Shopify runs five.
    pub at_once: usize,
    /// For one operation in bulk; one that has not ended by then is cancelled, and what it left undone is written again.
    pub within: Duration,
    /// After a write of which it is not known whether it was done: a write that Shopify still works on must not come after
    /// the look that it would prove wrong.
    pub settle_after: Duration,
    /// Reads and writes are repeated so often until nothing differs.
    pub rounds_max: u32,
    /// Where what was read is kept until the next run; without it each run reads all that the shop has.
    pub memory: Option<Arc<dyn Memory>>,
    /// Compares with all that the shop has, whatever is kept: that finds what was typed by hand.
    pub against_shop: bool,
    pub hand_made: HandMade,
    /// More pages than that of what is open are not read again; all is read in bulk then.
    pub again_max: usize,
    /// Asked before each write; without it nobody else can write.
    pub fence: Option<Arc<dyn Fence>>,
}

/// What becomes of a price that somebody else changed, and that is wanted as it was before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum HandMade {
    /// It becomes again what is wanted.
    #[default]
    Goes,
    /// It stays, and is told, until another price is wanted.
    Stays,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            prefix: "tidegate/".to_owned(),
            is_whole: true,
            share_percent: 50,
            direct_max: 100,
            paged_max: 5_000,
            file_bytes_max: 20 * 1024 * 1024,
            at_once: AT_ONCE_MAX - 1,
            within: Duration::from_secs(2 * 3600),
            settle_after: Duration::from_secs(60),
            rounds_max: 4,
            memory: None,
            against_shop: false,
            hand_made: HandMade::default(),
            again_max: 400,
            fence: None,
        }
    }
}

/// What is going on, for whoever watches.
#[derive(Debug)]
pub enum Progress<'a> {
    /// Writes of an earlier run go on at Shopify.
    Waiting { operation: &'a str },
    /// So many lines of the result of an operation.
    Reading { what: &'static str, lines: u64 },
    /// Before the first write.
    Planned(&'a Plan),
    /// Calls, or lines of writes in bulk, that are answered; of how many.
    Writing { done: u64, of: u64 },
    /// What was written is read back; the round.
    Verifying { round: u32 },
}

/// Told of progress.
pub type Tell<'a> = dyn FnMut(&Progress<'_>) + Send + 'a;

/// What a run would do, without doing it: the dry run.
pub async fn plan(
    client: &Arc<ShopClient>,
    call: &CallContext,
    wanted: &[Wanted],
    options: &Options,
    tell: &mut Tell<'_>,
) -> Result<Plan, Fault> {
    let shop = patience::Shop::new(client, call, options);
    let mut known = look::Known::dry();
    Ok(look::look(&shop, wanted, options, &mut known, tell).await?.plan)
}

/// All variants that the shop sells, with their SKUs (empty: none), read in bulk.
pub async fn variants(
    client: &Arc<ShopClient>,
    call: &CallContext,
    take: &mut (dyn FnMut(u64, &str) + Send),
) -> Result<(), Fault> {
    let options = Options::default();
    let shop = patience::Shop::new(client, call, &options);
    shop.variants(&options, take).await
}
