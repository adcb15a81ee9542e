//! The chain of `docs/pricing.md`: contract, then list, then promotions. Owns the order of its ten steps; each stands in a file of
//! its own. A pure function of the book's version, the terms, the buyer and an instant: the same answers on every node, in the
//! look back of an auditor, and in WebAssembly.

mod breaks;
mod promotion;
mod source;
mod surcharge;

use crate::answer::{Break, Line, Portion, Priced, QuantityFault, Source, Unpriced};
use crate::audience::Buyer;
use crate::book::{Book, ListIndex};
use crate::decimal::{OutOfRange, mul_div, product, sum, working};
use crate::document::Kind;
use crate::price::{QUANTITY_DECIMALS_MAX, QUANTITY_MAX};
use crate::sku::Sku;
use crate::terms::{Candidates, PriceList, PromotionRule, QuantityRule, SurchargeRule, Terms};
use crate::trail::{Step, Trail};
use kernel::money::{Currency, Rounding as Half};
use kernel::quantity::Unit;
use rust_decimal::{Decimal, RoundingStrategy};

/// Resolves the lines of one cart: one buyer, one currency, one instant, one version of the book.
#[derive(Debug)]
pub struct Resolver<'t, B> {
    terms: &'t Terms,
    book: &'t B,
    buyer: &'t Buyer,
    currency: Currency,
    at_s: i64,
    candidates: Candidates,
    /// Those that count for this buyer at this instant, whatever the goods.
    surcharges: Vec<&'t SurchargeRule>,
    promotions: Vec<&'t PromotionRule>,
}

/// A line under way.
#[derive(Debug, Clone, Copy)]
struct Asked<'l> {
    /// In its one spelling.
    sku: &'l str,
    quantity: Decimal,
    unit: &'l Unit,
}

impl<'t, B: Book> Resolver<'t, B> {
    #[must_use]
    pub fn new(terms: &'t Terms, book: &'t B, buyer: &'t Buyer, currency: Currency, at_s: i64) -> Self {
        let either = |when: &crate::terms::When| {
            when.counts(buyer, currency, Kind::Contract, at_s).is_ok()
                || when.counts(buyer, currency, Kind::List, at_s).is_ok()
        };
        Self {
            terms,
            book,
            buyer,
            currency,
            at_s,
            candidates: terms.candidates(buyer, currency),
            surcharges: terms.surcharges().iter().filter(|rule| either(&rule.when)).collect(),
            promotions: terms.promotions().iter().filter(|rule| either(&rule.when)).collect(),
        }
    }

    #[must_use]
    pub fn currency(&self) -> Currency {
        self.currency
    }

    /// The lists that a line is looked up in, in their order.
    pub fn lists(&self) -> impl Iterator<Item = ListIndex> {
        self.candidates.lists.iter().map(|candidate| candidate.list)
    }

    /// The price of one line. Lines do not influence one another.
    ///
    /// # Errors
    /// Why it has no price.
    pub fn price(&self, line: &Line<'_>) -> Result<Priced<'t>, Unpriced> {
        self.run(line, &mut Trail::Off)
    }

    /// The prices of all lines of a cart, in their order: of each what [`Resolver::price`] says, and sooner.
    pub fn prices<'l>(
        &self,
        lines: impl Iterator<Item = &'l Line<'l>> + Clone,
    ) -> Vec<Result<Priced<'t>, Unpriced>> {
        let skus: Vec<_> = lines.clone().map(|line| Sku::spell(line.sku)).collect();
        // What is no SKU is looked up as the empty text, which is none either.
        let texts: Vec<&str> = skus.iter().map(|sku| sku.as_deref().unwrap_or_default()).collect();
        let keys = self.book.keys(self.lists(), &texts);
        lines
            .zip(&skus)
            .zip(keys)
            .map(|((line, sku), key)| {
                let sku = sku.as_deref().map_err(|fault| Unpriced::Sku(*fault))?;
                self.keyed(line, sku, key, &mut Trail::Off)
            })
            .collect()
    }

    /// The same, with every step of the derivation.
    pub fn explain(&self, line: &Line<'_>) -> (Result<Priced<'t>, Unpriced>, Vec<Step<'t>>) {
        let mut trail = Trail::On(Vec::new());
        let answer = self.run(line, &mut trail);
        let steps = match trail {
            Trail::On(steps) => steps,
            Trail::Off => Vec::new(),
        };
        (answer, steps)
    }

    fn run(&self, line: &Line<'_>, trail: &mut Trail<'t>) -> Result<Priced<'t>, Unpriced> {
        let sku = Sku::spell(line.sku).map_err(Unpriced::Sku)?;
        self.keyed(line, &sku, self.book.key(&sku), trail)
    }

    fn keyed(
        &self,
        line: &Line<'_>,
        sku: &str,
        key: Option<B::Key>,
        trail: &mut Trail<'t>,
    ) -> Result<Priced<'t>, Unpriced> {
        let quantity = self.counted(sku, line).map_err(Unpriced::Quantity)?;
        let Some(key) = key else {
            trail.note(|| Step::UnknownSku);
            return Err(Unpriced::NoPrice);
        };
        let asked = Asked { sku, quantity, unit: &line.unit };
        match self.chain(asked, key, trail) {
            Ok(Some(priced)) => Ok(priced),
            Ok(None) => Err(Unpriced::NoPrice),
            Err(OutOfRange) => Err(Unpriced::Range),
        }
    }

    /// Rule 1.
    fn counted(&self, sku: &str, line: &Line<'_>) -> Result<Decimal, QuantityFault> {
        let quantity = line.quantity.normalize();
        if quantity <= Decimal::ZERO {
            return Err(QuantityFault::NotPositive);
        }
        if quantity > QUANTITY_MAX {
            return Err(QuantityFault::Large);
        }
        if quantity.scale() > QUANTITY_DECIMALS_MAX {
            return Err(QuantityFault::Decimals);
        }
        if quantity.scale() > 0 && self.terms.units().pieces(sku, &line.unit).is_some() {
            return Err(QuantityFault::NotWhole);
        }
        Ok(quantity)
    }

    fn chain(
        &self,
        asked: Asked<'_>,
        key: B::Key,
        trail: &mut Trail<'t>,
    ) -> Result<Option<Priced<'t>>, OutOfRange> {
        let Some((source, found)) = self.source(asked, key, None, trail)? else { return Ok(None) };
        let Some(list) = self.terms.list(source.list) else { return Ok(None) };
        let list_price = self.list_price(asked, key, source, &found)?;
        let mut portions = found.portions;
        let surcharges = self.surcharged(asked, source.kind, &mut portions, trail)?;
        let promotions = self.promoted(asked, source.kind, &mut portions, trail)?;
        self.finish(
            asked,
            source,
            list,
            Amended { portions, surcharges, promotions },
            (list_price, found.breaks),
            trail,
        )
        .map(Some)
    }

    /// Rules 3 to 6 for the lists of kind `list` alone, rounded by its own list.
    fn list_price(
        &self,
        asked: Asked<'_>,
        key: B::Key,
        source: Source,
        found: &source::Found,
    ) -> Result<Option<Decimal>, OutOfRange> {
        let rounded = |source: Source, found: &source::Found| {
            let list = self.terms.list(source.list)?;
            Some(list.rounding.apply(found.portions.first()?.unit_price, self.currency))
        };
        if source.kind == Kind::List {
            return Ok(rounded(source, found));
        }
        let listed = self.source(asked, key, Some(Kind::List), &mut Trail::Off)?;
        Ok(listed.and_then(|(source, found)| rounded(source, &found)))
    }

    /// Rules 9 and 10.
    fn finish(
        &self,
        asked: Asked<'_>,
        source: Source,
        list: &'t PriceList,
        mut amended: Amended<'t>,
        (list_price, breaks): (Option<Decimal>, Vec<Break>),
        trail: &mut Trail<'t>,
    ) -> Result<Priced<'t>, OutOfRange> {
        let mut total = Decimal::ZERO;
        for portion in &mut amended.portions {
            let (from, to) = (portion.unit_price, list.rounding.apply(portion.unit_price, self.currency));
            if trail.is_on() && from != to {
                trail.note(|| Step::Rounded { from, to, by: rounding_text(list) });
            }
            portion.unit_price = to;
            trail.note(|| Step::Portion { quantity: portion.quantity, unit_price: to });
            total = sum(total, product(portion.quantity, to)?)?;
        }
        let strategy = match list.rounding.half {
            Half::HalfUp => RoundingStrategy::MidpointAwayFromZero,
            Half::HalfEven => RoundingStrategy::MidpointNearestEven,
        };
        let total = total.round_dp_with_strategy(self.currency.minor_digits(), strategy).normalize();
        trail.note(|| Step::Total { total });
        let (unit_price, is_average) = match amended.portions.as_slice() {
            [only] => (only.unit_price, false),
            _ => (working(mul_div(total, Decimal::ONE, asked.quantity)?), true),
        };
        let (quantity_rule, quantity_allowed) = self.quantity_verdict(asked);
        let breaks = breaks.into_iter();
        let breaks = breaks
            .map(|b| Break { unit_price: list.rounding.apply(b.unit_price, self.currency), ..b })
            .collect();
        let Amended { portions, surcharges, promotions } = amended;
        Ok(Priced {
            source,
            portions,
            unit_price,
            is_average,
            total,
            list_price,
            tax: list.tax,
            breaks,
            surcharges,
            promotions,
            quantity_rule,
            quantity_allowed,
        })
    }

    fn quantity_verdict(&self, asked: Asked<'_>) -> (Option<QuantityRule>, bool) {
        let Some(rule) = self.terms.quantity_rule(asked.sku) else { return (None, true) };
        let Some(pieces) = self.terms.units().pieces(asked.sku, asked.unit) else {
            return (Some(rule), true);
        };
        let Ok(quantity) = product(asked.quantity, pieces) else { return (Some(rule), false) };
        let allowed = quantity >= rule.minimum
            && rule.maximum.is_none_or(|maximum| quantity <= maximum)
            && (quantity % rule.step).is_zero();
        (Some(rule), allowed)
    }
}

/// What surcharges and promotions made of a source's price.
#[derive(Debug)]
struct Amended<'t> {
    portions: Vec<Portion>,
    surcharges: Vec<&'t str>,
    promotions: Vec<&'t str>,
}

fn rounding_text(list: &PriceList) -> String {
    let half = match list.rounding.half {
        Half::HalfUp => "a half goes up",
        Half::HalfEven => "a half goes to the even neighbour",
    };
    format!("'{}' rounds to {}, {half}", list.id, list.rounding.to)
}
