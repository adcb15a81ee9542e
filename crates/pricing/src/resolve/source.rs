//! Rules 3 to 6: which list gives the price, from which of its windows and tiers, in the asked unit.

use super::breaks::{Counting, breaks};
use super::{Asked, Resolver};
use crate::answer::{Break, Portion, Source};
use crate::book::{Book, ListIndex};
use crate::decimal::{OutOfRange, mul_div, sum};
use crate::document::{Kind, Tiers};
use crate::price::{Price, Tier, Window};
use crate::terms::{BASES_MAX, PriceList, Ratio};
use crate::trail::{Passed, Step, Trail};
use rust_decimal::Decimal;
use std::borrow::Cow;

/// What a list says, in the asked unit.
#[derive(Debug)]
pub(super) struct Found {
    pub portions: Vec<Portion>,
    pub breaks: Vec<Break>,
}

impl<'t, B: Book> Resolver<'t, B> {
    /// The first candidate that has a price; of one kind only where that is asked.
    pub(super) fn source(
        &self,
        asked: Asked<'_>,
        key: B::Key,
        kind: Option<Kind>,
        trail: &mut Trail<'t>,
    ) -> Result<Option<(Source, Found)>, OutOfRange> {
        for candidate in self.candidates.lists.iter().filter(|c| kind.is_none_or(|kind| kind == c.kind)) {
            let Some(list) = self.terms.list(candidate.list) else { continue };
            let mut said = if trail.is_on() { Trail::On(Vec::new()) } else { Trail::Off };
            match self.has_price(candidate.list, list, asked, key, BASES_MAX, &mut said)? {
                Ok(found) => {
                    trail.note(|| Step::Chosen {
                        list: &list.id,
                        kind: list.kind,
                        nearness: candidate.nearness,
                    });
                    if let (Trail::On(steps), Trail::On(said)) = (&mut *trail, said) {
                        steps.extend(said);
                    }
                    let source =
                        Source { list: candidate.list, kind: candidate.kind, nearness: candidate.nearness };
                    return Ok(Some((source, found)));
                }
                Err(why) => trail.note(|| Step::Passed { list: &list.id, kind: list.kind, why }),
            }
        }
        Ok(None)
    }

    /// Rule 4, with at most `bases` more lists behind this one.
    fn has_price(
        &self,
        index: ListIndex,
        list: &'t PriceList,
        asked: Asked<'_>,
        key: B::Key,
        bases: usize,
        trail: &mut Trail<'t>,
    ) -> Result<Result<Found, Passed<'t>>, OutOfRange> {
        if !list.approved {
            return Ok(Err(Passed::Draft));
        }
        if !list.validity.contains(self.at_s) {
            return Ok(Err(Passed::NotValid));
        }
        let why = match self.book.price(index, key) {
            Some(Price::Plain(amount)) => {
                let tiers = [Tier { minimum: Decimal::ONE, amount }];
                match self.terms.units().ratio(asked.sku, asked.unit, &list.unit) {
                    Some(ratio) => return self.by_tiers(list, &list.unit, &tiers, ratio, asked, trail),
                    None => Passed::NoConversion { unit: list.unit.to_string() },
                }
            }
            Some(Price::Windows(windows)) => match self.window(list, &windows, asked) {
                Ok((window, ratio)) => {
                    let unit = window.unit.as_ref().unwrap_or(&list.unit);
                    return self.by_tiers(list, unit, &window.tiers, ratio, asked, trail);
                }
                Err(why) => why,
            },
            None => Passed::NoEntry,
        };
        self.by_base(list, asked, key, bases, why, trail)
    }

    fn by_base(
        &self,
        list: &'t PriceList,
        asked: Asked<'_>,
        key: B::Key,
        bases: usize,
        own: Passed<'t>,
        trail: &mut Trail<'t>,
    ) -> Result<Result<Found, Passed<'t>>, OutOfRange> {
        let Some(base) = list.base.filter(|_| bases > 0) else { return Ok(Err(own)) };
        let Some(of) = self.terms.list(base.list) else { return Ok(Err(own)) };
        trail.note(|| Step::FromBase { base: &of.id, of_hundred: base.of_hundred });
        let mut found = match self.has_price(base.list, of, asked, key, bases - 1, trail)? {
            Ok(found) => found,
            Err(why) => return Ok(Err(Passed::Base { base: &of.id, why: Box::new(why) })),
        };
        if base.of_hundred != Decimal::ONE_HUNDRED {
            let prices = found.portions.iter_mut().map(|portion| &mut portion.unit_price);
            for price in prices.chain(found.breaks.iter_mut().map(|b| &mut b.unit_price)) {
                *price = mul_div(*price, base.of_hundred, Decimal::ONE_HUNDRED)?;
            }
        }
        Ok(Ok(found))
    }

    /// The one window that counts, and how the asked unit becomes its unit.
    fn window<'w>(
        &self,
        list: &PriceList,
        windows: &'w [Window],
        asked: Asked<'_>,
    ) -> Result<(&'w Window, Ratio), Passed<'t>> {
        let mut best: Option<(&Window, Ratio)> = None;
        let mut no_conversion = None;
        // Lower is better: the asked unit, then the unit's code, then the later beginning, then the list's own unit.
        let rank = |window: &'w Window| {
            let unit = window.unit.as_ref().unwrap_or(&list.unit);
            (
                unit != asked.unit,
                unit.code().to_owned(),
                std::cmp::Reverse(window.validity.from_s),
                window.unit.is_some(),
            )
        };
        for window in windows.iter().filter(|window| window.validity.contains(self.at_s)) {
            let unit = window.unit.as_ref().unwrap_or(&list.unit);
            match self.terms.units().ratio(asked.sku, asked.unit, unit) {
                Some(ratio) if best.is_none_or(|(other, _)| rank(window) < rank(other)) => {
                    best = Some((window, ratio))
                }
                Some(_) => {}
                None => no_conversion = Some(Passed::NoConversion { unit: unit.to_string() }),
            }
        }
        best.ok_or(no_conversion.unwrap_or(Passed::NoWindow))
    }

    /// Rules 5 and 6.
    fn by_tiers(
        &self,
        list: &'t PriceList,
        unit: &kernel::quantity::Unit,
        tiers: &[Tier],
        ratio: Ratio,
        asked: Asked<'_>,
        trail: &mut Trail<'t>,
    ) -> Result<Result<Found, Passed<'t>>, OutOfRange> {
        let quantity = ratio.of_quantity(asked.quantity)?;
        if let Some(first) = tiers.first()
            && !first.counts_from_the_smallest()
            && quantity < first.minimum
        {
            return Ok(Err(Passed::BelowMinimum { minimum: first.minimum, unit: unit.to_string() }));
        }
        let reached = tiers.iter().skip(1).take_while(|tier| tier.minimum <= quantity).count();
        let prices: Cow<'_, [Tier]> = if ratio.is_one() {
            Cow::Borrowed(tiers)
        } else {
            if trail.is_on() {
                let (from, to) = (asked.unit.to_string(), unit.to_string());
                trail.note(|| Step::Converted { from, to, over: ratio.over, under: ratio.under });
            }
            let converted = tiers.iter().map(|tier| Ok(Tier { amount: ratio.apply(tier.amount)?, ..*tier }));
            Cow::Owned(converted.collect::<Result<_, OutOfRange>>()?)
        };
        let pieces = |unit| self.terms.units().pieces(asked.sku, unit).is_some();
        let counting = || Counting { ratio, asked_whole: pieces(asked.unit), window_whole: pieces(unit) };
        let mut told = |tier: &Tier| {
            trail.note(|| Step::Tier {
                list: &list.id,
                minimum: (tiers.len() > 1 || !tier.counts_from_the_smallest()).then_some(tier.minimum),
                amount: tier.amount,
                unit: unit.to_string(),
            });
        };
        let portions = match list.tiers {
            Tiers::Volume => {
                told(&tiers[reached]);
                vec![Portion { quantity: asked.quantity, unit_price: prices[reached].amount }]
            }
            Tiers::Graduated => {
                let of_tier = |(place, portion): (usize, Portion)| {
                    told(&tiers[place]);
                    portion
                };
                graduated(&prices, counting(), asked)?.into_iter().map(of_tier).collect()
            }
        };
        let breaks = if tiers.len() > 1 { breaks(list.tiers, &prices, counting())? } else { Vec::new() };
        Ok(Ok(Found { portions, breaks }))
    }
}

/// Each unit at the price of the tier that its number reaches, with the tier's place. Of a unit that is only begun, in another
/// unit, the part counts to the unit's tier.
fn graduated(
    tiers: &[Tier],
    counting: Counting,
    asked: Asked<'_>,
) -> Result<Vec<(usize, Portion)>, OutOfRange> {
    let mut portions = Vec::with_capacity(tiers.len());
    let mut begun = Decimal::ZERO;
    for (place, tier) in tiers.iter().enumerate() {
        let ends = match tiers.get(place + 1) {
            Some(next) => counting.border(next)?.min(asked.quantity),
            None => asked.quantity,
        };
        let quantity = sum(ends, -begun)?;
        if quantity > Decimal::ZERO {
            portions.push((place, Portion { quantity, unit_price: tier.amount }));
            begun = ends;
        }
    }
    Ok(portions)
}
