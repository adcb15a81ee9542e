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

pub(crate) const DOCUMENTS: &[Document] = &[];

pub(crate) fn check(tree: &Tree, documents: &[Document]) -> Vec<Finding> {
    documents
        .iter()
        .flat_map(|document| [missing(tree, document), unguarded(tree, document)])
        .flatten()
        .collect()
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
