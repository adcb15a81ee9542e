//! What the play's prices are: a list for everybody, contracts of five companies, a promotion that begins by itself, and what a
//! night changes. Owns what each line is to cost, worked out in cents, apart from the hub's own rules: the judge of its answers.

use jiff::Timestamp;
use shopify::roles::COMPANY_LOCATION;
use twin::shop::catalogue::{ITEMS, PARTIES};

/// Of the night: so many items become dearer, by three percent.
const DEARER: usize = 4;
/// From so many on a contract gives a tenth off.
const BREAK: i64 = 10;
/// The item that the promotion is for, and what it takes off.
const PROMOTED: usize = 4;
const PROMOTION_CENTS: i64 = 500;
/// What is configured to order, where the ERP does not say its price in time.
const ON_REQUEST_CENTS: i64 = 15_000;
const CONFIGURED: std::ops::RangeInclusive<u32> = 1..=20;

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Buyer {
    Anybody,
    /// By the place in [`PARTIES`].
    Party(usize),
}

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Article {
    /// By the place in [`ITEMS`].
    Item(usize),
    Configured(u32),
}

/// What counts when it is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Then {
    pub after_the_night: bool,
    pub promoted: bool,
}

impl Buyer {
    pub fn of_location(id: u64) -> Self {
        PARTIES.iter().position(|party| party.location_id == id).map_or(Self::Anybody, Self::Party)
    }

    pub fn location(self) -> Option<String> {
        match self {
            Self::Anybody => None,
            Self::Party(at) => Some(gid(PARTIES[at].location_id)),
        }
    }
}

impl Article {
    pub fn of_sku(sku: &str) -> Option<Self> {
        ITEMS.iter().position(|item| item.sku == sku).map(Self::Item)
    }

    pub fn sku(self) -> String {
        match self {
            Self::Item(at) => ITEMS[at].sku.to_owned(),
            Self::Configured(number) => format!("CFG-{number}"),
        }
    }
}

fn gid(location: u64) -> String {
    format!("{COMPANY_LOCATION}{location}")
}

/// The price of one, in cents; of what is configured, the one that stands in for the ERP's.
pub fn cents(buyer: Buyer, article: Article, quantity: i64, then: Then) -> i64 {
    let Article::Item(item) = article else { return ON_REQUEST_CENTS };
    if let Buyer::Party(party) = buyer
        && let Some(contract) = contract(party, item)
    {
        return if quantity >= BREAK { contract.from_ten } else { contract.single };
    }
    let off = if then.promoted && item == PROMOTED { PROMOTION_CENTS } else { 0 };
    list(item, then.after_the_night) - off
}

fn list(item: usize, after_the_night: bool) -> i64 {
    let cents = ITEMS[item].price_cents;
    if after_the_night && item < DEARER { cents * 103 / 100 } else { cents }
}

struct Contract {
    single: i64,
    from_ten: i64,
}

/// Some pay what the shop charges anyhow, others less; each has a contract for some items.
fn contract(party: usize, item: usize) -> Option<Contract> {
    let cents = ITEMS[item].price_cents;
    let single = match (party % 2, item % 3 == party % 3, item % 2) {
        (0, true, _) => cents,
        (1, _, 0) => cents - cents / 10,
        _ => return None,
    };
    Some(Contract { single, from_ten: single - single / 10 })
}

/// All lists with the buyers that they are for, and the promotion.
pub fn terms(promotion_at: Timestamp) -> String {
    let mut text =
        String::from("[[lists]]\nid = \"LIST\"\nkind = \"list\"\ncurrency = \"EUR\"\nfor = \"everyone\"\n");
    for party in &PARTIES {
        let (code, location) = (party.code, gid(party.location_id));
        text += &format!(
            "\n[[lists]]\nid = \"{code}\"\nkind = \"contract\"\ncurrency = \"EUR\"\nfor = \"company:{code}\"\n\
             \n[[locations]]\nid = \"{location}\"\ncompany = \"{code}\"\n"
        );
    }
    let (sku, off) = (ITEMS[PROMOTED].sku, amount(PROMOTION_CENTS));
    text += &format!(
        "\n[[promotions]]\nid = \"five-off\"\nskus = \"{sku}\"\namount_off = \"{off}\"\ncurrency = \"EUR\"\n\
         valid_from = \"{promotion_at}\"\n"
    );
    text
}

/// The first load: all of them.
pub fn prices() -> String {
    let mut rows = String::from("list,sku,price,min\n");
    for (at, item) in ITEMS.iter().enumerate() {
        rows += &format!("LIST,{},{},\n", item.sku, amount(list(at, false)));
        for (party, of) in PARTIES.iter().enumerate() {
            if let Some(contract) = contract(party, at) {
                rows += &format!("{},{},{},1\n", of.code, item.sku, amount(contract.single));
                rows += &format!("{},{},{},{BREAK}\n", of.code, item.sku, amount(contract.from_ten));
            }
        }
    }
    for number in CONFIGURED {
        rows += &format!("LIST,CFG-{number},{},\n", amount(ON_REQUEST_CENTS));
    }
    rows
}

/// What the night brings.
pub fn night() -> String {
    let row = |at: usize| format!("LIST,{},{}\n", ITEMS[at].sku, amount(list(at, true)));
    (0..DEARER).fold("list,sku,price\n".to_owned(), |rows, at| rows + &row(at))
}

/// A file that somebody has halved by mistake.
pub fn halved() -> String {
    let row = |(at, item): (usize, &twin::shop::catalogue::Item)| {
        format!("LIST,{},{}\n", item.sku, amount(list(at, true) / 2))
    };
    ITEMS.iter().enumerate().map(row).fold("list,sku,price\n".to_owned(), |rows, row| rows + &row)
}

fn amount(cents: i64) -> String {
    format!("{}.{:02}", cents / 100, cents % 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contracts_come_before_the_list_and_the_promotion_is_for_the_list_alone() {
        let then = Then { after_the_night: false, promoted: true };
        let at = |buyer, quantity| cents(buyer, Article::Item(PROMOTED), quantity, then);
        assert_eq!(at(Buyer::Anybody, 1), ITEMS[PROMOTED].price_cents - 500);
        // The second company pays a tenth less, and from ten on another tenth.
        assert_eq!((at(Buyer::Party(1), 1), at(Buyer::Party(1), 10)), (8091, 7282));
        let night = Then { after_the_night: true, promoted: false };
        assert_eq!(cents(Buyer::Anybody, Article::Item(0), 1, night), 1286);
        assert_eq!(cents(Buyer::Anybody, Article::Configured(7), 1, night), 15_000);
    }
}
