//! The tables that are state, with the columns that move.

use Kind::{AnyName, Bool, Bytes, Int, Name, Shop, Small, Text};

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Fits in 32 bits.
    Small,
    Int,
    Bool,
    Text,
    Bytes,
    Name,
    /// A name, or none for several of them.
    AnyName,
    Shop,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    pub name: &'static str,
    pub kind: Kind,
}

/// In the order in which they are copied: what names others comes after them; the installation, with which a store is
/// one, comes last and apart from them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Table {
    Roots,
    DataKeys,
    Envelopes,
    Payloads,
    Deliveries,
    Attempts,
    Standings,
    ExternalRefs,
    Records,
    WebhookIds,
    Lags,
    Abouts,
    DeadLetters,
    Lanes,
    Awaited,
    Topics,
    Pauses,
    Audit,
    Cursors,
    Certificates,
    Installation,
}

macro_rules! columns {
    ($($name:ident $kind:ident),+ $(,)?) => {
        &[$(Column { name: stringify!($name), kind: $kind }),+]
    };
}

impl Table {
    pub const ALL: [Table; 21] = [
        Table::Roots,
        Table::DataKeys,
        Table::Envelopes,
        Table::Payloads,
        Table::Deliveries,
        Table::Attempts,
        Table::Standings,
        Table::ExternalRefs,
        Table::Records,
        Table::WebhookIds,
        Table::Lags,
        Table::Abouts,
        Table::DeadLetters,
        Table::Lanes,
        Table::Awaited,
        Table::Topics,
        Table::Pauses,
        Table::Audit,
        Table::Cursors,
        Table::Certificates,
        Table::Installation,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Table::Roots => "roots",
            Table::DataKeys => "data_keys",
            Table::Envelopes => "envelopes",
            Table::Payloads => "payloads",
            Table::Deliveries => "deliveries",
            Table::Attempts => "attempts",
            Table::Standings => "standings",
            Table::ExternalRefs => "external_refs",
            Table::Records => "records",
            Table::WebhookIds => "webhook_ids",
            Table::Lags => "lags",
            Table::Abouts => "abouts",
            Table::DeadLetters => "dead_letters",
            Table::Lanes => "lanes",
            Table::Awaited => "awaited",
            Table::Topics => "topics",
            Table::Pauses => "pauses",
            Table::Audit => "audit",
            Table::Cursors => "cursors",
            Table::Certificates => "certificates",
            Table::Installation => "installation",
        }
    }

    pub fn columns(self) -> &'static [Column] {
        match self {
            Table::Roots => {
                columns!(shop Shop, root Text, label Text, customer Text, created_at Int, updated_at Int)
            }
            Table::DataKeys => columns!(shop Shop, root Text, id Int, master Small, wrapped Bytes),
            Table::Envelopes => columns!(
                shop Shop, day Small, position Int, root Text, child Text, domain Name, source Name, topic Name,
                kind Small, via Small, version Bytes, occurred_at Int, received_at Int, trace Bytes, raw_hash Bytes,
                raw_bytes Int, routed_at Int
            ),
            Table::Payloads => {
                columns!(shop Shop, day Small, position Int, data_key Int, codec Small, body Bytes)
            }
            Table::Deliveries => columns!(
                shop Shop, id Int, root Text, child Text, position Int, day Small, flow Name, system Name,
                kind Small, phase Small, due_at Int, wait Small, detail Text, secret Bytes, version Bytes,
                priority Small, spent Small, failures Small, calls Small, created_at Int, changed_at Int,
                ended_at Int, attempt_day Small, touched Small
            ),
            Table::Attempts => columns!(
                shop Shop, day Small, id Int, root Text, delivery Int, step Name, revision Name, call_key Text,
                started_at Int, ended_at Int, by_look_up Bool, fault Bytes, call Bytes
            ),
            Table::Standings => columns!(
                shop Shop, root Text, child Text, flow Name, target Name, routed Bytes, routed_position Int,
                delivered Bytes, digest Bytes, attempted Bool, newest Int
            ),
            Table::ExternalRefs => columns!(
                shop Shop, root Text, child Text, system Name, object_key Text, id Text, number Text, state Text,
                created_at Int, adopted Bool
            ),
            Table::Records => {
                columns!(shop Shop, root Text, child Text, source Name, revision Int, body Bytes)
            }
            Table::WebhookIds => columns!(shop Shop, day Small, id Bytes, body Bytes),
            Table::Lags => columns!(shop Shop, ended_at Int, flow Name, lag_ms Int),
            Table::Abouts => columns!(
                shop Shop, root Text, child Text, label Text, customer Text, created_at Int, updated_at Int
            ),
            Table::DeadLetters => columns!(
                shop Shop, delivery Int, root Text, system Name, fingerprint Text, open Bool, kind Small,
                code Text, field Text, fault Bytes, awaits Bytes, dead_at Int, closed_at Int, closed_who Text,
                closed_why Text
            ),
            Table::Lanes => columns!(
                shop Shop, root Text, system Name, flow AnyName, priority Small, due_at Int, waiting Small,
                unknown Small, dead Small, oldest Int
            ),
            Table::Awaited => columns!(
                shop Shop, system Name, hash Bytes, reference Bytes, looks Small, next_look_at Int
            ),
            Table::Topics => columns!(shop Shop, topic Name, slot Small, last Int, count Int),
            Table::Pauses => columns!(scope Text, who Text, why Text, at Int, ends_at Int),
            Table::Audit => {
                columns!(id Int, at Int, who Text, action Text, target Text, why Text, count Int)
            }
            Table::Cursors => columns!(name Text, value Text),
            Table::Certificates => columns!(id Text, certificate Text),
            Table::Installation => columns!(
                one Small, id Text, created_at Int, epoch Small, key_check Bytes, master Small, revision Text,
                place Text
            ),
        }
    }

    /// Where a column stands.
    pub fn index(self, name: &str) -> Option<usize> {
        self.columns().iter().position(|column| column.name == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_table_moves_once_and_the_installation_last() {
        let mut names: Vec<&str> = Table::ALL.iter().map(|table| table.name()).collect();
        assert_eq!(names.last(), Some(&"installation"));
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Table::ALL.len());
        for table in Table::ALL {
            for (index, column) in table.columns().iter().enumerate() {
                assert_eq!(table.index(column.name), Some(index), "{}.{}", table.name(), column.name);
            }
        }
    }
}
