//! Every mistake of [`Mutant`], planted in the oracle, is noticed by the comparison with the library: so each rule is reached by
//! the cases, at the place where it decides. The first case in which it does is told for each; with `TIDEGATE_ORACLE_COUNTS=1` all
//! cases are looked at, and in how many it decides is told too.

use crate::compared::{Compared, compared, wanted};
use crate::mutant::Mutant;
use crate::{random, rules};

/// Where a mistake was noticed.
#[derive(Debug, Clone, Copy)]
struct Noticed {
    first: u64,
    cases: u64,
}

#[test]
fn every_planted_mistake_is_noticed() {
    let (cases, start) = wanted();
    // Fewer do not reach all of them.
    let cases = cases.max(20_000);
    let mut noticed: Vec<Option<Noticed>> = vec![None; Mutant::ALL.len()];
    let counts = std::env::var_os("TIDEGATE_ORACLE_COUNTS").is_some();
    for seed in start..start + cases {
        let case = random::case(seed);
        // At the border of too long numbers the two may differ without a mistake.
        let Compared::Same(library) = compared(&case) else { continue };
        for (mutant, noticed) in Mutant::ALL.iter().zip(&mut noticed) {
            if (noticed.is_none() || counts) && rules::answer_with(&case, Some(*mutant)) != library {
                noticed.get_or_insert(Noticed { first: seed, cases: 0 }).cases += 1;
            }
        }
        if !counts && noticed.iter().all(Option::is_some) {
            break;
        }
    }
    let mut overlooked = Vec::new();
    for (mutant, noticed) in Mutant::ALL.iter().zip(noticed) {
        match noticed {
            Some(Noticed { first, cases }) => {
                println!("{:<32} first by seed {first:<6} in {cases} cases", format!("{mutant:?}"));
            }
            None => overlooked.push(mutant),
        }
    }
    assert!(overlooked.is_empty(), "not noticed in {cases} cases from seed {start} on: {overlooked:?}");
}
