//! The corpus once more, without a fuzzer: what it found once is run by every test run.

/// Runs a check on each input that is kept for a target; a test shows the name of the one that failed.
pub(crate) fn replay(target: &str, check: fn(&[u8])) {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(target);
    let entries = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut inputs: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    inputs.sort();
    assert!(!inputs.is_empty(), "{} is empty", folder.display());
    for path in inputs {
        println!("{}", path.display());
        check(&std::fs::read(&path).unwrap());
    }
}
