//! What was given back of an order before it left is taken off the order's lines, so that Medusa reserves and packs it no longer;
//! what came back is received, so that it lies on the shelf (docs/connectors/medusa.md). Owns its wanted form, `medusa.refund/1`
//! (crates/mapping/schemas/medusa.refund.schema.json), and that each refund is one edit of the order, one return of it, or both in this
//! order, which bear the refund's object key as their note and stand there for good once they are confirmed. Gives no money back.

mod back;
mod look;
mod plan;
mod shelf;
mod write;

use super::came_back::Return;
use super::code;
use super::sale::{Item, Sale};
use super::taken::Named;
use connector::port::{ExternalRef, Held, Observation, Observed, Wanted};
use kernel::fault::{Fault, FaultKind};
use kernel::key::ObjectKey;
use kernel::money::Money;
use kernel::subject::Subject;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use shelf::Shelves;
use std::collections::BTreeMap;

pub(super) use plan::plan;

/// The schema that a mapping of a refund into Medusa is checked against.
pub(super) const SCHEMA: &str = "medusa.refund/1";

/// Whether it is a refund that is wanted, and not an order.
pub(super) fn is_wanted(wanted: &Wanted) -> bool {
    wanted.subject.kind() == "refund"
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Refund {
    /// The object key; the connector writes it into the note of the edit.
    #[serde(rename = "reference")]
    _reference: String,
    /// The reference of the order that it was given back of.
    order: String,
    lines: Vec<Line>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    /// As the order calls it.
    line: String,
    quantity: Decimal,
    restock: Restock,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Restock {
    /// They never left.
    Cancel,
    /// They never left, or the buyer keeps them.
    #[serde(rename = "no_restock")]
    Kept,
    #[serde(rename = "return")]
    CameBack,
}

impl Refund {
    /// What a mapping for this schema always makes; anything else is told and nothing is sent.
    fn read(wanted: &Wanted) -> Result<Self, Fault> {
        let refused = |what: String| {
            let what = format!(
                "the mapping's result is no {SCHEMA} ({what}): nothing was sent; correct the mapping"
            );
            Fault::new(FaultKind::Rejected, code::BODY, what)
        };
        let refund = Self::deserialize(&wanted.body).map_err(|error| refused(error.to_string()))?;
        let key = order_key(wanted);
        if refund.order != key.as_str() {
            return Err(refused(format!("its order is {:?}, and {key} was given back of", refund.order)));
        }
        match refund.lines.iter().find(|line| line.quantity <= Decimal::ZERO || !line.quantity.is_integer()) {
            Some(line) => {
                Err(refused(format!("{} units of line {:?} are given back", line.quantity, line.line)))
            }
            None => Ok(refund),
        }
    }

    /// Units of a line.
    fn units(&self, name: &str, restock: Restock) -> Decimal {
        let own = self.lines.iter().filter(|line| line.line == name && line.restock == restock);
        own.map(|line| line.quantity).sum()
    }

    /// Units that came back, by our names of lines.
    fn came_back(&self) -> BTreeMap<&str, Decimal> {
        let mut lines = BTreeMap::new();
        for line in self.lines.iter().filter(|line| line.restock == Restock::CameBack) {
            *lines.entry(line.line.as_str()).or_default() += line.quantity;
        }
        lines
    }
}

/// What bears the refund's name: one of them, or both.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Booked {
    edit: Option<Named>,
    back: Option<Return>,
}

impl Booked {
    fn of(edit: Option<Named>, back: Option<Return>) -> Option<Self> {
        (edit.is_some() || back.is_some()).then_some(Self { edit, back })
    }

    /// The edit stands for both.
    fn external(&self) -> ExternalRef {
        match (&self.edit, &self.back) {
            (Some(edit), _) => of_edit(edit),
            (None, Some(back)) => back::external(back),
            (None, None) => ExternalRef { id: String::new(), number: None, state: None },
        }
    }
}

fn of_edit(edit: &Named) -> ExternalRef {
    ExternalRef { id: edit.id.clone(), number: None, state: Some(edit.status.clone()) }
}

/// What the order is called that was given back of.
fn order_key(wanted: &Wanted) -> ObjectKey {
    let Subject { shop, .. } = &wanted.subject;
    ObjectKey::of(&Subject { shop: shop.clone(), path: wanted.subject.root().to_owned() })
}

/// What `plan` needs besides the edit, [`Observation::context`].
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
struct Context {
    order: Option<Sale>,
    /// Ids of orders that all bear the key.
    several: Vec<String>,
    /// For what came back and is in no return yet.
    #[serde(default)]
    shelves: Shelves,
}

/// How many units of a line go.
#[derive(Debug, Clone, PartialEq)]
struct Going<'a> {
    item: &'a Item,
    units: Decimal,
}

impl Going<'_> {
    fn stays(&self) -> Decimal {
        self.item.quantity - self.units
    }
}

/// Of every line of the order, how much of it goes. A line that the order does not have is none of it: nothing is reserved for it.
/// What was given back before it left and is packed all the same is for a person.
fn going<'a>(refund: &Refund, order: &'a Sale) -> Result<Vec<Going<'a>>, Fault> {
    let of = |item: &'a Item| {
        let Some(line) = &item.line else { return Ok(Going { item, units: Decimal::ZERO }) };
        let (never_left, kept) = (refund.units(line, Restock::Cancel), refund.units(line, Restock::Kept));
        if never_left > item.open() {
            let what = format!(
                "{never_left} of {:?} were given back before they left, and Medusa has {} of {} packed or sent ({}): cancel the \
                 fulfilment there and release this, or skip it where they went out",
                item.title,
                item.fulfilled,
                item.quantity,
                order.shown()
            );
            return Err(Fault::new(FaultKind::Rejected, code::LEFT, what).field("lines"));
        }
        Ok(Going { item, units: (never_left + kept).min(item.open()) })
    };
    order.items.iter().map(of).collect()
}

/// What it took off and what came back, by Medusa's own prices.
pub(super) fn held(observation: &Observation) -> Option<Held> {
    let Observed::One(state) = &observation.object else { return None };
    let Booked { edit, back } = Booked::deserialize(&state.body).ok()?;
    let order = Context::deserialize(&observation.context).ok()?.order?;
    let price = |id: &str| order.items.iter().find(|item| item.id == id).map(|item| item.unit_price);
    let came_back: Option<Decimal> = match &back {
        Some(back) => back.units.iter().map(|(item, units)| Some(units * price(item)?)).sum(),
        None => Some(Decimal::ZERO),
    };
    let off = edit.as_ref().map_or(Some(Decimal::ZERO), Named::amount)?;
    let gross =
        Money::parse(&(off + came_back?).to_string(), order.currency.to_ascii_uppercase().parse().ok()?);
    let is_booked = edit.is_none_or(|edit| edit.is_confirmed()) && back.is_none_or(|back| back.is_received());
    Some(Held { gross: gross.ok()?, void: !is_booked })
}
