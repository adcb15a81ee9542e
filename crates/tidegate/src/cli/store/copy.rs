//! `tidegate store copy`: the embedded store moves to PostgreSQL.

use crate::cli::operate::page::{self, Page};
use crate::cli::operate::progress::Teller;
use crate::cli::operate::{client::Progress, who};
use crate::cli::{Common, Failure, configuration};
use crate::moving::{Count, Move, Moved, Stage, blocking, stage};
use crate::wiring::clock::{SystemClock, SystemRandom};
use crate::wiring::{self, Loaded};
use anyhow::Context as _;
use config::{Origin, SecretRef};
use kernel::clock::Clock;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use store::moving::{Note, Table};
use store::seal::{MasterKey, Random as _};
use store_postgres::Options;
use store_postgres::moving::{Standing, Target};
use store_sqlite::Source;

const EXAMPLES: &str = "\
Examples:
  export TIDEGATE_PG='postgres://tidegate:…@db.internal/tidegate'
  tidegate store copy --to postgres:env:TIDEGATE_PG --dry-run
  tidegate store copy --to postgres:env:TIDEGATE_PG

Stop the hub first. From the first row on no hub starts on the source, and none on the target before every table has been
read back and compared. Killed, it goes on where it was: type the same again. At the end the source says where it went;
`tidegate store reopen` lifts that.";

/// Moves the embedded store to PostgreSQL, and compares every row
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The store to move; without it, the configured one
    #[arg(long, value_name = "sqlite:PATH", value_parser = sqlite)]
    from: Option<PathBuf>,
    /// Where the address of the database stands: a variable or a file, never the address itself; without it, the
    /// configured `[store]`
    #[arg(long, value_name = "postgres:env:NAME|postgres:file:PATH", value_parser = postgres)]
    to: Option<SecretRef>,
    /// Certificates of the authorities to believe; without it, the operating system's
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,
    /// Says what would move and whether it can; changes nothing
    #[arg(long)]
    dry_run: bool,
    /// Throws away what an earlier copy that was given up has left in the target
    #[arg(long)]
    start_over: bool,
    #[arg(long, hide = true, default_value_t = 4 << 20)]
    batch_bytes: usize,
}

pub(super) fn sqlite(text: &str) -> Result<PathBuf, String> {
    let path = text.strip_prefix("sqlite:").filter(|path| !path.is_empty());
    path.map(PathBuf::from)
        .ok_or_else(|| "write sqlite:PATH, as in sqlite:/var/lib/tidegate/tidegate.db".to_owned())
}

fn postgres(text: &str) -> Result<SecretRef, String> {
    let reference = text.strip_prefix("postgres:").and_then(SecretRef::parse);
    reference.ok_or_else(|| {
        "write postgres:env:NAME or postgres:file:PATH; an address on the command line would be read by everybody on \
         this machine"
            .to_owned()
    })
}

pub async fn run(common: &Common, args: &Args) -> Result<(), Failure> {
    let loaded = configuration(common)?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let path = match &args.from {
        Some(path) => path.clone(),
        None => wiring::open::database(&loaded.config).context("the configuration has no [hub]")?,
    };
    let key = wiring::open::master_key(&loaded)?;
    let source = Arc::new(source(&path, key).await?);
    let from = format!("sqlite:{}", std::path::absolute(&path)?.display());
    let total = counts(&source).await?;
    if args.dry_run {
        let (place, standing) =
            Target::look(&options(args, &loaded, &clock)?).await.map_err(anyhow::Error::from)?;
        let stage = staged(&source, &standing, &from, &place, &clock).await?;
        told_dry(common, &from, &place, &stage, &total);
        return Ok(());
    }
    let mut target = Target::open(options(args, &loaded, &clock)?).await.map_err(anyhow::Error::from)?;
    let place = target.place().to_owned();
    let standing = target.standing().await.map_err(anyhow::Error::from)?;
    let mut found = staged(&source, &standing, &from, &place, &clock).await?;
    if let Stage::LeftOver(of) = &found {
        if !args.start_over {
            return Err(Failure::Failed(anyhow::anyhow!(
                "TG-4006: {place} holds what a copy of {} begun at {} has left, and the source was in use since: \
                 `--start-over` throws that away",
                of.from,
                of.at
            )));
        }
        target.empty().await.map_err(anyhow::Error::from)?;
        target = Target::open(options(args, &loaded, &clock)?).await.map_err(anyhow::Error::from)?;
        found = staged(&source, &Standing::Empty, &from, &place, &clock).await?;
    }
    let (note, over) = match found {
        Stage::Go(note) => (note, false),
        Stage::Over(note) => (note, true),
        Stage::LeftOver(_) => return Err(Failure::Failed(anyhow::anyhow!("the target was not emptied"))),
    };
    let began = clock.now().mono;
    let going = Move { source, target: Arc::new(target), note, batch_bytes: args.batch_bytes };
    let moved = if over {
        going.fence(&*clock).await?;
        Vec::new()
    } else {
        let rows = total.iter().map(|(_, rows)| rows).sum();
        going.run(&*clock, &teller(rows, clock.clone())).await?
    };
    let seconds = clock.now().mono.since(began).as_secs_f64();
    told(common, &from, &place, &moved, seconds);
    Ok(())
}

async fn source(path: &std::path::Path, key: MasterKey) -> anyhow::Result<Source> {
    let path = path.to_owned();
    Ok(blocking(move || Source::open(&path, &key)).await?)
}

fn options(args: &Args, loaded: &Loaded, clock: &Arc<dyn Clock>) -> anyhow::Result<Options> {
    let Some(to) = &args.to else {
        let postgres = loaded.config.postgres.as_ref();
        let postgres =
            postgres.context("name the target by --to: the configuration has no [store] with a url")?;
        return wiring::open::options(loaded, postgres, clock);
    };
    let url = wiring::shops::resolve(loaded, "--to", to, &Origin::Flag("--to".to_owned()))?;
    let key = wiring::open::master_key(loaded)?;
    let mut options = Options::new(url, key, Arc::new(SystemRandom), clock.clone());
    options.ca_file.clone_from(&args.ca_file);
    Ok(options)
}

async fn counts(source: &Arc<Source>) -> anyhow::Result<Vec<(Table, u64)>> {
    let source = source.clone();
    let counted = blocking(move || {
        Table::ALL.into_iter().map(|table| Ok((table, source.count(table)?))).collect::<Result<Vec<_>, _>>()
    });
    Ok(counted.await?)
}

/// How both ends stand.
async fn staged(
    source: &Arc<Source>,
    standing: &Standing,
    from: &str,
    place: &str,
    clock: &Arc<dyn Clock>,
) -> anyhow::Result<Stage> {
    let of = source.clone();
    let (note, installation) = blocking(move || Ok((of.note()?, of.installation()?))).await?;
    let begun = || {
        let mut id = [0; 8];
        SystemRandom.fill(&mut id)?;
        Ok(Note {
            copy: kernel::key::hex(&id),
            from: from.to_owned(),
            to: place.to_owned(),
            at: clock.now().wall,
            who: who(),
        })
    };
    stage(note, standing, &installation, begun, place)
}

fn teller(total: u64, clock: Arc<dyn Clock>) -> crate::moving::Told {
    let (count, began) = (Count { total, ..Count::default() }, clock.now().mono);
    let teller = Mutex::new(Teller::new("rows", total));
    Arc::new(move |_, rows| {
        let done = count.add(rows);
        let ms = clock.now().mono.since(began).as_millis().max(1);
        let rate_per_s = u64::try_from(u128::from(done) * 1000 / ms).unwrap_or(u64::MAX);
        let progress = Progress { done, total: count.total, rate_per_s };
        teller.lock().unwrap_or_else(PoisonError::into_inner).tell(progress);
    })
}

fn told_dry(common: &Common, from: &str, place: &str, stage: &Stage, total: &[(Table, u64)]) {
    let what = match stage {
        Stage::Go(_) => "would move",
        Stage::Over(_) => "has moved: only the source does not say so yet",
        Stage::LeftOver(_) => "would move after --start-over: the target holds what another copy has left",
    };
    if common.json {
        let tables: Vec<Value> =
            total.iter().map(|(table, rows)| json!({ "table": table.name(), "rows": rows })).collect();
        let can = !matches!(stage, Stage::LeftOver(_));
        page::json(&json!({ "from": from, "to": place, "dry_run": true, "can": can, "tables": tables }));
        return;
    }
    let mut page = Page::new();
    page.line(format!("{from} {what}, to {place}; nothing was done"));
    page.table(
        &["table", "rows"],
        total.iter().map(|(table, rows)| vec![table.name().to_owned(), rows.to_string()]).collect(),
    );
    page.print();
}

fn told(common: &Common, from: &str, place: &str, moved: &[Moved], seconds: f64) {
    if common.json {
        page::json(&json!({ "from": from, "to": place, "seconds": seconds, "tables": moved }));
        return;
    }
    let mut page = Page::new();
    page.line(format!("{from} lives on at {place}; every row was read back and compared, in {seconds:.1} s"));
    page.table(
        &["table", "rows", "checksum"],
        moved
            .iter()
            .map(|moved| vec![moved.table.to_owned(), moved.rows.to_string(), moved.checksum.clone()])
            .collect(),
    );
    page.line("Configure the hub for PostgreSQL and start it; no hub starts on the former store any more.");
    page.print();
}
