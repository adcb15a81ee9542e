//! Idempotency keys: what was answered to a request with a key is answered again, for a while, to the same request with
//! the same key; the same key on another request is refused.

use std::collections::{BTreeMap, VecDeque};
use std::hash::{DefaultHasher, Hasher};

use jiff::Timestamp;

use super::answer::Answer;
use super::clock::elapsed_ms;
use super::refusal::{Code, Refusal};

#[derive(Debug, Default)]
pub(super) struct Keys {
    known: BTreeMap<String, Known>,
    /// Oldest first.
    ages: VecDeque<(Timestamp, String)>,
}

#[derive(Debug)]
struct Known {
    since: Timestamp,
    fingerprint: u64,
    /// None while the request is still being worked on.
    answer: Option<Answer>,
}

/// What a key says about a request.
#[derive(Debug)]
pub(super) enum Seen {
    Never,
    Before(Answer),
}

/// The request's line and body, hashed the same way on every run.
pub(super) fn fingerprint(method: &str, path: &str, body: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    for part in [method.as_bytes(), path.as_bytes(), body] {
        hasher.write_usize(part.len());
        hasher.write(part);
    }
    hasher.finish()
}

impl Keys {
    pub(super) fn look_up(
        &mut self,
        key: &str,
        fingerprint: u64,
        lifetime_ms: u64,
        now: Timestamp,
    ) -> Result<Seen, Refusal> {
        self.forget(lifetime_ms, now);
        match self.known.get(key) {
            None => Ok(Seen::Never),
            Some(known) if known.fingerprint != fingerprint => {
                let message = "this key came with another request before";
                Err(Refusal::of_field(Code::IdempotencyConflict, "Idempotency-Key", message))
            }
            Some(Known { answer: None, .. }) => {
                let message = "the request with this key is still being worked on";
                Err(Refusal::of_field(Code::IdempotencyInProgress, "Idempotency-Key", message))
            }
            Some(Known { answer: Some(answer), .. }) => Ok(Seen::Before(answer.clone())),
        }
    }

    /// Reserves the key (no answer yet) or keeps the answer.
    pub(super) fn remember(&mut self, key: &str, fingerprint: u64, answer: Option<Answer>, now: Timestamp) {
        if !self.known.contains_key(key) {
            self.ages.push_back((now, key.to_owned()));
        }
        let since = self.known.get(key).map_or(now, |known| known.since);
        self.known.insert(key.to_owned(), Known { since, fingerprint, answer });
    }

    /// A reserved request came to nothing.
    pub(super) fn release(&mut self, key: &str) {
        if self.known.get(key).is_some_and(|known| known.answer.is_none()) {
            self.known.remove(key);
            self.ages.retain(|(_, aged)| aged != key);
        }
    }

    fn forget(&mut self, lifetime_ms: u64, now: Timestamp) {
        while let Some((since, key)) = self.ages.front() {
            if elapsed_ms(*since, now) < lifetime_ms {
                return;
            }
            self.known.remove(key);
            self.ages.pop_front();
        }
    }
}
