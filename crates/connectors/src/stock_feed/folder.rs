//! A folder that files of stock are dropped into, of levels or of changes, one below it for each shop. Owns which file is taken and when:
//! never one that still grows, each as a whole or not at all, each once, whatever ends the process in the middle; and how a change is
//! known again that nothing in its file names. What stands in a file is `domains::inventory::drop`'s.
//!
//! ```text
//! FOLDER/acme/stock.csv            dropped
//! FOLDER/acme/taking/stock.csv     whole, looked at, and being taken: the point says how much of it is committed
//! FOLDER/acme/done/stock.csv       taken to its last line
//! FOLDER/acme/refused/stock.csv    nothing of it was taken; stock.csv.why.txt says where and why
//! ```
//!
//! Files that are all that there is are left for the full check ([`snapshots`]).

mod point;
mod snapshots;

use super::config::Snapshots;
use super::{TOPIC, code};
use crate::dropped::{self, DONE, Looks, REFUSED, TAKING, digest, first, moved, name_of, refused};
use connector::port::{Changes, Fed, FedChange};
use domains::inventory::drop::{Counted, Defaults, Lines, Says, Takes, Told, change_payload, check, payload};
use domains::inventory::{change, path};
use jiff::Timestamp;
use kernel::fault::{Fault, FaultKind};
use kernel::id::ShopId;
use point::{Point, copy_in};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Lines that are given at once.
const PAGE: usize = 1_000;

#[derive(Debug)]
pub(super) struct Folder {
    root: PathBuf,
    takes: Takes,
    /// Of files that name none.
    location: Option<String>,
    snapshots: Option<Snapshots>,
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
    lines: Lines<BufReader<File>>,
}

impl Folder {
    pub(super) fn new(
        root: PathBuf,
        takes: Takes,
        location: Option<String>,
        snapshots: Option<Snapshots>,
    ) -> Self {
        Self { root, takes, location, snapshots, shops: Mutex::default() }
    }

    fn is_snapshot(&self, file: &Path) -> bool {
        self.snapshots.as_ref().is_some_and(|snapshots| snapshots.names.fit(&name_of(file)))
    }

    fn shops(&self) -> MutexGuard<'_, BTreeMap<ShopId, Shop>> {
        self.shops.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the next lines tell after a point. Reads files: it blocks.
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
                let seen = known.looks.look(&at, now).map_err(|error| unusable(&at, &error))?;
                let settled =
                    seen.into_iter().filter(|seen| seen.is_still && !self.is_snapshot(&seen.path)).min();
                let Some(file) = settled.map(|seen| seen.path) else {
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

    /// The next lines of a file; `None`: all of it is committed.
    fn page(&self, known: &mut Shop, file: &Path, point: Option<&Point>) -> Result<Option<Changes>, Unread> {
        let name = name_of(file);
        let here = point.filter(|point| point.file == name);
        let is_next = |open: &Open| match here {
            Some(here) => open.point == *here,
            None => open.point.file == name && open.point.given == 0 && !open.point.ended,
        };
        if !known.open.as_ref().is_some_and(is_next) {
            known.open = Some(self.opened(file, name, point)?);
        }
        let Some(open) = &mut known.open else { return Ok(None) };
        if open.point.ended {
            return Ok(None);
        }
        let mut items = Vec::with_capacity(PAGE);
        for told in open.lines.by_ref().take(PAGE) {
            // It was looked at from end to end, and nobody may write to it since.
            let told = told.map_err(|fault| {
                let given = open.point.given;
                Unread::Refused(format!(
                    "it was changed while it was taken, and {given} lines of it are: {fault}"
                ))
            })?;
            items.push(fed(&told, &open.point));
        }
        open.point.given += items.len() as u64;
        open.point.ended = items.len() < PAGE;
        let next = serde_json::to_string(&open.point).map_err(io::Error::from)?;
        Ok(Some(Changes { items, next, more: true }))
    }

    /// A file from its first line on, once all of it was looked at; or from where it was left.
    fn opened(&self, file: &Path, name: String, before: Option<&Point>) -> Result<Open, Unread> {
        let written = Timestamp::try_from(fs::metadata(file)?.modified()?).unwrap_or(Timestamp::UNIX_EPOCH);
        let location = self.location.clone();
        let defaults = Defaults { location, changed_at: Some(written), takes: self.takes, whole: false };
        let sha256 = digest(file)?;
        let reader = || File::open(file).map(|file| BufReader::with_capacity(1 << 16, file));
        let here = before.filter(|point| point.file == name && point.sha256 == sha256);
        let counted = || check(reader()?, &defaults).map_err(|refused| Unread::Refused(refused.to_string()));
        let point = match here {
            // Taken to its end: it is that very file, or came after that was put aside.
            Some(here) if here.ended => {
                if self.takes != Takes::Levels {
                    Self::once(file, &sha256, counted()?)?;
                }
                here.clone()
            }
            Some(here) => here.clone(),
            None => {
                let counted = counted()?;
                if let Some(why) = Point::refuses(before, &name, counted) {
                    return Err(Unread::Refused(format!("nothing of the file is applied: {why}")));
                }
                Self::once(file, &sha256, counted)?;
                Point::new(name, sha256, counted, before)
            }
        };
        let mut lines =
            Lines::new(reader()?, &defaults).map_err(|fault| Unread::Refused(fault.to_string()))?;
        for told in lines.by_ref().take(usize::try_from(point.given).unwrap_or(usize::MAX)) {
            told.map_err(|fault| Unread::Refused(fault.to_string()))?;
        }
        Ok(Open { point, lines })
    }

    /// Of changes that only their bytes name a second copy may be the same ones, or others that happen to be equal: nobody can know.
    fn once(file: &Path, sha256: &str, counted: Counted) -> Result<(), Unread> {
        if !counted.is_nameless() || counted.told == 0 {
            return Ok(());
        }
        let done = file.parent().and_then(Path::parent).map(|shop| shop.join(DONE)).unwrap_or_default();
        let Some(copy) = copy_in(&done, file, sha256)? else { return Ok(()) };
        let what = format!(
            "nothing of the file is applied: its changes have neither id nor version, and {DONE}/{copy} has the same bytes, so that it \
             cannot be told from a copy. Give each change an id, or the file a column changed_at; or leave it where it is, if it is a copy"
        );
        Err(Unread::Refused(what))
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

fn fed(told: &Told, point: &Point) -> Fed {
    let (sku, location) = told.pair();
    let path = path(sku, location);
    match &told.says {
        Says::Level(stock) => Fed {
            path,
            topic: TOPIC.to_owned(),
            // Where the file numbers nothing, time does.
            sequence: told.version.unwrap_or_else(|| stock.changed_at.as_millisecond().max(0)),
            payload: payload(stock),
            change: None,
        },
        Says::Change(by) => {
            // Where nothing else names it: a line of these bytes, under whatever name they come.
            let of_file = || format!("{}:{}", point.sha256, told.line);
            let id = told.id.clone().or_else(|| told.version.is_none().then(of_file));
            Fed {
                path,
                topic: change::TOPIC.to_owned(),
                sequence: told.version.unwrap_or_default(),
                payload: change_payload(by),
                change: Some(FedChange { id, numbered: told.version.is_some() }),
            }
        }
    }
}

fn unusable(at: &Path, error: &io::Error) -> Fault {
    let what = format!("{}: {error}", at.display());
    Fault::new(FaultKind::Transient, code::FOLDER, what)
}

#[cfg(test)]
mod tests;
