//! One thing that is wrong with a configuration: what, where, and what to do. Owns its three forms: a miette
//! diagnostic, text for a terminal, JSON for CI. Decides nothing.

use crate::code::Code;
use crate::source::{Origin, Source};
use serde::ser::{Serialize, SerializeStruct, Serializer};
use std::fmt::{self, Write as _};

/// A finding; a configuration with one is not run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub code: Code,
    /// What is wrong, in one sentence, without a secret's value in it.
    pub message: String,
    /// What to do.
    pub help: String,
    /// The dotted key that it is about, where there is one.
    pub key: Option<String>,
    pub origin: Origin,
    /// Other places that belong to it, each with a word on why.
    pub related: Vec<(String, Origin)>,
}

impl Finding {
    pub fn new(code: Code, origin: &Origin, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            help: help.into(),
            key: None,
            origin: origin.clone(),
            related: Vec::new(),
        }
    }

    #[must_use]
    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.key = Some(key.into());
        self
    }

    #[must_use]
    pub fn related(mut self, why: impl Into<String>, origin: &Origin) -> Self {
        self.related.push((why.into(), origin.clone()));
        self
    }

    /// What findings are sorted by: file, then place, then code.
    pub fn order(&self) -> (u8, String, usize, Code, String) {
        let (rank, name, start) = match &self.origin {
            Origin::File(spot) => (0, spot.source.name().to_owned(), spot.span.start),
            Origin::Environment(name) => (1, name.clone(), 0),
            Origin::Flag(key) => (2, key.clone(), 0),
            Origin::Default => (3, String::new(), 0),
        };
        (rank, name, start, self.code, self.message.clone())
    }

    /// Text for a terminal, without colour.
    pub fn render(&self) -> String {
        let mut text = format!("error {}: {}\n", self.code, self.message);
        match &self.origin {
            Origin::File(spot) => {
                let (line, column) = spot.line_column();
                let number = line.to_string();
                let pad = " ".repeat(number.len());
                let shown = spot.source.line(line);
                let before: String =
                    shown.chars().take(column - 1).map(|c| if c == '\t' { c } else { ' ' }).collect();
                let marks = "^".repeat(mark_width(&spot.source, spot.span.clone(), shown, column));
                let _ = write!(
                    text,
                    "{pad}--> {}\n{pad} |\n{number} | {shown}\n{pad} | {before}{marks}\n",
                    self.origin
                );
            }
            Origin::Default => {}
            other => {
                let _ = writeln!(text, " --> {other}");
            }
        }
        for (why, origin) in &self.related {
            let _ = writeln!(text, "  and: {why} at {origin}");
        }
        let _ = writeln!(text, " help: {}", self.help);
        text
    }
}

fn mark_width(source: &Source, span: std::ops::Range<usize>, shown: &str, column: usize) -> usize {
    let marked = source.text().get(span).unwrap_or("");
    let first_line = marked.split('\n').next().unwrap_or("").trim_end();
    let rest = shown.chars().count().saturating_sub(column - 1);
    first_line.chars().count().min(rest).max(1)
}

/// All findings as text, one after the other.
pub fn render(findings: &[Finding]) -> String {
    findings.iter().map(Finding::render).collect::<Vec<_>>().join("\n")
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Finding {}

impl miette::Diagnostic for Finding {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(self.code))
    }
    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(&self.help))
    }
    fn url<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(self.code.page()))
    }
    fn source_code(&self) -> Option<&dyn miette::SourceCode> {
        self.origin.spot().map(|spot| &spot.source as &dyn miette::SourceCode)
    }
    fn labels(&self) -> Option<Box<dyn Iterator<Item = miette::LabeledSpan> + '_>> {
        let spot = self.origin.spot()?;
        let mut labels =
            vec![miette::LabeledSpan::new(Some("here".to_owned()), spot.span.start, spot.span.len())];
        for (why, origin) in &self.related {
            // A label can only point into the same file.
            if let Some(other) = origin.spot().filter(|other| other.source == spot.source) {
                labels.push(miette::LabeledSpan::new(Some(why.clone()), other.span.start, other.span.len()));
            }
        }
        Some(Box::new(labels.into_iter()))
    }
}

impl miette::SourceCode for Source {
    fn read_span<'a>(
        &'a self,
        span: &miette::SourceSpan,
        lines_before: usize,
        lines_after: usize,
    ) -> Result<Box<dyn miette::SpanContents<'a> + 'a>, miette::MietteError> {
        let contents = self.text().read_span(span, lines_before, lines_after)?;
        Ok(Box::new(miette::MietteSpanContents::new_named(
            self.name().to_owned(),
            contents.data(),
            *contents.span(),
            contents.line(),
            contents.column(),
            contents.line_count(),
        )))
    }
}

/// A place in JSON: what of it is known.
struct Place<'a>(Option<&'a str>, &'a Origin);

impl Serialize for Place<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut place = serializer.serialize_struct("Place", 8)?;
        if let Some(why) = self.0 {
            place.serialize_field("why", why)?;
        }
        place.serialize_field("origin", self.1.kind())?;
        match self.1 {
            Origin::File(spot) => {
                let (line, column) = spot.line_column();
                place.serialize_field("file", spot.source.name())?;
                place.serialize_field("line", &line)?;
                place.serialize_field("column", &column)?;
                place.serialize_field("offset", &spot.span.start)?;
                place.serialize_field("length", &spot.span.len())?;
            }
            Origin::Environment(name) => place.serialize_field("variable", name)?,
            Origin::Flag(key) => place.serialize_field("flag", key)?,
            Origin::Default => {}
        }
        place.end()
    }
}

impl Serialize for Finding {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let related: Vec<_> = self.related.iter().map(|(why, origin)| Place(Some(why), origin)).collect();
        let mut finding = serializer.serialize_struct("Finding", 7)?;
        finding.serialize_field("code", &self.code.to_string())?;
        finding.serialize_field("message", &self.message)?;
        finding.serialize_field("help", &self.help)?;
        finding.serialize_field("page", &self.code.page())?;
        finding.serialize_field("key", &self.key)?;
        finding.serialize_field("at", &Place(None, &self.origin))?;
        finding.serialize_field("related", &related)?;
        finding.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Spot;

    fn sample() -> Finding {
        let source = Source::new("tidegate.toml", "[hub]\nlisten = \"nowhere\"\n");
        let origin = Origin::File(Spot::new(&source, 15..24));
        Finding::new(Code::Value, &origin, "\"nowhere\" is not an address", "write \"127.0.0.1:8080\"")
            .key("hub.listen")
            .related("the section", &Origin::File(Spot::new(&source, 0..5)))
    }

    #[test]
    fn the_text_shows_the_line_and_marks_the_value() {
        assert_eq!(
            sample().render(),
            "error TG-1104: \"nowhere\" is not an address\n --> tidegate.toml:2:10\n  |\n2 | listen = \"nowhere\"\n  |          ^^^^^^^^^\n  and: the section at tidegate.toml:1:1\n help: write \"127.0.0.1:8080\"\n"
        );
    }

    #[test]
    fn the_json_holds_file_line_column_and_span() {
        let json = serde_json::to_value(sample()).unwrap();
        assert_eq!(json["code"], "TG-1104");
        assert_eq!(json["at"]["file"], "tidegate.toml");
        assert_eq!((&json["at"]["line"], &json["at"]["column"]), (&2.into(), &10.into()));
        assert_eq!((&json["at"]["offset"], &json["at"]["length"]), (&15.into(), &9.into()));
        assert_eq!(json["related"][0]["why"], "the section");
    }

    #[test]
    fn miette_can_draw_it() {
        let mut drawn = String::new();
        miette::NarratableReportHandler::new().render_report(&mut drawn, &sample()).unwrap();
        assert!(drawn.contains("tidegate.toml") && drawn.contains("TG-1104"), "{drawn}");
    }
}
