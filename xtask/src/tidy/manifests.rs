//! The manifests as text: each dependency stands once in `[workspace.dependencies]`, with the reason
//! why it is here in the comment above it, and crates take it from there.

use super::tree::File;
use super::{Finding, Tree};

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.ending("Cargo.toml") {
        match file.path {
            "Cargo.toml" => reasons(&file, tree, &mut findings),
            // Not a part of the workspace: libFuzzer comes with flags of its own.
            "fuzz/Cargo.toml" => {}
            _ => taken_from_the_workspace(&file, &mut findings),
        }
    }
    findings
}

fn reasons(file: &File<'_>, tree: &Tree, findings: &mut Vec<Finding>) {
    let mut above = "";
    for (line, section, text) in lines(file.text) {
        if section == "[workspace.dependencies]"
            && let Some(name) = key(text)
        {
            let is_ours = text.contains("path =");
            if !is_ours && (!above.starts_with("# ") || above.starts_with("# ---")) {
                let todo = "say in a comment on the line above it why it is here";
                findings.push(Finding::new(file.path, line, format!("`{name}` has no reason"), todo));
            }
            if !is_ours && !tree.ending("/Cargo.toml").any(|member| names(&member, name)) {
                let what = format!("`{name}` is used by no crate");
                findings.push(Finding::new(file.path, line, what, "delete the line").warning());
            }
        }
        above = text;
    }
}

fn taken_from_the_workspace(file: &File<'_>, findings: &mut Vec<Finding>) {
    for (line, section, text) in lines(file.text) {
        let is_dependency = section.ends_with("dependencies]");
        if let Some(name) = key(text).filter(|_| is_dependency)
            && !text.contains("workspace = true")
        {
            let what = format!("`{name}` is not taken from the workspace");
            let todo = "name it in the root Cargo.toml with its reason, and write `workspace = true` here";
            findings.push(Finding::new(file.path, line, what, todo));
        }
    }
}

fn names(manifest: &File<'_>, name: &str) -> bool {
    lines(manifest.text)
        .any(|(_, section, text)| section.ends_with("dependencies]") && key(text) == Some(name))
}

/// Number (from 1), section and text of each line.
fn lines(text: &str) -> impl Iterator<Item = (usize, &str, &str)> {
    let mut section = "";
    text.lines().enumerate().map(move |(index, line)| {
        if line.starts_with('[') {
            section = line.trim_end();
        }
        (index + 1, section, line)
    })
}

/// The name that a line of a manifest defines.
fn key(line: &str) -> Option<&str> {
    let (left, _) = line.split_once('=')?;
    let name = left.trim_end().split('.').next()?;
    let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    (!name.is_empty() && plain).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(root: &str, member: &str) -> Vec<String> {
        let tree = Tree::of(&[("Cargo.toml", root), ("crates/a/Cargo.toml", member)]);
        check(&tree).iter().map(Finding::to_string).collect()
    }

    const USES_ALL: &str = "[dependencies]\nserde.workspace = true\ntokio = { workspace = true, features = [\"rt\"] }\nkernel.workspace = true\n";

    #[test]
    fn a_dependency_with_its_reason_is_fine() {
        let root = "[workspace.dependencies]\nkernel = { path = \"crates/kernel\" }\n# --- data ---\n# Reads and writes.\n\
                    serde = \"1\"\n# The runtime.\ntokio = { version = \"1\" }\n\n[workspace.lints.rust]\nx = 1\n";
        assert_eq!(found(root, USES_ALL), Vec::<String>::new());
    }

    #[test]
    fn planted_faults_are_found() {
        let root = "[workspace.dependencies]\nkernel = { path = \"k\" }\n# --- data ---\nserde = \"1\"\ntokio = \"1\"\n# Why.\nrare = \"1\"\n";
        assert_eq!(
            found(root, USES_ALL),
            [
                "Cargo.toml:4: `serde` has no reason; say in a comment on the line above it why it is here",
                "Cargo.toml:5: `tokio` has no reason; say in a comment on the line above it why it is here",
                "Cargo.toml:7: warning: `rare` is used by no crate; delete the line",
            ]
        );
        let found = found("", "[package]\nname = \"a\"\n[dev-dependencies]\ninsta = \"1\"\n");
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(
            found[0].starts_with("crates/a/Cargo.toml:4: `insta` is not taken from the workspace"),
            "{found:?}"
        );
    }
}
