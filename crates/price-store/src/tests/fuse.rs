//! Cuts the power before a chosen change of the disk: what was written and not synced may then be there, half there, or not.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

#[derive(Debug, Clone, Default)]
pub(crate) struct Fuse(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    /// How many changes still go through. None: all.
    left: Option<u64>,
    seen: u64,
    unsafe_files: BTreeSet<PathBuf>,
    cut: bool,
}

impl Fuse {
    pub(crate) fn after(steps: u64) -> Self {
        let fuse = Self::default();
        fuse.0.lock().unwrap().left = Some(steps);
        fuse
    }

    /// How many changes there were.
    pub(crate) fn seen(&self) -> u64 {
        self.0.lock().unwrap().seen
    }

    pub(crate) fn is_cut(&self) -> bool {
        self.0.lock().unwrap().cut
    }

    pub(crate) fn step(&self, written: Option<&Path>) -> io::Result<()> {
        let mut state = self.0.lock().unwrap();
        if state.cut || state.left.is_some_and(|left| state.seen >= left) {
            state.cut = true;
            return Err(io::Error::other("the power is cut"));
        }
        state.seen += 1;
        if let Some(written) = written {
            state.unsafe_files.insert(written.to_owned());
        }
        Ok(())
    }

    pub(crate) fn safe(&self, written: &Path) {
        self.0.lock().unwrap().unsafe_files.remove(written);
    }

    /// What was not synced is cut to its half.
    pub(crate) fn lose(&self) {
        for file in &self.0.lock().unwrap().unsafe_files {
            if let Ok(length) = std::fs::metadata(file).map(|found| found.len()) {
                let half = std::fs::OpenOptions::new().write(true).open(file).unwrap();
                half.set_len(length / 2).unwrap();
            }
        }
    }
}
