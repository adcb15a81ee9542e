//! Rows on their way out: read in the order of their keys, put into words, handed on in batches.

use super::select::select;
use super::{key_of, key_text};
use crate::error::{Done, bug};
use crate::names::Names;
use crate::roots::path;
use rusqlite::types::Value as Sql;
use rusqlite::{Connection, Row as SqlRow, params_from_iter};
use store::StoreError;
use store::moving::{Batch, Kind, Row, Table, Value};

/// Rows of one batch at most, however small they are.
const BATCH_ROWS: usize = 20_000;
/// What a value costs beside its bytes.
const VALUE_BYTES: usize = 16;

/// Gathers rows until there are enough.
pub(super) struct Batches<'a> {
    bytes_max: usize,
    bytes: usize,
    rows: Vec<Row>,
    key: Vec<Sql>,
    take: &'a mut dyn FnMut(Batch) -> Result<(), StoreError>,
}

impl<'a> Batches<'a> {
    pub(super) fn new(bytes_max: usize, take: &'a mut dyn FnMut(Batch) -> Result<(), StoreError>) -> Self {
        Self { bytes_max, bytes: 0, rows: Vec::new(), key: Vec::new(), take }
    }

    /// A row with its key.
    pub(super) fn push(&mut self, key: impl IntoIterator<Item = Sql>, row: Row) -> Done<()> {
        self.push_all(key, vec![row])
    }

    /// Rows with one key: none of them is handed on without the others.
    pub(super) fn push_all(&mut self, key: impl IntoIterator<Item = Sql>, rows: Vec<Row>) -> Done<()> {
        let values = rows.iter().flatten();
        self.bytes += values.map(|value| VALUE_BYTES + value.bytes()).sum::<usize>();
        self.rows.extend(rows);
        self.key.clear();
        self.key.extend(key);
        if self.bytes >= self.bytes_max || self.rows.len() >= BATCH_ROWS {
            self.hand_on()?;
        }
        Ok(())
    }

    /// What is left.
    pub(super) fn end(mut self) -> Result<(), StoreError> {
        Ok(self.hand_on()?)
    }

    fn hand_on(&mut self) -> Done<()> {
        if self.rows.is_empty() {
            return Ok(());
        }
        self.bytes = 0;
        let batch = Batch { rows: std::mem::take(&mut self.rows), key: key_text(&self.key)? };
        Ok((self.take)(batch)?)
    }
}

pub(super) fn rows(
    connection: &Connection,
    names: &Names,
    table: Table,
    after: Option<&str>,
    batches: &mut Batches<'_>,
) -> Done<()> {
    let select = select(table);
    let key = select.key.join(", ");
    let after = after.map(key_of).transpose()?.unwrap_or_default();
    let behind = if after.is_empty() {
        String::new()
    } else {
        format!("AND ({key}) > ({})", vec!["?"; after.len()].join(", "))
    };
    let sql = format!(
        "SELECT {key}, {} FROM {} WHERE {} {behind} ORDER BY {key}",
        select.columns, select.from, select.only
    );
    let mut statement = connection.prepare(&sql)?;
    let mut found = statement.query(params_from_iter(after))?;
    let keys = select.key.len();
    while let Some(row) = found.next()? {
        let of_key = (0..keys).map(|at| row.get::<_, Sql>(at)).collect::<Result<Vec<_>, _>>()?;
        batches.push(of_key, put_into_words(row, keys, table, names)?)?;
    }
    Ok(())
}

fn put_into_words(row: &SqlRow<'_>, first: usize, table: Table, names: &Names) -> Done<Row> {
    let mut at = first;
    let mut values = Vec::with_capacity(table.columns().len());
    for column in table.columns() {
        if column.name == "root" {
            let kind = names.name(row.get(at)?)?;
            let key: &str = row.get_ref(at + 2)?.as_str().map_err(|error| bug(error.to_string()))?;
            values.push(Value::Text(path(&kind, row.get(at + 1)?, key)));
            at += 3;
            continue;
        }
        let value = row.get::<_, Sql>(at)?;
        at += 1;
        values.push(match (value, column.kind) {
            (Sql::Null, _) => Value::Null,
            (Sql::Integer(number), Kind::Name | Kind::AnyName | Kind::Shop) => {
                Value::Name(names.name(number)?)
            }
            (Sql::Integer(number), Kind::Small | Kind::Int | Kind::Bool) => Value::Int(number),
            (Sql::Text(text), Kind::Text) => Value::Text(text),
            (Sql::Blob(bytes), Kind::Bytes) => Value::Bytes(bytes),
            (other, kind) => {
                return Err(bug(format!(
                    "{}.{} is {}, and should be {kind:?}",
                    table.name(),
                    column.name,
                    other.data_type()
                )));
            }
        });
    }
    Ok(values)
}
