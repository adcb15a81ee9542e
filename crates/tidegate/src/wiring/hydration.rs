//! Which price lists a shop is to have: one for each kind of buyer. Locations are of one kind where the same lists, surcharges and
//! promotions are for them, so that a location has one catalog, and what Shopify charges there is what resolution says by
//! itself. The price of an item is asked of resolution, at each quantity at which it can change. What the cart alone can say
//! (buy X get Y, parts of a quantity) is left to it.

use domains::prices::{Offer, Place, PriceSource, Rule, Wanted};
use jiff::Timestamp;
use kernel::money::Currency;
use kernel::quantity::Unit;
use price_store::{TermsBook, Version};
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

/// Of which nothing is brought out: a kind of buyer that stays at the cart with all of its prices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftAtTheCart {
    pub id: String,
    pub locations: usize,
    pub why: String,
}

/// All lists that the company locations of the terms are to have, in each currency in which something is for them. `common`: the
/// lists that are brought out; a kind of buyer for which another one counts as well is left at the cart whole, because a
/// catalog that has a part of its prices would charge that part's.
pub fn wanted(
    version: &Arc<Version>,
    at: Timestamp,
    common: Option<&BTreeSet<String>>,
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
    let one = |(kind, (buyer, locations)): (Kind, (Buyer, BTreeSet<u64>))| Wanted {
        id: kind.name(terms),
        currency: kind.currency,
        place: Place::Locations(locations),
        has_quantities: true,
        prices: Box::new(BuyersPrices { version: version.clone(), buyer, currency: kind.currency, at }),
    };
    let (mut wanted, mut left) = (Vec::new(), Vec::new());
    for (kind, of) in kinds {
        match common.and_then(|common| kind.other_than(terms, common)) {
            None => wanted.push(one((kind, of))),
            Some(list) => left.push(LeftAtTheCart {
                id: kind.name(terms),
                locations: of.1.len(),
                why: format!("the list {list} is none of those that are brought out (prices.hydrate.lists)"),
            }),
        }
    }
    (wanted, left)
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
mod tests {
    use super::*;
    use price_store::{LoadRequest, Mode, Options, PriceStore};

    const TERMS: &str = r#"
[[lists]]
id = "LIST"
kind = "list"
currency = "EUR"
for = "everyone"
[[lists]]
id = "DEALERS"
kind = "list"
currency = "EUR"
for = "group:dealers"
base = "LIST"
percent = "-10"
rounding = { to = "minor" }
[[lists]]
id = "OF-ACME"
kind = "contract"
currency = "EUR"
for = "company:ACME"
[[promotions]]
id = "SPRING"
for = "everyone"
skus = "PUMP"
percent_off = "50"
minimum = "20"
valid_until = "2027-03-31"
[[promotions]]
id = "THREE-FOR-TWO"
for = "everyone"
skus = "SEAL"
buy = 2
get = 1
percent_off = "100"
[[locations]]
id = "gid://shopify/CompanyLocation/1"
company = "ACME"
[[locations]]
id = "gid://shopify/CompanyLocation/2"
company = "ACME"
[[locations]]
id = "gid://shopify/CompanyLocation/3"
company = "BOLT"
groups = ["dealers"]
[[locations]]
id = "K-17"
company = "NOT-IN-SHOPIFY"
"#;

    const PRICES: &str = "list,sku,price,min\nLIST,PUMP,10,1\nLIST,PUMP,9,10\nLIST,SEAL,3,\nLIST,BOLT,0.333333,\n\
        OF-ACME,PUMP,8.5,\n";

    fn version() -> Arc<Version> {
        let folder = tempfile::tempdir().unwrap();
        let store = PriceStore::open(folder.path(), Options::default()).unwrap();
        store.set_terms(TERMS.as_bytes(), "anna", false, now()).unwrap();
        let request = LoadRequest {
            source: "erp".to_owned(),
            by: "anna".to_owned(),
            note: None,
            mode: Mode::Changes,
            dry_run: false,
        };
        let rows = price_store::read::csv(PRICES.as_bytes(), jiff::tz::TimeZone::UTC);
        store.load(request, rows, now()).unwrap();
        store.current()
    }

    fn now() -> Timestamp {
        "2026-11-26T12:00:00Z".parse().unwrap()
    }

    /// Each list's name and locations, and each price of it in a line.
    fn told() -> Vec<(String, Vec<u64>, Vec<String>)> {
        let one = |wanted: Wanted| {
            let mut lines = Vec::new();
            let tell = &mut |sku: &str, offer: &Offer| {
                let tiers: Vec<String> =
                    offer.tiers.iter().map(|(from, price)| format!("{price} from {from}")).collect();
                let ends = offer.ends.map(|at| format!(", until {at}")).unwrap_or_default();
                let cart = offer.at_the_cart.as_deref().unwrap_or_default();
                lines.push(format!("{sku}: {}{ends}{cart}", tiers.join(", ")));
            };
            wanted.prices.each(tell).unwrap();
            let Place::Locations(locations) = wanted.place else { unreachable!() };
            lines.sort();
            (wanted.id, locations.into_iter().collect(), lines)
        };
        wanted(&version(), now(), None).0.into_iter().map(one).collect()
    }

    #[test]
    fn a_kind_for_which_another_list_counts_stays_at_the_cart_whole() {
        let common = ["LIST", "DEALERS"].map(str::to_owned).into();
        let (wanted, left) = wanted(&version(), now(), Some(&common));
        assert_eq!(wanted.iter().map(|one| one.id.as_str()).collect::<Vec<_>>(), ["DEALERS + LIST"]);
        let [left] = left.as_slice() else { panic!("{left:?}") };
        assert_eq!((left.id.as_str(), left.locations), ("OF-ACME + LIST", 2));
        assert!(left.why.contains("the list OF-ACME is none of those"), "{}", left.why);
    }

    #[test]
    fn locations_that_pay_the_same_have_one_list_and_it_says_what_resolution_says() {
        let seal = "SEAL: promotion THREE-FOR-TWO: of so many some are cheaper";
        let until = ", until 2027-04-01T00:00:00Z";
        assert_eq!(
            told(),
            [
                (
                    "DEALERS + LIST".to_owned(),
                    vec![3],
                    vec![
                        "BOLT: 0.3 from 1".to_owned(),
                        format!("PUMP: 9 from 1, 8.1 from 10, 4.05 from 20{until}"),
                        seal.to_owned()
                    ]
                ),
                (
                    "OF-ACME + LIST".to_owned(),
                    vec![1, 2],
                    vec![
                        "BOLT: 0.333333 from 1".to_owned(),
                        format!("PUMP: 8.5 from 1{until}"),
                        seal.to_owned()
                    ]
                ),
            ]
        );
    }

    #[test]
    fn long_names_stay_apart() {
        let of = |last: char| fingerprint(&format!("{}{last}", "x".repeat(300)));
        assert_ne!(of('a'), of('b'));
    }
}
