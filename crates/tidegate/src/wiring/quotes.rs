//! The system that makes some prices itself, asked over HTTP (docs/prices.md). Owns the form of question and answer; refuses to
//! wait, to repeat and to believe: that is `api::prices`' work.

use super::Loaded;
use super::shops;
use api::prices::{Quotes, Wanted};
use async_trait::async_trait;
use config::LivePrices;
use connector::outbound::{Auth, Outbound, OutboundConfig, Request};
use connector::port::CallContext;
use http::Method;
use http::header::{ACCEPT, CONTENT_TYPE};
use kernel::clock::Clock;
use kernel::envelope::TraceId;
use kernel::id::ShopId;
use kernel::money::parse_exact;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// 500 lines, spelled generously.
const ANSWER_BYTES_MAX: u64 = 512 << 10;

#[derive(Debug)]
pub(super) struct HttpQuotes {
    outbound: Outbound,
    time_out: Duration,
    clock: Arc<dyn Clock>,
    shop: ShopId,
    asked: AtomicU64,
}

#[derive(Debug, Serialize)]
struct Question<'a> {
    company_location: Option<&'a str>,
    currency: &'a str,
    lines: Vec<Line<'a>>,
}

#[derive(Debug, Serialize)]
struct Line<'a> {
    sku: &'a str,
    quantity: String,
    unit: &'a str,
}

impl<'a> Line<'a> {
    fn of(wanted: &'a Wanted) -> Self {
        Self { sku: &wanted.sku, quantity: wanted.quantity.to_string(), unit: &wanted.unit }
    }
}

#[derive(Debug, Deserialize)]
struct Answer {
    lines: Vec<Said>,
}

#[derive(Debug, Deserialize)]
struct Said {
    /// A number or its text; null or absent: it has none.
    #[serde(default)]
    unit_price: Option<Box<RawValue>>,
}

impl HttpQuotes {
    pub(super) fn new(loaded: &Loaded, live: &LivePrices, clock: Arc<dyn Clock>) -> anyhow::Result<Self> {
        let mut config = OutboundConfig::new(live.url.value.as_str());
        config.answer_bytes_max = ANSWER_BYTES_MAX;
        if let Some(token) = &live.bearer_token {
            config.auth = Auth::Bearer { token: shops::secret(loaded, "prices.live.bearer_token", token)? };
        }
        let outbound =
            Outbound::new(&config).map_err(|problem| anyhow::anyhow!("prices.live.url: {problem}"))?;
        let shop = ShopId::new("prices")?;
        let time_out = live.request_timeout.value;
        Ok(Self { outbound, time_out, clock, shop, asked: AtomicU64::new(0) })
    }
}

#[async_trait]
impl Quotes for HttpQuotes {
    async fn ask(&self, wanted: &[Wanted]) -> Result<Vec<Option<Decimal>>, String> {
        let Some(first) = wanted.first() else { return Ok(Vec::new()) };
        let question = Question {
            company_location: first.company_location.as_deref(),
            currency: first.currency.code(),
            lines: wanted.iter().map(Line::of).collect(),
        };
        let body = serde_json::to_vec(&question).map_err(|error| error.to_string())?;
        let call = CallContext {
            shop: self.shop.clone(),
            time_out: self.time_out,
            trace: TraceId::default(),
            span: self.asked.fetch_add(1, Ordering::Relaxed),
            now: self.clock.now().wall,
        };
        let request = Request::read(Method::POST, "")
            .header(CONTENT_TYPE.as_str(), "application/json")
            .header(ACCEPT.as_str(), "application/json")
            .body(body);
        let answer = self.outbound.call(&call, request).await.map_err(|fault| fault.to_string())?;
        let answer: Answer = answer.json().map_err(|fault| fault.to_string())?;
        answer.lines.iter().map(|said| price(said.unit_price.as_deref())).collect()
    }
}

fn price(written: Option<&RawValue>) -> Result<Option<Decimal>, String> {
    match written.map(RawValue::get) {
        None | Some("null") => Ok(None),
        Some(text) => {
            let number = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text);
            parse_exact(number).map(Some).map_err(|error| format!("a unit_price that is none: {error}"))
        }
    }
}
