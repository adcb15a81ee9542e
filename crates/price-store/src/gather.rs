//! Takes the rows of a load in, in any order, and makes a draft of each list. Owns what is wrong with a row, and that one row
//! that is wrong refuses them all: a load is all or nothing.

use crate::block::{Block, Draft, Place};
use crate::error::PriceStoreError;
use crate::load::Mode;
use crate::names::{Names, Table, hash};
use crate::version::Version;
use crate::word::{Encoded, Value};
use pricing::{Price, Sku};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

/// One SKU of one list, with all that the list says of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row<'a> {
    pub list: Cow<'a, str>,
    pub sku: Cow<'a, str>,
    /// None: it has no price any more.
    pub price: Option<Price>,
    /// Where it stands in its file, from 1.
    pub line: Option<u64>,
}

/// What is wrong with a row, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowFault {
    pub line: Option<u64>,
    /// For a person: the field, what is wrong, what to write.
    pub what: String,
}

impl fmt::Display for RowFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "line {line}: {}", self.what),
            None => f.write_str(&self.what),
        }
    }
}

/// Faults are told one by one up to here, and counted after.
const FAULTS_MAX: usize = 100;
const LIST_ID_CHARS_MAX: usize = 255;

/// What was gathered.
#[derive(Debug)]
pub(crate) struct Gathered {
    /// The names that are new.
    pub(crate) skus: Table,
    pub(crate) lists: Table,
    /// In the order of the lists' numbers. A draft that is a list as a whole lies below 0, one of changes upon all.
    pub(crate) drafts: Vec<Block>,
    pub(crate) rows: u64,
}

#[derive(Debug, Default)]
struct Rows {
    /// The SKU's number above, the word below.
    entries: Vec<u64>,
    side: Vec<u8>,
}

#[derive(Debug)]
struct Gatherer<'v> {
    version: &'v Version,
    whole: bool,
    skus: Table,
    lists: Table,
    by_list: BTreeMap<u32, Rows>,
    last_list: Option<(String, u32)>,
    faults: Vec<RowFault>,
    fault_count: u64,
    rows: u64,
}

pub(crate) fn gather<'r>(
    version: &Version,
    mode: &Mode,
    rows: impl Iterator<Item = Result<Row<'r>, RowFault>>,
) -> Result<Gathered, PriceStoreError> {
    let mut gatherer = Gatherer {
        version,
        whole: !matches!(mode, Mode::Changes),
        skus: Table::beginning_at(version.skus.len()),
        lists: Table::beginning_at(version.lists.len()),
        by_list: BTreeMap::new(),
        last_list: None,
        faults: Vec::new(),
        fault_count: 0,
        rows: 0,
    };
    let mut rows = rows;
    let (mut some, mut hashes) = (Vec::with_capacity(AHEAD), Vec::with_capacity(AHEAD));
    loop {
        some.extend(rows.by_ref().take(AHEAD));
        if some.is_empty() {
            break;
        }
        gatherer.read_ahead(&some, &mut hashes);
        for row in some.drain(..) {
            let line = row.as_ref().map_or(None, |row| row.line);
            match row {
                Ok(row) => match gatherer.take(row)? {
                    Ok(()) => gatherer.rows += 1,
                    Err(what) => gatherer.fault(RowFault { line, what }),
                },
                Err(fault) => gatherer.fault(fault),
            }
        }
    }
    gatherer.lists_without_rows(mode)?;
    gatherer.end()
}

/// So many rows are looked up at once.
const AHEAD: usize = 64;

impl Gatherer<'_> {
    fn read_ahead(&self, rows: &[Result<Row<'_>, RowFault>], hashes: &mut Vec<u64>) {
        hashes.clear();
        hashes.extend(rows.iter().flatten().filter_map(|row| Some(hash(&Sku::spell(&row.sku).ok()?))));
        self.version.skus.read_ahead(hashes);
        self.skus.read_ahead(hashes);
    }

    fn fault(&mut self, fault: RowFault) {
        self.fault_count += 1;
        if self.faults.len() < FAULTS_MAX {
            self.faults.push(fault);
        }
    }

    fn take(&mut self, row: Row<'_>) -> Result<Result<(), String>, PriceStoreError> {
        let sku = match Sku::spell(&row.sku) {
            Ok(sku) => sku,
            Err(fault) => return Ok(Err(fault.to_string())),
        };
        let price = match row.price.as_ref().map(Encoded::of).transpose() {
            Ok(price) => price,
            Err(fault) => return Ok(Err(format!("SKU {sku} of list {}: {fault}", row.list))),
        };
        let list = match self.list(&row.list)? {
            Ok(list) => list,
            Err(what) => return Ok(Err(what)),
        };
        // A snapshot is of the list even where its only row says that something is gone.
        let rows = self.by_list.entry(list).or_default();
        let Some(sku) = number_of(&self.version.skus, &mut self.skus, &sku, price.is_some())? else {
            return Ok(Ok(()));
        };
        let value = price.as_ref().map_or(Value::Gone, Encoded::value);
        let word = value.put(&mut rows.side).ok_or(PriceStoreError::ListFull)?;
        rows.entries.push(u64::from(sku) << 32 | u64::from(word));
        Ok(Ok(()))
    }

    fn list(&mut self, id: &str) -> Result<Result<u32, String>, PriceStoreError> {
        let id = id.trim();
        if let Some((last, number)) = &self.last_list
            && last == id
        {
            return Ok(Ok(*number));
        }
        if id.is_empty() || id.chars().count() > LIST_ID_CHARS_MAX || id.chars().any(char::is_control) {
            return Ok(Err(
                "the list's id is empty, or longer than 255 characters, or has a control character".into(),
            ));
        }
        let number = number_of(&self.version.lists, &mut self.lists, id, true)?.unwrap_or_default();
        self.last_list = Some((id.to_owned(), number));
        Ok(Ok(number))
    }

    /// A snapshot says of lists that have no row that they are empty.
    fn lists_without_rows(&mut self, mode: &Mode) -> Result<(), PriceStoreError> {
        match mode {
            Mode::Changes => {}
            Mode::Lists(ids) => {
                for id in ids {
                    match self.list(id)? {
                        Ok(list) => drop(self.by_list.entry(list).or_default()),
                        Err(what) => self.fault(RowFault { line: None, what }),
                    }
                }
            }
            Mode::All => {
                for list in 0..self.version.lists.len() {
                    self.by_list.entry(list).or_default();
                }
            }
        }
        Ok(())
    }

    fn end(mut self) -> Result<Gathered, PriceStoreError> {
        let mut drafts = Vec::with_capacity(self.by_list.len());
        while let Some((list, rows)) = self.by_list.pop_first() {
            drafts.push(self.draft(list, rows)?);
        }
        if self.fault_count > 0 {
            return Err(PriceStoreError::Rows { faults: self.faults, count: self.fault_count });
        }
        Ok(Gathered { skus: self.skus, lists: self.lists, drafts, rows: self.rows })
    }

    /// Of a SKU that comes twice, the last row counts among changes; in a snapshot nobody knows which is meant.
    fn draft(&mut self, list: u32, rows: Rows) -> Result<Block, PriceStoreError> {
        let Rows { mut entries, side } = rows;
        let sku = |entry: u64| (entry >> 32) as u32;
        if !entries.is_sorted_by_key(|entry| sku(*entry)) {
            entries.sort_by_key(|entry| sku(*entry));
        }
        let mut draft = Draft::default();
        let mut live = 0;
        for (place, entry) in entries.iter().enumerate() {
            if entries.get(place + 1).is_some_and(|next| sku(*next) == sku(*entry)) {
                if self.whole {
                    self.twice(list, sku(*entry));
                }
                continue;
            }
            let Some(value) = Value::of(*entry as u32, &side) else { continue };
            if self.whole && value == Value::Gone {
                continue;
            }
            live += u32::from(value != Value::Gone);
            draft.push(sku(*entry), value)?;
        }
        let below = if self.whole { 0 } else { u32::MAX };
        Ok(draft.build(list, Place { ordinal: u32::MAX, below }, live))
    }

    fn twice(&mut self, list: u32, sku: u32) {
        let list = self.version.lists.name(list).or_else(|| self.lists.named(list)).unwrap_or_default();
        let sku = self.version.skus.name(sku).or_else(|| self.skus.named(sku)).unwrap_or_default();
        let what = format!(
            "SKU {sku} comes twice in list {list}: write each once; tiers and windows of one SKU stand one below the other"
        );
        self.fault(RowFault { line: None, what });
    }
}

fn number_of(names: &Names, new: &mut Table, name: &str, add: bool) -> Result<Option<u32>, PriceStoreError> {
    let hash = hash(name);
    if let Some(number) = names.find_hashed(name, hash).or_else(|| new.find(name, hash)) {
        return Ok(Some(number));
    }
    if add { Ok(Some(new.add(name, hash)?)) } else { Ok(None) }
}
