//! Questions to Medusa, each a read. Owns paging, and that a list which ignores a filter is not taken for its answer: what comes
//! back is compared with what was asked for by whoever asks.

use super::config::Config;
use super::{code, fault};
use connector::outbound::{Answer, Outbound, Request};
use connector::port::CallContext;
use http::{Method, StatusCode};
use kernel::fault::{Fault, FaultKind};
use serde_json::Value;

/// Of a list, at once.
pub(super) const PAGE: usize = 200;
/// Codes in one question: they stand in its address.
pub(super) const CODES_MAX: usize = 50;

/// One who asks: within one call of the hub.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ask<'a> {
    pub(super) outbound: &'a Outbound,
    pub(super) config: &'a Config,
    pub(super) call: &'a CallContext,
}

impl Ask<'_> {
    async fn answer(&self, path: String) -> Result<Answer, Fault> {
        self.outbound.send(self.call, Request::read(Method::GET, path)).await
    }

    /// `None`: there is no such thing.
    pub(super) async fn one(&self, path: String, name: &str) -> Result<Option<Value>, Fault> {
        let answer = self.answer(path).await?;
        if answer.status == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        let mut body = fault::result(&answer)?;
        match body.get_mut(name).map(Value::take) {
            Some(one) if one.is_object() => Ok(Some(one)),
            _ => Err(answer.unreadable(format!("it has no {name}"))),
        }
    }

    /// One page of a list, and how many there are in all.
    pub(super) async fn page(
        &self,
        path: &str,
        name: &str,
        limit: usize,
        offset: usize,
    ) -> Result<(Vec<Value>, usize), Fault> {
        let answer = self.answer(format!("{path}&limit={limit}&offset={offset}")).await?;
        let mut body = fault::result(&answer)?;
        let count = body.get("count").and_then(Value::as_u64).and_then(|count| usize::try_from(count).ok());
        match (body.get_mut(name).map(Value::take), count) {
            (Some(Value::Array(items)), Some(count)) => Ok((items, count)),
            _ => Err(answer.unreadable(format!("it is no list of {name}"))),
        }
    }

    /// A list that has no pages.
    pub(super) async fn whole(&self, path: String, name: &str) -> Result<Vec<Value>, Fault> {
        let answer = self.answer(path).await?;
        let mut body = fault::result(&answer)?;
        match body.get_mut(name).map(Value::take) {
            Some(Value::Array(items)) => Ok(items),
            _ => Err(answer.unreadable(format!("it is no list of {name}"))),
        }
    }

    /// All pages of a list. One that grew or shrank while it was read may have left something out: it is read again.
    pub(super) async fn all(&self, path: &str, name: &str, limit: usize) -> Result<Vec<Value>, Fault> {
        let (mut items, count) = self.page(path, name, limit, 0).await?;
        while items.len() < count {
            let (page, still) = self.page(path, name, limit, items.len()).await?;
            if still != count || page.is_empty() {
                return Err(moved(name));
            }
            items.extend(page);
        }
        Ok(items)
    }
}

/// Nothing is concluded from a list that changed under its reader.
pub(super) fn moved(name: &str) -> Fault {
    let what = format!("Medusa's {name} became more or fewer while they were read: they are read again");
    Fault::new(FaultKind::Transient, code::MOVED, what)
}
