//! The closed set of verbs: their names in a mapping, in `[ownership]`'s list of allowed transforms, and in an
//! explanation. A verb that is not here does not exist; what each does is in `docs/mapping.md`.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;
use serde::ser::Serializer;

macro_rules! verbs {
    ($($(#[$doc:meta])* $variant:ident => $name:literal),* $(,)?) => {
        /// One verb of a mapping.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Verb { $($(#[$doc])* $variant),* }

        impl Verb {
            /// Every verb.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The verb as it is written.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),* }
            }
        }
    };
}

verbs! {
    /// One source field, or a list of them.
    Copy => "copy",
    /// A value that stands in the mapping.
    Constant => "constant",
    /// The object key or the time of the run.
    Context => "context",
    /// The subject's id in another system.
    ExternalRef => "external_ref",
    /// The first value that is neither absent nor blank.
    First => "first",
    /// Texts with a separator between those that are there.
    Join => "join",
    /// Texts one after the other.
    Concat => "concat",
    /// The sum of decimals over a list.
    Sum => "sum",
    /// The number of items of a list.
    Count => "count",
    /// Sum of decimals.
    Add => "add",
    /// Difference of decimals.
    Subtract => "subtract",
    /// Product of decimals.
    Multiply => "multiply",
    /// Quotient of decimals, rounded as stated.
    Divide => "divide",
    /// A CEL expression.
    Expr => "expr",
    /// A condition on a rule or on the items of a list.
    When => "when",
    /// A target list with an item for each item of a source list.
    Each => "each",
    /// A target object from a source object.
    Within => "within",
    /// The value where there is none.
    Default => "default",
    /// Cuts blanks at both ends.
    Trim => "trim",
    /// Capital letters.
    Upper => "upper",
    /// Small letters.
    Lower => "lower",
    /// Cuts to a number of characters.
    Truncate => "truncate",
    /// Splits a text at a separator.
    Split => "split",
    /// Translates through a table.
    LookUp => "look_up",
    /// Marks the value as a reference that the connector resolves.
    Reference => "reference",
    /// Rounds to a number of decimals.
    Scale => "scale",
    /// Turns a value into another type, if nothing is lost.
    As => "as",
    /// Converts between units of measure.
    Unit => "unit",
    /// The day of a date and time in a zone.
    Date => "date",
    /// The same instant written in a zone.
    Zone => "zone",
    /// A date or time as text of a stated form.
    Format => "format",
    /// A date or time from text of a stated form.
    Parse => "parse",
    /// A date so many days later.
    AddDays => "add_days",
    /// SHA-256, in hexadecimal.
    Hash => "hash",
    /// Hides all but the last characters.
    Mask => "mask",
}

impl fmt::Display for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Serialize for Verb {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// No verb of that name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a verb")]
pub struct UnknownVerb(String);

impl FromStr for Verb {
    type Err = UnknownVerb;

    fn from_str(name: &str) -> Result<Self, UnknownVerb> {
        Self::ALL.iter().copied().find(|verb| verb.name() == name).ok_or_else(|| UnknownVerb(name.to_owned()))
    }
}

/// Verbs that yield a value: a rule has exactly one of them.
pub(crate) const SOURCES: &[Verb] = &[
    Verb::Copy,
    Verb::Constant,
    Verb::Context,
    Verb::ExternalRef,
    Verb::First,
    Verb::Join,
    Verb::Concat,
    Verb::Sum,
    Verb::Count,
    Verb::Add,
    Verb::Subtract,
    Verb::Multiply,
    Verb::Divide,
    Verb::Expr,
];

/// Verbs that change a value: the steps of `then`.
pub(crate) const STEPS: &[Verb] = &[
    Verb::Trim,
    Verb::Upper,
    Verb::Lower,
    Verb::Truncate,
    Verb::Split,
    Verb::LookUp,
    Verb::Reference,
    Verb::Scale,
    Verb::As,
    Verb::Add,
    Verb::Subtract,
    Verb::Multiply,
    Verb::Divide,
    Verb::Unit,
    Verb::Date,
    Verb::Zone,
    Verb::Format,
    Verb::Parse,
    Verb::AddDays,
    Verb::Hash,
    Verb::Mask,
];
