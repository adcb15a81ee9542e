//! `[systems.NAME.connection]` against what its connector says it takes.

use crate::judge::Judge;
use config::{Code, ConnectionValue, Finding, Origin, System, nearest};
use connector::descriptor::{Descriptor, Setting, SettingKind};

pub(crate) fn judge(judge: &mut Judge<'_>) {
    for (name, system) in &judge.config.systems {
        if judge.config.is_damaged(&format!("systems.{name}")) {
            continue;
        }
        let Some(descriptor) = judge.descriptor(name) else { continue };
        let path = format!("systems.{name}.connection");
        missing(judge, &path, system, descriptor);
        for (key, setting) in &system.connection.settings {
            let full = format!("{path}.{key}");
            match descriptor.settings.iter().find(|known| known.name == key) {
                Some(known) => kind(judge, &full, known, &setting.value, &setting.origin),
                None => unknown(judge, &full, key, descriptor, &setting.origin),
            }
        }
        own_problems(judge, name.as_str(), &path, system);
    }
}

fn missing(judge: &mut Judge<'_>, path: &str, system: &System, descriptor: &Descriptor) {
    for setting in descriptor.settings.iter().filter(|setting| setting.required) {
        if system.connection.get(setting.name).is_some() || misspelled(system, descriptor, setting.name) {
            continue;
        }
        let at = if system.connection.at == Origin::Default { &system.at } else { &system.connection.at };
        judge.finding(
            Code::Connection,
            at,
            format!("{path}.{}", setting.name),
            format!("[{path}] lacks {}: {}", setting.name, setting.meaning.trim_end_matches('.')),
            format!("add a line like {} = {}", setting.name, quoted(setting)),
        );
    }
}

/// Whether the setting was meant by a key that the connector does not know.
fn misspelled(system: &System, descriptor: &Descriptor, name: &str) -> bool {
    let is_known = |key: &str| descriptor.settings.iter().any(|setting| setting.name == key);
    let unknown = system.connection.settings.keys().filter(|key| !is_known(key));
    unknown.into_iter().any(|key| nearest(key, descriptor.settings.iter().map(|s| s.name)) == Some(name))
}

/// The example as it would stand in the file, whether or not the connector wrote its quotes.
fn quoted(setting: &Setting) -> String {
    let plain = !setting.example.starts_with(['"', '\'', '[', '{']);
    match setting.kind {
        SettingKind::Text | SettingKind::Url | SettingKind::Secret | SettingKind::Duration if plain => {
            format!("{:?}", setting.example)
        }
        _ => setting.example.to_owned(),
    }
}

fn unknown(judge: &mut Judge<'_>, full: &str, key: &str, descriptor: &Descriptor, at: &Origin) {
    let known = descriptor.settings.iter().map(|setting| setting.name);
    let help = match nearest(key, known.clone()) {
        Some(near) => format!("did you mean {near}?"),
        None if descriptor.settings.is_empty() => "it takes none: take the line out".to_owned(),
        None => format!("it takes {}", known.collect::<Vec<_>>().join(", ")),
    };
    judge.finding(
        Code::Connection,
        at,
        full,
        format!("the connector {} takes no {key}", descriptor.kind),
        help,
    );
}

fn kind(judge: &mut Judge<'_>, full: &str, known: &Setting, value: &ConnectionValue, at: &Origin) {
    use ConnectionValue as Is;
    use SettingKind as Wants;
    let wanted = match (known.kind, value) {
        (Wants::Secret, Is::Secret(_))
        | (Wants::Text, Is::Text(_) | Is::Secret(_))
        | (Wants::Integer, Is::Integer(_))
        | (Wants::Boolean, Is::Boolean(_)) => return,
        (Wants::Secret, _) => {
            let message = format!("{} holds a secret itself", known.name);
            let help = format!(
                "refer to it: \"env:{}\" or \"file:PATH\"; and replace the secret, it may have been seen",
                known.name.to_ascii_uppercase()
            );
            judge.push(Finding::new(Code::LiteralSecret, &at.blanked(), message, help).key(full));
            return;
        }
        (Wants::Url, Is::Text(text)) if text.starts_with("https://") || text.starts_with("http://") => return,
        (Wants::Duration, Is::Text(text)) if kernel::flow::duration(text).is_some() => return,
        (Wants::Duration, Is::Integer(number)) => {
            let message = format!("{} takes a duration, and this number has no unit", known.name);
            judge.finding(Code::Unit, at, full, message, format!("write \"{number}s\""));
            return;
        }
        (Wants::Table, Is::Table(_)) | (Wants::List, Is::List(_)) => return,
        (Wants::Text, _) => "text",
        (Wants::Url, _) => "a URL that begins with http:// or https://",
        (Wants::Integer, _) => "a whole number",
        (Wants::Boolean, _) => "true or false",
        (Wants::Duration, _) => "a duration, as in \"30s\"",
        (Wants::Table, _) => "a table",
        (Wants::List, _) => "a list",
    };
    let is = match value {
        Is::Text(text) => format!("{text:?}"),
        other => other.kind().to_owned(),
    };
    let message = format!("{} takes {wanted}, not {is}", known.name);
    judge.finding(
        Code::Connection,
        at,
        full,
        message,
        format!("write it like {} = {}", known.name, quoted(known)),
    );
}

/// What the connector itself says, where the rules above have not said it already. A problem begins with the dotted
/// key that it is about (`create.path: must be a text`).
fn own_problems(judge: &mut Judge<'_>, name: &str, path: &str, system: &System) {
    for problem in judge.inputs.problems.get(name).into_iter().flatten() {
        let (dotted, what) = problem.split_once(": ").unwrap_or(("", problem));
        let key = if dotted.is_empty() { path.to_owned() } else { format!("{path}.{dotted}") };
        if judge.findings.iter().any(|finding| finding.key.as_deref() == Some(&key)) {
            continue;
        }
        let at = place(system, dotted);
        let message = if dotted.is_empty() { what.to_owned() } else { format!("{dotted} {what}") };
        let help =
            format!("the page of the connector {} lists its settings, with examples", system.connector.value);
        judge.finding(Code::Connection, &at, key, message, help);
    }
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
