//! The ten steps of `docs/pricing.md`, section "The chain", in the order of the page, each with its sentences. Owns what a case
//! gives by these sentences. Refuses to be quick or clever: linear scans, and sorting with the comparison that the page names.

mod change;
mod ending;
mod price;
mod who;

use crate::model::{Answer, Case, Cause, Kind, Outcome};
use crate::mutant::Mutant;
use crate::number::{Number, TooLong};

/// "A value that cannot be represented (more than 28 digits on the way, or a fraction of more than 28 decimals) makes the line *not
/// priced*, `range`".
impl From<TooLong> for Cause {
    fn from(_: TooLong) -> Self {
        Self::Range
    }
}

/// The rules upon one case, with a mistake planted or without.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rules<'a> {
    case: &'a Case,
    mutant: Option<Mutant>,
}

/// What the page gives for a case.
pub(crate) fn answer(case: &Case) -> Outcome {
    answer_with(case, None)
}

/// The same by rules with a mistake in them.
pub(crate) fn answer_with(case: &Case, mutant: Option<Mutant>) -> Outcome {
    Rules { case, mutant }.chain()
}

impl Rules<'_> {
    fn is(&self, mutant: Mutant) -> bool {
        self.mutant == Some(mutant)
    }

    fn chain(&self) -> Outcome {
        self.quantity()?;
        let buyer = self.who();
        let candidates = self.candidates(&buyer, &[Kind::Contract, Kind::List]);
        let Some((source, portions)) = self.first_with_a_price(&candidates)? else {
            return Err(Cause::NoPrice);
        };
        let list_price = self.list_price(&buyer, source, &portions)?;
        let (portions, surcharges) = self.surcharges(&buyer, source.kind, portions)?;
        let (portions, promotions) = self.promotions(&buyer, source, portions)?;
        let way =
            if self.is(Mutant::RoundedByTheBase) { self.base_of(source).unwrap_or(source) } else { source };
        let unrounded = portions.clone();
        let portions = self.rounding(way, portions)?;
        let total =
            self.total(way, if self.is(Mutant::TotalOfUnrounded) { &unrounded } else { &portions })?;
        let (unit_price, average) = self.unit_price(&portions, total)?;
        Ok(Answer {
            source: source.id.clone(),
            kind: source.kind,
            nearness: self.nearest(&source.whom, &buyer).unwrap_or(u8::MAX),
            taxed: source.taxed,
            portions,
            total,
            unit_price,
            average,
            list_price,
            surcharges,
            promotions,
            allowed: self.allowed()?,
        })
    }

    /// Rule 1: "**The quantity** must be more than 0 and at most 1,000,000,000, with at most 6 decimals. Pieces (`C62`), and every
    /// unit that is defined in pieces (rule 5), are counted whole. Else: not priced, `quantity`."
    fn quantity(&self) -> Result<(), Cause> {
        let quantity = self.case.ask.quantity;
        let positive = quantity.is_above(Number::ZERO) || self.is(Mutant::ZeroQuantity);
        let small = !quantity.is_above(Number::whole(1_000_000_000));
        let short = quantity.decimals().is_some_and(|decimals| decimals <= 6);
        let pieces = self.pieces_of(&self.case.ask.unit).is_some();
        let whole = quantity.is_whole() || !pieces || self.is(Mutant::BrokenPieces);
        if positive && small && short && whole { Ok(()) } else { Err(Cause::Quantity) }
    }

    /// "A *quantity rule* of the SKU (minimum, maximum, and a step counted from zero, 1 unless said; all in pieces; the minimum is a
    /// multiple of the step) does not change the price: the answer says whether the quantity is allowed. A quantity in a unit that
    /// is not defined in pieces always is."
    fn allowed(&self) -> Result<bool, Cause> {
        let Some(rule) = self.case.quantity_rules.iter().find(|rule| same_sku(&rule.sku, &self.case.ask.sku))
        else {
            return Ok(true);
        };
        let Some(pieces) = self.pieces_of(&self.case.ask.unit) else {
            return Ok(true);
        };
        if self.is(Mutant::EveryQuantityIsAllowed) {
            return Ok(true);
        }
        let pieces = if self.is(Mutant::QuantityRuleInTheAskedUnit) { Number::ONE } else { pieces };
        let quantity = self.case.ask.quantity.times(pieces)?;
        let step = rule.step.unwrap_or(Number::ONE);
        let many = rule.maximum.is_some_and(|maximum| {
            quantity > maximum || (quantity == maximum && self.is(Mutant::MaximumIsTooMany))
        });
        let few =
            rule.minimum.is_some_and(|minimum| quantity < minimum && !self.is(Mutant::NoMinimumQuantity));
        Ok(!many && !few && quantity.over(step)?.is_whole())
    }
}

/// "**SKUs** are compared without blanks around them and without regard to case."
fn same_sku(one: &str, two: &str) -> bool {
    one.trim().eq_ignore_ascii_case(two.trim())
}
