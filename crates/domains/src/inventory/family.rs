//! What is put on sale of a bundle and of its components, which are sold by themselves as well. To the shop each is an item of
//! its own: a sale of the one leaves the other as it was, until it is set anew. So the units that are free are not shown
//! twice, but divided: a share of each component for all bundles that hold it, in equal parts, and the rest for itself.
//!
//! The same holds of one SKU that is shown at several of the shop's locations (`outlets`), each of which has a part of what is free;
//! and of both together: bundles then have their share of each part.
//!
//! What makes that no unit is ever on sale twice: none takes what another one still shows. What was divided otherwise before is
//! given up first, and only then taken. That holds where all that share units are decided and set one at a time, which is why
//! they are one lane (`pair::shared`). A sale in between changes nothing: its units move from what is shown to what is sold.
//!
//! Pure; who reads what the shop shows, and sets, is the target's connector.

mod terms;

pub use terms::in_flight_term;

use super::compare::InFlight;
use super::division::Division;

/// What the shop has of a SKU at the location; of what it has not there, nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Shown {
    pub available: i64,
    /// Sold and not shipped.
    pub committed: i64,
}

/// A bundle that holds the component.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Holder {
    /// Units of the component in it, 1 or more.
    pub quantity: i64,
    pub shown: Shown,
}

/// A component, and what the shop has of all that is sold of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Component {
    /// What its source has to sell.
    pub available: i64,
    /// Of its units that this shop sold, alone or in bundles, and that are not shipped: how many the source has taken account
    /// of.
    pub counted: Option<i64>,
    /// In percent: of what is free, what bundles may have.
    pub share: u8,
    /// Sold by itself.
    pub alone: Shown,
    /// Every bundle that holds it.
    pub holders: Vec<Holder>,
    /// What falls to this location, where its units are divided over several; `None`: all.
    pub division: Option<Division>,
    /// Of its units, what is shown and sold at all the others of these, alone and in bundles.
    pub elsewhere: Shown,
}

impl Component {
    /// Units that were sold, alone and in bundles, at whatever location, and are not shipped.
    #[must_use]
    pub fn committed(&self) -> i64 {
        let others = self.alone.committed.max(0).saturating_add(self.elsewhere.committed.max(0));
        self.holders.iter().fold(others, |sum, holder| {
            sum.saturating_add(holder.quantity.saturating_mul(holder.shown.committed.max(0)))
        })
    }

    /// What may be put on sale in all. May be negative.
    #[must_use]
    pub fn free(&self, in_flight: InFlight) -> i64 {
        self.available.saturating_sub(in_flight.held_back(self.committed(), self.counted))
    }

    /// Of what is free, what falls to this location.
    fn part(&self, free: i64) -> i64 {
        self.division.as_ref().map_or(free, |division| division.part(free))
    }

    /// Of what falls to this location, in units of the component, what all bundles together may show.
    fn bundled(&self, part: i64) -> i64 {
        i64::try_from(i128::from(part.max(0)) * i128::from(self.share.min(100)) / 100).unwrap_or(0)
    }

    /// What the component itself is to show. Below zero where even that is missing which was sold.
    #[must_use]
    pub fn to_show(&self, in_flight: InFlight) -> i64 {
        let free = self.free(in_flight);
        let part = self.part(free);
        if free <= 0 {
            return part;
        }
        (part - self.bundled(part)).min(free.saturating_sub(self.shown_by_others(None))).max(0)
    }

    /// How many of one of its holders this component allows to show.
    #[must_use]
    pub fn allows(&self, holder: usize, in_flight: InFlight) -> i64 {
        let Some(own) = self.holders.get(holder) else { return 0 };
        let free = self.free(in_flight);
        let count = i64::try_from(self.holders.len()).unwrap_or(i64::MAX);
        let part = self.bundled(self.part(free)) / count;
        let others = self.shown_by_others(Some(holder));
        (part.min(free.saturating_sub(others)) / own.quantity.max(1)).max(0)
    }

    /// Of its units, what is shown by all but one of its holders, or (`None`) all but itself.
    fn shown_by_others(&self, own: Option<usize>) -> i64 {
        let alone = own.map_or(0, |_| self.alone.available.max(0));
        let elsewhere = alone.saturating_add(self.elsewhere.available.max(0));
        let others = self.holders.iter().enumerate().filter(|(index, _)| Some(*index) != own);
        others.fold(elsewhere, |sum, (_, other)| {
            sum.saturating_add(other.quantity.saturating_mul(other.shown.available.max(0)))
        })
    }
}

/// What a bundle is to show: each component with the bundle's place among its holders. Nothing where there is no component.
#[must_use]
pub fn bundle_to_show(parts: &[(Component, usize)], in_flight: InFlight) -> i64 {
    parts.iter().map(|(part, holder)| part.allows(*holder, in_flight)).min().unwrap_or(0)
}

#[cfg(test)]
mod divided;
#[cfg(test)]
mod tests;
