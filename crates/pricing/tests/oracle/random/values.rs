//! Values of a random case: amounts, quantities, percentages, instants, names.

use super::{Flavour, Maker};
use crate::model::{For, List, Moment, Named, Skus, Sources, UnitDefinition, Valid};
use crate::number::Number;

impl Maker {
    /// An SKU as somebody may have written it.
    pub(super) fn sku(&mut self, sku: &str) -> String {
        let spelled =
            [sku.to_owned(), sku.to_lowercase(), format!(" {sku}"), format!("{} ", sku.to_lowercase())];
        self.chance.pick(&spelled)
    }

    pub(super) fn unit(&mut self) -> String {
        let often = match self.flavour {
            Flavour::LargeUnits => return self.chance.pick(&["CS", "CS", "PK", "C62"]).to_owned(),
            Flavour::Fine => 100,
            _ => 40,
        };
        if self.chance.percent(often) {
            return self.ask.unit.clone();
        }
        self.chance.pick(&["C62", "C62", "CS", "CS", "PK", "BX", "KGM"]).to_owned()
    }

    fn number(&mut self, most: i64, decimals: u32) -> Number {
        Number::scaled(i128::from(self.chance.between(0, most)), decimals)
    }

    /// Often one that lies on the half of something.
    pub(super) fn amount(&mut self) -> Number {
        if self.flavour == Flavour::LargeAmounts && self.chance.percent(60) {
            return self.chance.pick(&[
                Number::scaled(999_999_999_999_999_999, 6),
                Number::scaled(123_456_789_012_345_675, 6),
                Number::whole(999_999_999_999),
                Number::scaled(1, 6),
            ]);
        }
        if self.flavour == Flavour::LargeUnits && self.chance.percent(80) {
            return self.number(99_999_999_999, 0);
        }
        if self.flavour == Flavour::Fine {
            return Number::scaled(i128::from(self.chance.between(0, 4_999_999)) * 2 + 1, 6);
        }
        match self.chance.below(10) {
            0 => Number::ZERO,
            1 => self.number(30, 0),
            2 => self.number(60, 1),
            3 => self.number(3000, 2),
            4 => self.number(2000, 2),
            5 => self.number(60, 0).times(Number::scaled(25, 3)).expect("small"),
            6 => self.number(200, 0).times(Number::scaled(5, 3)).expect("small"),
            7 => self.number(20, 0).plus(Number::scaled(49, 2)).expect("small"),
            8 => self.number(9_999_999, 6),
            _ => self.number(999_999, 4),
        }
    }

    /// More than 0, at most 100.
    pub(super) fn percent_off(&mut self) -> Number {
        match self.chance.below(5) {
            0 => self.chance.pick(&[Number::whole(100), Number::whole(50), Number::whole(10)]),
            1 => Number::whole(i128::from(self.chance.between(1, 100))),
            2 => Number::scaled(i128::from(self.chance.between(1, 200)) * 5, 1),
            _ => Number::scaled(i128::from(self.chance.between(1, 1_000_000)), 4),
        }
    }

    /// -100 to 1000.
    pub(super) fn percent(&mut self) -> Number {
        if self.flavour == Flavour::Fine {
            // Of an odd millionth the first leave a half of the eighth decimal, and the last makes eleven times as much of it.
            return self.chance.pick(&[Number::scaled(-125, 1), Number::scaled(5, 1), Number::whole(1000)]);
        }
        match self.chance.below(5) {
            0 => self.chance.pick(&[Number::whole(-100), Number::ZERO, Number::whole(1000)]),
            1 => Number::whole(i128::from(self.chance.between(-30, 30))),
            2 => Number::scaled(i128::from(self.chance.between(-60, 60)) * 5, 1),
            _ => Number::scaled(i128::from(self.chance.between(-400_000, 400_000)), 4),
        }
    }

    /// Near the minimums of the tiers, or what people order, or what is none.
    pub(super) fn quantity(&mut self, lists: &[List], units: &[UnitDefinition]) -> Number {
        let near = self.near_a_minimum(lists, units);
        let often = if self.flavour == Flavour::LargeUnits { 30 } else { 9 };
        match self.chance.below(40) {
            0 => {
                let odd = ["0", "-1", "0.0000001", "1000000000", "1000000001", "2.1234567", "0.5", "1.0"];
                self.chance.pick(&odd).parse().expect("a number of the table")
            }
            roll if roll <= often => near,
            _ if self.flavour == Flavour::LargeAmounts => {
                let large = ["1000000000", "999999999", "1000000000.000001", "123456789.123456", "0.000001"];
                self.chance.pick(&large).parse().expect("a number of the table")
            }
            10..=20 => Number::whole(i128::from(self.chance.between(1, 200))),
            21..=30 if self.ask.unit == "KGM" => self.number(60_000, 3).max(Number::scaled(1, 3)),
            _ => Number::whole(i128::from(self.chance.between(1, 24))),
        }
    }

    /// What reaches the minimum of a tier by itself, in the asked unit, or is so little less or more that it just does or does not.
    fn near_a_minimum(&mut self, lists: &[List], units: &[UnitDefinition]) -> Number {
        let pieces = |unit: &str| {
            let defined = units.iter().find(|defined| defined.code == unit);
            defined.map_or(Number::ONE, |defined| defined.pieces)
        };
        let mut all = Vec::new();
        for list in lists {
            for window in list.prices.iter().flat_map(|price| &price.windows) {
                let unit = window.unit.as_ref().unwrap_or(&list.unit);
                all.extend(window.tiers.iter().map(|tier| (tier.minimum, unit)));
            }
        }
        if all.is_empty() {
            return Number::ONE;
        }
        let (minimum, unit) = self.chance.pick(&all);
        let exact = minimum.times(pieces(unit)).and_then(|many| many.over(pieces(&self.ask.unit)));
        let exact = exact.expect("small").min(Number::whole(1_000_000_000));
        if self.ask.unit == "KGM" {
            let more = self.chance.pick(&["0", "0.000001", "0.5"]).parse().expect("a number of the table");
            return exact.cut(6).and_then(|cut| cut.plus(more)).expect("small").max(Number::scaled(1, 6));
        }
        let by: &[i128] = if self.flavour == Flavour::LargeUnits { &[-1, -1, 0] } else { &[0, 0, 0, -1, 1] };
        let more = self.chance.pick(by);
        Number::whole(exact.ceiling() + more).max(Number::ONE)
    }

    fn moment(&mut self) -> Moment {
        let today = (self.ask.instant + self.zone * 3600).div_euclid(86_400);
        if self.chance.percent(50) {
            return Moment::Day(today + self.chance.between(-1, 1));
        }
        Moment::Second(self.ask.instant + self.chance.pick(&[-90_000, -7200, -1, 0, 0, 0, 1, 7200]))
    }

    pub(super) fn second(&self, moment: Moment, is_last: bool) -> i64 {
        match moment {
            Moment::Second(second) => second,
            Moment::Day(day) => (day + i64::from(is_last)) * 86_400 - self.zone * 3600,
        }
    }

    /// Not empty: that is refused when it is read.
    pub(super) fn valid(&mut self, bounded: u64) -> Valid {
        let from = self.chance.percent(bounded).then(|| self.moment());
        let until = self.chance.percent(bounded).then(|| self.moment());
        let is_empty =
            from.zip(until).is_some_and(|(from, until)| self.second(from, false) >= self.second(until, true));
        Valid { from, until: if is_empty { None } else { until } }
    }

    /// Mostly such as the buyer is.
    pub(super) fn whom(&mut self, everyone: u64) -> Vec<For> {
        if self.chance.percent(everyone) {
            return vec![For::Everyone];
        }
        let location = self.ask.location.clone().unwrap_or_else(|| "L1".to_owned());
        let all = [
            For::Location(location),
            For::Location("L2".to_owned()),
            For::Company("C1".to_owned()),
            For::Company("C1".to_owned()),
            For::Company("C2".to_owned()),
            For::Group("G1".to_owned()),
            For::Group("G2".to_owned()),
            For::Group("C1".to_owned()),
            For::Everyone,
        ];
        let many = self.chance.pick(&[1, 1, 1, 1, 2, 3]);
        (0..many).map(|_| self.chance.pick(&all)).collect()
    }

    pub(super) fn priority(&mut self) -> i32 {
        self.chance.pick(&[0, 0, 0, 0, 1, 1, 2, -1])
    }

    pub(super) fn skus(&mut self) -> Skus {
        if self.chance.percent(60) {
            return Skus::All;
        }
        let mut skus = vec![Named::Sku(self.sku("B"))];
        match self.chance.below(5) {
            0 | 1 => skus.push(Named::Sku(self.sku("A"))),
            2 => skus.push(Named::Beginning("a".to_owned())),
            3 => skus.push(Named::Beginning(" A-".to_owned())),
            _ => skus.push(Named::Sku(self.sku("A-1"))),
        }
        Skus::Only(skus)
    }

    pub(super) fn sources(&mut self) -> Sources {
        let (contract, list) =
            self.chance.pick(&[(true, true), (true, true), (true, true), (true, false), (false, true)]);
        Sources { contract, list }
    }

    /// That of the question, mostly.
    pub(super) fn currency(&mut self, other: u64) -> String {
        if self.chance.percent(other) { "USD".to_owned() } else { self.ask.currency.clone() }
    }
}
