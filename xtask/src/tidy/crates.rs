//! Who may use whom: the layers of the workspace (ARCHITECTURE.md) and the dependencies that have one
//! home each. Dev-dependencies are free: a test may stand anywhere to look.

use super::{Finding, Tree};
use anyhow::{Context, Result};
use std::path::Path;

/// A crate of the workspace and what its manifest names.
#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) name: String,
    /// From the root.
    pub(crate) manifest: String,
    pub(crate) has_library: bool,
    /// Names of packages under `[dependencies]` and `[build-dependencies]`.
    pub(crate) uses: Vec<String>,
}

/// Our crates and, of our crates, those that each may use. `*` means every one.
const LAYERS: &[(&str, &[&str])] = &[
    ("tidegate-kernel", &[]),
    ("tidegate-config", &["tidegate-kernel"]),
    ("tidegate-domains", &["tidegate-kernel"]),
    ("tidegate-pricing", &["tidegate-kernel"]),
    ("tidegate-price-store", &["tidegate-kernel", "tidegate-pricing"]),
    // What runs inside Shopify.
    ("tidegate-function", &["tidegate-kernel", "tidegate-pricing"]),
    ("tidegate-mapping", &["tidegate-kernel"]),
    ("tidegate-store", &["tidegate-kernel"]),
    ("tidegate-connector", &["tidegate-kernel"]),
    ("tidegate-telemetry", &["tidegate-kernel"]),
    (
        "tidegate-check",
        &[
            "tidegate-kernel",
            "tidegate-config",
            "tidegate-mapping",
            "tidegate-connector",
            "tidegate-domains",
            "tidegate-pricing",
        ],
    ),
    (
        "tidegate-engine",
        &[
            "tidegate-kernel",
            "tidegate-domains",
            "tidegate-mapping",
            "tidegate-store",
            "tidegate-connector",
            "tidegate-telemetry",
        ],
    ),
    ("tidegate-connectors", &["tidegate-kernel", "tidegate-connector", "tidegate-domains"]),
    ("tidegate-shopify", &["tidegate-kernel", "tidegate-connector", "tidegate-domains"]),
    ("tidegate-store-sqlite", &["tidegate-kernel", "tidegate-store"]),
    ("tidegate-store-postgres", &["tidegate-kernel", "tidegate-store"]),
    (
        "tidegate-api",
        &[
            "tidegate-kernel",
            "tidegate-config",
            "tidegate-domains",
            "tidegate-pricing",
            "tidegate-price-store",
            "tidegate-mapping",
            "tidegate-store",
            "tidegate-connector",
            "tidegate-telemetry",
            "tidegate-engine",
            "tidegate-shopify",
            "tidegate-check",
        ],
    ),
    (
        "tidegate-ui",
        &[
            "tidegate-kernel",
            "tidegate-config",
            "tidegate-domains",
            "tidegate-store",
            "tidegate-telemetry",
            "tidegate-engine",
        ],
    ),
    // Drives the step function; its planted bugs must never reach the binary.
    (
        "tidegate-simulation",
        &[
            "tidegate-kernel",
            "tidegate-domains",
            "tidegate-mapping",
            "tidegate-store",
            "tidegate-connector",
            "tidegate-telemetry",
            "tidegate-engine",
        ],
    ),
    // A judge does not share the parser that it judges.
    ("tidegate-twin", &["tidegate-kernel"]),
    ("tidegate", &["*"]),
    // Builds when nothing else does.
    ("xtask", &[]),
];

/// Dependencies that only these crates may use, and why.
const HOMES: &[(&str, &[&str], &str)] = &[
    ("anyhow", &["tidegate", "tidegate-twin", "xtask"], "a library's error says what must happen next"),
    ("apollo-compiler", &["tidegate-twin"], "the hub never parses GraphQL; documents are judged in the twin"),
    (
        "rusqlite",
        &["tidegate-store-sqlite", "tidegate"],
        "SQL stays behind the storage port, but for the bench's floor",
    ),
    ("clap", &["tidegate", "tidegate-simulation", "xtask"], "the command line is the binary's"),
    ("tidegate-simulation", &[], "the simulation builds the engine with bugs planted in it"),
    ("tracing-subscriber", &["tidegate", "tidegate-telemetry"], "a library only emits"),
    (
        "getrandom",
        &["tidegate", "tidegate-twin", "tidegate-store"],
        "chance is a parameter: take kernel::rng::Rng",
    ),
];

/// Crates that must not use certain dependencies, and why.
const SHUT: &[(&str, &[&str], &str)] = &[
    ("tidegate-kernel", IO, "the vocabulary has no IO and no async"),
    ("tidegate-domains", IO, "the models are pure"),
    ("tidegate-mapping", IO, "a mapping is pure"),
    ("tidegate-config", IO, "a configuration is read, not run"),
    ("tidegate-check", IO, "check touches no network"),
    (
        "tidegate-engine",
        &["reqwest", "axum", "hyper", "hyper-util", "http", "rusqlite"],
        "the engine knows neither SQL nor HTTP",
    ),
];
const IO: &[&str] =
    &["tokio", "reqwest", "axum", "hyper", "hyper-util", "futures-util", "async-trait", "rusqlite"];

/// Reads the answer of `cargo metadata --no-deps`.
pub(crate) fn parse(metadata: &str, root: &Path) -> Result<Vec<Member>> {
    let metadata: serde_json::Value = serde_json::from_str(metadata).context("cargo metadata")?;
    let packages = metadata["packages"].as_array().context("cargo metadata names no packages")?;
    packages.iter().map(|package| member(package, root).context("cargo metadata: a package")).collect()
}

fn member(package: &serde_json::Value, root: &Path) -> Option<Member> {
    let manifest = Path::new(package["manifest_path"].as_str()?);
    let manifest = manifest.strip_prefix(root).unwrap_or(manifest);
    let is_library = |target: &serde_json::Value| {
        target["kind"].as_array().is_some_and(|kinds| kinds.iter().any(|kind| kind == "lib"))
    };
    let for_the_build = package["dependencies"].as_array()?.iter().filter(|d| d["kind"] != "dev");
    Some(Member {
        name: package["name"].as_str()?.to_owned(),
        manifest: manifest.to_str()?.to_owned(),
        has_library: package["targets"].as_array()?.iter().any(is_library),
        uses: for_the_build.filter_map(|d| Some(d["name"].as_str()?.to_owned())).collect(),
    })
}

pub(crate) fn check(members: &[Member], tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for member in members {
        let at = |used: &str| line_of(tree, &member.manifest, used);
        let Some((_, allowed)) = LAYERS.iter().find(|(name, _)| *name == member.name) else {
            let what = format!("{} has no place among the layers", member.name);
            findings.push(Finding::new(
                &member.manifest,
                0,
                what,
                "add it to LAYERS in xtask/src/tidy/crates.rs",
            ));
            continue;
        };
        for used in &member.uses {
            let is_ours = LAYERS.iter().any(|(name, _)| name == used);
            if is_ours && !allowed.contains(&"*") && !allowed.contains(&used.as_str()) {
                let may = if allowed.is_empty() { "none of ours".to_owned() } else { allowed.join(", ") };
                let what = format!("{} uses {used}, which is not below it", member.name);
                let todo =
                    format!("it may use {may}; move what is shared down, or turn the call into a port");
                findings.push(Finding::new(&member.manifest, at(used), what, todo));
            }
            if let Some((_, homes, why)) = HOMES.iter().find(|(name, ..)| name == used)
                && !homes.contains(&member.name.as_str())
            {
                let home = if homes.is_empty() { "nowhere".to_owned() } else { homes.join(", ") };
                let what = format!("{} uses {used}, whose home is {home}", member.name);
                findings.push(Finding::new(&member.manifest, at(used), what, *why));
            }
            if let Some((.., why)) =
                SHUT.iter().find(|(name, shut, _)| *name == member.name && shut.contains(&used.as_str()))
            {
                let what = format!("{} uses {used}", member.name);
                findings.push(Finding::new(&member.manifest, at(used), what, *why));
            }
        }
    }
    findings
}

/// The line of a manifest that names the package, by its own or its short name.
fn line_of(tree: &Tree, manifest: &str, package: &str) -> usize {
    let short = package.strip_prefix("tidegate-").unwrap_or(package);
    let names = |line: &str| {
        let key = line.split(['.', '=', ' ']).next().unwrap_or_default();
        key == package || key == short
    };
    let line = tree.text(manifest).and_then(|text| text.lines().position(names));
    line.map_or(0, |index| index + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(name: &str, uses: &[&str]) -> Member {
        let uses = uses.iter().map(|&name| name.to_owned()).collect();
        Member { name: name.to_owned(), manifest: "crates/x/Cargo.toml".to_owned(), has_library: true, uses }
    }

    #[test]
    fn planted_faults_are_found() {
        let manifest =
            "[package]\nname = \"x\"\n\n[dependencies]\nserde.workspace = true\nengine.workspace = true\n";
        let tree = Tree::of(&[("crates/x/Cargo.toml", manifest)]);
        for (name, uses, expected) in [
            ("tidegate-kernel", "serde", ""),
            (
                "tidegate-kernel",
                "tidegate-store",
                "tidegate-kernel uses tidegate-store, which is not below it",
            ),
            ("tidegate-engine", "tidegate-store", ""),
            (
                "tidegate-engine",
                "tidegate-shopify",
                "tidegate-engine uses tidegate-shopify, which is not below",
            ),
            (
                "tidegate-store",
                "tidegate-engine",
                "tidegate-store uses tidegate-engine, which is not below it",
            ),
            ("tidegate-shopify", "tidegate-connectors", "which is not below it"),
            ("tidegate-twin", "tidegate-kernel", ""),
            ("tidegate-twin", "tidegate-shopify", "which is not below it"),
            ("tidegate-api", "tidegate-twin", "which is not below it"),
            ("tidegate-api", "tidegate-ui", "which is not below it"),
            ("tidegate", "tidegate-twin", ""),
            ("tidegate", "tidegate-simulation", "the simulation builds the engine with bugs planted in it"),
            ("xtask", "tidegate-kernel", "it may use none of ours"),
            ("tidegate-new", "serde", "tidegate-new has no place among the layers"),
            (
                "tidegate-store",
                "anyhow",
                "tidegate-store uses anyhow, whose home is tidegate, tidegate-twin, xtask",
            ),
            ("tidegate-shopify", "apollo-compiler", "whose home is tidegate-twin"),
            ("tidegate-engine", "rusqlite", "SQL stays behind the storage port"),
            ("tidegate-engine", "reqwest", "the engine knows neither SQL nor HTTP"),
            ("tidegate-mapping", "tokio", "a mapping is pure"),
            ("tidegate-store-sqlite", "rusqlite", ""),
        ] {
            let found = check(&[member(name, &[uses])], &tree);
            let found: Vec<_> = found.iter().map(Finding::to_string).collect();
            assert_eq!(found.is_empty(), expected.is_empty(), "{name} → {uses}: {found:?}");
            assert!(found.join("\n").contains(expected), "{name} → {uses}: {found:?}");
        }
    }

    #[test]
    fn a_finding_points_at_the_line_of_the_manifest() {
        let tree = Tree::of(&[(
            "crates/x/Cargo.toml",
            "[dependencies]\nserde.workspace = true\nengine.workspace = true\n",
        )]);
        let found = check(&[member("tidegate-store", &["tidegate-engine"])], &tree);
        assert_eq!(found[0].line, 3);
    }

    #[test]
    fn dev_dependencies_are_free_and_others_are_not() {
        let metadata = r#"{"packages":[{"name":"tidegate-store","manifest_path":"/r/crates/store/Cargo.toml",
            "targets":[{"kind":["lib"]},{"kind":["test"]}],
            "dependencies":[{"name":"tidegate-twin","kind":"dev"},{"name":"serde","kind":null},{"name":"cc","kind":"build"}]}]}"#;
        let members = parse(metadata, Path::new("/r")).unwrap();
        assert_eq!(members[0].uses, ["serde", "cc"]);
        assert_eq!(members[0].manifest, "crates/store/Cargo.toml");
        assert!(members[0].has_library);
        assert!(check(&members, &Tree::default()).is_empty());
    }

    #[test]
    fn the_layers_have_no_cycle() {
        for (name, allowed) in LAYERS {
            for lower in allowed.iter().filter(|lower| **lower != "*") {
                let (_, back) = LAYERS.iter().find(|(n, _)| n == lower).unwrap();
                assert!(!back.contains(name), "{name} and {lower} may use each other");
            }
        }
    }
}
