//! The checked plan that a mapping file is compiled to. Data only: `compile` makes it, `run` follows it.
//! Nothing in it is parsed, resolved or looked up by a computed name when it runs.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::tz::TimeZone;
use rust_decimal::{Decimal, RoundingStrategy};
use serde_json::Value;

use crate::expression::Expression;
use crate::path::SourcePath;
use crate::types::Ty;
use crate::verb::Verb;

/// One target field and the rules that may write it, in their order: the first with a value wins.
#[derive(Debug)]
pub(crate) struct FieldPlan {
    pub(crate) to: Vec<String>,
    pub(crate) rules: Vec<RulePlan>,
    pub(crate) absent: Absent,
    /// The rules are all lists: their items follow one another.
    pub(crate) append: bool,
}

/// What is written where no rule has a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Absent {
    Omit,
    Null,
    Fault,
}

#[derive(Debug)]
pub(crate) struct RulePlan {
    pub(crate) when: Option<Expression>,
    pub(crate) body: Body,
    /// The type to check the value against, where that could not be settled at load.
    pub(crate) check: Option<Ty>,
    /// The rule's line in the file.
    pub(crate) line: usize,
}

#[derive(Debug)]
pub(crate) enum Body {
    Value(ValuePlan),
    Each { over: SourcePath, keep: Option<Expression>, fields: Vec<FieldPlan> },
    Within { over: Option<SourcePath>, fields: Vec<FieldPlan> },
}

/// A source, the steps that change it, and the value where there is none.
#[derive(Debug)]
pub(crate) struct ValuePlan {
    pub(crate) source: Source,
    pub(crate) steps: Vec<Step>,
    pub(crate) default: Option<Value>,
}

#[derive(Debug)]
pub(crate) enum Source {
    Copy(SourcePath),
    Constant(Value),
    ObjectKey,
    RootKey,
    Now,
    ExternalRef(String),
    First(Vec<ValuePlan>),
    Join { of: Vec<ValuePlan>, with: String },
    Concat(Vec<ValuePlan>),
    Sum { over: SourcePath, of: Option<Box<ValuePlan>>, keep: Option<Box<Expression>> },
    Count(SourcePath),
    Arithmetic { operation: Operation, of: Vec<ValuePlan>, rounding: Option<Rounding> },
    Expr(Box<Expression>),
}

impl Source {
    pub(crate) fn verb(&self) -> Verb {
        match self {
            Self::Copy(_) => Verb::Copy,
            Self::Constant(_) => Verb::Constant,
            Self::ObjectKey | Self::RootKey | Self::Now => Verb::Context,
            Self::ExternalRef(_) => Verb::ExternalRef,
            Self::First(_) => Verb::First,
            Self::Join { .. } => Verb::Join,
            Self::Concat(_) => Verb::Concat,
            Self::Sum { .. } => Verb::Sum,
            Self::Count(_) => Verb::Count,
            Self::Arithmetic { operation, .. } => operation.verb(),
            Self::Expr(_) => Verb::Expr,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    Add,
    Subtract,
    Multiply,
    Divide,
}

impl Operation {
    pub(crate) fn of(verb: Verb) -> Option<Self> {
        match verb {
            Verb::Add => Some(Self::Add),
            Verb::Subtract => Some(Self::Subtract),
            Verb::Multiply => Some(Self::Multiply),
            Verb::Divide => Some(Self::Divide),
            _ => None,
        }
    }

    pub(crate) fn verb(self) -> Verb {
        match self {
            Self::Add => Verb::Add,
            Self::Subtract => Verb::Subtract,
            Self::Multiply => Verb::Multiply,
            Self::Divide => Verb::Divide,
        }
    }
}

/// To how many decimals, and which way a half goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rounding {
    pub(crate) places: u32,
    pub(crate) strategy: RoundingStrategy,
}

#[derive(Debug)]
pub(crate) enum Step {
    Trim,
    Upper,
    Lower,
    Truncate(usize),
    Split { by: String, index: Option<usize> },
    LookUp { name: String, table: Table, otherwise: Option<Value> },
    Reference { kind: String, system: Option<String> },
    Scale(Rounding),
    As(Cast),
    Arithmetic { operation: Operation, operand: Box<ValuePlan>, rounding: Option<Rounding> },
    Unit { numerator: Decimal, denominator: Decimal, rounding: Option<Rounding> },
    Date(Zone),
    Zone(Zone),
    Format { form: String, zone: Zone },
    Parse { form: String, zone: Zone, yields: Parsed },
    AddDays(i32),
    Hash,
    Mask { keep: usize, with: char },
}

impl Step {
    pub(crate) fn verb(&self) -> Verb {
        match self {
            Self::Trim => Verb::Trim,
            Self::Upper => Verb::Upper,
            Self::Lower => Verb::Lower,
            Self::Truncate(_) => Verb::Truncate,
            Self::Split { .. } => Verb::Split,
            Self::LookUp { .. } => Verb::LookUp,
            Self::Reference { .. } => Verb::Reference,
            Self::Scale(_) => Verb::Scale,
            Self::As(_) => Verb::As,
            Self::Arithmetic { operation, .. } => operation.verb(),
            Self::Unit { .. } => Verb::Unit,
            Self::Date(_) => Verb::Date,
            Self::Zone(_) => Verb::Zone,
            Self::Format { .. } => Verb::Format,
            Self::Parse { .. } => Verb::Parse,
            Self::AddDays(_) => Verb::AddDays,
            Self::Hash => Verb::Hash,
            Self::Mask { .. } => Verb::Mask,
        }
    }
}

/// Where a table's rows are: in the mapping, or handed in with each run.
#[derive(Debug)]
pub(crate) enum Table {
    Inline(Arc<BTreeMap<String, Value>>),
    FromContext,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cast {
    Text,
    Decimal,
    Integer,
    Number,
    Boolean,
}

/// A zone that the mapping names, or the one of the run.
#[derive(Debug, Clone)]
pub(crate) enum Zone {
    Named(TimeZone),
    FromContext,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Parsed {
    Date,
    DateTime,
}
