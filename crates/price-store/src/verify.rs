//! Reads everything that is kept and holds it against what was written: the chain of the journal, the digest of each file that it or
//! the manifest names. Owns that a changed byte anywhere is found, and named.

use crate::error::{Doing as _, PriceStoreError};
use crate::journal::{self, Entry};
use crate::manifest::{Grown, LISTS, Manifest, SKUS};
use crate::names;
use crate::sha::{of_reader, sha256};
use crate::store::{COPY, PriceStore};
use kernel::key::hex;
use serde::Serialize;
use std::collections::BTreeMap;

/// What was looked at, and what is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verified {
    pub entries: u64,
    pub files: u64,
    /// Of the last entry: noted elsewhere, it proves that the journal was not written anew as a whole.
    pub head_sha256: String,
    pub findings: Vec<String>,
}

impl PriceStore {
    /// # Errors
    /// A disk that fails. What is wrong with the files is a finding.
    pub fn verify(&self) -> Result<Verified, PriceStoreError> {
        // Nothing is written and nothing removed meanwhile; carts go on.
        let _writing = self.writing()?;
        let version = self.current();
        let manifest = &version.manifest;
        let mut findings = journal::check(&self.disk, &manifest.journal)?;
        let mut digests: BTreeMap<String, String> = BTreeMap::new();
        // A line that is no entry is told above; the files of the others are looked at.
        for line in journal::forwards(&self.disk, &manifest.journal).into_iter().flatten() {
            let line = line?;
            if line.names_files()
                && let Ok(entry) = line.read()
            {
                digests.extend(entry.digests());
            }
        }
        digests.extend(of_manifest(manifest));
        for (file, digest) in &digests {
            match self.disk.open(file) {
                Ok(opened) if of_reader(&opened).doing("verifying prices")? == *digest => {}
                Ok(_) => findings.push(format!("{file}: it is not what was written")),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                    findings.push(format!("{file}: it is not there"));
                }
                Err(error) => return Err(error).doing("verifying prices"),
            }
        }
        findings.extend(self.names(SKUS, manifest.skus));
        findings.extend(self.names(LISTS, manifest.lists));
        if manifest.journal.entries > 0 {
            findings.extend(manifest.check_copies(&self.disk).doing("verifying prices")?);
        }
        Ok(Verified {
            entries: manifest.journal.entries,
            files: digests.len() as u64,
            head_sha256: manifest.journal.sha256.clone(),
            findings,
        })
    }

    fn names(&self, file: &str, grown: Grown) -> Vec<String> {
        let copies = [file.to_owned(), format!("{file}{COPY}")];
        let is_wrong = |copy: &String| {
            let bytes = self.disk.read_head(copy, grown.bytes).ok();
            bytes.and_then(|bytes| names::read(&bytes)).is_none_or(|names| names.len() != grown.count)
        };
        let wrong = copies.into_iter().filter(|copy| grown.bytes > 0 && is_wrong(copy));
        wrong.map(|copy| format!("{copy}: its sums are wrong")).collect()
    }
}

impl Entry {
    fn digests(&self) -> impl Iterator<Item = (String, String)> {
        self.what.files().map(|(file, digest)| (file.to_owned(), digest.to_owned()))
    }
}

fn of_manifest(manifest: &Manifest) -> Vec<(String, String)> {
    let mut digests = Vec::new();
    let mut add = |file: &str, digest: &str| digests.push((file.to_owned(), digest.to_owned()));
    for segment in manifest.segments.iter().chain(manifest.held.iter().map(|held| &held.segment)) {
        add(&segment.file, &segment.sha256);
    }
    for held in &manifest.held {
        add(&held.file, &held.sha256);
    }
    if let Some(terms) = &manifest.terms {
        add(&terms.file, &terms.sha256);
    }
    digests
}

impl Manifest {
    fn check_copies(&self, disk: &crate::disk::Disk) -> std::io::Result<Option<String>> {
        let path = self.name().path();
        let text = disk.read(&path)?;
        let lines: Vec<&[u8]> = text.split(|byte| *byte == b'\n').collect();
        let whole = |pair: &&[&[u8]; 2]| hex(&sha256(pair[0])).as_bytes() == pair[1];
        let (pairs, rest) = lines.as_chunks::<2>();
        let fine = pairs.len() == 2 && pairs.iter().filter(whole).count() == 2 && rest == [b"" as &[u8]];
        Ok((!fine).then(|| format!("{path}: one of its two copies is not what was written")))
    }
}
