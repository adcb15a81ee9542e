//! What fuzzing found worth keeping, run again: mapping files (`fuzz/README.md`).

extern crate tidegate_mapping as mapping;

#[path = "../../../fuzz/checks/mapping.rs"]
mod checks;
#[path = "../../../fuzz/checks/replay.rs"]
mod replay;

#[test]
fn mappings() {
    replay::replay("mapping", checks::check);
}
