//! The shop of the example: a million SKUs, lists of twenty thousand prices each, locations with a list of their own, of their company
//! and of their group.

use crate::measure::Cart;
use jiff::tz::TimeZone;
use pricing::Price;
use rust_decimal::Decimal;
use std::fmt::Write as _;
use tidegate_price_store::{PriceForm, Row, RowFault, Version, WindowForm};

const PER_LIST: u64 = 20_000;
const SKUS: u64 = 1_000_000;

pub(crate) struct World {
    pub(crate) skus: Vec<String>,
    pub(crate) lists: Vec<String>,
    tiered: Vec<Price>,
    dated: Vec<Price>,
}

/// Chance of a fixed seed.
pub(crate) fn mixed(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9E37_79B9_7F4A_7C15);
    mixed = (mixed ^ mixed >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ mixed >> 31
}

impl World {
    pub(crate) fn new(prices: u64) -> Self {
        let lists = prices.div_ceil(PER_LIST).max(3);
        let (mut tiered, mut dated) = (Vec::new(), Vec::new());
        for which in 0..500 {
            let tier = |min: u32, cents: u64| [min.to_string(), Decimal::new(cents as i64, 2).to_string()];
            let base = 1000 + mixed(which) % 90_000;
            let tiers = vec![tier(1, base), tier(10, base * 9 / 10), tier(100, base * 8 / 10)];
            let window = |from: Option<&str>, until: Option<&str>, tiers| WindowForm {
                valid_from: from.map(str::to_owned),
                valid_until: until.map(str::to_owned),
                unit: None,
                tiers,
            };
            let price = |windows| PriceForm::Windows(windows).read(&TimeZone::UTC);
            tiered.extend(price(vec![window(None, None, tiers)]));
            let (old, new) = (vec![tier(1, base)], vec![tier(1, base + 100)]);
            let windows = vec![window(None, Some("2027-06-30"), old), window(Some("2027-07-01"), None, new)];
            dated.extend(price(windows));
        }
        Self {
            skus: (0..SKUS).map(|sku| format!("{:03}-{:07}", mixed(sku) % 1000, sku)).collect(),
            lists: (0..lists).map(|list| format!("contract-{list:05}")).collect(),
            tiered,
            dated,
        }
    }

    pub(crate) fn prices(&self) -> u64 {
        self.lists.len() as u64 * PER_LIST
    }

    /// The SKU at a place of a list: each once, spread over all SKUs, in their order as a database writes them.
    fn sku(&self, list: u64, place: u64) -> &str {
        let apart = SKUS / PER_LIST;
        &self.skus[(place * apart + mixed(list * PER_LIST + place) % apart) as usize]
    }

    fn price(&self, seed: u64) -> Price {
        let chance = mixed(seed);
        match chance % 100 {
            0..4 => self.tiered[(chance >> 8) as usize % self.tiered.len()].clone(),
            4..6 => self.dated[(chance >> 8) as usize % self.dated.len()].clone(),
            _ => Price::Plain(Decimal::new((chance >> 8) as i64 % 1_000_000 + 1, 2)),
        }
    }

    /// List after list.
    pub(crate) fn rows(&self) -> impl Iterator<Item = Result<Row<'_>, RowFault>> {
        (0..self.lists.len() as u64).flat_map(move |list| {
            (0..PER_LIST).map(move |place| Ok(self.row(list, place, list * PER_LIST + place)))
        })
    }

    /// Every n-th price is another one.
    pub(crate) fn changes(&self, count: u64) -> impl Iterator<Item = Result<Row<'_>, RowFault>> {
        let every = (self.prices() / count).max(1);
        (0..count.min(self.prices())).map(move |change| {
            let at = change * every;
            Ok(self.row(at / PER_LIST, at % PER_LIST, at ^ 0x5555_0000_0000))
        })
    }

    fn row(&self, list: u64, place: u64, seed: u64) -> Row<'_> {
        let sku = self.sku(list, place);
        Row {
            list: (&*self.lists[list as usize]).into(),
            sku: sku.into(),
            price: Some(self.price(seed)),
            line: None,
        }
    }

    /// Of every three lists one is a location's, one its company's, one its group's.
    pub(crate) fn terms(&self) -> String {
        let mut text = String::from("zone = \"Europe/Berlin\"\n");
        for (number, list) in self.lists.iter().enumerate() {
            let location = number / 3;
            let audience = ["company_location", "company", "group"][number % 3];
            let _ = write!(
                text,
                "[[lists]]\nid = \"{list}\"\nkind = \"contract\"\ncurrency = \"EUR\"\nfor = \"{audience}:{location}\"\n"
            );
        }
        for location in 0..self.lists.len() / 3 {
            let _ = write!(
                text,
                "[[locations]]\nid = \"{location}\"\ncompany = \"{location}\"\ngroups = [\"{location}\"]\n"
            );
        }
        text
    }

    /// Of 100 lines most are in one of the three lists of the buyer, as carts are.
    pub(crate) fn cart(&self, version: &Version, number: u64) -> Cart {
        let location = mixed(number ^ 0xCA57) % (self.lists.len() as u64 / 3);
        let list_numbers =
            (0..3).filter_map(|which| version.list(&self.lists[(location * 3 + which) as usize])).collect();
        let skus: Vec<String> = (0..100)
            .map(|line| {
                let chance = mixed(number * 1000 + line);
                match chance % 10 {
                    0 => self.skus[(chance >> 8) as usize % self.skus.len()].clone(),
                    which => self.sku(location * 3 + which % 3, (chance >> 8) % PER_LIST).to_owned(),
                }
            })
            .collect();
        let sku_numbers = skus.iter().filter_map(|sku| version.key(sku)).collect();
        Cart { location: location.to_string(), skus, list_numbers, sku_numbers }
    }
}
