//! The plans of the hot statements as they were looked at, made where it is hardest for the planner: on tables that are
//! empty and will grow. Each row is found by its whole key. They are the plans of one release of the server; on another
//! they may differ, and the test that asks only for shop and index (`nodes`) speaks.

use crate::support::{Database, connect, fact, order};
use store::Store;
use store::log::{DedupeKey, NewEnvelope};
use tidegate_store_postgres::{HOT_SETTINGS, hot_statements};

const RELEASE: &str = "15";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn real_postgres_plans_are_those_that_were_looked_at() {
    let database = Database::new("plans").await;
    let store = database.open().await;
    let new = NewEnvelope { dedupe: Some(DedupeKey([1; 16])), ..fact(&order("1")) };
    store.append(vec![new]).await.unwrap();
    let beside = connect(&database.url).await;
    let release: String = beside.query_one("SHOW server_version", &[]).await.unwrap().get(0);
    if release.split('.').next() != Some(RELEASE) {
        println!("the plans were looked at on PostgreSQL {RELEASE}; this is {release}");
        database.drop().await;
        return;
    }
    let settings = HOT_SETTINGS.replace("SET LOCAL", "SET");
    beside.batch_execute(&format!("SET plan_cache_mode = force_generic_plan{settings}")).await.unwrap();
    let mut plans = String::new();
    for (name, sql) in hot_statements() {
        beside.batch_execute(&format!("PREPARE hot AS {sql}")).await.unwrap();
        let values = "SELECT cardinality(parameter_types) FROM pg_prepared_statements WHERE name = 'hot'";
        let count: i32 = beside.query_one(values, &[]).await.unwrap().get(0);
        let values = vec!["NULL"; count.unsigned_abs() as usize].join(", ");
        let rows = beside.query(&format!("EXPLAIN (COSTS OFF) EXECUTE hot({values})"), &[]).await.unwrap();
        plans.push_str(&format!("--- {name}\n"));
        for row in rows {
            plans.push_str(&format!("{}\n", row.get::<_, String>(0)));
        }
        beside.batch_execute("DEALLOCATE hot").await.unwrap();
    }
    insta::assert_snapshot!(plans);
    database.drop().await;
}
