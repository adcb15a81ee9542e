//! The orders that were read last: one is read when it is routed, when its lane is claimed, and at each step that
//! follows, and its bytes do not change between. Owns what is kept and its bounds; it decides nothing.

use domains::orders::Order;
use engine::facts::State;
use serde_json::Value;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

/// About what is in work at once.
const KEPT: usize = 32;
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
