//! The orders that were read last: one is read when it is routed, when its lane is claimed, and at each step that
//! follows, and its bytes do not change between. Owns what is kept and its bounds; it decides nothing.

use domains::orders::Order;
use engine::facts::State;
use serde_json::Value;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

/// About what is in work at once where nothing waits. Each is a tree of a hundred kilobytes and more: a longer row of them is
/// memory that is cold when it is freed.
const KEPT: usize = 8;
/// A payload larger than this is read anew: what is kept is bounded in bytes too.
const PAYLOAD_BYTES_MAX: usize = 32 * 1024;

#[derive(Debug)]
struct Read {
    topic: String,
    payload: Box<[u8]>,
    state: State,
    order: Arc<Order>,
}

#[derive(Debug, Default)]
pub struct Recent(Mutex<VecDeque<Read>>);

impl Recent {
    /// The state that these very bytes were read as.
    pub fn state(&self, topic: &str, payload: &[u8]) -> Option<State> {
        let reads = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let same = |read: &&Read| *read.payload == *payload && read.topic == topic;
        reads.iter().rev().find(same).map(|read| read.state.clone())
    }

    /// The order of a state that was given out, by the body that both share.
    pub fn order(&self, body: &Arc<Value>) -> Option<Arc<Order>> {
        let reads = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        reads.iter().rev().find(|read| Arc::ptr_eq(&read.state.body, body)).map(|read| read.order.clone())
    }

    pub fn keep(&self, topic: &str, payload: &[u8], state: &State, order: Order) {
        if payload.len() > PAYLOAD_BYTES_MAX {
            return;
        }
        let read = Read {
            topic: topic.to_owned(),
            payload: payload.into(),
            state: state.clone(),
            order: Arc::new(order),
        };
        let mut reads = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if reads.len() >= KEPT {
            reads.pop_front();
        }
        reads.push_back(read);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wiring::facts::Orders;
    use engine::facts::Facts as _;

    const ORDER: &str = include_str!("../../../domains/tests/fixtures/pairs/traps/rest.json");

    #[test]
    fn the_same_bytes_are_read_once_and_others_anew() {
        let orders = Orders::new(Vec::new());
        let first = orders.read("orders/create", ORDER.as_bytes()).unwrap();
        let again = orders.read("orders/create", ORDER.as_bytes()).unwrap();
        assert!(Arc::ptr_eq(&first.body, &again.body), "read once");
        let changed = ORDER.replacen("\"#1007\"", "\"#1008\"", 1);
        assert_ne!(changed, ORDER);
        let other = orders.read("orders/create", changed.as_bytes()).unwrap();
        assert_ne!(other.body, first.body);
        assert_ne!(other.label, first.label);
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let recent = Recent::default();
        let orders = Orders::new(Vec::new());
        let state = orders.read("orders/create", ORDER.as_bytes()).unwrap();
        let order = || domains::orders::from_rest(ORDER.as_bytes()).unwrap();
        for number in 0..100_u32 {
            recent.keep("orders/create", &number.to_be_bytes(), &state, order());
        }
        recent.keep("orders/create", &vec![b' '; PAYLOAD_BYTES_MAX + 1], &state, order());
        let kept = recent.0.lock().unwrap();
        assert_eq!(kept.len(), KEPT);
        assert_eq!(*kept[KEPT - 1].payload, 99_u32.to_be_bytes());
    }
}
