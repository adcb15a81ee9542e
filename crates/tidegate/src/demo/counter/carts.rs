//! Carts that ask for prices, one after the other, as storefronts do: of anybody and of companies, with articles that a list
//! has and such as the ERP prices when it is asked. Keeps what was heard; judges nothing.

use super::table::{Article, Buyer};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::time::Duration;
use twin::shop::Chance;
use twin::shop::catalogue::{ITEMS, PARTIES};

/// Between two carts.
pub(super) const BEAT: Duration = Duration::from_millis(20);
const LINES: usize = 10;
/// A buyer who has waited so long is gone.
const PATIENCE: Duration = Duration::from_secs(2);

/// One line as it was asked and answered.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub(super) article: Article,
    pub(super) quantity: i64,
    /// As the hub tells it.
    pub(super) told: Value,
}

/// One cart.
#[derive(Debug, Clone)]
pub(super) struct Cart {
    pub(super) buyer: Buyer,
    pub(super) version: u64,
    pub(super) at: Timestamp,
    pub(super) took: Duration,
    pub(super) lines: Vec<Asked>,
}

/// All of them.
#[derive(Debug, Clone, Default)]
pub(super) struct Heard {
    pub(super) carts: Vec<Cart>,
    /// While nobody was there to answer.
    pub(super) unanswered: u64,
    /// An answer that was none: the first few.
    pub(super) refused: Vec<String>,
}

impl Heard {
    pub(super) fn take(&mut self, one: Result<Cart, Failed>) {
        match one {
            Ok(cart) => self.carts.push(cart),
            Err(Failed::Unanswered) => self.unanswered += 1,
            Err(Failed::Refused(what)) => self.refused.push(what),
        }
    }
}

#[derive(Debug)]
pub(super) enum Failed {
    /// The hub was killed, or is not back.
    Unanswered,
    Refused(String),
}

#[derive(Debug, Clone)]
pub(super) struct Carts {
    client: reqwest::Client,
    url: String,
    token: &'static str,
    chance: Chance,
}

impl Carts {
    pub(super) fn new(hub: &str, token: &'static str, seed: u64) -> anyhow::Result<Self> {
        let client = reqwest::Client::builder().timeout(PATIENCE).no_proxy().build()?;
        Ok(Self { client, url: format!("{hub}/v1/prices/resolve"), token, chance: Chance::new(seed) })
    }

    pub(super) async fn ask(&mut self) -> Result<Cart, Failed> {
        let (buyer, lines) = self.next();
        let asked: Vec<Value> = lines
            .iter()
            .map(|(article, quantity)| json!({ "sku": article.sku(), "quantity": quantity }))
            .collect();
        let body = json!({ "company_location": buyer.location(), "currency": "EUR", "lines": asked });
        let began = super::super::now();
        let answer = self.client.post(&self.url).bearer_auth(self.token).json(&body).send().await;
        let answer = answer.map_err(|_| Failed::Unanswered)?;
        let status = answer.status();
        let text = answer.text().await.map_err(|_| Failed::Unanswered)?;
        let took = Duration::try_from(super::super::now().duration_since(began)).unwrap_or_default();
        let refused = || Failed::Refused(format!("{status}: {text}"));
        let told: Value = serde_json::from_str(&text).map_err(|_| refused())?;
        let told_lines = told["lines"].as_array().filter(|told| told.len() == lines.len());
        let (Some(version), Some(at), Some(told_lines)) =
            (told["version"].as_u64(), told["at"].as_str().and_then(|at| at.parse().ok()), told_lines)
        else {
            return Err(refused());
        };
        let lines = lines.into_iter().zip(told_lines).map(|((article, quantity), told)| Asked {
            article,
            quantity,
            told: told.clone(),
        });
        Ok(Cart { buyer, version, at, took, lines: lines.collect() })
    }

    fn next(&mut self) -> (Buyer, Vec<(Article, i64)>) {
        let mut below = |most: usize| usize::try_from(self.chance.below(most as u64)).unwrap_or_default();
        let buyer = match below(PARTIES.len() * 2) {
            at if at < PARTIES.len() => Buyer::Party(at),
            _ => Buyer::Anybody,
        };
        let lines = (0..LINES).map(|_| {
            let article = match below(10) {
                0 => Article::Configured(u32::try_from(below(20)).unwrap_or_default() + 1),
                _ => Article::Item(below(ITEMS.len())),
            };
            (article, i64::try_from(below(15)).unwrap_or_default() + 1)
        });
        (buyer, lines.collect())
    }
}
