//! `tidegate store migrate`: the schema is brought up to date before a hub does it by itself, or only told.

use crate::cli::operate::page::{self, Page};
use crate::cli::{Common, Failure, configuration};
use crate::moving::blocking;
use crate::wiring;
use crate::wiring::clock::{SystemClock, SystemRandom};
use anyhow::Context as _;
use kernel::clock::Clock;
use serde_json::{Value, json};
use std::sync::Arc;
use store_sqlite::SqliteStore;

const EXAMPLES: &str = "\
Examples:
  tidegate store migrate --dry-run     which migrations this program would run
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

pub async fn run(common: &Common, args: &Args) -> Result<(), Failure> {
    let loaded = configuration(common)?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let (place, migrations) = match &loaded.config.postgres {
        Some(postgres) => {
            let options = wiring::open::options(&loaded, postgres, &clock)?;
            let run = if args.dry_run {
                store_postgres::PostgresStore::pending_migrations(&options).await
            } else {
                store_postgres::inspect::migrate(&options).await
            };
            let run = run.map_err(anyhow::Error::from)?;
            let found = store_postgres::inspect::inspect(&options).await.map_err(anyhow::Error::from)?;
            (found.place, run.iter().map(|migration| (migration.number, migration.name)).collect())
        }
        None => {
            let path = wiring::open::database(&loaded.config).context("the configuration has no [hub]")?;
            if let Some(folder) = path.parent().filter(|_| !args.dry_run) {
                std::fs::create_dir_all(folder)?;
            }
            let options = store_sqlite::Options {
                path: path.clone(),
                master_key: wiring::open::master_key(&loaded)?,
                random: Arc::new(SystemRandom),
                clock,
            };
            let dry_run = args.dry_run;
            let run = blocking(move || {
                let pending = SqliteStore::pending_migrations(&options.path)?;
                if !dry_run {
                    drop(SqliteStore::open(options)?);
                }
                Ok(pending)
            });
            let run: Vec<(u32, &str)> = run
                .await
                .map_err(anyhow::Error::from)?
                .iter()
                .map(|migration| (migration.number, migration.name))
                .collect();
            (format!("sqlite:{}", path.display()), run)
        }
    };
    told(common, &place, args.dry_run, &migrations);
    Ok(())
}

fn told(common: &Common, place: &str, dry_run: bool, migrations: &[(u32, &str)]) {
    if common.json {
        let run: Vec<Value> =
            migrations.iter().map(|(number, name)| json!({ "number": number, "name": name })).collect();
        page::json(&json!({ "place": place, "dry_run": dry_run, "migrations": run }));
        return;
    }
    let mut page = Page::new();
    if migrations.is_empty() {
        page.line(format!("{place} is up to date: nothing to migrate"));
    } else {
        let how = if dry_run { "would run; nothing was done" } else { "have run" };
        page.line(format!("{place}: these migrations {how}"));
        page.table(
            &["number", "name"],
            migrations
                .iter()
                .map(|(number, name)| vec![format!("{number:04}"), (*name).to_owned()])
                .collect(),
        );
    }
    page.print();
}
