//! The second look of a full check: what differed at first may be on its way, or agree by now. Owns why a pair differs, by
//! what the log knows of it and what the shop has this moment.

use super::{FullCheck, Meant};
use api::admin::{StockChecked, StockDifference};
use connector::port::{ExternalRef, Plan as Step, Stage, Wanted};
use domains::inventory::parts;
use engine::work::WorkError;
use kernel::envelope::Via;
use kernel::flow::{AfterConfirm, Difference};
use kernel::key::ObjectKey;
use kernel::subject::Subject;
use kernel::version::EffectiveVersion;
use std::collections::BTreeMap;
use store::delivery::{DeliveryState, Outcome};
use store::query::SubjectStatus;

/// Looked at in one call, and asked of the store at once.
const CHUNK: usize = 100;

/// What is known of a pair that differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Why {
    /// The source's newest state never came.
    Missed,
    /// It came, and is not delivered yet.
    UnderWay,
    Dead,
    /// It was delivered, and the shop has another quantity since.
    ChangedInShop,
    /// They agree by now.
    Settled,
}

impl Why {
    fn as_str(self) -> &'static str {
        match self {
            Self::Missed => "missed",
            Self::UnderWay => "under_way",
            Self::Dead => "dead_letter",
            Self::ChangedInShop => "changed_in_shop",
            Self::Settled => "settled",
        }
    }
}

impl FullCheck {
    /// The source once more, of which only what differs is taken.
    pub(super) async fn second_look(
        &self,
        lines: &mut BTreeMap<(String, String), StockDifference>,
        places: &BTreeMap<String, String>,
        mend: bool,
        told: &mut StockChecked,
    ) -> Result<(), WorkError> {
        let mut whole = self.scope.source.whole(&self.scope.call(), self.scope.domain.as_str()).await?;
        let mut chunk = Vec::with_capacity(CHUNK);
        while let Some(fed) = whole.next().await? {
            let Ok(meant) = self.meant(fed, places) else { continue };
            if !lines.contains_key(&(meant.sku.clone(), meant.location.clone())) {
                continue;
            }
            chunk.push(meant);
            if chunk.len() == CHUNK {
                self.look(std::mem::take(&mut chunk), lines, mend, told).await?;
            }
        }
        self.look(chunk, lines, mend, told).await
    }

    async fn look(
        &self,
        chunk: Vec<Meant>,
        lines: &mut BTreeMap<(String, String), StockDifference>,
        mend: bool,
        told: &mut StockChecked,
    ) -> Result<(), WorkError> {
        if chunk.is_empty() {
            return Ok(());
        }
        let subjects: Vec<Subject> = chunk.iter().map(|meant| meant.subject.clone()).collect();
        let known = self.scope.store.status(&self.scope.flow, &subjects).await?;
        let wanted: Vec<Wanted> =
            chunk.iter().zip(&known).map(|(meant, known)| wanted(meant, known)).collect();
        let seen = self.target.observe_many(&self.scope.call(), &wanted).await;
        let mut mended = Vec::new();
        for (((meant, known), wanted), seen) in chunk.into_iter().zip(&known).zip(&wanted).zip(seen) {
            let agrees = matches!(&seen, Ok(seen) if matches!(self.target.plan(wanted, seen), Step::Done(_)));
            let why = if agrees { Why::Settled } else { why(known, meant.fed.sequence) };
            *told.whys.entry(why.as_str().to_owned()).or_default() += 1;
            let pair = (meant.sku.clone(), meant.location.clone());
            if why == Why::Settled {
                lines.remove(&pair);
                continue;
            }
            if let Some(line) = lines.get_mut(&pair) {
                line.why = Some(why.as_str().to_owned());
                // As people call it.
                line.location = parts(&meant.subject).map_or(pair.1, |(_, location)| location);
            }
            if mend && matches!(why, Why::Missed | Why::ChangedInShop) {
                // What became of it before is no reason to leave it.
                mended.push(self.scope.fact(meant.fed, Via::Backfill));
            }
        }
        if !mended.is_empty() {
            told.appended += mended.len() as u64;
            self.scope.store.append(mended).await?;
        }
        Ok(())
    }
}

fn wanted(meant: &Meant, known: &SubjectStatus) -> Wanted {
    Wanted {
        subject: meant.subject.clone(),
        object_key: ObjectKey::of(&meant.subject),
        body: meant.body.clone(),
        stage: Stage::Present,
        after_confirm: AfterConfirm::default(),
        difference: Difference::Ticket,
        known: known.external.as_ref().map(|external| ExternalRef {
            id: external.id.clone(),
            number: external.number.clone(),
            state: external.state.clone(),
        }),
        also_known_as: Vec::new(),
    }
}

/// Why a pair differs, by what the log knows of it.
fn why(known: &SubjectStatus, sequence: i64) -> Why {
    let Some(delivery) = &known.delivery else { return Why::Missed };
    let is_newest = match &delivery.version {
        Some(EffectiveVersion::Sequence { sequence: heard }) => *heard >= sequence,
        _ => false,
    };
    match &delivery.state {
        _ if !is_newest => Why::Missed,
        DeliveryState::Waiting { .. } | DeliveryState::Unknown { .. } => Why::UnderWay,
        DeliveryState::Dead => Why::Dead,
        DeliveryState::Ended(Outcome::Delivered { .. } | Outcome::Unchanged) => Why::ChangedInShop,
        // Skipped, redacted, shadowed: it never got there.
        DeliveryState::Ended(_) => Why::Missed,
    }
}
