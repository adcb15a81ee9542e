//! What fuzzing found worth keeping, run again: files of prices (`fuzz/README.md`).

extern crate tidegate_price_store as price_store;

#[path = "../../../fuzz/checks/price_file.rs"]
mod price_file;
#[path = "../../../fuzz/checks/replay.rs"]
mod replay;

#[test]
fn price_files() {
    replay::replay("price_file", price_file::check);
}
