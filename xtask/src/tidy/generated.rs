//! Documents that are made from the code. The crate that owns what is written makes the document and
//! has the test that fails when it is out of step; here only that document and test are both there.

use super::{Finding, Tree};

/// A document, and the test that compares it with the code.
#[derive(Debug)]
pub(crate) struct Document {
    pub(crate) path: &'static str,
    pub(crate) test_file: &'static str,
    pub(crate) test: &'static str,
}

pub(crate) const DOCUMENTS: &[Document] = &[
    Document {
        path: "docs/configuration.md",
        test_file: "crates/config/tests/reference.rs",
        test: "the_reference_is_in_step_with_the_code",
    },
    Document {
        path: "docs/cli.md",
        test_file: "crates/tidegate/src/cli/reference.rs",
        test: "the_reference_is_in_step_with_the_commands",
    },
    Document {
        path: "docs/schema/order.schema.json",
        test_file: "crates/domains/tests/schema.rs",
        test: "the_published_schema_is_in_step",
    },
    Document {
        path: "docs/schema/stock.schema.json",
        test_file: "crates/domains/tests/schema.rs",
        test: "the_published_schema_of_stock_is_in_step",
    },
    Document {
        path: "docs/schema/payment.schema.json",
        test_file: "crates/domains/tests/schema.rs",
        test: "the_published_schema_of_payments_is_in_step",
    },
    Document {
        path: "docs/schema/refund.schema.json",
        test_file: "crates/domains/tests/schema.rs",
        test: "the_published_schema_of_refunds_is_in_step",
    },
    Document {
        path: "docs/schema/shipment.schema.json",
        test_file: "crates/domains/tests/schema.rs",
        test: "the_published_schema_of_shipments_is_in_step",
    },
    Document {
        path: "crates/twin/schema/admin-2026-10.graphql",
        test_file: "xtask/src/schema.rs",
        test: "the_committed_extract_is_what_the_published_schema_gives",
    },
    Document {
        path: "crates/twin/schema/scopes.json",
        test_file: "xtask/src/schema.rs",
        test: "the_committed_extract_is_what_the_published_schema_gives",
    },
];

/// What a generated document says in its first lines.
const MARK: &str = "do not edit";

pub(crate) fn check(tree: &Tree, documents: &[Document]) -> Vec<Finding> {
    let known = documents.iter().flat_map(|document| [missing(tree, document), unguarded(tree, document)]);
    known.flatten().chain(unknown(tree, documents)).collect()
}

/// Documents that say they are generated and that nothing keeps in step.
fn unknown(tree: &Tree, documents: &[Document]) -> Vec<Finding> {
    let says_so = |text: &str| text.lines().take(5).any(|line| line.to_lowercase().contains(MARK));
    let is_known = |path: &str| documents.iter().any(|document| document.path == path);
    let found = tree.texts().filter(|f| f.path.starts_with("docs/") && says_so(f.text) && !is_known(f.path));
    let todo = "add it with its test to DOCUMENTS in xtask/src/tidy/generated.rs";
    found.map(|file| Finding::new(file.path, 0, "generated, and no test keeps it in step", todo)).collect()
}

fn missing(tree: &Tree, document: &Document) -> Option<Finding> {
    let todo = format!("make it: the test `{}` in {} says how", document.test, document.test_file);
    (!tree.has(document.path))
        .then(|| Finding::new(document.path, 0, "the generated document is missing", todo))
}

fn unguarded(tree: &Tree, document: &Document) -> Option<Finding> {
    let source = tree.text(document.test_file).unwrap_or_default();
    let is_there = source.contains(&format!("fn {}(", document.test));
    let what = format!("the test `{}`, which keeps {} in step, is not here", document.test, document.path);
    let todo = "bring it back, or mend DOCUMENTS in xtask/src/tidy/generated.rs";
    (!is_there).then(|| Finding::new(document.test_file, 0, what, todo))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn planted_faults_are_found() {
        let documents =
            [Document { path: "docs/a.md", test_file: "crates/a/tests/a.rs", test: "is_in_step" }];
        for (files, expected) in [
            (vec![("docs/a.md", ""), ("crates/a/tests/a.rs", "fn is_in_step() {}")], ""),
            (
                vec![("crates/a/tests/a.rs", "fn is_in_step() {}")],
                "docs/a.md: the generated document is missing",
            ),
            (
                vec![("docs/a.md", ""), ("crates/a/tests/a.rs", "fn other() {}")],
                "the test `is_in_step`, which",
            ),
            (
                vec![("docs/a.md", "")],
                "crates/a/tests/a.rs: the test `is_in_step`, which keeps docs/a.md in step",
            ),
        ] {
            let found: Vec<_> = check(&Tree::of(&files), &documents).iter().map(Finding::to_string).collect();
            assert_eq!(found.is_empty(), expected.is_empty(), "{files:?}: {found:?}");
            assert!(found.join("\n").contains(expected), "{files:?}: {found:?}");
        }
    }
}
