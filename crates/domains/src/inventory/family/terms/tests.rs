//! The terms add up to what is decided, whatever is shown and sold.

use super::super::{Component, Holder, Shown};
use super::*;
use crate::inventory::division::{Division, Takes};
use proptest::prelude::*;

fn shown() -> impl Strategy<Value = Shown> {
    (-5i64..40, -2i64..40).prop_map(|(available, committed)| Shown { available, committed })
}

fn component() -> impl Strategy<Value = Component> {
    let holders = proptest::collection::vec((1i64..5, shown()), 0..4);
    let division = prop_oneof![
        Just(None),
        (0usize..2).prop_map(|own| Some(Division::new(vec![Takes::Percent(70), Takes::Percent(30)], own))),
    ];
    let counted = prop_oneof![Just(None), (0i64..30).prop_map(Some)];
    let shape = (-20i64..200, counted, 0u8..=100, shown(), holders, division, shown());
    shape.prop_map(|(available, counted, share, alone, holders, division, elsewhere)| Component {
        available,
        counted,
        share,
        alone,
        holders: holders.into_iter().map(|(quantity, shown)| Holder { quantity, shown }).collect(),
        elsewhere: if division.is_some() { elsewhere } else { Shown::default() },
        division,
    })
}

fn in_flight() -> impl Strategy<Value = InFlight> {
    prop_oneof![Just(InFlight::Counted), Just(InFlight::All), Just(InFlight::None)]
}

proptest! {
    #[test]
    fn the_terms_add_up_to_what_is_shown(component in component(), in_flight in in_flight()) {
        let adds: Decimal = component.terms(in_flight).iter().filter_map(|term| term.adds).sum();
        let show = Decimal::from(component.to_show(in_flight));
        prop_assert_eq!(Decimal::from(component.available) + adds, show, "{:?}", component.terms(in_flight));
        for holder in 0..component.holders.len() {
            let term = component.term_of("CHAIR", holder, in_flight);
            prop_assert_eq!(term.adds, Some(Decimal::from(component.allows(holder, in_flight))));
        }
    }
}

#[test]
fn a_component_of_two_outlets_says_each_term() {
    let component = Component {
        available: 100,
        counted: Some(2),
        share: 50,
        alone: Shown { available: 10, committed: 3 },
        holders: vec![Holder { quantity: 4, shown: Shown { available: 9, committed: 1 } }],
        division: Some(Division::new(vec![Takes::Percent(70), Takes::Percent(30)], 0)),
        elsewhere: Shown { available: 30, committed: 5 },
    };
    let terms = component.terms(InFlight::Counted);
    let told: Vec<(i64, &str)> =
        terms.iter().map(|term| (term.adds.unwrap().try_into().unwrap(), term.text.as_str())).collect();
    let sold = " by itself and in bundles, at all outlets";
    assert_eq!(
        told,
        [
            (
                -10,
                format!("in flight: 12 committed in Shopify{sold}, of which the source has counted 2")
                    .as_str()
            ),
            (-27, "at the other outlets: 63 of 90 fall to this one"),
            (-31, "for bundles: 50 % of 63"),
            (-8, "until the others give it up: 66 of 90 free units are shown by them"),
        ]
    );
    assert_eq!(component.to_show(InFlight::Counted), 24);
    let term = component.term_of("CHAIR", 0, InFlight::Counted);
    assert_eq!(
        term.text,
        format!(
            "by CHAIR: 100 available, 10 in flight (of 12 committed in Shopify{sold}), 90 free, 63 of them here; 31 of them for \
             this bundle, and 40 shown by the others; 4 in each"
        )
    );
    assert_eq!(term.adds, Some(7.into()));
    let all = in_flight_term(InFlight::All, 4, None, "").to_string();
    assert_eq!(all, "          -4  in flight: all that is committed in Shopify, by the mapping");
}
