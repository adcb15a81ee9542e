//! The books: items, parties and sales, and the rules by which a sale is taken, changed, confirmed and cancelled. No
//! clock, no network, no faults: the same calls give the same books.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::clock::elapsed_ms;
use super::content::{Content, SaleLine, SaleTotals};
use super::knobs::Knobs;
use super::refusal::{Code, Refusal};
use crate::shop::Currency;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sale {
    pub id: u64,
    /// `SO-000001`.
    pub number: String,
    /// 1 at first; each change adds one.
    pub version: u32,
    pub state: SaleState,
    #[serde(flatten)]
    pub content: Content,
    /// As computed here.
    pub totals: SaleTotals,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub confirmed_at: Option<Timestamp>,
    pub cancelled_at: Option<Timestamp>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SaleState {
    Draft,
    Confirmed,
    Cancelled,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    pub sku: String,
    pub description: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartyCard {
    pub code: String,
    pub name: String,
}

#[derive(Debug, Default)]
pub(super) struct Books {
    /// The sale with id n is at n - 1.
    sales: Vec<Sale>,
    by_reference: BTreeMap<String, Vec<u64>>,
    pub(super) items: BTreeMap<String, Item>,
    pub(super) parties: BTreeMap<String, PartyCard>,
    pub(super) payment_terms: BTreeSet<String>,
    /// Empty: any rate is known.
    pub(super) tax_rates: BTreeSet<Decimal>,
}

/// Which sales a look-up asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) reference: Option<String>,
    /// By `ordered_at`, or `created_at` where there is none; from is in, until is out.
    pub(super) ordered_from: Option<Timestamp>,
    pub(super) ordered_until: Option<Timestamp>,
}

impl Books {
    pub(super) fn create(
        &mut self,
        content: Content,
        knobs: &Knobs,
        now: Timestamp,
    ) -> Result<&Sale, Refusal> {
        let totals = self.checked(&content, knobs)?;
        let same = self.by_reference.entry(content.reference.clone()).or_default();
        if knobs.unique_reference && !same.is_empty() {
            let message = format!("reference {} has sale {} already", content.reference, same[0]);
            return Err(Refusal::of_field(Code::DuplicateReference, "reference", message));
        }
        let id = self.sales.len() as u64 + 1;
        same.push(id);
        self.sales.push(Sale {
            id,
            number: format!("SO-{id:06}"),
            version: 1,
            state: SaleState::Draft,
            content,
            totals,
            created_at: now,
            updated_at: now,
            confirmed_at: None,
            cancelled_at: None,
        });
        self.sale(id)
    }

    /// Replaces what the sale says. Only a draft can be amended, and only by who has seen its version.
    pub(super) fn amend(
        &mut self,
        id: u64,
        body: &[u8],
        seen: Option<u32>,
        knobs: &Knobs,
        now: Timestamp,
    ) -> Result<&Sale, Refusal> {
        let sale = self.sale(id)?;
        let Some(seen) = seen else {
            return Err(Refusal::new(
                Code::VersionRequired,
                "an amendment needs If-Match with the version it is of",
            ));
        };
        if seen != sale.version {
            let message = format!("sale {id} is at version {}, not {seen}", sale.version);
            return Err(Refusal::new(Code::VersionMismatch, message));
        }
        match sale.state {
            SaleState::Draft => {}
            SaleState::Confirmed => {
                return Err(Refusal::new(
                    Code::NotDraft,
                    format!("sale {id} is confirmed and can no longer change"),
                ));
            }
            SaleState::Cancelled => return Err(cancelled(id)),
        }
        let content = sale.content.amended(body)?;
        let totals = self.checked(&content, knobs)?;
        self.change(id, now, |sale| {
            sale.content = content;
            sale.totals = totals;
        })
    }

    /// Not idempotent: the second time is an error.
    pub(super) fn confirm(&mut self, id: u64, now: Timestamp) -> Result<&Sale, Refusal> {
        match self.sale(id)?.state {
            SaleState::Draft => {}
            SaleState::Confirmed => {
                return Err(Refusal::new(Code::AlreadyConfirmed, format!("sale {id} is confirmed already")));
            }
            SaleState::Cancelled => return Err(cancelled(id)),
        }
        self.change(id, now, |sale| {
            sale.state = SaleState::Confirmed;
            sale.confirmed_at = Some(now);
        })
    }

    pub(super) fn cancel(&mut self, id: u64, now: Timestamp) -> Result<&Sale, Refusal> {
        if self.sale(id)?.state == SaleState::Cancelled {
            return Err(cancelled(id));
        }
        self.change(id, now, |sale| {
            sale.state = SaleState::Cancelled;
            sale.cancelled_at = Some(now);
        })
    }

    pub(super) fn add_item(&mut self, item: Item) -> Result<(), Refusal> {
        if self.items.contains_key(&item.sku) {
            let message = format!("item {:?} exists already", item.sku);
            return Err(Refusal::of_field(Code::DuplicateItem, "sku", message));
        }
        self.items.insert(item.sku.clone(), item);
        Ok(())
    }

    pub(super) fn sale(&self, id: u64) -> Result<&Sale, Refusal> {
        let index = usize::try_from(id).ok().and_then(|id| id.checked_sub(1));
        let sale = index.and_then(|index| self.sales.get(index));
        sale.ok_or_else(|| Refusal::new(Code::NotFound, format!("there is no sale {id}")))
    }

    pub(super) fn sales(&self) -> &[Sale] {
        &self.sales
    }

    pub(super) fn count_of(&self, reference: &str) -> usize {
        self.by_reference.get(reference).map_or(0, Vec::len)
    }

    pub(super) fn references(&self) -> impl Iterator<Item = (&str, &[u64])> {
        self.by_reference.iter().map(|(reference, ids)| (reference.as_str(), ids.as_slice()))
    }

    /// In the order of their ids. Sales younger than the lag are not seen yet.
    pub(super) fn find(&self, wanted: &Wanted, lag_ms: u64, now: Timestamp) -> Vec<&Sale> {
        let seen = |sale: &&Sale| lag_ms == 0 || elapsed_ms(sale.created_at, now) >= lag_ms;
        let ordered = |sale: &&Sale| {
            let at = sale.content.ordered_at.unwrap_or(sale.created_at);
            wanted.ordered_from.is_none_or(|from| at >= from)
                && wanted.ordered_until.is_none_or(|until| at < until)
        };
        match &wanted.reference {
            Some(reference) => {
                let ids = self.by_reference.get(reference).map_or(&[][..], Vec::as_slice);
                ids.iter().filter_map(|id| self.sale(*id).ok()).filter(seen).filter(ordered).collect()
            }
            None => self.sales.iter().filter(seen).filter(ordered).collect(),
        }
    }

    /// Puts back a sale as a ledger file has it; an older state than the one known is left aside.
    pub(super) fn restore(&mut self, sale: Sale) -> Result<(), Refusal> {
        let (id, known) = (sale.id, self.sales.len() as u64);
        if id == known + 1 {
            self.by_reference.entry(sale.content.reference.clone()).or_default().push(id);
            self.sales.push(sale);
        } else if self.sale(id)?.version <= sale.version {
            self.change(id, sale.updated_at, |old| *old = sale)?;
        }
        Ok(())
    }

    fn change(&mut self, id: u64, now: Timestamp, how: impl FnOnce(&mut Sale)) -> Result<&Sale, Refusal> {
        let index = usize::try_from(id).ok().and_then(|id| id.checked_sub(1));
        if let Some(sale) = index.and_then(|index| self.sales.get_mut(index)) {
            sale.version += 1;
            sale.updated_at = now;
            how(sale);
        }
        self.sale(id)
    }

    /// What a real back office would turn down, in the order in which it looks; else the totals.
    fn checked(&self, content: &Content, knobs: &Knobs) -> Result<SaleTotals, Refusal> {
        let refused = |field: &str, message: &str| Err(Refusal::of_field(Code::Refused, field, message));
        let names = [Some(&content.reference), content.order_number.as_ref()];
        if names.into_iter().flatten().any(|name| knobs.refuse.contains(name)) {
            return refused("reference", "this sale is refused, now and for ever");
        }
        let unknown = |code, field: &str, message: String| Err(Refusal::of_field(code, field, message));
        if !self.parties.contains_key(&content.party) {
            return unknown(Code::UnknownParty, "party", format!("there is no party {:?}", content.party));
        }
        if knobs.blocked_parties.contains(&content.party) {
            return unknown(Code::PartyBlocked, "party", format!("party {} is blocked", content.party));
        }
        let Some(currency) = Currency::of(&content.currency) else {
            return unknown(
                Code::UnknownCurrency,
                "currency",
                format!("there is no currency {:?}", content.currency),
            );
        };
        if let Some(term) = content.payment_term.as_ref().filter(|term| !self.payment_terms.contains(*term)) {
            return unknown(
                Code::UnknownPaymentTerm,
                "payment_term",
                format!("there is no payment term {term:?}"),
            );
        }
        let po_number_chars = content.po_number.as_ref().map_or(0, |text| text.chars().count());
        if po_number_chars > knobs.po_number_chars_max {
            let message = format!("{po_number_chars} characters, at most {} fit", knobs.po_number_chars_max);
            return refused("po_number", &message);
        }
        if let (Some(closed), Some(ordered_at)) = (knobs.books_closed_until, content.ordered_at)
            && ordered_at < closed
        {
            return unknown(Code::ClosedPeriod, "ordered_at", format!("the books are closed until {closed}"));
        }
        self.checked_lines(content, knobs)?;
        let totals = totals(content, currency);
        if knobs.check_totals && content.stated_totals.is_some_and(|stated| stated != totals) {
            let message =
                format!("net {}, tax {}, gross {} were expected", totals.net, totals.tax, totals.gross);
            return unknown(Code::TotalsMismatch, "totals", message);
        }
        Ok(totals)
    }

    fn checked_lines(&self, content: &Content, knobs: &Knobs) -> Result<(), Refusal> {
        for (index, line) in content.lines.iter().enumerate() {
            if !knobs.accept_any_item && !self.items.contains_key(&line.sku) {
                let message = format!("there is no item {:?}", line.sku);
                return Err(Refusal::of_field(Code::UnknownItem, format!("lines[{index}].sku"), message));
            }
            let unknown = line
                .tax_rates
                .iter()
                .find(|rate| !self.tax_rates.is_empty() && !self.tax_rates.contains(rate));
            if let Some(rate) = unknown {
                let message = format!("there is no tax of {rate}");
                return Err(Refusal::of_field(Code::UnknownTax, format!("lines[{index}].tax_rate"), message));
            }
        }
        Ok(())
    }
}

impl Books {
    /// Somebody puts another price on a sale's first line, whatever its state: no rule of a caller's holds for him.
    pub(super) fn misprice(&mut self, reference: &str, by: Decimal, now: Timestamp) -> bool {
        let id = self.by_reference.get(reference).and_then(|ids| ids.first()).copied();
        let sale = id.and_then(|id| self.sales.get_mut(usize::try_from(id).ok()?.checked_sub(1)?));
        let Some(sale) = sale else { return false };
        let Some(currency) = Currency::of(&sale.content.currency) else { return false };
        let Some(line) = sale.content.lines.first_mut() else { return false };
        line.unit_price += by;
        sale.totals = totals(&sale.content, currency);
        sale.version += 1;
        sale.updated_at = now;
        true
    }
}

fn cancelled(id: u64) -> Refusal {
    Refusal::new(Code::AlreadyCancelled, format!("sale {id} is cancelled"))
}

/// Line by line, each amount to the minor unit of the currency.
fn totals(content: &Content, currency: Currency) -> SaleTotals {
    let mut totals = SaleTotals::default();
    for line in &content.lines {
        let base = currency.round(line.quantity * line.unit_price) - line.discount;
        let tax = line.tax.unwrap_or_else(|| tax(line, base, content.tax_included, currency));
        totals.net += if content.tax_included { base - tax } else { base };
        totals.tax += tax;
    }
    totals.net = currency.round(totals.net);
    totals.tax = currency.round(totals.tax);
    totals.gross = totals.net + totals.tax;
    totals
}

fn tax(line: &SaleLine, base: Decimal, included: bool, currency: Currency) -> Decimal {
    let sum: Decimal = line.tax_rates.iter().sum();
    let divisor = if included { Decimal::ONE + sum } else { Decimal::ONE };
    line.tax_rates.iter().map(|rate| currency.round(base * rate / divisor)).sum()
}
