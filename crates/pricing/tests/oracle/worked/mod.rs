//! Examples that were computed with a pencil from `docs/pricing.md`. They judge the oracle, because it judges others.

pub(crate) mod build;
mod changes;
mod sources;

use build::Example;
use changes::{of_changes, of_rounding};
use sources::{of_the_source, of_units_and_tiers};

use crate::model::For;
use crate::rules::answer;
use crate::tell::tell;

fn company() -> For {
    For::Company("C1".to_owned())
}

fn location() -> For {
    For::Location("L1".to_owned())
}

#[test]
fn the_oracle_gives_what_a_pencil_gives() {
    let examples = [of_the_source(), of_units_and_tiers(), of_changes(), of_rounding()].concat();
    assert!(examples.len() >= 15);
    for Example { says, case, gives } in examples {
        assert_eq!(tell(&answer(&case)), gives, "{says}");
    }
}
