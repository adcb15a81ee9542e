//! The end of a copy: what a store keeps beside the rows that moved, and the row that makes it one.

use super::NO_NOTE;
use super::binary::Encoder;
use crate::error::{Done, bug};
use crate::names::Names;
use crate::session::Session;
use store::moving::{Batch, Table};

/// What follows from the rows: what waits for routing, sums by shop, and sequences that go on behind what was copied.
/// (A number of a data key is drawn with twenty digits of chance behind it.)
const FOLLOWS: &str = "\
    INSERT INTO unrouted (shop, position, day, root, node) \
        SELECT shop, position, day, root, 'moved' FROM envelopes WHERE routed_at IS NULL; \
    INSERT INTO tallies (shop, slot, envelopes, payload_bytes) \
        SELECT e.shop, 0, e.count, coalesce(p.bytes, 0) FROM \
        (SELECT shop, count(*) AS count FROM envelopes GROUP BY shop) e LEFT JOIN \
        (SELECT shop, sum(length(body))::int8 AS bytes FROM payloads GROUP BY shop) p ON p.shop = e.shop; \
    SELECT setval('positions', greatest((SELECT max(position) FROM envelopes), 1)), \
        setval('delivery_ids', greatest((SELECT max(id) FROM deliveries), 1)), \
        setval('attempt_ids', greatest((SELECT max(id) FROM attempts), 1)), \
        setval('data_key_ids', coalesce((SELECT max(id) FROM data_keys), 0) / 1048576 + 1), \
        setval(pg_get_serial_sequence('audit', 'id'), greatest((SELECT max(id) FROM audit), 1)); \
    DELETE FROM installation";

pub(super) async fn finish(session: &mut Session, installation: &Batch) -> Done<()> {
    if installation.rows.len() != 1 {
        return Err(bug("a store has one installation"));
    }
    session.begin("BEGIN").await?;
    session.batch(FOLLOWS).await?;
    let names = Names::default();
    let encoder = Encoder::new(Table::Installation, &names);
    session.copy_in(&encoder.sql(), encoder.encode(&installation.rows)?).await?;
    let notes = format!("DELETE FROM cursors WHERE NOT ({NO_NOTE})");
    session.batch(&notes).await?;
    session.commit(Vec::new(), None).await?;
    // Plans are made for what is there.
    session.batch("ANALYZE").await
}
