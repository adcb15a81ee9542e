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
use connector::port::{Changes, Fed};
use domains::inventory::drop::{Defaults, Levels, Told, check, payload};
use domains::inventory::path;
use jiff::{SignedDuration, Timestamp};
use kernel::fault::{Fault, FaultKind};
use kernel::id::ShopId;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Levels that are given at once.
const PAGE: usize = 1_000;
/// A file that nobody has written to for so long is whole.
const STILL: SignedDuration = SignedDuration::from_secs(5);
/// Names under which a file is still on its way.
const ON_ITS_WAY: [&str; 5] = [".part", ".partial", ".tmp", ".filepart", ".crdownload"];

const TAKING: &str = "taking";
const DONE: &str = "done";
const REFUSED: &str = "refused";

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
    /// How each file looked, and since when.
    looks: BTreeMap<PathBuf, Look>,
    open: Option<Open>,
}

#[derive(Debug, Clone, Copy)]
struct Look {
    bytes: u64,
    changed_at: Timestamp,
    since: Timestamp,
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
        for below in [TAKING, DONE, REFUSED] {
            let made = if self.root.is_dir() { fs::create_dir_all(at.join(below)) } else { Err(not_there()) };
            made.map_err(|error| unusable(&at, &error))?;
        }
        let point: Option<Point> = after.and_then(|text| serde_json::from_str(text).ok());
        let mut shops = self.shops();
        let known = shops.entry(shop.clone()).or_default();
        loop {
            let taking = first(&at.join(TAKING)).map_err(|error| unusable(&at, &error))?;
            let Some(file) = taking else {
                let settled = known.settled(&at, now).map_err(|error| unusable(&at, &error))?;
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
                    return Err(
                        refused(&file, &at.join(REFUSED), &why).unwrap_or_else(|error| unusable(&at, &error))
                    );
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

impl Shop {
    /// The oldest file that nobody writes to any more.
    fn settled(&mut self, at: &Path, now: Timestamp) -> io::Result<Option<PathBuf>> {
        let mut looks = BTreeMap::new();
        let mut oldest: Option<(Timestamp, PathBuf)> = None;
        for entry in fs::read_dir(at)? {
            let entry = entry?;
            let about = entry.metadata()?;
            let name = entry.file_name().to_string_lossy().to_lowercase();
            let on_its_way = name.starts_with('.') || ON_ITS_WAY.iter().any(|end| name.ends_with(end));
            if !about.is_file() || on_its_way {
                continue;
            }
            let path = entry.path();
            let changed_at = Timestamp::try_from(about.modified()?).unwrap_or(Timestamp::UNIX_EPOCH);
            let before = self
                .looks
                .get(&path)
                .filter(|look| (look.bytes, look.changed_at) == (about.len(), changed_at));
            let is_still = before.is_some_and(|look| {
                now.duration_since(changed_at) >= STILL || now.duration_since(look.since) >= STILL
            });
            let since = before.map_or(now, |look| look.since);
            looks.insert(path.clone(), Look { bytes: about.len(), changed_at, since });
            let this = (changed_at, path);
            if is_still && oldest.as_ref().is_none_or(|oldest| this < *oldest) {
                oldest = Some(this);
            }
        }
        self.looks = looks;
        Ok(oldest.map(|(_, path)| path))
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
    }
}

fn digest(file: &Path) -> io::Result<String> {
    let (mut hash, mut file, mut piece) = (Sha256::new(), File::open(file)?, vec![0; 1 << 16]);
    loop {
        match file.read(&mut piece)? {
            0 => break,
            read => hash.update(&piece[..read]),
        }
    }
    Ok(kernel::key::hex(&hash.finalize()))
}

/// By name.
fn first(folder: &Path) -> io::Result<Option<PathBuf>> {
    let files =
        fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<Vec<_>>>()?;
    Ok(files.into_iter().filter(|path| path.is_file()).min())
}

fn name_of(file: &Path) -> String {
    file.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// Into a folder, under its own name or the next one that is free.
fn moved(file: &Path, to: &Path) -> io::Result<PathBuf> {
    let name = name_of(file);
    let free = |number: u32| {
        let name = if number == 1 { name.clone() } else { format!("{name}.{number}") };
        Some(to.join(name)).filter(|path| !path.exists())
    };
    let to = (1..).find_map(free).ok_or_else(|| io::Error::other("no name is free"))?;
    fs::rename(file, &to)?;
    Ok(to)
}

/// Out of the way, with the reason beside it: the reason first, so that no refused file is without one.
fn refused(file: &Path, to: &Path, why: &str) -> io::Result<Fault> {
    let name = name_of(file);
    let reason = (1..)
        .map(|number: u32| if number == 1 { name.clone() } else { format!("{name}.{number}") })
        .find(|name| !to.join(name).exists())
        .ok_or_else(|| io::Error::other("no name is free"))?;
    fs::write(to.join(format!("{reason}.why.txt")), format!("{why}\n"))?;
    let there = moved(file, to)?;
    // The first mistake; all of them stand beside the file.
    let first = why.lines().take(2).map(str::trim).collect::<Vec<_>>().join(" ");
    let what = format!("{}: {first} ({reason}.why.txt has all)", there.display());
    Ok(Fault::new(FaultKind::Rejected, code::FILE_REFUSED, what))
}

fn not_there() -> io::Error {
    io::Error::new(
        io::ErrorKind::NotFound,
        "there is no such folder; make it, or correct folder in the connection",
    )
}

fn unusable(at: &Path, error: &io::Error) -> Fault {
    let what = format!("{}: {error}", at.display());
    Fault::new(FaultKind::Transient, code::FOLDER, what)
}

#[cfg(test)]
mod tests;
