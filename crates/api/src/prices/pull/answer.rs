//! One answer of a source becomes a load, with the guards and the journal of any other, and the terms of its lists count once its prices
//! do. Owns that an answer which waits for a person is known again; refuses to know when the next one is asked for.

use super::error::PullError;
use super::kept::Came;
use super::run::{OneLoad, Running};
use super::terms::with_lists;
use crate::prices::loads::{Format, rows};
use config::PriceMode;
use connector::prices::{RowCount, RowFormat, ToldList, ToldPrices};
use price_store::{HeldLoad, LoadRequest, Mode, Outcome, PriceStoreError, TermsChange};
use std::io::BufReader;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A line of progress each so many rows.
const TELL_EVERY: u64 = 10_000;

impl Running<'_> {
    /// One answer, loaded.
    pub(super) async fn load(&self, told: ToldPrices) -> Result<OneLoad, PullError> {
        let (settings, pull) = (&self.pull.settings, self.pull);
        let ToldPrices { rows: file, format, count, whole, lists, next, terms, .. } = told;
        let note = self.note(&next);
        let mut came =
            Came { at: self.begun, outcome: String::new(), load: None, version: None, rows: 0, whole };
        // An answer that was held before the process ended, and of which nothing else is known.
        if !self.how.dry_run {
            let known = self.held().await?;
            let same = |note: &String| note.trim_end_matches(')').ends_with(&up_to(&next));
            // A snapshot and what changed may end at one point, and are two answers.
            let same = |held: &&HeldLoad| {
                held.source == settings.name
                    && (held.mode == Mode::Changes) != whole
                    && held.note.as_ref().is_some_and(same)
            };
            if let Some(held) = known.iter().rev().find(same) {
                came.outcome = "held".to_owned();
                (came.load, came.rows) = (Some(held.load), held.rows);
                return Ok(OneLoad { came, outcome: None, refused: None, terms: Vec::new(), waiting: terms });
            }
        }
        if let Some(what) = lists.iter().find_map(|list| pull.owned.refused(list)) {
            return Ok(refused(came, what));
        }
        // A list that nothing is told of any more is one of all of them.
        let everything = settings.mode != PriceMode::Lists;
        let mode = match (whole, everything) {
            (false, _) => Mode::Changes,
            (true, false) => Mode::Lists(lists),
            (true, true) => Mode::Lists(pull.owned.known(&pull.prices).into_iter().chain(lists).collect()),
        };
        let request = LoadRequest {
            source: settings.name.clone(),
            by: self.how.by.clone(),
            note: Some(note),
            mode,
            dry_run: self.how.dry_run,
        };
        let format = match format {
            RowFormat::Csv => Format::Csv,
            RowFormat::Ndjson => Format::Ndjson,
        };
        let (prices, owned, now) = (pull.prices.clone(), pull.owned.clone(), pull.clock.now().wall);
        let (under_way, tell) = (pull.rows.clone(), self.tell.clone());
        let read = Arc::new(AtomicU64::new(0));
        let counted = read.clone();
        let work = move || {
            let zone = prices.current().terms().zone();
            let rows = rows(BufReader::with_capacity(1 << 20, file), format, zone)
                .map(|row| row.and_then(|row| owned.judge(row)))
                .inspect(|_| {
                    let read = counted.fetch_add(1, Ordering::Relaxed) + 1;
                    if read.is_multiple_of(TELL_EVERY) {
                        under_way.store(i64::try_from(read).unwrap_or(i64::MAX), Ordering::Relaxed);
                        tell(read);
                    }
                });
            prices.load(request, rows, now)
        };
        let outcome = tokio::task::spawn_blocking(work).await.map_err(|_| PullError::BrokeOff)?;
        came.rows = match count {
            RowCount::Known(rows) => rows,
            RowCount::Unknown => read.load(Ordering::Relaxed),
        };
        match outcome {
            Ok(outcome) => {
                (came.outcome, came.load, came.version) = match &outcome {
                    Outcome::Live { load, version, .. } => ("live".to_owned(), Some(*load), Some(*version)),
                    Outcome::Unchanged { load, version, .. } => {
                        ("unchanged".to_owned(), Some(*load), Some(*version))
                    }
                    Outcome::Held { load, .. } => ("held".to_owned(), Some(*load), None),
                    Outcome::DryRun { .. } => ("dry_run".to_owned(), None, None),
                };
                if matches!(outcome, Outcome::Held { .. }) {
                    let outcome = Some(outcome);
                    return Ok(OneLoad { came, outcome, refused: None, terms: Vec::new(), waiting: terms });
                }
                let terms = match terms {
                    Some(lists) => self.terms(&lists).await?,
                    None => Vec::new(),
                };
                Ok(OneLoad { came, outcome: Some(outcome), refused: None, terms, waiting: None })
            }
            // Asked again, its rows would be the same.
            Err(error @ (PriceStoreError::Rows { .. } | PriceStoreError::NeedsWhole(_)))
                if !self.how.dry_run =>
            {
                Ok(refused(came, crate::prices::PriceError::from(error).message))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// The terms of its own lists, once their prices count: a list without terms is nobody's.
    pub(super) async fn terms(&self, lists: &[ToldList]) -> Result<Vec<TermsChange>, PullError> {
        let (settings, prices) = (&self.pull.settings, self.pull.prices.clone());
        let (source, owned, lists) = (settings.name.clone(), settings.lists.clone(), lists.to_vec());
        let (by, dry_run) = (format!("{} for {}", self.how.by, settings.name), self.how.dry_run);
        let now = self.pull.clock.now().wall;
        if prices.current().has_lost_terms() {
            let what = "the terms are damaged, and what people wrote in them is not known: set them anew first, by tidegate prices terms";
            return Err(PullError::Terms(what.to_owned()));
        }
        let change = move || {
            let make = |before: &str| {
                let new = with_lists(before, &source, &owned, &lists)?;
                Ok::<_, String>(new.unwrap_or_else(|| before.to_owned()))
            };
            prices.change_terms(make, &by, dry_run, now)
        };
        let set = tokio::task::spawn_blocking(change).await.map_err(|_| PullError::BrokeOff)??;
        Ok(set.map_err(PullError::Terms)?.difference)
    }

    /// Stands in the journal, and by it an answer is known again.
    fn note(&self, next: &str) -> String {
        match &self.how.note {
            None => up_to(next),
            Some(note) => format!("{note} ({})", up_to(next)),
        }
    }
}

fn up_to(next: &str) -> String {
    format!("up to {next}")
}

fn refused(came: Came, why: String) -> OneLoad {
    OneLoad {
        came: Came { outcome: "refused".to_owned(), ..came },
        outcome: None,
        refused: Some(why),
        terms: Vec::new(),
        waiting: None,
    }
}
