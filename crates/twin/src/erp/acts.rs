//! What a call does to the books, and what is counted and written down for it. Called under the office's lock: no
//! waiting, no files.

use anyhow::{Context, Result};
use bytes::Bytes;
use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::Serialize;
use serde_json::{Value, json};

use super::answer::Answer;
use super::books::{Books, Item, Sale, SaleState};
use super::call::Call;
use super::content::{Content, json as read_json};
use super::credit::CreditNotes;
use super::fields::Fields;
use super::idempotency::Keys;
use super::knobs::Knobs;
use super::ledger::{Deed, Entry, Ledger, LedgerLine};
use super::office::Asked;
use super::payments::Payments;
use super::prices;
use super::refusal::{Code, Refusal};

#[derive(Debug, Default)]
pub(super) struct Inner {
    pub(super) books: Books,
    pub(super) ledger: Ledger,
    pub(super) entries: Vec<Entry>,
    pub(super) keys: Keys,
    pub(super) credit: CreditNotes,
    pub(super) payments: Payments,
}

/// What a call came to, and the change that it made.
pub(super) struct Done {
    pub(super) answer: Answer,
    pub(super) line: Option<Vec<u8>>,
}

impl Inner {
    pub(super) fn perform(
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
            Call::PostCreditNote => {
                let note = self.credit.post(&asked.body, &self.books, knobs.credit_any_sale, now)?;
                let answer = Answer::json(201, &json!(note));
                self.ledger.credited(note);
                let line = LedgerLine::Credit { at: now, credit_note: Box::new(note.clone()) };
                Ok(Done { answer, line: serde_json::to_vec(&line).ok() })
            }
            Call::CreditNote(id) => Ok(Done::read(Answer::json(200, &json!(self.credit.one(*id)?)))),
            Call::FindCreditNotes { reference, page } => {
                let found = self.credit.find(reference.as_deref());
                Ok(Done::read(paged("credit_notes", &found, *page, knobs.page_size)))
            }
            Call::BookPayment => {
                let payment = self.payments.book(&asked.body, &self.books, now)?;
                let answer = Answer::json(201, &json!(payment));
                self.ledger.paid(payment);
                let line = LedgerLine::Payment { at: now, payment: Box::new(payment.clone()) };
                Ok(Done { answer, line: serde_json::to_vec(&line).ok() })
            }
            Call::Payment(id) => Ok(Done::read(Answer::json(200, &json!(self.payments.one(*id)?)))),
            Call::FindPayments { reference, page } => {
                let found = self.payments.find(reference.as_deref());
                Ok(Done::read(paged("payments", &found, *page, knobs.page_size)))
            }
            Call::AskPrices => Ok(Done::read(Answer::json(200, &prices::asked(&asked.body)?))),
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

    pub(super) fn restore(&mut self, line: LedgerLine) -> Result<()> {
        match line {
            LedgerLine::Item { item, .. } => {
                self.books.items.insert(item.sku.clone(), item);
                self.ledger.items_added += 1;
            }
            LedgerLine::Credit { credit_note, .. } => {
                self.ledger.credited(&credit_note);
                self.credit.restore(*credit_note);
            }
            LedgerLine::Payment { payment, .. } => {
                self.ledger.paid(&payment);
                self.payments.restore(*payment);
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
