//! Surcharges and promotions of a random case.

use super::{Flavour, Maker};
use crate::model::{Adds, Gives, Promotion, Surcharge};
use crate::number::Number;

const IDS: [&str; 7] = ["s", "T", "S", "10", "9", "ß", "SS"];

impl Maker {
    pub(super) fn surcharges(&mut self) -> Vec<Surcharge> {
        let ids = self.chance.shuffled(&IDS);
        let many = if self.flavour == Flavour::Fine { 4 } else { self.chance.pick(&[0, 0, 0, 1, 1, 2, 3]) };
        ids[..many].iter().map(|id| self.surcharge(id)).collect()
    }

    fn surcharge(&mut self, id: &str) -> Surcharge {
        let is_percent = self.chance.percent(if self.flavour == Flavour::Fine { 90 } else { 50 });
        Surcharge {
            id: id.to_owned(),
            approved: !self.chance.percent(5),
            valid: self.valid(10),
            whom: self.whom(75),
            skus: self.skus(),
            sources: self.sources(),
            priority: self.priority(),
            currency: if is_percent && self.chance.percent(70) { None } else { Some(self.currency(8)) },
            unit: self.unit(),
            adds: if is_percent { Adds::Percent(self.percent()) } else { Adds::Amount(self.amount()) },
        }
    }

    pub(super) fn promotions(&mut self) -> Vec<Promotion> {
        let ids = self.chance.shuffled(&IDS);
        let many = self.chance.pick(&[0, 0, 1, 1, 2, 2, 3, 4]);
        let mut promotions: Vec<Promotion> = Vec::new();
        for id in &ids[..many] {
            let mut promotion = self.promotion(id);
            // The same again, so that totals are equal and something else decides.
            if let Some(before) = promotions.last()
                && self.chance.percent(25)
            {
                promotion.gives = before.gives;
                promotion.currency.clone_from(&before.currency);
                promotion.unit.clone_from(&before.unit);
            }
            promotions.push(promotion);
        }
        promotions
    }

    fn promotion(&mut self, id: &str) -> Promotion {
        let gives = match self.chance.below(5) {
            0 => Gives::PercentOff(self.percent_off()),
            1 => Gives::AmountOff(self.amount()),
            2 => Gives::Fixed(self.amount()),
            _ => Gives::BuyGet {
                buy: i128::from(self.chance.between(1, 5)),
                get: i128::from(self.chance.between(1, 3)),
                percent: self.percent_off(),
            },
        };
        let is_percent = matches!(gives, Gives::PercentOff(_) | Gives::BuyGet { .. });
        Promotion {
            id: id.to_owned(),
            approved: !self.chance.percent(5),
            valid: self.valid(10),
            whom: self.whom(75),
            skus: self.skus(),
            sources: self.sources(),
            priority: self.priority(),
            stacks: self.chance.percent(40),
            minimum: self.chance.percent(35).then(|| self.minimum()),
            currency: if is_percent && self.chance.percent(70) { None } else { Some(self.currency(8)) },
            unit: self.unit(),
            gives,
        }
    }

    /// About what is asked.
    fn minimum(&mut self) -> Number {
        let near = self.ask.quantity.max(Number::ONE).min(Number::whole(1_000_000));
        let by = self.chance.pick(&["1", "1", "0.5", "2", "12", "0.08333333", "0.333333", "4"]);
        let by: Number = by.parse().expect("a number of the table");
        near.times(by).and_then(|many| many.cut(6)).expect("small").max(Number::scaled(1, 6))
    }
}
