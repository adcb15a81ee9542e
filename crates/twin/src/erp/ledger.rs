//! What the back office did, for a judge: counts, one entry for each change, and a file of lines that outlives the
//! process. A change is in the file before it is answered.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result};
use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::books::{Item, Sale};
use super::credit::CreditNote;
use super::payments::Payment;

/// How many doubled references are named.
const DOUBLED_NAMED_MAX: usize = 100;

/// Counts since the start (and since the ledger file's start, where one was read).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Ledger {
    /// All but those to `/twin/`.
    pub requests: u64,
    pub creates: u64,
    pub amends: u64,
    pub confirms: u64,
    pub cancels: u64,
    pub items_added: u64,
    /// Answered from memory because of an idempotency key.
    pub replays: u64,
    /// Distinct references.
    pub references: u64,
    /// References with more than one sale.
    pub doubled: u64,
    pub doubled_references: Vec<String>,
    /// By code.
    pub refusals: BTreeMap<&'static str, u64>,
    /// By name.
    pub faults: BTreeMap<&'static str, u64>,
    /// Late applies that are still to come.
    pub late_pending: u64,
    pub late_applied: u64,
    pub credit_notes: u64,
    /// By currency.
    pub credited: BTreeMap<String, Decimal>,
    pub payments: u64,
    /// By currency.
    pub paid: BTreeMap<String, Decimal>,
    /// Gross of all sales that are not cancelled, by currency.
    pub gross: BTreeMap<String, Decimal>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Deed {
    Create,
    Amend,
    Confirm,
    Cancel,
}

/// One change of one sale.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Entry {
    pub at: Timestamp,
    pub what: Deed,
    pub sale: u64,
    pub reference: String,
    pub version: u32,
    pub currency: String,
    pub gross: Decimal,
}

/// One line of the file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub enum LedgerLine {
    Sale { at: Timestamp, what: Deed, sale: Box<Sale> },
    Credit { at: Timestamp, credit_note: Box<CreditNote> },
    Payment { at: Timestamp, payment: Box<Payment> },
    Item { at: Timestamp, item: Item },
}

impl Entry {
    pub(super) fn of(what: Deed, sale: &Sale) -> Self {
        Self {
            at: sale.updated_at,
            what,
            sale: sale.id,
            reference: sale.content.reference.clone(),
            version: sale.version,
            currency: sale.content.currency.clone(),
            gross: sale.totals.gross,
        }
    }
}

impl Ledger {
    pub(super) fn credited(&mut self, note: &CreditNote) {
        self.credit_notes += 1;
        *self.credited.entry(note.currency.clone()).or_default() += note.total;
    }

    pub(super) fn paid(&mut self, payment: &Payment) {
        self.payments += 1;
        *self.paid.entry(payment.currency.clone()).or_default() += payment.amount;
    }

    /// Counts a change; `before` is the gross that counted until now, `sales_of_reference` what there are now.
    pub(super) fn count(&mut self, entry: &Entry, before: Decimal, sales_of_reference: usize) {
        let gross = self.gross.entry(entry.currency.clone()).or_default();
        match entry.what {
            Deed::Create => self.creates += 1,
            Deed::Amend => self.amends += 1,
            Deed::Confirm => self.confirms += 1,
            Deed::Cancel => self.cancels += 1,
        }
        *gross -= before;
        if entry.what != Deed::Cancel {
            *gross += entry.gross;
        }
        if entry.what != Deed::Create {
            return;
        }
        match sales_of_reference {
            1 => self.references += 1,
            2 => {
                self.doubled += 1;
                if self.doubled_references.len() < DOUBLED_NAMED_MAX {
                    self.doubled_references.push(entry.reference.clone());
                }
            }
            _ => {}
        }
    }
}

/// The file, opened to append.
#[derive(Debug)]
pub(super) struct LedgerFile(File);

impl LedgerFile {
    /// A last line that was cut when the process died is taken away: it was never answered.
    pub(super) fn open(path: &Path) -> Result<Self> {
        let opened = || -> std::io::Result<File> {
            let file = OpenOptions::new().create(true).append(true).open(path)?;
            let text = std::fs::read(path)?;
            let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
            file.set_len(whole as u64)?;
            Ok(file)
        };
        Ok(Self(opened().with_context(|| format!("the ledger file {} cannot be opened", path.display()))?))
    }

    /// One write, so that lines never interleave.
    pub(super) fn append(&mut self, mut line: Vec<u8>) -> Result<()> {
        line.push(b'\n');
        self.0.write_all(&line).context("the ledger file cannot be written")
    }
}

/// Reads a ledger file, also one whose last line was cut when the process died.
pub fn read_ledger_file(path: &Path) -> Result<Vec<LedgerLine>> {
    let text =
        std::fs::read(path).with_context(|| format!("the ledger file {} cannot be read", path.display()))?;
    let mut lines: Vec<&[u8]> = text.split(|byte| *byte == b'\n').collect();
    // What stands behind the last line break was not finished, and so not answered.
    lines.pop();
    let parsed = lines.into_iter().enumerate().map(|(index, line)| {
        serde_json::from_slice(line)
            .with_context(|| format!("line {} of the ledger file {} is damaged", index + 1, path.display()))
    });
    parsed.collect()
}
