//! Idempotency keys of the stock's mutations (`@idempotent(key:)`): remembered for a day, each with the parameters that
//! it came with and what came of them.

use super::set::Adjustment;
use jiff::Timestamp;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, VecDeque};
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
    /// The same key, and other parameters.
    Other,
}

#[derive(Debug, Default)]
pub(in crate::shopify) struct Keys {
    known: BTreeMap<Arc<str>, (Fingerprint, Remembered)>,
    by_age: VecDeque<(i64, Arc<str>)>,
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
}
