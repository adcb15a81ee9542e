//! Which price lists a shop is to have: one for each kind of buyer. Locations are of one kind where the same lists, surcharges and
//! promotions are for them, so that a location has one catalog, and what Shopify charges there is what resolution says by
//! itself. The price of an item is asked of resolution, at each quantity at which it can change. What the cart alone can say
//! (buy X get Y, parts of a quantity) is left to it.

use config::MarketList;
use domains::prices::{Offer, Place, PriceSource, Rule, Wanted};
use jiff::Timestamp;
use kernel::money::Currency;
use kernel::quantity::Unit;
use price_store::{TermsBook, Version};
use pricing::Audience;
use pricing::audience::nearest;
use pricing::book::ListIndex;
use pricing::document::Tiers;
use pricing::terms::{Effect, PriceList, When};
use pricing::{Book as _, Buyer, Line, Price, Priced, Resolver, Terms, Unpriced};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;
use sha2::{Digest as _, Sha256};
use shopify::roles::COMPANY_LOCATION;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// An item with more quantities at which its price may change is left to the cart.
const QUANTITIES_MAX: usize = 200;
/// Of the lists' names in a catalog's name, which is bounded.
const NAMES_MAX: usize = 120;
const NOT_BELOW_PLUS: &str = "below Plus a catalog of company locations does not count (the shop's plan), and prices.hydrate.markets names those that do";

/// Of which nothing is brought out: a kind of buyer that stays at the cart with all of its prices, or a market's price list (for no
/// location of ours).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftAtTheCart {
    pub id: String,
    pub locations: usize,
    pub why: String,
}

/// Price lists of markets that are written.
#[derive(Debug, Clone, Copy, Default)]
pub struct Markets<'a> {
    pub lists: &'a [MarketList],
    /// Below Plus no other catalog counts: none is made.
    pub alone: bool,
}

/// All lists that the company locations of the terms are to have, in each currency in which something is for them. `common`: the
/// lists that are brought out; a kind of buyer for which another one counts as well is left at the cart whole, because a
/// catalog that has a part of its prices would charge that part's. After them the price lists of `markets`.
pub fn wanted(
    version: &Arc<Version>,
    at: Timestamp,
    common: Option<&BTreeSet<String>>,
    markets: Markets<'_>,
) -> (Vec<Wanted>, Vec<LeftAtTheCart>) {
    let terms = version.terms();
    let mut kinds: BTreeMap<Kind, (Buyer, BTreeSet<u64>)> = BTreeMap::new();
    let currencies: BTreeSet<Currency> = terms.lists().iter().map(|list| list.currency).collect();
    for buyer in terms.locations() {
        let id =
            buyer.company_location.as_deref().and_then(|id| id.strip_prefix(COMPANY_LOCATION)?.parse().ok());
        let Some(location) = id else { continue };
        for currency in &currencies {
            if let Some(kind) = Kind::of(terms, buyer, *currency) {
                let (_, locations) = kinds.entry(kind).or_insert_with(|| (buyer.clone(), BTreeSet::new()));
                locations.insert(location);
            }
        }
    }
    let pays = |buyer, currency| Box::new(BuyersPrices { version: version.clone(), buyer, currency, at });
    let one = |(kind, (buyer, locations)): (Kind, (Buyer, BTreeSet<u64>))| Wanted {
        id: kind.name(terms),
        currency: kind.currency,
        place: Place::Locations(locations),
        has_quantities: true,
        prices: pays(buyer, kind.currency),
    };
    let (mut wanted, mut left) = (Vec::new(), Vec::new());
    for (kind, of) in kinds {
        let other = || common.and_then(|common| kind.other_than(terms, common)).map(not_brought_out);
        match markets.alone.then(|| NOT_BELOW_PLUS.to_owned()).or_else(other) {
            None => wanted.push(one((kind, of))),
            Some(why) => left.push(LeftAtTheCart { id: kind.name(terms), locations: of.1.len(), why }),
        }
    }
    for MarketList { currency, name, buyers } in markets.lists {
        let buyer = buyer_of(terms, buyers);
        let kind = Kind::of(terms, &buyer, *currency);
        let why = match &kind {
            None => Some(format!("no list in {currency} is for {buyers}")),
            Some(kind) => common.and_then(|common| kind.other_than(terms, common)).map(not_brought_out),
        };
        match why {
            Some(why) => left.push(LeftAtTheCart { id: format!("price list {name}"), locations: 0, why }),
            None => wanted.push(Wanted {
                id: format!("{name}: {}", kind.map_or_else(String::new, |kind| kind.name(terms))),
                currency: *currency,
                place: Place::Existing(name.clone()),
                has_quantities: true,
                prices: pays(buyer, *currency),
            }),
        }
    }
    (wanted, left)
}

/// Whose prices a market's list says. Of a location's that the terms name, all that they say of it; else of nobody further.
fn buyer_of(terms: &Terms, buyers: &str) -> Buyer {
    match Audience::parse(buyers) {
        Ok(Audience::Group(group)) => Buyer { groups: vec![group], ..Buyer::default() },
        Ok(Audience::Company(company)) => Buyer { company: Some(company), ..Buyer::default() },
        Ok(Audience::CompanyLocation(id)) => {
            let known = terms.locations().find(|buyer| buyer.company_location.as_ref() == Some(&id)).cloned();
            known.unwrap_or_else(|| Buyer { company_location: Some(id), ..Buyer::default() })
        }
        // What the configuration takes is one of these.
        Ok(Audience::Everyone) | Err(_) => Buyer::default(),
    }
}

fn not_brought_out(list: &str) -> String {
    format!("the list {list} is none of those that are brought out (prices.hydrate.lists)")
}

/// What makes two locations pay the same.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Kind {
    currency: Currency,
    /// In the order in which they are asked.
    lists: Vec<u32>,
    /// By their places in the terms.
    surcharges: Vec<usize>,
    promotions: Vec<usize>,
}

impl Kind {
    /// None: no list in this currency is for the buyer.
    fn of(terms: &Terms, buyer: &Buyer, currency: Currency) -> Option<Self> {
        let candidates = terms.candidates(buyer, currency);
        let lists: Vec<u32> = candidates.lists.iter().map(|candidate| candidate.list.0).collect();
        let of = |whens: &mut dyn Iterator<Item = &When>| -> Vec<usize> {
            whens.enumerate().filter(|(_, when)| may_count(when, buyer, currency)).map(|(at, _)| at).collect()
        };
        let surcharges = of(&mut terms.surcharges().iter().map(|rule| &rule.when));
        let promotions = of(&mut terms.promotions().iter().map(|rule| &rule.when));
        (!lists.is_empty()).then_some(Self { currency, lists, surcharges, promotions })
    }

    /// The first of its lists that is not common.
    fn other_than<'t>(&self, terms: &'t Terms, common: &BTreeSet<String>) -> Option<&'t str> {
        let lists = self.lists.iter().filter_map(|list| terms.lists().get(*list as usize));
        lists.map(|list| &*list.id).find(|list| !common.contains(*list))
    }

    /// By which it is found again: the lists', and what else is for these buyers alone.
    fn name(&self, terms: &Terms) -> String {
        let lists = self.lists.iter().filter_map(|list| terms.lists().get(*list as usize));
        let mut names: Vec<&str> = lists.map(|list| &*list.id).collect();
        let ids = |places: &[usize], of: &dyn Fn(usize) -> Option<String>| -> Vec<String> {
            places.iter().filter_map(|place| of(*place)).collect()
        };
        let own = |when: &When| when.audience.iter().all(|one| *one != pricing::Audience::Everyone);
        let surcharge = |place: usize| {
            let rule = terms.surcharges().get(place).filter(|rule| own(&rule.when))?;
            Some(rule.id.to_string())
        };
        let promotion = |place: usize| {
            let rule = terms.promotions().get(place).filter(|rule| own(&rule.when))?;
            Some(rule.id.to_string())
        };
        let further = [ids(&self.surcharges, &surcharge), ids(&self.promotions, &promotion)].concat();
        names.extend(further.iter().map(String::as_str));
        let whole = names.join(" + ");
        if whole.len() <= NAMES_MAX {
            return whole;
        }
        let begin: String = whole.chars().take(NAMES_MAX / 2).collect();
        format!("{begin}… {}", fingerprint(&whole))
    }
}

/// Of two long names, another.
fn fingerprint(text: &str) -> String {
    kernel::key::hex(&Sha256::digest(text.as_bytes())[..4])
}

fn may_count(when: &When, buyer: &Buyer, currency: Currency) -> bool {
    when.approved
        && when.currency.is_none_or(|own| own == currency)
        && nearest(&when.audience, buyer).is_some()
}

/// What one kind of buyer pays, at one instant.
struct BuyersPrices {
    version: Arc<Version>,
    buyer: Buyer,
    currency: Currency,
    at: Timestamp,
}

impl PriceSource for BuyersPrices {
    fn each(&self, tell: &mut dyn FnMut(&str, &Offer)) -> Result<(), String> {
        let terms = self.version.terms();
        let lists = self.lists();
        if let Some((_, damaged)) =
            lists.iter().find(|(_, list)| self.version.damage().lists.contains(&*list.id))
        {
            return Err(format!("the list {} is damaged: load it anew first", damaged.id));
        }
        let book = self.version.book();
        let resolver = Resolver::new(terms, &book, &self.buyer, self.currency, self.at.as_second());
        let mut keys = BTreeSet::new();
        for (_, list) in &lists {
            let Some(stored) = self.version.list(&list.id) else { continue };
            keys.extend(self.version.walk(stored).map(|(key, _)| key));
        }
        for key in keys {
            if let Some(sku) = self.version.sku(key) {
                let prices = lists.iter().filter_map(|(index, list)| Some((*list, book.price(*index, key)?)));
                tell(sku, &self.offer(&resolver, &prices.collect::<Vec<_>>(), sku));
            }
        }
        Ok(())
    }
}

impl BuyersPrices {
    /// The candidates and what stands behind them.
    fn lists(&self) -> Vec<(ListIndex, &PriceList)> {
        let terms = self.version.terms();
        let mut lists = Vec::new();
        let mut seen = BTreeSet::new();
        for candidate in terms.candidates(&self.buyer, self.currency).lists {
            let mut next = Some(candidate.list);
            while let Some(index) = next.filter(|index| seen.insert(*index)) {
                let Some(list) = terms.list(index) else { break };
                next = list.base.map(|base| base.list);
                lists.push((index, list));
            }
        }
        lists
    }

    /// `prices`: what each list has for the SKU, which is in its one spelling.
    fn offer(&self, resolver: &Resolver<'_, TermsBook>, prices: &[(&PriceList, Price)], sku: &str) -> Offer {
        let terms = self.version.terms();
        let at_s = self.at.as_second();
        let mut offer = Offer { pieces: Some(Decimal::ONE), ..Offer::default() };
        offer.ends = self.ends(prices, sku);
        offer.rule = terms.quantity_rule(sku).and_then(|rule| {
            let maximum = rule.maximum.map(|maximum| maximum.to_u32());
            Some(Rule {
                minimum: rule.minimum.to_u32()?,
                maximum: maximum.unwrap_or_default(),
                increment: rule.step.to_u32()?,
            })
        });
        let kinds = [pricing::document::Kind::Contract, pricing::document::Kind::List];
        let of_cart = terms.promotions().iter().find(|rule| {
            let counts =
                kinds.iter().any(|kind| rule.when.counts(&self.buyer, self.currency, *kind, at_s).is_ok());
            matches!(rule.effect, Effect::BuyGet { .. }) && counts && rule.when.goods.has(sku)
        });
        if let Some(rule) = of_cart {
            offer.at_the_cart = Some(format!("promotion {}: of so many some are cheaper", rule.id));
            return offer;
        }
        let quantities = self.quantities(prices, sku);
        if quantities.len() > QUANTITIES_MAX {
            offer.at_the_cart = Some(format!("its price may change at {} quantities", quantities.len()));
            return offer;
        }
        for quantity in quantities {
            match resolver.price(&Line { sku, quantity, unit: Unit::piece() }) {
                Ok(priced) if is_in_parts(terms, &priced) => {
                    offer.graduated = true;
                    return offer;
                }
                Ok(priced) if offer.tiers.last().is_some_and(|(_, price)| *price == priced.unit_price) => {}
                Ok(priced) => offer.tiers.push((quantity, priced.unit_price)),
                Err(Unpriced::NoPrice) if offer.tiers.is_empty() => {}
                Err(cause) => {
                    offer.at_the_cart = Some(format!("{quantity} pieces have no price: {cause}"));
                    return offer;
                }
            }
        }
        offer
    }

    /// In pieces, rising: one, and where a tier or a promotion begins.
    fn quantities(&self, prices: &[(&PriceList, Price)], sku: &str) -> BTreeSet<Decimal> {
        let terms = self.version.terms();
        let pieces = |minimum: Decimal, unit: &Unit| {
            let pieces = terms.units().pieces(sku, unit)?;
            Some(minimum.checked_mul(pieces)?.ceil())
        };
        let mut quantities = BTreeSet::from([Decimal::ONE]);
        for (list, price) in prices {
            let Price::Windows(windows) = price else { continue };
            for window in windows.iter() {
                let unit = window.unit.as_ref().unwrap_or(&list.unit);
                quantities.extend(window.tiers.iter().filter_map(|tier| pieces(tier.minimum, unit)));
            }
        }
        let promotions = terms.promotions().iter().filter(|rule| rule.when.goods.has(sku));
        quantities.extend(promotions.filter_map(|rule| pieces(rule.minimum?, &rule.unit)));
        quantities.retain(|quantity| *quantity >= Decimal::ONE);
        quantities
    }

    /// The next instant at which anything of it begins or ends.
    fn ends(&self, prices: &[(&PriceList, Price)], sku: &str) -> Option<Timestamp> {
        let terms = self.version.terms();
        let mut bounds = BTreeSet::new();
        let mut add = |validity: pricing::Validity| {
            bounds.extend([validity.from_s, validity.until_s].into_iter().flatten())
        };
        for (list, price) in prices {
            add(list.validity);
            if let Price::Windows(windows) = price {
                windows.iter().for_each(|window| add(window.validity));
            }
        }
        let whens = terms.surcharges().iter().map(|rule| &rule.when);
        for when in whens.chain(terms.promotions().iter().map(|rule| &rule.when)) {
            if may_count(when, &self.buyer, self.currency) && when.goods.has(sku) {
                add(when.validity);
            }
        }
        let next = bounds.into_iter().find(|bound| *bound > self.at.as_second())?;
        Timestamp::from_second(next).ok()
    }
}

/// Each part of a quantity has a price of its own.
fn is_in_parts(terms: &Terms, priced: &Priced<'_>) -> bool {
    let graduated = terms.list(priced.source.list).is_some_and(|list| list.tiers == Tiers::Graduated);
    priced.portions.len() > 1 || (graduated && priced.breaks.len() > 1)
}

#[cfg(test)]
mod tests;
