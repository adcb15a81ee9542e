//! `tidegate restore`: a backup is put in place, in a new epoch, with every system paused and a report.

use super::operate::page::{self, Page};
use super::operate::progress::Teller;
use super::operate::{client::Progress, who};
use super::{Common, Failure, block_on, configuration};
use crate::moving::blocking;
use crate::restoring::{Redactions, Settled, settle, sweeps_from, systems};
use crate::wiring::clock::{SystemClock, SystemRandom};
use crate::wiring::{self, Loaded};
use anyhow::Context as _;
use jiff::Timestamp;
use kernel::clock::Clock;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use store::moving::note::Restored;
use store::operate::By;
use store_postgres::PostgresStore;
use store_sqlite::inspect::{Contents, inspect, verify};
use store_sqlite::restore::Restore;
use store_sqlite::{Options, SqliteStore};

const EXAMPLES: &str = "\
Examples:
  tidegate restore --from /backup/tidegate-2026-11-24.db --dry-run   what it holds, and what would happen
  tidegate restore --from /backup/tidegate-2026-11-24.db             puts it in place; what was there is kept beside it
  tidegate restore --in-place                                        after a PostgreSQL was put back by its own means

Stop the hub first. It starts with every system paused: nothing is sent until you resume each one. What the forgotten time
may have made in a target is looked for before it is made; sweeps find what came since.";

/// Puts a backup in place, with all the care that this takes
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The backup, as `tidegate backup` wrote it
    #[arg(long, value_name = "FILE", required_unless_present = "in_place", conflicts_with = "in_place")]
    from: Option<PathBuf>,
    /// The configured store was put back by other means (PITR, a copied file): only opens the new epoch in it
    #[arg(long)]
    in_place: bool,
    /// Says what the backup holds and what would happen; changes nothing
    #[arg(long)]
    dry_run: bool,
    /// The reason; it stands in the audit
    #[arg(long, visible_alias = "reason", value_name = "TEXT", default_value = "a restore")]
    why: String,
}

pub fn run(common: &Common, args: &Args) -> Result<(), Failure> {
    let loaded = configuration(common)?;
    block_on(async {
        match (&args.from, &loaded.config.postgres) {
            (Some(_), Some(_)) => Err(Failure::Usage(
                "the configured store is in PostgreSQL: put it back by its own means (PITR), then `tidegate restore \
                 --in-place`"
                    .to_owned(),
            )),
            (Some(from), None) => from_file(common, args, &loaded, from).await,
            (None, _) => in_place(common, args, &loaded).await,
        }
    })
}

/// Everything that a restore is about.
struct Around {
    clock: Arc<dyn Clock>,
    redactions: Redactions,
    by: By,
}

impl Around {
    fn of(loaded: &Loaded, why: &str) -> anyhow::Result<Self> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let data_dir = wiring::open::data_dir(&loaded.config).context("the configuration has no [hub]")?;
        let redactions = Redactions::read(&data_dir.join("redactions.ndjson"))?;
        let by = By { who: who(), why: why.to_owned(), at: clock.now().wall };
        Ok(Self { clock, redactions, by })
    }
}

async fn from_file(common: &Common, args: &Args, loaded: &Loaded, from: &Path) -> Result<(), Failure> {
    if !from.exists() {
        return Err(Failure::NotFound(format!("{} is not there", from.display())));
    }
    let around = Around::of(loaded, &args.why)?;
    let database = wiring::open::database(&loaded.config).context("the configuration has no [hub]")?;
    let key = wiring::open::master_key(loaded)?;
    let found = inspected(from, loaded).await?;
    same_installation(&database, &found, loaded).await?;
    if args.dry_run {
        let checked = from.to_owned();
        blocking(move || verify(&checked)).await.map_err(anyhow::Error::from)?;
        let report = Report::of(loaded, &around, from.display().to_string(), &summary(&found), found.newest);
        report.print(common, true);
        return Ok(());
    }
    if let Some(folder) = database.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let (backup, place) = (from.to_owned(), database.clone());
    let prepared = blocking(move || {
        let mut teller = Teller::new("bytes copied", 0);
        let mut tell = |done, total| teller.tell(Progress { done, total, rate_per_s: 0 });
        let prepared = Restore::prepare(&backup, &place, &key, &mut tell);
        teller.done();
        prepared
    });
    let (restore, _) = prepared.await.map_err(anyhow::Error::from)?;
    let mut restored = Restored { instant: found.newest, at: around.by.at, epoch: 0 };
    restore.open_epoch(&mut restored).map_err(anyhow::Error::from)?;
    let settled = {
        let options = Options {
            path: restore.file(),
            master_key: wiring::open::master_key(loaded)?,
            random: Arc::new(SystemRandom),
            clock: around.clock.clone(),
        };
        let store = blocking(move || SqliteStore::open(options)).await.map_err(anyhow::Error::from)?;
        settle(&store, loaded, &restored, &around.redactions, &around.by).await?
    };
    let kept_as = format!(".before-restore-{}", around.by.at.strftime("%Y%m%dT%H%M%SZ"));
    let kept = blocking(move || restore.put_in_place(&kept_as)).await.map_err(anyhow::Error::from)?;
    let mut report = Report::of(loaded, &around, from.display().to_string(), &summary(&found), found.newest);
    report.done(&restored, settled);
    report.kept = kept;
    report.print(common, false);
    Ok(())
}

async fn inspected(path: &Path, loaded: &Loaded) -> anyhow::Result<Contents> {
    let (path, key) = (path.to_owned(), wiring::open::master_key(loaded)?);
    Ok(blocking(move || inspect(&path, &key)).await?)
}

/// A backup of another installation is another shop's history. What is in place may be too damaged to tell.
async fn same_installation(database: &Path, backup: &Contents, loaded: &Loaded) -> Result<(), Failure> {
    if !database.exists() {
        return Ok(());
    }
    match inspected(database, loaded).await {
        Ok(there) if there.installation.id != backup.installation.id => {
            Err(Failure::Failed(anyhow::anyhow!(
                "TG-4007: the backup is of installation {}, and {} is installation {}: name the right file, or move what is \
             there away first",
                backup.installation.id,
                database.display(),
                there.installation.id
            )))
        }
        _ => Ok(()),
    }
}

/// The store as it stands was put back by somebody else.
async fn in_place(common: &Common, args: &Args, loaded: &Loaded) -> Result<(), Failure> {
    let around = Around::of(loaded, &args.why)?;
    let restored = |instant: Timestamp| Restored { instant, at: around.by.at, epoch: 0 };
    if let Some(postgres) = &loaded.config.postgres {
        let options = || wiring::open::options(loaded, postgres, &around.clock);
        let found = store_postgres::inspect::inspect(&options()?).await.map_err(anyhow::Error::from)?;
        if found.installation.is_none() {
            return Err(Failure::NotFound(format!("{} has no store of ours", found.place)));
        }
        let mut report =
            Report::of(loaded, &around, found.place.clone(), &postgres_summary(&found), found.newest);
        if args.dry_run {
            report.print(common, true);
            return Ok(());
        }
        let mut restored = restored(found.newest);
        let opened = store_postgres::inspect::open_epoch(&options()?, &mut restored).await;
        opened.map_err(anyhow::Error::from)?;
        let store = PostgresStore::open(options()?).await.map_err(anyhow::Error::from)?;
        report.done(&restored, settle(&store, loaded, &restored, &around.redactions, &around.by).await?);
        report.print(common, false);
        return Ok(());
    }
    let database = wiring::open::database(&loaded.config).context("the configuration has no [hub]")?;
    if !database.exists() {
        return Err(Failure::NotFound(format!("{} is not there", database.display())));
    }
    let found = inspected(&database, loaded).await?;
    let mut report =
        Report::of(loaded, &around, database.display().to_string(), &summary(&found), found.newest);
    if args.dry_run {
        report.print(common, true);
        return Ok(());
    }
    let (path, key) = (database.clone(), wiring::open::master_key(loaded)?);
    let mut restored = restored(found.newest);
    let opened = blocking(move || {
        store_sqlite::restore::open_epoch_in_place(&path, &key, &mut restored)?;
        Ok(restored)
    });
    let restored = opened.await.map_err(anyhow::Error::from)?;
    let store = wiring::open::store(loaded, &around.clock).await?.store;
    report.done(&restored, settle(&*store, loaded, &restored, &around.redactions, &around.by).await?);
    report.print(common, false);
    Ok(())
}

/// What is open, by system: waiting, without an answer, dead.
type Open = Vec<(String, u64, u64, u64)>;

fn summary(found: &Contents) -> Summary {
    Summary {
        unrouted: found.unrouted,
        certified: found.certified.clone(),
        open: found.open.iter().map(|of| (of.system.clone(), of.waiting, of.unknown, of.dead)).collect(),
    }
}

fn postgres_summary(found: &store_postgres::inspect::Contents) -> Summary {
    Summary {
        unrouted: found.unrouted,
        certified: found.certified.clone(),
        open: found.open.iter().map(|of| (of.system.clone(), of.waiting, of.unknown, of.dead)).collect(),
    }
}

struct Summary {
    unrouted: u64,
    certified: Vec<(String, String)>,
    open: Open,
}

struct Report {
    from: String,
    instant: Timestamp,
    at: Timestamp,
    open: Open,
    unrouted: u64,
    missing: usize,
    unreadable: Vec<usize>,
    systems: Vec<(String, bool)>,
    epoch: Option<u32>,
    settled: Option<Settled>,
    kept: Option<PathBuf>,
}

impl Report {
    fn of(loaded: &Loaded, around: &Around, from: String, found: &Summary, instant: Timestamp) -> Self {
        let asked = |name: &str| {
            let descriptor = loaded.descriptors.get(name);
            descriptor.is_none_or(|of| of.unknown != connector::descriptor::UnknownAnswer::Neither)
        };
        Self {
            from,
            instant,
            at: around.by.at,
            open: found.open.clone(),
            unrouted: found.unrouted,
            missing: around.redactions.missing(&found.certified).len(),
            unreadable: around.redactions.unreadable.clone(),
            systems: systems(loaded).iter().map(|name| (name.to_string(), asked(name.as_str()))).collect(),
            epoch: None,
            settled: None,
            kept: None,
        }
    }

    fn done(&mut self, restored: &Restored, settled: Settled) {
        self.epoch = Some(restored.epoch);
        self.settled = Some(settled);
    }

    fn json(&self, dry_run: bool) -> Value {
        let open: Vec<Value> = self
            .open
            .iter()
            .map(|(system, waiting, unknown, dead)| {
                json!({ "system": system, "waiting": waiting, "unknown": unknown, "dead": dead })
            })
            .collect();
        let systems: Vec<Value> =
            self.systems.iter().map(|(name, asked)| json!({ "name": name, "can_be_asked": asked })).collect();
        json!({
            "from": self.from, "instant": self.instant, "at": self.at, "dry_run": dry_run, "epoch": self.epoch,
            "open": open, "unrouted": self.unrouted, "sweeps_from": sweeps_from(self.instant), "systems": systems,
            "redactions_missing": self.missing, "redactions_unreadable": self.unreadable, "done": self.settled,
            "kept": self.kept,
        })
    }

    fn print(&self, common: &Common, dry_run: bool) {
        if common.json {
            page::json(&self.json(dry_run));
            return;
        }
        let mut page = Page::new();
        let would = if dry_run { "would be" } else { "is" };
        page.line(format!("{} is of {} or a little later, and {would} in place", self.from, self.instant));
        if let Some(epoch) = self.epoch {
            page.line(format!(
                "epoch {epoch}: what was done after that moment is forgotten here, not in the targets"
            ));
        }
        if let Some(kept) = &self.kept {
            page.line(format!("what was there before is kept as {}", kept.display()));
        }
        page.blank();
        let rows = self.open.iter().map(|(system, waiting, unknown, dead)| {
            vec![system.clone(), waiting.to_string(), unknown.to_string(), dead.to_string()]
        });
        page.table(&["system", "waiting", "without an answer", "dead"], rows.collect());
        page.line(format!("{} facts are not routed yet", self.unrouted));
        page.line(format!(
            "sweeps {} from {} on",
            if dry_run { "would look" } else { "look" },
            sweeps_from(self.instant)
        ));
        page.line(match (&self.settled, self.missing) {
            (Some(settled), _) => format!(
                "{} redactions since were carried out again ({} keys destroyed)",
                settled.redacted, settled.keys_destroyed
            ),
            (None, missing) => format!("{missing} redactions since would be carried out again"),
        });
        if !self.unreadable.is_empty() {
            page.line(format!(
                "lines {:?} of redactions.ndjson cannot be read: look what they ask for, and do it by hand",
                self.unreadable
            ));
        }
        page.blank();
        page.line("Each order from before now is looked for in its target before it is made there:");
        for (name, asked) in &self.systems {
            page.line(match asked {
                true => format!("  {name}: paused; can be asked"),
                false => format!(
                    "  {name}: paused; CANNOT be asked: each becomes a dead letter for a person to look"
                ),
            });
        }
        if dry_run {
            page.line("Nothing was done.");
        } else {
            page.line("Start the hub, look at `tidegate status`, then let each system go on:");
            for (name, _) in &self.systems {
                page.line(format!("  tidegate systems resume {name} --why \"restored, and looked at\""));
            }
        }
        page.print();
    }
}
