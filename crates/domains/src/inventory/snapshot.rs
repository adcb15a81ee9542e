//! Whether a full snapshot may be believed. Owns the guard: what a truncated file does not name is not gone.

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
}
