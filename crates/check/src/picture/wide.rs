//! The drawing for a page: the busiest system on the left, the others on the right, each flow's card on its arrow.

use super::pen::{BELOW_NAME, LINE, NAME, Pen, TEXT, Words, wide, wrapped};
use super::{Band, Picture, rows, sentence};
use crate::explain::FlowTruth;

const WIDTH: f64 = 960.0;
const EDGE: f64 = 20.0;
const BOX: f64 = 200.0;
/// Between a box and a card: the arrow.
const GAP: f64 = 48.0;
pub(super) const LABEL: f64 = 78.0;
pub(super) const PAD: f64 = 14.0;
const BETWEEN: f64 = 14.0;
const BETWEEN_BANDS: f64 = 24.0;

/// One flow's card, measured.
pub(super) struct Card<'a> {
    pub(super) flow: &'a FlowTruth,
    name: Vec<String>,
    rows: Vec<(&'static str, Vec<String>)>,
    width: f64,
}

impl<'a> Card<'a> {
    pub(super) fn of(flow: &'a FlowTruth, width: f64) -> Self {
        let inner = width - 2.0 * PAD;
        let rows = rows(flow)
            .into_iter()
            .map(|(label, value)| {
                (label, value.iter().flat_map(|part| wrapped(part, inner - LABEL, TEXT)).collect())
            })
            .collect();
        // The mode stands at the end of the first line.
        let name = wrapped(&flow.flow, inner - wide(&flow.mode, NAME) - 8.0, NAME * 1.08);
        Self { flow, name, rows, width }
    }

    pub(super) fn height(&self) -> f64 {
        let lines = self.name.len() + self.rows.iter().map(|(_, lines)| lines.len()).sum::<usize>();
        2.0 * PAD + lines as f64 * LINE + BELOW_NAME
    }

    pub(super) fn draw(&self, pen: &mut Pen, x: f64, top: f64) {
        let mode = &self.flow.mode;
        pen.frame(&format!("card {mode}"), x, top, self.width, self.height());
        let mut y = top + PAD + 13.0;
        pen.text(&format!("mode {mode}"), x + self.width - PAD, y, mode);
        for line in &self.name {
            pen.text("name", x + PAD, y, line);
            y += LINE;
        }
        y += BELOW_NAME;
        for (label, lines) in &self.rows {
            pen.text("quiet", x + PAD, y, label);
            for line in lines {
                pen.text("value", x + PAD + LABEL, y, line);
                y += LINE;
            }
        }
    }
}

/// Draws all of it; says how large it became.
pub(super) fn draw(picture: &Picture<'_>, pen: &mut Pen) -> (f64, f64) {
    pen.text("title", EDGE, EDGE + 16.0, "The flow of truth");
    let mut y = EDGE + 36.0;
    for bands in picture.shared() {
        y = together(picture, bands, pen, y) + BETWEEN_BANDS;
    }
    if !picture.alone.is_empty() {
        let text = format!("No flow touches {}.", picture.alone.join(", "));
        for line in wrapped(&text, WIDTH - 2.0 * EDGE, TEXT) {
            pen.text("quiet", EDGE, y + 4.0, &line);
            y += LINE;
        }
        y += 4.0;
    }
    (
        WIDTH,
        y - BETWEEN_BANDS + EDGE + if picture.alone.is_empty() { 0.0 } else { BETWEEN_BANDS - EDGE / 2.0 },
    )
}

/// Bands with one left system: its box is as high as all of them.
fn together(picture: &Picture<'_>, bands: &[Band<'_>], pen: &mut Pen, top: f64) -> f64 {
    let Some(left) = bands.first().map(|band| band.left) else { return top };
    let words = Words::of(left, &picture.about(left), BOX);
    let mut bottom = top;
    for (place, band) in bands.iter().enumerate() {
        let from = if place == 0 { top } else { bottom + BETWEEN_BANDS };
        bottom = one(picture, band, pen, from);
    }
    bottom = bottom.max(top + words.height());
    pen.group(&format!("{left}: {}", picture.about(left).join("; ")), |pen| {
        pen.frame("system", EDGE, top, BOX, bottom - top);
        words.draw(pen, EDGE, top, bottom - top);
    });
    bottom
}

fn one(picture: &Picture<'_>, band: &Band<'_>, pen: &mut Pen, top: f64) -> f64 {
    let (card_x, right_x) = (EDGE + BOX + GAP, WIDTH - EDGE - BOX);
    let width = right_x - GAP - card_x;
    let words = Words::of(band.right, &picture.about(band.right), BOX);
    let cards: Vec<Card<'_>> = band.flows.iter().map(|flow| Card::of(flow, width)).collect();
    let all: f64 = cards.iter().map(Card::height).sum::<f64>() + BETWEEN * (cards.len() as f64 - 1.0);
    let height = all.max(words.height());
    let mut y = top + (height - all) / 2.0;
    for card in &cards {
        let (middle, mode) = (y + card.height() / 2.0, card.flow.mode.as_str());
        let stops = [EDGE + BOX, card_x, card_x + width, right_x];
        pen.group(&sentence(card.flow), |pen| {
            card.draw(pen, card_x, y);
            for [from, to] in [[stops[0], stops[1]], [stops[2], stops[3]]] {
                let (from, to) = if card.flow.source == band.left { (from, to) } else { (to, from) };
                pen.arrow(mode, (from, middle), (to, middle));
            }
        });
        y += card.height() + BETWEEN;
    }
    pen.group(&format!("{}: {}", band.right, picture.about(band.right).join("; ")), |pen| {
        pen.frame("system", right_x, top, BOX, height);
        words.draw(pen, right_x, top, height);
    });
    top + height
}
