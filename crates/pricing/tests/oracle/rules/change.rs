//! Rules 7 and 8: what surcharges add and promotions take off.

use std::cmp::Reverse;

use super::Rules;
use super::who::Buyer;
use crate::model::{Adds, Cause, Gives, Kind, List, Named, Portion, Promotion, Skus, Surcharge};
use crate::mutant::Mutant;
use crate::number::Number;

/// The portions after a rule, and the ids of what counted.
type Changed = (Vec<Portion>, Vec<String>);

impl<'a> Rules<'a> {
    /// Rule 7: "**Surcharges** that are approved, valid, for this buyer, for this SKU, in this currency or in none and for this
    /// kind of source: in order of priority (higher first), then id by its bytes. Each changes
    /// every portion's unit price: a percentage multiplies what has come so far, an amount is added. Amounts are per unit of the
    /// surcharge (a piece unless said), converted like a price; where it does not convert, the surcharge does not count. After
    /// each step: 8 decimals, half up." And: "Surcharges and promotions of one percentage may name a currency or none (every
    /// one)".
    pub(super) fn surcharges(
        &self,
        buyer: &Buyer,
        kind: Kind,
        mut portions: Vec<Portion>,
    ) -> Result<Changed, Cause> {
        let mut counting: Vec<_> =
            self.case.surcharges.iter().filter(|one| self.surcharge_counts(one, buyer, kind)).collect();
        counting.sort_by_key(|one| (Reverse(one.priority), one.id.as_bytes()));
        match self.mutant {
            Some(Mutant::SurchargesTurned) => counting.reverse(),
            Some(Mutant::SurchargesById) => counting.sort_by_key(|one| one.id.as_bytes()),
            Some(Mutant::NoSurcharges) => counting.clear(),
            _ => {}
        }
        let before = portions.clone();
        for surcharge in &counting {
            for (portion, first) in portions.iter_mut().zip(&before) {
                let price = match surcharge.adds {
                    Adds::Percent(percent) if self.is(Mutant::PercentOfTheBarePrice) => {
                        portion.price.plus(first.price.times(percent)?.over(Number::whole(100))?)?
                    }
                    Adds::Percent(percent) => {
                        portion.price.times(Number::whole(100).plus(percent)?)?.over(Number::whole(100))?
                    }
                    Adds::Amount(amount) => portion
                        .price
                        .plus(self.for_the_asked_unit(amount, &surcharge.unit)?.unwrap_or(amount))?,
                };
                portion.price = self.eight_decimals(price)?;
            }
        }
        Ok((portions, counting.iter().map(|one| one.id.clone()).collect()))
    }

    fn surcharge_counts(&self, surcharge: &Surcharge, buyer: &Buyer, kind: Kind) -> bool {
        let converts = match surcharge.adds {
            Adds::Percent(_) => true,
            Adds::Amount(_) => self.factor(&surcharge.unit).is_some(),
        };
        (surcharge.approved || self.is(Mutant::DraftCounts))
            && self.is_valid(surcharge.valid)
            && self.is_for(&surcharge.whom, buyer)
            && self.is_among(&surcharge.skus)
            && self.is_in(surcharge.currency.as_ref())
            && converts
            && self.combines(surcharge.sources, kind)
    }

    fn is_in(&self, currency: Option<&String>) -> bool {
        currency.is_none_or(|currency| *currency == self.case.ask.currency) || self.is(Mutant::AnyCurrency)
    }

    /// "SKUs, beginnings of SKUs (`PUMP-*`), or all (`*`)."
    fn is_among(&self, skus: &Skus) -> bool {
        match skus {
            Skus::All => true,
            Skus::Only(skus) => skus.iter().any(|named| match named {
                Named::Sku(sku) => self.is_sku(sku),
                Named::Beginning(beginning) if self.is(Mutant::BeginningIsWhole) => self.is_sku(beginning),
                Named::Beginning(beginning) => begins(&self.case.ask.sku, beginning),
            }),
        }
    }

    /// Rule 8: "**Promotions** […] Those that stack not (`stacks = false`, the usual) compete: each is tried alone upon the price
    /// after surcharges, and of those that lower anything the one that gives the lowest *total before rounding* wins; of equals the
    /// higher priority, then the id by its bytes. Then those that stack are applied, one after the other, by priority (higher first), then id. […] A
    /// promotion that changes nothing (not lower anywhere) is told as such and is not in the answer's list."
    pub(super) fn promotions(
        &self,
        buyer: &Buyer,
        source: &List,
        mut portions: Vec<Portion>,
    ) -> Result<Changed, Cause> {
        let counting =
            self.case.promotions.iter().filter(|one| self.promotion_counts(one, buyer, source.kind));
        let (mut stacking, mut competing): (Vec<_>, Vec<_>) = counting
            .partition(|one| one.stacks != self.is(Mutant::StackingTurned) || self.is(Mutant::AllStack));
        stacking.sort_by_key(|one| (Reverse(one.priority), one.id.as_bytes()));
        if self.is(Mutant::StackedByIdAlone) {
            stacking.sort_by_key(|one| one.id.as_bytes());
        }
        competing.sort_by_key(|one| (Reverse(one.priority), one.id.as_bytes()));
        let mut names = Vec::new();
        if self.is(Mutant::StackedBeforeTheWinner) {
            portions = self.one_after_the_other(&stacking, portions, &mut names)?;
        }
        if let Some(winner) = self.winner(source, &competing, &portions)? {
            portions = self.one_after_the_other(&[winner], portions, &mut names)?;
        }
        if !self.is(Mutant::StackedBeforeTheWinner) {
            portions = self.one_after_the_other(&stacking, portions, &mut names)?;
        }
        Ok((portions, names))
    }

    fn one_after_the_other(
        &self,
        promotions: &[&Promotion],
        mut portions: Vec<Portion>,
        names: &mut Vec<String>,
    ) -> Result<Vec<Portion>, Cause> {
        for promotion in promotions {
            if let Some(changed) = self.applied(promotion, &portions)? {
                portions = changed;
                names.push(promotion.id.clone());
            } else if self.is(Mutant::NothingIsNamed) {
                names.push(promotion.id.clone());
            }
        }
        Ok(portions)
    }

    /// Rule 8: "of those that lower anything the one that gives the lowest *total before rounding* wins; of equals the higher priority, then the id by its bytes":
    /// `competing` come by priority and id, so of equals it is the first.
    fn winner(
        &self,
        source: &List,
        competing: &[&'a Promotion],
        portions: &[Portion],
    ) -> Result<Option<&'a Promotion>, Cause> {
        let mut tried = Vec::new();
        for promotion in competing {
            let Some(changed) = self.applied(promotion, portions)? else {
                continue;
            };
            let total = match self.mutant {
                Some(Mutant::CompetesByRounded) => self.total(source, &self.rounding(source, changed)?)?,
                Some(Mutant::CompetesByUnitPrice) => changed[0].price,
                _ => sum(&changed)?,
            };
            tried.push((total, *promotion));
        }
        match self.mutant {
            Some(Mutant::HighestPriorityWins) => {}
            Some(Mutant::HighestTotalWins) => tried.sort_by_key(|(total, _)| Reverse(*total)),
            Some(Mutant::OfEqualsTheLast) => {
                tried.reverse();
                tried.sort_by_key(|(total, _)| *total);
            }
            _ => tried.sort_by_key(|(total, _)| *total),
        }
        Ok(tried.first().map(|(_, promotion)| *promotion))
    }

    /// Rule 8: "**Promotions** that are approved, valid, for this buyer, this SKU, this currency, whose minimum quantity is reached
    /// (counted in the promotion's unit, a piece unless said, converted as in rule 5; where a minimum is set and does not
    /// convert, it is not reached), and that combine with this kind of source." And: "Amounts and fixed prices are per unit of the promotion,
    /// converted like a price; where they do not convert, the promotion does not count."
    fn promotion_counts(&self, promotion: &Promotion, buyer: &Buyer, kind: Kind) -> bool {
        let quantity = match self.quantity_in(&promotion.unit) {
            _ if self.is(Mutant::MinimumInTheAskedUnit) => Some(self.case.ask.quantity),
            Ok(quantity) => quantity,
            Err(_) => unreachable!("a quantity has at most 10 digits before the point, and pieces are few"),
        };
        let reached = match (promotion.minimum, quantity) {
            (Some(minimum), Some(quantity)) => quantity >= minimum || self.is(Mutant::PromotionBelowMinimum),
            (Some(_), None) => false,
            (None, _) => true,
        };
        let converts = match promotion.gives {
            Gives::AmountOff(_) | Gives::Fixed(_) => self.factor(&promotion.unit).is_some(),
            Gives::PercentOff(_) | Gives::BuyGet { .. } => true,
        };
        (promotion.approved || self.is(Mutant::DraftCounts))
            && self.is_valid(promotion.valid)
            && self.is_for(&promotion.whom, buyer)
            && self.is_among(&promotion.skus)
            && self.is_in(promotion.currency.as_ref())
            && converts
            && reached
            && self.combines(promotion.sources, kind)
    }

    /// What a promotion makes of the portions; nothing, where it is not lower anywhere.
    fn applied(&self, promotion: &Promotion, portions: &[Portion]) -> Result<Option<Vec<Portion>>, Cause> {
        if let Gives::BuyGet { buy, get, percent } = promotion.gives {
            return self.buy_get(buy, get, percent, portions);
        }
        let mut changed = Vec::new();
        for Portion { quantity, price } in portions {
            let unit = &promotion.unit;
            let lower = match promotion.gives {
                Gives::PercentOff(percent) => self.percent_off(*price, percent)?,
                Gives::AmountOff(amount) => {
                    price.minus(self.for_the_asked_unit(amount, unit)?.unwrap_or(amount))?
                }
                Gives::Fixed(fixed) => self.for_the_asked_unit(fixed, unit)?.unwrap_or(fixed),
                Gives::BuyGet { .. } => *price,
            };
            changed.push(Portion {
                quantity: *quantity,
                price: self.never_raised(*price, self.eight_decimals(lower)?),
            });
        }
        Ok(lower_anywhere(portions, &changed).then_some(changed))
    }

    /// Rule 8: "*percent off*: unit price × (100 − p) ÷ 100".
    fn percent_off(&self, price: Number, percent: Number) -> Result<Number, Cause> {
        Ok(price.times(Number::whole(100).minus(percent)?)?.over(Number::whole(100))?)
    }

    /// Rule 8: "A promotion never raises a price: portion by portion, what would be higher stays as it was; and never below zero."
    fn never_raised(&self, before: Number, after: Number) -> Number {
        let after = if self.is(Mutant::PromotionBelowZero) { after } else { after.max(Number::ZERO) };
        if self.is(Mutant::PromotionRaises) { after } else { after.min(before) }
    }

    /// Rule 8: "*buy X get Y at p percent off* (X and Y whole, at least 1): only when the price is one portion and the quantity is
    /// whole. Of every X + Y units, Y are at p percent off: ⌊quantity ÷ (X + Y)⌋ × Y units. They become a portion of their own,
    /// after the others. It is counted in the asked unit."
    fn buy_get(
        &self,
        buy: i128,
        get: i128,
        percent: Number,
        portions: &[Portion],
    ) -> Result<Option<Vec<Portion>>, Cause> {
        let Some(Portion { quantity, price }) = portions.first().cloned() else {
            return Ok(None);
        };
        let many = portions.len() > 1 && !self.is(Mutant::BuyGetOfTheFirstPortion);
        let whole = quantity.is_whole() || self.is(Mutant::BuyGetOfParts);
        if many || !whole {
            return Ok(None);
        }
        let every = if self.is(Mutant::BuyGetOfEveryX) { buy } else { buy + get };
        let reduced = Number::whole(quantity.over(Number::whole(every))?.floor() * get).min(quantity);
        let lower = self.never_raised(price, self.eight_decimals(self.percent_off(price, percent)?)?);
        if reduced.is_zero() || lower == price {
            return Ok(None);
        }
        let mut changed = portions.to_vec();
        changed[0].quantity = quantity.minus(reduced)?;
        changed.push(Portion { quantity: reduced, price: lower });
        if self.is(Mutant::BuyGetFirst) {
            changed.rotate_right(1);
        }
        Ok(Some(changed))
    }
}

/// The total before rounding.
pub(super) fn sum(portions: &[Portion]) -> Result<Number, Cause> {
    let mut sum = Number::ZERO;
    for portion in portions {
        sum = sum.plus(portion.quantity.times(portion.price)?.in_range()?)?.in_range()?;
    }
    Ok(sum)
}

/// Without blanks around it and without regard to case.
fn begins(sku: &str, beginning: &str) -> bool {
    sku.trim().to_ascii_lowercase().starts_with(&beginning.trim().to_ascii_lowercase())
}

fn lower_anywhere(before: &[Portion], after: &[Portion]) -> bool {
    before.iter().zip(after).any(|(before, after)| after.price != before.price)
}
