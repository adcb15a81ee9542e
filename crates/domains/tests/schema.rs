//! The published JSON Schema is the one that the code has.

#[path = "support/mod.rs"]
#[expect(dead_code, reason = "this test uses one of the helpers")]
mod support;

use std::path::Path;

use tidegate_domains::orders::json_schema;

#[test]
fn the_published_schema_is_in_step() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/schema/order.schema.json");
    support::assert_file(&path, &json_schema().unwrap());
}
