//! The published reference is what the code makes, and what it shows can be loaded.

use std::collections::BTreeMap;
use std::path::Path;
use tidegate_config as config;

#[test]
fn the_reference_is_in_step_with_the_code() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/configuration.md");
    let made = config::reference();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&page, &made).unwrap();
    }
    let kept = std::fs::read_to_string(&page).unwrap_or_default();
    assert!(
        kept == made,
        "docs/configuration.md is not what the code makes: run this test with UPDATE_DOCS=1"
    );
}

/// Every example and every default of the reference, taken from the page as a reader would.
#[test]
fn the_examples_of_the_reference_load() {
    let page = config::reference();
    let examples: String =
        page.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    let text = examples.replace("[\"acme\"]", "[\"main\"]");
    let reading = config::Config::from_text("page.toml", &text, Path::new("."), &BTreeMap::new(), &[]);
    assert!(reading.findings.is_empty(), "{}", config::render(&reading.findings));
    let config = reading.config;
    assert_eq!(config.flows.len(), 1);
    assert_eq!(config.systems.len(), 2);
    assert!(config.hub().is_some());
}
