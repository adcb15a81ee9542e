//! The columns of a CSV file: the delimiter and what each column is, found from the header; and a row as a level. Owns the
//! names by which a column is known. Never by its place: a file whose columns have moved would be read wrong in silence.

use super::fault::{LineFault, member};
use super::lines::{Line, Lines};
use super::ndjson::{fill, version};
use super::row::{Cell, Row, one_line};
use super::{Defaults, Told};
use crate::inventory::level;
use crate::json::Json;
use std::borrow::Cow;
use std::io::BufRead;

/// A field of a level and the headers that mean it, in small letters with `_` between words. What is less than on hand
/// (available, free) is not among them: it would be lessened twice.
const FIELDS: &[(&str, &[&str])] = &[
    ("sku", &["sku", "variant_sku", "item_sku", "item_number", "article_number", "artikelnummer"]),
    ("location", &["location", "location_code", "warehouse", "warehouse_code", "site", "lager", "lagerort"]),
    (
        "on_hand",
        &[
            "on_hand",
            "onhand",
            "quantity_on_hand",
            "qty_on_hand",
            "quantity",
            "qty",
            "stock",
            "bestand",
            "lagerbestand",
        ],
    ),
    ("reserved", &["reserved", "quantity_reserved", "qty_reserved", "allocated", "reserviert"]),
    ("counted", &["counted"]),
    ("safety", &["safety", "safety_stock", "buffer", "sicherheitsbestand"]),
    ("unit", &["unit", "uom", "unit_of_measure", "einheit", "mengeneinheit"]),
    (
        "changed_at",
        &[
            "changed_at",
            "updated_at",
            "modified_at",
            "last_modified",
            "timestamp",
            "geaendert_am",
            "geändert_am",
        ],
    ),
    (VERSION, &["version", "sequence", "sequence_number"]),
];
const VERSION: &str = "version";
const QUANTITIES: [&str; 4] = ["on_hand", "reserved", "counted", "safety"];
const DELIMITERS: [char; 3] = [',', ';', '\t'];

#[derive(Debug)]
pub(super) struct Columns {
    pub(super) delimiter: char,
    /// The field of each column; `None`: a column that no level has.
    fields: Vec<Option<&'static str>>,
}

impl Columns {
    /// From the first line that is not blank.
    pub(super) fn find<R: BufRead>(
        first: Line,
        lines: &mut Lines<R>,
        defaults: &Defaults,
    ) -> Result<Self, LineFault> {
        // A spreadsheet's own line that names the delimiter.
        let named = first.text.trim().strip_prefix("sep=").and_then(|rest| rest.chars().next());
        let header = match named {
            None => first,
            Some(_) => lines
                .next_filled()
                .unwrap_or_else(|| Err(LineFault::new(first.number, 1, "the file ends before its header")))?,
        };
        let candidates = named.map_or(DELIMITERS.to_vec(), |delimiter| vec![delimiter]);
        let known = |cells: &[Cell]| cells.iter().filter(|cell| field_of(&cell.text).is_some()).count();
        let mut best: Option<(char, Vec<Cell>)> = None;
        let mut fault = None;
        for delimiter in candidates {
            match one_line(&header.text, header.number, delimiter) {
                Ok(cells) if best.as_ref().is_none_or(|(_, best)| known(&cells) > known(best)) => {
                    best = Some((delimiter, cells));
                }
                Ok(_) => {}
                Err(found) => fault = fault.or(Some(found)),
            }
        }
        let Some((delimiter, cells)) = best else {
            return Err(fault.unwrap_or_else(|| LineFault::new(header.number, 1, "this is no header")));
        };
        if known(&cells) == 0 {
            let what = "this is neither a JSON object nor a header that names a column sku, delimited by , or ; or a tab";
            return Err(LineFault::new(header.number, 1, what));
        }
        let fields = fields(&cells)?;
        complete(&fields, header.number, defaults)?;
        Ok(Self { delimiter, fields })
    }
}

fn field_of(header: &str) -> Option<&'static str> {
    let name = header.trim().to_lowercase().replace([' ', '-'], "_");
    FIELDS.iter().find(|(_, names)| names.contains(&name.as_str())).map(|(field, _)| *field)
}

fn fields(header: &[Cell]) -> Result<Vec<Option<&'static str>>, LineFault> {
    let fields: Vec<_> = header.iter().map(|cell| field_of(&cell.text)).collect();
    for (index, field) in fields.iter().enumerate() {
        let first = fields[..index].iter().position(|other| other.is_some() && other == field);
        if let (Some(first), Some(field)) = (first, field) {
            let cell = &header[index];
            let what = format!(
                "{:?} and {:?} both mean {field}; rename one or leave it out",
                header[first].text.trim(),
                cell.text.trim()
            );
            return Err(LineFault::new(cell.line, cell.column, what).of(*field));
        }
    }
    Ok(fields)
}

/// Whether a level can be made of these columns.
fn complete(fields: &[Option<&'static str>], line: u64, defaults: &Defaults) -> Result<(), LineFault> {
    let needed = [
        ("sku", false),
        ("on_hand", false),
        ("location", defaults.location.is_some()),
        ("changed_at", defaults.changed_at.is_some()),
    ];
    for (field, given) in needed {
        if !given && !fields.contains(&Some(field)) {
            let names = FIELDS.iter().find(|(name, _)| *name == field).map_or(&[][..], |(_, names)| *names);
            let what = format!("there is no such column; name one {}", names.join(" or "));
            return Err(LineFault::new(line, 1, what).of(field));
        }
    }
    Ok(())
}

/// Rows of a file as levels.
pub(super) struct Sheet<'a> {
    pub(super) columns: &'a Columns,
    pub(super) defaults: &'a Defaults,
}

impl Sheet<'_> {
    pub(super) fn level(&self, row: &Row) -> Result<Told, LineFault> {
        let line = row.cells.first().map_or(1, |cell| cell.line);
        self.whole(row, line)?;
        let mut members = Vec::with_capacity(FIELDS.len());
        let mut sequence = None;
        for (cell, field) in self.filled(row) {
            let wrong = |what| LineFault::new(cell.line, cell.column, what).of(field);
            let text = cell.text.trim();
            if field == VERSION {
                sequence = Some(version(text).map_err(wrong)?);
                continue;
            }
            let text = match self.columns.delimiter {
                ';' if QUANTITIES.contains(&field) => super::decimal::with_point(text).map_err(wrong)?,
                _ => Cow::Borrowed(text),
            };
            members.push((Cow::Borrowed(field), Json::String(text)));
        }
        fill(&mut members, "location", self.defaults.location.clone());
        fill(&mut members, "changed_at", self.defaults.changed_at.map(|instant| instant.to_string()));
        let stock = level::of(&Json::Object(members)).map_err(|fault| {
            let field = member(&fault).unwrap_or("sku");
            let cell = self.cells(row).find(|(_, of)| *of == field).map(|(cell, _)| (cell.line, cell.column));
            let (line, column) = cell.unwrap_or((line, 1));
            LineFault::new(line, column, fault.message.clone()).of(field)
        })?;
        Ok(Told { line, version: sequence, stock })
    }

    fn cells<'r>(&'r self, row: &'r Row) -> impl Iterator<Item = (&'r Cell, &'static str)> {
        row.cells.iter().zip(&self.columns.fields).filter_map(|(cell, field)| Some((cell, (*field)?)))
    }

    fn filled<'r>(&'r self, row: &'r Row) -> impl Iterator<Item = (&'r Cell, &'static str)> {
        self.cells(row).filter(|(cell, _)| !cell.text.trim().is_empty())
    }

    /// Refuses a row of which part may be missing.
    fn whole(&self, row: &Row, line: u64) -> Result<(), LineFault> {
        let (found, expected) = (row.cells.len(), self.columns.fields.len());
        if found != expected {
            let what = format!(
                "the row has {found} cells and the header {expected}; a cell with {:?} in it is put in quotes",
                self.columns.delimiter
            );
            return Err(LineFault::new(line, 1, what));
        }
        // 12 may be what is left of 120. Only of an instant it is seen whether it is whole.
        let last = row.cells.last().zip(self.columns.fields.last().copied().flatten());
        match last {
            Some((cell, field)) if !row.closed && !cell.quoted && field != "changed_at" => {
                let what = "the file ends in this cell, so it may be cut off; end the last line too";
                Err(LineFault::new(cell.line, cell.column, what).of(field))
            }
            _ => Ok(()),
        }
    }
}
