//! Rule 7: what is added to a contract or list price.

use super::{Asked, Resolver};
use crate::answer::Portion;
use crate::book::Book;
use crate::decimal::{OutOfRange, mul_div, sum, working};
use crate::document::Kind;
use crate::terms::{SurchargeEffect, SurchargeRule};
use crate::trail::{Step, Trail, Why, each};
use rust_decimal::Decimal;
use std::borrow::Cow;

impl<'t, B: Book> Resolver<'t, B> {
    pub(super) fn surcharged(
        &self,
        asked: Asked<'_>,
        kind: Kind,
        portions: &mut [Portion],
        trail: &mut Trail<'t>,
    ) -> Result<Vec<&'t str>, OutOfRange> {
        let mut counted = Vec::new();
        let all: Cow<'_, [&SurchargeRule]> = if trail.is_on() {
            self.terms.surcharges().iter().collect()
        } else {
            Cow::Borrowed(&self.surcharges)
        };
        for rule in all.iter().copied().filter(|rule| rule.when.goods.has(asked.sku)) {
            let idle = |why| Step::Idle { id: &rule.id, what: "Surcharge", why };
            if let Err(why) = rule.when.counts(self.buyer, self.currency, kind, self.at_s) {
                trail.note(|| idle(Why::Idle(why)));
            } else if self.add(rule, asked, portions)? {
                counted.push(&*rule.id);
                trail.note(|| {
                    let to = portions.iter().map(|portion| portion.unit_price).collect();
                    Step::Surcharge { id: &rule.id, what: text(rule), to }
                });
            } else {
                trail.note(|| idle(Why::NoConversion));
            }
        }
        Ok(counted)
    }

    /// False: its unit does not convert.
    fn add(
        &self,
        rule: &SurchargeRule,
        asked: Asked<'_>,
        portions: &mut [Portion],
    ) -> Result<bool, OutOfRange> {
        match rule.effect {
            SurchargeEffect::OfHundred(of_hundred) => {
                for portion in portions {
                    portion.unit_price = mul_div(portion.unit_price, of_hundred, Decimal::ONE_HUNDRED)?;
                }
            }
            SurchargeEffect::Amount(amount) => {
                let Some(ratio) = self.terms.units().ratio(asked.sku, asked.unit, &rule.unit) else {
                    return Ok(false);
                };
                let amount = ratio.apply(amount)?;
                for portion in portions {
                    portion.unit_price = working(sum(portion.unit_price, amount)?);
                }
            }
        }
        Ok(true)
    }
}

fn text(rule: &SurchargeRule) -> String {
    match rule.effect {
        SurchargeEffect::OfHundred(of_hundred) => format!("{of_hundred} % of it"),
        SurchargeEffect::Amount(amount) => format!("{amount} more per {}", each(rule.unit.code())),
    }
}
