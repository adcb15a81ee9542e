//! The text files of the project as git knows them: committed, or new and not ignored. Binary files
//! are listed, so that links to them resolve, and have no text.

use crate::process;
use anyhow::{Context, Result};
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

/// One file: its path from the root with `/`, and its text.
#[derive(Debug)]
pub(crate) struct File<'a> {
    pub(crate) path: &'a str,
    pub(crate) text: &'a str,
}

#[derive(Debug, Default)]
pub(crate) struct Tree {
    files: BTreeMap<String, Option<String>>,
}

impl Tree {
    pub(crate) fn read(root: &Path) -> Result<Self> {
        let mut git = Command::new("git");
        git.current_dir(root).args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
        let listed = process::capture(&mut git).context("tidy asks git which files belong to the project")?;
        let mut files = BTreeMap::new();
        for path in listed.split('\0').filter(|path| !path.is_empty()) {
            let full = root.join(path);
            // Deleted and not yet committed, or a link to a folder.
            if !full.is_file() {
                continue;
            }
            let bytes = std::fs::read(&full).with_context(|| format!("cannot read {path}"))?;
            files.insert(path.to_owned(), String::from_utf8(bytes).ok());
        }
        Ok(Self { files })
    }

    pub(crate) fn texts(&self) -> impl Iterator<Item = File<'_>> {
        self.files.iter().filter_map(|(path, text)| Some(File { path, text: text.as_deref()? }))
    }

    /// Files whose name ends so.
    pub(crate) fn ending<'a>(&'a self, end: &'a str) -> impl Iterator<Item = File<'a>> {
        self.texts().filter(move |file| file.path.ends_with(end))
    }

    pub(crate) fn text(&self, path: &str) -> Option<&str> {
        self.files.get(path)?.as_deref()
    }

    /// Whether it is a file or a folder of the project; the root is "".
    pub(crate) fn has(&self, path: &str) -> bool {
        let folder = format!("{}/", path.trim_end_matches('/'));
        path.is_empty()
            || self.files.contains_key(path)
            || self.files.range(folder.clone()..).next().is_some_and(|(next, _)| next.starts_with(&folder))
    }

    #[cfg(test)]
    pub(crate) fn of(files: &[(&str, &str)]) -> Self {
        let file = |&(path, text): &(&str, &str)| (path.to_owned(), Some(text.to_owned()));
        Self { files: files.iter().map(file).collect() }
    }
}

/// Whether the file holds tests and nothing else.
pub(crate) fn is_test_file(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    path.contains("/tests/")
        || name == "tests.rs"
        || name.ends_with("_test.rs")
        || name.ends_with("_tests.rs")
}

/// The line (from 1) at which the tests of a source file begin; after its last line if there are none.
pub(crate) fn tests_begin(file: &File<'_>) -> usize {
    if is_test_file(file.path) {
        return 1;
    }
    let lines: Vec<&str> = file.text.lines().map(str::trim).collect();
    // `mod tests;`, a `use` or a function for tests says nothing about what comes after it.
    let begins = |index: &usize| {
        let item = lines[*index..].iter().find(|line| !line.starts_with("#["));
        lines[*index] == "#[cfg(test)]"
            && item.is_some_and(|item| item.contains("mod ") && !item.ends_with(';'))
    };
    (0..lines.len()).find(begins).map_or(usize::MAX, |index| index + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_and_files_are_known() {
        let tree = Tree::of(&[("docs/guide/one.md", ""), ("docs/guide.md", ""), ("a.rs", "")]);
        for (path, there) in [
            ("", true),
            ("docs", true),
            ("docs/", true),
            ("docs/guide", true),
            ("docs/guide/one.md", true),
            ("doc", false),
            ("docs/guide/two.md", false),
        ] {
            assert_eq!(tree.has(path), there, "{path}");
        }
        assert_eq!(tree.ending(".md").count(), 2);
    }

    #[test]
    fn tests_are_told_from_the_code_before_them() {
        let text = "//! x\nfn a() {}\n#[cfg(test)]\nmod tests {}\n";
        assert_eq!(tests_begin(&File { path: "crates/a/src/lib.rs", text }), 3);
        assert_eq!(tests_begin(&File { path: "crates/a/tests/it.rs", text }), 1);
        assert_eq!(tests_begin(&File { path: "crates/a/src/b/tests.rs", text }), 1);
        assert_eq!(tests_begin(&File { path: "crates/a/src/lib.rs", text: "fn a() {}\n" }), usize::MAX);
        let text = "//! x\n#[cfg(test)]\nmod tests;\nfn a() {}\n#[cfg(test)]\n#[path = \"b.rs\"]\nmod b {\n";
        assert_eq!(tests_begin(&File { path: "crates/a/src/lib.rs", text }), 5);
    }
}
