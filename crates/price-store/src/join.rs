//! A node begins anew with the last whole copy. Owns that whatever ends the process, either what was here counts or the copy does, and
//! that prices which were never shared are put aside and not thrown away.

use crate::disk::Disk;
use crate::error::{Doing as _, PriceStoreError};
use crate::follow::Body;
use crate::manifest::{DATA, Manifest, Unwritten, VERSIONS};
use crate::reading::read_store;
use crate::shared::{Part, Shared, unshared};
use crate::ship::copies;
use crate::store::{PriceStore, Writing};
use std::io;
use std::io::Write as _;
use std::path::Path;

/// Where the copy is put together.
const JOINING: &str = "joining";
/// In it, when it is whole: from then on it counts.
const WHOLE: &str = "joining/whole";
/// What counted before, and was never shared.
const APART: &str = "apart";
/// All that a folder of prices is made of.
const ALL: [&str; 7] = [VERSIONS, DATA, "skus", "skus.copy", "lists", "lists.copy", "journal"];

impl PriceStore {
    pub(crate) fn join(
        &self,
        shared: &dyn Shared,
        writing: &mut Writing,
        why: &str,
    ) -> Result<(), PriceStoreError> {
        let steps = self.all_steps(shared)?;
        let Some(step) = steps.iter().rev().find(|step| step.whole) else {
            let begins = steps.first().is_some_and(|step| step.number == 1);
            return if begins { self.begin_empty(writing, why) } else { Err(no_copy()) };
        };
        let (head, mut body) = Body::open(shared, step)?;
        let manifest: Manifest = serde_json::from_str(&head.manifest).map_err(|_| {
            unshared(format!("step {} was written by a newer program: start that one", step.number))
        })?;
        self.make_room()?;
        for Part { file, bytes, .. } in head.files.iter().chain(&head.grown) {
            let mut outs = Vec::new();
            for copy in copies(file) {
                outs.push(self.disk.create(&format!("{JOINING}/{copy}")).doing("copying shared prices")?);
            }
            body.read(*bytes, &mut |some| outs.iter_mut().try_for_each(|out| out.write_all(some)))?;
            for out in outs {
                out.finish().doing("copying shared prices")?;
            }
        }
        let own = self.current().manifest.clone();
        let keeps = own.step == 0 && !own.name().is_first();
        self.seal_copy(&manifest, keeps)?;
        self.take_copy(writing, why)
    }

    /// Nobody has made a whole copy yet, and all steps are there: they begin with nothing.
    fn begin_empty(&self, writing: &mut Writing, why: &str) -> Result<(), PriceStoreError> {
        self.make_room()?;
        let own = self.current().manifest.clone();
        let keeps = own.step == 0 && !own.name().is_first();
        self.seal_copy(&Manifest::first(), keeps)?;
        self.take_copy(writing, why)
    }

    fn make_room(&self) -> Result<(), PriceStoreError> {
        let doing = "copying shared prices";
        self.disk.remove_all(JOINING).doing(doing)?;
        for folder in [VERSIONS, DATA] {
            self.disk.create_dir(&format!("{JOINING}/{folder}")).doing(doing)?;
        }
        Ok(())
    }

    fn seal_copy(&self, manifest: &Manifest, keeps: bool) -> Result<(), PriceStoreError> {
        let doing = "copying shared prices";
        let there = self.disk.within(JOINING);
        if !manifest.name().is_first() {
            manifest.write(&there).map_err(Unwritten::source).doing(doing)?;
        }
        there.sync_dir("").doing(doing)?;
        let word: &[u8] = if keeps { b"keep" } else { b"drop" };
        self.disk.write(WHOLE, word).doing(doing)?;
        there.sync_dir("").doing(doing)?;
        self.disk.sync_dir("").doing(doing)
    }

    fn take_copy(&self, writing: &mut Writing, why: &str) -> Result<(), PriceStoreError> {
        finish(&self.disk).doing("taking shared prices in place of these")?;
        let (version, begun) = read_store(&self.disk)?;
        *writing = begun;
        self.joined(version, why);
        Ok(())
    }
}

/// At each start, and after a copy was made: puts it in its place.
pub(crate) fn finish(disk: &Disk) -> io::Result<()> {
    let word = match disk.read(WHOLE) {
        Ok(word) => word,
        // What is not whole is nothing.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return disk.remove_all(JOINING),
        Err(error) => return Err(error),
    };
    let keeps = word == b"keep";
    if keeps {
        disk.create_dir(APART)?;
    }
    for name in ALL {
        let (new, out) = (format!("{JOINING}/{name}"), format!("{JOINING}/{name}.out"));
        // What stands there afterwards is the new one, also for whoever begins again here.
        if !disk.is_there(&out) {
            if keeps && disk.is_there(name) {
                let aside = format!("{APART}/{name}");
                disk.remove_all(&aside)?;
                disk.rename(name, &aside)?;
            } else {
                disk.remove_all(name)?;
            }
            disk.sync_dir("")?;
            disk.write(&out, b"")?;
            disk.within(JOINING).sync_dir("")?;
        }
        if disk.is_there(&new) {
            disk.rename(&new, name)?;
        }
    }
    for folder in [VERSIONS, DATA] {
        disk.create_dir(folder)?;
    }
    disk.sync_dir("")?;
    disk.remove_all(JOINING)?;
    disk.sync_dir("")
}

fn no_copy() -> PriceStoreError {
    unshared("the first steps of the shared prices are gone, and there is no whole copy".to_owned())
}

impl Disk {
    fn is_there(&self, name: &str) -> bool {
        Path::new(&self.path(name)).exists()
    }
}
