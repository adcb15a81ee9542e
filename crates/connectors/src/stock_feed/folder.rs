//! A folder that files of levels are dropped into, one below it for each shop. Owns which file is taken and when: never one
//! that still grows, each as a whole or not at all, each once, whatever ends the process in the middle. What stands in a file
//! is `domains::inventory::drop`'s.
//!
//! ```text
//! FOLDER/acme/stock.csv            dropped
//! FOLDER/acme/taking/stock.csv     whole, looked at, and being taken: the point says how much of it is committed
//! FOLDER/acme/done/stock.csv       taken to its last level
//! FOLDER/acme/refused/stock.csv    nothing of it was taken; stock.csv.why.txt says where and why
//! ```

use super::{TOPIC, code};
use crate::dropped::{self, DONE, Looks, REFUSED, TAKING, digest, first, moved, name_of, refused};
use connector::port::{Changes, Fed};
use domains::inventory::drop::{Defaults, Levels, Told, check, payload};
use domains::inventory::path;
use jiff::Timestamp;
use kernel::fault::{Fault, FaultKind};
use kernel::id::ShopId;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Levels that are given at once.
const PAGE: usize = 1_000;
#[derive(Debug)]
pub(super) struct Folder {
    root: PathBuf,
    /// Of files that name none.
    location: Option<String>,
    shops: Mutex<BTreeMap<ShopId, Shop>>,
}

/// What is known of one shop's folder, for as long as the process lives.
#[derive(Debug, Default)]
struct Shop {
    looks: Looks,
    open: Option<Open>,
}

/// A file that is being given.
#[derive(Debug)]
struct Open {
    point: Point,
    levels: Levels<BufReader<File>>,
}

/// How much of which file was given; as a feed's point it is kept where all before it is committed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Point {
    file: String,
    sha256: String,
    levels: u64,
    ended: bool,
}

impl Folder {
    pub(super) fn new(root: PathBuf, location: Option<String>) -> Self {
        Self { root, location, shops: Mutex::default() }
    }

    fn shops(&self) -> MutexGuard<'_, BTreeMap<ShopId, Shop>> {
        self.shops.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next levels after a point. Reads files: it blocks.
    pub(super) fn changes(
        &self,
        shop: &ShopId,
        after: Option<&str>,
        now: Timestamp,
    ) -> Result<Changes, Fault> {
        let at = self.root.join(shop.as_str());
        dropped::made(&self.root, &at).map_err(|error| unusable(&at, &error))?;
        let point: Option<Point> = after.and_then(|text| serde_json::from_str(text).ok());
        let mut shops = self.shops();
        let known = shops.entry(shop.clone()).or_default();
        loop {
            let taking = first(&at.join(TAKING)).map_err(|error| unusable(&at, &error))?;
            let Some(file) = taking else {
                let settled = known.looks.settled(&at, now).map_err(|error| unusable(&at, &error))?;
                let Some(file) = settled else {
                    let next = after.unwrap_or_default().to_owned();
                    return Ok(Changes { items: Vec::new(), next, more: false });
                };
                let taken = at.join(TAKING).join(file.file_name().unwrap_or_default());
                fs::rename(&file, taken).map_err(|error| unusable(&at, &error))?;
                continue;
            };
            match self.page(known, &file, point.as_ref()) {
                Ok(Some(changes)) => return Ok(changes),
                Ok(None) => {
                    known.open = None;
                    moved(&file, &at.join(DONE)).map_err(|error| unusable(&at, &error))?;
                }
                Err(Unread::Io(error)) => {
                    known.open = None;
                    return Err(unusable(&at, &error));
                }
                Err(Unread::Refused(why)) => {
                    known.open = None;
                    let refused = refused(&file, &at.join(REFUSED), &why);
                    return Err(refused.map_or_else(
                        |error| unusable(&at, &error),
                        |what| Fault::new(FaultKind::Rejected, code::FILE_REFUSED, what),
                    ));
                }
            }
        }
    }

    /// The next levels of a file; `None`: all of it is committed.
    fn page(&self, known: &mut Shop, file: &Path, point: Option<&Point>) -> Result<Option<Changes>, Unread> {
        let name = name_of(file);
        let here = point.filter(|point| point.file == name);
        let is_next = |open: &Open| match here {
            Some(here) => open.point == *here,
            None => open.point.file == name && open.point.levels == 0 && !open.point.ended,
        };
        if !known.open.as_ref().is_some_and(is_next) {
            known.open = Some(self.opened(file, name, here)?);
        }
        let Some(open) = &mut known.open else { return Ok(None) };
        if open.point.ended {
            return Ok(None);
        }
        let mut items = Vec::with_capacity(PAGE);
        for told in open.levels.by_ref().take(PAGE) {
            // It was looked at from end to end, and nobody may write to it since.
            let told = told.map_err(|fault| {
                let given = open.point.levels;
                Unread::Refused(format!(
                    "it was changed while it was taken, and {given} levels of it are: {fault}"
                ))
            })?;
            items.push(fed(&told));
        }
        open.point.levels += items.len() as u64;
        open.point.ended = items.len() < PAGE;
        let next = serde_json::to_string(&open.point).map_err(io::Error::from)?;
        Ok(Some(Changes { items, next, more: true }))
    }

    /// A file from its first level on, once all of it was looked at; or from where it was left.
    fn opened(&self, file: &Path, name: String, here: Option<&Point>) -> Result<Open, Unread> {
        let written = Timestamp::try_from(fs::metadata(file)?.modified()?).unwrap_or(Timestamp::UNIX_EPOCH);
        let defaults = Defaults { location: self.location.clone(), changed_at: Some(written) };
        let sha256 = digest(file)?;
        let reader = || File::open(file).map(|file| BufReader::with_capacity(1 << 16, file));
        let here = here.filter(|point| point.sha256 == sha256);
        if here.is_none() {
            check(reader()?, &defaults).map_err(|refused| Unread::Refused(refused.to_string()))?;
        }
        let levels = Levels::new(reader()?, &defaults).map_err(|fault| Unread::Refused(fault.to_string()))?;
        let mut open = Open { point: Point { file: name, sha256, levels: 0, ended: false }, levels };
        if let Some(here) = here {
            open.point = here.clone();
            for told in open.levels.by_ref().take(usize::try_from(here.levels).unwrap_or(usize::MAX)) {
                told.map_err(|fault| Unread::Refused(fault.to_string()))?;
            }
        }
        Ok(open)
    }
}

enum Unread {
    Io(io::Error),
    /// What to write beside the file.
    Refused(String),
}

impl From<io::Error> for Unread {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

fn fed(told: &Told) -> Fed {
    let stock = &told.stock;
    Fed {
        path: path(&stock.sku, &stock.location),
        topic: TOPIC.to_owned(),
        // Where the file numbers nothing, time does.
        sequence: told.version.unwrap_or_else(|| stock.changed_at.as_millisecond().max(0)),
        payload: payload(stock),
        change: None,
    }
}

fn unusable(at: &Path, error: &io::Error) -> Fault {
    let what = format!("{}: {error}", at.display());
    Fault::new(FaultKind::Transient, code::FOLDER, what)
}

#[cfg(test)]
mod tests;
