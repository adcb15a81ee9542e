//! Carries out calls: the books, the ledger and the idempotency keys behind one lock that is held for no longer than a
//! change takes, and the ledger's file behind another.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::{Context, Result};
use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;
use serde::Serialize;
use serde_json::{Value, json};
use tokio::sync::watch;

use super::answer::Answer;
use super::books::{Books, Item, Sale, SaleState};
use super::call::Call;
use super::clock;
use super::config::ErpConfig;
use super::content::{Content, json as read_json};
use super::fields::Fields;
use super::idempotency::{Keys, Seen, fingerprint};
use super::knobs::Knobs;
use super::ledger::{Deed, Entry, Ledger, LedgerFile, LedgerLine, read_ledger_file};
use super::refusal::{Code, Refusal};

#[derive(Debug)]
pub(super) struct Office {
    pub(super) token: String,
    pub(super) seed: u64,
    pub(super) requests: AtomicU64,
    knobs: Mutex<Arc<Knobs>>,
    inner: Mutex<Inner>,
    file: Option<Mutex<LedgerFile>>,
    /// Counts changes and faults, for those who wait for one.
    pub(super) changes: watch::Sender<u64>,
    skew_ms: AtomicI64,
}

#[derive(Debug, Default)]
struct Inner {
    books: Books,
    ledger: Ledger,
    entries: Vec<Entry>,
    keys: Keys,
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

/// What a call came to, and the change that it made.
struct Done {
    answer: Answer,
    line: Option<Vec<u8>>,
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
            seed: config.seed,
            requests: AtomicU64::new(0),
            knobs: Mutex::new(Arc::new(config.knobs.clone())),
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

    /// How often each reference was created.
    pub(super) fn sales_by_reference(&self) -> Vec<(String, usize)> {
        let inner = locked(&self.inner);
        inner.books.references().map(|(reference, ids)| (reference.to_owned(), ids.len())).collect()
    }

    pub(super) fn count_fault(&self, name: &'static str) {
        *locked(&self.inner).ledger.faults.entry(name).or_default() += 1;
        self.changes.send_modify(|changes| *changes += 1);
    }

    pub(super) fn refuse(&self, refusal: &Refusal) -> Answer {
        *locked(&self.inner).ledger.refusals.entry(refusal.code.as_str()).or_default() += 1;
        Answer::refusal(refusal)
    }

    /// Keeps an idempotency key for a request that will be carried out later.
    pub(super) fn reserve(&self, asked: &Asked) {
        let mut inner = locked(&self.inner);
        inner.ledger.late_pending += 1;
        if let Some(key) = &asked.key {
            let print = fingerprint(&asked.method, &asked.path, &asked.body);
            inner.keys.remember(key, print, None, self.now());
        }
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

impl Inner {
    fn perform(
        &mut self,
        asked: &Asked,
        content: Option<Content>,
        knobs: &Knobs,
        now: Timestamp,
        with_line: bool,
    ) -> Result<Done, Refusal> {
        let seen = asked.seen_version;
        match &asked.call {
            Call::CreateSale => {
                let content = content.ok_or_else(|| Refusal::new(Code::BadRequest, "a sale was expected"))?;
                refuse_failing(knobs, &content)?;
                self.books.create(content, knobs, now)?;
                let id = self.books.sales().len() as u64;
                self.changed(Deed::Create, id, Decimal::ZERO, with_line)
            }
            Call::Amend(id) => self.on_sale(*id, knobs, Deed::Amend, with_line, |books| {
                books.amend(*id, &asked.body, seen, knobs, now).map(drop)
            }),
            Call::Confirm(id) => {
                self.on_sale(*id, knobs, Deed::Confirm, with_line, |books| books.confirm(*id, now).map(drop))
            }
            Call::Cancel(id) => {
                self.on_sale(*id, knobs, Deed::Cancel, with_line, |books| books.cancel(*id, now).map(drop))
            }
            Call::AddItem => self.add_item(&asked.body, now),
            Call::Sale(id) => sale_answer(200, self.books.sale(*id)?).map(Done::read),
            Call::FindSales { wanted, page } => {
                let found = self.books.find(wanted, knobs.look_up_lag_ms, now);
                Ok(Done::read(paged("sales", &found, *page, knobs.page_size)))
            }
            Call::FindItems { sku, page } => {
                let wanted = |item: &&Item| sku.as_ref().is_none_or(|sku| *sku == item.sku);
                let found: Vec<_> = self.books.items.values().filter(wanted).collect();
                Ok(Done::read(paged("items", &found, *page, knobs.page_size)))
            }
            Call::FindParties { code, page } => {
                let found: Vec<_> = self
                    .books
                    .parties
                    .values()
                    .filter(|party| code.as_ref().is_none_or(|code| *code == party.code))
                    .collect();
                Ok(Done::read(paged("parties", &found, *page, knobs.page_size)))
            }
            Call::Health => Ok(Done::read(Answer::json(200, &json!({ "status": "ok" })))),
        }
    }

    fn on_sale(
        &mut self,
        id: u64,
        knobs: &Knobs,
        deed: Deed,
        with_line: bool,
        act: impl FnOnce(&mut Books) -> Result<(), Refusal>,
    ) -> Result<Done, Refusal> {
        let sale = self.books.sale(id)?;
        refuse_failing(knobs, &sale.content)?;
        let before = sale.totals.gross;
        act(&mut self.books)?;
        self.changed(deed, id, before, with_line)
    }

    /// Counts the change and writes it down.
    fn changed(&mut self, deed: Deed, id: u64, before: Decimal, with_line: bool) -> Result<Done, Refusal> {
        let sale = self.books.sale(id)?;
        let entry = Entry::of(deed, sale);
        self.ledger.count(&entry, before, self.books.count_of(&sale.content.reference));
        let status = if deed == Deed::Create { 201 } else { 200 };
        let answer = sale_answer(status, sale)?;
        let line = with_line.then(|| sale_line(&entry, &answer.body));
        self.entries.push(entry);
        Ok(Done { answer, line })
    }

    fn add_item(&mut self, body: &[u8], now: Timestamp) -> Result<Done, Refusal> {
        let value = read_json(body)?;
        let fields = Fields::of(&value, "", &["sku", "description"])?;
        let sku = fields.text("sku", 64)?;
        let description = fields.text_or_null("description", 1000)?.unwrap_or_default();
        let item = Item { sku, description };
        self.books.add_item(item.clone())?;
        self.ledger.items_added += 1;
        let answer = Answer::json(201, &json!(item));
        let line = serde_json::to_vec(&LedgerLine::Item { at: now, item }).ok();
        Ok(Done { answer, line })
    }

    fn restore(&mut self, line: LedgerLine) -> Result<()> {
        match line {
            LedgerLine::Item { item, .. } => {
                self.books.items.insert(item.sku.clone(), item);
                self.ledger.items_added += 1;
            }
            LedgerLine::Sale { what, sale, .. } => {
                let known = self.books.sale(sale.id).ok().filter(|known| known.state != SaleState::Cancelled);
                let before = known.map_or(Decimal::ZERO, |known| known.totals.gross);
                let entry = Entry::of(what, &sale);
                let restored = self.books.restore(*sale);
                restored
                    .map_err(|refusal| anyhow::anyhow!(refusal.message))
                    .context("a line of the ledger file is missing")?;
                let count = self.books.count_of(&entry.reference);
                self.ledger.count(&entry, before, count);
                self.entries.push(entry);
            }
        }
        Ok(())
    }
}

impl Done {
    fn read(answer: Answer) -> Self {
        Self { answer, line: None }
    }
}

/// References that the knob makes fail for ever: nothing is done.
fn refuse_failing(knobs: &Knobs, content: &Content) -> Result<(), Refusal> {
    let names = [Some(&content.reference), content.order_number.as_ref()];
    if names.into_iter().flatten().any(|name| knobs.fail.contains(name)) {
        return Err(Refusal::new(Code::InternalError, "unexpected nil while pricing the sale"));
    }
    Ok(())
}

fn sale_answer(status: u16, sale: &Sale) -> Result<Answer, Refusal> {
    let written = serde_json::to_vec(sale);
    let body = written.map_err(|error| Refusal::new(Code::InternalError, error.to_string()))?;
    Ok(Answer::bytes(status, Bytes::from(body)).with_version(sale.version))
}

/// The answer's body is the sale already: it is not written twice.
fn sale_line(entry: &Entry, sale: &[u8]) -> Vec<u8> {
    let what = json!(entry.what);
    let mut line = format!("{{\"at\":\"{}\",\"what\":{what},\"sale\":", entry.at).into_bytes();
    line.extend_from_slice(sale);
    line.push(b'}');
    line
}

/// `{"sales": […], "page": 1, "total": 3, "next_page": 2}`.
fn paged<T: Serialize>(name: &str, found: &[T], page: usize, page_size: usize) -> Answer {
    let size = page_size.max(1);
    let start = (page - 1).saturating_mul(size);
    let shown: Vec<Value> = found.iter().skip(start).take(size).map(|one| json!(one)).collect();
    let more = start.saturating_add(size) < found.len();
    let next_page = more.then_some(page + 1);
    Answer::json(200, &json!({ name: shown, "page": page, "total": found.len(), "next_page": next_page }))
}
