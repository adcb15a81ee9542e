//! Which flows and shops a work is for, and the days and instants that it names.

use super::{AdminError, AdminParts, WorkScope};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use kernel::id::{FlowName, ShopId};
use serde::{Deserialize, Serialize};

#[derive(Debug, Default, Deserialize)]
pub(super) struct Named {
    #[serde(default)]
    flow: Option<FlowName>,
    #[serde(default)]
    shop: Option<ShopId>,
}

/// One flow at one shop, in a result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Place {
    flow: FlowName,
    shop: ShopId,
}

impl Place {
    pub(super) fn of(work: &WorkScope) -> Self {
        Self { flow: work.scope.flow.clone(), shop: work.scope.shop.clone() }
    }
}

impl Named {
    /// At least one.
    pub(super) fn works(&self, parts: &AdminParts) -> Result<Vec<WorkScope>, AdminError> {
        let meant = |work: &&WorkScope| {
            self.flow.as_ref().is_none_or(|flow| *flow == work.scope.flow)
                && self.shop.as_ref().is_none_or(|shop| *shop == work.scope.shop)
        };
        let works: Vec<WorkScope> = parts.works.iter().filter(meant).cloned().collect();
        if works.is_empty() {
            let known = |work: &WorkScope| format!("{} at {}", work.scope.flow, work.scope.shop);
            let known: Vec<String> = parts.works.iter().map(known).collect();
            let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
            return Err(AdminError::not_found(format!(
                "no flow exports orders under that name and shop; there are: {known}"
            )));
        }
        Ok(works)
    }
}

/// The first instant of a day in a zone, and that of the day after: 23 to 25 hours.
pub(super) fn day(date: Date, zone: &TimeZone) -> Result<(Timestamp, Timestamp), AdminError> {
    let start = |date: Date| date.to_zoned(zone.clone()).map(|start| start.timestamp());
    let span = date.tomorrow().and_then(|next| Ok((start(date)?, start(next)?)));
    span.map_err(|_| AdminError::mend(format!("{date} is no day of the calendar")))
}

/// An instant, or a day that begins in a zone.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(super) enum When {
    Instant(Timestamp),
    Day(Date),
}

impl TryFrom<String> for When {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let instant = text.parse().map(When::Instant);
        instant.or_else(|_| text.parse().map(When::Day)).map_err(|_| {
            format!("{text:?} is neither a day (\"2026-11-24\") nor an instant (\"2026-11-24T08:00:00Z\")")
        })
    }
}

impl When {
    pub(super) fn at(&self, zone: &TimeZone) -> Result<Timestamp, AdminError> {
        match self {
            When::Instant(at) => Ok(*at),
            When::Day(date) => Ok(day(*date, zone)?.0),
        }
    }
}
