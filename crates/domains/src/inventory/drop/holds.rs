//! What a file of stock holds, levels or changes, and what a folder takes. Owns these words; a file never holds both: of a level and a change in
//! one file it could not be known which was there first.

use super::fault::LineFault;

/// What a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Holds {
    #[default]
    Levels,
    Changes,
}

impl Holds {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Levels => "levels",
            Self::Changes => "changes",
        }
    }
}

/// What is taken of files that are dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Takes {
    #[default]
    Levels,
    Changes,
    /// Each file holds one or the other, and says which.
    Both,
}

impl Takes {
    pub const ALL: [Self; 3] = [Self::Levels, Self::Changes, Self::Both];

    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Levels => "levels",
            Self::Changes => "changes",
            Self::Both => "both",
        }
    }

    /// `None`: it is none of these words.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|takes| takes.as_str() == text)
    }

    /// What a file holds, where that is known before it is opened.
    pub(super) fn only(self) -> Option<Holds> {
        match self {
            Self::Levels => Some(Holds::Levels),
            Self::Changes => Some(Holds::Changes),
            Self::Both => None,
        }
    }
}

/// A file of what is not taken, at its first line.
pub(super) fn not_taken(holds: Holds, line: u64) -> LineFault {
    let (is, taken) = match holds {
        Holds::Levels => ("levels", "changes"),
        Holds::Changes => ("changes", "levels"),
    };
    let what = format!(
        "this is a file of {is}, and only {taken} are taken here; write files = \"both\" in the connection of its system, or drop it \
         elsewhere"
    );
    LineFault::new(line, 1, what)
}
