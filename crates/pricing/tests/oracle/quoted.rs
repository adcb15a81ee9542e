//! What the oracle's rules quote stands on the page, word for word: a sentence that is changed there is to be read again here.

const PAGE: &str = include_str!("../../../../docs/pricing.md");
const RULES: [(&str, &str); 5] = [
    ("mod.rs", include_str!("rules/mod.rs")),
    ("who.rs", include_str!("rules/who.rs")),
    ("price.rs", include_str!("rules/price.rs")),
    ("change.rs", include_str!("rules/change.rs")),
    ("ending.rs", include_str!("rules/ending.rs")),
];

/// Without line breaks and emphasis.
fn plain(text: &str) -> String {
    text.replace('*', "").split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What stands between quotation marks in the comments of an item, without what is left out by `[…]`.
fn quotations(source: &str) -> Vec<String> {
    let mut comments = vec![String::new()];
    for line in source.lines() {
        match (line.trim_start().strip_prefix("///"), comments.last_mut()) {
            (Some(text), Some(comment)) => comment.push_str(text),
            _ => comments.push(String::new()),
        }
    }
    let quoted = comments.iter().flat_map(|comment| comment.split('"').skip(1).step_by(2));
    let parts = quoted.flat_map(|quotation| quotation.split("[…]"));
    parts.map(|part| plain(part).trim_matches('.').to_owned()).filter(|part| !part.is_empty()).collect()
}

#[test]
fn what_the_oracle_quotes_stands_on_the_page() {
    let page = plain(PAGE);
    let mut seen = 0;
    for (file, source) in RULES {
        for quotation in quotations(source) {
            assert!(page.contains(&quotation), "rules/{file} quotes what the page does not say: {quotation}");
            seen += 1;
        }
    }
    assert!(seen >= 30, "{seen} quotations were found");
}
