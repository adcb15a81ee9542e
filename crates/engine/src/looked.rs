//! What a target showed of a lane whose state was overtaken between the look and the call. A thing that changes faster than a
//! look and a call take would else be looked at for ever and never written: the newer state goes on from the same look. Only
//! where what is written says what it was decided upon, so that the target refuses what has changed since; and
//! then the thing is read and looked at once more, because not all that has happened changes what is compared.

use connector::port::Observation;
use kernel::clock::Mono;
use kernel::subject::Lane;
use kernel::version::EffectiveVersion;
use std::collections::BTreeMap;
use std::time::Duration;

/// How long a look is worth something: a slow answer is as old.
const STANDS: Duration = Duration::from_secs(5);
/// Lanes that are taken by nobody again are forgotten beyond.
const KEPT: usize = 2_000;

/// A look, and when it was asked for.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) asked_at: Mono,
    pub(crate) observation: Observation,
    /// What was delivered last, by then.
    pub(crate) delivered: Option<EffectiveVersion>,
}

#[derive(Debug, Default)]
pub(crate) struct Looked(BTreeMap<Lane, Seen>);

impl Looked {
    pub(crate) fn keep(&mut self, lane: Lane, seen: Seen, now: Mono) {
        if self.0.len() >= KEPT {
            self.0.retain(|_, seen| now.since(seen.asked_at) <= STANDS);
        }
        if self.0.len() < KEPT {
            self.0.insert(lane, seen);
        }
    }

    /// Once: what comes of it is looked at anew. `delivered`: what was delivered last, by now. Where another node has written
    /// meanwhile, the target may show again what it showed, and have sold of it all the same: what is compared does not tell.
    pub(crate) fn take(
        &mut self,
        lane: &Lane,
        delivered: Option<&EffectiveVersion>,
        now: Mono,
    ) -> Option<Seen> {
        let seen = self.0.remove(lane)?;
        (now.since(seen.asked_at) <= STANDS && seen.delivered.as_ref() == delivered).then_some(seen)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::id::{ShopId, SystemName};
    use kernel::subject::Subject;

    fn lane() -> Lane {
        let pair = Subject::new(ShopId::new("acme").unwrap(), "ats", "A@WH");
        Lane::of(&pair, &SystemName::new("shopify").unwrap())
    }

    fn delivered(sequence: i64) -> EffectiveVersion {
        EffectiveVersion::Sequence { sequence }
    }

    fn kept() -> Looked {
        let mut looked = Looked::default();
        let (asked_at, observation) = (Mono(0), Observation::unasked());
        looked.keep(lane(), Seen { asked_at, observation, delivered: Some(delivered(4)) }, Mono(1));
        looked
    }

    #[test]
    fn a_look_is_gone_on_with_once_while_nothing_else_was_delivered() {
        let mut looked = kept();
        assert!(looked.take(&lane(), Some(&delivered(4)), Mono(2)).is_some());
        assert!(looked.take(&lane(), Some(&delivered(4)), Mono(2)).is_none(), "it was taken");
    }

    #[test]
    fn one_after_which_another_node_wrote_or_time_passed_is_worth_nothing() {
        assert!(kept().take(&lane(), Some(&delivered(5)), Mono(2)).is_none());
        assert!(kept().take(&lane(), None, Mono(2)).is_none());
        let late = Mono(0).plus(STANDS + Duration::from_nanos(1));
        assert!(kept().take(&lane(), Some(&delivered(4)), late).is_none());
    }
}
