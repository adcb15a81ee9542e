//! Which dead letters are meant: the short name of a group, and the selection of a release or a skip.

use super::client::Client;
use super::known::{Kind, judged};
use super::page::{list, number, text};
use crate::cli::Failure;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

/// What a group is called on a command line: stable, because its fingerprint is.
pub fn group_id(fingerprint: &str) -> String {
    kernel::key::hex(&Sha256::digest(fingerprint.as_bytes())[..4])
}

/// What is named together is meant together: all of it has to hold.
#[derive(Debug, clap::Args)]
#[group(id = "selection", required = true, multiple = true)]
pub struct Selection {
    /// Deliveries by their number
    #[arg(value_name = "DELIVERY")]
    ids: Vec<i64>,
    /// The same
    #[arg(long = "id", value_name = "DELIVERY")]
    more_ids: Vec<i64>,
    /// A group, as `dead-letters list` calls it
    #[arg(long, value_name = "GROUP", conflicts_with = "fingerprint")]
    group: Option<String>,
    /// A group, by its whole fingerprint
    #[arg(long)]
    fingerprint: Option<String>,
    /// All of a flow
    #[arg(long)]
    flow: Option<String>,
    /// All for a system
    #[arg(long)]
    system: Option<String>,
    /// All of a shop
    #[arg(long)]
    shop: Option<String>,
    /// Every one
    #[arg(long)]
    all: bool,
}

impl Selection {
    /// As the hub is asked.
    pub async fn asked(&self, client: &Client) -> Result<Value, Failure> {
        let mut asked = Map::new();
        let ids: Vec<i64> = self.ids.iter().chain(&self.more_ids).copied().collect();
        if !ids.is_empty() {
            asked.insert("ids".to_owned(), json!(ids));
        }
        let fingerprint = match &self.group {
            Some(group) => Some(fingerprint(client, group).await?),
            None => self.fingerprint.clone(),
        };
        let texts = [
            ("fingerprint", &fingerprint),
            ("flow", &self.flow),
            ("system", &self.system),
            ("shop", &self.shop),
        ];
        for (key, value) in texts {
            if let Some(value) = value {
                asked.insert(key.to_owned(), json!(value));
            }
        }
        if self.all {
            asked.insert("all".to_owned(), json!(true));
        }
        Ok(Value::Object(asked))
    }

    /// What came of it; none under a name that there is not is told so.
    pub async fn judged(&self, client: &Client, asked: Result<Value, Failure>) -> Result<Value, Failure> {
        let (flow, system, shop) = (self.flow.as_deref(), self.system.as_deref(), self.shop.as_deref());
        let named = [(Kind::Flow, flow), (Kind::System, system), (Kind::Shop, shop)];
        judged(client, asked, &named, |answer| number(&answer["count"]) == 0).await
    }

    /// Named one by one: each of them is expected to be there.
    pub fn one_by_one(&self) -> bool {
        !self.ids.is_empty() || !self.more_ids.is_empty()
    }
}

/// Of the group of that short name, or of that very fingerprint.
async fn fingerprint(client: &Client, group: &str) -> Result<String, Failure> {
    let answer = client.get("/dead-letters?limit=1").await?;
    let all: Vec<String> = list(&answer["groups"]).iter().map(|group| text(&group["fingerprint"])).collect();
    let found = all.iter().find(|fingerprint| group_id(fingerprint) == group || *fingerprint == group);
    found.cloned().ok_or_else(|| {
        let known: Vec<String> = all.iter().map(|fingerprint| group_id(fingerprint)).collect();
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        Failure::NotFound(format!(
            "no open dead letter is of group {group:?}; there are: {known}. `tidegate dead-letters list` says what each is"
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_keeps_its_name() {
        assert_eq!(group_id("orders_to_erp/rejected/unknown_item/lines[].sku"), "3d69a558");
    }
}
