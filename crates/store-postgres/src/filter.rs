//! A filter of deliveries as SQL: which rows, by numbers. Built from parts, all values bound.

use crate::desk::Desk;
use crate::error::Done;
use crate::names::Names;
use store::query::{DeliveryFilter, Phase};
use tokio_postgres::Row;
use tokio_postgres::types::{ToSql, Type};

/// The `WHERE` of a filter over `deliveries d`, and its values. Every shop is named where none is asked for: each finds
/// its rows by its own stretch of an index.
#[derive(Debug)]
pub(crate) struct Wanted {
    pub sql: String,
    values: Vec<Value>,
}

#[derive(Debug)]
enum Value {
    Number(i32),
    Id(i64),
    Ids(Vec<i64>),
    Shops(Vec<i32>),
    Text(String),
}

impl Value {
    fn bound(&self) -> (&(dyn ToSql + Sync), Type) {
        match self {
            Value::Number(value) => (value, Type::INT4),
            Value::Id(value) => (value, Type::INT8),
            Value::Ids(value) => (value, Type::INT8_ARRAY),
            Value::Shops(value) => (value, Type::INT4_ARRAY),
            Value::Text(value) => (value, Type::TEXT),
        }
    }
}

impl Wanted {
    /// `None`: it names a shop, system or flow that no row has.
    pub(crate) fn of(names: &Names, which: &DeliveryFilter) -> Option<Self> {
        let mut wanted = Self { sql: "WHERE true".into(), values: Vec::new() };
        match &which.shop {
            Some(shop) => wanted.and("d.shop = $", Value::Number(names.shop_number(shop)?), ""),
            None => wanted.and("d.shop = ANY($", Value::Shops(names.shops()), ")"),
        }
        if let Some(system) = &which.system {
            wanted.and("d.system = $", Value::Number(names.number(system.as_str())?), "");
        }
        if let Some(flow) = &which.flow {
            wanted.and("d.flow = $", Value::Number(names.number(flow.as_str())?), "");
        }
        if let Some(root) = &which.root {
            wanted.and("d.root = $", Value::Text(root.clone()), "");
        }
        if let Some(fingerprint) = &which.fingerprint {
            let sql = "EXISTS (SELECT 1 FROM dead_letters f WHERE f.shop = d.shop AND f.delivery = d.id AND f.fingerprint = $";
            wanted.and(sql, Value::Text(fingerprint.clone()), ")");
        }
        if let Some(before) = which.before {
            wanted.and("d.id < $", Value::Id(before.0), "");
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
            wanted.and("d.id = ANY($", Value::Ids(which.ids.iter().map(|id| id.0).collect()), ")");
        }
        Some(wanted)
    }

    fn and(&mut self, before: &str, value: Value, after: &str) {
        self.values.push(value);
        self.sql.push_str(&format!(" AND {before}{}{after}", self.values.len()));
    }

    /// The rows of a statement that has this filter in it.
    pub(crate) async fn rows(&self, desk: &Desk, sql: &str) -> Done<Vec<Row>> {
        let values: Vec<_> = self.values.iter().map(Value::bound).collect();
        desk.all(sql, &values).await
    }
}
