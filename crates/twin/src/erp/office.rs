//! Carries out calls: the books, the ledger and the idempotency keys behind one lock that is held for no longer than a
//! change takes, and the ledger's file behind another.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Result;
use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;
use tokio::sync::watch;

use super::acts::{Done, Inner};
use super::answer::Answer;
use super::books::Sale;
use super::call::Call;
use super::clock;
use super::config::ErpConfig;
use super::content::Content;
use super::credit::CreditNote;
use super::idempotency::{Seen, fingerprint};
use super::knobs::Knobs;
use super::ledger::{Entry, Ledger, LedgerFile, read_ledger_file};
use super::payments::Payment;
use super::refusal::{Code, Refusal};
use super::tokens::Tokens;

#[derive(Debug)]
pub(super) struct Office {
    pub(super) token: String,
    pub(super) client_secret: String,
    pub(super) token_life_s: u64,
    pub(super) tokens: Tokens,
    pub(super) seed: u64,
    pub(super) requests: AtomicU64,
    knobs: Mutex<Arc<Knobs>>,
    inner: Mutex<Inner>,
    file: Option<Mutex<LedgerFile>>,
    /// Counts changes and faults, for those who wait for one.
    pub(super) changes: watch::Sender<u64>,
    skew_ms: AtomicI64,
}

/// A request that was read.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) call: Call,
    pub(super) method: String,
    pub(super) path: String,
    pub(super) body: Bytes,
    pub(super) key: Option<String>,
    pub(super) seen_version: Option<u32>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Office {
    pub(super) fn open(config: &ErpConfig) -> Result<Self> {
        let mut inner = Inner::default();
        let books = &mut inner.books;
        books.items = config.items.iter().map(|item| (item.sku.clone(), item.clone())).collect();
        books.parties = config.parties.iter().map(|party| (party.code.clone(), party.clone())).collect();
        books.payment_terms = config.payment_terms.iter().cloned().collect();
        books.tax_rates = config.tax_rates.iter().copied().collect();
        let mut file = None;
        if let Some(path) = &config.ledger_file {
            if path.exists() {
                read_ledger_file(path)?.into_iter().try_for_each(|line| inner.restore(line))?;
            }
            file = Some(Mutex::new(LedgerFile::open(path)?));
        }
        Ok(Self {
            token: config.token.clone(),
            client_secret: config.client_secret.clone(),
            token_life_s: config.token_life_s,
            tokens: Tokens::default(),
            seed: config.seed,
            requests: AtomicU64::new(0),
            knobs: Mutex::new(Arc::new(Knobs::default())),
            inner: Mutex::new(inner),
            file,
            changes: watch::Sender::new(0),
            skew_ms: AtomicI64::new(0),
        })
    }

    pub(super) fn now(&self) -> Timestamp {
        let skew = SignedDuration::from_millis(self.skew_ms.load(Ordering::Relaxed));
        clock::now().checked_add(skew).unwrap_or(Timestamp::MAX)
    }

    pub(super) fn advance(&self, ms: i64) {
        self.skew_ms.fetch_add(ms, Ordering::Relaxed);
    }

    pub(super) fn knobs(&self) -> Arc<Knobs> {
        locked(&self.knobs).clone()
    }

    pub(super) fn set_knobs(&self, knobs: Knobs) {
        *locked(&self.knobs) = Arc::new(knobs);
    }

    pub(super) fn ledger(&self) -> Ledger {
        let mut ledger = locked(&self.inner).ledger.clone();
        ledger.requests = self.requests.load(Ordering::Relaxed);
        ledger
    }

    pub(super) fn entries(&self) -> Vec<Entry> {
        locked(&self.inner).entries.clone()
    }

    /// Sales with ids beyond `after`, at most so many.
    pub(super) fn sales(&self, after: u64, limit: usize) -> Vec<Sale> {
        let inner = locked(&self.inner);
        inner
            .books
            .sales()
            .iter()
            .skip(usize::try_from(after).unwrap_or(usize::MAX))
            .take(limit)
            .cloned()
            .collect()
    }

    pub(super) fn credit_notes(&self) -> Vec<CreditNote> {
        locked(&self.inner).credit.all().to_vec()
    }

    pub(super) fn payments(&self) -> Vec<Payment> {
        locked(&self.inner).payments.all().to_vec()
    }

    /// How often each reference was created.
    pub(super) fn sales_by_reference(&self) -> Vec<(String, usize)> {
        let inner = locked(&self.inner);
        inner.books.references().map(|(reference, ids)| (reference.to_owned(), ids.len())).collect()
    }

    pub(super) fn misprice(&self, reference: &str, by: Decimal) -> bool {
        let now = self.now();
        let done = locked(&self.inner).books.misprice(reference, by, now);
        self.changes.send_modify(|changes| *changes += 1);
        done
    }

    pub(super) fn count_fault(&self, name: &'static str) {
        *locked(&self.inner).ledger.faults.entry(name).or_default() += 1;
        self.changes.send_modify(|changes| *changes += 1);
    }

    pub(super) fn refuse(&self, refusal: &Refusal) -> Answer {
        *locked(&self.inner).ledger.refusals.entry(refusal.code.as_str()).or_default() += 1;
        Answer::refusal(refusal)
    }

    /// Keeps an idempotency key for a request that will be carried out later. False: the key is known, whether its
    /// request was carried out or is to be; nothing more will be.
    pub(super) fn reserve(&self, asked: &Asked) -> bool {
        let lifetime_ms = self.knobs().idempotency_lifetime_ms;
        let mut inner = locked(&self.inner);
        if let (Some(key), Some(lifetime_ms)) = (&asked.key, lifetime_ms) {
            let (print, now) = (fingerprint(&asked.method, &asked.path, &asked.body), self.now());
            if !matches!(inner.keys.look_up(key, print, lifetime_ms, now), Ok(Seen::Never)) {
                return false;
            }
            inner.keys.remember(key, print, None, now);
        }
        inner.ledger.late_pending += 1;
        true
    }

    pub(super) fn carry_out_late(&self, asked: &Asked) {
        {
            let mut inner = locked(&self.inner);
            inner.ledger.late_pending -= 1;
            inner.ledger.late_applied += 1;
            if let Some(key) = &asked.key {
                inner.keys.release(key);
            }
        }
        self.carry_out(asked, &self.knobs());
    }

    /// The answer as it is meant; by now the change is in the books and in the file.
    pub(super) fn carry_out(&self, asked: &Asked, knobs: &Knobs) -> Answer {
        let now = self.now();
        let content = match asked.call {
            Call::CreateSale => match Content::read(&asked.body) {
                Ok(content) => Some(content),
                Err(refusal) => return self.refuse(&refusal),
            },
            _ => None,
        };
        let key = match (&asked.key, knobs.idempotency_lifetime_ms) {
            (Some(key), Some(lifetime_ms)) if is_write(&asked.call) => {
                Some((key, fingerprint(&asked.method, &asked.path, &asked.body), lifetime_ms))
            }
            _ => None,
        };
        let mut inner = locked(&self.inner);
        if let Some((key, print, lifetime_ms)) = key {
            match inner.keys.look_up(key, print, lifetime_ms, now) {
                Ok(Seen::Never) => {}
                Ok(Seen::Before(answer)) => {
                    inner.ledger.replays += 1;
                    return answer.replayed();
                }
                Err(refusal) => {
                    drop(inner);
                    return self.refuse(&refusal);
                }
            }
        }
        let done = match inner.perform(asked, content, knobs, now, self.file.is_some()) {
            Ok(done) => done,
            Err(refusal) => {
                drop(inner);
                return self.refuse(&refusal);
            }
        };
        if let (Some((key, print, _)), true) = (key, done.answer.is_success()) {
            inner.keys.remember(key, print, Some(done.answer.clone()), now);
        }
        drop(inner);
        self.finish(&asked.call, done)
    }

    fn finish(&self, call: &Call, done: Done) -> Answer {
        if let (Some(file), Some(line)) = (&self.file, done.line)
            && let Err(error) = locked(file).append(line)
        {
            tracing::error!(%error, "the back office cannot write its ledger");
            return Answer::refusal(&Refusal::new(Code::InternalError, "the ledger cannot be written"));
        }
        if is_write(call) {
            self.changes.send_modify(|changes| *changes += 1);
        }
        done.answer
    }
}

fn is_write(call: &Call) -> bool {
    call.weight() != super::fate::Weight::Read
}
