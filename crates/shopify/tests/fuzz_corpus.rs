//! What fuzzing found worth keeping, run again: webhooks as intake judges them (`fuzz/README.md`).

extern crate tidegate_shopify as shopify;

#[path = "../../../fuzz/checks/intake.rs"]
mod intake;
#[path = "../../../fuzz/checks/replay.rs"]
mod replay;

#[test]
fn webhooks() {
    replay::replay("intake", intake::check);
}
