//! Rows as PostgreSQL takes them fastest: the binary form of COPY. Owns that form; a value that its column cannot hold is
//! refused before anything is sent.

use crate::error::{Done, bug};
use crate::names::{Names, of_shop};
use std::collections::BTreeMap;
use std::sync::Arc;
use store::moving::{Kind, Row, Table, Value};

const SIGNATURE: &[u8] = b"PGCOPY\n\xff\r\n\0";

/// Encodes rows of one table.
pub(super) struct Encoder<'a> {
    table: Table,
    names: &'a Names,
}

/// Numbers of names that were asked for, by name.
type Known = BTreeMap<Arc<str>, i32>;

impl<'a> Encoder<'a> {
    pub(super) fn new(table: Table, names: &'a Names) -> Self {
        Self { table, names }
    }

    pub(super) fn sql(&self) -> String {
        let columns: Vec<&str> = self.table.columns().iter().map(|column| column.name).collect();
        format!("COPY {} ({}) FROM STDIN BINARY", self.table.name(), columns.join(", "))
    }

    pub(super) fn encode(&self, rows: &[Row]) -> Done<bytes::Bytes> {
        let columns = self.table.columns();
        let count = i16::try_from(columns.len()).map_err(|_| bug("a table of too many columns"))?;
        let (mut shops, mut names) = (Known::new(), Known::new());
        let mut out = Vec::with_capacity(rows.len() * 64 * columns.len() / 4);
        out.extend_from_slice(SIGNATURE);
        // No flags, no extension.
        out.extend_from_slice(&[0; 8]);
        for row in rows {
            out.extend_from_slice(&count.to_be_bytes());
            for (column, value) in columns.iter().zip(row) {
                let refuse = || bug(format!("{}.{} cannot hold {value:?}", self.table.name(), column.name));
                match (value, column.kind) {
                    (Value::Null, Kind::AnyName) => small(&mut out, 0),
                    (Value::Null, _) => out.extend_from_slice(&(-1_i32).to_be_bytes()),
                    (Value::Int(number), Kind::Int) => field(&mut out, &number.to_be_bytes())?,
                    (Value::Int(number), Kind::Small) => {
                        small(&mut out, i32::try_from(*number).map_err(|_| refuse())?);
                    }
                    (Value::Int(number @ 0..=1), Kind::Bool) => field(&mut out, &[u8::from(*number == 1)])?,
                    // No text of theirs holds a zero byte: a row that does is not to be lost in silence.
                    (Value::Text(text), Kind::Text) if text.contains('\0') => return Err(refuse()),
                    (Value::Text(text), Kind::Text) => field(&mut out, text.as_bytes())?,
                    (Value::Bytes(bytes), Kind::Bytes) => field(&mut out, bytes)?,
                    (Value::Name(name), Kind::Shop) => {
                        small(&mut out, known(&mut shops, name, || self.shop(name))?);
                    }
                    (Value::Name(name), Kind::Name | Kind::AnyName) => {
                        small(&mut out, known(&mut names, name, || self.names.given(name))?);
                    }
                    _ => return Err(refuse()),
                }
            }
        }
        out.extend_from_slice(&(-1_i16).to_be_bytes());
        Ok(out.into())
    }

    fn shop(&self, name: &str) -> Done<i32> {
        let shop = kernel::id::ShopId::new(name).map_err(|error| bug(error.to_string()))?;
        self.names.given(&of_shop(&shop))
    }
}

fn known(known: &mut Known, name: &Arc<str>, ask: impl FnOnce() -> Done<i32>) -> Done<i32> {
    if let Some(number) = known.get(name) {
        return Ok(*number);
    }
    let number = ask()?;
    known.insert(name.clone(), number);
    Ok(number)
}

fn small(out: &mut Vec<u8>, number: i32) {
    out.extend_from_slice(&4_i32.to_be_bytes());
    out.extend_from_slice(&number.to_be_bytes());
}

fn field(out: &mut Vec<u8>, bytes: &[u8]) -> Done<()> {
    let length = i32::try_from(bytes.len()).map_err(|_| bug("a value too long for a column"))?;
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(bytes);
    Ok(())
}
