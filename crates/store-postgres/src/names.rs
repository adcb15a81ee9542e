//! The dictionary of names: shops, systems, flows, topics and the like stand in rows as small numbers.
//!
//! Owns the numbers. One that was given out is committed at once, before the transaction that needs it, so that it
//! means the same to every node and is never taken back.

use crate::bind::args;
use crate::error::{Done, Fail, bug};
use crate::session::Session;
use kernel::id::{FlowName, ShopId, SystemName};
use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Arc, PoisonError, RwLock};

#[derive(Debug, Default)]
struct Known {
    numbers: BTreeMap<Arc<str>, i32>,
    names: BTreeMap<i32, Arc<str>>,
}

#[derive(Debug, Default)]
pub(crate) struct Names(RwLock<Known>);

const SHOP: &str = "shop:";
const KIND: &str = "kind:";

pub(crate) fn of_shop(shop: &ShopId) -> String {
    [SHOP, shop.as_str()].concat()
}
/// The kind of a root, so that a key can be looked for whatever its kind.
pub(crate) fn of_kind(root: &str) -> String {
    [KIND, root.split_once(':').map_or(root, |(kind, _)| kind)].concat()
}

impl Names {
    /// The number of a name that somebody wrote; `None`: no row can have it, or another node wrote it just now.
    pub(crate) fn number(&self, name: &str) -> Option<i32> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).numbers.get(name).copied()
    }
    pub(crate) fn shop_number(&self, shop: &ShopId) -> Option<i32> {
        self.number(&of_shop(shop))
    }

    /// The number of a name that [`Names::ensure`] was asked for.
    pub(crate) fn given(&self, name: &str) -> Done<i32> {
        self.number(name).ok_or_else(|| bug(format!("the name {name} has no number")))
    }
    pub(crate) fn given_shop(&self, shop: &ShopId) -> Done<i32> {
        self.given(&of_shop(shop))
    }

    pub(crate) fn name(&self, number: i32) -> Done<Arc<str>> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        known.names.get(&number).cloned().ok_or(Fail::UnknownName(number))
    }
    pub(crate) fn shop(&self, number: i32) -> Done<ShopId> {
        let name = self.name(number)?;
        let name = name.strip_prefix(SHOP).ok_or_else(|| bug(format!("{name} is not a shop")))?;
        ShopId::new(name).map_err(|error| bug(error.to_string()))
    }
    pub(crate) fn flow(&self, number: i32) -> Done<FlowName> {
        FlowName::new(&self.name(number)?).map_err(|error| bug(error.to_string()))
    }
    pub(crate) fn system(&self, number: i32) -> Done<SystemName> {
        SystemName::new(&self.name(number)?).map_err(|error| bug(error.to_string()))
    }

    /// The greatest number that is known.
    pub(crate) fn newest(&self) -> i32 {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        known.names.last_key_value().map_or(0, |(number, _)| *number)
    }

    /// Every shop that ever sent something, by number.
    pub(crate) fn shops(&self) -> Vec<i32> {
        self.with_prefix(SHOP).into_iter().map(|(number, _)| number).collect()
    }
    /// Every kind of root that there ever was.
    pub(crate) fn kinds(&self) -> Vec<String> {
        let kinds = self.with_prefix(KIND).into_iter();
        kinds.filter_map(|(_, name)| name.strip_prefix(KIND).map(str::to_owned)).collect()
    }
    fn with_prefix(&self, prefix: &str) -> Vec<(i32, Arc<str>)> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let found = known
            .numbers
            .range::<str, _>((Bound::Included(prefix), Bound::Unbounded))
            .take_while(|(name, _)| name.starts_with(prefix));
        found.map(|(name, number)| (*number, name.clone())).collect()
    }

    /// Those of the names that have no number yet, each once.
    pub(crate) fn unknown<'a>(&self, names: impl IntoIterator<Item = &'a str>) -> Vec<String> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let mut unknown: Vec<String> =
            names.into_iter().filter(|name| !known.numbers.contains_key(*name)).map(str::to_owned).collect();
        unknown.sort_unstable();
        unknown.dedup();
        unknown
    }

    /// Gives numbers out, in a transaction of their own.
    pub(crate) async fn give_out(&self, session: &Session, unknown: &[String]) -> Done<()> {
        // First those that another node gave out: a number is spent by each try to insert one.
        let find = "SELECT id, name FROM names WHERE name = ANY($1)";
        self.learn(&session.all(find, args![unknown]).await?)?;
        let unknown = self.unknown(unknown.iter().map(String::as_str));
        if unknown.is_empty() {
            return Ok(());
        }
        let sql = "INSERT INTO names (name) SELECT name FROM unnest($1::text[]) AS new (name) ON CONFLICT DO NOTHING";
        session.execute(sql, args![unknown]).await?;
        self.learn(&session.all(find, args![unknown]).await?)
    }

    /// All of them: at the start, and when a row has a name that is not known here.
    pub(crate) async fn load(&self, session: &Session) -> Done<()> {
        self.learn(&session.all("SELECT id, name FROM names", &[]).await?)
    }

    fn learn(&self, rows: &[tokio_postgres::Row]) -> Done<()> {
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        for row in rows {
            let (number, name): (i32, Arc<str>) = (row.try_get(0)?, row.try_get::<_, String>(1)?.into());
            known.names.insert(number, name.clone());
            known.numbers.insert(name, number);
        }
        Ok(())
    }
}
