//! From which quantity on a unit costs what: the tiers of the window that was taken, as a buyer who asks in another unit meets
//! them. Owns the borders between tiers; refuses to tell a quantity that cannot be asked.

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
        let reaches = self.ratio.of_quantity(quantity)? >= minimum;
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

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::money::parse_exact;

    /// From which quantity of units of `asked` pieces on tiers count that begin at these minimums of units of `window` pieces.
    fn begins(way: Tiers, asked: &str, window: &str, minimums: &[&str]) -> Vec<String> {
        let number = |text: &&str| parse_exact(text).unwrap();
        let ratio = Ratio { over: number(&asked), under: number(&window) };
        let counting = Counting { ratio, asked_whole: true, window_whole: true };
        let tiers: Vec<_> =
            minimums.iter().map(number).map(|minimum| Tier { minimum, amount: Decimal::ONE }).collect();
        breaks(way, &tiers, counting).unwrap().iter().map(|told| told.minimum.to_string()).collect()
    }

    #[test]
    fn a_break_begins_with_a_quantity_that_can_be_asked() {
        let (volume, graduated) = (Tiers::Volume, Tiers::Graduated);
        assert_eq!(begins(volume, "1", "1", &["1", "10", "50"]), ["1", "10", "50"]);
        assert_eq!(begins(volume, "1", "12", &["1", "4"]), ["1", "48"]);
        assert_eq!(
            begins(graduated, "1", "12", &["1", "10"]),
            ["1", "109"],
            "with the first piece of the tenth case"
        );
        assert_eq!(begins(volume, "1", "12", &["1", "0.333333"]), ["1", "4"]);
        assert_eq!(
            begins(volume, "1", "1", &["2.2", "2.5", "4"]),
            ["3", "4"],
            "the first is never met alone"
        );
        // 500,000,000.000001 ÷ 100,000,000 is more than 5 by less than 8 decimals show.
        assert_eq!(begins(volume, "100000000", "1", &["1", "500000000.000001"]), ["1", "6"]);
    }
}
