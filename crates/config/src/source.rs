//! Where a setting comes from: a place in a file, an environment variable, a flag, or our own default. Owns lines
//! and columns; reads no file.

use serde::Serialize;
use std::fmt;
use std::ops::{Deref, Range};
use std::sync::Arc;

/// A file that was read, kept so that findings can point into it.
#[derive(Clone, PartialEq, Eq)]
pub struct Source(Arc<Inner>);

#[derive(PartialEq, Eq)]
struct Inner {
    name: String,
    text: String,
}

impl Source {
    /// `name` is how the user called the file: it is what findings print.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self(Arc::new(Inner { name: name.into(), text: text.into() }))
    }

    pub fn name(&self) -> &str {
        &self.0.name
    }

    pub fn text(&self) -> &str {
        &self.0.text
    }

    /// Line and column of a byte offset, both from 1; the column counts characters. An offset beyond the end or
    /// inside a character is taken back to the one before it.
    pub fn line_column(&self, offset: usize) -> (usize, usize) {
        let before = &self.0.text[..self.floor(offset)];
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
    }

    /// The text of one line, counted from 1, without its end.
    pub fn line(&self, number: usize) -> &str {
        self.0.text.split('\n').nth(number.saturating_sub(1)).map_or("", |line| line.trim_end_matches('\r'))
    }

    fn floor(&self, offset: usize) -> usize {
        let mut offset = offset.min(self.0.text.len());
        while !self.0.text.is_char_boundary(offset) {
            offset -= 1;
        }
        offset
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Source({:?})", self.0.name)
    }
}

/// A stretch of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spot {
    pub source: Source,
    pub span: Range<usize>,
}

impl Spot {
    pub fn new(source: &Source, span: Range<usize>) -> Self {
        let start = source.floor(span.start);
        Self { source: source.clone(), span: start..source.floor(span.end).max(start) }
    }

    pub fn line_column(&self) -> (usize, usize) {
        self.source.line_column(self.span.start)
    }
}

/// Where a value was written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Origin {
    /// Nobody wrote it: the default of the reference.
    #[default]
    Default,
    File(Spot),
    /// The variable's whole name.
    Environment(String),
    /// The key that was given to `--set`.
    Flag(String),
}

impl Origin {
    pub fn spot(&self) -> Option<&Spot> {
        match self {
            Self::File(spot) => Some(spot),
            _ => None,
        }
    }

    /// One word, for tables and JSON.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::File(_) => "file",
            Self::Environment(_) => "environment",
            Self::Flag(_) => "flag",
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(spot) => {
                let (line, column) = spot.line_column();
                write!(f, "{}:{line}:{column}", spot.source.name())
            }
            Self::Environment(variable) => write!(f, "environment variable {variable}"),
            Self::Flag(key) => write!(f, "flag --set {key}"),
        }
    }
}

/// A value that knows where it came from. Two settings are equal when their values are.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(transparent)]
pub struct Setting<T> {
    pub value: T,
    #[serde(skip)]
    pub origin: Origin,
}

impl<T> Setting<T> {
    pub fn new(value: T, origin: Origin) -> Self {
        Self { value, origin }
    }
}

impl<T> Deref for Setting<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T: PartialEq> PartialEq for Setting<T> {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}
impl<T: Eq> Eq for Setting<T> {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_columns_count_from_one_and_in_characters() {
        let source = Source::new("x.toml", "a\r\nbé = 1\nlast");
        for (offset, expected) in
            [(0, (1, 1)), (3, (2, 1)), (6, (2, 3)), (5, (2, 2)), (11, (3, 1)), (999, (3, 5))]
        {
            assert_eq!(source.line_column(offset), expected, "{offset}");
        }
        assert_eq!(source.line(1), "a");
        assert_eq!(source.line(2), "bé = 1");
        assert_eq!(source.line(9), "");
    }
}
