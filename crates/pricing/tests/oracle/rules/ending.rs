//! Rules 9 and 10: the rounding, the total, and what is told beside them.

use super::Rules;
use super::change::sum;
use super::who::Buyer;
use crate::model::{Cause, Kind, List, Portion, RoundTo};
use crate::mutant::Mutant;
use crate::number::{Half, Number};

impl Rules<'_> {
    /// Rule 9: "**Rounding** of each portion's unit price, once, here, by the source's list (the list that was chosen, not its
    /// base)."
    pub(super) fn rounding(&self, list: &List, mut portions: Vec<Portion>) -> Result<Vec<Portion>, Cause> {
        for portion in &mut portions {
            portion.price = self.rounded(list, portion.price)?.in_range()?;
        }
        Ok(portions)
    }

    /// Rule 9: "`exact`: to 6 decimals; `minor`: to the currency's minor unit; an increment such as `0.05`: to a whole multiple of
    /// it; an ending such as `*.99` (always a part of one): to the nearest price that ends so, never below the ending itself (a
    /// price under 0.99 becomes 0.99). A price of zero stays zero."
    fn rounded(&self, list: &List, price: Number) -> Result<Number, Cause> {
        if price.is_zero() && !self.is(Mutant::ZeroGetsAnEnding) {
            return Ok(price);
        }
        let half = self.half(list);
        Ok(match list.round_to {
            RoundTo::Exact => price.to_decimals(if self.is(Mutant::ExactIsEight) { 8 } else { 6 }, half)?,
            RoundTo::Minor => price.to_decimals(self.minor_unit(), half)?,
            RoundTo::Increment(_) if self.is(Mutant::IncrementIsMinor) => {
                price.to_decimals(self.minor_unit(), half)?
            }
            RoundTo::Increment(increment) => price.to_multiple(increment, half)?,
            RoundTo::Ending(ending) => self.with_ending(price, ending, half)?,
        })
    }

    /// Rule 9: "`half_up`: a half goes up (away from zero); `half_even`: to the even neighbour (for an increment: the even multiple;
    /// for an ending: the one with the even whole part)."
    fn with_ending(&self, price: Number, ending: Number, half: Half) -> Result<Number, Cause> {
        if price <= ending && !self.is(Mutant::EndingBelowItself) {
            return Ok(ending);
        }
        let whole = price.minus(ending)?.floor();
        let (below, above) = (Number::whole(whole).plus(ending)?, Number::whole(whole + 1).plus(ending)?);
        let (down, up) = (price.minus(below)?, above.minus(price)?);
        let half_goes_up = match half {
            Half::Up => true,
            Half::Even if self.is(Mutant::EndingHalfToOdd) => whole % 2 == 0,
            Half::Even => whole % 2 != 0,
        };
        let goes_up = up < down || (up == down && half_goes_up);
        Ok(if goes_up && !self.is(Mutant::EndingAlwaysDown) { above } else { below })
    }

    /// The list's way with halves.
    fn half(&self, list: &List) -> Half {
        match self.mutant {
            Some(Mutant::HalfEvenForHalfUp) => Half::Even,
            Some(Mutant::HalfUpForHalfEven) => Half::Up,
            _ => list.half,
        }
    }

    /// How many decimals the asked currency has (ISO 4217).
    fn minor_unit(&self) -> u32 {
        match self.case.ask.currency.as_str() {
            _ if self.is(Mutant::AllCurrenciesHaveCents) => 2,
            "JPY" => 0,
            "KWD" => 3,
            "CLF" => 4,
            _ => 2,
        }
    }

    /// Rule 10: "**The total** is the sum over the portions of quantity × unit price, each exact; the sum is rounded once, to the
    /// minor unit, by the list's way with halves."
    pub(super) fn total(&self, list: &List, portions: &[Portion]) -> Result<Number, Cause> {
        let half = if self.is(Mutant::TotalAlwaysHalfUp) { Half::Up } else { self.half(list) };
        if self.is(Mutant::TotalRoundedByPortion) {
            let mut total = Number::ZERO;
            for portion in portions {
                total = total
                    .plus(portion.quantity.times(portion.price)?.to_decimals(self.minor_unit(), half)?)?;
            }
            return Ok(total);
        }
        Ok(sum(portions)?.to_decimals(self.minor_unit(), half)?.in_range()?)
    }

    /// "The answer's *unit price* is the portion's, if there is one; else total ÷ quantity, to 8 decimals, half up, and called
    /// an average."
    pub(super) fn unit_price(&self, portions: &[Portion], total: Number) -> Result<(Number, bool), Cause> {
        if let [portion] = portions {
            return Ok((portion.price, false));
        }
        let total = if self.is(Mutant::AverageOfTheExactSum) { sum(portions)? } else { total };
        let average = total.over(self.case.ask.quantity)?.to_decimals(8, Half::Up)?.in_range()?;
        Ok((average, true))
    }

    /// "The *list price* beside it is what rules 3 to 6 give for the lists of kind `list` alone, as the unit price of the
    /// first portion, rounded by rule 9 by the list that gives it (none, if none has a price; surcharges and promotions are not
    /// in it)."
    pub(super) fn list_price(
        &self,
        buyer: &Buyer,
        source: &List,
        chosen: &[Portion],
    ) -> Result<Option<Number>, Cause> {
        if self.is(Mutant::ListPriceIsTheSources) {
            return Ok(self.rounding(source, chosen.to_vec())?.first().map(|portion| portion.price));
        }
        let lists = self.candidates(buyer, &[Kind::List]);
        let Some((list, portions)) = self.first_with_a_price(&lists)? else {
            return Ok(None);
        };
        let portions = match self.mutant {
            Some(Mutant::ListPriceIsNotRounded) => portions,
            Some(Mutant::ListPriceRoundedByTheSource) => self.rounding(source, portions)?,
            _ => self.rounding(list, portions)?,
        };
        Ok(portions.first().map(|portion| portion.price))
    }
}
