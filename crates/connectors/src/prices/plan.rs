//! What comes of a comparison: nothing is written, so it is done, or a person hears of it. Pure.

use super::code;
use super::compare::Compared;
use connector::port::{Done, ObjectState, Observation, Observed, Plan, Stage, Wanted};
use kernel::fault::{Fault, FaultKind};
use kernel::flow::Difference;
use kernel::money::Money;

/// So many lines are told; the rest are counted.
const TOLD_MAX: usize = 5;

pub(super) fn plan(wanted: &Wanted, observed: &Observation) -> Plan {
    let Observed::One(found) = &observed.object else {
        let what = "prices were not compared before it was planned what follows";
        return Plan::NotAllowed(Fault::new(FaultKind::Bug, code::BODY, what));
    };
    let compared: Compared = match serde_json::from_value(found.body.clone()) {
        Ok(compared) => compared,
        Err(error) => {
            let what = format!("a comparison cannot be read again: {error}");
            return Plan::NotAllowed(Fault::new(FaultKind::Bug, code::BODY, what));
        }
    };
    if wanted.stage == Stage::Cancelled {
        return done(found, Some("the order is cancelled: nothing is charged for it".to_owned()));
    }
    if compared.before_prices {
        return done(found, Some("no prices were there yet when it was placed".to_owned()));
    }
    let differing = compared.differing().count();
    if differing == 0 {
        return done(found, None);
    }
    let difference = Money::new(compared.difference(), compared.currency);
    let told = told(&compared);
    match &wanted.difference {
        Difference::Accept(most) if difference.amount() <= *most => {
            done(found, Some(format!("differs by {difference}, which the flow accepts: {told}")))
        }
        _ => {
            let lines =
                if differing == 1 { "1 line was".to_owned() } else { format!("{differing} lines were") };
            let what = format!("{lines} not charged as agreed, {difference} in all: {told}");
            Plan::refused(code::DIFFERS, what)
        }
    }
}

fn told(compared: &Compared) -> String {
    let mut sentences: Vec<String> =
        compared.differing().take(TOLD_MAX).map(|line| line.sentence(compared.currency)).collect();
    let more = compared.differing().count().saturating_sub(TOLD_MAX);
    if more > 0 {
        sentences.push(format!("and {more} more"));
    }
    sentences.join(". ")
}

/// It counts as delivered, whose note is kept: *unchanged* has none.
fn done(found: &ObjectState, note: Option<String>) -> Plan {
    Plan::Done(Done { external: found.external.clone(), note, unchanged: false, adopted: false })
}
