//! `tidegate store info`: whose it is, where it lies, how large, and whether anything keeps a hub off it. Also while a hub
//! runs.

use crate::cli::operate::page::{self, Page};
use crate::cli::{Common, Failure, configuration};
use crate::moving::blocking;
use crate::wiring::clock::SystemClock;
use crate::wiring::{self, Loaded};
use anyhow::Context as _;
use kernel::clock::Clock;
use serde_json::{Value, json};
use std::sync::Arc;
use store::Schema;
use store::moving::Table;
use store::operate::Installation;

const EXAMPLES: &str = "\
Examples:
  tidegate store info
  tidegate store info --counts      counts the rows of every table, which takes a while in a large store";

/// Says whose the store is, where it lies and how large it is
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Counts the rows of each table
    #[arg(long)]
    counts: bool,
}

/// The same of either store.
struct Info {
    place: String,
    installation: Option<Installation>,
    /// With what this program knows.
    schema: Option<(Schema, u32)>,
    pending: Vec<&'static str>,
    bytes: Vec<(String, u64)>,
    open: Vec<Value>,
    unrouted: u64,
    notes: Vec<String>,
    counts: Vec<(Table, u64)>,
}

pub async fn run(common: &Common, args: &Args) -> Result<(), Failure> {
    let loaded = configuration(common)?;
    let info = match &loaded.config.postgres {
        Some(postgres) => {
            let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
            of_postgres(args, &wiring::open::options(&loaded, postgres, &clock)?).await?
        }
        None => of_file(args, &loaded).await?,
    };
    info.print(common);
    Ok(())
}

async fn of_file(args: &Args, loaded: &Loaded) -> Result<Info, Failure> {
    let path = wiring::open::database(&loaded.config).context("the configuration has no [hub]")?;
    if !path.exists() {
        return Err(Failure::NotFound(format!("{} is not there: no hub has run here yet", path.display())));
    }
    let (key, of, counted) = (wiring::open::master_key(loaded)?, path.clone(), args.counts);
    let looked = blocking(move || {
        let counts = if counted { store_sqlite::inspect::counts(&of)? } else { Vec::new() };
        Ok((store_sqlite::inspect::inspect(&of, &key)?, counts))
    });
    let (found, counts) = looked.await.map_err(anyhow::Error::from)?;
    let mut notes = Vec::new();
    if let Some((note, ended)) = &found.moved {
        let how = if *ended { "was moved to" } else { "is being moved to" };
        notes.push(format!("it {how} {} at {}: no hub starts here", note.to, note.at));
    }
    if let Some(restored) = &found.restored {
        notes.push(format!("it was put back to {} at {}", restored.instant, restored.at));
    }
    let files = store_sqlite::inspect::files(&path);
    let open = found.open.iter();
    Ok(Info {
        place: format!("sqlite:{}", path.display()),
        schema: Some((
            Schema { number: found.installation.schema, oldest: found.oldest },
            store_sqlite::KNOWN_SCHEMA,
        )),
        pending: found.pending,
        bytes: files.into_iter().map(|(file, bytes)| (file.display().to_string(), bytes)).collect(),
        open: open.map(|of| json!({ "system": of.system, "waiting": of.waiting, "unknown": of.unknown, "dead": of.dead })).collect(),
        unrouted: found.unrouted,
        installation: Some(found.installation),
        notes,
        counts,
    })
}

async fn of_postgres(args: &Args, options: &store_postgres::Options) -> Result<Info, Failure> {
    let found = store_postgres::inspect::inspect(options).await.map_err(anyhow::Error::from)?;
    let counts = if args.counts && found.installation.is_some() {
        store_postgres::inspect::counts(options).await.map_err(anyhow::Error::from)?
    } else {
        Vec::new()
    };
    let mut notes = Vec::new();
    if let Some(note) = &found.copying {
        notes.push(format!("it is half a copy of {}, begun at {}: no hub starts here", note.from, note.at));
    }
    if let Some(restored) = &found.restored {
        notes.push(format!("it was put back to {} at {}", restored.instant, restored.at));
    }
    let open = found.open.iter();
    Ok(Info {
        bytes: vec![(found.place.clone(), found.bytes)],
        place: found.place.clone(),
        schema: found.schema.map(|schema| (schema, wiring::open::known_schema(options))),
        pending: found.pending,
        open: open.map(|of| json!({ "system": of.system, "waiting": of.waiting, "unknown": of.unknown, "dead": of.dead })).collect(),
        unrouted: found.unrouted,
        installation: found.installation,
        notes,
        counts,
    })
}

impl Info {
    fn print(&self, common: &Common) {
        if common.json {
            let counts: serde_json::Map<String, Value> =
                self.counts.iter().map(|(table, rows)| (table.name().to_owned(), (*rows).into())).collect();
            let files: Vec<Value> =
                self.bytes.iter().map(|(file, bytes)| json!({ "place": file, "bytes": bytes })).collect();
            page::json(&json!({
                "place": self.place, "installation": self.installation, "pending_migrations": self.pending,
                "oldest_schema": self.schema.map(|(schema, _)| schema.oldest), "known_schema": self.schema.map(|(_, known)| known),
                "sizes": files, "open": self.open, "unrouted": self.unrouted, "notes": self.notes, "rows": counts,
            }));
            return;
        }
        let mut page = Page::new();
        page.line(&self.place);
        match &self.installation {
            None => page.line("no store of ours yet: the first hub that runs makes it"),
            Some(of) => {
                page.line(format!(
                    "installation {} of {}, epoch {}, schema {}",
                    of.id, of.created_at, of.epoch, of.schema
                ));
                let known = |text: &Option<String>| text.clone().unwrap_or_else(|| "none yet".to_owned());
                page.line(format!("revision in force {}, targets {}", known(&of.revision), known(&of.place)));
            }
        }
        if let Some((schema, known)) = self.schema {
            page.line(super::may_run(schema, known));
        }
        if !self.pending.is_empty() {
            page.line(format!("migrations that the next start would run: {}", self.pending.join(", ")));
        }
        for note in &self.notes {
            page.line(note);
        }
        page.blank();
        page.table(
            &["where", "bytes"],
            self.bytes.iter().map(|(file, bytes)| vec![file.clone(), bytes.to_string()]).collect(),
        );
        let cell = |of: &Value, name: &str| of[name].to_string().trim_matches('"').to_owned();
        page.table(
            &["system", "waiting", "without an answer", "dead"],
            self.open
                .iter()
                .map(|of| ["system", "waiting", "unknown", "dead"].map(|name| cell(of, name)).to_vec())
                .collect(),
        );
        page.line(format!("{} facts are not routed yet", self.unrouted));
        page.table(
            &["table", "rows"],
            self.counts.iter().map(|(table, rows)| vec![table.name().to_owned(), rows.to_string()]).collect(),
        );
        page.print();
    }
}
