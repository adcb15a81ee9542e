//! How two copies of a table are compared: how many rows, and a sum over what is in them that their order does not
//! change. A row that is missing, doubled, altered or in another table changes it.

use super::{Cell, Table};
use sha2::{Digest, Sha256};
use std::fmt;

/// Of one table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sum {
    pub rows: u64,
    sum: u128,
}

impl Sum {
    pub fn add<'a>(&mut self, table: Table, row: impl IntoIterator<Item = Cell<'a>>) {
        let mut hash = Sha256::new();
        let mut bytes = Vec::with_capacity(256);
        bytes.extend_from_slice(table.name().as_bytes());
        for cell in row {
            match cell {
                Cell::Null => bytes.push(0),
                Cell::Int(number) => {
                    bytes.push(1);
                    bytes.extend_from_slice(&number.to_be_bytes());
                }
                Cell::Text(text) => put(&mut bytes, 2, text.as_bytes()),
                Cell::Bytes(value) => put(&mut bytes, 3, value),
            }
        }
        hash.update(&bytes);
        let short = hash.finalize().first_chunk().copied().unwrap_or_default();
        self.rows += 1;
        self.sum = self.sum.wrapping_add(u128::from_be_bytes(short));
    }

    /// Of both parts.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self { rows: self.rows + other.rows, sum: self.sum.wrapping_add(other.sum) }
    }
}

fn put(bytes: &mut Vec<u8>, tag: u8, value: &[u8]) {
    bytes.push(tag);
    bytes.extend_from_slice(&(value.len() as u64).to_be_bytes());
    bytes.extend_from_slice(value);
}

/// The sum alone, in hexadecimal.
impl fmt::Display for Sum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.sum)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(table: Table, rows: &[&[Cell<'_>]]) -> Sum {
        let mut sum = Sum::default();
        rows.iter().for_each(|row| sum.add(table, row.iter().copied()));
        sum
    }

    #[test]
    fn order_does_not_count_and_everything_else_does() {
        let (a, b) = ([Cell::Int(1), Cell::Text("x")], [Cell::Int(2), Cell::Null]);
        let whole = of(Table::Audit, &[&a, &b]);
        assert_eq!(whole, of(Table::Audit, &[&b, &a]));
        assert_eq!(whole, of(Table::Audit, &[&a]).and(of(Table::Audit, &[&b])));
        for other in [
            of(Table::Audit, &[&a]),
            of(Table::Audit, &[&a, &a]),
            of(Table::Pauses, &[&a, &b]),
            of(Table::Audit, &[&a, &[Cell::Int(2), Cell::Text("")]]),
            of(Table::Audit, &[&a, &[Cell::Int(2), Cell::Bytes(b"")]]),
            of(Table::Audit, &[&[Cell::Int(1), Cell::Bytes(b"x")], &b]),
        ] {
            assert_ne!(whole, other);
        }
    }
}
