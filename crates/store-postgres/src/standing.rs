//! How subjects stand at their flows, for routing and for claims: one question for many.

use crate::bind::args;
use crate::codec;
use crate::desk::Desk;
use crate::error::Done;
use crate::view::external_of;
use futures_util::future::try_join;
use kernel::id::Position;
use std::collections::BTreeMap;
use store::delivery::Standing;

/// By root, child and flow.
pub(crate) type Standings = BTreeMap<(String, String, i32), Standing>;

impl Desk {
    /// All that is known of these roots. `system`: where a link is looked for that no target is known of; 0: nowhere.
    pub(crate) async fn standings(&self, shop: i32, roots: &[&str], system: i32) -> Done<Standings> {
        let known = async { self.all(STANDINGS, args![shop, roots, system]).await };
        let (known, open) = try_join(known, self.all(OPEN, args![shop, roots])).await?;
        let mut standings = Standings::new();
        for row in &known {
            let digest: Option<Vec<u8>> = row.try_get(6)?;
            let routed_position: Option<i64> = row.try_get(4)?;
            let is_linked = row.try_get::<_, Option<String>>(8)?.is_some();
            let standing = Standing {
                routed: codec::version(row.try_get(3)?)?,
                routed_position: routed_position.map(Position),
                delivered: codec::version(row.try_get(5)?)?,
                delivered_digest: digest.and_then(|bytes| codec::digest(&bytes)),
                attempted: row.try_get(7)?,
                external: if is_linked { Some(external_of(row, 8)?) } else { None },
                ..Standing::default()
            };
            standings.insert((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?), standing);
        }
        for row in &open {
            let standing = standings.entry((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?)).or_default();
            standing.reading = row.try_get(3)?;
            standing.waiting_condition = row.try_get(4)?;
        }
        Ok(standings)
    }
}

const STANDINGS: &str = "SELECT s.root, s.child, s.flow, s.routed, s.routed_position, s.delivered, s.digest, \
     s.attempted, x.object_key, x.id, x.number, x.state, x.created_at, x.adopted FROM unnest($2::text[]) AS n (root) CROSS JOIN LATERAL \
     (SELECT * FROM standings WHERE shop = $1 AND root = n.root OFFSET 0) s LEFT JOIN LATERAL (SELECT * \
     FROM external_refs WHERE shop = $1 AND root = s.root AND child = s.child \
     AND system = coalesce(s.target, $3) OFFSET 0) x ON true";

const OPEN: &str = "SELECT d.root, d.child, d.flow, bool_or(d.kind = 2), bool_or(d.phase = 0 AND d.wait = 3) \
     FROM unnest($2::text[]) AS n (root) CROSS JOIN LATERAL (SELECT * FROM deliveries \
     WHERE shop = $1 AND root = n.root AND phase < 3 AND phase < 2 OFFSET 0) d GROUP BY d.root, d.child, d.flow";

/// The hot statements of this file, for the test that looks at their plans.
pub(crate) const STATEMENTS: &[(&str, &str)] = &[("standing.known", STANDINGS), ("standing.open", OPEN)];
