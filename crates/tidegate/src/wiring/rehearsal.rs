//! The schema of the version to come, so that two versions can be played side by side while there is only one: a
//! migration that expands, and one that contracts again.
//!
//! Only in builds for development, and in those with the feature `rehearsal`; there only for a process whose environment
//! asks for it. A release knows nothing of it.

use store_postgres::{MIGRATIONS, Migration};

/// Which version a process plays.
pub const VARIABLE: &str = "TIDEGATE_REHEARSAL";

/// The version to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// Adds what the version before neither sees nor misses.
    Next,
    /// Takes away what only the version before uses.
    AfterNext,
}

impl Version {
    /// As the variable says it.
    pub fn as_str(self) -> &'static str {
        match self {
            Version::Next => "next",
            Version::AfterNext => "after-next",
        }
    }
}

/// Whether this build can play another version.
pub const CAN: bool = cfg!(any(debug_assertions, feature = "rehearsal"));

/// Those that this process knows.
pub fn migrations() -> &'static [Migration] {
    if !CAN {
        return MIGRATIONS;
    }
    match std::env::var(VARIABLE).as_deref() {
        Ok("next") => &NEXT,
        Ok("after-next") => &AFTER_NEXT,
        _ => MIGRATIONS,
    }
}

const NUMBER: u32 = MIGRATIONS[MIGRATIONS.len() - 1].number;

/// On tables that are written to all the time, as a real one would be.
const EXPAND: Migration = Migration {
    number: NUMBER + 1,
    name: "rehearsal: expand",
    sql: "ALTER TABLE attempts ADD COLUMN rehearsed bigint NOT NULL DEFAULT 0; \
          ALTER TABLE lanes ADD COLUMN rehearsed text; \
          CREATE TABLE rehearsals (shop integer, root text, PRIMARY KEY (shop, root)); \
          CREATE INDEX rehearsed_deliveries ON deliveries (shop, root) WHERE phase = 1",
    oldest: MIGRATIONS[MIGRATIONS.len() - 1].oldest,
};

const CONTRACT: Migration = Migration {
    number: NUMBER + 2,
    name: "rehearsal: contract",
    sql: "ALTER TABLE attempts DROP COLUMN rehearsed; ALTER TABLE lanes DROP COLUMN rehearsed; DROP TABLE rehearsals",
    oldest: NUMBER + 1,
};

const fn with<const ALL: usize>(added: &[Migration]) -> [Migration; ALL] {
    let mut all = [CONTRACT; ALL];
    let mut at = 0;
    while at < MIGRATIONS.len() {
        all[at] = MIGRATIONS[at];
        at += 1;
    }
    let mut more = 0;
    while more < added.len() {
        all[at + more] = added[more];
        more += 1;
    }
    all
}

static NEXT: [Migration; MIGRATIONS.len() + 1] = with(&[EXPAND]);
static AFTER_NEXT: [Migration; MIGRATIONS.len() + 2] = with(&[EXPAND, CONTRACT]);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_versions_follow_each_other_without_a_gap() {
        for (index, migration) in AFTER_NEXT.iter().enumerate() {
            assert_eq!(migration.number as usize, index + 1);
        }
        assert_eq!(NEXT.last().map(|one| (one.number, one.oldest < one.number)), Some((NUMBER + 1, true)));
        assert_eq!(AFTER_NEXT.last().map(|one| one.oldest), Some(NUMBER + 1));
        assert_eq!(migrations().len(), MIGRATIONS.len(), "nobody asked for another version");
    }
}
