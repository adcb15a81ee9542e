//! A parcel as Shopify has it: one fulfilment, or one for each location that its units are assigned to, as our note divides it.
//! Owns the form in which an observation carries it from a look to a plan, and what it is called.

use super::note::Share;
use super::seen::Made;
use super::want::is_place;
use connector::port::{ExternalRef, ObjectState};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// In the order in which they are made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Parcel {
    pub(super) pieces: Vec<Piece>,
}

/// What is one fulfilment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Piece {
    /// `None`: it is all of the parcel.
    pub(super) share: Option<Share>,
    /// `None`: not made yet.
    pub(super) made: Option<Made>,
}

impl Piece {
    fn is_at(&self, made: &Made) -> bool {
        let is_there =
            |share: &Share| made.place.as_ref().is_some_and(|(id, name)| is_place(&share.at, id, name));
        self.share.as_ref().is_some_and(is_there)
    }
}

/// What a fulfilment is to a parcel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Taken {
    /// Of those that were looked for.
    AsPiece,
    /// Another one is it already.
    Twice,
    Not,
}

impl Parcel {
    /// One fulfilment.
    pub(super) fn whole(made: Made) -> Self {
        Self { pieces: vec![Piece { share: None, made: Some(made) }] }
    }

    /// Divided, and nothing of it made.
    pub(super) fn divided(parts: &[Share]) -> Self {
        let piece = |share: &Share| Piece { share: Some(share.clone()), made: None };
        Self { pieces: parts.iter().map(piece).collect() }
    }

    pub(super) fn is_divided(&self) -> bool {
        self.pieces.iter().any(|piece| piece.share.is_some())
    }

    pub(super) fn shares(&self) -> impl Iterator<Item = &Share> {
        self.pieces.iter().filter_map(|piece| piece.share.as_ref())
    }

    /// Takes a fulfilment for the first piece that it fits and that is not made: of its own location before others.
    pub(super) fn takes(&mut self, made: &Made, fits: impl Fn(&Share) -> bool) -> Taken {
        let fits = |piece: &&mut Piece| piece.share.as_ref().is_some_and(&fits);
        let mut fitting: Vec<&mut Piece> = self.pieces.iter_mut().filter(fits).collect();
        fitting.sort_by_key(|piece| !piece.is_at(made));
        let is_known = !fitting.is_empty();
        match fitting.iter_mut().find(|piece| piece.made.is_none()) {
            Some(piece) => piece.made = Some(made.clone()),
            None if is_known => return Taken::Twice,
            None => return Taken::Not,
        }
        Taken::AsPiece
    }

    /// What is made, with its place among the pieces.
    pub(super) fn made(&self) -> impl Iterator<Item = (usize, &Made)> {
        self.pieces.iter().enumerate().filter_map(|(index, piece)| Some((index, piece.made.as_ref()?)))
    }

    pub(super) fn has(&self, id: &str) -> bool {
        self.made().any(|(_, made)| made.id == id)
    }

    /// How it is divided, as far as it is made.
    pub(super) fn made_shares(&self) -> Vec<Share> {
        let made = self.pieces.iter().filter(|piece| piece.made.is_some());
        made.filter_map(|piece| piece.share.clone()).collect()
    }

    /// How the rest was to be divided.
    pub(super) fn open_shares(&self) -> Vec<&Share> {
        let open = self.pieces.iter().filter(|piece| piece.made.is_none());
        open.filter_map(|piece| piece.share.as_ref()).collect()
    }

    /// What is wanted of it beyond what is made. Of one that is not divided, nothing: what it holds is what left.
    pub(super) fn missing(&self, wanted: &[(String, u32)]) -> Vec<(String, u32)> {
        if !self.is_divided() {
            return Vec::new();
        }
        let mut made: BTreeMap<&str, u32> = BTreeMap::new();
        for piece in self.pieces.iter().filter(|piece| piece.made.is_some()) {
            for (sku, units) in piece.share.iter().flat_map(|share| &share.lines) {
                let all = made.entry(sku).or_default();
                *all = all.saturating_add(*units);
            }
        }
        let left = |(sku, units): &(String, u32)| {
            let made = made.get(sku.as_str()).copied().unwrap_or_default();
            (sku.clone(), units.saturating_sub(made))
        };
        wanted.iter().map(left).filter(|(_, units)| *units > 0).collect()
    }

    /// The first that was made is what it is known by; people see the names of all.
    pub(super) fn external(&self) -> ExternalRef {
        let names: Vec<&str> = self.made().map(|(_, made)| made.name.as_str()).collect();
        let stands = self.made().find(|(_, made)| !made.is_cancelled()).or_else(|| self.made().next());
        ExternalRef {
            id: self.made().next().map(|(_, made)| made.id.clone()).unwrap_or_default(),
            number: Some(names.join(" + ")).filter(|names| !names.is_empty()),
            state: stands.map(|(_, made)| made.status.to_ascii_lowercase()),
        }
    }

    pub(super) fn state(&self, adopted: bool) -> ObjectState {
        // Plain data always serialises.
        let body = serde_json::to_value(self).unwrap_or_default();
        ObjectState { external: self.external(), body, adopted }
    }

    pub(super) fn read(state: &ObjectState) -> Option<Self> {
        serde_json::from_value(state.body.clone()).ok()
    }

    /// For whoever reads the outcome, where it is more than one fulfilment.
    pub(super) fn told(&self) -> Option<String> {
        let place = |made: &Made| made.place.as_ref().map(|(_, name)| format!(" ({name})"));
        let each = |(_, made): (usize, &Made)| format!("{}{}", made.name, place(made).unwrap_or_default());
        let all: Vec<String> = self.made().map(each).collect();
        let what = "one parcel of units that Shopify has at several locations, a fulfilment at each";
        (all.len() > 1).then(|| format!("{what}: {}", all.join(", ")))
    }
}
