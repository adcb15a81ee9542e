//! What is wrong with a document of terms, and where.

use std::fmt;

/// One fault. Its place is written as in the document: `lists[3].base`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TermsFault {
    pub place: String,
    /// For a person: what is wrong and what to write.
    pub message: String,
}

impl fmt::Display for TermsFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.message)
    }
}

/// Collects faults while a document is read.
#[derive(Debug, Default)]
pub(super) struct Faults {
    found: Vec<TermsFault>,
}

impl Faults {
    pub(super) fn tell(&mut self, place: String, message: impl Into<String>) {
        self.found.push(TermsFault { place, message: message.into() });
    }

    /// The value, or a fault at this place.
    pub(super) fn keep<T, E: fmt::Display>(
        &mut self,
        place: impl FnOnce() -> String,
        read: Result<T, E>,
    ) -> Option<T> {
        match read {
            Ok(value) => Some(value),
            Err(fault) => {
                self.tell(place(), fault.to_string());
                None
            }
        }
    }

    pub(super) fn end<T>(self, value: T) -> Result<T, Vec<TermsFault>> {
        if self.found.is_empty() { Ok(value) } else { Err(self.found) }
    }
}
