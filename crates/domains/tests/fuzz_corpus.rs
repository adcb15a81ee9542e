//! What fuzzing found worth keeping, run again: amounts, bodies and orders (`fuzz/README.md`).

extern crate tidegate_domains as domains;

#[path = "../../../fuzz/checks/amount.rs"]
mod amount;
#[path = "../../../fuzz/checks/body.rs"]
mod body;
#[path = "../../../fuzz/checks/order.rs"]
mod order;
#[path = "../../../fuzz/checks/replay.rs"]
mod replay;

#[test]
fn amounts() {
    replay::replay("amount", amount::check);
}

#[test]
fn bodies() {
    replay::replay("body", body::check);
}

#[test]
fn orders() {
    replay::replay("order", order::check);
}
