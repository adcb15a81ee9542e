//! Rules 4 to 6: whether a list has a price, in which unit, and of which tiers.

use super::{Rules, same_sku};
use crate::model::{Cause, List, Portion, Tier, TierWay, Window};
use crate::mutant::Mutant;
use crate::number::{Half, Number};

/// The unit that all others are counted in.
const PIECE: &str = "C62";

impl<'a> Rules<'a> {
    /// Rule 4: "**Has a price.** A candidate that is not approved, or not valid at the instant, has none. Else its windows for the
    /// SKU that are valid at the instant are looked at […]. There is none: if the list has a base, the base's price counts, every
    /// portion's unit price × (100 + `percent`) ÷ 100, to 8 decimals, half up. The base is asked by this same rule (approved,
    /// valid, its own windows, then its own base; at most eight bases in a chain), but never for whom it is for. […] If a window was taken but the
    /// quantity is below its first minimum, the list has no price for this quantity, and its base is not asked."
    ///
    /// `bases` counts the bases that were asked on the way to this list: none for a candidate.
    pub(super) fn has_a_price(&self, list: &'a List, bases: u8) -> Result<Option<Vec<Portion>>, Cause> {
        let most = match self.mutant {
            Some(Mutant::SevenInAChain) => 7,
            _ => 8,
        };
        if bases > most {
            return Ok(None);
        }
        if !(list.approved || self.is(Mutant::DraftCounts)) || !self.is_valid(list.valid) {
            return Ok(None);
        }
        if let Some((window, unit)) = self.window(list) {
            let portions = self.portions(list.tiers, window, unit)?;
            if portions.is_some() || !self.is(Mutant::BaseAskedBelowMinimum) {
                return Ok(portions);
            }
        }
        let Some(base) = self.base_of(list) else {
            return Ok(None);
        };
        if self.is(Mutant::BaseAskedForWhom) && !self.is_for(&base.whom, &self.who()) {
            return Ok(None);
        }
        let Some(mut portions) = self.has_a_price(base, bases + 1)? else {
            return Ok(None);
        };
        let percent = list.base.as_ref().map_or(Number::ZERO, |base| base.percent);
        let changed = if self.is(Mutant::PercentTurned) {
            Number::whole(100).minus(percent)?
        } else {
            Number::whole(100).plus(percent)?
        };
        for portion in &mut portions {
            let price = portion.price.times(changed)?.over(Number::whole(100))?;
            portion.price = self.eight_decimals(price)?;
        }
        Ok(Some(portions))
    }

    pub(super) fn base_of(&self, list: &List) -> Option<&'a List> {
        let base = list.base.as_ref()?;
        self.case.lists.iter().find(|other| other.id == base.id)
    }

    /// Rule 4: "its windows for the SKU that are valid at the instant are looked at (a window without a unit of its own has the
    /// list's): those whose unit is the asked one; if there is none, those whose unit converts to it, in the order of the units'
    /// codes by their bytes. The first is taken; of two with the same unit the one that begins later (none begins earliest), then the
    /// one without a unit of its own. Only this window counts; the others are not looked at."
    fn window(&self, list: &'a List) -> Option<(&'a Window, &'a str)> {
        let asked = self.case.ask.unit.as_str();
        let mut windows: Vec<_> = list
            .prices
            .iter()
            .filter(|price| self.is_sku(&price.sku))
            .flat_map(|price| &price.windows)
            .filter(|window| self.is_valid(window.valid))
            .map(|window| (window, window.unit.as_deref().unwrap_or(&list.unit)))
            .collect();
        windows.sort_by(|(one, of_one), (two, of_two)| {
            let later = self.begins(two.valid).cmp(&self.begins(one.valid));
            let own = one.unit.is_some().cmp(&two.unit.is_some());
            let (later, own) = match self.mutant {
                Some(Mutant::EarlierWindowFirst) => (later.reverse(), own),
                Some(Mutant::WindowWithItsOwnUnitFirst) => (later, own.reverse()),
                _ => (later, own),
            };
            of_one.as_bytes().cmp(of_two.as_bytes()).then(later).then(own)
        });
        if self.is(Mutant::LastUnitFirst) {
            // A stable sort: the order within one unit stays.
            windows.sort_by(|(_, of_one), (_, of_two)| of_two.as_bytes().cmp(of_one.as_bytes()));
        }
        let of_the_asked_unit =
            windows.iter().find(|(_, unit)| *unit == asked && !self.is(Mutant::AskedUnitNotFirst));
        of_the_asked_unit.or_else(|| windows.iter().find(|(_, unit)| self.factor(unit).is_some())).copied()
    }

    pub(super) fn is_sku(&self, sku: &str) -> bool {
        let asked = self.case.ask.sku.as_str();
        if self.is(Mutant::SkuByItsBytes) { sku == asked } else { same_sku(sku, asked) }
    }

    /// Rule 5: "`1 CS = 12 C62` is defined for a SKU, or for all SKUs; what is defined for the SKU goes first."
    pub(super) fn pieces_of(&self, unit: &str) -> Option<Number> {
        if unit == PIECE {
            return Some(Number::ONE);
        }
        let units = &self.case.units;
        let of_the_sku = units.iter().find(|defined| {
            defined.code == unit
                && defined.sku.as_deref().is_some_and(|sku| same_sku(sku, &self.case.ask.sku))
        });
        let of_all = units.iter().find(|defined| defined.code == unit && defined.sku.is_none());
        let found =
            if self.is(Mutant::UnitOfAllFirst) { of_all.or(of_the_sku) } else { of_the_sku.or(of_all) };
        found.map(|defined| defined.pieces)
    }

    /// Rule 5: "Two units convert when each is a piece or defined in pieces; a unit always converts to itself." How many of `unit` one of the asked unit is.
    pub(super) fn factor(&self, unit: &str) -> Option<Number> {
        if unit == self.case.ask.unit {
            return Some(Number::ONE);
        }
        let (asked, other) = (self.pieces_of(&self.case.ask.unit)?, self.pieces_of(unit)?);
        Some(asked.over(other).expect("pieces of a unit are few"))
    }

    /// Rule 5: "The unit price is for the *asked* unit: price × pieces of the asked unit ÷ pieces of the window's unit, to 8
    /// decimals, half up."
    pub(super) fn for_the_asked_unit(&self, price: Number, unit: &str) -> Result<Option<Number>, Cause> {
        let Some(factor) = self.factor(unit) else {
            return Ok(None);
        };
        if unit == self.case.ask.unit {
            return Ok(Some(price));
        }
        let price =
            if self.is(Mutant::ConvertedUpsideDown) { price.over(factor)? } else { price.times(factor)? };
        Ok(Some(self.eight_decimals(price)?))
    }

    /// "8 decimals, half up."
    pub(super) fn eight_decimals(&self, price: Number) -> Result<Number, Cause> {
        let half = if self.is(Mutant::EightDecimalsHalfEven) { Half::Even } else { Half::Up };
        let decimals = if self.is(Mutant::SixDecimalsOnTheWay) { 6 } else { 8 };
        Ok(price.to_decimals(decimals, half)?.in_range()?)
    }

    /// Rule 5: "The quantity is converted to the window's unit to look for its tier (quantity × pieces of the asked unit ÷ pieces of
    /// the window's unit; where that is not exact in 8 decimals it is cut there)." None where it does not convert.
    pub(super) fn quantity_in(&self, unit: &str) -> Result<Option<Number>, Cause> {
        let Some(factor) = self.factor(unit) else {
            return Ok(None);
        };
        let exact = self.case.ask.quantity.times(factor)?;
        let cut = if self.is(Mutant::QuantityIsRounded) {
            exact.to_decimals(8, Half::Up)?
        } else {
            exact.cut(8)?
        };
        Ok(Some(cut.in_range()?))
    }

    /// Rule 4: "If a window was taken but the quantity is below its first minimum, the list has no price for this quantity"; and
    /// from what there is: "a first minimum of 1 or less means any quantity". Rule 6: "So a price is one or more *portions*
    /// (quantity, unit price), in the asked unit."
    fn portions(&self, way: TierWay, window: &Window, unit: &str) -> Result<Option<Vec<Portion>>, Cause> {
        let Some(quantity) = self.quantity_in(unit)? else {
            return Ok(None);
        };
        let reached = |tier: &&Tier| {
            if self.is(Mutant::MinimumNotReachedByItself) {
                quantity > tier.minimum
            } else {
                quantity >= tier.minimum
            }
        };
        let first = window.tiers.first();
        let from_the_smallest =
            first.is_some_and(|first| first.minimum <= Number::ONE) && !self.is(Mutant::SmallMinimumIsOne);
        if !first.is_some_and(|first| from_the_smallest || reached(&first)) {
            return Ok(None);
        }
        let way = match self.mutant {
            Some(Mutant::AllVolume) => TierWay::Volume,
            Some(Mutant::AllGraduated) => TierWay::Graduated,
            _ => way,
        };
        match way {
            TierWay::Volume => self.volume(window.tiers.iter().rfind(reached).or(first), unit),
            TierWay::Graduated => self.graduated(&window.tiers, unit).map(Some),
        }
    }

    /// Rule 6: "`volume`: the tier with the highest minimum that the quantity reaches prices all units."
    fn volume(&self, tier: Option<&Tier>, unit: &str) -> Result<Option<Vec<Portion>>, Cause> {
        let Some(tier) = tier else {
            return Ok(None);
        };
        let price = self.for_the_asked_unit(tier.price, unit)?;
        Ok(price.map(|price| vec![Portion { quantity: self.case.ask.quantity, price }]))
    }

    /// Rule 6: "`graduated`: each unit has the price of the tier with the highest minimum that *its number* reaches: with minimums
    /// 1, 10, 50 and a quantity of 60, the first 9 units have the first price, the next 40 the second, 11 the third; units below
    /// the first minimum have the first tier's price too (once the quantity as a whole reaches it). […] the last portion is what
    /// is left; a portion of nothing is left out. […] portions of equal price are not merged."
    fn graduated(&self, tiers: &[Tier], unit: &str) -> Result<Vec<Portion>, Cause> {
        let asked = self.case.ask.quantity;
        let mut portions = Vec::new();
        for (place, tier) in tiers.iter().enumerate() {
            let begins = if place == 0 { Number::ZERO } else { self.border(tier, unit)? };
            let ends = tiers.get(place + 1).map_or(Ok(asked), |next| self.border(next, unit))?.min(asked);
            if ends > begins {
                let quantity = ends.minus(begins)?.in_range()?;
                let price = self.for_the_asked_unit(tier.price, unit)?.unwrap_or(tier.price);
                portions.push(Portion { quantity, price });
            }
        }
        Ok(portions)
    }

    /// Rule 6: "So each tier after the first begins behind (its minimum, rounded up to a whole number) − 1 units; in a unit that is
    /// not counted whole (neither a piece nor defined in pieces) it begins behind its minimum. […] These borders are converted to
    /// the asked unit (to 8 decimals, half up)".
    fn border(&self, tier: &Tier, unit: &str) -> Result<Number, Cause> {
        let whole = self.pieces_of(unit).is_some() != self.is(Mutant::BordersOfPartsTurned);
        let before = if whole && !self.is(Mutant::GraduatedFromTheMinimum) {
            Number::whole(tier.minimum.ceiling() - 1)
        } else {
            tier.minimum
        };
        let factor = self.factor(unit).unwrap_or(Number::ONE);
        Ok(before.over(factor)?.to_decimals(8, Half::Up)?.in_range()?)
    }
}
