//! What a store says of itself where it must not be used as if nothing had happened: kept among its cursors, under names
//! that no work has.
//!
//! Owns the names, the texts of the refusals, and who may lift them.

use crate::StoreError;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What the names of notes of a move begin with; such cursors do not move.
pub const PREFIX: &str = "store.";
/// In the source: its rows are being copied. No hub starts on it.
pub const MOVING: &str = "store.moving";
/// In the source: it lives on elsewhere. No hub starts on it.
pub const MOVED: &str = "store.moved";
/// In the target: it is not whole yet. No hub starts on it.
pub const COPYING: &str = "store.copying";
/// It was restored from a backup; the value is a [`Restored`].
pub const RESTORED: &str = "restored";

/// A copy, in the words of both its ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// Names the copy: what was begun under another one is not gone on with.
    pub copy: String,
    pub from: String,
    /// Without a password.
    pub to: String,
    pub at: Timestamp,
    pub who: String,
}

/// A store that was put back to an earlier moment: what was done after that moment is not in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restored {
    /// Of the backup.
    pub instant: Timestamp,
    /// When it was put back: nothing made at the source later can have been sent by the life that is forgotten.
    pub at: Timestamp,
    pub epoch: u32,
}

fn parsed<T: serde::de::DeserializeOwned>(what: &str, text: &str) -> Result<T, StoreError> {
    serde_json::from_str(text)
        .map_err(|error| StoreError::Bug(format!("the note {what} cannot be read back: {error}")))
}

fn text<T: Serialize>(value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| StoreError::Bug(format!("a note that is no JSON: {error}")))
}

impl Note {
    pub fn parse(value: &str) -> Result<Self, StoreError> {
        parsed("of a copy", value)
    }
    pub fn text(&self) -> Result<String, StoreError> {
        text(self)
    }
}

impl Restored {
    pub fn parse(value: &str) -> Result<Self, StoreError> {
        parsed(RESTORED, value)
    }
    pub fn text(&self) -> Result<String, StoreError> {
        text(self)
    }
}

/// Why no hub starts on a store with this note; `None`: it may.
pub fn refusal(place: &str, name: &str, value: &str) -> Result<Option<StoreError>, StoreError> {
    let note = match name {
        MOVING | MOVED | COPYING => Note::parse(value)?,
        _ => return Ok(None),
    };
    let Note { to, from, at, .. } = &note;
    Ok(Some(StoreError::Unreadable(match name {
        MOVED => format!(
            "TG-4001: {place} was moved to {to} at {at}: run the hub on that one. To go back to this one all the \
             same, knowing that what was done since is not in it: `tidegate store reopen --why …`"
        ),
        MOVING => format!(
            "TG-4002: {place} is being moved to {to} since {at}: let `tidegate store copy` come to its end, or give it \
             up with `tidegate store reopen --why …`"
        ),
        _ => format!(
            "TG-4003: {place} is half a copy of {from}, begun at {at}: let `tidegate store copy` come to its end, or \
             empty this database and run the hub on {from} (`tidegate store reopen` there)"
        ),
    })))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_that_was_moved_says_where_to_and_how_to_lift_it() {
        let note = Note {
            copy: "c1".into(),
            from: "sqlite:/var/lib/tidegate/tidegate.db".into(),
            to: "postgres://db:5432/tidegate".into(),
            at: Timestamp::from_second(1_780_000_000).unwrap(),
            who: "ada".into(),
        };
        let text = note.text().unwrap();
        assert_eq!(Note::parse(&text).unwrap(), note);
        for (name, code) in [(MOVED, "TG-4001"), (MOVING, "TG-4002"), (COPYING, "TG-4003")] {
            let said = refusal("here", name, &text).unwrap().unwrap().to_string();
            assert!(said.starts_with(code) && said.contains("reopen"), "{said}");
            assert!(name == COPYING || said.contains("postgres://db:5432/tidegate"), "{said}");
        }
        assert_eq!(refusal("here", RESTORED, "{}").unwrap(), None);
        assert!(refusal("here", MOVED, "nonsense").is_err());
    }
}
