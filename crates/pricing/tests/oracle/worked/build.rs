//! Cases of the worked examples, built by saying what is unusual about them.

use crate::model::{
    Adds, Ask, Case, For, Gives, Kind, List, Location, Price, Promotion, RoundTo, Skus, Sources, Surcharge,
    Tier, TierWay, UnitDefinition, Valid, Window,
};
use crate::number::{Half, Number};

#[derive(Debug, Clone)]
pub(crate) struct Example {
    pub(crate) says: &'static str,
    pub(crate) case: Case,
    pub(crate) gives: &'static str,
}

pub(crate) fn gives(says: &'static str, case: Case, gives: &'static str) -> Example {
    Example { says, case, gives }
}

pub(crate) fn number(text: &str) -> Number {
    text.parse().expect("a number of the table")
}

const ALWAYS: Valid = Valid { from: None, until: None };
const ALL: Sources = Sources { contract: true, list: true };

/// So many pieces of A, asked for L1 of the company C1 in the group G1, in EUR, at second 1000.
pub(crate) fn case(quantity: &str) -> Case {
    let ask = Ask {
        location: Some("L1".to_owned()),
        currency: "EUR".to_owned(),
        instant: 1000,
        sku: "A".to_owned(),
        quantity: number(quantity),
        unit: "C62".to_owned(),
    };
    let location =
        Location { id: "L1".to_owned(), company: Some("C1".to_owned()), groups: vec!["G1".to_owned()] };
    Case {
        zone: 0,
        locations: vec![location],
        units: vec![],
        quantity_rules: vec![],
        lists: vec![],
        surcharges: vec![],
        promotions: vec![],
        ask,
    }
}

/// A list for everyone, in EUR and pieces, volume, rounded to cents, half up.
pub(crate) fn list(id: &str) -> List {
    List {
        id: id.to_owned(),
        kind: Kind::List,
        whom: vec![For::Everyone],
        currency: "EUR".to_owned(),
        priority: 0,
        approved: true,
        valid: ALWAYS,
        taxed: false,
        tiers: TierWay::Volume,
        unit: "C62".to_owned(),
        round_to: RoundTo::Minor,
        half: Half::Up,
        base: None,
        prices: vec![],
    }
}

pub(crate) fn surcharge(id: &str, adds: Adds) -> Surcharge {
    Surcharge {
        id: id.to_owned(),
        approved: true,
        valid: ALWAYS,
        whom: vec![For::Everyone],
        skus: Skus::All,
        sources: ALL,
        priority: 0,
        currency: None,
        unit: "C62".to_owned(),
        adds,
    }
}

pub(crate) fn promotion(id: &str, gives: Gives) -> Promotion {
    Promotion {
        id: id.to_owned(),
        approved: true,
        valid: ALWAYS,
        whom: vec![For::Everyone],
        skus: Skus::All,
        sources: ALL,
        priority: 0,
        stacks: false,
        minimum: None,
        currency: None,
        unit: "C62".to_owned(),
        gives,
    }
}

fn window(unit: Option<&str>, tiers: &[(&str, &str)]) -> Window {
    let tiers = tiers
        .iter()
        .map(|(minimum, price)| Tier { minimum: number(minimum), price: number(price) })
        .collect();
    Window { valid: ALWAYS, unit: unit.map(str::to_owned), tiers }
}

/// Says what is unusual about a thing.
macro_rules! with {
    ($($thing:ty),+) => { $(impl $thing {
        pub(crate) fn with(mut self, unusual: impl FnOnce(&mut Self)) -> Self {
            unusual(&mut self);
            self
        }
    })+ };
}

with!(Case, List, Surcharge, Promotion);

impl List {
    pub(crate) fn contract(self, whom: For) -> Self {
        self.with(|it| (it.kind, it.whom) = (Kind::Contract, vec![whom]))
    }

    pub(crate) fn tiers(self, sku: &str, tiers: &[(&str, &str)]) -> Self {
        self.with(|it| it.prices.push(Price { sku: sku.to_owned(), windows: vec![window(None, tiers)] }))
    }

    pub(crate) fn window(self, sku: &str, unit: &str, tiers: &[(&str, &str)]) -> Self {
        self.with(|it| {
            it.prices.push(Price { sku: sku.to_owned(), windows: vec![window(Some(unit), tiers)] })
        })
    }
}

impl Case {
    pub(crate) fn list(self, list: List) -> Self {
        self.with(|it| it.lists.push(list))
    }

    pub(crate) fn surcharge(self, surcharge: Surcharge) -> Self {
        self.with(|it| it.surcharges.push(surcharge))
    }

    pub(crate) fn promotion(self, promotion: Promotion) -> Self {
        self.with(|it| it.promotions.push(promotion))
    }

    pub(crate) fn unit(self, sku: Option<&str>, code: &str, pieces: i128) -> Self {
        let defined = UnitDefinition {
            sku: sku.map(str::to_owned),
            code: code.to_owned(),
            pieces: Number::whole(pieces),
        };
        self.with(|it| it.units.push(defined))
    }
}
