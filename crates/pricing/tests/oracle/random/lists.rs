//! Price lists of a random case, with their prices.

use super::{Flavour, Maker};
use crate::model::{Base, For, Kind, List, Price, RoundTo, Tier, TierWay, Valid, Window};
use crate::number::{Half, Number};

/// Of different lengths and cases, so that an order by anything but their bytes is another one.
const IDS: [&str; 10] = ["a", "B", "b", "A", "10", "9", "Z", "é", "AA", "a-1"];
const ALWAYS: Valid = Valid { from: None, until: None };

impl Maker {
    pub(super) fn lists(&mut self) -> Vec<List> {
        let ids = self.chance.shuffled(&IDS);
        let many = self.chance.pick(&[1, 2, 2, 3, 3, 4, 5, 6]);
        let mut lists: Vec<List> = Vec::new();
        for id in &ids[..many] {
            let mut list = self.list(id);
            let is_derived = self.chance.percent(35);
            if is_derived && !lists.is_empty() {
                let base = self.chance.pick(&lists);
                list.currency.clone_from(&base.currency);
                list.taxed = base.taxed;
                list.base = Some(Base { id: base.id, percent: self.percent() });
            }
            let often = if list.base.is_some() { 35 } else { 85 };
            if self.chance.percent(often) {
                list.prices.push(self.price(self.asked, &list.unit));
            }
            if self.chance.percent(15) {
                list.prices.push(self.price("B", &list.unit));
            }
            lists.push(list);
        }
        // One that is for everyone, always, in many cases, so that most have a price.
        if self.chance.percent(60) {
            let place = self.chance.place(lists.len());
            let list = &mut lists[place];
            (list.whom, list.approved, list.valid) = (vec![For::Everyone], true, ALWAYS);
            if list.prices.is_empty() {
                let price = self.price(self.asked, &list.unit);
                list.prices.push(price);
            }
        }
        self.chance.shuffled(&lists)
    }

    fn list(&mut self, id: &str) -> List {
        List {
            id: id.to_owned(),
            kind: self.chance.pick(&[Kind::Contract, Kind::List]),
            whom: self.whom(35),
            currency: self.currency(4),
            priority: self.priority(),
            approved: !self.chance.percent(5),
            valid: self.valid(20),
            taxed: self.chance.percent(30),
            tiers: self.chance.pick(&[TierWay::Volume, TierWay::Graduated]),
            unit: self.unit(),
            round_to: self.round_to(),
            half: self.chance.pick(&[Half::Up, Half::Even]),
            base: None,
            prices: vec![],
        }
    }

    fn round_to(&mut self) -> RoundTo {
        let number = |text: &str| text.parse::<Number>().expect("a number of the table");
        if self.flavour == Flavour::Fine {
            return RoundTo::Exact;
        }
        match self.chance.below(8) {
            0 | 1 => RoundTo::Exact,
            2..=4 => RoundTo::Minor,
            5 | 6 => RoundTo::Increment(number(
                self.chance.pick(&["0.05", "0.05", "0.25", "0.3", "5", "0.000003"]),
            )),
            _ => RoundTo::Ending(number(self.chance.pick(&["0.99", "0.99", "0.95", "0.5", "0.9", "0"]))),
        }
    }

    /// Windows of one unit do not overlap; a list's own unit may be named or not, which are two.
    fn price(&mut self, sku: &str, of_the_list: &str) -> Price {
        let mut units = vec![None, Some(of_the_list.to_owned())];
        for other in ["C62", "CS", "PK", "BX", "KGM"] {
            if other != of_the_list {
                units.push(Some(other.to_owned()));
            }
        }
        let mut windows = Vec::new();
        for (place, unit) in units.into_iter().enumerate() {
            let often = [75, 25, 12][place.min(2)];
            if self.chance.percent(often) {
                for valid in self.spans() {
                    windows.push(Window { valid, unit: unit.clone(), tiers: self.tiers() });
                }
            }
        }
        if windows.is_empty() {
            windows.push(Window { valid: ALWAYS, unit: None, tiers: self.tiers() });
        }
        Price { sku: self.sku(sku), windows: self.chance.shuffled(&windows) }
    }

    /// One, or two of which the second begins at or behind the end of the first.
    fn spans(&mut self) -> Vec<Valid> {
        if self.chance.percent(50) {
            return vec![ALWAYS];
        }
        let one = self.valid(50);
        let two = self.valid(50);
        let meets = one
            .until
            .zip(two.from)
            .is_some_and(|(until, from)| self.second(until, true) <= self.second(from, false));
        if meets { vec![one, two] } else { vec![one] }
    }

    /// Minimums rise, prices do not.
    fn tiers(&mut self) -> Vec<Tier> {
        let number = |text: &str| text.parse::<Number>().expect("a number of the table");
        let many = self.chance.pick(&[1, 1, 1, 2, 2, 3, 4]);
        let mut minimum = number(self.chance.pick(&["1", "1", "1", "1", "0.5", "0.000001", "2", "5", "2.5"]));
        let mut prices: Vec<_> = (0..many).map(|_| self.amount()).collect();
        prices.sort_by(|one, two| two.cmp(one));
        let mut tiers = Vec::new();
        for price in prices {
            tiers.push(Tier { minimum, price });
            let more = if self.flavour == Flavour::LargeUnits {
                Number::ONE
            } else {
                number(self.chance.pick(&["1", "2", "4", "9", "0.5", "0.333333", "40"]))
            };
            minimum = minimum.plus(more).expect("small");
        }
        tiers
    }

    /// Eight bases behind one list, and only the last has a price.
    pub(super) fn chain(&mut self) -> Vec<List> {
        let ids = self.chance.shuffled(&IDS);
        let mut lists = Vec::new();
        for (place, id) in ids[..9].iter().enumerate() {
            let mut list = self.list(id);
            list.currency.clone_from(&self.ask.currency);
            list.taxed = false;
            list.approved = true;
            list.valid = ALWAYS;
            if place == 8 {
                list.prices.push(self.price(self.asked, &list.unit));
            } else {
                list.base = Some(Base { id: ids[place + 1].to_owned(), percent: self.percent() });
                list.whom = vec![For::Everyone];
            }
            lists.push(list);
        }
        self.chance.shuffled(&lists)
    }
}
