//! What a command prints for a person: lines and tables, on a terminal or in a pipe, collected and written at once.
//!
//! What others wrote (a target's message, an order's name) is shown as text: its control characters do nothing.

use crate::cli::say;
use comfy_table::{ContentArrangement, LineStyle, Table, TableStyle};
use jiff::Timestamp;
use serde_json::Value;
use std::io::IsTerminal as _;

/// One command's output.
#[derive(Debug, Default)]
pub struct Page {
    text: String,
    /// On a terminal tables are drawn; elsewhere they are columns that `awk` can take.
    drawn: bool,
}

/// Without `COLUMNS` of the shell a terminal is taken to be so wide.
const COLUMNS: u16 = 120;
/// Between two plain columns.
const GAP: &str = "  ";

impl Page {
    pub fn new() -> Self {
        Self { text: String::new(), drawn: std::io::stdout().is_terminal() }
    }

    pub fn line(&mut self, text: impl AsRef<str>) {
        self.text.push_str(&plain(text.as_ref()));
        self.text.push('\n');
    }

    pub fn blank(&mut self) {
        self.text.push('\n');
    }

    /// Under its heads; nothing where there is no row.
    pub fn table(&mut self, heads: &[&str], rows: Vec<Vec<String>>) {
        if rows.is_empty() {
            return;
        }
        let rows: Vec<Vec<String>> =
            rows.iter().map(|row| row.iter().map(|cell| plain(cell)).collect()).collect();
        // Scripts count columns: elsewhere all of them stand.
        let table = if self.drawn { drawn(heads, &rows) } else { columns(heads, &rows) };
        self.text.push_str(&table);
        self.text.push('\n');
    }

    #[cfg(test)]
    pub fn text(&self) -> &str {
        &self.text
    }

    pub fn print(&self) {
        say::out(&self.text);
    }
}

/// The answer as the hub gave it: one object.
pub fn json(answer: &Value) {
    say::out(format_args!("{answer}\n"));
}

/// What is empty in every row is left out.
fn drawn(heads: &[&str], rows: &[Vec<String>]) -> String {
    let width = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok()).unwrap_or(COLUMNS);
    let shown: Vec<usize> = (0..heads.len())
        .filter(|column| rows.iter().any(|row| row.get(*column).is_some_and(|cell| !cell.is_empty())))
        .collect();
    let cells = |row: &[String]| -> Vec<String> {
        shown.iter().filter_map(|column| row.get(*column)).cloned().collect()
    };
    let heads: Vec<String> = heads.iter().map(|head| (*head).to_owned()).collect();
    let mut table = Table::new();
    table
        .load_style(TableStyle::new().header_separator(LineStyle::new('─', '─', '─', '─')))
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(width)
        .set_header(cells(&heads))
        .add_rows(rows.iter().map(|row| cells(row)));
    table.to_string()
}

/// The last column is as long as it is.
fn columns(heads: &[&str], rows: &[Vec<String>]) -> String {
    let wide = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
        cells.chain(heads.get(column).map(|head| head.chars().count())).max().unwrap_or_default()
    };
    let widths: Vec<usize> = (0..heads.len()).map(wide).collect();
    let line = |cells: Vec<&str>| {
        let padded: Vec<String> =
            cells.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        padded.join(GAP).trim_end().to_owned()
    };
    let head = line(heads.to_vec());
    let rows = rows.iter().map(|row| line(row.iter().map(String::as_str).collect()));
    std::iter::once(head).chain(rows).collect::<Vec<_>>().join("\n")
}

fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// A text or a number as it is read; nothing for what is not known.
pub fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// An instant in UTC, to the second: `2026-11-24 08:00:01`.
pub fn at(value: &Value) -> String {
    stamped(value, "%Y-%m-%d %H:%M:%S")
}

/// To the millisecond, where the order of things counts.
pub fn exactly(value: &Value) -> String {
    stamped(value, "%Y-%m-%d %H:%M:%S%.3f")
}

fn stamped(value: &Value, format: &str) -> String {
    match value.as_str().and_then(|text| text.parse::<Timestamp>().ok()) {
        Some(at) => at.strftime(format).to_string(),
        None => text(value),
    }
}

/// A length of time as people say it; a dash where there is none.
pub fn span(ms: &Value) -> String {
    ms.as_u64().map_or_else(|| "–".to_owned(), engine::waits::span)
}

/// `1 order`, `12 orders`.
pub fn many(count: u64, one: &str) -> String {
    if count == 1 { format!("1 {one}") } else { format!("{count} {one}s") }
}

pub fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or_default()
}

/// The entries of a list; none where there is no list.
pub fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell_and_lines_do_not_end_in_blanks() {
        let mut page = Page::default();
        page.table(
            &["system", "why"],
            vec![vec!["erp".into(), "\u{1b}[31mred\nherring".into()], vec!["shopify".into(), String::new()]],
        );
        assert_eq!(page.text, "system   why\nerp       [31mred herring\nshopify\n");
    }

    #[test]
    fn a_terminal_is_not_shown_what_is_empty() {
        let rows = vec![vec!["erp".to_owned(), String::new(), "well".to_owned()]];
        let table = drawn(&["system", "paused", "runs"], &rows);
        assert!(table.contains("system") && table.contains("well") && !table.contains("paused"), "{table}");
    }

    #[test]
    fn what_is_not_known_is_shown_as_nothing() {
        assert_eq!(text(&json!(null)), "");
        assert_eq!(at(&json!("2026-11-24T08:00:01.25Z")), "2026-11-24 08:00:01");
        assert_eq!(exactly(&json!("2026-11-24T08:00:01.25Z")), "2026-11-24 08:00:01.250");
        assert_eq!(span(&json!(null)), "–");
        assert_eq!(span(&json!(1500)), "1.5 s");
    }
}
