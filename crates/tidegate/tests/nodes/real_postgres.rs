//! What several nodes promise together.

use crate::folder::Folder;
use crate::node::*;
use std::time::Duration;
use twin::erp::FaultsOn;

/// The short version of `tidegate demo --store postgres --nodes 3`.
#[test]
fn nodes_that_are_killed_lose_and_double_nothing_and_keep_the_order_of_each_lane() {
    let url = server();
    let nodes = ["--store", "postgres", "--nodes", "2", "--postgres-url", &url];
    let (ledger, told) = demo(&[&nodes[..], &["--orders", "150", "--rate", "20", "--seed", "7"]].concat());
    let count = |name: &str| ledger["orders"][name].as_u64().unwrap();
    assert_eq!((count("sent"), count("lost"), count("doubled")), (150, 0, 0), "{told}");
    assert_eq!(count("exported") + count("dead") + count("filtered"), 150, "{told}");
    assert_eq!((&ledger["out_of_order"], &ledger["holds"]), (&0.into(), &true.into()), "{told}");
    assert_eq!(ledger["kills"], 2, "{told}");
}

/// The short version of `tidegate torture --rolling --store postgres`: what may not start does not, `/readyz` is red before
/// a port closes, the ledger holds.
#[test]
fn two_versions_run_side_by_side_through_an_upgrade_a_roll_back_and_a_contraction() {
    let (rolled, told) =
        said(&["torture", "--rolling", "--minutes", "0", "--rate", "10", "--seed", "4"], true);
    assert_eq!((&rolled["lost"], &rolled["doubled"]), (&0.into(), &0.into()), "{told}");
    assert_eq!((&rolled["out_of_order"], &rolled["wrong"]), (&0.into(), &serde_json::json!([])), "{told}");
    let parts = rolled["parts"].as_array().unwrap();
    let restarts: u64 = parts.iter().map(|part| part["restarts"].as_u64().unwrap()).sum();
    assert_eq!(restarts, 8, "two nodes: the next version, back, again, and the one after: {told}");
    assert!(told.contains("TG-4009") && told.contains("TG-4010"), "{told}");
    // The objective is looked at by the long version; a busy machine may be late with an answer or two.
    assert!(rolled["bad_ppm"].as_u64().unwrap() <= 10_000, "{told}");
}

/// SIGKILL to the PostgreSQL itself, while two nodes work on it.
#[test]
fn a_postgres_that_is_killed_under_two_nodes_loses_and_doubles_nothing() {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../services/postgres.sh");
    let round =
        ["torture", "--minutes", "0", "--nodes", "2", "--orders", "60", "--rate", "20", "--kills", "0"];
    let (tally, told) = said(&[&round[..], &["--seed", "3", "--own-postgres", script]].concat(), false);
    assert_eq!((&tally["orders"], &tally["server_kills"]), (&60.into(), &1.into()), "{told}");
    assert_eq!((&tally["lost"], &tally["doubled"]), (&0.into(), &0.into()), "{told}");
}

/// A node dies with calls under way that the ERP has carried out and not answered yet. The other takes them over when
/// their leases end, looks them up and finds them.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_dead_node_had_under_way_is_taken_over_looked_up_and_not_sent_again() {
    const ORDERS: u64 = 12;
    let world = World::new("takeover").await;
    world.erp.turn(|knobs| {
        knobs.faults_on = FaultsOn::Creates;
        knobs.slow_answer_per_mille = 1000;
        knobs.slow_answer_ms = 60_000;
    });
    let mut first = Node::start(&world, 1, &[]).await;
    let mut second = Node::start(&world, 2, &[]).await;
    world.orders(ORDERS);
    // Both have called, and neither was answered.
    let held_by = |node: &Node| format!("SELECT count(*) FROM lanes WHERE owner = '{}'", node.name);
    let both = format!(
        "SELECT count(DISTINCT owner) FROM lanes WHERE owner IN ('{}', '{}')",
        first.name, second.name
    );
    world.until(&both, 2).await;
    world.erp.until(|ledger| ledger.creates >= 6).await;
    let dead = held_by(&first);
    first.kill();
    let under_way: i64 = world.database.query_one(&dead, &[]).await.unwrap().get(0);
    assert!(under_way > 0, "it died with nothing under way");
    world.erp.turn(|knobs| knobs.slow_answer_per_mille = 0);

    // The lease is of ten seconds, and the other looks every second; the rest is for a busy machine.
    let taken = tokio::time::timeout(Duration::from_secs(10 + 1 + 6), world.until(&dead, 0)).await;
    assert!(taken.is_ok(), "a dead node's lanes were not taken over in time");
    world.erp.until(|ledger| ledger.creates >= ORDERS).await;
    // None is without an answer any more.
    world.until("SELECT count(*) FROM deliveries WHERE phase = 1", 0).await;
    second.says("nobody knows yet whether erp acted").await;
    let ledger = world.erp.ledger();
    assert_eq!((ledger.creates, ledger.references, ledger.doubled), (ORDERS, ORDERS, 0), "{ledger:?}");
    assert_eq!(ledger.replays, 0, "nothing was sent again");
    // The operator's commands work on the database itself where no node runs in this folder.
    let proof = world.folder.json(&["status"]);
    assert!(proof["log"]["envelopes"].as_u64().unwrap() >= ORDERS, "{proof}");
    // What came by just then (the shop tells of each number that is written back) is routed too.
    world.until("SELECT count(*) FROM unrouted", 0).await;
    drop((first, second));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_with_another_configuration_takes_no_work_and_a_restart_undoes_no_roll_out() {
    let world = World::new("revisions").await;
    let apart = "another configuration is in force";
    let mut old = Node::start(&world, 1, &[]).await;
    let mut new = Node::start(&world, 2, &["systems.erp.retry.attempts_max=9"]).await;
    // The first node of a new configuration puts it in force.
    old.says(apart).await;
    world.orders(6);
    world.erp.until(|ledger| ledger.creates >= 6).await;
    let of_the_old = "SELECT count(*) FROM attempts WHERE revision <> (SELECT id FROM names WHERE name = (SELECT revision FROM \
                      installation))";
    world.until(of_the_old, 0).await;
    assert!(!new.has_said(apart));
    // A node of the old one that is restarted does not undo that.
    old.kill();
    let mut old = Node::start(&world, 1, &[]).await;
    old.says(apart).await;
    assert!(!new.has_said(apart));
    // With the last node of the new one the old one is in force again: a roll-back, or a crash, is no outage.
    new.kill();
    old.says("is in force again").await;
    drop((old, new));
    world.end().await;
}

#[test]
fn a_node_says_what_it_needs_of_its_postgres() {
    let folder = Folder::new();
    let path = folder.path("tidegate.toml");
    let text = std::fs::read_to_string(&path).unwrap() + "\n[store]\nurl = \"env:NO_SUCH_POSTGRES\"\n";
    std::fs::write(&path, text).unwrap();
    let said = folder.tidegate(&["check"]);
    assert_eq!(said.code, Some(3), "{said:?}");
    assert!(
        said.err.contains("NO_SUCH_POSTGRES is not set") || said.out.contains("NO_SUCH_POSTGRES is not set"),
        "{said:?}"
    );
}
