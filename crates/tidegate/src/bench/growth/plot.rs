//! The growth of one run or several, drawn as SVG: what an append and what a claim take of a small store's, by rows of
//! history. Owns geometry and the form in which a run's figures are read again; measures nothing.

use crate::bench::figure::Plotted;
use anyhow::{Context as _, ensure};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// As much of `tidegate bench --json` as is drawn.
#[derive(Debug, Deserialize)]
struct Run {
    figures: Vec<Read>,
}

#[derive(Debug, Deserialize)]
struct Read {
    value: f64,
    plotted: Option<Plotted>,
}

/// One measured size.
#[derive(Debug, Clone, Copy)]
struct Point {
    rows: u64,
    ratio: f64,
    middle_half: (f64, f64),
}

/// By store; what was measured of it, in the order of rows.
type Lines = BTreeMap<String, Vec<Point>>;

/// Each panel: what is measured, and how far it may go.
const PANELS: [(&str, f64); 2] = [("append", 1.5), ("claim", 1.2)];
const WIDTH: f64 = 420.0;
const HEIGHT: f64 = 300.0;
const LEFT: f64 = 48.0;
const RIGHT: f64 = 400.0;
const TOP: f64 = 70.0;
const BOTTOM: f64 = 252.0;
const STEP: f64 = 0.5;
/// Of a decade: what is so near to a power of ten needs no axis beyond it.
const NEAR: f64 = 0.05;

const STYLE: &str = "svg{--page:#f4f6f7;--ink:#17212b;--quiet:#55636f;--line:#c3ccd2;--first:#0b5563;--second:#a04a00;--soft:#e4eef0}\n\
@media (prefers-color-scheme:dark){svg{--page:#0f1519;--ink:#e5ecf0;--quiet:#9dabb5;--line:#3a4a54;--first:#6fd0c5;--second:#ecb758;--soft:#15282d}}\n\
text{font:400 12px system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue','Noto Sans','Liberation Sans',sans-serif;fill:var(--ink)}\n\
.title{font-size:15px;font-weight:650}.quiet{fill:var(--quiet)}.middle{text-anchor:middle}.end{text-anchor:end}\n\
.page{fill:var(--page)}.within{fill:var(--soft)}.grid{stroke:var(--line)}.bound{stroke:var(--quiet);stroke-dasharray:5 4}\n\
polyline{fill:none;stroke-width:2}.s0{stroke:var(--first)}.s1{stroke:var(--second)}.s1.line{stroke-dasharray:7 3}\n\
circle.s0{fill:var(--first)}circle.s1{fill:var(--second)}";

/// What these runs measured, drawn.
pub fn draw(files: &[PathBuf]) -> anyhow::Result<String> {
    let mut panels: BTreeMap<String, Lines> = BTreeMap::new();
    for file in files {
        read(file, &mut panels)?;
    }
    picture(&panels)
}

fn read(file: &Path, panels: &mut BTreeMap<String, Lines>) -> anyhow::Result<()> {
    let text = std::fs::read_to_string(file).with_context(|| format!("{} cannot be read", file.display()))?;
    let run: Run = serde_json::from_str(&text)
        .with_context(|| format!("{} is not what `tidegate bench --json` printed", file.display()))?;
    let mut found = 0;
    for Read { value: ratio, plotted } in run.figures {
        let Some(Plotted { store, what, rows, middle_half }) = plotted else { continue };
        ensure!(rows > 0, "{} has a figure of no rows", file.display());
        let line = panels.entry(what).or_default().entry(store).or_default();
        // Of several runs the one that was named last counts.
        line.retain(|point| point.rows != rows);
        line.push(Point { rows, ratio, middle_half });
        line.sort_by_key(|point| point.rows);
        found += 1;
    }
    ensure!(
        found > 0,
        "{} has no figure of growth: make one by `tidegate bench --only growth --json`",
        file.display()
    );
    Ok(())
}

fn picture(panels: &BTreeMap<String, Lines>) -> anyhow::Result<String> {
    let points = || panels.values().flat_map(BTreeMap::values).flatten();
    let decades = (
        points().map(|point| (decade(point.rows) + NEAR).floor()).fold(f64::INFINITY, f64::min),
        points().map(|point| (decade(point.rows) - NEAR).ceil()).fold(f64::NEG_INFINITY, f64::max),
    );
    // A whole decade at least, so that there is an axis.
    let decades = (decades.0, decades.1.max(decades.0 + 1.0));
    let most = points().map(|point| point.middle_half.1.max(point.ratio)).fold(1.5, f64::max);
    let most = (most / STEP + 0.2).ceil() * STEP;
    let mut svg = String::new();
    let width = WIDTH * PANELS.len() as f64;
    writeln!(
        svg,
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {HEIGHT}" width="{width}" height="{HEIGHT}" role="img">"#
    )?;
    writeln!(
        svg,
        "<title>What an append and a claim take as history grows</title>\n<desc>{}</desc>",
        said(panels)
    )?;
    writeln!(
        svg,
        "<style>\n{STYLE}\n</style>\n<rect class=\"page\" width=\"{width}\" height=\"{HEIGHT}\"/>"
    )?;
    for (place, (what, bound)) in PANELS.into_iter().enumerate() {
        let Some(lines) = panels.get(what) else { continue };
        writeln!(svg, r#"<g transform="translate({} 0)">"#, WIDTH * place as f64)?;
        Panel { what, bound, decades, most }.draw(lines, &mut svg)?;
        writeln!(svg, "</g>")?;
    }
    writeln!(svg, "</svg>")?;
    Ok(svg)
}

fn decade(rows: u64) -> f64 {
    (rows as f64).log10()
}

/// For those who do not see it.
fn said(panels: &BTreeMap<String, Lines>) -> String {
    let mut all = Vec::new();
    for (what, lines) in panels {
        for (store, points) in lines {
            let at = points.iter().map(|point| format!("{:.2} at {} rows", point.ratio, point.rows));
            all.push(format!("{what} on {store}: {}.", at.collect::<Vec<_>>().join(", ")));
        }
    }
    all.join(" ")
}

#[derive(Debug)]
struct Panel {
    what: &'static str,
    bound: f64,
    decades: (f64, f64),
    most: f64,
}

impl Panel {
    fn x(&self, rows: u64) -> f64 {
        let (from, to) = self.decades;
        LEFT + (decade(rows) - from) / (to - from) * (RIGHT - LEFT)
    }

    fn y(&self, ratio: f64) -> f64 {
        BOTTOM - ratio / self.most * (BOTTOM - TOP)
    }

    fn draw(&self, lines: &Lines, svg: &mut String) -> anyhow::Result<()> {
        let (what, bound) = (self.what, self.y(self.bound));
        writeln!(svg, r#"<text class="title" x="{LEFT}" y="28">{what}, of a small store's</text>"#)?;
        writeln!(
            svg,
            r#"<rect class="within" x="{LEFT}" y="{bound:.1}" width="{:.1}" height="{:.1}"/>"#,
            RIGHT - LEFT,
            BOTTOM - bound
        )?;
        for step in 0..=(self.most / STEP).round() as u32 {
            let ratio = f64::from(step) * STEP;
            let y = self.y(ratio);
            writeln!(svg, r#"<line class="grid" x1="{LEFT}" x2="{RIGHT}" y1="{y:.1}" y2="{y:.1}"/>"#)?;
            let at = y + 4.0;
            writeln!(svg, r#"<text class="quiet end" x="{:.1}" y="{at:.1}">{ratio:.1}</text>"#, LEFT - 8.0)?;
        }
        writeln!(svg, r#"<line class="bound" x1="{LEFT}" x2="{RIGHT}" y1="{bound:.1}" y2="{bound:.1}"/>"#)?;
        let at = bound - 4.0;
        writeln!(
            svg,
            r#"<text class="quiet end" x="{RIGHT}" y="{at:.1}">asked: within {}</text>"#,
            self.bound
        )?;
        for power in self.decades.0 as u32..=self.decades.1 as u32 {
            let x = self.x(10_u64.saturating_pow(power));
            writeln!(
                svg,
                r#"<text class="quiet middle" x="{x:.1}" y="{:.1}">{}</text>"#,
                BOTTOM + 18.0,
                named(power)
            )?;
        }
        let middle = f64::midpoint(LEFT, RIGHT);
        writeln!(
            svg,
            r#"<text class="quiet middle" x="{middle:.1}" y="{:.1}">rows of history</text>"#,
            BOTTOM + 38.0
        )?;
        for (place, (store, points)) in lines.iter().rev().enumerate() {
            self.line(place, store, points, svg)?;
        }
        Ok(())
    }

    /// The medians, the middle half of the rounds at each, and whose they are.
    fn line(&self, place: usize, store: &str, points: &[Point], svg: &mut String) -> anyhow::Result<()> {
        // Side by side, where two were measured at one size.
        let class = format!("s{}", place.min(1));
        let aside = if place == 0 { -2.0 } else { 2.0 };
        let key = LEFT + 130.0 * place as f64;
        writeln!(svg, r#"<polyline class="{class} line" points="{key:.1},46 {:.1},46"/>"#, key + 28.0)?;
        writeln!(svg, r#"<text x="{:.1}" y="50">{store}</text>"#, key + 34.0)?;
        let joined: Vec<String> = points
            .iter()
            .map(|point| format!("{:.1},{:.1}", self.x(point.rows) + aside, self.y(point.ratio)))
            .collect();
        writeln!(svg, r#"<polyline class="{class} line" points="{}"/>"#, joined.join(" "))?;
        for point in points {
            let (x, y) = (self.x(point.rows) + aside, self.y(point.ratio));
            let (low, high) = (self.y(point.middle_half.0), self.y(point.middle_half.1));
            writeln!(svg, r#"<line class="{class}" x1="{x:.1}" x2="{x:.1}" y1="{low:.1}" y2="{high:.1}"/>"#)?;
            writeln!(
                svg,
                r#"<circle class="{class}" cx="{x:.1}" cy="{y:.1}" r="3"><title>{store}: {:.2} at {} rows</title></circle>"#,
                point.ratio, point.rows
            )?;
        }
        Ok(())
    }
}

/// A power of ten, in words.
fn named(power: u32) -> String {
    let (unit, power) = match power {
        6.. => (" million", power - 6),
        3..6 => (" thousand", power - 3),
        _ => ("", power),
    };
    format!("{}{unit}", 10_u64.saturating_pow(power))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::figure::Figure;

    fn run(folder: &Path, name: &str, store: &str, points: &[(u64, f64)]) -> PathBuf {
        let figures = points.iter().map(|(rows, ratio)| Figure {
            plotted: Some(Plotted {
                store: store.into(),
                what: "claim".into(),
                rows: *rows,
                middle_half: (ratio - 0.1, ratio + 0.1),
            }),
            ..Figure::new("growth", "one", *ratio, "×")
        });
        let text = serde_json::json!({ "quick": true, "figures": figures.collect::<Vec<_>>() }).to_string();
        let path = folder.join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    #[test]
    fn what_a_run_printed_is_drawn_and_said() {
        let folder = tempfile::tempdir().unwrap();
        let one = run(folder.path(), "one.json", "SQLite", &[(10_020, 1.0), (10_000_020, 1.1)]);
        let other = run(folder.path(), "other.json", "PostgreSQL", &[(10_030, 2.9)]);
        let svg = draw(&[one, other]).unwrap();
        assert!(svg.contains("claim on SQLite: 1.00 at 10020 rows, 1.10 at 10000020 rows."), "{svg}");
        assert!(svg.contains(">10 thousand</text>") && svg.contains(">10 million</text>"), "{svg}");
        assert!(!svg.contains(">1 thousand</text>") && !svg.contains(">100 million</text>"), "{svg}");
        // The axis holds the worst of them, with what is about it.
        assert!(svg.contains(">3.5</text>") && !svg.contains(">4.0</text>"), "{svg}");
        assert_eq!(svg.matches("<circle").count(), 3);
        assert_eq!(svg.matches("<g ").count(), svg.matches("</g>").count());
    }

    #[test]
    fn a_run_without_growth_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let none = run(folder.path(), "none.json", "SQLite", &[]);
        let error = format!("{:#}", draw(std::slice::from_ref(&none)).unwrap_err());
        assert!(error.contains("no figure of growth"), "{error}");
        std::fs::write(&none, "growth").unwrap();
        let error = format!("{:#}", draw(&[none]).unwrap_err());
        assert!(error.contains("is not what `tidegate bench --json` printed"), "{error}");
    }

    #[test]
    fn a_power_of_ten_has_a_name() {
        assert_eq!(
            [2, 4, 5, 6, 7].map(named),
            ["100", "10 thousand", "100 thousand", "1 million", "10 million"]
        );
    }
}
