//! The last fact of each topic. Silence is a fault that no error tells of: a subscription that looks alive and brings
//! nothing.

use jiff::Timestamp;
use kernel::clock::elapsed_ms;
use kernel::id::ShopId;
use serde::Serialize;
use store::{Store, StoreError};

/// A topic that came this often has a usual pace.
const KNOWN_FACTS: u64 = 20;
/// So many times its mean pace is unusual.
const TIMES: u64 = 20;
/// A night or a lunch break is no fault.
const AT_LEAST_MS: u64 = 3_600_000;

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Topic {
    pub shop: ShopId,
    pub topic: String,
    pub last: Timestamp,
    pub since_ms: u64,
    pub count: u64,
    /// After how long its silence is unusual; absent while its pace is not known.
    pub unusual_after_ms: Option<u64>,
    pub silent: bool,
}

/// After how long the silence of a topic is unusual, from how many of its facts came between two instants.
pub fn silence_after_ms(count: u64, first: Timestamp, last: Timestamp) -> Option<u64> {
    if count < KNOWN_FACTS {
        return None;
    }
    let pace_ms = elapsed_ms(first, last) / count;
    Some(pace_ms.saturating_mul(TIMES).max(AT_LEAST_MS))
}

pub(super) async fn topics(store: &dyn Store, now: Timestamp) -> Result<Vec<Topic>, StoreError> {
    let since = store.installation().await?.created_at;
    let topics = store.topics_seen().await?.into_iter().map(|seen| {
        let since_ms = elapsed_ms(seen.last, now);
        let unusual_after_ms = silence_after_ms(seen.count, since, seen.last);
        Topic {
            silent: unusual_after_ms.is_some_and(|after| since_ms > after),
            shop: seen.shop,
            topic: seen.topic,
            last: seen.last,
            since_ms,
            count: seen.count,
            unusual_after_ms,
        }
    });
    Ok(topics.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pace_has_to_be_known_before_silence_is_unusual() {
        let at = |second| Timestamp::from_second(second).unwrap();
        assert_eq!(silence_after_ms(19, at(0), at(86_400)), None);
        // Ten a minute: an hour is the least.
        assert_eq!(silence_after_ms(14_400, at(0), at(86_400)), Some(3_600_000));
        // One in half an hour: ten hours.
        assert_eq!(silence_after_ms(48, at(0), at(86_400)), Some(36_000_000));
    }
}
