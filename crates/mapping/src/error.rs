//! What is wrong with a mapping file: a code with a page in `docs/errors/`, the place in the file, and what to do.
//! It holds findings, it does not print them: the binary renders miette diagnostics, CI takes them as JSON.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use miette::{Diagnostic, LabeledSpan, NamedSource, SourceCode};
use serde::Serialize;
use serde::ser::{SerializeStruct, Serializer};

/// At most so many findings are kept for one file: the rest would be noise.
const FINDINGS_MAX: usize = 100;

/// The kinds of finding at load. Each has a page in `docs/errors/`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LoadCode {
    /// TG-2001: the file is not TOML.
    Syntax,
    /// TG-2002: a key or verb that does not exist.
    UnknownKey,
    /// TG-2003: a rule without a verb, with two, or without its target.
    RuleShape,
    /// TG-2004: a key's value has the wrong form.
    WrongValue,
    /// TG-2005: the source has no such field.
    UnknownSourcePath,
    /// TG-2006: the target has no such field.
    UnknownTargetPath,
    /// TG-2007: the value does not fit the target's type, or a verb's.
    TypeMismatch,
    /// TG-2008: a field that the target requires is written by no rule.
    RequiredNotWritten,
    /// TG-2009: the source may lack what the target requires.
    MayBeAbsent,
    /// TG-2010: two rules write one target, or one never gets its turn.
    WrittenTwice,
    /// TG-2011: no such table.
    UnknownTable,
    /// TG-2012: an expression that cannot be parsed.
    Expression,
    /// TG-2013: an expression over the bounds, or with a construct that is refused.
    ExpressionBounds,
    /// TG-2014: an expression whose types do not fit.
    ExpressionType,
    /// TG-2015: the header is missing, or names another schema.
    Header,
    /// TG-2016: unknown zone, unit, date format, rounding or the like.
    UnknownName,
    /// TG-2017: the mapping is too large or too deep.
    Bounds,
    /// TG-2018: a constant or table value that the target does not allow.
    NotAllowed,
    /// TG-2019: the schema itself cannot be read.
    Schema,
}

impl LoadCode {
    /// Every code, in the order of its number.
    pub const ALL: [Self; 19] = [
        Self::Syntax,
        Self::UnknownKey,
        Self::RuleShape,
        Self::WrongValue,
        Self::UnknownSourcePath,
        Self::UnknownTargetPath,
        Self::TypeMismatch,
        Self::RequiredNotWritten,
        Self::MayBeAbsent,
        Self::WrittenTwice,
        Self::UnknownTable,
        Self::Expression,
        Self::ExpressionBounds,
        Self::ExpressionType,
        Self::Header,
        Self::UnknownName,
        Self::Bounds,
        Self::NotAllowed,
        Self::Schema,
    ];

    /// The public code, `TG-2001` to `TG-2019`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Syntax => "TG-2001",
            Self::UnknownKey => "TG-2002",
            Self::RuleShape => "TG-2003",
            Self::WrongValue => "TG-2004",
            Self::UnknownSourcePath => "TG-2005",
            Self::UnknownTargetPath => "TG-2006",
            Self::TypeMismatch => "TG-2007",
            Self::RequiredNotWritten => "TG-2008",
            Self::MayBeAbsent => "TG-2009",
            Self::WrittenTwice => "TG-2010",
            Self::UnknownTable => "TG-2011",
            Self::Expression => "TG-2012",
            Self::ExpressionBounds => "TG-2013",
            Self::ExpressionType => "TG-2014",
            Self::Header => "TG-2015",
            Self::UnknownName => "TG-2016",
            Self::Bounds => "TG-2017",
            Self::NotAllowed => "TG-2018",
            Self::Schema => "TG-2019",
        }
    }
}

impl fmt::Display for LoadCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One finding in a mapping file.
#[derive(Debug, Clone)]
pub struct MappingError {
    /// What kind of finding this is.
    pub code: LoadCode,
    /// What is wrong, in one sentence.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
    /// Where in the file, in bytes.
    pub span: Range<usize>,
    source: Arc<NamedSource<String>>,
}

impl MappingError {
    /// Line and column in the file, both from 1; the column counts characters.
    #[must_use]
    pub fn position(&self) -> (usize, usize) {
        let text = self.source.inner();
        let before = text.get(..self.span.start.min(text.len())).unwrap_or_default();
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let line = before.matches('\n').count() + 1;
        (line, before.get(line_start..).unwrap_or_default().chars().count() + 1)
    }

    /// The file's name, as it was given to `load`.
    #[must_use]
    pub fn file(&self) -> &str {
        self.source.name()
    }
}

impl fmt::Display for MappingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for MappingError {}

impl Diagnostic for MappingError {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(self.code))
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help.as_ref().map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(&self.source)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(std::iter::once(LabeledSpan::underline(self.span.clone()))))
    }
}

impl Serialize for MappingError {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (line, column) = self.position();
        let mut out = serializer.serialize_struct("MappingError", 6)?;
        out.serialize_field("code", self.code.as_str())?;
        out.serialize_field("file", self.file())?;
        out.serialize_field("line", &line)?;
        out.serialize_field("column", &column)?;
        out.serialize_field("message", &self.message)?;
        out.serialize_field("help", &self.help)?;
        out.end()
    }
}

/// Collects findings while a file is read; reading goes on after each.
#[derive(Debug)]
pub(crate) struct Findings {
    source: Arc<NamedSource<String>>,
    errors: Vec<MappingError>,
}

impl Findings {
    pub(crate) fn new(name: &str, text: &str) -> Self {
        Self { source: Arc::new(NamedSource::new(name, text.to_owned())), errors: Vec::new() }
    }

    /// Notes a finding without advice.
    pub(crate) fn add(&mut self, code: LoadCode, span: Range<usize>, message: impl Into<String>) {
        self.push(code, span, message.into(), None);
    }

    /// Notes a finding with what to do about it.
    pub(crate) fn add_help(
        &mut self,
        code: LoadCode,
        span: Range<usize>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        let help = help.into();
        self.push(code, span, message.into(), (!help.is_empty()).then_some(help));
    }

    fn push(&mut self, code: LoadCode, span: Range<usize>, message: String, help: Option<String>) {
        if self.errors.len() < FINDINGS_MAX {
            let source = Arc::clone(&self.source);
            self.errors.push(MappingError { code, message, help, span, source });
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.errors.is_empty()
    }

    /// All findings in the order of the file.
    pub(crate) fn into_errors(mut self) -> Vec<MappingError> {
        self.errors.sort_by_key(|error| (error.span.start, error.code));
        self.errors
    }
}
