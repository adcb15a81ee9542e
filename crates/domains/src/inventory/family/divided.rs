//! Units that are divided over several of the shop's locations, by themselves and in a bundle: none on sale twice, whatever happens in
//! whatever order; each its part, at rest; and a rule that forgets what the others have is caught.

use super::*;
use crate::inventory::division::Takes;
use proptest::prelude::*;

const OUTLETS: usize = 3;
/// Of the component in one of the bundle.
const HOLDS: i64 = 2;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rule {
    AsItIs,
    /// Each has its part, whatever the others still show.
    IgnoresWhatIsShown,
    /// Each holds back what was sold there alone.
    IgnoresWhatIsSold,
    AllAtOnce,
}

/// By item: the component at each outlet, then the bundle at each.
#[derive(Debug, Clone)]
struct World {
    on_hand: i64,
    counted: i64,
    items: [Shown; 2 * OUTLETS],
    under_way: Vec<(usize, i64, i64)>,
    takes: Vec<Takes>,
    share: u8,
}

fn holds(item: usize) -> i64 {
    if item < OUTLETS { 1 } else { HOLDS }
}

impl World {
    fn component(&self, outlet: usize, rule: Rule) -> Component {
        let mut elsewhere = Shown::default();
        for item in (0..self.items.len()).filter(|item| item % OUTLETS != outlet) {
            let shown = self.items[item];
            elsewhere.available += holds(item) * shown.available.max(0);
            elsewhere.committed += holds(item) * shown.committed;
        }
        match rule {
            Rule::IgnoresWhatIsShown => elsewhere.available = 0,
            Rule::IgnoresWhatIsSold => elsewhere.committed = 0,
            Rule::AsItIs | Rule::AllAtOnce => {}
        }
        Component {
            available: self.on_hand - self.counted,
            counted: Some(self.counted),
            share: self.share,
            alone: self.items[outlet],
            holders: vec![Holder { quantity: HOLDS, shown: self.items[OUTLETS + outlet] }],
            division: Some(Division::new(self.takes.clone(), outlet)),
            elsewhere,
        }
    }

    fn decide(&self, item: usize, rule: Rule) -> i64 {
        let of = self.component(item % OUTLETS, rule);
        if item < OUTLETS { of.to_show(InFlight::Counted) } else { of.allows(0, InFlight::Counted) }
    }

    fn does(&mut self, (deed, item, units): (u8, usize, i64), rule: Rule) {
        let of = &mut self.items[item];
        match deed {
            0..4 if self.under_way.is_empty() || rule == Rule::AllAtOnce => {
                let from = of.available;
                self.under_way.push((item, from, self.decide(item, rule)));
            }
            4..8 if !self.under_way.is_empty() => {
                let (item, from, to) = self.under_way.remove(item % self.under_way.len());
                if self.items[item].available == from {
                    self.items[item].available = to;
                }
            }
            8..11 => {
                let units = units.min(of.available.max(0));
                (of.available, of.committed) = (of.available - units, of.committed + units);
            }
            // An order is taken from another location than it was assigned to.
            11 => {
                let other = item / OUTLETS * OUTLETS + (item + 1) % OUTLETS;
                let units = units.min(of.committed).min(self.items[other].available.max(0));
                for (at, units) in [(item, units), (other, -units)] {
                    let of = &mut self.items[at];
                    (of.available, of.committed) = (of.available + units, of.committed - units);
                }
            }
            12 => self.counted = self.sold(),
            13 => self.on_hand += units,
            // One leaves that the source had counted.
            14 if of.committed > 0 && self.counted >= holds(item) => {
                of.committed -= 1;
                self.on_hand -= holds(item);
                self.counted -= holds(item);
            }
            _ => {}
        }
    }

    fn sold(&self) -> i64 {
        (0..self.items.len()).map(|item| holds(item) * self.items[item].committed).sum()
    }

    fn is_oversold(&self) -> bool {
        let on_sale: i64 =
            (0..self.items.len()).map(|item| holds(item) * self.items[item].available.max(0)).sum();
        on_sale + self.sold() > self.on_hand
    }
}

fn takes() -> impl Strategy<Value = Vec<Takes>> {
    prop_oneof![
        (1u8..60, 1u8..39).prop_map(|(one, other)| {
            vec![Takes::Percent(100 - one - other), Takes::Percent(one), Takes::Percent(other)]
        }),
        (1i64..9, 1i64..9).prop_map(|(one, other)| vec![Takes::Units(one), Takes::Rest, Takes::Units(other)]),
    ]
}

fn world() -> impl Strategy<Value = World> {
    (0i64..40, takes(), 0u8..=100).prop_map(|(on_hand, takes, share)| World {
        on_hand,
        counted: 0,
        items: [Shown::default(); 2 * OUTLETS],
        under_way: Vec::new(),
        takes,
        share,
    })
}

fn deeds() -> impl Strategy<Value = Vec<(u8, usize, i64)>> {
    proptest::collection::vec((0u8..15, 0usize..2 * OUTLETS, 1i64..9), 1..80)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn no_unit_is_on_sale_at_two_outlets(mut world in world(), deeds in deeds()) {
        for deed in deeds {
            world.does(deed, Rule::AsItIs);
            prop_assert!(!world.is_oversold(), "{deed:?}: {world:?}");
        }
    }

    /// Set again and again while nobody buys, each comes to show its part, and all parts together are what is free.
    #[test]
    fn each_comes_to_its_part(mut world in world(), deeds in deeds()) {
        for deed in deeds {
            world.does(deed, Rule::AsItIs);
        }
        world.under_way.clear();
        for _ in 0..4 {
            for item in 0..world.items.len() {
                world.does((0, item, 0), Rule::AsItIs);
                world.does((4, 0, 0), Rule::AsItIs);
            }
        }
        let free = world.on_hand - world.sold().max(world.counted);
        let mut parts = 0;
        for outlet in 0..OUTLETS {
            let part = Division::new(world.takes.clone(), outlet).part(free);
            let bundled = part.max(0) * i64::from(world.share) / 100;
            prop_assert_eq!(world.items[outlet].available, part - bundled);
            prop_assert_eq!(world.items[OUTLETS + outlet].available, bundled / HOLDS);
            parts += part;
        }
        prop_assert_eq!(parts, free);
    }
}

#[test]
fn a_rule_that_forgets_the_others_is_caught() {
    use proptest::strategy::ValueTree as _;
    use proptest::test_runner::TestRunner;
    for rule in [Rule::IgnoresWhatIsShown, Rule::IgnoresWhatIsSold, Rule::AllAtOnce] {
        let mut runner = TestRunner::deterministic();
        let caught = (0..2_000).any(|_| {
            let (mut world, deeds) = (world(), deeds()).new_tree(&mut runner).unwrap().current();
            deeds.into_iter().any(|deed| {
                world.does(deed, rule);
                world.is_oversold()
            })
        });
        assert!(caught, "{rule:?}");
    }
}
