//! Which of Tryton's locations are meant by ours. Owns the table of the connection, resolved, with all that lies below each
//! place: a move that stays below it changes nothing of what is there.

use super::ask::Ask;
use super::code;
use super::wire;
use kernel::fault::{Fault, FaultKind};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The places of a connection, and which of them each of Tryton's locations belongs to.
#[derive(Debug, Default)]
pub(super) struct Places {
    pub(super) all: Vec<Place>,
    /// By location, all below them included: their places in `all`.
    within: BTreeMap<i64, Vec<usize>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// As levels and mappings call it.
    pub(super) name: String,
    pub(super) id: i64,
}

impl Places {
    /// Where a location belongs to.
    pub(super) fn of(&self, location: Option<i64>) -> &[usize] {
        location.and_then(|location| self.within.get(&location)).map_or(&[], Vec::as_slice)
    }

    pub(super) fn ids(&self) -> Vec<i64> {
        self.all.iter().map(|place| place.id).collect()
    }

    pub(super) fn named(&self, name: &str) -> Option<usize> {
        self.all.iter().position(|place| place.name == name)
    }

    /// As a domain: from below a place, or to below it.
    pub(super) fn below(&self, field: &str) -> Value {
        json!([field, "child_of", self.ids(), "parent"])
    }

    /// Places by name and id, and of each location the one above.
    #[cfg(test)]
    pub(super) fn of_tree(all: &[(&str, i64)], parents: &[(i64, Option<i64>)]) -> Self {
        let place = |(name, id): &(&str, i64)| Place { name: (*name).to_owned(), id: *id };
        Self::build(all.iter().map(place).collect(), &parents.iter().copied().collect())
    }

    fn build(all: Vec<Place>, parents: &BTreeMap<i64, Option<i64>>) -> Self {
        let mut within: BTreeMap<i64, Vec<usize>> = BTreeMap::new();
        for location in parents.keys() {
            let mut at = Some(*location);
            // No tree is deeper; one that runs in a circle Tryton itself refuses.
            for _ in 0..parents.len() {
                let Some(id) = at else { break };
                if let Some(place) = all.iter().position(|place| place.id == id) {
                    within.entry(*location).or_default().push(place);
                }
                at = parents.get(&id).copied().flatten();
            }
        }
        for places in within.values_mut() {
            places.sort_unstable();
        }
        Self { all, within }
    }
}

impl Ask<'_> {
    pub(super) async fn places(&self) -> Result<Places, Fault> {
        let wanted = &self.config.locations;
        let codes: Vec<&str> = wanted.values().map(String::as_str).collect();
        let known = self.records("stock.location", json!([["code", "in", codes]]), &["code"]).await?;
        let mut all = Vec::new();
        for (name, wanted) in wanted {
            let of_code: Vec<i64> = known
                .iter()
                .filter(|record| wire::text(record, "code").as_deref() == Some(wanted))
                .filter_map(wire::id)
                .collect();
            let [id] = of_code.as_slice() else {
                let what = format!(
                    "Tryton has {} locations with the code {wanted:?}, which locations of the system's connection names for \
                     {name}: write the code of exactly one",
                    if of_code.is_empty() { "no".to_owned() } else { of_code.len().to_string() }
                );
                return Err(Fault::new(FaultKind::Rejected, code::LOCATION, what));
            };
            all.push(Place { name: name.clone(), id: *id });
        }
        let ids: Vec<i64> = all.iter().map(|place| place.id).collect();
        let below = json!([["parent", "child_of", ids, "parent"]]);
        let mut parents = BTreeMap::new();
        self.pages("stock.location", below, &["parent"], |record| {
            if let Some(id) = wire::id(record) {
                parents.insert(id, record.get("parent").and_then(Value::as_i64));
            }
        })
        .await?;
        Ok(Places::build(all, &parents))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_below_a_place_belongs_to_it_and_to_the_places_above() {
        let parents = [(5, None), (3, Some(5)), (2, Some(5)), (31, Some(3)), (9, None)];
        let places = Places::of_tree(&[("house", 5), ("shelf", 3)], &parents);
        assert_eq!(places.of(Some(31)), [0, 1]);
        assert_eq!(places.of(Some(2)), [0]);
        assert_eq!(places.of(Some(9)), [] as [usize; 0]);
        assert_eq!(places.of(None), [] as [usize; 0]);
        assert_eq!(places.named("shelf"), Some(1));
    }
}
