//! `tidegate store migrate`: the schema is brought up to date before a hub does it by itself, or only told.

use crate::cli::operate::page::{self, Page};
use crate::cli::{Common, Failure, configuration};
use crate::moving::blocking;
use crate::wiring::clock::{SystemClock, SystemRandom};
use crate::wiring::{self, Loaded};
use anyhow::Context as _;
use kernel::clock::Clock;
use serde_json::{Value, json};
use std::sync::Arc;
use store::Schema;
use store_sqlite::SqliteStore;

const EXAMPLES: &str = "\
Examples:
  tidegate store migrate --dry-run     which migrations this program would run, and which nodes may go on beside them
  tidegate store migrate               runs them; the embedded store is copied beside itself first

A hub migrates by itself when it starts. This is for whoever wants to see it, or to do it at a time of their own.";

/// Brings the store's schema up to what this program needs
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Says which migrations would run; changes nothing
    #[arg(long)]
    dry_run: bool,
}

/// One that would run, or has.
struct Listed {
    number: u32,
    name: &'static str,
    /// The oldest schema whose programs may run after it.
    oldest: u32,
}

/// What the store has, and what it would have.
struct Found {
    place: String,
    /// Before. Absent: no store yet.
    schema: Option<Schema>,
    known: u32,
    migrations: Vec<Listed>,
}

pub async fn run(common: &Common, args: &Args) -> Result<(), Failure> {
    let loaded = configuration(common)?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let found = match &loaded.config.postgres {
        Some(postgres) => of_postgres(args, &wiring::open::options(&loaded, postgres, &clock)?).await?,
        None => of_file(args, &loaded, clock).await?,
    };
    found.told(common, args.dry_run);
    Ok(())
}

async fn of_postgres(args: &Args, options: &store_postgres::Options) -> anyhow::Result<Found> {
    let before = store_postgres::inspect::inspect(options).await?;
    let run = if args.dry_run {
        store_postgres::PostgresStore::pending_migrations(options).await?
    } else {
        store_postgres::inspect::migrate(options).await?
    };
    let listed =
        |one: &&store_postgres::Migration| Listed { number: one.number, name: one.name, oldest: one.oldest };
    Ok(Found {
        place: before.place,
        schema: before.schema,
        known: wiring::open::known_schema(options),
        migrations: run.iter().map(listed).collect(),
    })
}

async fn of_file(args: &Args, loaded: &Loaded, clock: Arc<dyn Clock>) -> anyhow::Result<Found> {
    let path = wiring::open::database(&loaded.config).context("the configuration has no [hub]")?;
    if let Some(folder) = path.parent().filter(|_| !args.dry_run) {
        std::fs::create_dir_all(folder)?;
    }
    let options = store_sqlite::Options {
        path: path.clone(),
        master_key: wiring::open::master_key(loaded)?,
        random: Arc::new(SystemRandom),
        clock,
    };
    let dry_run = args.dry_run;
    let run = blocking(move || {
        let pending = SqliteStore::pending_migrations(&options.path)?;
        let schema = match options.path.exists() {
            true => Some(store_sqlite::inspect::inspect(&options.path, &options.master_key)?),
            false => None,
        };
        if !dry_run {
            drop(SqliteStore::open(options)?);
        }
        Ok((pending, schema.map(|found| Schema { number: found.installation.schema, oldest: found.oldest })))
    });
    let (run, schema) = run.await?;
    let listed =
        |one: &&store_sqlite::Migration| Listed { number: one.number, name: one.name, oldest: one.oldest };
    Ok(Found {
        place: format!("sqlite:{}", path.display()),
        schema,
        known: store_sqlite::KNOWN_SCHEMA,
        migrations: run.iter().map(listed).collect(),
    })
}

impl Found {
    /// What is there when these have run.
    fn after(&self) -> Option<Schema> {
        let before = self.schema.iter().map(|schema| (schema.number, Some(schema.oldest)));
        Schema::of(before.chain(self.migrations.iter().map(|one| (one.number, Some(one.oldest)))))
    }

    fn told(&self, common: &Common, dry_run: bool) {
        if common.json {
            let mut oldest = self.schema.map_or(0, |schema| schema.oldest);
            let run = self.migrations.iter().map(|one| {
                let contracts = self.schema.is_some() && one.oldest > oldest;
                oldest = oldest.max(one.oldest);
                json!({ "number": one.number, "name": one.name, "oldest": one.oldest, "contracts": contracts })
            });
            let run: Vec<Value> = run.collect();
            page::json(&json!({
                "place": self.place, "dry_run": dry_run, "migrations": run, "schema": self.schema, "after": self.after(),
                "known": self.known,
            }));
            return;
        }
        let (mut page, place) = (Page::new(), &self.place);
        if self.migrations.is_empty() {
            page.line(format!("{place} is up to date: nothing to migrate"));
        } else {
            let how = if dry_run { "would run; nothing was done" } else { "have run" };
            page.line(format!("{place}: these migrations {how}"));
            let mut oldest = self.schema.map(|schema| schema.oldest);
            let rows = self.migrations.iter().map(|one| {
                let beside = match oldest {
                    None => "there is no store yet".to_owned(),
                    Some(before) if one.oldest > before => {
                        format!(
                            "contracts: nodes that know less than schema {} have to be gone first",
                            one.oldest
                        )
                    }
                    Some(_) => "expands: the nodes that run go on, and may start".to_owned(),
                };
                oldest = oldest.max(Some(one.oldest));
                vec![format!("{:04}", one.number), one.name.to_owned(), beside]
            });
            page.table(&["number", "name", "beside it"], rows.collect());
        }
        if let Some(schema) = self.after() {
            page.line(super::may_run(schema, self.known));
        }
        page.print();
    }
}
