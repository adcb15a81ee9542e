//! Rule 8: which promotions lower the price. Those that do not stack compete for one place; then those that stack follow.

use super::{Asked, Resolver};
use crate::answer::Portion;
use crate::book::Book;
use crate::decimal::{OutOfRange, mul_div, product, sum, working};
use crate::document::Kind;
use crate::terms::{Effect, PromotionRule};
use crate::trail::{Step, Trail, Why, each};
use rust_decimal::Decimal;
use std::borrow::Cow;

impl<'t, B: Book> Resolver<'t, B> {
    pub(super) fn promoted(
        &self,
        asked: Asked<'_>,
        kind: Kind,
        portions: &mut Vec<Portion>,
        trail: &mut Trail<'t>,
    ) -> Result<Vec<&'t str>, OutOfRange> {
        let mut counted = Vec::new();
        let all: Cow<'_, [&PromotionRule]> = if trail.is_on() {
            self.terms.promotions().iter().collect()
        } else {
            Cow::Borrowed(&self.promotions)
        };
        let mut open = Vec::new();
        for rule in all.iter().copied().filter(|rule| rule.when.goods.has(asked.sku)) {
            match self.reached(rule, asked, kind)? {
                Ok(()) => open.push(rule),
                Err(why) => trail.note(|| idle(rule, why)),
            }
        }
        if open.is_empty() {
            return Ok(counted);
        }
        let (stacking, competing): (Vec<_>, Vec<_>) = open.into_iter().partition(|rule| rule.stacks);
        if let Some((rule, lowered)) = self.best(&competing, asked, portions, trail)? {
            applied(rule, lowered, portions, &mut counted, trail);
        }
        for rule in stacking {
            match self.lowered(rule, asked, portions)? {
                Ok(lowered) => applied(rule, lowered, portions, &mut counted, trail),
                Err(why) => trail.note(|| idle(rule, why)),
            }
        }
        Ok(counted)
    }

    /// Of those that do not stack: the one with the lowest total, or the first of equals.
    fn best(
        &self,
        competing: &[&'t PromotionRule],
        asked: Asked<'_>,
        portions: &[Portion],
        trail: &mut Trail<'t>,
    ) -> Result<Option<(&'t PromotionRule, Vec<Portion>)>, OutOfRange> {
        let mut best: Option<(&PromotionRule, Vec<Portion>, Decimal)> = None;
        for rule in competing {
            match self.lowered(rule, asked, portions)? {
                Err(why) => trail.note(|| idle(rule, why)),
                Ok(lowered) => {
                    let total = total(&lowered)?;
                    let beaten = match &best {
                        Some((.., lowest)) if *lowest <= total => Some(*rule),
                        _ => best.replace((rule, lowered, total)).map(|(other, ..)| other),
                    };
                    if let Some(beaten) = beaten {
                        trail.note(|| idle(beaten, Why::Beaten));
                    }
                }
            }
        }
        Ok(best.map(|(rule, lowered, _)| (rule, lowered)))
    }

    /// Whether it counts for this buyer, instant, kind of source and quantity.
    fn reached(
        &self,
        rule: &PromotionRule,
        asked: Asked<'_>,
        kind: Kind,
    ) -> Result<Result<(), Why>, OutOfRange> {
        if let Err(why) = rule.when.counts(self.buyer, self.currency, kind, self.at_s) {
            return Ok(Err(Why::Idle(why)));
        }
        let Some(minimum) = rule.minimum else { return Ok(Ok(())) };
        let Some(ratio) = self.terms.units().ratio(asked.sku, asked.unit, &rule.unit) else {
            return Ok(Err(Why::NoConversion));
        };
        let quantity = ratio.of_quantity(asked.quantity)?;
        Ok(if quantity < minimum { Err(Why::BelowMinimum(minimum)) } else { Ok(()) })
    }

    /// The portions as the promotion makes them, lower somewhere and nowhere higher; or why it changes nothing.
    fn lowered(
        &self,
        rule: &PromotionRule,
        asked: Asked<'_>,
        portions: &[Portion],
    ) -> Result<Result<Vec<Portion>, Why>, OutOfRange> {
        if let Effect::BuyGet { buy, get, percent_off } = rule.effect {
            return buy_get(buy, get, percent_off, portions);
        }
        let ratio = self.terms.units().ratio(asked.sku, asked.unit, &rule.unit);
        let (mut lowered, mut is_lower) = (portions.to_vec(), false);
        for portion in &mut lowered {
            let before = portion.unit_price;
            let after = match (rule.effect, ratio) {
                (Effect::PercentOff(percent), _) => percent_of(before, Decimal::ONE_HUNDRED - percent)?,
                (Effect::AmountOff(amount), Some(ratio)) => {
                    working(sum(before, -ratio.apply(amount)?)?).max(Decimal::ZERO)
                }
                (Effect::FixedPrice(price), Some(ratio)) => ratio.apply(price)?,
                _ => return Ok(Err(Why::NoConversion)),
            };
            if after < before {
                portion.unit_price = after;
                is_lower = true;
            }
        }
        Ok(if is_lower { Ok(lowered) } else { Err(Why::NotLower) })
    }
}

fn applied<'t>(
    rule: &'t PromotionRule,
    lowered: Vec<Portion>,
    portions: &mut Vec<Portion>,
    counted: &mut Vec<&'t str>,
    trail: &mut Trail<'t>,
) {
    trail.note(|| {
        let to = lowered.iter().map(|portion| portion.unit_price).collect();
        Step::Promotion { id: &rule.id, what: text(rule), to }
    });
    counted.push(&rule.id);
    *portions = lowered;
}

fn idle(rule: &PromotionRule, why: Why) -> Step<'_> {
    Step::Idle { id: &rule.id, what: "Promotion", why }
}

/// Of every `buy + get` units, `get` are cheaper: a portion of their own behind the others.
fn buy_get(
    buy: u32,
    get: u32,
    percent_off: Decimal,
    portions: &[Portion],
) -> Result<Result<Vec<Portion>, Why>, OutOfRange> {
    let [only] = portions else { return Ok(Err(Why::Portions)) };
    if !only.quantity.fract().is_zero() {
        return Ok(Err(Why::Portions));
    }
    let group = Decimal::from(u64::from(buy) + u64::from(get));
    let cheaper = (only.quantity / group).floor() * Decimal::from(get);
    let unit_price = percent_of(only.unit_price, Decimal::ONE_HUNDRED - percent_off)?;
    if cheaper.is_zero() || unit_price >= only.unit_price {
        return Ok(Err(Why::NotLower));
    }
    let rest = Portion { quantity: sum(only.quantity, -cheaper)?, ..*only };
    Ok(Ok(vec![rest, Portion { quantity: cheaper.normalize(), unit_price }]))
}

fn percent_of(price: Decimal, of_hundred: Decimal) -> Result<Decimal, OutOfRange> {
    mul_div(price, of_hundred, Decimal::ONE_HUNDRED)
}

fn total(portions: &[Portion]) -> Result<Decimal, OutOfRange> {
    portions.iter().try_fold(Decimal::ZERO, |so_far, portion| {
        sum(so_far, product(portion.quantity, portion.unit_price)?)
    })
}

fn text(rule: &PromotionRule) -> String {
    match rule.effect {
        Effect::PercentOff(percent) => format!("{percent} % off"),
        Effect::AmountOff(amount) => format!("{amount} off per {}", each(rule.unit.code())),
        Effect::FixedPrice(price) => format!("{price} per {}", each(rule.unit.code())),
        Effect::BuyGet { buy, get, percent_off } => {
            format!("of every {} units {get} at {percent_off} % off", buy + get)
        }
    }
}
