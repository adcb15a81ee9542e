//! What the pages of docs/connectors promise, for the tests of each connector: an example is a connection, and the table of
//! settings is what the code declares.

use connector::descriptor::{Setting, SettingKind};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::PathBuf;

const BEGIN: &str = "<!-- settings: begin -->\n";
const END: &str = "<!-- settings: end -->";

fn path(connector: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("../../docs/connectors/{connector}.md"))
}

pub(crate) fn text(connector: &str) -> String {
    std::fs::read_to_string(path(connector)).expect("each connector has a page")
}

/// The connection of the first example in this text.
pub(crate) fn example(text: &str, connector: &str) -> BTreeMap<String, Value> {
    let example =
        text.split_once("```toml\n").and_then(|(_, text)| text.split_once("```")).expect("a block").0;
    let example: Value = toml::from_str(example).expect("the example is TOML");
    let systems = example["systems"].as_object().expect("it has a system");
    let system = systems.values().find(|system| system["connector"] == connector).expect("one is of ours");
    system["connection"].as_object().expect("it has a connection").clone().into_iter().collect()
}

/// The table of settings on the page is made from the code; to mend it, run this with `UPDATE_DOCS=1`.
pub(crate) fn lists(connector: &str, settings: &[Setting]) {
    let mut table =
        String::from("| key | kind | default | meaning | example |\n| --- | --- | --- | --- | --- |\n");
    for setting in settings {
        let default = if setting.required { "**required**" } else { setting.default.unwrap_or("") };
        let kind = match setting.kind {
            SettingKind::Text => "text",
            SettingKind::Url => "URL",
            SettingKind::Secret => "secret",
            SettingKind::Integer => "whole number",
            SettingKind::Boolean => "true or false",
            SettingKind::Duration => "duration",
            SettingKind::Table => "table",
            SettingKind::List => "list",
        };
        let Setting { name, meaning, example, .. } = setting;
        table.push_str(&format!("| `{name}` | {kind} | {default} | {meaning} | `{example}` |\n"));
    }
    let page = text(connector);
    let (before, rest) = page.split_once(BEGIN).expect("the page has a table");
    let (found, after) = rest.split_once(END).expect("its table ends");
    if found != table && std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(path(connector), format!("{before}{BEGIN}{table}{END}{after}"))
            .expect("it is written");
        return;
    }
    assert_eq!(found, table, "run this test with UPDATE_DOCS=1");
}
