//! The variants of a shop on the disk: a line each, with its sum; what was said since is appended. Owns that a line which is not what
//! was written is not believed: its variant is asked for again.

use super::known::Known;
use kernel::key::hex;
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

#[derive(Debug)]
pub(super) struct VariantFile {
    path: PathBuf,
    /// Its end is not what was written: nothing is put behind it.
    is_torn: bool,
}

impl VariantFile {
    /// One that cannot be read is as one that is not there.
    pub(super) fn open(path: PathBuf) -> (Self, Known) {
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) => {
                if error.kind() != io::ErrorKind::NotFound {
                    let error = error.to_string();
                    tracing::warn!(
                        error,
                        "the variants of a shop are not what was kept: they are read again"
                    );
                }
                // Written anew as a whole, before anything is appended.
                return (Self { path, is_torn: true }, Known::default());
            }
        };
        let is_torn = bytes.last().is_none_or(|last| *last != b'\n');
        let text = String::from_utf8_lossy(&bytes);
        let mut all: Vec<(u64, Option<&str>)> = text.lines().filter_map(read).collect();
        // Of a variant that comes again, the last line counts.
        all.sort_by_key(|(id, _)| *id);
        let mut kept: Vec<(u64, Box<str>)> = Vec::with_capacity(all.len());
        for (place, (id, sku)) in all.iter().enumerate() {
            let is_last = all.get(place + 1).is_none_or(|(next, _)| next != id);
            kept.extend(sku.filter(|_| is_last).map(|sku| (*id, sku.into())));
        }
        (Self { path, is_torn }, Known::of(kept))
    }

    /// What was said of a few; none: the shop has no such variant.
    pub(super) fn append(&self, changes: &[(u64, Option<Box<str>>)]) -> io::Result<()> {
        if self.is_torn {
            // The next read of all writes it; until then what is said is asked again after a restart.
            return Ok(());
        }
        let mut text = String::new();
        for (id, sku) in changes {
            write(&mut text, *id, sku.as_deref());
        }
        let mut file = OpenOptions::new().append(true).open(&self.path)?;
        file.write_all(text.as_bytes())?;
        file.sync_data()
    }

    /// All of them, in place of what was there: whole or not at all, whatever ends the process.
    pub(super) fn write(&mut self, known: &Known) -> io::Result<()> {
        let folder = self.path.parent().unwrap_or_else(|| Path::new("."));
        fs::create_dir_all(folder)?;
        let half = self.path.with_extension("half");
        let mut text = String::with_capacity(known.len() * 40);
        for (id, sku) in known.iter() {
            write(&mut text, id, Some(sku));
        }
        let mut file = File::create(&half)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&half, &self.path)?;
        File::open(folder)?.sync_all()?;
        self.is_torn = false;
        Ok(())
    }
}

/// A SKU that cannot stand in a line can stand in no price list: it is as none.
fn write(text: &mut String, id: u64, sku: Option<&str>) {
    let start = text.len();
    // Writing to a String cannot fail.
    let _ = match sku.map(|sku| if sku.contains(char::is_control) { "" } else { sku }) {
        Some(sku) => write!(text, "{id}\t{sku}"),
        None => write!(text, "{id}"),
    };
    let sum = sum(&text[start..]);
    let _ = writeln!(text, "\t{sum}");
}

fn read(line: &str) -> Option<(u64, Option<&str>)> {
    let (body, told) = line.rsplit_once('\t')?;
    if sum(body) != told {
        return None;
    }
    match body.split_once('\t') {
        Some((id, sku)) => Some((id.parse().ok()?, Some(sku))),
        None => Some((body.parse().ok()?, None)),
    }
}

fn sum(text: &str) -> String {
    hex(&Sha256::digest(text.as_bytes())[..4])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(all: &[(u64, &str)]) -> Known {
        Known::of(all.iter().map(|(id, sku)| (*id, (*sku).into())).collect())
    }

    fn read(path: &Path) -> Vec<(u64, String)> {
        let (_, known) = VariantFile::open(path.to_owned());
        known.iter().map(|(id, sku)| (id, sku.to_owned())).collect()
    }

    #[test]
    fn what_was_written_and_said_since_is_there_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("variants/acme");
        let (mut file, none) = VariantFile::open(path.clone());
        assert_eq!(none.len(), 0);
        file.write(&known(&[(1, "A"), (2, "B\nB"), (3, "C C"), (4, "D")])).unwrap();
        file.append(&[(3, Some("C2".into())), (4, None), (5, Some("".into()))]).unwrap();
        let all = [(1, "A"), (2, ""), (3, "C2"), (5, "")].map(|(id, sku)| (id, sku.to_owned()));
        assert_eq!(read(&path), all);
        // Half a line, as a power cut leaves it: nothing is put behind it.
        let whole = fs::read(&path).unwrap();
        fs::write(&path, [&whole[..], b"6\tF"].concat()).unwrap();
        let (torn, _) = VariantFile::open(path.clone());
        torn.append(&[(7, Some("G".into()))]).unwrap();
        assert_eq!(read(&path), all);
    }

    #[test]
    fn a_line_that_is_not_what_was_written_is_not_believed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("acme");
        VariantFile::open(path.clone()).0.write(&known(&[(1, "PUMP-1"), (2, "PUMP-2")])).unwrap();
        let whole = fs::read(&path).unwrap();
        for at in 0..whole.len() {
            let mut changed = whole.clone();
            changed[at] ^= 1;
            fs::write(&path, &changed).unwrap();
            for (id, sku) in read(&path) {
                assert!([(1, "PUMP-1"), (2, "PUMP-2")].contains(&(id, &*sku)), "byte {at}: {id} {sku}");
            }
        }
    }
}
