//! `cargo xtask tidy`: what the compiler does not see. Each check is a pure function from files (or
//! what cargo says) to findings, in a file of its own with its planted faults; this one gathers the
//! input, runs them all and prints every finding in one go.

mod code_texts;
mod crates;
mod error_pages;
mod generated;
mod licences;
mod links;
mod manifests;
mod spdx;
mod tree;

use crate::process;
use anyhow::{Result, bail};
use std::fmt;
use std::path::Path;
pub(crate) use tree::Tree;

const EXAMPLES: &str = "\
Checks: layers of the crates, what each crate may use, file heads and sizes, lints without a reason, sleeps in
tests, machine paths, reasons of dependencies, licences, banned crates and features, error pages, generated
documents, links in documents. Each has a file in xtask/src/tidy/ whose head says why.

Examples:
  cargo xtask tidy                findings as file:line: what is wrong; what to do
  cargo xtask tidy crates/store   one folder only
  cargo xtask tidy --strict       warnings fail as well";

/// Layers, licences, file heads and sizes, error pages, links: what the compiler does not see
#[derive(clap::Args, Debug, Default)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Warnings fail as well
    #[arg(long)]
    strict: bool,
    /// Only findings in these folders
    #[arg(value_name = "FOLDER")]
    folders: Vec<String>,
}

impl Args {
    pub(crate) fn under(folders: Vec<String>) -> Self {
        Self { strict: false, folders }
    }
}

/// One thing that is wrong, where, and what to do.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Finding {
    pub(crate) file: String,
    /// Counted from 1; 0 means the file as a whole.
    pub(crate) line: usize,
    pub(crate) weight: Weight,
    pub(crate) what: String,
    pub(crate) todo: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Weight {
    Error,
    Warning,
}

impl Finding {
    pub(crate) fn new(file: &str, line: usize, what: impl Into<String>, todo: impl Into<String>) -> Self {
        Self { file: file.to_owned(), line, weight: Weight::Error, what: what.into(), todo: todo.into() }
    }

    pub(crate) fn warning(self) -> Self {
        Self { weight: Weight::Warning, ..self }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if self.line > 0 {
            write!(f, ":{}", self.line)?;
        }
        let weight = if self.weight == Weight::Warning { "warning: " } else { "" };
        write!(f, ": {weight}{}; {}", self.what, self.todo)
    }
}

pub(crate) fn run(root: &Path, args: &Args) -> Result<()> {
    let mut findings = findings(root)?;
    findings.retain(|finding| is_under(&args.folders, &finding.file));
    for finding in &findings {
        println!("{finding}");
    }
    let errors = findings.iter().filter(|f| f.weight == Weight::Error || args.strict).count();
    if errors > 0 {
        bail!("{errors} findings");
    }
    Ok(())
}

fn is_under(folders: &[String], file: &str) -> bool {
    let holds =
        |folder: &String| file.strip_prefix(folder.trim_end_matches('/')).is_some_and(|f| f.starts_with('/'));
    folders.is_empty() || folders.iter().any(holds)
}

fn findings(root: &Path) -> Result<Vec<Finding>> {
    let tree = Tree::read(root)?;
    let members = members(root)?;
    let built = licences::parse(&process::capture(&mut process::cargo(root, licences::QUESTION))?);
    let mut findings: Vec<_> = [
        crates::check(&members, &tree),
        manifests::check(&tree),
        licences::check(&built),
        code_texts::check(&tree),
        error_pages::check(&tree),
        generated::check(&tree, generated::DOCUMENTS),
        links::check(&tree),
    ]
    .into_iter()
    .flatten()
    .collect();
    findings.sort();
    findings.dedup();
    Ok(findings)
}

/// The crates of the workspace. Fails if Cargo.lock is not in step, because CI would then test other
/// versions than those that were committed.
pub(crate) fn members(root: &Path) -> Result<Vec<crates::Member>> {
    let metadata = ["metadata", "--format-version", "1", "--no-deps", "--locked"];
    crates::parse(&process::capture(&mut process::cargo(root, metadata))?, root)
}

#[cfg(test)]
mod tests {
    use super::{Finding, Weight, is_under};

    #[test]
    fn findings_are_narrowed_to_folders() {
        let folders = ["crates/store".to_owned(), "docs/".to_owned()];
        for (file, under) in [
            ("crates/store/src/lib.rs", true),
            ("docs/a.md", true),
            ("crates/store-sqlite/src/lib.rs", false),
            ("README.md", false),
        ] {
            assert_eq!(is_under(&folders, file), under, "{file}");
            assert!(is_under(&[], file));
        }
    }

    #[test]
    fn a_finding_reads_as_file_line_what_and_what_to_do() {
        let finding = Finding::new("a/b.rs", 7, "too long", "split it");
        assert_eq!(finding.to_string(), "a/b.rs:7: too long; split it");
        let finding = Finding::new("a/b.rs", 0, "too long", "split it").warning();
        assert_eq!(finding.weight, Weight::Warning);
        assert_eq!(finding.to_string(), "a/b.rs: warning: too long; split it");
    }
}
