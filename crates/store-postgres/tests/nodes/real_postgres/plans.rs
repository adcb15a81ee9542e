//! The plan of each hot statement: no table is read whole, and each is read by its shop, which is what a distributed
//! database distributes it by.

use crate::support::*;
use store::Store;
use tidegate_store_postgres::hot_statements;

/// Tables that grow, as they stand in a plan.
const GROW: [&str; 11] = [
    "roots",
    "data_keys",
    "envelopes",
    "payloads",
    "unrouted",
    "webhook_ids",
    "deliveries",
    "lanes",
    "attempts",
    "standings",
    "external_refs",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_hot_statement_finds_its_rows_by_shop_and_index() {
    let database = Database::new().await;
    let schema = database.schema("plans").await;
    let store = schema.open().await;
    // Partitions are made when they are needed.
    append(&store, copy_of(&order("1"), 1)).await;
    put(&store, &[order("2")]).await;
    let claimed = claim(&store, "a", 2, 1).await.remove(0);
    store.advance(vec![begun(&claimed, 2)]).await.unwrap();
    // The tables are small: whether an index would serve is asked, not whether it is worth while today.
    let settings =
        "SET enable_seqscan = off; SET enable_bitmapscan = off; SET plan_cache_mode = force_generic_plan";
    schema.admin.batch_execute(settings).await.unwrap();
    let statements = hot_statements();
    assert!(statements.len() > 25, "{} statements", statements.len());
    let mut wrong = Vec::new();
    for (name, sql) in statements {
        schema.admin.batch_execute(&format!("PREPARE hot AS {sql}")).await.unwrap_or_else(|error| {
            panic!("{name}: {error:?}");
        });
        let values = "SELECT cardinality(parameter_types) FROM pg_prepared_statements WHERE name = 'hot'";
        let count: i32 = schema.admin.query_one(values, &[]).await.unwrap().get(0);
        let values = vec!["NULL"; usize::try_from(count).unwrap()].join(", ");
        let rows =
            schema.admin.query(&format!("EXPLAIN (COSTS OFF) EXECUTE hot({values})"), &[]).await.unwrap();
        let plan: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
        wrong.extend(misses(&plan).into_iter().map(|line| format!("{name}: {line}\n{}", plan.join("\n"))));
        schema.admin.batch_execute("DEALLOCATE hot").await.unwrap();
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    database.drop().await;
}

/// Lines of a plan that read a growing table whole, or not by its shop.
fn misses(plan: &[String]) -> Vec<&str> {
    let grows = |line: &str| GROW.iter().any(|table| line.contains(&format!(" on {table}")));
    let mut missed = Vec::new();
    for (at, line) in plan.iter().enumerate() {
        if !line.contains("Scan") || !grows(line) {
            continue;
        }
        let is_by_shop = |line: &&String| line.contains("Index Cond:") && line.contains("shop = ");
        if line.contains("Seq Scan")
            || !plan.get(at + 1..).unwrap_or_default().iter().take(2).any(|line| is_by_shop(&line))
        {
            missed.push(line.as_str());
        }
    }
    missed
}

#[test]
fn a_plan_that_reads_a_table_whole_or_not_by_shop_is_told() {
    let told = |plan: &[&str]| misses(&plan.iter().map(|line| (*line).to_owned()).collect::<Vec<_>>()).len();
    assert_eq!(
        told(&["Index Scan using lanes_due on lanes l", "  Index Cond: ((shop = $1) AND (system = $2))"]),
        0
    );
    assert_eq!(told(&["Index Scan using lanes_due on lanes l", "  Index Cond: (system = $2)"]), 1);
    assert_eq!(told(&["Seq Scan on deliveries d", "  Filter: (shop = $1)"]), 1);
    assert_eq!(told(&["Append", "  ->  Seq Scan on envelopes_20580 e", "        Filter: (shop = $1)"]), 1);
}
