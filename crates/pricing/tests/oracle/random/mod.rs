//! Random cases. Owns how they are drawn: from so small pools that ties, borders and halves, which decide, come often. A case is
//! one number, its seed: the same seed gives the same case. Refuses to know any rule, except what the page refuses when terms are
//! read, because a case that is refused compares nothing.

mod changes;
mod lists;
mod values;

use crate::chance::Chance;
use crate::model::{Ask, Case, Location, QuantityRule, UnitDefinition};
use crate::number::Number;

/// Draws the parts of one case.
#[derive(Debug)]
struct Maker {
    chance: Chance,
    flavour: Flavour,
    zone: i64,
    /// The SKU of the question, in its one spelling.
    asked: &'static str,
    ask: Ask,
}

/// What is unusual about a case: what chance alone would bring too seldom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flavour {
    Plain,
    /// Amounts at the ends of what is allowed.
    LargeAmounts,
    /// Units of very many pieces, and quantities that a tier's minimum is a billionth more than.
    LargeUnits,
    /// A list with eight bases, of which only the last has a price.
    Chain,
    /// Steps that leave halves of the eighth decimal, and steps that bring them to light.
    Fine,
}

/// In which currency most of a case is.
const CURRENCIES: [&str; 8] = ["EUR", "EUR", "EUR", "EUR", "CHF", "JPY", "KWD", "CLF"];

pub(crate) fn case(seed: u64) -> Case {
    let mut chance = Chance::of(seed);
    let zone = chance.pick(&[0, 0, 2, -5, 13]);
    let day = chance.between(20_000, 20_003);
    let second = match chance.below(3) {
        0 => 0,
        1 => chance.pick(&[-1, 1, 43_200]),
        _ => chance.between(0, 86_399),
    };
    let ask = Ask {
        location: chance.pick(&[Some("L1"), Some("L1"), Some("L1"), Some("L2"), None]).map(str::to_owned),
        currency: chance.pick(&CURRENCIES).to_owned(),
        instant: day * 86_400 - zone * 3600 + second,
        sku: "A".to_owned(),
        quantity: Number::ONE,
        unit: chance.pick(&["C62", "C62", "C62", "C62", "CS", "CS", "PK", "BX", "KGM", "KGM"]).to_owned(),
    };
    let flavour = match chance.below(100) {
        0 | 1 => Flavour::LargeAmounts,
        2 | 3 => Flavour::LargeUnits,
        4 | 5 => Flavour::Chain,
        6 | 7 => Flavour::Fine,
        _ => Flavour::Plain,
    };
    Maker { chance, flavour, zone, asked: "A", ask }.case()
}

impl Maker {
    fn case(mut self) -> Case {
        self.asked = self.chance.pick(&["A", "A-1"]);
        self.ask.sku = self.sku(self.asked);
        if matches!(self.flavour, Flavour::LargeUnits | Flavour::Fine) {
            self.ask.unit = "C62".to_owned();
        }
        if self.chance.percent(3) {
            self.ask.sku = self.sku("B");
        }
        let locations = self.locations();
        let units = self.units();
        let lists = if self.flavour == Flavour::Chain { self.chain() } else { self.lists() };
        self.ask.quantity = self.quantity(&lists, &units);
        let surcharges = self.surcharges();
        let promotions = self.promotions();
        let quantity_rules = self.quantity_rules();
        let Self { zone, ask, .. } = self;
        Case { zone, locations, units, quantity_rules, lists, surcharges, promotions, ask }
    }

    fn locations(&mut self) -> Vec<Location> {
        let mut location = |id: &str| {
            let company = self.chance.pick(&[Some("C1"), Some("C1"), Some("C1"), Some("C2"), None]);
            let mut groups = Vec::new();
            for group in ["G1", "G2"] {
                if self.chance.percent(70) {
                    groups.push(group.to_owned());
                }
            }
            Location { id: id.to_owned(), company: company.map(str::to_owned), groups }
        };
        vec![location("L1"), location("L2")]
    }

    /// What is a case, a pack, a box; kilograms mostly are no pieces.
    fn units(&mut self) -> Vec<UnitDefinition> {
        let mut units = Vec::new();
        for (code, often, pieces) in [
            ("CS", 85, &["12", "12", "10", "144"][..]),
            ("PK", 85, &["3", "3", "7", "6"]),
            ("BX", 85, &["2.5", "0.5", "24"]),
            ("KGM", 15, &["4", "3"]),
        ] {
            let asked = self.sku(self.asked);
            for (sku, often) in [(None, often), (Some(asked), often / 4), (Some(self.sku("B")), 5)] {
                if self.chance.percent(often) {
                    let mut pieces = self.chance.pick(pieces).to_owned();
                    if self.flavour == Flavour::LargeUnits {
                        pieces = self
                            .chance
                            .pick(&["300000007", "300000007", "300000007", "1000000000", "0.000001"])
                            .to_owned();
                    }
                    let pieces = pieces.parse().expect("a number of the table");
                    units.push(UnitDefinition { sku, code: code.to_owned(), pieces });
                }
            }
        }
        self.chance.shuffled(&units)
    }

    /// The minimum is a multiple of the step, and not above the maximum: else the rule is refused when it is read.
    fn quantity_rules(&mut self) -> Vec<QuantityRule> {
        let mut rules = Vec::new();
        for sku in [self.asked, "B"] {
            if self.chance.percent(30) {
                let step = self.chance.pick(&[None, Some(2), Some(3), Some(5), Some(12)]);
                let least = step.unwrap_or(1) * i128::from(self.chance.between(1, 4));
                let minimum = self.chance.percent(60).then_some(least);
                let asked = self.ask.quantity.floor().clamp(least, 1_000_000_000);
                let most = self.chance.pick(&[asked, least, least + 7, least + 30]);
                let maximum = self.chance.percent(40).then_some(most);
                rules.push(QuantityRule {
                    sku: self.sku(sku),
                    minimum: minimum.map(Number::whole),
                    step: step.map(Number::whole),
                    maximum: maximum.map(Number::whole),
                });
            }
        }
        rules
    }
}
