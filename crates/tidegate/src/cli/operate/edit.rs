//! `tidegate dead-letters edit`: the order of a dead letter corrected by hand, in an editor, field by field or from a
//! file. What comes of it is judged by the hub; an editor's file that was not taken is kept.

use super::client::Client;
use super::page::{self, Page, list, text};
use super::who;
use crate::cli::{Failure, say};
use anyhow::{Context as _, anyhow};
use serde_json::{Value, json};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

#[derive(Debug, clap::Args)]
pub struct Edit {
    /// By its number
    #[arg(value_name = "DELIVERY")]
    id: i64,
    /// A field and what it shall be, such as lines[0].sku=SKU-1; null takes it away. Several times, for several fields
    #[arg(long = "field", value_name = "FIELD=VALUE", conflicts_with = "file")]
    sets: Vec<String>,
    /// The whole corrected order as JSON; - reads standard input
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// Prints the order as it is, for --file, and changes nothing
    #[arg(long, conflicts_with_all = ["sets", "file", "why"])]
    print: bool,
    /// The reason; it stands in the audit
    #[arg(long, visible_alias = "reason", value_name = "TEXT", value_parser = super::reason, required_unless_present = "print")]
    why: Option<String>,
}

pub async fn run(client: &Client, edit: &Edit, as_json: bool) -> Result<(), Failure> {
    let path = format!("/dead-letters/{}", edit.id);
    let given = client.post(&format!("{path}/order"), &json!({ "who": who() })).await?;
    let order = &given["order"];
    if edit.print {
        say::out(format_args!("{order:#}\n"));
        return Ok(());
    }
    let (corrected, draft) = match &edit.file {
        Some(file) => (read(file)?, None),
        None if !edit.sets.is_empty() => (set(order, &edit.sets)?, None),
        None => in_editor(edit.id, order)?,
    };
    let asked = json!({ "order": corrected, "who": who(), "why": edit.why });
    let edited = match (client.post(&format!("{path}/edit"), &asked).await, &draft) {
        (Ok(edited), _) => edited,
        (Err(failure), Some(draft)) => {
            say::note(format_args!(
                "your correction is kept: mend it and give it with --file {}",
                draft.display()
            ));
            return Err(failure);
        }
        (Err(failure), None) => return Err(failure),
    };
    if let Some(draft) = draft {
        std::fs::remove_file(&draft).with_context(|| format!("{} cannot be taken away", draft.display()))?;
    }
    if as_json {
        page::json(&edited);
        return Ok(());
    }
    let changed: Vec<String> = list(&edited["changed"]).iter().map(text).collect();
    let mut page = Page::new();
    page.line(format!(
        "{} is corrected ({}) and on its way; the order as it came stays in the log",
        text(&edited["subject"]),
        changed.join(", ")
    ));
    page.print();
    Ok(())
}

fn read(file: &Path) -> Result<Value, Failure> {
    let mut body = String::new();
    if file == Path::new("-") {
        std::io::stdin().read_to_string(&mut body)?;
    } else {
        body = std::fs::read_to_string(file).with_context(|| format!("{} cannot be read", file.display()))?;
    }
    let parsed = serde_json::from_str(&body);
    Ok(parsed.with_context(|| format!("{} is no JSON", file.display()))?)
}

/// Each field by its path; a value that is no JSON is a text.
fn set(order: &Value, sets: &[String]) -> Result<Value, Failure> {
    let mut order = order.clone();
    for one in sets {
        let (path, value) = one
            .split_once('=')
            .ok_or_else(|| Failure::Usage(format!("--field {one:?}: write it as lines[0].sku=SKU-1")))?;
        let pointer = pointer(path);
        let Some(place) = order.pointer_mut(&pointer) else {
            return Err(Failure::Usage(format!(
                "--field {path}: the order has no such field{}; --print shows what it has",
                nearest_that_is(&order, &pointer)
            )));
        };
        let text = || Value::String(value.to_owned());
        let parsed = serde_json::from_str(value).unwrap_or_else(|_| text());
        // An amount, an id or a number of a purchase order is a text that looks like a number.
        let is_scalar = parsed.is_number() || parsed.is_boolean();
        *place = if (place.is_string() || place.is_null()) && is_scalar { text() } else { parsed };
    }
    Ok(order)
}

/// `lines[0].sku` and `lines.0.sku` as a JSON pointer, which is taken as it is.
fn pointer(path: &str) -> String {
    if path.starts_with('/') {
        return path.to_owned();
    }
    path.split(['.', '[', ']'])
        .filter(|part| !part.is_empty())
        .map(|part| format!("/{}", part.replace('~', "~0").replace('/', "~1")))
        .collect()
}

/// How far the path leads, and what is there.
fn nearest_that_is(order: &Value, pointer: &str) -> String {
    let mut above = pointer;
    while let Some((shorter, _)) = above.rsplit_once('/') {
        above = shorter;
        match order.pointer(above) {
            Some(Value::Object(members)) => {
                let names: Vec<&str> = members.keys().map(String::as_str).collect();
                let place = if above.is_empty() { "it" } else { above };
                return format!(" ({place} has {})", names.join(", "));
            }
            Some(Value::Array(items)) => return format!(" ({above} has {} entries)", items.len()),
            _ => {}
        }
    }
    String::new()
}

/// The corrected order, and the file that it was corrected in. Only its owner can read that: an order is personal data.
fn in_editor(id: i64, order: &Value) -> Result<(Value, Option<PathBuf>), Failure> {
    let editor = ["VISUAL", "EDITOR"].into_iter().find_map(|name| std::env::var(name).ok());
    let editor = editor.filter(|editor| !editor.trim().is_empty());
    let Some(editor) = editor else {
        return Err(Failure::Usage(
            "no editor: set EDITOR, or correct it with --field FIELD=VALUE or --file".to_owned(),
        ));
    };
    let path = std::env::temp_dir().join(format!("tidegate-dead-letter-{id}-{}.json", std::process::id()));
    let mut options = std::fs::OpenOptions::new();
    let opened = options.write(true).create_new(true).mode(0o600).open(&path);
    let mut file = opened.with_context(|| format!("{} cannot be made", path.display()))?;
    writeln!(file, "{order:#}")?;
    drop(file);
    // As a shell would take it: the variable may hold flags too.
    let status = Command::new("sh")
        .args(["-c", &format!("{editor} \"$1\""), "sh"])
        .arg(&path)
        .status()
        .with_context(|| format!("{editor} cannot be started"))?;
    let corrected = std::fs::read_to_string(&path)?;
    if !status.success() {
        std::fs::remove_file(&path)?;
        return Err(anyhow!("{editor} ended with {status}: nothing was changed").into());
    }
    match serde_json::from_str::<Value>(&corrected) {
        Ok(corrected) if corrected == *order => {
            std::fs::remove_file(&path)?;
            Err(Failure::Usage(
                "nothing was changed; `tidegate dead-letters release` tries it as it is".to_owned(),
            ))
        }
        Ok(corrected) => Ok((corrected, Some(path))),
        Err(error) => Err(anyhow!(
            "it is no JSON any more ({error}); your correction is kept: mend it and give it with --file {}",
            path.display()
        )
        .into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order() -> Value {
        json!({ "note": null, "po_number": "1", "lines": [{ "sku": "A", "taxable": true, "quantity": 2 }] })
    }

    fn sets(sets: &[&str]) -> Result<Value, Failure> {
        set(&order(), &sets.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn a_field_is_set_however_its_path_is_spelled_and_keeps_its_kind() {
        let changed = sets(&[
            "lines[0].sku=B=2",
            "/lines/0/taxable=false",
            "lines.0.quantity=3",
            "po_number=4711",
            "note=17",
        ])
        .unwrap();
        let line = json!({ "sku": "B=2", "taxable": false, "quantity": 3 });
        assert_eq!(changed, json!({ "note": "17", "po_number": "4711", "lines": [line] }));
        assert_eq!(sets(&["po_number=null"]).unwrap()["po_number"], Value::Null);
    }

    #[test]
    fn a_field_that_is_not_there_is_told_with_those_that_are() {
        for (one, told) in [
            ("lines[0].skuu=B", "/lines/0 has quantity, sku, taxable"),
            ("lines[3].sku=B", "/lines has 1 entries"),
            ("nothing", "write it as lines[0].sku=SKU-1"),
        ] {
            match sets(&[one]) {
                Err(Failure::Usage(text)) => assert!(text.contains(told), "{text}"),
                other => panic!("{one}: {other:?}"),
            }
        }
    }
}
