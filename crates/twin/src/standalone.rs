//! What look-alikes share that run as processes of their own: a line of JSON on standard output, and knobs from flags.

use anyhow::{Context as _, Result, bail};
use serde_json::{Map, Value, json};
use std::io::Write as _;

pub(crate) fn say(line: &Value) -> Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}").and_then(|()| out.flush()).context("standard output is closed")
}

/// `name=value` each; the value is JSON, or a bare word. `example`: what is shown where one is wrong.
pub(crate) fn knobs(settings: &[String], example: &str) -> Result<Value> {
    let mut some = Map::new();
    for setting in settings {
        let Some((name, value)) = setting.split_once('=') else {
            bail!("knob {setting:?}: name=value was expected, such as {example}");
        };
        let value = serde_json::from_str(value).unwrap_or_else(|_| json!(value));
        some.insert(name.to_owned(), value);
    }
    Ok(Value::Object(some))
}
