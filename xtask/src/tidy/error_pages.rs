//! Every code of a public fault has a page in `docs/errors/`, and every page a fault. What a page says
//! is a person's work.

use super::tree::tests_begin;
use super::{Finding, Tree};
use std::collections::{BTreeMap, BTreeSet};

const FOLDER: &str = "docs/errors/";
const PREFIX: &str = concat!("T", "G-");
/// How a file looks that has a list of numbers and writes the codes from them.
const NUMBERED: [&str; 2] = [concat!("T", "G-{"), concat!("T", "G-\"")];

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let pages = pages(tree);
    let mut findings = Vec::new();
    let used = used(tree);
    for (code, (file, line)) in &used {
        if !pages.contains(code) {
            let todo = format!("write {FOLDER}{code}.md: what it means, what Tidegate does, what to do");
            findings.push(Finding::new(file, *line, format!("{code} has no page"), todo));
        }
    }
    for code in pages.iter().filter(|code| !used.contains_key(*code)) {
        let page = format!("{FOLDER}{code}.md");
        findings.push(Finding::new(
            &page,
            0,
            "no code gives this error",
            "delete the page, or mend its number",
        ));
    }
    findings
}

fn pages(tree: &Tree) -> BTreeSet<String> {
    let page = |path: &str| Some(path.strip_prefix(FOLDER)?.strip_suffix(".md")?.to_owned());
    let pages = tree.ending(".md").filter_map(|file| page(file.path));
    pages.filter(|name| name.starts_with(PREFIX)).collect()
}

/// Codes outside tests, each with the first place that uses it.
fn used(tree: &Tree) -> BTreeMap<String, (String, usize)> {
    let mut used = BTreeMap::new();
    for file in tree.ending(".rs").filter(|file| file.path.starts_with("crates/")) {
        let begin = tests_begin(&file);
        let numbers_them = NUMBERED.iter().any(|mark| file.text.contains(mark));
        for (index, line) in file.text.lines().enumerate().take_while(|(index, _)| index + 1 < begin) {
            for code in codes(line).chain(numbered(line).filter(|_| numbers_them)) {
                used.entry(code).or_insert_with(|| (file.path.to_owned(), index + 1));
            }
        }
    }
    used
}

/// `Name = 1234, …`: a code in a file that writes them by number.
fn numbered(line: &str) -> impl Iterator<Item = String> {
    let number = line.split_once(" = ").and_then(|(_, right)| right.split([',', ';']).next());
    let number = number.filter(|digits| digits.len() == 4 && digits.bytes().all(|b| b.is_ascii_digit()));
    number.map(|digits| format!("{PREFIX}{digits}")).into_iter()
}

fn codes(line: &str) -> impl Iterator<Item = String> {
    line.match_indices(PREFIX).filter_map(|(at, _)| {
        let digits: String = line[at + PREFIX.len()..].chars().take_while(char::is_ascii_digit).collect();
        (digits.len() == 4).then(|| format!("{PREFIX}{digits}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn planted_faults_are_found() {
        let code = |number: u32| format!("{PREFIX}{number:04}");
        let source = format!(
            "//! x\nconst A: &str = \"{}\"; // {}\n#[cfg(test)]\nmod tests {{\nconst B: &str = \"{}\";\n",
            code(1),
            code(2),
            code(3)
        );
        let pages = [format!("{FOLDER}{}.md", code(1)), format!("{FOLDER}{}.md", code(9))];
        let tree = Tree::of(&[
            ("crates/a/src/a.rs", source.as_str()),
            (pages[0].as_str(), ""),
            (pages[1].as_str(), ""),
            ("docs/errors/README.md", ""),
        ]);
        let found: Vec<_> = check(&tree).iter().map(Finding::to_string).collect();
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(
            found[0].starts_with(&format!("crates/a/src/a.rs:2: {} has no page; write", code(2))),
            "{found:?}"
        );
        assert!(found[1].starts_with(&format!("{}: no code gives this error", pages[1])), "{found:?}");
    }

    #[test]
    fn codes_may_be_kept_as_numbers() {
        for mark in NUMBERED {
            let source = format!("//! x\nFile = 1100, \"…\";\nlimit = 2000;\n{mark}\n");
            let sources =
                [("crates/a/src/code.rs", source.as_str()), ("crates/a/src/b.rs", "Size = 1300,\n")];
            let found: Vec<_> = used(&Tree::of(&sources)).into_keys().collect();
            assert_eq!(found, [format!("{PREFIX}1100"), format!("{PREFIX}2000")]);
        }
    }

    #[test]
    fn a_code_has_four_digits() {
        let line = format!("{PREFIX}0001, {PREFIX}12, {PREFIX}00011, {PREFIX}xxxx");
        assert_eq!(codes(&line).collect::<Vec<_>>(), [format!("{PREFIX}0001")]);
    }
}
