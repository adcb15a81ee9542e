//! Whether a full snapshot may be believed. Owns the guards: what a truncated one does not name is not gone, and of two that
//! were mixed into one nobody knows which counts.

use std::fmt;

/// The share of the last snapshot's pairs that a new one has to have, unless the flow says otherwise.
pub const SHARE_PERCENT: u8 = 90;

/// A snapshot that has lost more than may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shrunk {
    /// Pairs of the last snapshot.
    pub last: u64,
    /// Of those, how many this one has.
    pub kept: u64,
    pub share_percent: u8,
}

/// Refuses a snapshot in which too many pairs of the last one are missing.
///
/// # Errors
/// The figures.
pub fn guard(last: u64, kept: u64, share_percent: u8) -> Result<(), Shrunk> {
    if u128::from(kept) * 100 < u128::from(last) * u128::from(share_percent) {
        return Err(Shrunk { last, kept, share_percent });
    }
    Ok(())
}

impl fmt::Display for Shrunk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { last, kept, share_percent } = self;
        let permille = u128::from(*kept) * 1000 / u128::from((*last).max(1));
        write!(
            f,
            "of the {last} pairs of the last snapshot this one has {kept} ({}.{} %), and at least {share_percent} % are asked \
             for: it may be cut off, so nothing of it is applied. Send it again whole; where so many are gone indeed, a \
             person has to say so",
            permille / 10,
            permille % 10
        )
    }
}

impl std::error::Error for Shrunk {}

/// What is less is a number that a source counted; what is more, milliseconds since 1970 in the place of one (from 2001 on).
const DATES_FROM: i64 = 1_000_000_000_000;

/// Whether a level of a snapshot can be older or newer than one that is known: numbers of a source and dates in their place do not
/// compare, and by the one all that comes under the other would be newer, or older, for ever. `numbered`: what the snapshot's levels
/// bear; `None`: what they bear compares. Both as the source wrote them, before they were lifted; what lies before that is known no more.
#[must_use]
pub fn compares(numbered: Option<bool>, known: i64, told: i64) -> bool {
    match numbered {
        _ if known < 0 => true,
        Some(false) => known >= DATES_FROM,
        Some(true) => known < DATES_FROM || told >= DATES_FROM,
        None => true,
    }
}

/// A snapshot that names too many pairs twice: two of them, mixed into one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mixed {
    /// Pairs that it names, each counted once.
    pub pairs: u64,
    /// How many of its lines name a pair that another one has named.
    pub twice: u64,
}

/// Up to so many doubles are findings, each of its own: somebody's SKU stands in two rows.
const TWICE_MAX: u64 = 10;
/// And up to this share of the pairs, in percent.
const TWICE_PERCENT: u64 = 1;

/// Refuses a snapshot in which so much stands twice that it can be no one's mistake in a few rows.
///
/// # Errors
/// The figures.
pub fn mixed(pairs: u64, twice: u64) -> Result<(), Mixed> {
    if twice > TWICE_MAX && u128::from(twice) * 100 > u128::from(pairs) * u128::from(TWICE_PERCENT) {
        return Err(Mixed { pairs, twice });
    }
    Ok(())
}

impl fmt::Display for Mixed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { pairs, twice } = self;
        write!(
            f,
            "{twice} lines name a pair that another line of the same snapshot has named ({pairs} pairs in all): it looks like \
             two snapshots mixed into one, and which of two levels counts cannot be known, so nothing of it is applied. See \
             that its sender writes one at a time, and send it again"
        )
    }
}

impl std::error::Error for Mixed {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snapshot_that_lost_too_much_is_refused_with_the_figures() {
        for (last, kept, share, taken) in [
            (1000, 900, 90, true),
            (1000, 899, 90, false),
            (1000, 1000, 100, true),
            (1000, 999, 100, false),
            (0, 0, 90, true),
            (1, 0, 90, false),
            (1000, 0, 0, true),
            (u64::MAX, u64::MAX, 100, true),
        ] {
            assert_eq!(guard(last, kept, share).is_ok(), taken, "{last} {kept} {share}");
        }
        let said = guard(1_000_000, 812_004, SHARE_PERCENT).unwrap_err().to_string();
        assert!(
            said.contains("of the 1000000 pairs")
                && said.contains("812004 (81.2 %)")
                && said.contains("90 %"),
            "{said}"
        );
    }
    #[test]
    fn a_few_doubles_are_findings_and_many_are_two_snapshots() {
        for (pairs, twice, taken) in
            [(1000, 0, true), (20, 10, true), (20, 11, false), (100_000, 1000, true), (100_000, 1001, false)]
        {
            assert_eq!(mixed(pairs, twice).is_ok(), taken, "{pairs} {twice}");
        }
        let said = mixed(40, 38).unwrap_err().to_string();
        assert!(said.contains("38 lines") && said.contains("40 pairs"), "{said}");
    }

    #[test]
    fn numbers_and_dates_do_not_compare() {
        let (number, date) = (17, 1_795_701_600_000);
        for (numbered, known, told, compare) in [
            (Some(false), date, date + 1, true),
            (Some(false), number, date, false),
            (Some(true), number, number + 1, true),
            (Some(true), date, number, false),
            // A count that is as great as a date.
            (Some(true), date, date + 1, true),
            (None, number, date, true),
            (None, date, number, true),
            // Of before the numbers began anew.
            (Some(false), -5, date, true),
            (Some(true), -5, number, true),
        ] {
            assert_eq!(compares(numbered, known, told), compare, "{numbered:?}: {known} and {told}");
        }
    }
}
