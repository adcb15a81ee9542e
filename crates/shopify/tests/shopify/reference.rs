//! The published page of scopes is what the code makes.

use std::path::Path;

#[test]
fn the_page_of_scopes_is_in_step_with_the_code() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/scopes.md");
    let made = tidegate_shopify::reference::scopes();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&page, &made).unwrap();
    }
    let kept = std::fs::read_to_string(&page).unwrap_or_default();
    assert!(kept == made, "docs/scopes.md is not what the code makes: run this test with UPDATE_DOCS=1");
}
