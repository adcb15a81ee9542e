//! The columns of a CSV file: the delimiter, what the file holds and what each column is, found from the header; and a row as a level or a
//! change. A column is known by its name (`headers`), never by its place: a file whose columns have moved would be read wrong in silence.

use super::fault::{LineFault, field_of};
use super::headers::{self, ID, VERSION};
use super::holds::{Holds, Takes, not_taken};
use super::lines::{Line, Lines};
use super::ndjson::{fill, version};
use super::row::{Cell, Row, one_line};
use super::{Defaults, Says, Told};
use crate::inventory::{StockFault, change, level};
use crate::json::Json;
use std::borrow::Cow;
use std::io::BufRead;

const QUANTITIES: [&str; 4] = ["on_hand", "reserved", "counted", "safety"];
const DELIMITERS: [char; 3] = [',', ';', '\t'];

#[derive(Debug)]
pub(super) struct Columns {
    pub(super) delimiter: char,
    pub(super) holds: Holds,
    /// The field of each column; `None`: a column that means nothing here.
    fields: Vec<Option<&'static str>>,
}

impl Columns {
    /// From the first line that is not blank.
    pub(super) fn find<R: BufRead>(
        first: Line,
        lines: &mut Lines<R>,
        defaults: &Defaults,
    ) -> Result<Self, LineFault> {
        // A spreadsheet's own line that names the delimiter, which may be a tab.
        let named = first.text.trim_start().strip_prefix("sep=").and_then(|rest| rest.chars().next());
        let header = match named {
            None => first,
            Some(_) => lines
                .next_filled()
                .unwrap_or_else(|| Err(LineFault::new(first.number, 1, "the file ends before its header")))?,
        };
        let candidates = named.map_or(DELIMITERS.to_vec(), |delimiter| vec![delimiter]);
        let known = |cells: &[Cell]| headers::known(cells.iter().map(|cell| cell.text.as_str()));
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
        let holds = holds(&cells, header.number, defaults.takes)?;
        let fields = fields(&cells, holds)?;
        complete(&fields, header.number, (holds, defaults))?;
        Ok(Self { delimiter, holds, fields })
    }
}

/// Levels or changes, by the columns that are nothing else; and where the folder takes one alone, by that.
fn holds(header: &[Cell], line: u64, takes: Takes) -> Result<Holds, LineFault> {
    let of = |holds| header.iter().find(|cell| headers::tells(&cell.text) == Some(holds));
    let either = header.iter().find(|cell| headers::is_either(&cell.text));
    let fault = |cell: &Cell, what| Err(LineFault::new(cell.line, cell.column, what));
    match (takes.only(), of(Holds::Levels), of(Holds::Changes)) {
        (Some(Holds::Levels), None, Some(_)) if either.is_none() => Err(not_taken(Holds::Changes, line)),
        (Some(Holds::Levels), _, _) => Ok(Holds::Levels),
        (Some(Holds::Changes), Some(_), None) if either.is_none() => Err(not_taken(Holds::Levels, line)),
        (Some(Holds::Changes) | None, Some(level), Some(_)) | (Some(Holds::Changes), Some(level), None) => {
            let name = level.text.trim();
            let what = format!(
                "{name:?} is a quantity of a level, and the file tells changes; name it {name}_change if it is by how much {name} changed, \
                 or leave it out"
            );
            fault(level, what)
        }
        (Some(Holds::Changes), None, _) | (None, None, Some(_)) => Ok(Holds::Changes),
        (None, Some(_), None) => Ok(Holds::Levels),
        (None, None, None) => match either {
            Some(either) => {
                let name = either.text.trim();
                let what = format!(
                    "{name:?} may be what lies there or by how much that changed, and both are taken here; name it on_hand or change"
                );
                fault(either, what)
            }
            None => {
                let what = "there is no column that says how much; name one on_hand in a file of levels, change in one of changes";
                Err(LineFault::new(line, 1, what))
            }
        },
    }
}

fn fields(header: &[Cell], holds: Holds) -> Result<Vec<Option<&'static str>>, LineFault> {
    let fields: Vec<_> = header.iter().map(|cell| headers::field(&cell.text, holds)).collect();
    for (index, field) in fields.iter().enumerate() {
        let first = fields[..index].iter().position(|other| other.is_some() && other == field);
        if let (Some(first), Some(field)) = (first, field) {
            let cell = &header[index];
            let what = format!(
                "{:?} and {:?} both mean {}; rename one or leave it out",
                header[first].text.trim(),
                cell.text.trim(),
                headers::spelled(field, holds)
            );
            return Err(LineFault::new(cell.line, cell.column, what).of(headers::spelled(field, holds)));
        }
    }
    Ok(fields)
}

/// Whether a level or a change can be made of these columns.
fn complete(
    fields: &[Option<&'static str>],
    line: u64,
    (holds, defaults): (Holds, &Defaults),
) -> Result<(), LineFault> {
    let has = |field: &str| fields.contains(&Some(field));
    let changes = holds == Holds::Changes && QUANTITIES.iter().any(|field| has(field));
    let needed = [
        ("sku", false),
        ("on_hand", changes),
        ("location", defaults.location.is_some()),
        ("changed_at", defaults.changed_at.is_some()),
    ];
    for (field, given) in needed {
        if !given && !has(field) {
            let what = format!("there is no such column; name one {}", headers::names(field, holds));
            return Err(LineFault::new(line, 1, what).of(headers::spelled(field, holds)));
        }
    }
    Ok(())
}

/// Rows of a file as levels or changes.
pub(super) struct Sheet<'a> {
    pub(super) columns: &'a Columns,
    pub(super) defaults: &'a Defaults,
}

type Members<'a> = Vec<(Cow<'a, str>, Json<'a>)>;

impl Sheet<'_> {
    pub(super) fn told(&self, row: &Row) -> Result<Told, LineFault> {
        let line = row.cells.first().map_or(1, |cell| cell.line);
        self.whole(row, line)?;
        let holds = self.columns.holds;
        let (mut members, mut by): (Members<'_>, Members<'_>) =
            (Vec::with_capacity(self.columns.fields.len()), Vec::new());
        let (mut sequence, mut id) = (None, None);
        for (cell, field) in self.filled(row) {
            let wrong =
                |what| LineFault::new(cell.line, cell.column, what).of(headers::spelled(field, holds));
            let text = cell.text.trim();
            match field {
                VERSION => sequence = Some(version(text).map_err(wrong)?),
                ID => id = Some(change::id(text).map_err(wrong)?),
                _ => {
                    let is_quantity = QUANTITIES.contains(&field);
                    let text = match self.columns.delimiter {
                        ';' if is_quantity => super::decimal::with_point(text).map_err(wrong)?,
                        _ => Cow::Borrowed(text),
                    };
                    let of = if is_quantity && holds == Holds::Changes { &mut by } else { &mut members };
                    of.push((Cow::Borrowed(field), Json::String(text)));
                }
            }
        }
        fill(&mut members, "location", self.defaults.location.clone());
        fill(&mut members, "changed_at", self.defaults.changed_at.map(|instant| instant.to_string()));
        let says = match holds {
            Holds::Levels => level::of(&Json::Object(members)).map(Says::Level),
            Holds::Changes if by.is_empty() => {
                let what = "nothing changes; write by how much, as in -3".to_owned();
                let cell = self.cells(row).find(|(_, field)| QUANTITIES.contains(field));
                let (line, column) = cell.map_or((line, 1), |(cell, _)| (cell.line, cell.column));
                return Err(LineFault::new(line, column, what).of("change"));
            }
            Holds::Changes => {
                members.push((Cow::Borrowed("change"), Json::Object(by)));
                change::of(&Json::Object(members)).map(Says::Change)
            }
        };
        let says = says.map_err(|fault| self.placed(row, line, &fault))?;
        Ok(Told { line, version: sequence, id, says })
    }

    /// At the cell that it is of.
    fn placed(&self, row: &Row, line: u64, fault: &StockFault) -> LineFault {
        let (field, spelled) = field_of(fault).unwrap_or(("sku", "sku"));
        let cell = self.cells(row).find(|(_, of)| *of == field).map(|(cell, _)| (cell.line, cell.column));
        let (line, column) = cell.unwrap_or((line, 1));
        LineFault::new(line, column, fault.message.clone()).of(spelled)
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
                Err(LineFault::new(cell.line, cell.column, what)
                    .of(headers::spelled(field, self.columns.holds)))
            }
            _ => Ok(()),
        }
    }
}
