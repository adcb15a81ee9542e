//! Files of prices, read row by row as they come: a file of ten gigabytes takes no more memory than its longest row. Owns what is
//! wrong with a row and at which line. Refuses to guess: an amount with a comma, a column that nobody knows and a row that is too
//! long are faults, and a load with one fault is none.

mod csv;
mod ndjson;
mod record;

pub use csv::{Csv, csv};
pub use ndjson::{Ndjson, ndjson};

/// A row may have so many bytes.
pub const ROW_BYTES_MAX: usize = 1 << 16;

#[cfg(test)]
mod tests;
