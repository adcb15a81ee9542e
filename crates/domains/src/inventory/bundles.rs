//! Which SKU is sold as a bundle of which others: a file of its own, CSV, a row for each component. Owns its reading, whole or
//! not at all, with the line and column of what is wrong, and that a bundle within a bundle comes down to what lies on the
//! shelf. What of it can be sold is `family`'s.

use super::drop::lines::{Line, Lines};
use super::drop::row::{self, Cell, Row};
use super::drop::{LineFault, Refused};
use super::level::is_spelled;
use super::rules::Rules;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;
use std::collections::BTreeMap;

/// Rows of a file.
const ROWS_MAX: usize = 200_000;
/// Units of a component in one bundle.
const QUANTITY_MAX: u32 = 1_000_000;
/// A bundle in a bundle in a bundle; deeper nobody means it.
const DEPTH_MAX: usize = 8;
/// SKUs that are bundled with one another, by whatever way: they are set one at a time, and all are looked at before each.
pub const FAMILY_MAX: usize = 100;

const DELIMITERS: [char; 3] = [',', ';', '\t'];
/// The columns, each by the names that mean it, in small letters.
const COLUMNS: [(&str, &[&str]); 4] = [
    ("bundle", &["bundle", "bundle_sku", "kit", "set"]),
    ("component", &["component", "component_sku", "part", "komponente"]),
    ("quantity", &["quantity", "qty", "count", "menge"]),
    ("unit", &["unit", "uom", "einheit"]),
];

/// So many of a SKU.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    pub sku: String,
    /// In whole sales units.
    pub quantity: u32,
}

/// All bundles of a flow.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Bundles {
    /// What each is made of, down to the shelf.
    made_of: BTreeMap<String, Vec<Piece>>,
    /// In which bundles each component is, and how often.
    held_by: BTreeMap<String, Vec<Piece>>,
    /// Of each SKU that is in a bundle or is one, the first of those that share units with it by whatever way; and of each first
    /// one all of them.
    first: BTreeMap<String, String>,
    families: BTreeMap<String, Vec<String>>,
}

/// A row, and where its cells stand.
struct Told {
    line: u64,
    bundle: (String, u64),
    component: (String, u64),
    quantity: (u32, u64),
}

impl Bundles {
    /// `rules`: how many sales units a unit holds.
    ///
    /// # Errors
    /// Every row that cannot be, with its line and column.
    pub fn parse(text: &[u8], rules: &Rules) -> Result<Self, Refused> {
        let mut refused = Refused::default();
        let told = rows(text, rules, &mut refused);
        if refused.count > 0 {
            return Err(refused);
        }
        let mut direct: BTreeMap<&str, Vec<&Told>> = BTreeMap::new();
        for row in &told {
            let of = direct.entry(&row.bundle.0).or_default();
            if row.bundle.0 == row.component.0 {
                refused.add(at(row.line, row.component.1, "component", "a bundle cannot hold itself"));
            } else if let Some(first) = of.iter().find(|known| known.component.0 == row.component.0) {
                let what = format!(
                    "{:?} is in {:?} already, by line {}; write both quantities as one",
                    row.component.0, row.bundle.0, first.line
                );
                refused.add(at(row.line, row.component.1, "component", what));
            } else {
                of.push(row);
            }
        }
        let mut bundles = Self::default();
        for bundle in direct.keys() {
            let mut pieces = BTreeMap::new();
            match flat(&direct, bundle, 1, &mut vec![*bundle], &mut pieces) {
                Ok(()) => {
                    let made = |(sku, quantity): (&str, u32)| Piece { sku: sku.to_owned(), quantity };
                    bundles.made_of.insert((*bundle).to_owned(), pieces.into_iter().map(made).collect());
                }
                Err(fault) => refused.add(fault),
            }
        }
        for (bundle, pieces) in &bundles.made_of {
            for piece in pieces {
                let held = Piece { sku: bundle.clone(), quantity: piece.quantity };
                bundles.held_by.entry(piece.sku.clone()).or_default().push(held);
            }
        }
        bundles.gather();
        for (first, members) in &bundles.families {
            // A family has a bundle, and its rows stand somewhere.
            let rows = members.iter().find_map(|member| direct.get(member.as_str())?.first());
            if let Some(row) = rows.filter(|_| members.len() > FAMILY_MAX) {
                let what = format!(
                    "{} SKUs from {first:?} on share components with one another, by one bundle or several, and {FAMILY_MAX} \
                     may: they are set one after another. Leave out components that never run short, as screws or boxes",
                    members.len()
                );
                refused.add(at(row.line, row.bundle.1, "bundle", what));
            }
        }
        if refused.count == 0 { Ok(bundles) } else { Err(refused) }
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.made_of.is_empty()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.made_of.len()
    }

    /// What a bundle is made of, by SKU; `None`: it is none.
    #[must_use]
    pub fn made_of(&self, sku: &str) -> Option<&[Piece]> {
        self.made_of.get(sku).map(Vec::as_slice)
    }

    /// The bundles that hold a SKU, each with how many of it.
    #[must_use]
    pub fn held_by(&self, sku: &str) -> &[Piece] {
        self.held_by.get(sku).map_or(&[], Vec::as_slice)
    }

    /// Whether what may be sold of a SKU depends on others.
    #[must_use]
    pub fn concerns(&self, sku: &str) -> bool {
        self.made_of.contains_key(sku) || self.held_by.contains_key(sku)
    }

    /// All SKUs that share units with this one, by one bundle or several, itself among them, in order; empty where it shares none.
    /// The first stands for all.
    #[must_use]
    pub fn family(&self, sku: &str) -> &[String] {
        let first = self.first.get(sku);
        first.and_then(|first| self.families.get(first)).map_or(&[], Vec::as_slice)
    }

    /// The most SKUs that share units with one another, and the first of them.
    #[must_use]
    pub fn largest_family(&self) -> (usize, &str) {
        let all = self.families.iter().map(|(first, members)| (members.len(), first.as_str()));
        all.max_by_key(|(members, _)| *members).unwrap_or((0, ""))
    }

    /// Finds who shares units with whom.
    fn gather(&mut self) {
        for start in self.made_of.keys() {
            if self.first.contains_key(start) {
                continue;
            }
            let mut members = std::collections::BTreeSet::from([start.as_str()]);
            let mut open = vec![start.as_str()];
            while let Some(sku) = open.pop() {
                let near = self.made_of(sku).unwrap_or(&[]).iter().chain(self.held_by(sku));
                open.extend(
                    near.map(|piece| piece.sku.as_str())
                        .filter(|near| members.insert(*near))
                        .collect::<Vec<_>>(),
                );
            }
            let members: Vec<String> = members.into_iter().map(str::to_owned).collect();
            let Some(first) = members.first().cloned() else { continue };
            self.first.extend(members.iter().map(|member| (member.clone(), first.clone())));
            self.families.insert(first, members);
        }
    }
}

/// Adds what a bundle is made of, `times` over. `within`: the bundles that this one lies in, itself the last.
fn flat<'a>(
    direct: &BTreeMap<&'a str, Vec<&'a Told>>,
    bundle: &str,
    times: u32,
    within: &mut Vec<&'a str>,
    pieces: &mut BTreeMap<&'a str, u32>,
) -> Result<(), LineFault> {
    for row in direct.get(bundle).into_iter().flatten() {
        let component = row.component.0.as_str();
        let quantity = times.checked_mul(row.quantity.0).filter(|quantity| *quantity <= QUANTITY_MAX);
        let many =
            || at(row.line, row.quantity.1, "quantity", format!("more than {QUANTITY_MAX} in one bundle"));
        let quantity = quantity.ok_or_else(many)?;
        if !direct.contains_key(component) {
            let sum = pieces.entry(component).or_default();
            *sum = sum.checked_add(quantity).filter(|sum| *sum <= QUANTITY_MAX).ok_or_else(many)?;
            continue;
        }
        if within.contains(&component) {
            let what = format!(
                "the bundle holds itself: {} → {component}; take one of these rows out",
                within.join(" → ")
            );
            return Err(at(row.line, row.component.1, "component", what));
        }
        if within.len() >= DEPTH_MAX {
            let what = format!("bundles within bundles, more than {DEPTH_MAX} deep: {}", within.join(" → "));
            return Err(at(row.line, row.component.1, "component", what));
        }
        within.push(component);
        flat(direct, component, quantity, within, pieces)?;
        within.pop();
    }
    Ok(())
}

fn at(line: u64, column: u64, field: &str, what: impl Into<String>) -> LineFault {
    LineFault::new(line, column, what).of(field)
}

/// Every row, as far as each can be read by itself.
fn rows(text: &[u8], rules: &Rules, refused: &mut Refused) -> Vec<Told> {
    let mut lines = Lines::new(text);
    let header = match lines.next_filled() {
        None => Err(LineFault::new(1, 1, "the file is empty; its first line is: bundle,component,quantity")),
        Some(line) => line.and_then(|line| columns(&line)),
    };
    let (delimiter, columns) = match header {
        Ok(header) => header,
        Err(fault) => {
            refused.add(fault);
            return Vec::new();
        }
    };
    let mut told = Vec::new();
    while let Some(row) = row::next(&mut lines, delimiter) {
        match row.and_then(|row| read(&row, &columns, rules)) {
            Ok(_) if told.len() >= ROWS_MAX => {
                refused.add(LineFault::new(1, 1, format!("the file has more than {ROWS_MAX} rows")));
                return told;
            }
            Ok(row) => told.push(row),
            Err(fault) => refused.add(fault),
        }
    }
    told
}

/// The delimiter, and the place of each of [`COLUMNS`].
fn columns(header: &Line) -> Result<(char, [Option<usize>; 4]), LineFault> {
    let delimiter = DELIMITERS.into_iter().max_by_key(|delimiter| {
        // Of two that are as frequent the first.
        (header.text.matches(*delimiter).count(), std::cmp::Reverse(*delimiter))
    });
    let delimiter = delimiter.unwrap_or(',');
    let cells = row::one_line(&header.text, header.number, delimiter)?;
    let names: Vec<String> =
        cells.iter().map(|cell| cell.text.trim().to_lowercase().replace([' ', '-'], "_")).collect();
    let mut places = [None; 4];
    for (place, (field, known)) in places.iter_mut().zip(COLUMNS) {
        let mut found = names.iter().enumerate().filter(|(_, name)| known.contains(&name.as_str()));
        *place = found.next().map(|(index, _)| index);
        if let Some((twice, _)) = found.next() {
            let what = format!("a second column of {field}; leave one out");
            return Err(at(header.number, cells[twice].column, field, what));
        }
        if place.is_none() && field != "unit" {
            let what = format!(
                "no column {field}; the first line names the columns: bundle,component,quantity and, where a quantity is in \
                 another unit than is sold, unit"
            );
            return Err(LineFault::new(header.number, 1, what));
        }
    }
    Ok((delimiter, places))
}

fn read(row: &Row, columns: &[Option<usize>; 4], rules: &Rules) -> Result<Told, LineFault> {
    let line = row.cells.first().map_or(1, |cell| cell.line);
    let cell = |column: usize| columns[column].and_then(|index| row.cells.get(index));
    let name = |column: usize| -> Result<(String, u64), LineFault> {
        let field = COLUMNS[column].0;
        let found = cell(column).filter(|cell| !cell.text.trim().is_empty());
        let found =
            found.ok_or_else(|| LineFault::new(line, 1, format!("no {field} stands here")).of(field))?;
        if found.text.contains(char::is_control) {
            return Err(at(found.line, found.column, field, "control characters are in no SKU"));
        }
        Ok((found.text.trim().to_owned(), found.column))
    };
    let (bundle, component) = (name(0)?, name(1)?);
    let Some(quantity) = cell(2).filter(|cell| !cell.text.trim().is_empty()) else {
        return Err(LineFault::new(line, 1, "no quantity stands here").of("quantity"));
    };
    let units = units(quantity, cell(3), rules)?;
    Ok(Told { line, bundle, component, quantity: (units, quantity.column) })
}

/// How many whole sales units.
fn units(quantity: &Cell, unit: Option<&Cell>, rules: &Rules) -> Result<u32, LineFault> {
    let wrong = |what: String| at(quantity.line, quantity.column, "quantity", what);
    let text = quantity.text.trim();
    let number = Decimal::from_str_exact(text).ok().filter(|_| is_spelled(text) && !text.starts_with('-'));
    let number = number.ok_or_else(|| wrong(format!("{text:?} is no quantity; write digits, as in 2")))?;
    let mut holds = Decimal::ONE;
    if let Some(unit) = unit.filter(|unit| !unit.text.trim().is_empty()) {
        let name = unit.text.trim();
        match rules.holds(name) {
            Some((known, _)) => holds = known,
            None if rules.is_sales_unit(name) => {}
            None => {
                let what = format!(
                    "no rule says how many sales units {name:?} holds; add one to the flow's stock.units, as in \
                     \"{name} = 12 each\""
                );
                return Err(at(unit.line, unit.column, "unit", what));
            }
        }
    }
    let units = number.checked_mul(holds).unwrap_or(Decimal::MAX);
    if units.is_zero() {
        return Err(wrong("a component of which none is needed is none; take the row out".to_owned()));
    }
    let whole = units.to_u32().filter(|whole| Decimal::from(*whole) == units && *whole <= QUANTITY_MAX);
    whole.ok_or_else(|| wrong(format!("{units} is no whole number of sales units from 1 to {QUANTITY_MAX}")))
}

#[cfg(test)]
mod tests;
