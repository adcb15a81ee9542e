//! Which subjects are composed of a level, and which together: a pair whose units are sold in bundles as well, lie at several
//! locations of the source that are one to the shop, or are divided over several of the shop's. Owns which pair stands for which;
//! what is made of them is `composed`'s, and when it is made the engine's.
//!
//! All functions are of the rules of one flow.

use super::bundles::Piece;
use super::pair::{alone, divided, lies_at, parts, path, shared};
use super::rules::Rules;
use kernel::subject::Subject;

/// What something is made of: a component, and the locations of the source where it lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Component {
    pub piece: Piece,
    pub locations: Vec<String>,
}

impl Component {
    /// The pairs whose levels it is: SKU and location.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.locations.iter().map(|location| (self.piece.sku.as_str(), location.as_str()))
    }
}

/// What is sold of as one: a pool, or a location of the source by itself. `location`: one of the source's, a pool, or an outlet.
#[must_use]
pub fn place<'a>(rules: &'a Rules, location: &'a str) -> &'a str {
    rules.outlets().place_of(location).or_else(|| rules.pools().of(location)).unwrap_or(location)
}

/// Where what lies at a place is shown: at its outlets, or by its own name.
#[must_use]
pub fn shown_at<'a>(rules: &'a Rules, place: &'a str) -> Vec<&'a str> {
    match rules.outlets().of(place) {
        Some(outlets) => outlets.iter().map(|outlet| outlet.location.as_str()).collect(),
        None => vec![place],
    }
}

/// Whether what lies at a place is composed even of a SKU that is in no bundle.
fn is_of_several(rules: &Rules, place: &str) -> bool {
    rules.pools().sources(place).is_some() || rules.outlets().of(place).is_some()
}

/// The paths of SKUs at a place that share their units, at each of its outlets. `first` stands for all of them.
fn paths<'a>(rules: &Rules, first: &str, place: &str, skus: impl Iterator<Item = &'a str>) -> Vec<String> {
    let is_divided = rules.outlets().of(place).is_some();
    let shown = shown_at(rules, place);
    let at = |sku: &str, at: &str| {
        if is_divided { divided(first, sku, place, at) } else { shared(first, sku, place) }
    };
    skus.flat_map(|sku| shown.iter().map(move |outlet| at(sku, outlet))).collect()
}

/// What a SKU is made of at a location where it is shown; where it is in no bundle and no pool, of itself there.
#[must_use]
pub fn made_of(rules: &Rules, sku: &str, location: &str) -> Vec<Component> {
    let own = || vec![Piece { sku: sku.to_owned(), quantity: 1 }];
    let pieces = rules.bundles().made_of(sku).map_or_else(own, <[Piece]>::to_vec);
    let place = rules.outlets().place_of(location).unwrap_or(location);
    let locations = rules.pools().sources(place);
    let locations = locations.map_or_else(|| vec![place.to_owned()], <[String]>::to_vec);
    pieces.into_iter().map(|piece| Component { piece, locations: locations.clone() }).collect()
}

/// The paths of all that share units with a SKU at a location, itself among them; empty where it stands for itself.
#[must_use]
pub fn family(rules: &Rules, sku: &str, location: &str) -> Vec<String> {
    let place = place(rules, location);
    let members = rules.bundles().family(sku);
    match members.first() {
        Some(first) => paths(rules, first, place, members.iter().map(String::as_str)),
        None if is_of_several(rules, place) => paths(rules, sku, place, std::iter::once(sku)),
        None => Vec::new(),
    }
}

/// What a level is only a part of: the SKU wherever it is shown, and the bundles that hold it. `None`: it stands for itself.
#[must_use]
pub fn composes(rules: &Rules, subject: &Subject) -> Option<Vec<String>> {
    let (sku, location) = alone(subject)?;
    let place = place(rules, &location);
    let first = match rules.bundles().family(&sku).first() {
        Some(first) => first,
        None if is_of_several(rules, place) => &sku,
        None => return None,
    };
    let held_by = rules.bundles().held_by(&sku).iter().map(|piece| piece.sku.as_str());
    Some(paths(rules, first, place, std::iter::once(sku.as_str()).chain(held_by)))
}

/// What is read anew when a hint names something composed: all others that share its units, because those are set one at a time,
/// each by what the others show; itself where it shares them with nobody.
#[must_use]
pub fn kin(rules: &Rules, subject: &Subject) -> Option<Vec<String>> {
    let (sku, location) = parts(subject).filter(|_| alone(subject).is_none())?;
    let mut family = family(rules, &sku, &location);
    if family.len() > 1 {
        family.retain(|path| *path != subject.path);
    }
    (!family.is_empty()).then_some(family)
}

/// A level that was routed before it was in a bundle, a pool or divided; what was composed by others than these rules: what is to be
/// asked for in its place. `None`: it stands.
#[must_use]
pub fn displaced(rules: &Rules, is_composed: bool, subject: &Subject) -> Option<Vec<String>> {
    let (sku, mut location) = parts(subject)?;
    // An outlet that is none any more says nothing of what lay behind it.
    if rules.outlets().place_of(&location).is_none() {
        location = lies_at(subject)?;
    }
    let family = family(rules, &sku, &location);
    let stands = match (is_composed, family.is_empty()) {
        (true, _) => family.contains(&subject.path),
        (false, is_alone) => is_alone && alone(subject).is_some(),
    };
    match family.as_slice() {
        _ if stands => None,
        // Each of these has the others composed anew, and so both all.
        [first, second, ..] => Some(vec![first.clone(), second.clone()]),
        [only] => Some(vec![only.clone()]),
        [] => Some(vec![path(&sku, &location)]),
    }
}

/// What is named to the others when something of it changed at the target; `None`: there are none.
#[must_use]
pub fn told_to_kin(rules: &Rules, sku: &str, location: &str) -> Option<String> {
    path_of(rules, sku, location).filter(|_| family(rules, sku, location).len() > 1)
}

/// The path of what shares its units, where it is shown; `None`: it is not composed, or is not shown there.
#[must_use]
pub fn path_of(rules: &Rules, sku: &str, location: &str) -> Option<String> {
    let place = place(rules, location);
    let first = rules.bundles().family(sku).first().map_or(sku, String::as_str);
    let at = shown_at(rules, place).iter().position(|shown| *shown == location || *shown == place)?;
    let is_composed = !rules.bundles().family(sku).is_empty() || is_of_several(rules, place);
    paths(rules, first, place, std::iter::once(sku)).into_iter().nth(at).filter(|_| is_composed)
}

#[cfg(test)]
mod tests;
