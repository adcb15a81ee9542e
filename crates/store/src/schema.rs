//! Which programs may run on which schema; the same rule and the same numbers for every store.
//!
//! A migration that *expands* (a new table, a column with a default) leaves the programs before it running: they neither
//! see nor miss what it adds. One that *contracts* takes away what they use, and raises the oldest schema whose programs
//! may still run. So a release is rolled out in two steps, and each of them can be taken back (docs/backup.md).

use crate::StoreError;

/// What a store has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Schema {
    /// The newest migration that was applied.
    pub number: u32,
    /// A program that knows this schema may run on it, and start on it; one that knows less may not.
    pub oldest: u32,
}

impl Schema {
    /// From the migrations that were applied, each with the oldest schema that it said; one that says nothing was made for
    /// its own program alone. `None`: no migration, no store.
    pub fn of(applied: impl IntoIterator<Item = (u32, Option<u32>)>) -> Option<Self> {
        applied.into_iter().fold(None, |known: Option<Self>, (number, oldest)| {
            let of_this = Self { number, oldest: oldest.unwrap_or(number) };
            Some(match known {
                Some(known) => Self {
                    number: known.number.max(of_this.number),
                    oldest: known.oldest.max(of_this.oldest),
                },
                None => of_this,
            })
        })
    }

    /// Refuses a program that knows too little.
    pub fn admit(self, known: u32) -> Result<(), StoreError> {
        if known >= self.oldest {
            return Ok(());
        }
        Err(StoreError::TooNew { found: self.number, oldest: self.oldest, known })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expanded_schema_takes_the_program_before_it_and_a_contracted_one_does_not() {
        let expanded = Schema::of([(1, Some(1)), (2, Some(1))]).unwrap();
        assert_eq!(expanded, Schema { number: 2, oldest: 1 });
        assert!(expanded.admit(1).is_ok() && expanded.admit(2).is_ok());
        let contracted = Schema::of([(1, Some(1)), (2, Some(1)), (3, Some(2)), (4, Some(1))]).unwrap();
        assert_eq!(contracted, Schema { number: 4, oldest: 2 }, "what is gone does not come back");
        assert!(contracted.admit(2).is_ok());
        let refused = contracted.admit(1).unwrap_err();
        assert_eq!(refused, StoreError::TooNew { found: 4, oldest: 2, known: 1 });
        assert!(refused.to_string().starts_with("TG-4009: "), "{refused}");
    }

    #[test]
    fn a_migration_that_says_nothing_is_for_its_own_program_alone() {
        assert_eq!(Schema::of([(1, None), (2, None)]), Some(Schema { number: 2, oldest: 2 }));
        assert_eq!(Schema::of([]), None);
    }
}
