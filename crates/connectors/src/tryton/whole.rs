//! All that Tryton has, for the full check: every product that stock is kept of, at each of the connection's places, a batch
//! after the other. Owns that it streams: no more than a batch is held. All of it bears the number of its beginning, so that
//! nothing that was read later is ever overwritten by it.

use super::levels::TOPIC;
use super::places::Places;
use super::source::Shared;
use async_trait::async_trait;
use bytes::Bytes;
use connector::outbound::within;
use connector::port::{CallContext, Fed, Stated, Whole};
use kernel::fault::Fault;
use std::sync::Arc;

#[derive(Debug)]
pub(super) struct Snapshot {
    shared: Arc<Shared>,
    places: Arc<Places>,
    call: CallContext,
    number: i64,
    /// Up to which id products were read; `None`: to the last.
    after: Option<i64>,
}

impl Snapshot {
    pub(super) fn new(shared: Arc<Shared>, places: Arc<Places>, call: CallContext) -> Self {
        let number = shared.numbers.next(call.now);
        Self { shared, places, call, number, after: Some(0) }
    }
}

#[async_trait]
impl Whole for Snapshot {
    fn topic(&self) -> &'static str {
        TOPIC
    }

    async fn next(&mut self) -> Result<Vec<Stated>, Fault> {
        while let Some(after) = self.after {
            let ask = self.shared.ask(&self.call);
            let batch = async {
                let (codes, last) = ask.codes_after(after, self.call.now).await?;
                Ok((ask.levels(&self.places, None, &codes, self.number).await?, last))
            };
            let (levels, last) = within(&self.call, batch).await?;
            self.after = last;
            if !levels.is_empty() {
                let stated = |fed: Fed| Stated { sequence: fed.sequence, payload: Bytes::from(fed.payload) };
                return Ok(levels.into_iter().map(stated).collect());
            }
        }
        Ok(Vec::new())
    }
}
