//! Root subjects as rows: how a path is taken apart, and the data key in force of each root.

use crate::desk::Desk;
use crate::error::{Done, bug};
use crate::names::Names;
use crate::view::View;
use kernel::id::ShopId;
use kernel::subject::Subject;
use rusqlite::{OptionalExtension, params};
use sha2::{Digest, Sha256};
use store::seal::vault::FreshKey;
use store::seal::{DataKey, Place, Sealed};

/// A root, by number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Root {
    pub id: i64,
    pub shop: i64,
    pub data_key: Option<i64>,
}

/// The root of what belongs to no root (references that are awaited), one for each shop.
pub(crate) const NO_ROOT: &str = "";

/// `order:5678` as (`order`, 5678, ``); a key that is no whole number as a negative hash with its text.
pub(crate) fn parts(path: &str) -> (&str, i64, &str) {
    let Some((kind, key)) = path.split_once(':') else { return (path, -1, "") };
    let plain = key.bytes().all(|b| b.is_ascii_digit()) && (key == "0" || !key.starts_with('0'));
    match key.parse::<i64>() {
        Ok(number) if plain => (kind, number, ""),
        _ => (kind, -2 - (hash(key) >> 2).cast_signed(), key),
    }
}

fn hash(text: &str) -> u64 {
    let digest = Sha256::digest(text.as_bytes());
    digest.iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// The other way.
pub(crate) fn path(kind: &str, number: i64, key: &str) -> String {
    match number {
        -1 if key.is_empty() => kind.to_owned(),
        number if number >= 0 => format!("{kind}:{number}"),
        _ => format!("{kind}:{key}"),
    }
}

/// The number under which a label is indexed: its digits where it has some (labels of neighbours lie together),
/// else a hash.
pub(crate) fn label_number(label: &str) -> i64 {
    let digits: String = label.chars().filter(char::is_ascii_digit).take(18).collect();
    digits.parse().unwrap_or_else(|_| -1 - (hash(label) >> 1).cast_signed())
}

/// What follows the root in a subject's path, without the `/`.
pub(crate) fn child(subject: &Subject) -> &str {
    subject.path.split_once('/').map_or("", |(_, child)| child)
}

/// A subject from its columns.
pub(crate) fn subject(shop: ShopId, root: &str, child: &str) -> Subject {
    let path = if child.is_empty() { root.to_owned() } else { format!("{root}/{child}") };
    Subject { shop, path }
}

pub(crate) fn shop_id(names: &Names, number: i64) -> Done<ShopId> {
    ShopId::new(&names.name(number)?).map_err(|error| bug(error.to_string()))
}

impl View<'_> {
    pub(crate) fn root(&self, shop: &str, path: &str) -> Done<Option<Root>> {
        let (kind, number, key) = parts(path);
        let (Some(shop), Some(kind)) = (self.names.number(shop), self.names.number(kind)) else {
            return Ok(None);
        };
        let sql = "SELECT id, data_key FROM roots WHERE shop = ?1 AND kind = ?2 AND number = ?3 AND key = ?4";
        let found = self
            .connection
            .prepare_cached(sql)?
            .query_row(params![shop, kind, number, key], |row| {
                Ok(Root { id: row.get(0)?, shop, data_key: row.get(1)? })
            })
            .optional()?;
        Ok(found)
    }

    /// The data key with this number, if it was not destroyed.
    pub(crate) fn data_key(&self, number: i64, shop: &str, root: &str) -> Done<Option<DataKey>> {
        let sql = "SELECT master, wrapped FROM data_keys WHERE id = ?1";
        let found = self
            .connection
            .prepare_cached(sql)?
            .query_row([number], |row| Ok((row.get::<_, i32>(0)?, row.get::<_, Vec<u8>>(1)?)))
            .optional()?;
        Ok(found.map(|(master, wrapped)| self.vault.unwrap(master, shop, root, &wrapped)).transpose()?)
    }

    /// Opens a sealed column; `None` where its key was destroyed.
    pub(crate) fn open_column(
        &self,
        shop: &str,
        root: &str,
        place: &Place,
        column: &[u8],
    ) -> Done<Option<Vec<u8>>> {
        let (number, sealed) =
            Sealed::from_column(column).map_err(store::seal::vault::damaged("a column"))?;
        let Some(key) = self.data_key(number, shop, root)? else { return Ok(None) };
        let what = format!("a column of {shop}/{root}");
        Ok(Some(key.open(place, &sealed).map_err(store::seal::vault::damaged(what))?))
    }
}

impl Desk {
    /// The root, made now if it is new; a new one has no key.
    pub(crate) fn root_or_new(&mut self, shop: &str, path: &str) -> Done<Root> {
        if let Some(root) = self.view().root(shop, path)? {
            return Ok(root);
        }
        let (id, shop_number) = (self.next_root, self.number(shop)?);
        let root = Root { id, shop: shop_number, data_key: None };
        self.insert_root(root, path)?;
        Ok(root)
    }

    /// A root that is not there yet, with its key: the key first, so that the root is written once.
    pub(crate) fn new_root_with_key(
        &mut self,
        shop: &str,
        path: &str,
        fresh: &FreshKey,
    ) -> Done<(Root, i64)> {
        let root = Root { id: self.next_root, shop: self.number(shop)?, data_key: None };
        let number = self.insert_key(root, shop, path, fresh)?;
        let root = Root { data_key: Some(number), ..root };
        self.insert_root(root, path)?;
        Ok((root, number))
    }

    fn insert_root(&mut self, root: Root, path: &str) -> Done<()> {
        let (kind, number, key) = parts(path);
        let kind = self.number(kind)?;
        let sql = "INSERT INTO roots (id, shop, kind, number, key, data_key) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
        self.execute(sql, params![root.id, root.shop, kind, number, key, root.data_key])?;
        self.next_root = root.id + 1;
        Ok(())
    }

    /// Puts a new key in force for a root.
    pub(crate) fn put_in_force(
        &mut self,
        root: &mut Root,
        shop: &str,
        path: &str,
        fresh: &FreshKey,
    ) -> Done<i64> {
        let number = self.insert_key(*root, shop, path, fresh)?;
        self.execute("UPDATE roots SET data_key = ?2 WHERE id = ?1", [root.id, number])?;
        root.data_key = Some(number);
        Ok(number)
    }

    /// Wraps it again where the master key was rotated since.
    fn insert_key(&self, root: Root, shop: &str, path: &str, fresh: &FreshKey) -> Done<i64> {
        let again;
        let (wrapped, master) = if fresh.master == self.vault.master_number() {
            (&fresh.wrapped, fresh.master)
        } else {
            again = self.vault.wrap(&fresh.key, shop, path)?;
            (&again.0, again.1)
        };
        let sql = "INSERT INTO data_keys (shop, root, master, wrapped) VALUES (?1, ?2, ?3, ?4)";
        self.execute(sql, params![root.shop, root.id, master, wrapped])?;
        Ok(self.connection.last_insert_rowid())
    }

    /// The key in force of a root, made now if there is none.
    pub(crate) fn key_in_force(&mut self, root: &mut Root, shop: &str, path: &str) -> Done<(i64, DataKey)> {
        if let Some(number) = root.data_key {
            let key = self.view().data_key(number, shop, path)?;
            let key = key.ok_or_else(|| bug(format!("{shop}/{path} names a data key that is gone")))?;
            return Ok((number, key));
        }
        let fresh = self.vault.fresh(shop, path)?;
        Ok((self.put_in_force(root, shop, path, &fresh)?, fresh.key))
    }

    /// Seals a small value for a column.
    pub(crate) fn seal_column(
        &mut self,
        root: &mut Root,
        shop: &str,
        path: &str,
        place: &Place,
        plain: &[u8],
    ) -> Done<Vec<u8>> {
        let (number, key) = self.key_in_force(root, shop, path)?;
        Ok(key.seal_plain(&*self.vault.random, place, plain)?.to_column(number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_put_together_as_it_was() {
        for text in [
            "order:5678",
            "order:0",
            "order:007",
            "order:",
            "order",
            "sku:A-1@L-2",
            "order:99999999999999999999",
        ] {
            let (kind, number, key) = parts(text);
            assert_eq!(path(kind, number, key), text);
        }
        assert_eq!(parts("order:5678"), ("order", 5678, ""));
        assert_ne!(parts("order:007").1, parts("order:7").1);
        assert!(parts("order:x").1 < -1 && parts("order:").1 < -1);
    }

    #[test]
    fn labels_of_neighbours_lie_together() {
        assert_eq!(label_number("#1001"), 1001);
        assert_eq!(label_number("ACME-1002-EU"), 1002);
        assert!(label_number("no digit") < 0);
        assert!(label_number(&"9".repeat(40)) > 0);
    }
}
