//! Which lists a shop is to have, and what they say, from terms and prices that were loaded.

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
    wanted(&version(), now(), None, Markets::default()).0.into_iter().map(one).collect()
}

#[test]
fn a_kind_for_which_another_list_counts_stays_at_the_cart_whole() {
    let common = ["LIST", "DEALERS"].map(str::to_owned).into();
    let (wanted, left) = wanted(&version(), now(), Some(&common), Markets::default());
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
                vec!["BOLT: 0.333333 from 1".to_owned(), format!("PUMP: 8.5 from 1{until}"), seal.to_owned()]
            ),
        ]
    );
}

/// Whoever is of no company: no contract, no group.
#[test]
fn the_price_list_of_a_market_says_what_everyone_pays() {
    let market = |currency: &str, name: &str| MarketList {
        currency: currency.parse().unwrap(),
        name: name.to_owned(),
        buyers: "everyone".to_owned(),
    };
    fn of(lists: &[MarketList]) -> Markets<'_> {
        Markets { lists, alone: false }
    }
    let markets = [market("EUR", "Spain"), market("GBP", "United Kingdom")];
    let (wanted, left) = wanted(&version(), now(), None, of(&markets));
    let [.., spain] = wanted.as_slice() else { panic!("{wanted:?}") };
    assert_eq!((spain.id.as_str(), &spain.place), ("Spain: LIST", &Place::Existing("Spain".to_owned())));
    let mut lines = Vec::new();
    spain.prices.each(&mut |sku, offer| lines.push(format!("{sku} {:?}", offer.tiers))).unwrap();
    lines.sort();
    assert_eq!(
        lines,
        ["BOLT [(1, 0.333333)]", "PUMP [(1, 10), (10, 9), (20, 4.5)]", "SEAL []"],
        "neither the contract nor the dealers' part"
    );
    let [left] = left.as_slice() else { panic!("{left:?}") };
    assert_eq!((left.id.as_str(), left.locations), ("price list United Kingdom", 0));
    assert_eq!(left.why, "no list in GBP is for everyone");
    let (only, left) = super::wanted(&version(), now(), None, Markets { lists: &markets[..1], alone: true });
    assert_eq!((only.len(), left.len(), left[0].why.as_str()), (1, 2, NOT_BELOW_PLUS));
    let dealers = MarketList { buyers: "group:dealers".to_owned(), ..market("EUR", "Dealers") };
    let (of_dealers, _) = super::wanted(&version(), now(), None, of(&[dealers]));
    assert_eq!(of_dealers.last().unwrap().id, "Dealers: DEALERS + LIST");
    let common = ["DEALERS"].map(str::to_owned).into();
    let (_, left) = super::wanted(&version(), now(), Some(&common), of(&markets[..1]));
    assert!(left.iter().any(|one| one.id == "price list Spain" && one.why.contains("the list LIST is")));
}

#[test]
fn long_names_stay_apart() {
    let of = |last: char| fingerprint(&format!("{}{last}", "x".repeat(300)));
    assert_ne!(of('a'), of('b'));
}
