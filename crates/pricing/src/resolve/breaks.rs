//! From which quantity on a unit costs what: the tiers of the window that was taken, as a buyer who asks in another unit meets
//! them. Owns the borders between tiers; refuses to tell a quantity that cannot be asked.

use super::converted_quantity;
use crate::answer::Break;
use crate::decimal::{OutOfRange, mul_div_cut};
use crate::document::Tiers;
use crate::price::Tier;
use crate::terms::Ratio;
use rust_decimal::Decimal;

/// How the quantities of the asked unit become those of the window's, and which of the two are counted whole.
#[derive(Debug, Clone, Copy)]
pub(super) struct Counting {
    pub ratio: Ratio,
    pub asked_whole: bool,
    pub window_whole: bool,
}

impl Counting {
    /// Behind how many asked units a tier begins that is not the first of a graduated price.
    pub(super) fn border(self, tier: &Tier) -> Result<Decimal, OutOfRange> {
        let before = if self.window_whole { tier.minimum.ceil() - Decimal::ONE } else { tier.minimum };
        Ratio { over: self.ratio.under, under: self.ratio.over }.apply(before)
    }

    /// The smallest quantity that can be asked and reaches a minimum.
    fn reaching(self, minimum: Decimal) -> Result<Decimal, OutOfRange> {
        let Ratio { over, under } = self.ratio;
        if self.ratio.is_one() {
            return Ok(if self.asked_whole { minimum.ceil() } else { minimum });
        }
        let quantity = mul_div_cut(minimum, under, over)?.ceil();
        let reaches = converted_quantity(quantity, over, under)? >= minimum;
        Ok(if reaches { quantity } else { quantity + Decimal::ONE })
    }
}

/// `tiers` have their minimum in the window's unit and their amount in the asked one.
pub(super) fn breaks(way: Tiers, tiers: &[Tier], counting: Counting) -> Result<Vec<Break>, OutOfRange> {
    let mut breaks: Vec<Break> = Vec::with_capacity(tiers.len());
    for (place, tier) in tiers.iter().enumerate() {
        let begins = match way {
            _ if place == 0 && tier.counts_from_the_smallest() => {
                Decimal::from(u8::from(counting.asked_whole))
            }
            Tiers::Graduated if place > 0 => {
                let border = counting.border(tier)?;
                if counting.asked_whole { border.floor() + Decimal::ONE } else { border }
            }
            _ => counting.reaching(tier.minimum)?,
        };
        // Below the first there is no price; of two that begin at once only the later is ever met.
        let begins = breaks.first().map_or(begins, |first| begins.max(first.minimum));
        breaks.pop_if(|before| before.minimum == begins);
        breaks.push(Break { minimum: begins.normalize(), unit_price: tier.amount });
    }
    Ok(breaks)
}
