//! How many sequences were played, and what was wrong with them.

use super::arrival::Arrival;
use super::history::{Action, History};
use super::play::Found;
use std::collections::BTreeMap;
use std::fmt;

/// What is told of, of those that failed.
const TOLD_MAX: usize = 5;

#[derive(Debug, Default)]
pub(super) struct Played {
    sequences: usize,
    histories: std::collections::BTreeSet<String>,
    sold: usize,
    documents: usize,
    by_arrival: BTreeMap<String, usize>,
    by_length: BTreeMap<usize, usize>,
    with: BTreeMap<Action, usize>,
    pub(super) wrong: Vec<String>,
}

impl Played {
    pub(super) fn counts(&mut self, history: &History, arrival: &Arrival, found: &Found) {
        self.sequences += 1;
        self.sold += usize::from(found.sold);
        self.documents += found.documents;
        self.histories.insert(history.to_string());
        let kind = format!("{arrival:?}");
        let kind = kind.split('(').next().unwrap_or_default().to_owned();
        *self.by_arrival.entry(kind).or_default() += 1;
        *self.by_length.entry(history.actions.len()).or_default() += 1;
        for action in &history.actions {
            *self.with.entry(*action).or_default() += 1;
        }
        if !found.wrong.is_empty() {
            self.wrong.push(format!("{history}, {arrival:?}: {}", found.wrong.join("\n    ")));
        }
    }

    /// Of each kind, and so many in all.
    pub(super) fn is_enough(&self, least: usize) {
        assert!(self.sequences >= least, "only {} sequences, at least {least} were expected", self.sequences);
        assert_eq!(self.by_arrival.len(), 9, "{:?}", self.by_arrival);
        assert_eq!(self.with.len(), super::history::ACTIONS.len(), "{:?}", self.with);
    }
}

impl fmt::Display for Played {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} sequences of {} histories ({} sold, {} documents of refunds and payments), {} wrong; by length {:?}, by \
             arrival {:?}, with {:?}",
            self.sequences,
            self.histories.len(),
            self.sold,
            self.documents,
            self.wrong.len(),
            self.by_length,
            self.by_arrival,
            self.with,
        )?;
        self.wrong.iter().take(TOLD_MAX).try_for_each(|wrong| writeln!(f, "{wrong}"))
    }
}
