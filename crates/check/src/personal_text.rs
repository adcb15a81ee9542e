//! The report on personal data as text for a terminal and as Markdown for the data protection officer.

use crate::personal::{PersonalData, PersonalFlow};
use std::fmt::{self, Write as _};

const NOTE: &str = "In each target the object also carries its object key: the shop's name and the order's id. What a \
                    target does with what it was given is not the hub's to say.";

impl fmt::Display for PersonalData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Personal data that flows move\n")?;
        for flow in &self.flows {
            writeln!(f, "\n{}", headline(flow))?;
            let width = |of: fn(&crate::personal::Moved) -> &str| {
                flow.moves.iter().map(|moved| of(moved).chars().count()).max().unwrap_or(0)
            };
            let (field, to, kind) =
                (width(|moved| &moved.field), width(|moved| &moved.to), width(|moved| &moved.kind));
            for moved in &flow.moves {
                let through = through(&moved.through);
                writeln!(
                    f,
                    "  {:<field$}  → {:<to$}  {:<kind$}  {}{through}",
                    moved.field, moved.to, moved.kind, moved.mapping
                )?;
            }
            if let Some(nothing) = nothing(flow) {
                writeln!(f, "  {nothing}")?;
            }
        }
        f.write_str("\nHow long the hub keeps what\n")?;
        for kept in &self.kept {
            writeln!(f, "  {}\n    {}\n    {}", kept.what, kept.how_long, kept.how)?;
        }
        writeln!(f, "\n{NOTE}")
    }
}

impl PersonalData {
    /// For a record of processing activities.
    pub fn to_markdown(&self) -> String {
        let mut text = "# Personal data that Tidegate moves and keeps\n".to_owned();
        for flow in &self.flows {
            let _ = writeln!(text, "\n## {}\n\n{}", cell(&flow.flow), cell(&headline(flow)));
            if let Some(nothing) = nothing(flow) {
                let _ = writeln!(text, "\n{}", sentence(&nothing));
                continue;
            }
            text.push_str(
                "\n| field of the source | what it is | field of the target | through | mapping |\n",
            );
            text.push_str("| --- | --- | --- | --- | --- |\n");
            for moved in &flow.moves {
                let cells = [&moved.field, &moved.kind, &moved.to, &moved.through.join(", "), &moved.mapping];
                let _ = writeln!(text, "| {} |", cells.map(|text| cell(text)).join(" | "));
            }
        }
        text.push_str("\n## What is kept, and how long\n\n| what | how long | how |\n| --- | --- | --- |\n");
        for kept in &self.kept {
            let _ =
                writeln!(text, "| {} | {} | {} |", cell(&kept.what), cell(&kept.how_long), cell(&kept.how));
        }
        let _ = writeln!(text, "\n{NOTE}");
        text
    }
}

fn headline(flow: &PersonalFlow) -> String {
    let PersonalFlow { flow: name, domain, source, target, mode, .. } = flow;
    let connector = flow.connector.as_deref().map(|title| format!(", {title}")).unwrap_or_default();
    let at = if flow.reached_at.is_empty() {
        String::new()
    } else {
        format!(" at {}", flow.reached_at.join(", "))
    };
    format!("{name}: {source} → {target}{connector}{at} ({domain}, {mode}; shops: {})", flow.shops.join(", "))
}

fn nothing(flow: &PersonalFlow) -> Option<String> {
    match &flow.unknown {
        Some(why) => Some(format!("unknown: {why}")),
        None if flow.moves.is_empty() => Some("moves no field with personal data".to_owned()),
        None => None,
    }
}

fn through(verbs: &[String]) -> String {
    if verbs.is_empty() { String::new() } else { format!("  ({})", verbs.join(", ")) }
}

fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|letter| letter.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", cell(letters.as_str()))
}

/// Text within a table or a line: nothing in it is taken for a mark.
fn cell(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '|' | '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' => {
                safe.push('\\');
                safe.push(c);
            }
            c if c.is_control() => safe.push(' '),
            c => safe.push(c),
        }
    }
    safe
}
