//! Text and shapes of the drawing. Owns how wide text is held to be: there is no font here to ask, so it is a little
//! more than what common fonts need.

use std::fmt::Write as _;

pub(super) const LINE: f64 = 18.0;
/// Of all text but names.
pub(super) const TEXT: f64 = 13.0;
pub(super) const NAME: f64 = 15.0;

/// A drawing from top to bottom.
#[derive(Default)]
pub(super) struct Pen {
    pub(super) drawn: String,
}

impl Pen {
    pub(super) fn text(&mut self, class: &str, x: f64, y: f64, text: &str) {
        let _ = writeln!(self.drawn, "<text class=\"{class}\" x=\"{x}\" y=\"{y}\">{}</text>", escaped(text));
    }

    pub(super) fn frame(&mut self, class: &str, x: f64, y: f64, width: f64, height: f64) {
        let _ = writeln!(
            self.drawn,
            "<rect class=\"{class}\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" rx=\"8\"/>"
        );
    }

    /// A line whose head is at its second end.
    pub(super) fn arrow(&mut self, class: &str, from: (f64, f64), to: (f64, f64)) {
        let (along, across) = (to.0 - from.0, to.1 - from.1);
        let level = across.abs() < along.abs();
        let (along, across) = (along.signum(), across.signum());
        let back = if level { (to.0 - 9.0 * along, to.1) } else { (to.0, to.1 - 9.0 * across) };
        let sides = if level {
            [(back.0, back.1 - 5.0), (back.0, back.1 + 5.0)]
        } else {
            [(back.0 - 5.0, back.1), (back.0 + 5.0, back.1)]
        };
        let _ = writeln!(
            self.drawn,
            "<path class=\"line {class}\" d=\"M{} {}L{} {}\"/><path class=\"head {class}\" d=\"M{} {}L{} {}L{} {}z\"/>",
            from.0, from.1, back.0, back.1, to.0, to.1, sides[0].0, sides[0].1, sides[1].0, sides[1].1
        );
    }

    /// What is drawn within is heard as one sentence.
    pub(super) fn group(&mut self, heard: &str, within: impl FnOnce(&mut Self)) {
        let _ = writeln!(self.drawn, "<g role=\"img\" aria-label=\"{}\">", escaped(heard));
        within(self);
        self.drawn.push_str("</g>\n");
    }
}

/// A box's text: a name, and lines below it.
pub(super) struct Words {
    name: Vec<String>,
    lines: Vec<String>,
}

const PAD: f64 = 14.0;
/// Between a name and what stands below it.
pub(super) const BELOW_NAME: f64 = 3.0;

impl Words {
    pub(super) fn of(name: &str, about: &[String], width: f64) -> Self {
        let inner = width - 2.0 * PAD;
        Self {
            name: wrapped(name, inner, NAME * 1.08),
            lines: about.iter().flat_map(|line| wrapped(line, inner, TEXT)).collect(),
        }
    }
    pub(super) fn height(&self) -> f64 {
        let below = if self.lines.is_empty() { 0.0 } else { BELOW_NAME };
        2.0 * PAD + (self.name.len() + self.lines.len()) as f64 * LINE + below
    }
    /// In the middle of a box of this height.
    pub(super) fn draw(&self, pen: &mut Pen, x: f64, top: f64, height: f64) {
        let mut y = top + ((height - self.height()) / 2.0).floor() + PAD + 13.0;
        for (class, lines) in [("name", &self.name), ("quiet", &self.lines)] {
            for line in lines {
                pen.text(class, x + PAD, y, line);
                y += LINE;
            }
            y += BELOW_NAME;
        }
    }
}

/// Lines of at most so many pixels. A word that is longer than a line is broken between the folders of a path, else
/// anywhere.
pub(super) fn wrapped(text: &str, width: f64, size: f64) -> Vec<String> {
    let (mut lines, mut line) = (Vec::new(), String::new());
    for word in text.split(' ') {
        let longer = if line.is_empty() { word.to_owned() } else { format!("{line} {word}") };
        if wide(&longer, size) <= width {
            line = longer;
            continue;
        }
        if !line.is_empty() {
            lines.push(std::mem::take(&mut line));
        }
        for piece in word.split_inclusive(['/', ',']) {
            if !line.is_empty() && wide(&line, size) + wide(piece, size) > width {
                lines.push(std::mem::take(&mut line));
            }
            for c in piece.chars() {
                if wide(&line, size) + wide(c.encode_utf8(&mut [0; 4]), size) > width {
                    lines.push(std::mem::take(&mut line));
                }
                line.push(c);
            }
        }
    }
    lines.push(line);
    lines
}

/// How wide a text of this size is, on the safe side of common sans-serif fonts.
pub(super) fn wide(text: &str, size: f64) -> f64 {
    let share = |c: char| match c {
        'i' | 'j' | 'l' | '.' | ',' | ':' | ';' | '\'' | '|' | '!' | '(' | ')' | '[' | ']' | 't' | 'f'
        | 'r' | 'I' | ' ' | '/' => 0.39,
        'm' | 'w' | 'M' | 'W' | '@' | '%' | '→' => 0.95,
        c if c.is_ascii_uppercase() => 0.7,
        c if c.is_ascii() => 0.615,
        // What is not Latin may be as wide as it is high.
        c if c < '\u{250}' => 0.62,
        _ => 1.0,
    };
    text.chars().map(share).sum::<f64>() * size
}

/// Text as XML has it; what XML cannot hold at all is left out.
pub(super) fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => {}
            c => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_line_is_wider_than_its_box_and_no_word_is_lost() {
        for text in [
            "webhooks, and a sweep every 5m",
            "a",
            "",
            "mappings/a_very_long_name_of_a_file_that_nobody_would_choose.toml",
        ] {
            let lines = wrapped(text, 120.0, TEXT);
            assert!(lines.iter().all(|line| wide(line, TEXT) <= 120.0), "{lines:?}");
            let letters = |text: &str| text.chars().filter(|c| *c != ' ').collect::<String>();
            assert_eq!(letters(&lines.concat()), letters(text));
        }
    }

    #[test]
    fn what_people_wrote_is_text_and_nothing_else() {
        assert_eq!(escaped("<script>\"a\" & b\u{0}"), "&lt;script&gt;&quot;a&quot; &amp; b");
    }
}
