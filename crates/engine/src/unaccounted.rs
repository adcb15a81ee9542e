//! What a target shows and no fact accounts for: of which shop it is said, and how often. Owns that it is not said at each look;
//! who asks that shop's documents anew, and when, is the sweep's.

use crate::effect::Unheard;
use kernel::clock::{Mono, Now};
use kernel::id::ShopId;
use std::collections::BTreeMap;
use std::time::Duration;

/// In a shop that sells all day there is always something on its way.
const EVERY: Duration = Duration::from_secs(10);

#[derive(Debug, Default)]
pub(crate) struct Unaccounted(BTreeMap<ShopId, Mono>);

impl Unaccounted {
    /// `None`: it was said a moment ago.
    pub(crate) fn seen(&mut self, shop: &ShopId, now: Now) -> Option<Unheard> {
        if self.0.get(shop).is_some_and(|said| now.mono.since(*said) < EVERY) {
            return None;
        }
        self.0.insert(shop.clone(), now.mono);
        Some(Unheard { shop: shop.clone(), at: now.wall })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;

    #[test]
    fn it_is_said_of_each_shop_and_not_at_each_look() {
        let mut unaccounted = Unaccounted::default();
        let shop = |name| ShopId::new(name).unwrap();
        let at = |after: Duration| Now { wall: Timestamp::UNIX_EPOCH + after, mono: Mono(0).plus(after) };
        let mut said = |name, after| unaccounted.seen(&shop(name), at(after)).map(|unheard| unheard.at);
        assert_eq!(said("acme", Duration::ZERO), Some(Timestamp::UNIX_EPOCH));
        assert_eq!(said("acme", EVERY - Duration::from_millis(1)), None);
        assert!(said("other", Duration::from_secs(1)).is_some());
        assert_eq!(said("acme", EVERY), Some(Timestamp::UNIX_EPOCH + EVERY));
    }
}
