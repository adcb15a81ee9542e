//! What moved since: Tryton has no list of changes and no sequence, only the time at which each move was last written, which is
//! when its transaction *began*. Owns the point that this is asked from, and that nothing is missed: each question begins
//! some time (`overlap`) before the last move that was seen, and drops what it knows by the move's version.
//!
//! What is found is not read in the same call: the point names it, and the next call, whose clock is later, reads it
//! ([`connector::polled`]). So a level never bears a number from before it was known that there is something to read.

use super::ask::Ask;
use super::levels::{BATCH, Codes, goods};
use super::places::Places;
use super::source::Shared;
use super::wire;
use connector::port::Changes;
use jiff::Timestamp;
use kernel::fault::Fault;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Products that one point names; where more moved everything is read.
const PRODUCTS_MAX: usize = 5_000;

/// From where it is asked next.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Point {
    /// The newest move that was seen.
    since: Option<Timestamp>,
    /// All products are being read; up to this id they were.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    all_after: Option<i64>,
    /// Products that moved, and when.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    read: BTreeMap<i64, Timestamp>,
    /// The number of the question that found them.
    #[serde(default)]
    found_by: i64,
    /// The last number that was given out: whoever goes on from here, with a clock that is behind, begins above it.
    #[serde(default)]
    number: i64,
}

impl Point {
    /// One that is not ours begins anew.
    pub(super) fn of(text: Option<&str>) -> Option<Self> {
        serde_json::from_str(text?).ok()
    }

    pub(super) fn text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// All that was found is read, and committed where the hub comes back with this point.
    fn is_read(&self) -> bool {
        self.read.is_empty() && self.all_after.is_none()
    }
}

/// Moves of the last while whose levels the hub has. What a question found is among them only once the hub comes back with
/// a point that says that all of it was read: until then it may have been lost with the hub's commit, and whoever asks at the
/// same time, as for a shipment does, has to read it as well and not pass it over.
#[derive(Debug, Default)]
pub(super) struct Known {
    moves: Versions,
    found: BTreeMap<i64, Versions>,
}

/// By a move's id: its version, and when it was written.
type Versions = BTreeMap<i64, (String, Timestamp)>;

/// Questions whose findings are kept until they are read; of older ones they are found once more.
const FOUND_MAX: usize = 4;

impl Known {
    fn came_back(&mut self, point: &Point, overlap: std::time::Duration) {
        if !point.is_read() {
            return;
        }
        self.moves.extend(self.found.remove(&point.found_by).unwrap_or_default());
        if let Some(from) = point.since.and_then(|since| since.checked_sub(overlap).ok()) {
            self.moves.retain(|_, (_, at)| *at >= from);
        }
    }

    fn found(&mut self, by: i64, moves: Versions) {
        self.found.insert(by, moves);
        while self.found.len() > FOUND_MAX {
            self.found.pop_first();
        }
    }
}

/// What one question found.
#[derive(Debug, Default)]
struct Found {
    products: BTreeMap<i64, Timestamp>,
    moves: Versions,
    newest: Option<Timestamp>,
}

impl Ask<'_> {
    pub(super) async fn stock_changes(
        &self,
        shared: &Shared,
        places: &Places,
        after: Option<&str>,
    ) -> Result<Changes, Fault> {
        let Some(point) = Point::of(after) else {
            let since = self.newest_move().await?;
            let point = Point { since, all_after: Some(0), ..Point::default() };
            return Ok(Changes { items: Vec::new(), next: point.text(), more: true });
        };
        shared.numbers.begin_above(point.number);
        shared.known(&self.call.shop, |known| known.came_back(&point, self.config.overlap));
        if !point.read.is_empty() {
            return self.read_moved(shared, places, point).await;
        }
        if let Some(last) = point.all_after {
            return self.read_all(shared, places, point, last).await;
        }
        self.what_moved(shared, places, point).await
    }

    /// The products that the point names, a batch of them.
    async fn read_moved(&self, shared: &Shared, places: &Places, mut point: Point) -> Result<Changes, Fault> {
        let number = shared.numbers.next(self.call.now);
        let batch: BTreeMap<i64, Timestamp> =
            point.read.iter().take(BATCH).map(|(id, at)| (*id, *at)).collect();
        let ids: Vec<i64> = batch.keys().copied().collect();
        let domain = json!([["id", "in", ids], goods(), ["active", "in", [true, false]]]);
        let mut codes = Codes::new();
        self.pages("product.product", domain, &["code"], |record| {
            let at = wire::id(record).and_then(|id| batch.get(&id));
            if let (Some(code), Some(at)) = (code(record), at) {
                codes.insert(code, *at);
            }
        })
        .await?;
        let items = self.levels(places, None, &codes, number).await?;
        point.read.retain(|id, _| !batch.contains_key(id));
        point.number = number;
        let more = !point.read.is_empty();
        Ok(Changes { items, next: point.text(), more })
    }

    /// All of them, a batch after the other: at the beginning, and where more moved than a point can name.
    async fn read_all(
        &self,
        shared: &Shared,
        places: &Places,
        mut point: Point,
        last: i64,
    ) -> Result<Changes, Fault> {
        let number = shared.numbers.next(self.call.now);
        let (codes, last) = self.codes_after(last, self.call.now).await?;
        let items = self.levels(places, None, &codes, number).await?;
        point.all_after = last;
        point.number = number;
        // What moved meanwhile is asked for next.
        Ok(Changes { items, next: point.text(), more: true })
    }

    /// The codes of the next products by id, and the last of these ids; `None`: there are no more.
    pub(super) async fn codes_after(
        &self,
        last: i64,
        changed_at: Timestamp,
    ) -> Result<(Codes, Option<i64>), Fault> {
        let domain = json!([["id", ">", last], goods(), ["code", "!=", null]]);
        let params = vec![domain, json!(0), json!(BATCH), json!([["id", "ASC"]]), json!(["code"])];
        let records = self.call("model.product.product.search_read", params).await?;
        let records: Vec<&Value> = records.as_array().into_iter().flatten().collect();
        let last = records.last().and_then(|record| wire::id(record)).filter(|_| records.len() == BATCH);
        Ok((records.into_iter().filter_map(code).map(|code| (code, changed_at)).collect(), last))
    }

    async fn what_moved(&self, shared: &Shared, places: &Places, point: Point) -> Result<Changes, Fault> {
        let number = shared.numbers.next(self.call.now);
        let from = point.since.and_then(|since| since.checked_sub(self.config.overlap).ok());
        let mut found = Found { newest: point.since, ..Found::default() };
        let mut domain = vec![
            json!(["company", "=", self.config.company]),
            json!(["OR", places.below("from_location"), places.below("to_location")]),
        ];
        domain.extend(from.map(|from| json!(["last_modified_at", ">=", wire::instant(from)])));
        let fields = ["product", "from_location", "to_location", "last_modified_at", "_timestamp"];
        let mut rows = Vec::new();
        self.pages("stock.move", Value::Array(domain), &fields, |record| rows.extend(row(record, places)))
            .await?;
        shared.known(&self.call.shop, |known| {
            for row in rows {
                found.newest = found.newest.max(Some(row.at));
                if known.moves.get(&row.id).is_some_and(|(version, _)| *version == row.version) {
                    continue;
                }
                if row.changes {
                    let at = found.products.entry(row.product).or_insert(row.at);
                    *at = (*at).max(row.at);
                }
                found.moves.insert(row.id, (row.version, row.at));
            }
        });
        let too_many = found.products.len() > PRODUCTS_MAX;
        let read = if too_many { BTreeMap::new() } else { found.products };
        let more = too_many || !read.is_empty();
        if !more {
            // Nothing new: the point stays as it is, so that it is not written once more.
            shared.known(&self.call.shop, |known| known.moves.extend(found.moves));
            let next = Point { since: found.newest, ..point };
            return Ok(Changes { items: Vec::new(), next: next.text(), more });
        }
        shared.known(&self.call.shop, |known| known.found(number, found.moves));
        let next =
            Point { since: found.newest, all_after: too_many.then_some(0), read, found_by: number, number };
        Ok(Changes { items: Vec::new(), next: next.text(), more })
    }

    async fn newest_move(&self) -> Result<Option<Timestamp>, Fault> {
        let order = json!([["last_modified_at", "DESC"]]);
        let params = vec![json!([]), json!(0), json!(1), order, json!(["last_modified_at"])];
        let records = self.call("model.stock.move.search_read", params).await?;
        Ok(records.get(0).and_then(|record| record.get("last_modified_at")).and_then(wire::read_instant))
    }
}

/// A move as the question for changes needs it.
struct Row {
    id: i64,
    product: i64,
    version: String,
    at: Timestamp,
    /// Whether it goes out of a place or into one; what stays within changes nothing there.
    changes: bool,
}

fn row(record: &Value, places: &Places) -> Option<Row> {
    let number = |field: &str| record.get(field).and_then(Value::as_i64);
    Some(Row {
        id: wire::id(record)?,
        product: number("product")?,
        version: wire::text(record, "_timestamp")?,
        at: record.get("last_modified_at").and_then(wire::read_instant)?,
        changes: places.of(number("from_location")) != places.of(number("to_location")),
    })
}

/// What a level is known by.
fn code(record: &Value) -> Option<String> {
    wire::text(record, "code").filter(|code| !code.trim().is_empty())
}
