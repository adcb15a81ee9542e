//! Whether what was named is there at all: "nothing" is an answer about a shop, not about a slip of the pen.
//!
//! It is asked after nothing was found, never before: of what is no longer configured the store may still hold much, and
//! that is shown.

use super::client::Client;
use super::page::{list, text};
use crate::cli::Failure;
use serde_json::Value;
use std::collections::BTreeSet;

/// What can be named beside an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Flow,
    System,
    Shop,
}

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Self::Flow => "flow",
            Self::System => "system",
            Self::Shop => "shop",
        }
    }
}

/// What was asked under these names: an answer that holds nothing, and a refusal of what was written, stand only where
/// there are such names.
pub async fn judged(
    client: &Client,
    asked: Result<Value, Failure>,
    named: &[(Kind, Option<&str>)],
    holds_nothing: impl Fn(&Value) -> bool + Send,
) -> Result<Value, Failure> {
    let in_doubt = match &asked {
        Ok(answer) => holds_nothing(answer),
        Err(failure) => matches!(failure, Failure::Usage(_)),
    };
    if in_doubt {
        are_known(client, named).await?;
    }
    asked
}

/// All that was named is known to the hub or stands in the configuration.
pub async fn are_known(client: &Client, named: &[(Kind, Option<&str>)]) -> Result<(), Failure> {
    let named: Vec<(Kind, &str)> =
        named.iter().filter_map(|(kind, name)| Some((*kind, name.as_ref().copied()?))).collect();
    if named.is_empty() {
        return Ok(());
    }
    let known = Known::of(client).await?;
    named.into_iter().try_for_each(|(kind, name)| known.has(kind, name))
}

#[derive(Debug, Default)]
struct Known {
    flows: BTreeSet<String>,
    systems: BTreeSet<String>,
    shops: BTreeSet<String>,
    /// Each shop's domain with its name: people know a shop by it.
    domains: Vec<(String, String)>,
}

impl Known {
    /// Of the hub that runs and of the file: either may be ahead of the other.
    async fn of(client: &Client) -> Result<Self, Failure> {
        let config = client.config();
        let mut known = Self {
            flows: config.flows.keys().map(ToString::to_string).collect(),
            systems: config.systems.keys().map(ToString::to_string).collect(),
            shops: config.shops.keys().map(ToString::to_string).collect(),
            domains: config
                .shops
                .iter()
                .map(|(id, shop)| (shop.domain.as_str().to_ascii_lowercase(), id.to_string()))
                .collect(),
        };
        let answer = client.get("/flows").await?;
        for flow in list(&answer["flows"]) {
            known.flows.insert(text(&flow["name"]));
            known.systems.extend([text(&flow["source"]), text(&flow["target"])]);
            known.shops.extend(list(&flow["shops"]).iter().map(text));
        }
        Ok(known)
    }

    fn has(&self, kind: Kind, name: &str) -> Result<(), Failure> {
        let all = match kind {
            Kind::Flow => &self.flows,
            Kind::System => &self.systems,
            Kind::Shop => &self.shops,
        };
        if all.contains(name) {
            return Ok(());
        }
        let by_domain = self
            .domains
            .iter()
            .find(|(domain, _)| kind == Kind::Shop && *domain == name.to_ascii_lowercase());
        let near = match by_domain {
            Some((_, id)) => Some(id.as_str()),
            None => config::nearest(name, all.iter().map(String::as_str)),
        };
        let help = near.map(|near| format!("; did you mean {near}?")).unwrap_or_default();
        let there = if all.is_empty() {
            "there is none".to_owned()
        } else {
            format!("there are: {}", all.iter().map(String::as_str).collect::<Vec<_>>().join(", "))
        };
        let word = kind.word();
        Err(Failure::NotFound(format!("there is no {word} {name:?}; {there}{help}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(known: &Known, kind: Kind, name: &str) -> String {
        match known.has(kind, name) {
            Ok(()) => String::new(),
            Err(failure) => format!("{failure:?}"),
        }
    }

    #[test]
    fn what_is_not_there_is_told_with_what_is_meant() {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let known = Known {
            flows: names(&["orders_to_erp"]),
            systems: BTreeSet::new(),
            shops: names(&["acme", "beta"]),
            domains: vec![("acme-inc.myshopify.com".to_owned(), "acme".to_owned())],
        };
        assert_eq!(told(&known, Kind::Flow, "orders_to_erp"), "");
        assert!(told(&known, Kind::Flow, "order_to_erp").contains("did you mean orders_to_erp?"));
        assert!(told(&known, Kind::Shop, "ACME-inc.myshopify.com").contains("did you mean acme?"));
        assert!(told(&known, Kind::Shop, "gamma").contains("there are: acme, beta"));
        assert!(told(&known, Kind::System, "erp").contains("there is none"));
        // A domain is no name of a flow.
        assert!(!told(&known, Kind::Flow, "acme-inc.myshopify.com").contains("did you mean"));
    }
}
