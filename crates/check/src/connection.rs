//! `[systems.NAME.connection]`: what its connector has to say about it, at the place where it was written.

use crate::judge::{Judge, is_shopify};
use config::{Code, ConnectionValue, Origin, SHOPIFY, System, nearest};

pub(crate) fn judge(judge: &mut Judge<'_>) {
    for (name, system) in &judge.config.systems {
        // What could not be read cannot be held against the connection.
        let damaged = judge.config.is_damaged(&format!("systems.{name}"));
        if damaged || is_shopify(name) != (system.connector.value == SHOPIFY) {
            continue;
        }
        let Some(Err(problems)) = judge.inputs.systems.get(name.as_str()) else { continue };
        let absent: Vec<&str> =
            problems.iter().map(|problem| split(problem).0).filter(|key| !is_written(system, key)).collect();
        for problem in problems {
            own(judge, &format!("systems.{name}.connection"), system, problem, &absent);
        }
    }
}

/// `create.path: must be a text` is about the key `create.path`; without a key it is about the whole.
fn split(problem: &str) -> (&str, &str) {
    problem.split_once(": ").unwrap_or(("", problem))
}

fn is_written(system: &System, dotted: &str) -> bool {
    let first = dotted.split('.').next().unwrap_or("");
    system.connection.get(first).is_some()
}

/// `absent`: the keys that were asked for and are not there; one of them may be what a misspelled key was meant for.
fn own(judge: &mut Judge<'_>, path: &str, system: &System, problem: &str, absent: &[&str]) {
    let (dotted, what) = split(problem);
    let key = if dotted.is_empty() { path.to_owned() } else { format!("{path}.{dotted}") };
    let message =
        if dotted.is_empty() { format!("the connection {what}") } else { format!("{dotted} {what}") };
    let meant = if is_written(system, dotted) { nearest(dotted, absent.iter().copied()) } else { None };
    let help = match meant {
        Some(meant) => format!("did you mean {meant}?"),
        None => format!("docs/connectors/{}.md shows each setting", system.connector.value),
    };
    judge.finding(Code::Connection, &place(system, dotted), key, message, help);
}

/// The place of the innermost value on the way to a dotted key that was written.
fn place(system: &System, dotted: &str) -> Origin {
    let mut at = if system.connection.at == Origin::Default { &system.at } else { &system.connection.at };
    let mut table = &system.connection.settings;
    let mut rest = dotted;
    while !rest.is_empty() {
        // A header's name may hold a dot itself: the longest key that fits is taken.
        let fits = |key: &&String| {
            rest == key.as_str() || rest.strip_prefix(key.as_str()).is_some_and(|r| r.starts_with('.'))
        };
        let Some(key) = table.keys().filter(fits).max_by_key(|key| key.len()) else { break };
        let setting = &table[key];
        at = &setting.origin;
        rest = rest[key.len()..].trim_start_matches('.');
        match &setting.value {
            ConnectionValue::Table(inner) => table = inner,
            _ => break,
        }
    }
    at.clone()
}
