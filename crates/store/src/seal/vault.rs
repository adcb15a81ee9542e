//! Keys at hand: the master key in force, and a bounded cache of data keys by root, so that sealing happens on the
//! caller's side and the transaction only compares a number.
//!
//! Owns which place a value is sealed for. The table has the last word on which key is in force: a cached key that
//! was destroyed meanwhile, by this process or another, is told by its number.

use super::{DataKey, MasterKey, NotOpened, Place, Random};
use crate::error::StoreError;
use kernel::id::{ShopId, SystemName};
use kernel::subject::Subject;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

/// Keys of each half of the cache: about three megabytes in all.
const CACHED_KEYS: usize = 8192;

/// A number for each rotation, with the key of that time.
type Numbered = (i32, MasterKey);

#[derive(Debug)]
struct Masters {
    current: Numbered,
    /// For rows read just before a rotation.
    previous: Option<Numbered>,
}

/// A data key that no row holds yet.
#[derive(Debug)]
pub struct FreshKey {
    pub key: DataKey,
    pub wrapped: Vec<u8>,
    pub master: i32,
}

#[derive(Debug)]
pub struct Vault {
    masters: RwLock<Masters>,
    pub random: Arc<dyn Random>,
    cache: Mutex<Cache>,
}

impl Vault {
    pub fn new(generation: i32, master: MasterKey, random: Arc<dyn Random>) -> Self {
        let masters = Masters { current: (generation, master), previous: None };
        Self { masters: RwLock::new(masters), random, cache: Mutex::default() }
    }

    /// A new data key for a root, wrapped.
    pub fn fresh(&self, shop: &str, root: &str) -> Result<FreshKey, StoreError> {
        let key = DataKey::generate(&*self.random)?;
        let (wrapped, master) = self.wrap(&key, shop, root)?;
        Ok(FreshKey { key, wrapped, master })
    }

    /// Wraps under the master key in force; with its number.
    pub fn wrap(&self, key: &DataKey, shop: &str, root: &str) -> Result<(Vec<u8>, i32), StoreError> {
        let masters = self.masters.read().unwrap_or_else(PoisonError::into_inner);
        let (number, master) = &masters.current;
        Ok((key.wrap(master, &*self.random, &key_place(shop, root))?, *number))
    }

    /// Wraps under a master key that is not yet in force.
    pub fn wrap_under(
        &self,
        master: &MasterKey,
        key: &DataKey,
        shop: &str,
        root: &str,
    ) -> Result<Vec<u8>, StoreError> {
        key.wrap(master, &*self.random, &key_place(shop, root))
    }

    pub fn master_number(&self) -> i32 {
        self.masters.read().unwrap_or_else(PoisonError::into_inner).current.0
    }

    pub fn unwrap(&self, number: i32, shop: &str, root: &str, wrapped: &[u8]) -> Result<DataKey, StoreError> {
        let masters = self.masters.read().unwrap_or_else(PoisonError::into_inner);
        let of_number = [Some(&masters.current), masters.previous.as_ref()].into_iter().flatten();
        let (_, master) = of_number.into_iter().find(|(have, _)| *have == number).ok_or_else(|| {
            StoreError::Bug(format!("a data key under master key {number}, which is not at hand"))
        })?;
        DataKey::unwrap(master, &key_place(shop, root), wrapped).map_err(|_| {
            StoreError::Bug(format!("the data key of {shop}/{root} does not open under the master key"))
        })
    }

    /// After a rotation was committed.
    pub fn rotated(&self, number: i32, master: MasterKey) {
        let mut masters = self.masters.write().unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::replace(&mut masters.current, (number, master));
        masters.previous = Some(before);
    }

    pub fn cached(&self, shop: &ShopId, root: &str) -> Option<(i64, DataKey)> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner).get(&cache_key(shop.as_str(), root))
    }

    /// Only after the commit of the row: a number that was rolled back is given out again.
    pub fn remember(&self, shop: &str, root: &str, number: i64, key: &DataKey) {
        let mut cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        cache.put(cache_key(shop, root), (number, key.clone()));
    }

    pub fn forget(&self, shop: &str, root: &str) {
        let mut cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        let key = cache_key(shop, root);
        cache.young.remove(&key);
        cache.old.remove(&key);
    }
}

fn cache_key(shop: &str, root: &str) -> String {
    [shop, "/", root].concat()
}

/// Two halves: what was used since the last turn, and what was used before it.
#[derive(Debug, Default)]
struct Cache {
    young: BTreeMap<String, (i64, DataKey)>,
    old: BTreeMap<String, (i64, DataKey)>,
}

impl Cache {
    fn get(&mut self, key: &str) -> Option<(i64, DataKey)> {
        if let Some(found) = self.young.get(key) {
            return Some(found.clone());
        }
        let (key, found) = self.old.remove_entry(key)?;
        self.put(key, found.clone());
        Some(found)
    }

    fn put(&mut self, key: String, value: (i64, DataKey)) {
        if self.young.len() >= CACHED_KEYS {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key, value);
    }
}

fn key_place(shop: &str, root: &str) -> Place {
    Place::of(&[b"data_keys", shop.as_bytes(), root.as_bytes()])
}

/// The row is named by what identifies the fact; its position is not known when it is sealed.
pub fn payload_place(subject: &Subject, topic: &str, raw_hash: &[u8; 32]) -> Place {
    let shop = subject.shop.as_str().as_bytes();
    Place::of(&[b"payloads.body", shop, subject.path.as_bytes(), topic.as_bytes(), raw_hash])
}

/// The record of a subject at one source.
pub fn record_place(subject: &Subject, source: &SystemName) -> Place {
    let shop = subject.shop.as_str().as_bytes();
    Place::of(&[b"records.body", shop, subject.path.as_bytes(), source.as_str().as_bytes()])
}

pub fn call_place(call_key: &str) -> Place {
    Place::of(&[b"frozen_calls.call", call_key.as_bytes()])
}

/// A sealed column of a row with a number.
pub fn column_place(column: &str, row: i64) -> Place {
    Place::of(&[column.as_bytes(), &row.to_be_bytes()])
}

/// What does not open although its key is there was altered or damaged.
pub fn damaged(what: impl std::fmt::Display) -> impl FnOnce(NotOpened) -> StoreError {
    move |_| {
        StoreError::Unreadable(format!(
            "{what} does not open under its key: the database was altered or is damaged; keep the file and restore the last backup"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cache_is_bounded_and_keeps_what_is_used() {
        let mut cache = Cache::default();
        let key = || {
            let master = MasterKey::from_bytes([1; 32]);
            let random = Arc::new(crate::seal::tests::Counting::default());
            let fresh = Vault::new(1, master, random).fresh("acme", "order:1");
            fresh.unwrap().key
        };
        let one = key();
        cache.put("kept".into(), (1, one.clone()));
        for n in 0..3 * CACHED_KEYS {
            cache.put(format!("order:{n}"), (2, one.clone()));
            assert!(cache.get("kept").is_some(), "after {n}");
            assert!(cache.young.len() + cache.old.len() <= 2 * CACHED_KEYS);
        }
        assert!(cache.get("order:0").is_none());
    }
}
