//! What waits for routing, found by its state. Owns who takes it: a node routes first what it appended itself, and what another one
//! appended once it has waited a moment, so that nodes seldom meet at one root, and a dead one's facts are taken over.

use crate::bind::args;
use crate::desk::Desk;
use crate::error::Done;
use crate::records::{RECORD, RECORD_FROM};
use crate::routing::Place;
use crate::view::{ENVELOPE, ENVELOPE_COLUMNS, PAYLOAD, PAYLOAD_FROM, child};
use bytes::Bytes;
use futures_util::future::{join_all, try_join3};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;
use store::StoreError;
use store::log::Unrouted;

/// What waits for routing in one shop.
#[derive(Debug, Default)]
struct Waiting {
    days: Vec<i32>,
    positions: Vec<i64>,
    roots: BTreeSet<String>,
}

impl Desk {
    /// Envelopes that are not routed, oldest position first.
    pub(crate) async fn unrouted(&self, limit: u32) -> Done<Vec<Unrouted>> {
        let board = &self.shared.board;
        let shops = self.names().shops().into_iter().filter(|shop| board.may_have_to_route(*shop));
        let (node, after) = (&self.shared.node, self.shared.times.foreign_after);
        let after_ms = i64::try_from(after.as_millis()).unwrap_or(i64::MAX);
        let asked = shops.map(|shop| async move {
            let rows = self.all(UNROUTED, args![shop, node, after_ms, i64::from(limit)]).await?;
            if rows.is_empty() && limit > 0 {
                board.put_nothing_to_route(self.writes, shop);
            }
            let waits = rows.iter().map(|row| Ok((row.try_get(0)?, shop, row.try_get(1)?, row.try_get(2)?)));
            waits.collect::<Done<Vec<(i64, i32, i32, String)>>>()
        });
        let mut waiting = Vec::new();
        for of_shop in join_all(asked).await {
            waiting.extend(of_shop?);
        }
        waiting.sort_unstable();
        waiting.truncate(limit as usize);
        let mut of_shops: BTreeMap<i32, Waiting> = BTreeMap::new();
        for (position, shop, day, root) in waiting {
            let of_shop = of_shops.entry(shop).or_default();
            of_shop.days.push(day);
            of_shop.positions.push(position);
            of_shop.roots.insert(root);
        }
        let last = of_shops.keys().next_back().copied();
        let mut found = Vec::new();
        for (shop, waiting) in of_shops {
            found.extend(self.unrouted_of(shop, waiting, last == Some(shop)).await?);
        }
        found.sort_by_key(|unrouted| unrouted.envelope.position);
        Ok(found)
    }

    /// `last`: nothing else is done at this desk.
    async fn unrouted_of(&self, shop: i32, waiting: Waiting, last: bool) -> Done<Vec<Unrouted>> {
        let Waiting { days, positions, roots } = waiting;
        let roots: Vec<&str> = roots.iter().map(String::as_str).collect();
        let facts = async { self.all(&UNROUTED_FACTS, args![shop, days, positions]).await };
        let closed = async { if last { self.close().await } else { Ok(()) } };
        let (rows, standings, ()) = try_join3(facts, self.standings(shop, &roots, 0), closed).await?;
        let mut found = Vec::with_capacity(rows.len());
        for row in &rows {
            let envelope = self.shared.envelope_of(row, 0)?;
            let payload = opened_or_empty(self.shared.payload_of(row, ENVELOPE_COLUMNS, &envelope))?;
            let (routed, day) = (row.try_get(ENVELOPE_COLUMNS + 6)?, row.try_get(ENVELOPE_COLUMNS + 7)?);
            let place = Place { shop, day, root: envelope.subject.root().to_owned() };
            self.shared.handed_out.remember(envelope.position.0, place, routed);
            let record = self.shared.record_of(row, ENVELOPE_COLUMNS + 8, &envelope)?;
            found.push(Unrouted { envelope, payload, standings: Vec::new(), record, base: None });
        }
        for unrouted in &mut found {
            let subject = &unrouted.envelope.subject;
            let (root, child) = (subject.root().to_owned(), child(subject).to_owned());
            let of_subject =
                standings.range((root.clone(), child.clone(), i32::MIN)..=(root, child, i32::MAX));
            for ((_, _, flow), standing) in of_subject {
                unrouted.standings.push((self.names().flow(*flow)?, standing.clone()));
            }
            unrouted.standings.sort_by(|a, b| a.0.cmp(&b.0));
        }
        Ok(found)
    }
}

/// A payload that was altered must not hold up all others: it is handed on as empty, which no reader takes for a
/// fact, and ends as a dead letter of its own.
pub(crate) fn opened_or_empty(opened: Done<Option<Bytes>>) -> Done<Option<Bytes>> {
    match opened {
        Err(crate::error::Fail::Store(StoreError::Unreadable(why))) => {
            tracing::error!(error = %why, "a payload is damaged");
            Ok(Some(Bytes::new()))
        }
        other => other,
    }
}

const UNROUTED: &str = "SELECT position, day, root FROM unrouted WHERE shop = $1 \
     AND (node = $2 OR since < clock_timestamp() - $3 * interval '1 millisecond') ORDER BY position LIMIT $4";

static UNROUTED_FACTS: LazyLock<String> = LazyLock::new(|| {
    format!(
        "SELECT {ENVELOPE}, {PAYLOAD}, r.routed, e.day, {RECORD} FROM unnest($2::int4[], $3::int8[]) AS n (day, position) \
         CROSS JOIN LATERAL (SELECT * FROM envelopes WHERE shop = $1 AND day = n.day AND position = n.position OFFSET 0) e \
         CROSS JOIN LATERAL (SELECT routed FROM roots WHERE shop = $1 AND root = e.root OFFSET 0) r {PAYLOAD_FROM} {RECORD_FROM}"
    )
});

/// The hot statements of this file, for the test that looks at their plans.
pub(crate) fn statements() -> Vec<(&'static str, &'static str)> {
    vec![("route.unrouted", UNROUTED), ("route.facts", &UNROUTED_FACTS)]
}
