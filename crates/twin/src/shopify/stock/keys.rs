//! Idempotency keys of the stock's mutations (`@idempotent(key:)`): remembered for a day, each with the parameters that
//! it came with and what came of them.

use super::set::Adjustment;
use jiff::Timestamp;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

/// Shopify's: "at least 24 hours".
const LIFE_S: i64 = 24 * 3600;

/// Of a mutation and its parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::shopify) struct Fingerprint([u8; 32]);

impl Fingerprint {
    pub(in crate::shopify) fn of(mutation: &str, arguments: &Value) -> Self {
        Self(Sha256::digest(format!("{mutation}\u{0}{arguments}")).into())
    }
}

/// What became of the call that brought the key first.
#[derive(Clone, Debug)]
pub(in crate::shopify) enum Remembered {
    Done(Option<Arc<Adjustment>>),
    Failed,
    /// It is worked on still.
    InProgress,
    /// The same key, and other parameters.
    Other,
}

#[derive(Debug, Default)]
pub(in crate::shopify) struct Keys {
    known: BTreeMap<Arc<str>, (Fingerprint, Remembered)>,
    by_age: VecDeque<(i64, Arc<str>)>,
    in_progress: BTreeSet<String>,
}

impl Keys {
    pub(in crate::shopify) fn look_up(
        &mut self,
        key: &str,
        of: Fingerprint,
        at: Timestamp,
    ) -> Option<Remembered> {
        let oldest = at.as_second() - LIFE_S;
        while let Some((_, forgotten)) = self.by_age.pop_front_if(|(since, _)| *since < oldest) {
            self.known.remove(&forgotten);
        }
        if self.in_progress.contains(key) {
            return Some(Remembered::InProgress);
        }
        let (first, outcome) = self.known.get(key)?;
        Some(if *first == of { outcome.clone() } else { Remembered::Other })
    }

    pub(in crate::shopify) fn remember(
        &mut self,
        key: &Arc<str>,
        of: Fingerprint,
        outcome: Remembered,
        at: Timestamp,
    ) {
        self.known.insert(key.clone(), (of, outcome));
        self.by_age.push_back((at.as_second(), key.clone()));
    }

    /// Calls under these keys are worked on, and have no outcome until `end`.
    pub(in crate::shopify) fn begin(&mut self, keys: &[String]) {
        self.in_progress.extend(keys.iter().cloned());
    }

    pub(in crate::shopify) fn end(&mut self, keys: &[String]) {
        for key in keys {
            self.in_progress.remove(key);
        }
    }
}
