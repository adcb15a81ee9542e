//! Which subjects are composed of a level, and which together: a pair whose units are sold in bundles as well, or lie at several
//! locations of the source that are one to the shop. Owns which pair stands for which; what is made of them is `composed`'s, and
//! when it is made the engine's.
//!
//! All functions are of the rules of one flow.

use super::bundles::Piece;
use super::pair::{alone, parts, path, shared};
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

/// Where what lies at a location of the source is shown: at its pool, or by itself.
#[must_use]
pub fn shown_at<'a>(rules: &'a Rules, location: &'a str) -> &'a str {
    rules.pools().of(location).unwrap_or(location)
}

/// What a SKU is made of at a location where it is shown; where it is in no bundle and no pool, of itself there.
#[must_use]
pub fn made_of(rules: &Rules, sku: &str, location: &str) -> Vec<Component> {
    let own = || vec![Piece { sku: sku.to_owned(), quantity: 1 }];
    let pieces = rules.bundles().made_of(sku).map_or_else(own, <[Piece]>::to_vec);
    let locations = rules.pools().sources(location);
    let locations = locations.map_or_else(|| vec![location.to_owned()], <[String]>::to_vec);
    pieces.into_iter().map(|piece| Component { piece, locations: locations.clone() }).collect()
}

/// The paths of all that share units with a SKU at a location, itself among them; empty where it stands for itself.
#[must_use]
pub fn family(rules: &Rules, sku: &str, location: &str) -> Vec<String> {
    let at = shown_at(rules, location);
    let members = rules.bundles().family(sku);
    match members.first() {
        Some(first) => members.iter().map(|member| shared(first, member, at)).collect(),
        None if rules.pools().sources(at).is_some() => vec![shared(sku, sku, at)],
        None => Vec::new(),
    }
}

/// What a level is only a part of: the SKU where it is shown, and the bundles that hold it. `None`: it stands for itself.
#[must_use]
pub fn composes(rules: &Rules, subject: &Subject) -> Option<Vec<String>> {
    let (sku, location) = alone(subject)?;
    let at = shown_at(rules, &location);
    let first = match rules.bundles().family(&sku).first() {
        Some(first) => first,
        None => rules.pools().sources(at).map(|_| &sku)?,
    };
    let held_by = rules.bundles().held_by(&sku).iter().map(|piece| piece.sku.as_str());
    let own = std::iter::once(sku.as_str());
    Some(own.chain(held_by).map(|member| shared(first, member, at)).collect())
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

/// A level that was routed before it was in a bundle or a pool; what was composed by others than these rules: what is to be asked
/// for in its place. `None`: it stands.
#[must_use]
pub fn displaced(rules: &Rules, is_composed: bool, subject: &Subject) -> Option<Vec<String>> {
    let (sku, location) = parts(subject)?;
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
    let first = rules.bundles().family(sku).first()?;
    Some(shared(first, sku, shown_at(rules, location)))
}

#[cfg(test)]
mod tests;
