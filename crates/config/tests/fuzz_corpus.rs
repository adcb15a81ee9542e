//! What fuzzing found worth keeping, run again: configurations (`fuzz/README.md`).

extern crate tidegate_config as config;

#[path = "../../../fuzz/checks/config.rs"]
mod checks;
#[path = "../../../fuzz/checks/replay.rs"]
mod replay;

#[test]
fn configurations() {
    replay::replay("config", checks::check);
}
