//! The full check in a run: all that the warehouse has is read, looked at once more in the shop a good while later, judged as the binary
//! judges it (`engine::work::differs`), and taken up again as facts behind live ones. And what people do in the shop by hand, for which it is
//! there: units that somebody took off sale.

use super::facts::{LEVEL, Levels};
use super::planner::Counter;
use super::{Stock, subject};
use crate::flows::flow;
use crate::hub::ready;
use crate::node::At;
use crate::planted::Bug;
use crate::source::shop_id;
use crate::world::{Todo, World};
use connector::port::{ExternalRef, Plan as Next, Stage, Wanted};
use domains::inventory::composed::TOPIC as COMPOSED;
use domains::inventory::sharing::{self, Component};
use domains::inventory::{self, composed};
use engine::engine::Planner;
use engine::facts::{Facts, Mapper};
use engine::work::differs::{Why, why, why_of};
use jiff::Timestamp;
use kernel::envelope::Via;
use kernel::flow::{AfterConfirm, Difference};
use kernel::key::ObjectKey;
use kernel::rng::Rng;
use kernel::subject::Subject;
use kernel::version::EffectiveVersion;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use store::log::NewEnvelope;
use store::port::Store;
use store::query::SubjectStatus;

/// So often one begins.
const EVERY: Duration = Duration::from_secs(400);
/// Where nobody could.
const AGAIN: Duration = Duration::from_secs(30);
/// Between the reading of the warehouse and the look at the shop, at most.
const SIDES_APART: u64 = 90_000;

/// What the warehouse said of a thing that is sold, when it was read.
#[derive(Debug)]
pub struct Meant {
    subject: Subject,
    topic: &'static str,
    payload: Vec<u8>,
    /// The level itself, where it is sold as it is.
    level: Option<super::shelf::Level>,
}

impl World {
    /// Somebody takes units off sale in the shop's admin.
    pub(crate) fn taken_off_sale(&mut self, item: usize, units: i64) {
        let Some(stock) = &mut self.stock else { return };
        let available = &mut stock.shop.available[item];
        *available = (*available - units).max((*available).min(0));
        let now = *available;
        self.say(|| format!("* by hand: item {item} shows {now}"));
    }

    /// One of the nodes begins a full check; the next is some minutes later.
    pub(crate) fn full_check_begins(&mut self) {
        let nodes = self.nodes.len();
        let first = usize::try_from(self.rng.below(nodes as u64)).unwrap_or(0);
        let can = |node: &usize| self.takes_webhooks(*node) && self.trouble(*node).is_none();
        let Some(node) = (first..first + nodes).map(|node| node % nodes).find(can) else {
            return self.after(AGAIN, Todo::FullCheck);
        };
        self.after(EVERY, Todo::FullCheck);
        let wall = self.shop_wall();
        let Some(Stock { shelf, .. }) = &mut self.stock else { return };
        let levels: Vec<super::shelf::Level> =
            (0..shelf.bins.len()).map(|bin| shelf.level(bin, wall)).collect();
        let levels: Vec<_> = levels.into_iter().map(|level| self.numbered(node, level)).collect();
        let Some(Stock { items, .. }) = &self.stock else { return };
        let mut told: BTreeMap<(String, String), Vec<u8>> = BTreeMap::new();
        let (mut all, mut paths) = (Vec::new(), BTreeSet::new());
        for level in levels {
            let pair = items.told_as(level.bin);
            let of = subject((&pair.0, &pair.1));
            let payload = level.body.to_string().into_bytes();
            match sharing::composes(&items.rules, &of) {
                Some(composes) => paths.extend(composes),
                None => all.push(Meant {
                    subject: of,
                    topic: LEVEL,
                    payload: payload.clone(),
                    level: Some(level),
                }),
            }
            told.insert(pair, payload);
        }
        for path in paths {
            let subject = Subject { shop: shop_id(), path };
            let Some((name, at)) = inventory::parts(&subject) else { continue };
            let made_of = sharing::made_of(&items.rules, &name, &at);
            let level = |sku: &str, at: &str| told.get(&(sku.to_owned(), at.to_owned())).map(Vec::as_slice);
            let payload = composed::write(&name, &at, &made_of, level);
            all.push(Meant { subject, topic: COMPOSED, payload, level: None });
        }
        self.say(|| format!("{node}* a full check has read the warehouse"));
        let wait = Duration::from_millis(self.rng.below(SIDES_APART));
        let at = self.at_node(node);
        self.after(wait, Todo::FullCheckLooks(at, all));
    }

    /// Its second look: what differs and was missed, or changed by hand, is taken up again.
    pub(crate) fn full_check_looks(&mut self, at: At, meant: Vec<Meant>) {
        let node = at.node;
        if self.nodes[node].store_cut || self.trouble(node).is_some() || self.bug == Some(Bug::CheckLeaves) {
            return;
        }
        let (mut again, mut made_of) = (Vec::new(), BTreeSet::new());
        for meant in meant {
            let known = ready(self.disk.status(&flow("stock"), std::slice::from_ref(&meant.subject))).pop();
            let Some(known) = known else { continue };
            if self.agrees(&meant, &known) {
                continue;
            }
            let why = self.why_differs(&meant, &known);
            self.say(|| format!("{node}* the full check: {} differs: {}", meant.subject, why.as_str()));
            if !matches!(why, Why::Missed | Why::ChangedInShop) {
                continue;
            }
            match meant.level {
                Some(level) => again.push(self.told_again(node, &level)),
                None => made_of.extend(pairs_of(&meant.payload)),
            }
        }
        // What things are made of is read anew, each once.
        let wall = self.shop_wall();
        for (sku, location) in made_of {
            let Some(Stock { shelf, items, .. }) = &mut self.stock else { return };
            let Some(bin) = items.bin_of(&sku, &location) else { continue };
            let level = shelf.level(bin, wall);
            let level = self.numbered(node, level);
            again.push(self.told_again(node, &level));
        }
        if !again.is_empty() {
            self.append_together(node, again);
        }
    }

    /// Whether the shop has by now what the warehouse said.
    fn agrees(&self, meant: &Meant, known: &SubjectStatus) -> bool {
        let Some(wanted) = self.meant_at_the_shop(meant, known) else { return false };
        let counter = Counter { bug: self.bug };
        matches!(counter.plan(&wanted, &self.shown(&wanted)), Next::Done(_))
    }

    fn meant_at_the_shop(&self, meant: &Meant, known: &SubjectStatus) -> Option<Wanted> {
        let levels = Levels::of(self)?;
        let object_key = ObjectKey::of(&meant.subject);
        let state = levels.read(meant.topic, &meant.payload).ok()?;
        let mapped = levels.map(&state.body, &meant.subject, &object_key, Timestamp::UNIX_EPOCH).ok()?;
        let known = known.external.as_ref();
        Some(Wanted {
            subject: meant.subject.clone(),
            object_key,
            body: mapped.body,
            stage: Stage::Present,
            after_confirm: AfterConfirm::default(),
            difference: Difference::Ticket,
            known: known.map(|known| ExternalRef { id: known.id.clone(), number: None, state: None }),
            also_known_as: Vec::new(),
        })
    }

    /// As the binary's second look has it; one that is overtaken has moved on.
    fn why_differs(&mut self, meant: &Meant, known: &SubjectStatus) -> Why {
        let delivered = known.delivery.as_ref();
        let Some(level) = &meant.level else {
            // Composed: whether the log has the levels that the warehouse has.
            return match (self.composed(&meant.subject), delivered) {
                (Some(read), Some(delivery)) if read.payload == meant.payload => {
                    why_of(&delivery.state, false)
                }
                (None, Some(delivery)) => why_of(&delivery.state, false),
                _ => Why::Missed,
            };
        };
        let version = delivered.and_then(|delivery| delivery.version.as_ref());
        let is_folded = matches!(version, Some(EffectiveVersion::Folded { .. }));
        let by_number = if is_folded { Why::Missed } else { why(known, level.sequence) };
        if by_number != Why::Missed {
            return by_number;
        }
        let heard = delivered.and_then(|delivery| {
            let folded = ready(self.disk.delivery_payload(delivery.id))?;
            Some((folded, &delivery.state))
        });
        match heard {
            Some((folded, state)) if inventory::folding::is_same(&folded, &meant.payload) => {
                why_of(state, false)
            }
            Some((folded, _))
                if is_folded && inventory::folding::told_version(&folded) > Some(level.sequence) =>
            {
                Why::Overtaken
            }
            _ => Why::Missed,
        }
    }

    /// A duty of its own, whatever became of the same level before.
    fn told_again(&self, node: usize, level: &super::shelf::Level) -> NewEnvelope {
        let told = self.level_fact(node, level);
        let outranks = self.bug == Some(Bug::CheckOutranks);
        let sequence = if outranks { i64::MAX / 2 + level.sequence } else { level.sequence };
        let version = Some(EffectiveVersion::Sequence { sequence });
        NewEnvelope { via: Via::Backfill, dedupe: None, version, ..told }
    }
}

/// The pairs that something is made of.
fn pairs_of(payload: &[u8]) -> Vec<(String, String)> {
    let Ok(composed) = composed::read(payload) else { return Vec::new() };
    let pairs = composed.made_of();
    let pairs = pairs.iter().flat_map(Component::pairs);
    pairs.map(|(sku, at)| (sku.to_owned(), at.to_owned())).collect()
}
