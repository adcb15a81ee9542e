//! How units that are free are divided over several places that show them: by share, or a stated number each and the rest. Owns the
//! arithmetic: the parts are what there is, to the unit, whatever there is. Pure; which places these are is `outlets`'.

use std::fmt;

/// What one of them takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Takes {
    /// Of what is free, in percent, rounded down.
    Percent(u8),
    /// So many, as long as there are.
    Units(i64),
    /// What the others leave.
    Rest,
}

impl fmt::Display for Takes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Percent(percent) => write!(f, "{percent} %"),
            Self::Units(units) => write!(f, "the first {units}"),
            Self::Rest => f.write_str("the rest"),
        }
    }
}

/// One of several that units are divided over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Division {
    takes: Vec<Takes>,
    own: usize,
}

impl Division {
    /// `own`: whose part it is, by its place among all. Where none takes the rest, the first has what rounding leaves.
    #[must_use]
    pub fn new(takes: Vec<Takes>, own: usize) -> Self {
        Self { takes, own }
    }

    /// Of so many free units, what falls to this one. Those that take a number are served in their order, as far as it lasts. What is
    /// missing (below zero) is missing where the rest goes.
    #[must_use]
    pub fn part(&self, free: i64) -> i64 {
        let rest = self.takes.iter().position(|takes| *takes == Takes::Rest).unwrap_or(0);
        if free <= 0 {
            return if self.own == rest { free } else { 0 };
        }
        let mut left = free;
        for (at, takes) in self.takes.iter().enumerate().filter(|(at, _)| *at != rest) {
            let wanted = match takes {
                Takes::Percent(percent) => {
                    i64::try_from(i128::from(free) * i128::from(*percent) / 100).unwrap_or(i64::MAX)
                }
                Takes::Units(units) => (*units).max(0),
                Takes::Rest => 0,
            };
            let part = wanted.min(left);
            if at == self.own {
                return part;
            }
            left -= part;
        }
        if self.own == rest { left } else { 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parts(takes: &[Takes], free: i64) -> Vec<i64> {
        (0..takes.len()).map(|own| Division::new(takes.to_vec(), own).part(free)).collect()
    }

    #[test]
    fn the_parts_are_exact() {
        use Takes::{Percent, Rest, Units};
        for (takes, free, expected) in [
            (vec![Percent(70), Percent(30)], 100, vec![70, 30]),
            // What rounding leaves is the first's.
            (vec![Percent(70), Percent(30)], 99, vec![70, 29]),
            (vec![Percent(34), Percent(33), Percent(33)], 10, vec![4, 3, 3]),
            (vec![Percent(50), Percent(50)], 1, vec![1, 0]),
            (vec![Percent(30), Rest], 99, vec![29, 70]),
            (vec![Rest, Units(5)], 20, vec![15, 5]),
            (vec![Rest, Units(5)], 3, vec![0, 3]),
            (vec![Units(20), Rest], 25, vec![20, 5]),
            (vec![Units(20), Rest], 15, vec![15, 0]),
            // In their order, as far as it lasts.
            (vec![Units(4), Rest, Units(5)], 7, vec![4, 0, 3]),
            (vec![Percent(70), Percent(30)], -4, vec![-4, 0]),
            (vec![Units(20), Rest], -4, vec![0, -4]),
            (vec![Percent(70), Percent(30)], 0, vec![0, 0]),
        ] {
            assert_eq!(parts(&takes, free), expected, "{takes:?} of {free}");
        }
    }

    fn takes() -> impl Strategy<Value = Vec<Takes>> {
        let shares = proptest::collection::vec(1u8..40, 1..5).prop_map(|mut percents| {
            let mut sum = 0;
            percents.retain(|percent| {
                sum += u32::from(*percent);
                sum < 100
            });
            let sum: u8 = percents.iter().sum();
            std::iter::once(100 - sum).chain(percents).map(Takes::Percent).collect()
        });
        let units = (proptest::collection::vec(1i64..30, 1..5), 0usize..5).prop_map(|(units, rest)| {
            let mut all: Vec<Takes> = units.into_iter().map(Takes::Units).collect();
            all.insert(rest.min(all.len()), Takes::Rest);
            all
        });
        prop_oneof![shares, units]
    }

    proptest! {
        /// Nothing twice and nothing left over.
        #[test]
        fn the_parts_are_what_there_is(takes in takes(), free in prop_oneof![-50i64..300, any::<i64>()]) {
            let parts = parts(&takes, free);
            prop_assert_eq!(parts.iter().map(|part| i128::from(*part)).sum::<i128>(), i128::from(free));
            prop_assert!(parts.iter().filter(|part| **part < 0).count() <= 1, "{parts:?}");
            for (takes, part) in takes.iter().zip(&parts).filter(|_| free > 0) {
                match takes {
                    Takes::Units(units) => prop_assert!(part <= units),
                    Takes::Percent(percent) => {
                        prop_assert!(i128::from(*part) >= i128::from(free) * i128::from(*percent) / 100);
                    }
                    Takes::Rest => {}
                }
            }
        }
    }
}
