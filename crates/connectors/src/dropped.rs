//! A folder that another system drops files into. Owns which file is whole, where one lies while it is taken, and where it goes
//! after: never one that still grows, each under a name that nobody else has. What stands in a file is for whoever takes it.
//!
//! ```text
//! FOLDER/a.csv            dropped
//! FOLDER/taking/a.csv     whole, and being taken
//! FOLDER/done/a.csv       taken
//! FOLDER/refused/a.csv    nothing of it was taken; a.csv.why.txt says where and why
//! ```

use jiff::{SignedDuration, Timestamp};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

/// A file that nobody has written to for so long is whole.
const STILL: SignedDuration = SignedDuration::from_secs(5);
/// Names under which a file is still on its way.
const ON_ITS_WAY: [&str; 5] = [".part", ".partial", ".tmp", ".filepart", ".crdownload"];

pub(crate) const TAKING: &str = "taking";
pub(crate) const DONE: &str = "done";
pub(crate) const REFUSED: &str = "refused";

/// The folders below one that files are dropped into; the one that they are dropped below has to be there.
pub(crate) fn made(root: &Path, at: &Path) -> io::Result<()> {
    if !root.is_dir() {
        return Err(io::Error::new(
            io::ErrorKind::NotFound,
            "there is no such folder; make it, or correct folder in the configuration",
        ));
    }
    [TAKING, DONE, REFUSED].iter().try_for_each(|below| fs::create_dir_all(at.join(below)))
}

/// How each file looked, and since when; for as long as the process lives.
#[derive(Debug, Default)]
pub(crate) struct Looks(BTreeMap<PathBuf, Look>);

#[derive(Debug, Clone, Copy)]
struct Look {
    bytes: u64,
    changed_at: Timestamp,
    since: Timestamp,
}

/// A file as it lies there; the oldest is the least.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Seen {
    pub(crate) changed_at: Timestamp,
    pub(crate) path: PathBuf,
    /// Nobody writes to it any more.
    pub(crate) is_still: bool,
}

impl Looks {
    /// The files that are not on their way by their names.
    pub(crate) fn look(&mut self, at: &Path, now: Timestamp) -> io::Result<Vec<Seen>> {
        let (mut looks, mut all) = (BTreeMap::new(), Vec::new());
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
            let before =
                self.0.get(&path).filter(|look| (look.bytes, look.changed_at) == (about.len(), changed_at));
            let is_still = before.is_some_and(|look| {
                now.duration_since(changed_at) >= STILL || now.duration_since(look.since) >= STILL
            });
            let since = before.map_or(now, |look| look.since);
            looks.insert(path.clone(), Look { bytes: about.len(), changed_at, since });
            all.push(Seen { changed_at, path, is_still });
        }
        self.0 = looks;
        Ok(all)
    }

    /// The oldest file that nobody writes to any more.
    pub(crate) fn settled(&mut self, at: &Path, now: Timestamp) -> io::Result<Option<PathBuf>> {
        let still = self.look(at, now)?.into_iter().filter(|seen| seen.is_still);
        Ok(still.min().map(|seen| seen.path))
    }
}

/// SHA-256, in hexadecimal digits.
pub(crate) fn digest(file: &Path) -> io::Result<String> {
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
pub(crate) fn first(folder: &Path) -> io::Result<Option<PathBuf>> {
    let files =
        fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<Vec<_>>>()?;
    Ok(files.into_iter().filter(|path| path.is_file()).min())
}

pub(crate) fn name_of(file: &Path) -> String {
    file.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// Into a folder, under its own name or the next one that is free.
pub(crate) fn moved(file: &Path, to: &Path) -> io::Result<PathBuf> {
    let to = to.join(free(file, to)?);
    fs::rename(file, &to)?;
    Ok(to)
}

fn free(file: &Path, to: &Path) -> io::Result<String> {
    let name = name_of(file);
    (1..)
        .map(|number: u32| if number == 1 { name.clone() } else { format!("{name}.{number}") })
        .find(|name| !to.join(name).exists())
        .ok_or_else(|| io::Error::other("no name is free"))
}

/// Out of the way, with the reason beside it: the reason first, so that no refused file is without one. Says where it is, and the
/// first mistake.
pub(crate) fn refused(file: &Path, to: &Path, why: &str) -> io::Result<String> {
    let reason = free(file, to)?;
    fs::write(to.join(format!("{reason}.why.txt")), format!("{why}\n"))?;
    let there = moved(file, to)?;
    // The first mistake; all of them stand beside the file.
    let first = why.lines().take(2).map(str::trim).collect::<Vec<_>>().join(" ");
    Ok(format!("{}: {first} ({reason}.why.txt has all)", there.display()))
}
