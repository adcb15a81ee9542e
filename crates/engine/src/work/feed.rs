//! The feed: a source that tells what changed since a point is asked from the point that it gave last. The point moves
//! only when all before it is committed, so that whatever ends the process is asked for again and found to be known.
//! What the source pushed meanwhile is the same fact: both are told by subject and sequence number.

use super::{Scope, WorkError};
use connector::port::Fed;
use kernel::envelope::{FactKind, TraceId, Via};
use kernel::id::{DomainName, ShopId, SystemName};
use kernel::subject::Subject;
use kernel::version::EffectiveVersion;
use store::StoreError;
use store::log::{Appended, DedupeKey, NewEnvelope};

/// What one pass found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Taken {
    pub told: u64,
    /// Not known before: where the source pushes as well, a push that was lost.
    pub news: u64,
}

/// Asks until there is no more; `news` is called after each commit that brought any.
pub async fn pass(scope: &Scope, news: &(dyn Fn() + Send + Sync)) -> Result<Taken, WorkError> {
    pass_after(scope, None, news).await
}

/// The same, where each page bears upon what another feed of the source tells: that one is asked after the page was given, and
/// committed before it. So the stock that a shipment left behind is known before the shipment is.
pub async fn pass_after(
    scope: &Scope,
    first: Option<&Scope>,
    news: &(dyn Fn() + Send + Sync),
) -> Result<Taken, WorkError> {
    let name = point_of(&scope.source_system, &scope.domain, &scope.shop);
    // An empty one is that of a source that began anew.
    let mut point = scope.store.cursor(&name).await?.filter(|point| !point.is_empty());
    let lift = scope.lift().await?;
    let mut taken = Taken::default();
    loop {
        let page = scope.source.changes(&scope.call(), scope.domain.as_str(), point.as_deref()).await?;
        let batch: Vec<NewEnvelope> =
            page.items.into_iter().map(|fed| scope.fact(lifted(fed, lift), Via::Ingest)).collect();
        if let Some(first) = first.filter(|_| !batch.is_empty()) {
            Box::pin(pass_after(first, None, news)).await?;
        }
        if !batch.is_empty() {
            let appended = scope.store.append(batch).await?;
            let new = appended.iter().filter(|one| matches!(one, Appended::Stored(_))).count() as u64;
            taken.told += appended.len() as u64;
            taken.news += new;
            if new > 0 {
                news();
            }
        }
        // A source that gives the same point for more would be asked for ever.
        let stuck = page.more && point.as_deref() == Some(page.next.as_str());
        if point.as_deref() != Some(page.next.as_str()) {
            scope.store.set_cursor(&name, &page.next).await?;
            point = Some(page.next);
        }
        if !page.more || stuck {
            return Ok(taken);
        }
    }
}

/// Under which name the point is kept.
pub fn point_of(system: &SystemName, domain: &DomainName, shop: &ShopId) -> String {
    format!("feed/{system}/{domain}/{shop}")
}

/// As it counts here.
pub fn lifted(fed: Fed, lift: i64) -> Fed {
    if fed.change.as_ref().is_some_and(|change| !change.numbered) {
        return fed;
    }
    Fed { sequence: super::lift::lifted(fed.sequence, lift), ..fed }
}

impl Scope {
    /// By how much the source's numbers are lifted.
    pub async fn lift(&self) -> Result<i64, StoreError> {
        super::lift::of(self.store.as_ref(), &self.source_system, &self.shop).await
    }

    /// A state that the source gave, as a fact: live where it says what changed, a copy of what it pushed; else a duty of its
    /// own, whatever became of the same state before.
    pub fn fact(&self, fed: Fed, via: Via) -> NewEnvelope {
        let subject = Subject { shop: self.shop.clone(), path: fed.path };
        let change = fed.change.as_ref();
        // One document of a source may move several pairs.
        let state = match change.and_then(|change| change.id.as_ref()) {
            Some(id) => format!("{subject}#{id}"),
            None => DedupeKey::sequenced(&subject, fed.sequence),
        };
        let key = DedupeKey::of_system(&self.source_system, &self.domain, &fed.topic, &state);
        let now = self.clock.now().wall;
        NewEnvelope {
            shop: self.shop.clone(),
            domain: self.domain.clone(),
            source: self.source_system.clone(),
            topic: fed.topic,
            kind: if change.is_some() { FactKind::Change } else { FactKind::State },
            via,
            subject,
            version: change
                .is_none_or(|change| change.numbered)
                .then_some(EffectiveVersion::Sequence { sequence: fed.sequence }),
            occurred_at: now,
            received_at: now,
            trace: TraceId(key.0),
            raw_hash: DedupeKey::content(fed.sequence, &fed.payload),
            raw_bytes: u32::try_from(fed.payload.len()).unwrap_or(u32::MAX),
            dedupe: (via == Via::Ingest).then_some(key),
            payload: fed.payload.into(),
        }
    }
}

#[cfg(test)]
mod tests;
