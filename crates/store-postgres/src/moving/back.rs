//! What was written, read back in the words in which it came, so that both ends are compared and not two ways to count.

use super::NO_NOTE;
use crate::error::{Done, bug};
use crate::names::Names;
use crate::session::Session;
use futures_util::TryStreamExt;
use std::sync::Arc;
use store::moving::{Cell, Kind, Sum, Table};
use tokio_postgres::Row;

/// What a name's number stands for, read once in the words of its kind.
enum Read<'a> {
    Cell(Cell<'a>),
    Name(Arc<str>, usize),
}

pub(super) async fn sum(session: &Session, names: &Names, table: Table) -> Done<Sum> {
    let columns: Vec<String> = table.columns().iter().map(|column| format!("t.{}", column.name)).collect();
    let only = if table == Table::Cursors { NO_NOTE } else { "true" };
    let sql = format!("SELECT {} FROM {} t WHERE {only}", columns.join(", "), table.name());
    let mut rows = std::pin::pin!(session.stream(&sql).await?);
    let mut sum = Sum::default();
    while let Some(row) = rows.try_next().await? {
        let mut read = Vec::with_capacity(columns.len());
        for (at, column) in table.columns().iter().enumerate() {
            read.push(cell(&row, at, column.kind, names)?);
        }
        let cells = read.iter().map(|read| match read {
            Read::Cell(cell) => *cell,
            Read::Name(name, from) => Cell::Text(&name[*from..]),
        });
        sum.add(table, cells);
    }
    Ok(sum)
}

fn cell<'a>(row: &'a Row, at: usize, kind: Kind, names: &Names) -> Done<Read<'a>> {
    let cell = match kind {
        Kind::Small => row.try_get::<_, Option<i32>>(at)?.map(|number| Cell::Int(number.into())),
        Kind::Int => row.try_get::<_, Option<i64>>(at)?.map(Cell::Int),
        Kind::Bool => row.try_get::<_, Option<bool>>(at)?.map(|truth| Cell::Int(truth.into())),
        Kind::Text => row.try_get::<_, Option<&str>>(at)?.map(Cell::Text),
        Kind::Bytes => row.try_get::<_, Option<&[u8]>>(at)?.map(Cell::Bytes),
        Kind::Name | Kind::AnyName | Kind::Shop => {
            let number = row.try_get::<_, Option<i32>>(at)?;
            let Some(number) = number.filter(|number| *number != 0 || kind != Kind::AnyName) else {
                return Ok(Read::Cell(Cell::Null));
            };
            let name = names.name(number)?;
            let from = if kind == Kind::Shop { "shop:".len() } else { 0 };
            if name.len() < from {
                return Err(bug(format!("{name} is not a shop")));
            }
            return Ok(Read::Name(name, from));
        }
    };
    Ok(Read::Cell(cell.unwrap_or(Cell::Null)))
}
