//! Makes a case small that shows something: takes away whatever can be taken away while it still shows it.

use crate::model::Case;
use crate::number::Number;

/// Takes one thing out of a case; false where there is no such thing.
type Cut = fn(&mut Case, usize) -> bool;

const CUTS: [Cut; 12] = [
    |case, at| taken(&mut case.promotions, at),
    |case, at| taken(&mut case.surcharges, at),
    |case, at| taken(&mut case.lists, at),
    |case, at| taken(&mut case.units, at),
    |case, at| taken(&mut case.quantity_rules, at),
    |case, at| taken(&mut case.locations, at),
    |case, at| nth(case, at, |price| taken(&mut price.windows, 0)),
    |case, at| nth(case, at, |price| taken(&mut price.windows, 1)),
    |case, at| nth(case, at, |price| price.windows.iter_mut().any(|window| window.tiers.pop().is_some())),
    |case, at| case.lists.get_mut(at).is_some_and(|list| list.prices.pop().is_some()),
    |case, at| case.lists.get_mut(at).is_some_and(|list| list.base.take().is_some()),
    |case, at| at == 0 && std::mem::replace(&mut case.ask.quantity, Number::ONE) != Number::ONE,
];

fn taken<T>(of: &mut Vec<T>, at: usize) -> bool {
    let is_there = at < of.len();
    if is_there {
        of.remove(at);
    }
    is_there
}

/// The prices of all lists, one after the other.
fn nth(case: &mut Case, at: usize, cut: impl Fn(&mut crate::model::Price) -> bool) -> bool {
    case.lists.iter_mut().flat_map(|list| &mut list.prices).nth(at).is_some_and(cut)
}

pub(crate) fn smaller(mut case: Case, shows: impl Fn(&Case) -> bool) -> Case {
    loop {
        let candidates = CUTS.iter().flat_map(|cut| (0..12).map(move |at| (cut, at)));
        let cut = candidates.into_iter().find_map(|(cut, at)| {
            let mut less = case.clone();
            (cut(&mut less, at) && shows(&less)).then_some(less)
        });
        match cut {
            Some(less) => case = less,
            None => return case,
        }
    }
}
