//! Moving a store to another one: the rows as both stores know them, whatever their tables look like inside, how two
//! copies of them are compared, and the notes by which a store says that it is being moved, was moved, or was restored.
//!
//! Owns the list of tables that are state. Leases are left out, they end with the hub that had them; sums that a store
//! keeps beside its rows are made anew. Sealed values move as they are: both stores seal alike.

pub mod note;
mod sum;
mod table;

pub use note::Note;
pub use sum::Sum;
pub use table::{Column, Kind, Table};

use std::sync::Arc;

/// One value of a row, as it moves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    Null,
    /// Times in nanoseconds, days since 1970, truths as 0 and 1.
    Int(i64),
    Text(String),
    Bytes(Vec<u8>),
    /// A name of the dictionary, in words: each store has its own number for it.
    Name(Arc<str>),
}

/// The same, borrowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cell<'a> {
    Null,
    Int(i64),
    Text(&'a str),
    Bytes(&'a [u8]),
}

impl Value {
    pub fn cell(&self) -> Cell<'_> {
        match self {
            Value::Null => Cell::Null,
            Value::Int(number) => Cell::Int(*number),
            Value::Text(text) => Cell::Text(text),
            Value::Bytes(bytes) => Cell::Bytes(bytes),
            Value::Name(name) => Cell::Text(name),
        }
    }

    /// What it takes in memory, about.
    pub fn bytes(&self) -> usize {
        match self {
            Value::Null | Value::Int(_) | Value::Name(_) => 0,
            Value::Text(text) => text.len(),
            Value::Bytes(bytes) => bytes.len(),
        }
    }
}

/// The values of one row, in the order of [`Table::columns`].
pub type Row = Vec<Value>;

/// Some rows of a table, in the order of its keys in the store that they come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    pub rows: Vec<Row>,
    /// The key of the last one, in words of the store that it comes from: where to go on.
    pub key: String,
}
