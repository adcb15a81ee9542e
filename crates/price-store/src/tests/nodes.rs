//! The nodes of tests that share their prices, and the store that they have in common, in memory.

use super::given::*;
use crate::shared::{Shared, Step};
use crate::{Mode, Outcome, PriceStore, PriceStoreError};
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use tempfile::TempDir;

pub(super) type Once = Box<dyn FnOnce() + Send>;

/// The store that all nodes have, in memory.
#[derive(Default)]
pub(super) struct Common {
    pub(super) steps: Mutex<BTreeMap<u64, Step>>,
    pub(super) chunks: Mutex<BTreeMap<(String, u32), Vec<u8>>>,
    /// Happens before the next step is appended.
    pub(super) meanwhile: Mutex<Option<Once>>,
    /// So many more chunks are kept; none: all.
    pub(super) room: Mutex<Option<u32>>,
    /// The next step is appended, and nobody is told.
    pub(super) loses_answer: Mutex<bool>,
    pub(super) named: Mutex<u64>,
    /// How nice the thread was that asked for a chunk last.
    #[cfg(target_os = "linux")]
    pub(super) asked_by: Mutex<Option<i32>>,
}

impl std::fmt::Debug for Common {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Common").finish_non_exhaustive()
    }
}

impl Shared for Common {
    fn head(&self) -> Result<Option<Step>, String> {
        Ok(self.steps.lock().unwrap().values().next_back().cloned())
    }

    /// Few at a time.
    fn steps(&self, from: u64) -> Result<Vec<Step>, String> {
        Ok(self.steps.lock().unwrap().range(from..).take(3).map(|(_, step)| step.clone()).collect())
    }

    fn append(&self, step: &Step) -> Result<bool, String> {
        let meanwhile = self.meanwhile.lock().unwrap().take();
        if let Some(meanwhile) = meanwhile {
            meanwhile();
        }
        let mut steps = self.steps.lock().unwrap();
        let is_next = steps.keys().next_back().map_or(1, |last| last + 1) == step.number;
        if is_next {
            steps.insert(step.number, step.clone());
        }
        if std::mem::take(&mut *self.loses_answer.lock().unwrap()) {
            return Err("the connection broke".to_owned());
        }
        Ok(is_next)
    }

    fn new_body(&self) -> Result<String, String> {
        let mut named = self.named.lock().unwrap();
        *named += 1;
        Ok(format!("body {named}"))
    }

    fn put(&self, body: &str, part: u32, bytes: Vec<u8>, _: Timestamp) -> Result<(), String> {
        if let Some(room) = self.room.lock().unwrap().as_mut() {
            *room = room.checked_sub(1).ok_or("the node died")?;
        }
        assert_eq!(self.chunks.lock().unwrap().insert((body.to_owned(), part), bytes), None);
        Ok(())
    }

    fn get(&self, body: &str, part: u32) -> Result<Vec<u8>, String> {
        #[cfg(target_os = "linux")]
        self.asked_by.lock().unwrap().replace(nice());
        self.chunks.lock().unwrap().get(&(body.to_owned(), part)).cloned().ok_or(format!("no {body} {part}"))
    }

    fn forget(&self, before: u64, _: Timestamp) -> Result<(), String> {
        let mut steps = self.steps.lock().unwrap();
        *steps = steps.split_off(&before);
        self.chunks.lock().unwrap().retain(|(body, _), _| steps.values().any(|step| step.body == *body));
        Ok(())
    }
}

/// A node with a folder of its own.
pub(super) struct Node {
    pub(super) store: Arc<PriceStore>,
    pub(super) folder: TempDir,
}

impl Node {
    pub(super) fn new(common: &Arc<Common>) -> Self {
        Self::at(common, TempDir::new().unwrap())
    }

    pub(super) fn at(common: &Arc<Common>, folder: TempDir) -> Self {
        Self { store: Arc::new(open(common, folder.path()).unwrap()), folder }
    }

    /// As a process that was killed and starts anew.
    pub(super) fn again(self, common: &Arc<Common>) -> Self {
        let Self { store, folder } = self;
        drop(store);
        Self::at(common, folder)
    }

    pub(super) fn load(&self, text: &str, second: i64) -> Outcome {
        load(&self.store, Mode::Changes, text, second).unwrap()
    }

    pub(super) fn price(&self, list: &str, sku: &str) -> Option<String> {
        let price = self.store.current().price_of(list, sku)?;
        Some(crate::PriceForm::from(&price).to_string())
    }
}

pub(super) fn open(common: &Arc<Common>, folder: &Path) -> Result<PriceStore, PriceStoreError> {
    PriceStore::open_shared(folder, options(), common.clone(), at(0))
}

/// Both have the same, to the last byte that is anybody's business: the manifest names all others by their digests.
pub(super) fn alike(one: &Node, other: &Node) {
    for node in [one, other] {
        node.store.follow(at(900)).unwrap();
    }
    let text = |node: &Node| node.store.current().manifest.text().unwrap();
    assert_eq!(text(one), text(other));
    let told = [one, other].map(|node| node.store.verify().unwrap());
    assert_eq!(told[0].head_sha256, told[1].head_sha256);
    assert_eq!(told.map(|told| told.findings), [[""; 0]; 2]);
    let all = |node: &Node| {
        let version = node.store.current();
        let lists: Vec<String> = version.lists().map(|(list, _)| list.to_owned()).collect();
        let of = |list: &String| -> Vec<String> {
            let prices = version.walk(version.list(list).unwrap());
            prices.map(|(key, price)| format!("{list} {:?} {price:?}", version.sku(key))).collect()
        };
        lists.iter().flat_map(of).collect::<Vec<_>>()
    };
    assert_eq!(all(one), all(other));
}

pub(super) const TERMS: &str =
    "[[lists]]\nid = \"A\"\nkind = \"list\"\ncurrency = \"EUR\"\nfor = \"everyone\"\n";

/// Of this thread.
#[cfg(target_os = "linux")]
pub(super) fn nice() -> i32 {
    rustix::process::getpriority_process(None).unwrap()
}
