//! `deploy/`: what its files name, the binary has: each setting and its value, each address, the times of a stop; and the
//! unit as systemd itself reads it. What takes a container runtime is not tried here; deploy/README.md says so.

use crate::serving::{Listening, asked};
use crate::typed::{Desk, ended};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

fn deploy() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy")
}

fn read(name: &str) -> String {
    std::fs::read_to_string(deploy().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

const WITH_SETTINGS: [&str; 4] =
    ["Containerfile", "compose.yaml", "tidegate.service", "kubernetes/statefulset.yaml"];

/// `TIDEGATE__SECTION__KEY` and its value, in whatever form the file writes variables.
fn settings(text: &str) -> Vec<(String, String)> {
    let of_line = |line: &str| {
        let line = line.trim();
        let begin = line.find("TIDEGATE__").filter(|_| !line.starts_with('#'))?;
        let rest = &line[begin..];
        let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))?;
        let (name, value) = rest.split_at(end);
        let value = value.trim_start_matches([':', '=', ' ', ',']).trim_start_matches("value:");
        let value = value.trim_end_matches(['}', ' ', '\\']).trim().trim_matches('"');
        Some((name.to_owned(), value.replace("${TIDEGATE_HOST:-localhost}", "localhost")))
    };
    text.lines().filter_map(of_line).collect()
}

#[test]
fn every_setting_of_every_file_is_one_and_takes_its_value() {
    for name in WITH_SETTINGS {
        let found = settings(&read(name));
        assert!(!found.is_empty(), "{name} names no setting");
        let desk = Desk::begun();
        let mut command = desk.command(&["check", "-c", "hub/tidegate.toml", "--without-secrets"]);
        command.envs(found.clone()).stdin(Stdio::null());
        ended(&mut command).ended(0);
        let mut command = desk.command(&["config", "show", "-c", "hub/tidegate.toml", "--json"]);
        command.envs(found.clone()).stdin(Stdio::null());
        let shown = ended(&mut command).ended(0).json();
        for (variable, value) in found {
            let key = variable.trim_start_matches("TIDEGATE__").replace("__", ".").to_lowercase();
            let all = shown["settings"].as_array().unwrap();
            let setting =
                all.iter().find(|setting| setting["key"] == key).unwrap_or_else(|| panic!("{name}: {key}"));
            assert_eq!(setting["from"], "environment", "{name}: {key}");
            assert!(
                setting["value"].as_str().unwrap().contains(&value),
                "{name}: {key} = {value}: {setting}"
            );
        }
    }
}

/// Every path that a probe, a scrape or a proxy asks is one that the hub answers.
#[test]
fn every_address_that_is_probed_is_answered() {
    let (manifest, proxy) = (read("kubernetes/statefulset.yaml"), read("Caddyfile"));
    let mut paths: BTreeSet<&str> = BTreeSet::new();
    for (_, rest) in manifest.match_indices("path: /").map(|(at, _)| manifest.split_at(at + "path: ".len())) {
        let path = rest.split([',', ' ', '\n', '}']).next().unwrap();
        // Mounts are paths of files.
        paths.insert(path);
    }
    paths.extend(proxy.lines().filter_map(|line| line.trim().strip_prefix("health_uri ")));
    let probed: Vec<&str> =
        paths.into_iter().filter(|path| !path.starts_with("/etc") && !path.starts_with("/var")).collect();
    assert_eq!(probed, ["/healthz", "/metrics", "/readyz"]);
    let desk = Desk::begun();
    let hub = Listening::start(&desk, &[]);
    for path in probed {
        let answer = asked(&hub.address, path).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{path}: {answer}");
    }
}

/// Whoever stops a node gives it the time that it takes by its own settings.
#[test]
fn a_stop_is_given_the_time_that_it_takes() {
    let desk = Desk::begun();
    let seconds = |text: &str| -> u64 { text.trim_matches(['"', 's', ' ']).parse().unwrap() };
    for (name, given) in [
        ("compose.yaml", "stop_grace_period: "),
        ("tidegate.service", "TimeoutStopSec="),
        ("kubernetes/statefulset.yaml", "terminationGracePeriodSeconds: "),
    ] {
        let text = read(name);
        let given = text.lines().find_map(|line| line.trim().strip_prefix(given)).unwrap();
        let mut command =
            desk.command(&["config", "show", "hub.limits", "-c", "hub/tidegate.toml", "--json"]);
        command.envs(settings(&text)).stdin(Stdio::null());
        let shown = ended(&mut command).ended(0).json();
        let takes = ["drain_after", "drain_deadline"].map(|key| {
            let all = shown["settings"].as_array().unwrap();
            let setting = all.iter().find(|setting| setting["key"] == format!("hub.limits.{key}")).unwrap();
            seconds(setting["value"].as_str().unwrap())
        });
        assert!(seconds(given) > takes.iter().sum(), "{name}: {given} for {takes:?}");
    }
    // A proxy that asks every two seconds and believes the second answer has heard of it before the port closes.
    let manifest = settings(&read("kubernetes/statefulset.yaml"));
    let (_, after) = manifest.iter().find(|(name, _)| name.ends_with("DRAIN_AFTER")).unwrap();
    assert!(seconds(after) > 2 * 2);
}

/// Where systemd is: it takes the unit, knows every line of it, and finds little left to take away.
#[test]
fn systemd_takes_the_unit() {
    let folder = tempfile::tempdir().unwrap();
    let unit = folder.path().join("tidegate.service");
    let text = read("tidegate.service").replace("/usr/local/bin/tidegate", env!("CARGO_BIN_EXE_tidegate"));
    std::fs::write(&unit, text).unwrap();
    let analyze = |args: &[&str]| Command::new("systemd-analyze").args(args).arg(&unit).output();
    let Ok(verified) = analyze(&["verify", "--man=no"]) else { return };
    let said = String::from_utf8_lossy(&verified.stderr);
    let ours: Vec<&str> = said.lines().filter(|line| line.contains("tidegate.service")).collect();
    assert!(ours.is_empty(), "{ours:#?}");
    // In tenths; 1.1 when this was written.
    let security = analyze(&["security", "--offline=true", "--threshold=15"]).unwrap();
    assert!(security.status.success(), "{}", String::from_utf8_lossy(&security.stdout));
}
