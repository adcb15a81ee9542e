//! Two versions on one database: the version before runs on, and may start, on a schema that was only expanded; one that
//! was contracted refuses it, and is not contracted while such a node runs.

use crate::support::{Schema as Place, *};
use jiff::Timestamp;
use std::time::Duration;
use store::operate::Beat;
use store::{Schema, Store, StoreError};
use tidegate_store_postgres::{MIGRATIONS, Migration, PostgresStore, inspect};

const EXPAND: Migration = Migration {
    number: NOW + 1,
    name: "expand",
    sql: "ALTER TABLE attempts ADD COLUMN seen bigint NOT NULL DEFAULT 0; CREATE TABLE novelties (id bigint PRIMARY KEY)",
    oldest: 1,
};
const CONTRACT: Migration = Migration {
    number: NOW + 2,
    name: "contract",
    sql: "ALTER TABLE attempts DROP COLUMN seen",
    oldest: NOW + 1,
};
/// The newest schema of this program.
const NOW: u32 = 3;

static NEXT: [Migration; 4] = [MIGRATIONS[0], MIGRATIONS[1], MIGRATIONS[2], EXPAND];
static LAST: [Migration; 5] = [MIGRATIONS[0], MIGRATIONS[1], MIGRATIONS[2], EXPAND, CONTRACT];

async fn open(place: &Place, migrations: &'static [Migration]) -> Result<PostgresStore, StoreError> {
    let mut options = place.options(1);
    options.migrations = migrations;
    PostgresStore::open(options).await
}

/// As a node does twice a second.
async fn beat(store: &PostgresStore, node: &str, now: Timestamp) -> Result<Vec<Beat>, StoreError> {
    let beat = Beat { node: node.to_owned(), says: "{}".to_owned() };
    store.beat(beat, now, Duration::from_secs(3)).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_version_before_runs_beside_the_next_one_until_the_schema_is_contracted() {
    let database = Database::new().await;
    let schema = database.schema("versions").await;
    let old = open(&schema, MIGRATIONS).await.unwrap();
    beat(&old, "old", at(0)).await.unwrap();

    // Expanded beside a node that runs, which goes on; one of the version before may start.
    let next = open(&schema, &NEXT).await.unwrap();
    beat(&next, "next", at(0)).await.unwrap();
    append(&old, fact(&order("1"), "orders/updated")).await;
    append(&next, fact(&order("2"), "orders/updated")).await;
    let again = open(&schema, MIGRATIONS).await.unwrap();
    append(&again, fact(&order("3"), "orders/updated")).await;
    assert_eq!(beat(&again, "again", at(0)).await.unwrap().len(), 3);
    assert_eq!(old.unrouted(10).await.unwrap().len(), 3);
    let found = inspect::inspect(&schema.options(1)).await.unwrap();
    assert_eq!(found.schema, Some(Schema { number: NOW + 1, oldest: 1 }));
    assert_eq!(found.pending, [""; 0]);

    // Not contracted while a node runs that would miss what goes (its beats last for longer than anybody waits); nothing
    // of it was done.
    beat(&old, "old", at(60)).await.unwrap();
    let refused = open(&schema, &LAST).await.err();
    let beside = StoreError::TooOldBeside { number: NOW + 2, oldest: NOW + 1, running: NOW };
    assert_eq!(refused, Some(beside), "{refused:?}");
    append(&next, fact(&order("4"), "orders/updated")).await;

    // The old ones are gone: their last beats end while the migration waits.
    drop((old, again));
    let ends_at = at(2).as_nanosecond();
    let ends = format!("UPDATE leases SET ends_at = {ends_at} WHERE name = 'schema/{NOW}'");
    schema.admin.batch_execute(&ends).await.unwrap();
    let last = open(&schema, &LAST).await.unwrap();
    beat(&next, "next", at(0)).await.unwrap();
    append(&next, fact(&order("5"), "orders/updated")).await;
    append(&last, fact(&order("6"), "orders/updated")).await;
    let refused = open(&schema, MIGRATIONS).await.err();
    assert_eq!(refused, Some(StoreError::TooNew { found: NOW + 2, oldest: NOW + 1, known: NOW }));
    assert!(refused.unwrap().to_string().starts_with("TG-4009: "));
    assert_eq!(last.unrouted(10).await.unwrap().len(), 6);
    database.drop().await;
}

/// One that slept through it: it is told with its next beat.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_slept_through_a_contraction_is_told_with_its_next_beat() {
    let database = Database::new().await;
    let schema = database.schema("asleep").await;
    let asleep = open(&schema, MIGRATIONS).await.unwrap();
    beat(&asleep, "asleep", at(-60)).await.unwrap();
    drop(open(&schema, &LAST).await.unwrap());
    let told = beat(&asleep, "asleep", at(0)).await.err();
    assert_eq!(told, Some(StoreError::TooNew { found: NOW + 2, oldest: NOW + 1, known: NOW }));
    database.drop().await;
}

/// A table that a long transaction holds: the migration lets those behind it go on, and has it later.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_migration_does_not_stop_the_nodes_while_it_waits_for_a_table() {
    let database = Database::new().await;
    let schema = database.schema("waits").await;
    let old = open(&schema, MIGRATIONS).await.unwrap();
    let holder = connect(&schema.url).await;
    holder.batch_execute("BEGIN; LOCK TABLE attempts IN ACCESS SHARE MODE").await.unwrap();
    let migrating = async { open(&schema, &NEXT).await.unwrap() };
    let working = async {
        // It has waited once, and let go.
        let waited = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'attempts'::regclass";
        while schema.count(waited).await == 0 {}
        while schema.count(waited).await > 0 {}
        append(&old, fact(&order("1"), "orders/updated")).await;
        // Asks for the very table: at once, or when the migration lets go again.
        old.life(&shop(), "order:1").await.unwrap();
        holder.batch_execute("ROLLBACK").await.unwrap();
    };
    let (next, ()) = tokio::join!(migrating, working);
    assert_eq!(next.unrouted(10).await.unwrap().len(), 1);
    database.drop().await;
}
