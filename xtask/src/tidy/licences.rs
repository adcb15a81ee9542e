//! What is built into the default build and its tests: licences that we may ship under, crates and
//! features that we have decided against. Asked from `cargo tree`, because `cargo metadata` also names
//! optional crates that are in the lock file and never compiled. Advisories: `deny.toml`.

use super::Finding;
use super::spdx;

/// What cargo is asked: package, licence and features, for all crates of the workspace.
pub(crate) const QUESTION: &[&str] =
    &["tree", "--workspace", "--locked", "-e", "normal,build,dev", "--prefix", "none", "-f", "{p}|{l}|{f}"];

/// Licences that ask for nothing but their notice. The same list stands in deny.toml.
const ACCEPTED: &[&str] = &[
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MIT-0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// Crates whose manifest names no licence, by the version that was read, and what their files say.
const READ_BY_HAND: &[(&str, &str, &str)] = &[("jsonpath-rust", "0.3.5", "MIT")];

/// Crates that must not be built by default, and why.
const BANNED: &[(&str, &str)] = &[
    ("openssl-sys", "TLS is rustls with aws-lc-rs: one provider, no system library"),
    ("openssl", "TLS is rustls with aws-lc-rs: one provider, no system library"),
    ("native-tls", "TLS is rustls with aws-lc-rs: one provider, no system library"),
    ("ring", "TLS is rustls with aws-lc-rs: a second provider makes rustls panic at start"),
    ("chrono", "time is jiff"),
    ("time", "time is jiff"),
    ("sqlx", "clashes with rusqlite on `links = \"sqlite3\"`"),
    ("async-std", "the runtime is tokio"),
    ("serde_yaml", "unmaintained; configuration is TOML"),
    ("figment", "no release since 2024"),
];

/// Features that unify over the whole build and change what others see, and why.
const BANNED_FEATURES: &[(&str, &str, &str)] = &[
    ("serde_json", "arbitrary_precision", "numbers become maps for every crate"),
    ("serde_json", "preserve_order", "the canonical form is sorted"),
    ("rusqlite", "load_extension", "no foreign code in the store"),
    ("reqwest", "native-tls", "TLS is rustls"),
];

/// One crate as it is built.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Built {
    name: String,
    version: String,
    licence: String,
    features: Vec<String>,
}

pub(crate) fn parse(tree: &str) -> Vec<Built> {
    let built = |line: &str| {
        let mut parts = line.trim_end_matches(" (*)").split('|');
        let mut package = parts.next()?.split_whitespace();
        Some(Built {
            name: package.next()?.to_owned(),
            version: package.next()?.trim_start_matches('v').to_owned(),
            licence: parts.next()?.to_owned(),
            features: parts.next()?.split(',').map(str::to_owned).collect(),
        })
    };
    tree.lines().filter_map(built).collect()
}

pub(crate) fn check(built: &[Built]) -> Vec<Finding> {
    built.iter().flat_map(|one| [licence(one), ban(one), feature(one)]).flatten().collect()
}

fn licence(built: &Built) -> Option<Finding> {
    let Built { name, version, licence, .. } = built;
    let by_hand = READ_BY_HAND.iter().find(|(n, v, _)| n == name && v == version);
    let expression = by_hand.map_or(licence.as_str(), |(.., read)| read);
    let what = match spdx::is_met(expression, &|id| ACCEPTED.contains(&id)) {
        Ok(true) => return None,
        Ok(false) => format!("{name} {version} is under `{expression}`, which we do not accept"),
        Err(_) if expression.is_empty() => format!("{name} {version} names no licence"),
        Err(error) => format!("the licence of {name} {version} is not understood: {error}"),
    };
    let todo = "take another crate, or read its licence and add it in xtask/src/tidy/licences.rs";
    Some(Finding::new("Cargo.lock", 0, what, todo))
}

fn ban(built: &Built) -> Option<Finding> {
    let (name, why) = BANNED.iter().find(|(name, _)| *name == built.name)?;
    let todo = format!("{why}; `cargo tree --workspace -i {name}` shows who wants it");
    Some(Finding::new("Cargo.lock", 0, format!("{name} {} is banned", built.version), todo))
}

fn feature(built: &Built) -> Option<Finding> {
    let (name, feature, why) =
        BANNED_FEATURES.iter().find(|(n, f, _)| *n == built.name && built.features.iter().any(|g| g == f))?;
    let todo = format!("{why}; `cargo tree --workspace -e features -i {name}` shows who wants it");
    Some(Finding::new("Cargo.lock", 0, format!("{name} is built with `{feature}`"), todo))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn planted_faults_are_found() {
        for (line, expected) in [
            ("serde v1.0.2|MIT OR Apache-2.0|default,std", ""),
            ("tidegate-kernel v0.1.0 (/some/where)|Apache-2.0|", ""),
            ("jsonpath-rust v0.3.5||", ""),
            ("jsonpath-rust v0.9.9||", "jsonpath-rust 0.9.9 names no licence"),
            (
                "copyleft v1.0.0|GPL-3.0-only|",
                "copyleft 1.0.0 is under `GPL-3.0-only`, which we do not accept",
            ),
            ("odd v1.0.0|MIT AND|", "the licence of odd 1.0.0 is not understood: it ends where"),
            ("openssl-sys v0.9.1|MIT|", "openssl-sys 0.9.1 is banned"),
            ("ring v0.17.1|Apache-2.0 AND ISC| (*)", "ring 0.17.1 is banned"),
            (
                "chrono v0.4.0|MIT|clock",
                "chrono 0.4.0 is banned; time is jiff; `cargo tree --workspace -i chrono`",
            ),
            ("serde_json v1.0.0|MIT|std,preserve_order", "serde_json is built with `preserve_order`"),
            ("serde_json v1.0.0|MIT|arbitrary_precision,std (*)", "built with `arbitrary_precision`"),
            ("serde_json v1.0.0|MIT|raw_value,std", ""),
        ] {
            let found: Vec<_> = check(&parse(line)).iter().map(Finding::to_string).collect();
            assert_eq!(found.is_empty(), expected.is_empty(), "{line}: {found:?}");
            assert!(found.join("\n").contains(expected), "{line}: {found:?}");
        }
    }

    #[test]
    fn deny_toml_accepts_and_bans_the_same() {
        let deny = std::fs::read_to_string(crate::process::root().join("deny.toml")).unwrap();
        for licence in ACCEPTED {
            assert!(deny.contains(&format!("  \"{licence}\",\n")), "deny.toml does not accept {licence}");
        }
        for (name, _) in BANNED {
            assert!(deny.contains(&format!("name = \"{name}\"")), "deny.toml does not ban {name}");
        }
        let accepted = deny.lines().filter(|line| line.starts_with("  \"")).count();
        assert_eq!(accepted, ACCEPTED.len(), "deny.toml accepts more than tidy");
    }
}
