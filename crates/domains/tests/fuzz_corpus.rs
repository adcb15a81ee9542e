//! What fuzzing found worth keeping, run again: amounts, bodies, orders and what comes with them, and stock (`fuzz/README.md`).

extern crate tidegate_domains as domains;

#[path = "../../../fuzz/checks/amount.rs"]
mod amount;
#[path = "../../../fuzz/checks/body.rs"]
mod body;
#[path = "../../../fuzz/checks/order.rs"]
mod order;
#[path = "../../../fuzz/checks/papers.rs"]
mod papers;
#[path = "../../../fuzz/checks/replay.rs"]
mod replay;
#[path = "../../../fuzz/checks/stock.rs"]
mod stock;
#[path = "../../../fuzz/checks/stock_file.rs"]
mod stock_file;

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

#[test]
fn papers() {
    replay::replay("papers", papers::check);
}

#[test]
fn stock() {
    replay::replay("stock", stock::check);
}

#[test]
fn stock_files() {
    replay::replay("stock_file", stock_file::check);
}
