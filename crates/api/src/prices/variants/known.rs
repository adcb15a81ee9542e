//! Many variants and their SKUs in memory: twelve bytes each, and the SKU's text. Never changes; a change makes another.

use std::collections::BTreeMap;

/// In the order of the variants' numbers.
#[derive(Debug, Clone, Default)]
pub(super) struct Known {
    ids: Vec<u64>,
    /// Where the SKU of each ends in `text`.
    ends: Vec<u32>,
    text: String,
}

impl Known {
    /// Of a variant that comes twice, the last one counts.
    pub(super) fn of(mut all: Vec<(u64, Box<str>)>) -> Self {
        all.sort_by_key(|(id, _)| *id);
        let mut known = Self::default();
        for (place, (id, sku)) in all.iter().enumerate() {
            if all.get(place + 1).is_none_or(|(next, _)| next != id) {
                known.push(*id, sku);
            }
        }
        known.fit();
        known
    }

    /// What does not fit is not known: four gigabytes of SKUs.
    fn push(&mut self, id: u64, sku: &str) {
        let Ok(end) = u32::try_from(self.text.len() + sku.len()) else { return };
        self.ids.push(id);
        self.ends.push(end);
        self.text.push_str(sku);
    }

    fn fit(&mut self) {
        self.ids.shrink_to_fit();
        self.ends.shrink_to_fit();
        self.text.shrink_to_fit();
    }

    pub(super) fn sku(&self, id: u64) -> Option<&str> {
        let place = self.ids.binary_search(&id).ok()?;
        self.at(place)
    }

    fn at(&self, place: usize) -> Option<&str> {
        let start = place.checked_sub(1).map_or(0, |before| self.ends[before]);
        self.text.get(start as usize..*self.ends.get(place)? as usize)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (u64, &str)> {
        self.ids.iter().enumerate().filter_map(|(place, id)| Some((*id, self.at(place)?)))
    }

    /// The same with these; none: it is gone.
    pub(super) fn with(self, changes: &BTreeMap<u64, Option<Box<str>>>) -> Self {
        if changes.is_empty() {
            return self;
        }
        let mut changed = changes.iter().peekable();
        let mut next = Self::default();
        let mut put = |id: u64, sku: Option<&str>| {
            if let Some(sku) = sku {
                next.push(id, sku);
            }
        };
        for (id, sku) in self.iter() {
            while let Some((new, sku)) = changed.next_if(|(new, _)| **new < id) {
                put(*new, sku.as_deref());
            }
            match changed.next_if(|(new, _)| **new == id) {
                Some((_, sku)) => put(id, sku.as_deref()),
                None => put(id, Some(sku)),
            }
        }
        for (new, sku) in changed {
            put(*new, sku.as_deref());
        }
        next.fit();
        next
    }

    pub(super) fn len(&self) -> usize {
        self.ids.len()
    }

    #[cfg(test)]
    pub(super) fn bytes(&self) -> usize {
        self.ids.capacity() * 8 + self.ends.capacity() * 4 + self.text.capacity()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variant_costs_twelve_bytes_and_its_sku() {
        let all: Vec<(u64, Box<str>)> =
            (0..100_000_u64).map(|id| (id * 7919 % 1_000_003, format!("SKU-{id:06}").into())).collect();
        let known = Known::of(all.clone());
        assert_eq!((known.len(), known.bytes()), (100_000, 100_000 * (12 + 10)));
        assert!(all.iter().all(|(id, sku)| known.sku(*id) == Some(sku)));
        assert_eq!(known.sku(1_000_003), None);
    }

    #[test]
    fn changes_are_laid_upon_it_in_the_order_of_the_numbers() {
        let of = |all: &[(u64, &str)]| Known::of(all.iter().map(|(id, sku)| (*id, (*sku).into())).collect());
        let known = of(&[(3, "C"), (5, ""), (7, "G"), (7, "G2")]);
        let changes = [(1, Some("A")), (5, Some("E")), (7, None), (9, Some(""))];
        let next = known.clone().with(&changes.map(|(id, sku)| (id, sku.map(Into::into))).into());
        assert_eq!(next.iter().collect::<Vec<_>>(), [(1, "A"), (3, "C"), (5, "E"), (9, "")]);
        assert_eq!(known.iter().collect::<Vec<_>>(), [(3, "C"), (5, ""), (7, "G2")]);
    }
}
