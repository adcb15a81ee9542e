//! What is sold as a bundle of others: items beside the pairs of the warehouse, which knows of pairs alone. Owns what is made of
//! what, and the state of an item that shares its units, read from the hub's own log as the binary does it.

use super::facts::{LEVEL, stock_domain};
use super::{LOCATION, item_at, sku};
use crate::flows::flow;
use crate::hub::ready;
use crate::world::World;
use connector::port::Read;
use domains::inventory::bundles::{Bundles, Piece};
use domains::inventory::composed::{self, TOPIC};
use domains::inventory::{self, Rules};
use engine::facts::Touched;
use kernel::subject::Subject;
use std::sync::Arc;
use store::Store as _;
use store::delivery::{DeliveryState, Wait};

/// What all is sold: pairs by themselves, and bundles of the first two.
#[derive(Debug, Clone, Default)]
pub(crate) struct Items {
    pub(crate) pairs: usize,
    bundles: usize,
    pub(crate) rules: Rules,
}

impl Items {
    /// # Panics
    /// Never: the rows are written here.
    pub(crate) fn new(pairs: usize, bundles: usize) -> Self {
        let items = Self { pairs, bundles, rules: Rules::default() };
        let mut text = "bundle,component,quantity\n".to_owned();
        for bundle in pairs..items.len() {
            for pair in items.pairs_of(bundle) {
                text += &format!("{},{},{}\n", sku(bundle), sku(pair), items.holds(bundle, pair));
            }
        }
        let bundles = Bundles::parse(text.as_bytes(), &items.rules);
        let rules = bundles.map(|bundles| items.rules.clone().with_bundles(Arc::new(bundles), &[]));
        match rules {
            Ok(Ok(rules)) => Self { rules, ..items },
            other => unreachable!("rows written here: {other:?}"),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.pairs + self.bundles
    }

    /// Units of a pair in one of an item.
    pub(crate) fn holds(&self, item: usize, pair: usize) -> i64 {
        match item.checked_sub(self.pairs) {
            None => i64::from(item == pair),
            // One of the first and two of the second; and a pair of the first.
            Some(0) => [1, 2].get(pair).copied().unwrap_or(0),
            Some(_) => [2].get(pair).copied().unwrap_or(0),
        }
    }

    /// The pairs that an item is made of.
    pub(crate) fn pairs_of(&self, item: usize) -> Vec<usize> {
        (0..self.pairs).filter(|pair| self.holds(item, *pair) > 0).collect()
    }

    /// The items that hold a pair, itself among them.
    pub(crate) fn holders(&self, pair: usize) -> impl Iterator<Item = usize> {
        (0..self.len()).filter(move |item| self.holds(*item, pair) > 0)
    }

    /// Bundles that hold a pair.
    pub(crate) fn bundles_with(&self, pair: usize) -> i64 {
        i64::try_from(self.holders(pair).filter(|item| *item >= self.pairs).count()).unwrap_or(0)
    }

    pub(super) fn family(&self, sku: &str) -> Vec<String> {
        let members = self.rules.bundles().family(sku);
        let Some(first) = members.first() else { return Vec::new() };
        members.iter().map(|member| inventory::shared(first, member, LOCATION)).collect()
    }

    /// Of a level: itself and the bundles that hold it.
    pub(super) fn composes(&self, subject: &Subject) -> Option<Vec<String>> {
        let (sku, location) = inventory::alone(subject)?;
        let bundles = self.rules.bundles();
        let first = bundles.family(&sku).first()?;
        let held_by = bundles.held_by(&sku).iter().map(|piece| piece.sku.as_str());
        let own = std::iter::once(sku.as_str());
        Some(own.chain(held_by).map(|member| inventory::shared(first, member, &location)).collect())
    }

    pub(super) fn kin(&self, subject: &Subject) -> Option<Vec<String>> {
        let (sku, _) = inventory::parts(subject).filter(|_| inventory::alone(subject).is_none())?;
        let mut family = self.family(&sku);
        family.retain(|path| *path != subject.path);
        (!family.is_empty()).then_some(family)
    }

    pub(super) fn touched_by(&self, sku: &str) -> Vec<Touched> {
        let first = self.rules.bundles().family(sku).first();
        let path = first.map(|first| inventory::shared(first, sku, LOCATION));
        let touched = |path| Touched { domain: stock_domain(), path, once: false, written: true };
        path.into_iter().map(touched).collect()
    }

    /// What an item is made of; a pair of itself.
    fn pieces(&self, sku: &str) -> Vec<Piece> {
        let own = || vec![Piece { sku: sku.to_owned(), quantity: 1 }];
        self.rules.bundles().made_of(sku).map_or_else(own, <[Piece]>::to_vec)
    }
}

impl World {
    /// What shares units, of the newest levels in the log; `None`: there is none, or it waits as it is.
    pub(super) fn composed(&self, subject: &Subject) -> Option<Read> {
        let items = &self.stock.as_ref()?.items;
        let name = sku(item_at(&subject.path)?);
        let pieces = items.pieces(&name);
        let at = |piece: &Piece| inventory::subject(subject.shop.clone(), &piece.sku, LOCATION);
        let subjects: Vec<Subject> = pieces.iter().map(at).collect();
        let known = ready(self.disk.status(&flow("stock"), &subjects));
        let newest = known.iter().filter_map(|known| Some(known.delivery.as_ref()?.position.0)).max()?;
        let own = ready(self.disk.status(&flow("stock"), std::slice::from_ref(subject)));
        let routed = own.first().and_then(|own| match own.routed.as_ref()? {
            kernel::version::EffectiveVersion::Sequence { sequence } => Some(*sequence),
            kernel::version::EffectiveVersion::Dated { .. } => None,
        });
        let newest = newest.max(routed.unwrap_or(newest));
        let waits = own.into_iter().filter_map(|own| own.delivery).any(|delivery| {
            let version = kernel::version::EffectiveVersion::Sequence { sequence: newest };
            let waits =
                matches!(&delivery.state, DeliveryState::Waiting { wait, .. } if *wait != Wait::Reading);
            waits && delivery.version == Some(version)
        });
        if waits {
            return None;
        }
        let level = |known: &store::query::SubjectStatus| {
            let id = known.delivery.as_ref()?.id;
            ready(self.disk.delivery_payload(id))
        };
        let levels: Vec<_> = known.iter().map(level).collect();
        let levels: Vec<(&Piece, Option<&[u8]>)> =
            pieces.iter().zip(levels.iter().map(Option::as_deref)).collect();
        let payload = composed::write(&name, LOCATION, &levels);
        let updated_at = composed::read(&payload).ok()?.changed_at();
        Some(Read { payload, topic: TOPIC.to_owned(), updated_at, sequence: Some(newest) })
    }
}

/// Each level that a state is made of, by its pair and the instant that it was told under.
pub(super) fn levels_of(topic: &str, payload: &[u8]) -> Vec<(usize, String)> {
    let pair = |sku: &str| sku.strip_prefix("SKU-").and_then(|pair| pair.parse().ok());
    if topic == LEVEL {
        let level = inventory::read(payload).ok();
        return level
            .and_then(|level| Some((pair(&level.sku)?, level.changed_at.to_string())))
            .into_iter()
            .collect();
    }
    let parts = composed::read(payload).map(|composed| composed.parts).unwrap_or_default();
    let told = |part: composed::Part| Some((pair(&part.piece.sku)?, part.level?.changed_at.to_string()));
    parts.into_iter().filter_map(told).collect()
}
