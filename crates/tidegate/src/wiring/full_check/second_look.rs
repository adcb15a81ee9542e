//! The second look of a full check: what differed at first may be on its way, or agree by now. Owns why a pair differs, by
//! what the log knows of it and what the shop has this moment.

use super::{FullCheck, Meant};
use api::admin::{StockChecked, StockDifference};
use connector::port::{ExternalRef, Fed, Plan as Step, Stage, Wanted};
use domains::inventory::parts;
use engine::work::WorkError;
use engine::work::feed::lifted;
use kernel::envelope::Via;
use kernel::flow::{AfterConfirm, Difference};
use kernel::key::ObjectKey;
use kernel::subject::Subject;
use kernel::version::EffectiveVersion;
use std::collections::BTreeMap;
use store::delivery::{DeliveryState, Outcome};
use store::query::SubjectStatus;

/// Pairs that one check reads singly, to see whether their source counts anew: it does for all or for none.
pub(super) const READS: usize = 100;
/// Looked at in one call, and asked of the store at once.
pub(super) const CHUNK: usize = 100;

/// What is known of a pair that differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Why {
    /// The source's newest state never came.
    Missed,
    /// It came, and is not delivered yet.
    UnderWay,
    Dead,
    /// It was delivered, and the shop has another quantity since.
    ChangedInShop,
    /// They agree by now, or a newer level came and was delivered since the source was read.
    Settled,
    /// A higher number was delivered than the source has: it moved on since it was read, or counts anew.
    Overtaken,
    /// It counts anew: what it has now bears a lower number than what came before.
    SequenceBack,
}

impl Why {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Missed => "missed",
            Self::UnderWay => "under_way",
            Self::Dead => "dead_letter",
            Self::ChangedInShop => "changed_in_shop",
            Self::Settled | Self::Overtaken => "settled",
            Self::SequenceBack => "sequence_back",
        }
    }
}

impl FullCheck {
    /// Of what differed, what the shop has this moment, and what the log knows.
    pub(super) async fn second_look(
        &self,
        differing: Vec<Fed>,
        places: &BTreeMap<String, String>,
        lines: &mut BTreeMap<(String, String), StockDifference>,
        mend: bool,
        told: &mut StockChecked,
    ) -> Result<(), WorkError> {
        let lift = self.scope.lift().await?;
        let mut differing = differing.into_iter().peekable();
        let mut reads = READS;
        while differing.peek().is_some() {
            // It was mapped before: one that cannot be is not among them.
            let chunk = differing.by_ref().take(CHUNK).map(|fed| self.meant(lifted(fed, lift), places));
            let chunk = chunk.collect::<Result<Vec<_>, _>>()?;
            self.look(chunk, lines, mend, &mut reads, told).await?;
        }
        Ok(())
    }

    async fn look(
        &self,
        chunk: Vec<Meant>,
        lines: &mut BTreeMap<(String, String), StockDifference>,
        mend: bool,
        reads: &mut usize,
        told: &mut StockChecked,
    ) -> Result<(), WorkError> {
        let whys = self.whys(&chunk, reads).await?;
        let mut mended = Vec::new();
        for (meant, why) in chunk.into_iter().zip(whys) {
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

impl FullCheck {
    /// Of each, why it differs, by what the shop has this moment and what the log knows. All in one call, so of a chunk.
    pub(super) async fn whys(&self, chunk: &[Meant], reads: &mut usize) -> Result<Vec<Why>, WorkError> {
        let subjects: Vec<Subject> = chunk.iter().map(|meant| meant.subject.clone()).collect();
        let known = self.scope.store.status(&self.scope.flow, &subjects).await?;
        let wanted: Vec<Wanted> =
            chunk.iter().zip(&known).map(|(meant, known)| wanted(meant, known)).collect();
        let seen = self.target.observe_many(&self.scope.call(), &wanted).await;
        let mut whys = Vec::with_capacity(chunk.len());
        for (((meant, known), wanted), seen) in chunk.iter().zip(&known).zip(&wanted).zip(seen) {
            let agrees = matches!(&seen, Ok(seen) if matches!(self.target.plan(wanted, seen), Step::Done(_)));
            let why = if agrees { Why::Settled } else { why(known, meant.fed.sequence) };
            whys.push(if why == Why::Overtaken { self.overtaken(meant, reads).await } else { why });
        }
        Ok(whys)
    }

    /// Read once more: a source that has the same level still does not count as it did. One that cannot be asked has moved on.
    async fn overtaken(&self, meant: &Meant, reads: &mut usize) -> Why {
        if *reads == 0 {
            return Why::Settled;
        }
        *reads -= 1;
        match self.scope.source.read(&self.scope.call(), &meant.subject).await {
            Ok(Some(read)) if read.payload == meant.fed.payload => Why::SequenceBack,
            _ => Why::Settled,
        }
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
    let heard = match &delivery.version {
        Some(EffectiveVersion::Sequence { sequence: heard }) => *heard,
        _ => return Why::Missed,
    };
    match &delivery.state {
        _ if heard < sequence => Why::Missed,
        DeliveryState::Waiting { .. } | DeliveryState::Unknown { .. } => Why::UnderWay,
        DeliveryState::Dead => Why::Dead,
        DeliveryState::Ended(Outcome::Delivered { .. } | Outcome::Unchanged) if heard > sequence => {
            Why::Overtaken
        }
        DeliveryState::Ended(Outcome::Delivered { .. } | Outcome::Unchanged) => Why::ChangedInShop,
        // Skipped, redacted, shadowed: it never got there.
        DeliveryState::Ended(_) => Why::Missed,
    }
}
