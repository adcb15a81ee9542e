//! Declarative field mapping: a TOML table of rules becomes a checked plan, which maps values and explains itself.
//!
//! It owns the closed set of verbs, the check of a mapping against the schemas of its source and target, the run and
//! the explanation. It refuses to guess (a value that does not fit is a fault with its field), to loop (lists are
//! gone over by rules, never by expressions), and to know any system: a reference to a party stays a marker that the
//! connector resolves. The guide is `docs/mapping.md`.

pub mod cases;
mod compile;
mod condition;
mod dates;
mod digest;
mod error;
mod explain;
mod expression;
mod fault;
mod header;
mod mapping;
mod nearest;
mod path;
mod plan;
mod read;
mod run;
mod schema;
mod types;
mod units;
mod verb;

pub use condition::Condition;
pub use error::{LoadCode, MappingError};
pub use explain::{Explanation, FieldTrace, Read, StepTrace};
pub use fault::{FaultCode, MapFault};
pub use header::Header;
pub use mapping::{Context, FieldFacts, Mapped, Mapping, ReferenceKind, Tables, Word};
pub use path::Path;
pub use schema::{Schema, SchemaError};
pub use verb::{UnknownVerb, Verb};
