//! The proofs that have a command of their own, in a short version each: the real binary, killed, and the ledger from the
//! other side's books.

mod playing;

use serde_json::Value;
use std::process::{Command, Stdio};

fn tidegate(args: &[&str]) -> (Value, bool, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_tidegate"))
        .args(args)
        .env_remove("TIDEGATE_CONFIG")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let (out, told) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    // Why it ended is the last that it says.
    let answer = serde_json::from_str(out.trim())
        .unwrap_or_else(|error| panic!("{told}\n{}: no ledger ({error}): {out:?}", output.status));
    (answer, output.status.success(), told.into_owned())
}

#[test]
fn a_demo_loses_and_doubles_nothing_and_prints_one_object() {
    let (ledger, good, told) = tidegate(&["demo", "--orders", "200", "--seed", "7", "--json"]);
    assert!(good, "{told}");
    let count = |name: &str| ledger["orders"][name].as_u64().unwrap();
    assert_eq!((count("sent"), count("lost"), count("doubled")), (200, 0, 0), "{told}");
    assert_eq!(count("exported") + count("dead") + count("filtered"), 200);
    assert!(count("swept") > 0, "webhooks that were never sent are found by the sweep: {told}");
    assert!(ledger["kills"].as_u64().unwrap() >= 3);
    assert_eq!(ledger["amounts"]["wrong"], 0);
    assert!(
        ledger["lag_ms"]["p99"].as_u64().is_some() && ledger["webhooks"]["duplicates"].as_u64().unwrap() > 0
    );
}

#[test]
fn carts_are_told_the_right_price_whatever_fails_and_every_order_is_compared() {
    let (ledger, good, told) = tidegate(&["demo", "--prices", "--orders", "60", "--seed", "3", "--json"]);
    assert!(good, "{told}");
    let count = |name: &str| ledger["prices"][name].as_u64().unwrap();
    assert_eq!(
        (count("wrong"), count("unexplained"), count("not_compared"), count("misjudged")),
        (0, 0, 0, 0)
    );
    assert!(count("carts") > 0 && count("as_agreed") > 0 && count("differing") > 0, "{told}");
    assert!(count("live") > 0 && count("fallback") > 0, "the ERP prices some, and was away: {told}");
    assert_eq!(ledger["prices"]["is_held"], true, "{told}");
}

#[test]
fn the_shop_sells_what_the_warehouse_has_whatever_is_lost_and_a_full_check_finds_what_nobody_told() {
    let (ledger, good, told) =
        tidegate(&["demo", "--stock", "--pairs", "4000", "--orders", "100", "--seed", "5", "--json"]);
    assert!(good, "{told}");
    let stock = |name: &str| ledger["stock"][name].as_u64().unwrap();
    assert_eq!((stock("pairs"), stock("differing"), stock("oversold")), (4000, 0, 0), "{told}");
    assert!(stock("unlisted") > 0 && stock("found") > 0 && stock("untold") > 0, "{told}");
    assert!(stock("reserved") > 60, "{told}");
    assert_eq!((&ledger["orders"]["lost"], &ledger["orders"]["doubled"]), (&0.into(), &0.into()), "{told}");
}

#[test]
fn a_round_of_torture_is_survived_where_an_answer_can_only_be_looked_up() {
    let args =
        ["torture", "--minutes", "0", "--orders", "100", "--rate", "40", "--kills", "3", "--seed", "6"];
    let (tally, good, told) = tidegate(&[&args[..], &["--look-up", "--json"]].concat());
    assert!(good, "{told}");
    assert_eq!((&tally["rounds"], &tally["kills"]), (&1.into(), &3.into()));
    assert_eq!((&tally["orders"], &tally["lost"], &tally["doubled"]), (&100.into(), &0.into(), &0.into()));
}

/// Every file that the process writes, its log among them.
#[test]
fn a_process_that_can_write_nothing_for_a_while_answers_503_and_loses_nothing() {
    full("--disk-full=limit");
}

/// The file system under the hub's data: to its last byte, where one may be mounted.
#[test]
fn a_disk_that_fills_under_load_is_answered_503_and_loses_nothing() {
    full("--disk-full");
}

fn full(how: &str) {
    let round =
        ["torture", "--minutes", "0", "--orders", "60", "--rate", "30", "--kills", "0", "--seed", "7"];
    let (tally, good, told) = tidegate(&[&round[..], &[how, "--json"]].concat());
    assert!(good, "{how}: {told}");
    assert_eq!((&tally["disk_full"], &tally["orders"]), (&1.into(), &60.into()), "{told}");
    assert_eq!((&tally["lost"], &tally["doubled"]), (&0.into(), &0.into()), "{told}");
    assert!(tally["refused"].as_u64().unwrap() >= 3, "{how}: {told}");
}

/// The short version of `tidegate torture --rolling`: one process, restarted under load.
#[test]
fn a_restart_of_a_single_process_is_announced_and_costs_moments() {
    let (rolled, good, told) =
        tidegate(&["torture", "--rolling", "--minutes", "0", "--rate", "20", "--seed", "5", "--json"]);
    assert!(good, "{told}");
    assert_eq!((&rolled["lost"], &rolled["doubled"]), (&0.into(), &0.into()), "{told}");
    let restarts = &rolled["parts"][1];
    assert_eq!(restarts["restarts"], 3, "{told}");
    assert!(restarts["red_ms"].as_u64().unwrap() >= 500, "the announcement was too short: {told}");
    // Of a month's budget, three restarts may cost no thousandth each.
    assert!(rolled["all"]["down_ms"].as_u64().unwrap() < 15_000, "{told}");
}

/// The short version of `tidegate prove-tryton --orders 500 --kills 3`.
#[test]
fn real_tryton_gets_each_order_once_through_lost_answers_and_kills() {
    assert!(
        std::env::var("TRYTON_URL").is_ok(),
        "no Tryton: run `cargo xtask test`, or `cargo xtask services ensure tryton` and take over its lines"
    );
    let (ledger, good, told) =
        tidegate(&["prove-tryton", "--orders", "24", "--kills", "2", "--per-minute", "90", "--json"]);
    assert!(good, "{told}");
    let count = |name: &str| ledger["orders"][name].as_u64().unwrap();
    assert_eq!((count("sent"), count("lost"), count("doubled")), (24, 0, 0), "{told}");
    assert!(count("exported") > 10 && ledger["amounts"]["compared"].as_u64().unwrap() > 5, "{told}");
}

/// The short version of `tidegate prove-tryton --stock --orders 300 --changes 10000 --kills 3`. Full shelves: other tests sell
/// from them at the same time.
#[test]
fn real_tryton_tells_what_there_is_to_sell_ships_it_and_credits_what_was_given_back() {
    let play = ["prove-tryton", "--stock", "--orders", "12", "--changes", "100", "--others", "20"];
    let ways = ["--free", "20000", "--kills", "1", "--per-minute", "60", "--json"];
    let (ledger, good, told) = tidegate(&[&play[..], &ways].concat());
    assert!(good, "{told}");
    let stock = |name: &str| ledger["stock"][name].as_u64().unwrap();
    assert_eq!((stock("pairs"), stock("differing"), stock("oversold")), (40, 0, 0), "{told}");
    assert_eq!((stock("parcels_lost"), stock("parcels_doubled")), (0, 0), "{told}");
    assert!(stock("parcels") > 6 && stock("changes") >= 100, "{told}");
    let refunds = &ledger["stock"]["refunds"];
    assert!(
        refunds["refunds"].as_u64().unwrap() > 1 && refunds["lost"] == 0 && refunds["doubled"] == 0,
        "{told}"
    );
}
