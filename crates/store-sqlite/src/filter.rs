//! A filter of deliveries as SQL: which rows, by numbers. Built from parts, all values bound.

use crate::names::Names;
use crate::roots::parts;
use rusqlite::types::Value;
use store::query::{DeliveryFilter, Phase};

/// The `WHERE` of a filter over `deliveries d` joined with `roots r`, and its values.
#[derive(Debug)]
pub(crate) struct Wanted {
    pub sql: String,
    pub values: Vec<Value>,
}

impl Wanted {
    /// `None`: it names a shop, system, flow or fingerprint that no row has.
    pub(crate) fn of(names: &Names, which: &DeliveryFilter) -> Option<Self> {
        let mut wanted = Self { sql: "WHERE 1".into(), values: Vec::new() };
        if let Some(shop) = &which.shop {
            wanted.and("d.shop =", names.number(shop.as_str())?);
        }
        if let Some(system) = &which.system {
            wanted.and("d.system =", names.number(system.as_str())?);
        }
        if let Some(flow) = &which.flow {
            wanted.and("d.flow =", names.number(flow.as_str())?);
        }
        if let Some(root) = &which.root {
            let (kind, number, key) = parts(root);
            wanted.and("r.kind =", names.number(kind)?);
            wanted.and("r.number =", number);
            wanted.and("r.key =", key.to_owned());
        }
        if let Some(fingerprint) = &which.fingerprint {
            let number = names.number(fingerprint)?;
            wanted.values.push(number.into());
            let place = wanted.values.len();
            let sql = " AND d.id IN (SELECT delivery FROM dead_letters WHERE fingerprint = ?";
            wanted.sql.push_str(&format!("{sql}{place})"));
        }
        if let Some(before) = which.before {
            wanted.and("d.id <", before.0);
        }
        if let Some(phase) = which.phase {
            wanted.sql.push_str(match phase {
                Phase::Open => " AND d.phase < 2",
                Phase::Waiting => " AND d.phase = 0",
                Phase::Unknown => " AND d.phase = 1",
                Phase::Dead => " AND d.phase = 2",
                Phase::Ended => " AND d.phase = 3",
            });
        }
        if !which.ids.is_empty() {
            let ids: Vec<String> = which.ids.iter().map(|id| id.0.to_string()).collect();
            wanted.sql.push_str(&format!(" AND d.id IN ({})", ids.join(",")));
        }
        Some(wanted)
    }

    fn and(&mut self, condition: &str, value: impl Into<Value>) {
        self.values.push(value.into());
        self.sql.push_str(&format!(" AND {condition} ?{}", self.values.len()));
    }
}
