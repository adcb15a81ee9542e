//! What a key is: its name, kind, default, meaning and an example. The one table from which values are read, unknown
//! keys are refused and `docs/configuration.md` is written.

/// One key of a section.
#[derive(Debug, Clone, Copy)]
pub struct Key {
    pub name: &'static str,
    /// What it takes, in a word or two.
    pub kind: &'static str,
    pub default: Default,
    /// One or two sentences.
    pub meaning: &'static str,
    /// A value as it would stand in the file.
    pub example: &'static str,
    /// True where two nodes of one hub may differ: it is left out of the revision.
    pub local: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Default {
    Required,
    /// Absent is a value of its own; the meaning says which.
    Absent,
    /// As it would be written.
    Is(&'static str),
}

/// A section, or a table inside one.
#[derive(Debug, Clone, Copy)]
pub struct Section {
    /// As its header is written, with `NAME` for a name of the user's choice.
    pub header: &'static str,
    pub meaning: &'static str,
    pub keys: &'static [Key],
}

impl Key {
    const fn new(
        name: &'static str,
        kind: &'static str,
        default: Default,
        meaning: &'static str,
        example: &'static str,
    ) -> Self {
        Self { name, kind, default, meaning, example, local: false }
    }

    pub(crate) const fn required(
        name: &'static str,
        kind: &'static str,
        meaning: &'static str,
        example: &'static str,
    ) -> Self {
        Self::new(name, kind, Default::Required, meaning, example)
    }

    pub(crate) const fn optional(
        name: &'static str,
        kind: &'static str,
        meaning: &'static str,
        example: &'static str,
    ) -> Self {
        Self::new(name, kind, Default::Absent, meaning, example)
    }

    pub(crate) const fn with(
        name: &'static str,
        kind: &'static str,
        default: &'static str,
        meaning: &'static str,
        example: &'static str,
    ) -> Self {
        Self::new(name, kind, Default::Is(default), meaning, example)
    }

    /// A table inside the section, with keys of its own.
    pub(crate) const fn table(name: &'static str, meaning: &'static str) -> Self {
        Self::new(name, "table", Default::Absent, meaning, "")
    }

    pub(crate) const fn local(mut self) -> Self {
        self.local = true;
        self
    }
}
