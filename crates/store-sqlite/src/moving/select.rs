//! From where the columns of a row come: one expression for each, three for a root (its kind, number and key).

use store::moving::Table;
use store::moving::Table as T;

/// How a table is read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Select {
    /// In whose order, unique.
    pub key: &'static [&'static str],
    pub columns: &'static str,
    pub from: &'static str,
    /// A condition that always holds where there is no other.
    pub only: &'static str,
}

/// Nanoseconds of a day: what the partitions of the other store go by.
macro_rules! day {
    ($time:literal) => {
        concat!($time, " / 86400000000000")
    };
}

macro_rules! of_root {
    ($table:literal) => {
        concat!($table, " LEFT JOIN roots r ON r.id = ")
    };
}

pub(super) fn select(table: Table) -> Select {
    let (key, columns, from): (&[&str], &str, &str) = match table {
        T::Roots => (
            &["r.id"],
            "r.shop, r.kind, r.number, r.key, r.label, r.customer, r.created_at, r.updated_at",
            "roots r",
        ),
        T::DataKeys => (
            &["k.id"],
            "k.shop, r.kind, r.number, r.key, k.id, k.master, k.wrapped",
            concat!(of_root!("data_keys k"), "k.root"),
        ),
        T::Envelopes => (
            &["e.position"],
            concat!(
                "e.shop, ",
                day!("e.received_at"),
                ", e.position, r.kind, r.number, r.key, e.child, e.domain, e.source, e.topic, e.kind, e.via, e.version, \
                 e.occurred_at, e.received_at, e.trace, e.raw_hash, e.raw_bytes, e.routed_at"
            ),
            concat!(of_root!("envelopes e"), "e.root"),
        ),
        T::Payloads => (
            &["p.position"],
            concat!("e.shop, ", day!("e.received_at"), ", p.position, p.data_key, p.codec, p.body"),
            "payloads p LEFT JOIN envelopes e ON e.position = p.position",
        ),
        T::Deliveries => (
            &["d.id"],
            concat!(
                "d.shop, d.id, r.kind, r.number, r.key, d.child, d.position, ",
                day!("e.received_at"),
                ", d.flow, d.system, d.kind, d.phase, d.due_at, d.wait, d.detail, d.secret, d.version, d.priority, \
                 d.spent, d.failures, d.calls, d.created_at, d.changed_at, d.ended_at, \
                 (SELECT a.started_at / 86400000000000 FROM attempts a WHERE a.delivery = d.id ORDER BY a.id DESC LIMIT 1), \
                 d.touched"
            ),
            "deliveries d LEFT JOIN roots r ON r.id = d.root LEFT JOIN envelopes e ON e.position = d.position",
        ),
        T::Attempts => (
            &["a.id"],
            concat!(
                "a.shop, ",
                day!("a.started_at"),
                ", a.id, r.kind, r.number, r.key, a.delivery, a.step, a.revision, a.call_key, a.started_at, a.ended_at, \
                 a.by_look_up, a.fault, f.call"
            ),
            "attempts a LEFT JOIN roots r ON r.id = a.root LEFT JOIN frozen_calls f ON f.attempt = a.id",
        ),
        T::Standings => (
            &["s.shop", "s.root", "s.child", "s.flow"],
            "s.shop, r.kind, r.number, r.key, s.child, s.flow, s.target, s.routed, s.routed_position, s.delivered, \
             s.digest, s.attempted, s.newest",
            concat!(of_root!("standings s"), "s.root"),
        ),
        T::ExternalRefs => (
            &["x.shop", "x.root", "x.child", "x.system"],
            "x.shop, r.kind, r.number, r.key, x.child, x.system, x.object_key, x.id, x.number, x.state, x.created_at, \
             x.adopted",
            concat!(of_root!("external_refs x"), "x.root"),
        ),
        T::Records => (
            &["c.shop", "c.root", "c.child", "c.source"],
            "c.shop, r.kind, r.number, r.key, c.child, c.source, c.revision, c.body",
            concat!(of_root!("records c"), "c.root"),
        ),
        // Of which shop a lag was is not kept: all stand at the first one.
        T::Lags => (&["l.id"], "(SELECT min(shop) FROM roots), l.ended_at, l.flow, l.lag_ms", "lags l"),
        T::Abouts => (
            &["b.shop", "b.root", "b.child"],
            "b.shop, r.kind, r.number, r.key, b.child, b.label, b.customer, b.created_at, b.updated_at",
            concat!(of_root!("abouts b"), "b.root"),
        ),
        T::DeadLetters => (
            &["l.delivery"],
            "l.shop, l.delivery, r.kind, r.number, r.key, d.system, (SELECT name FROM names WHERE id = l.fingerprint), \
             l.open, l.kind, l.code, l.field, l.fault, w.hash, l.dead_at, l.closed_at, l.closed_who, l.closed_why",
            "dead_letters l LEFT JOIN deliveries d ON d.id = l.delivery LEFT JOIN roots r ON r.id = l.root \
             LEFT JOIN awaited w ON w.id = l.awaits",
        ),
        T::Lanes => (
            &["l.shop", "l.root", "l.system"],
            "l.shop, r.kind, r.number, r.key, l.system, nullif(l.flow, 0), l.priority, l.due_at, l.waiting, l.unknown, \
             l.dead, l.oldest",
            concat!(of_root!("lanes l"), "l.root"),
        ),
        T::Awaited => {
            (&["w.id"], "w.shop, w.system, w.hash, w.reference, w.looks, w.next_look_at", "awaited w")
        }
        T::Topics => (&["t.shop", "t.topic"], "t.shop, t.topic, 0, t.last, t.count", "topics t"),
        T::Pauses => (&["p.scope"], "p.scope, p.who, p.why, p.at, p.ends_at", "pauses p"),
        T::Audit => (&["a.id"], "a.id, a.at, a.who, a.action, a.target, a.why, a.count", "audit a"),
        T::Cursors => (&["c.name"], "c.name, c.value", "cursors c"),
        T::Certificates => (&["c.id"], "c.id, c.certificate", "certificates c"),
        T::Installation => (
            &["i.one"],
            "i.one, i.id, i.created_at, i.epoch, i.key_check, i.master, i.revision, i.place",
            "installation i",
        ),
        // In eight tables: read by its own file.
        T::WebhookIds => (&[], "", ""),
    };
    let only = if table == T::Cursors { "c.name NOT LIKE 'store.%'" } else { "true" };
    Select { key, columns, from, only }
}
