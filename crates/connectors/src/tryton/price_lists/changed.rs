//! What was written since. Owns the point that it is asked from: the newest write that was seen, less a while (`overlap`), because
//! Tryton notes when a transaction *began*; what is known of that while is dropped by its time.

use super::super::ask::{Ask, CODES_MAX};
use super::super::wire;
use jiff::Timestamp;
use kernel::fault::Fault;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// What of the price lists a record changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Changes {
    /// Of one product, or of all of one template.
    Product,
    Template,
    /// Of all lists.
    Lists,
    /// Whose a list is.
    Owners,
}

/// The models that prices hang on. What a product costs, and list prices by company, are in models that Tryton does not open: who writes
/// them by the product's own form writes the product as well.
const MODELS: [(&str, Changes); 6] = [
    ("product.product", Changes::Product),
    ("product.template", Changes::Template),
    ("product.price_list", Changes::Lists),
    ("product.price_list.line", Changes::Lists),
    ("product.category", Changes::Lists),
    ("party.party", Changes::Owners),
];

/// From where it is asked next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Point {
    pub(super) since: Option<Timestamp>,
    /// The list that Tryton gives to sales without another; when that was set Tryton does not say.
    pub(super) everyone: Option<i64>,
    /// Of the rows before it: two answers of one instant are two.
    of: String,
}

impl Point {
    /// One that is not ours begins anew.
    pub(super) fn of(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    pub(super) fn behind(changed: &Changed, everyone: Option<i64>, of: &str) -> Self {
        Self { since: changed.newest, everyone, of: of.to_owned() }
    }

    pub(super) fn text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// By model and id: when it was written.
type Writes = BTreeMap<(usize, i64), Timestamp>;

/// What a question found.
#[derive(Debug, Clone, Default)]
pub(super) struct Changed {
    newest: Option<Timestamp>,
    writes: Writes,
}

/// What of it is new.
#[derive(Debug, Default)]
pub(super) struct News(BTreeSet<(usize, i64)>);

impl News {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// More than single products.
    pub(super) fn lists(&self) -> bool {
        self.of(Changes::Lists).next().is_some()
    }

    /// Whose the lists are.
    pub(super) fn owners(&self) -> bool {
        self.of(Changes::Owners).next().is_some()
    }

    fn of(&self, changes: Changes) -> impl Iterator<Item = i64> {
        self.0.iter().filter(move |(model, _)| MODELS[*model].1 == changes).map(|(_, id)| *id)
    }
}

/// What the hub has of the last while; for as long as the process lives.
#[derive(Debug, Default)]
pub(super) struct Seen {
    known: Writes,
    told: Option<(String, Writes)>,
    /// The lists of the last answer that had all of them.
    lists: BTreeSet<i64>,
}

impl Seen {
    pub(super) fn news(&self, changed: &Changed) -> News {
        let is_new = |(key, at): &(&(usize, i64), &Timestamp)| self.known.get(key) != Some(at);
        News(changed.writes.iter().filter(is_new).map(|(key, _)| *key).collect())
    }

    pub(super) fn told(&mut self, next: String, changed: &Changed) {
        self.told = Some((next, changed.writes.clone()));
    }

    pub(super) fn told_lists(&mut self, lists: impl IntoIterator<Item = i64>) {
        self.lists = lists.into_iter().collect();
    }

    /// Whether the hub has the prices of these lists.
    pub(super) fn has_lists(&self, mut lists: impl Iterator<Item = i64>) -> bool {
        lists.all(|list| self.lists.contains(&list))
    }

    pub(super) fn settled(&mut self, next: &str) {
        if let Some((_, writes)) = self.told.take_if(|(told, _)| told == next) {
            self.known = writes;
        }
    }
}

impl Ask<'_> {
    /// What was written since the point, and a while before.
    pub(super) async fn prices_changed(&self, point: &Point) -> Result<Changed, Fault> {
        let from = point.since.and_then(|since| since.checked_sub(self.config.overlap).ok());
        let mut changed = Changed { newest: point.since, writes: Writes::new() };
        for (number, (model, _)) in MODELS.into_iter().enumerate() {
            let mut domain = vec![json!("OR")];
            let since = from.map(wire::instant);
            domain.extend(["write_date", "create_date"].map(|field| match &since {
                Some(since) => json!([field, ">=", since]),
                None => json!([field, "!=", null]),
            }));
            // Deactivated ones are changed ones.
            let domain = match model {
                "product.product" | "product.template" | "product.price_list" | "party.party" => {
                    json!([["active", "in", [true, false]], domain])
                }
                _ => Value::Array(domain),
            };
            self.pages(model, domain, &["write_date", "create_date"], |record| {
                let at = written(record);
                if let (Some(id), Some(at)) = (wire::id(record), at) {
                    changed.newest = changed.newest.max(Some(at));
                    changed.writes.insert((number, id), at);
                }
            })
            .await?;
        }
        Ok(changed)
    }

    /// The newest write of all, before everything is read.
    pub(super) async fn newest_prices(&self) -> Result<Changed, Fault> {
        let mut newest = None;
        for (model, _) in MODELS {
            for field in ["write_date", "create_date"] {
                let order = json!([[field, "DESC"]]);
                let params = vec![json!([[field, "!=", null]]), json!(0), json!(1), order, json!([field])];
                let records = self.call(&format!("model.{model}.search_read"), params).await?;
                newest = newest
                    .max(records.get(0).and_then(|record| record.get(field)).and_then(wire::read_instant));
            }
        }
        Ok(Changed { newest, writes: Writes::new() })
    }

    /// The products that the news are about, also those that are sold no more.
    pub(super) async fn products_of(&self, news: &News) -> Result<Vec<i64>, Fault> {
        let mut products: BTreeSet<i64> = news.of(Changes::Product).collect();
        let templates: Vec<i64> = news.of(Changes::Template).collect();
        for some in templates.chunks(CODES_MAX) {
            let domain = json!([["template", "in", some], ["active", "in", [true, false]]]);
            self.pages("product.product", domain, &["id"], |record| products.extend(wire::id(record)))
                .await?;
        }
        Ok(products.into_iter().collect())
    }
}

fn written(record: &Value) -> Option<Timestamp> {
    let at = |field: &str| record.get(field).and_then(wire::read_instant);
    at("write_date").max(at("create_date"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed(writes: &[(usize, i64, i64)]) -> Changed {
        let at = |second| Timestamp::from_second(second).unwrap();
        let writes: Writes = writes.iter().map(|(model, id, second)| ((*model, *id), at(*second))).collect();
        Changed { newest: writes.values().max().copied(), writes }
    }

    #[test]
    fn what_is_known_is_no_news_once_the_hub_has_it() {
        let mut seen = Seen::default();
        let first = changed(&[(0, 5, 10), (2, 7, 11)]);
        seen.told("a".to_owned(), &first);
        assert!(!seen.news(&first).is_empty(), "told, and lost on its way");
        seen.settled("another");
        assert!(!seen.news(&first).is_empty());
        seen.settled("a");
        assert!(seen.news(&first).is_empty());
        let news = seen.news(&changed(&[(0, 5, 12), (2, 7, 11)]));
        assert_eq!(news.of(Changes::Product).collect::<Vec<_>>(), [5]);
        assert!(!news.lists());
        assert!(seen.news(&changed(&[(3, 1, 12)])).lists(), "a line of a list");
    }

    #[test]
    fn a_point_of_another_kind_begins_anew() {
        assert_eq!(Point::of("17"), None);
        let point = Point::behind(&changed(&[(0, 5, 10)]), Some(3), "abcd");
        assert_eq!(Point::of(&point.text()), Some(point));
    }
}
