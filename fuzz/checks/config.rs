//! `tidegate.toml`, alone and with flags over it. A finding can always be shown, two readings are the same, and what is
//! read without a finding has a hub.

use config::Config;
use std::collections::BTreeMap;
use std::path::Path;

pub(crate) fn check(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    // Lines `#set key=value` play the part of `--set` flags.
    let flag =
        |line: &str| line.strip_prefix("#set ")?.split_once('=').map(|(k, v)| (k.to_owned(), v.to_owned()));
    let flags: Vec<_> = text.lines().filter_map(flag).collect();
    let read = || Config::from_text("tidegate.toml", text, Path::new("conf"), &BTreeMap::new(), &flags);
    let (once, twice) = (read(), read());
    assert_eq!(once.findings, twice.findings);
    let shown = config::render(&once.findings);
    assert_eq!(shown.is_empty(), once.findings.is_empty());
    if let Ok(config) = once.finish() {
        assert!(config.hub().is_some());
        assert_eq!(config::revision(&config), config::revision(&twice.config));
    }
}
