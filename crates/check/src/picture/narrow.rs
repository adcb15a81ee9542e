//! The drawing for a phone: a system, the flows to and from the next one along a rail, that system.

use super::pen::{LINE, Pen, TEXT, Words, wrapped};
use super::wide::Card;
use super::{Band, Picture, sentence};

const WIDTH: f64 = 360.0;
const EDGE: f64 = 12.0;
const RAIL: f64 = EDGE + 16.0;
const CARD: f64 = EDGE + 36.0;
const BETWEEN: f64 = 12.0;
/// Above and below the cards of a band, where the rail is seen.
const GAP: f64 = 18.0;

/// Draws all of it; says how large it became.
pub(super) fn draw(picture: &Picture<'_>, pen: &mut Pen) -> (f64, f64) {
    pen.text("title", EDGE, EDGE + 16.0, "The flow of truth");
    let mut y = EDGE + 32.0;
    for bands in picture.shared() {
        for (place, band) in bands.iter().enumerate() {
            // Said in full once; after that its name is enough.
            let about = if place == 0 { picture.about(band.left) } else { Vec::new() };
            y = system(pen, band.left, &about, y);
            y = flows(band, pen, y);
            y = system(pen, band.right, &picture.about(band.right), y) + 2.0 * GAP;
        }
    }
    if !picture.alone.is_empty() {
        let text = format!("No flow touches {}.", picture.alone.join(", "));
        for line in wrapped(&text, WIDTH - 2.0 * EDGE, TEXT) {
            pen.text("quiet", EDGE, y, &line);
            y += LINE;
        }
        y += 2.0 * GAP - LINE;
    }
    (WIDTH, y - 2.0 * GAP + EDGE)
}

fn system(pen: &mut Pen, name: &str, about: &[String], top: f64) -> f64 {
    let width = WIDTH - 2.0 * EDGE;
    let words = Words::of(name, about, width);
    pen.group(&format!("{name}: {}", about.join("; ")), |pen| {
        pen.frame("system", EDGE, top, width, words.height());
        words.draw(pen, EDGE, top, words.height());
    });
    top + words.height()
}

/// The cards, each with its own stretch of the rail, which points the way it goes.
fn flows(band: &Band<'_>, pen: &mut Pen, top: f64) -> f64 {
    let mut y = top + GAP;
    for (place, flow) in band.flows.iter().enumerate() {
        let card = Card::of(flow, WIDTH - EDGE - CARD);
        let (from, to) = (if place == 0 { top } else { y }, y + card.height());
        let to = if place + 1 == band.flows.len() { to + GAP } else { to };
        pen.group(&sentence(flow), |pen| {
            card.draw(pen, CARD, y);
            let (start, end) = if flow.source == band.left { (from, to) } else { (to, from) };
            pen.arrow(&flow.mode, (RAIL, start), (RAIL, end));
        });
        y += card.height() + BETWEEN;
    }
    y - BETWEEN + GAP
}
