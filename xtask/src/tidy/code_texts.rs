//! What can be seen in the text of single files: heads, sizes, silenced lints, sleeping tests, paths of
//! somebody's machine. Plain searches line by line: a rule that needs to understand Rust belongs to
//! clippy.

use super::tree::{File, tests_begin};
use super::{Finding, Tree};

const LINES_WARN: usize = 400;
const LINES_MAX: usize = 600;

/// Files that may be longer, and why.
const LONG_FILES: &[(&str, &str)] = &[];

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = long_files_that_are_not(tree, LONG_FILES);
    for file in tree.texts() {
        machine_paths(&file, &mut findings);
        if file.path.ends_with(".rs") {
            head(&file, &mut findings);
            size(&file, LONG_FILES, &mut findings);
            silenced_lints(&file, &mut findings);
            sleeping_tests(&file, &mut findings);
        }
    }
    findings
}

fn head(file: &File<'_>, findings: &mut Vec<Finding>) {
    if !file.text.starts_with("//! ") {
        let todo = "begin with what it owns and what it refuses to do";
        findings.push(Finding::new(file.path, 1, "does not open with `//!`", todo));
    }
}

fn size(file: &File<'_>, long_files: &[(&str, &str)], findings: &mut Vec<Finding>) {
    let lines = file.text.lines().count();
    if long_files.iter().any(|(path, _)| *path == file.path) {
        return;
    }
    if lines > LINES_MAX {
        let what = format!("{lines} lines, {LINES_MAX} is the limit");
        let todo = "split it, or add it with a reason to LONG_FILES in xtask/src/tidy/code_texts.rs";
        findings.push(Finding::new(file.path, 0, what, todo));
    } else if lines > LINES_WARN {
        let todo = "would two files with good names read better?";
        findings.push(Finding::new(file.path, 0, format!("{lines} lines"), todo).warning());
    }
}

/// An exception that is needed no more is a finding, so that the list stays true.
fn long_files_that_are_not(tree: &Tree, long_files: &[(&str, &str)]) -> Vec<Finding> {
    let is_long = |path: &str| tree.text(path).is_some_and(|text| text.lines().count() > LINES_MAX);
    let stale = |(path, _): &&(&str, &str)| !is_long(path);
    let finding = |(path, _): &(&str, &str)| {
        let todo = format!("take {path} out of LONG_FILES");
        Finding::new(
            "xtask/src/tidy/code_texts.rs",
            0,
            format!("{path} is not longer than {LINES_MAX} lines"),
            todo,
        )
    };
    long_files.iter().filter(stale).map(finding).collect()
}

fn silenced_lints(file: &File<'_>, findings: &mut Vec<Finding>) {
    for (number, line) in numbered(file.text) {
        if code(line).contains(concat!("[al", "low(")) {
            let todo = "write #[expect(lint, reason = \"…\")]";
            findings.push(Finding::new(file.path, number, "silences a lint without a reason", todo));
        }
    }
}

fn sleeping_tests(file: &File<'_>, findings: &mut Vec<Finding>) {
    let begin = tests_begin(file);
    for (number, line) in numbered(file.text) {
        if number >= begin && code(line).contains(concat!("sle", "ep(")) {
            let todo = "advance the clock or await a signal";
            findings.push(Finding::new(file.path, number, "a test sleeps", todo));
        }
    }
}

/// Folders of one machine. Written apart, so that this file does not find itself.
const HOMES: &[&str] = &["root", "work", "home", "Users", "tmp"];

fn machine_paths(file: &File<'_>, findings: &mut Vec<Finding>) {
    // A script may well name a folder that every machine has.
    let is_everywhere = |home: &str| home == "tmp" && file.path.ends_with(".sh");
    for (number, line) in numbered(file.text) {
        for home in HOMES.iter().filter(|home| !is_everywhere(home)) {
            if has_path(line, &format!("/{home}/")) {
                let todo = "name it from the root of the project, or take it from the environment";
                findings.push(Finding::new(
                    file.path,
                    number,
                    format!("a path of one machine (/{home})"),
                    todo,
                ));
            }
        }
    }
}

/// Whether a path begins here: `/x/y` does in `"/x/y"`, and not in `a/x/y` or `https://host/x/y`.
fn has_path(line: &str, path: &str) -> bool {
    line.match_indices(path).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + path.len()..].chars().next();
        let begins = before.is_none_or(|c| c.is_whitespace() || "\"'`(=:,<[".contains(c));
        begins && after.is_some_and(|c| c.is_ascii_alphanumeric() || "_.-".contains(c))
    })
}

fn numbered(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines().enumerate().map(|(index, line)| (index + 1, line))
}

/// The line without a comment that fills it.
fn code(line: &str) -> &str {
    if line.trim_start().starts_with("//") { "" } else { line }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, text: &str) -> Vec<String> {
        check(&Tree::of(&[(path, text)])).iter().map(Finding::to_string).collect()
    }

    fn long(lines: usize) -> String {
        format!("//! Head.\n{}", "fn a() {}\n".repeat(lines - 1))
    }

    #[test]
    fn planted_faults_are_found() {
        let silenced = ["#[al", "low(dead_code)]"].concat();
        let sleeps = ["tokio::time::sle", "ep(d).await;"].concat();
        let home = ["/", "work", "/main"].concat();
        let temporary = ["/", "tmp", "/x"].concat();
        for (path, text, expected) in [
            ("a.rs", "//! Head.\n".to_owned(), ""),
            ("a.rs", "fn a() {}\n".to_owned(), "a.rs:1: does not open with `//!`"),
            ("a.rs", "\n//! Head.\n".to_owned(), "a.rs:1: does not open with `//!`"),
            ("a.rs", long(400), ""),
            ("a.rs", long(401), "a.rs: warning: 401 lines; would two files"),
            ("a.rs", long(601), "a.rs: 601 lines, 600 is the limit"),
            ("a.rs", format!("//! Head.\n\n{silenced}\n"), "a.rs:3: silences a lint without a reason"),
            ("a.rs", format!("//! Head.\n#!{}\n", &silenced[1..]), "a.rs:2: silences a lint"),
            ("a.rs", format!("//! Head.\n// {silenced}\n"), ""),
            ("crates/a/src/a.rs", format!("//! Head.\n{sleeps}\n#[cfg(test)]\n"), ""),
            (
                "crates/a/src/a.rs",
                format!("//! Head.\n#[cfg(test)]\nmod tests {{\n{sleeps}\n"),
                ":4: a test sleeps",
            ),
            ("crates/a/tests/a.rs", format!("//! Head.\n{sleeps}\n"), "crates/a/tests/a.rs:2: a test sleeps"),
            ("a.md", format!("see `{home}`\n"), "a.md:1: a path of one machine (/work)"),
            ("a.toml", format!("path = \"{home}\""), "a.toml:1: a path of one machine"),
            ("a.md", format!("https://host{home}"), ""),
            ("a.md", format!("cat {temporary}"), "a path of one machine (/tmp)"),
            ("a.sh", format!("cat {temporary}"), ""),
            ("a.sh", format!("cat {home}"), "a.sh:1: a path of one machine"),
        ] {
            let found = found(path, &text);
            assert_eq!(found.is_empty(), expected.is_empty(), "{path} {text}: {found:?}");
            assert!(found.join("\n").contains(expected), "{path} {text}: {found:?}");
        }
    }

    #[test]
    fn an_exception_is_for_files_that_are_long() {
        let text = long(700);
        let tree = Tree::of(&[("long.rs", text.as_str()), ("short.rs", "//! Head.\n")]);
        let exceptions = [("long.rs", "why"), ("short.rs", "why"), ("gone.rs", "why")];
        let stale: Vec<_> =
            long_files_that_are_not(&tree, &exceptions).iter().map(Finding::to_string).collect();
        assert_eq!(stale.len(), 2, "{stale:?}");
        assert!(stale[0].contains("take short.rs out of LONG_FILES"), "{stale:?}");
        let mut findings = Vec::new();
        size(&File { path: "long.rs", text: &text }, &exceptions, &mut findings);
        assert_eq!(findings, []);
    }
}
