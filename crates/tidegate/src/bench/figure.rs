//! What was measured, said so that a person can judge it: each figure with what it is held against. Judges nothing
//! itself: a shared machine of two processors is no judge.

use super::clock::median;
use serde::{Deserialize, Serialize};

/// One figure.
#[derive(Debug, Clone, Serialize)]
pub struct Figure {
    pub part: &'static str,
    pub name: String,
    pub value: f64,
    pub unit: &'static str,
    /// What the issue asks for, in its words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<&'static str>,
    /// Ratio, spread, and what else a reader needs.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub note: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plotted: Option<Plotted>,
}

/// Where a figure stands in a drawing of its part (`--plot`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plotted {
    pub store: String,
    pub what: String,
    /// Of history.
    pub rows: u64,
    pub middle_half: (f64, f64),
}

impl Figure {
    pub fn new(part: &'static str, name: impl Into<String>, value: f64, unit: &'static str) -> Self {
        Self { part, name: name.into(), value, unit, target: None, note: String::new(), plotted: None }
    }
    pub fn target(mut self, target: &'static str) -> Self {
        self.target = Some(target);
        self
    }
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.note = note.into();
        self
    }

    /// One line, in columns.
    pub fn line(&self) -> String {
        let value = match self.value {
            value if value.abs() >= 100.0 => format!("{value:.0}"),
            value if value.abs() >= 10.0 => format!("{value:.1}"),
            value => format!("{value:.2}"),
        };
        let target = self.target.map(|target| format!("[{target}]")).unwrap_or_default();
        let line = format!("  {:<46} {value:>9} {:<9} {target:<22} {}", self.name, self.unit, self.note);
        line.trim_end().to_owned()
    }
}

/// How rates stand to those of a floor, round by round, because each pair of rounds had the same neighbours: the median
/// of the ratios, in words.
pub fn of_floor(rates: &[f64], floor: &[f64], name: &str) -> String {
    let ratios = rates.iter().zip(floor).map(|(rate, floor)| rate / floor).collect();
    format!("{:.2} of {name}; ", median(ratios))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_is_one_line_with_its_target() {
        let line =
            Figure::new("intake", "durable", 12_345.6, "1/s").target("≥ 0.9 of plain").note("0.95").line();
        assert_eq!(
            line.split_whitespace().collect::<Vec<_>>().join(" "),
            "durable 12346 1/s [≥ 0.9 of plain] 0.95"
        );
    }
}
