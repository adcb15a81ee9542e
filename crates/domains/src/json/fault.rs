//! What is wrong with a text that should be JSON, and where.

use std::fmt;

/// What the scanner met.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum JsonProblem {
    #[error("is not UTF-8")]
    NotUtf8,
    #[error("ends in the middle of a value")]
    Truncated,
    #[error("holds a character that JSON does not allow here")]
    Unexpected,
    #[error("is nested deeper than 64 levels")]
    TooDeep,
    #[error("holds an unescaped control character in a string")]
    ControlCharacter,
    #[error("holds an escape that JSON does not know")]
    BadEscape,
    #[error("holds half of a surrogate pair")]
    LoneSurrogate,
    #[error("holds a number that JSON does not allow (NaN, Infinity, a leading zero or plus)")]
    BadNumber,
    #[error("holds a number beyond every finite value")]
    NumberOutOfRange,
    #[error("holds the same key twice")]
    DuplicateKey,
    #[error("goes on after its end")]
    Trailing,
}

/// One step of a path, kept innermost first while a fault travels outward.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    Key(String),
    Index(usize),
}

/// A text that is not JSON, or is JSON that the hub refuses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonFault {
    pub problem: JsonProblem,
    /// Byte offset in the text.
    pub offset: usize,
    steps: Vec<Step>,
}

impl JsonFault {
    pub(crate) fn at(problem: JsonProblem, offset: usize) -> Self {
        Self { problem, offset, steps: Vec::new() }
    }

    pub(crate) fn within_key(mut self, key: &str) -> Self {
        self.steps.push(Step::Key(key.chars().take(60).collect()));
        self
    }

    pub(crate) fn within_index(mut self, index: usize) -> Self {
        self.steps.push(Step::Index(index));
        self
    }

    /// The JSON path, `$.line_items[3].price`.
    #[must_use]
    pub fn path(&self) -> String {
        let mut path = String::from("$");
        for step in self.steps.iter().rev() {
            push_step(&mut path, step);
        }
        path
    }
}

pub(crate) fn push_step(path: &mut String, step: &Step) {
    match step {
        Step::Key(key) => push_key(path, key),
        Step::Index(index) => {
            path.push('[');
            path.push_str(&index.to_string());
            path.push(']');
        }
    }
}

/// `.name` where the key is a plain name, `["…"]` where it is not.
pub(crate) fn push_key(path: &mut String, key: &str) {
    let plain = !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if plain {
        path.push('.');
        path.push_str(key);
    } else {
        path.push_str(&format!("[{key:?}]"));
    }
}

impl fmt::Display for JsonFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the body {} at {} (byte {})", self.problem, self.path(), self.offset)
    }
}

impl std::error::Error for JsonFault {}
