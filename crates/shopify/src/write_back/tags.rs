//! The ERP's state as a tag of the order, for those who filter and automate by tags. Owns which tags are ours: those with
//! the configured beginning, which the canonical order leaves out. Others' tags are never touched.

use serde_json::Value;

/// What every tag of ours begins with: the canonical order leaves such tags out, so that our own write comes home as
/// *unchanged* (`domains::orders`).
pub(super) const OWN: &str = "tidegate";
/// shopify.dev: `tagsAdd`.
pub(super) const TAG_CHARS_MAX: usize = 40;
pub(super) const TAGS_MAX: usize = 250;

/// The tag of a state. A comma would part it in two in Shopify's other form, and a longer one would be refused.
pub(super) fn tag_of(beginning: &str, state: &str) -> String {
    let text: String = format!("{beginning}{state}").replace(',', " ");
    let text: Vec<&str> = text.split_whitespace().collect();
    text.join(" ").chars().take(TAG_CHARS_MAX).collect::<String>().trim_end().to_owned()
}

/// Shopify takes two spellings of one tag for one.
pub(super) fn same(one: &str, other: &str) -> bool {
    one.to_lowercase() == other.to_lowercase()
}

pub(super) fn holds(tags: &[String], tag: &str) -> bool {
    tags.iter().any(|known| same(known, tag))
}

/// The tags of a node, as they are spelled there.
pub(super) fn of(node: &Value) -> Vec<String> {
    let tags = node.get("tags").and_then(Value::as_array);
    tags.into_iter().flatten().filter_map(|tag| tag.as_str().map(str::to_owned)).collect()
}

/// Those with our beginning.
pub(super) fn own(beginning: &str, tags: Vec<String>) -> Vec<String> {
    let beginning = beginning.to_lowercase();
    tags.into_iter().filter(|tag| tag.to_lowercase().starts_with(&beginning)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_fits_into_shopify_whatever_the_erp_calls_its_state() {
        for (beginning, state, tag) in [
            ("tidegate:", "processing", "tidegate:processing"),
            ("tidegate ", " in  work, late ", "tidegate in work late"),
            (
                "tidegate:",
                "waiting for the approval of the purchasing department",
                "tidegate:waiting for the approval of the",
            ),
        ] {
            assert_eq!(tag_of(beginning, state), tag);
            assert!(tag_of(beginning, state).chars().count() <= TAG_CHARS_MAX);
        }
        let tags = ["Tidegate:Draft", "vip", "tidegates"].map(str::to_owned).to_vec();
        assert_eq!(own("tidegate:", tags.clone()), ["Tidegate:Draft"]);
        assert!(holds(&tags, "tidegate:draft") && !holds(&tags, "tidegate:done"));
    }
}
