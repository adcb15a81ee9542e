//! What shares units with others, lies at several locations that are one to the shop, or is divided over several of its own, made of
//! the levels that their source told last: a bundle of those of its components, a component of its own, and each of them as the sum over the locations of a pool.
//! Owns the form of such a state, which holds these levels as they came, so that it explains itself, and what follows from them: a
//! bundle can be sold as often as its scarcest component allows.

use super::bundles::Piece;
use super::canonical::{Canonical, Made, Sold, State, Term, pooled, tree};
use super::fault::{StockCode, StockFault};
use super::level::{self, Stock};
use super::rules::Rules;
use super::sharing::Component;
use crate::json::{Json, parse};
use jiff::Timestamp;
use rust_decimal::Decimal;

/// The topic of such a state.
pub const TOPIC: &str = "stock/composed";

/// A component, and its level at each location that counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    pub piece: Piece,
    pub levels: Vec<At>,
}

/// A level at one of the source's locations; `None`: it was never told there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct At {
    pub location: String,
    pub level: Option<Stock>,
}

/// A bundle at a location, or a component, which is its own only part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Composed {
    pub sku: String,
    /// Where it is shown: the source's own, a pool, or an outlet.
    pub location: String,
    pub parts: Vec<Part>,
}

/// As it is appended. `level`: of a SKU at one of the source's locations, as it came.
#[must_use]
pub fn write<'a>(
    sku: &str,
    location: &str,
    made_of: &[Component],
    level: impl Fn(&str, &str) -> Option<&'a [u8]>,
) -> Vec<u8> {
    let text = |text: &str| serde_json::Value::from(text).to_string();
    let mut out = format!("{{\"sku\":{},\"location\":{},\"parts\":[", text(sku), text(location)).into_bytes();
    for (index, component) in made_of.iter().enumerate() {
        let (comma, piece) = (if index == 0 { "" } else { "," }, &component.piece);
        let head = format!("{comma}{{\"sku\":{},\"quantity\":{},", text(&piece.sku), piece.quantity);
        out.extend_from_slice(head.as_bytes());
        let of = |at: &str| level(&piece.sku, at).unwrap_or(b"null");
        if component.locations == [location] {
            out.extend_from_slice(b"\"level\":");
            out.extend_from_slice(of(location));
        } else {
            out.extend_from_slice(b"\"levels\":[");
            for (index, at) in component.locations.iter().enumerate() {
                let comma = if index == 0 { "" } else { "," };
                out.extend_from_slice(format!("{comma}{{\"location\":{},\"level\":", text(at)).as_bytes());
                out.extend_from_slice(of(at));
                out.push(b'}');
            }
            out.push(b']');
        }
        out.push(b'}');
    }
    out.extend_from_slice(b"]}");
    out
}

/// # Errors
/// What [`write`] did not write, or a level that its source may not tell.
pub fn read(payload: &[u8]) -> Result<Composed, StockFault> {
    let body = parse(payload)?;
    let Some(Json::Array(parts)) = body.get("parts") else { return Err(wrong("$.parts")) };
    let location = text(&body, "location")?;
    let part = |part: &Json<'_>| {
        let quantity = match part.get("quantity") {
            Some(Json::Number(number)) => number.parse().ok().filter(|quantity| *quantity > 0),
            _ => None,
        };
        let piece =
            Piece { sku: text(part, "sku")?, quantity: quantity.ok_or_else(|| wrong("$.parts[].quantity"))? };
        let levels = match part.get("levels") {
            Some(Json::Array(levels)) => {
                let at = |of: &Json<'_>| Ok(At { location: text(of, "location")?, level: level_of(of)? });
                levels.iter().map(at).collect::<Result<_, StockFault>>()?
            }
            _ => vec![At { location: location.clone(), level: level_of(part)? }],
        };
        Ok(Part { piece, levels })
    };
    let parts = parts.iter().map(part).collect::<Result<_, StockFault>>()?;
    Ok(Composed { sku: text(&body, "sku")?, location, parts })
}

fn wrong(path: &str) -> StockFault {
    StockFault::new(StockCode::WrongType, path, "this is no bundle as the hub writes one")
}

fn text(of: &Json<'_>, key: &str) -> Result<String, StockFault> {
    match of.get(key) {
        Some(Json::String(text)) => Ok(text.to_string()),
        _ => Err(wrong(&format!("$.{key}"))),
    }
}

fn level_of(of: &Json<'_>) -> Result<Option<Stock>, StockFault> {
    match of.get("level") {
        None | Some(Json::Null) => Ok(None),
        Some(level) => Ok(Some(level::of(level)?)),
    }
}

impl Part {
    /// What may be sold of it, over all of its locations; of what was never told, nothing.
    fn sold(&self, rules: &Rules) -> Result<(Sold, String), StockFault> {
        let (mut all, mut each) = (Sold::NOTHING, Vec::new());
        for At { location, level } in &self.levels {
            let Some(level) = level else { continue };
            let of = super::canonical::sold(level, rules)?;
            each.push(format!("{location}: {}", of.available));
            all = all.and(of);
        }
        let text = match (each.len(), self.levels.len()) {
            (0, _) => "its source never told it at this location".to_owned(),
            (_, 1) => format!("{} available, {} in each", all.available, self.piece.quantity),
            _ => {
                format!("{} available ({}), {} in each", all.available, each.join(", "), self.piece.quantity)
            }
        };
        Ok((all, format!("of {}: {text}", self.piece.sku)))
    }
}

impl Composed {
    /// Each level that it is made of.
    pub fn levels(&self) -> impl Iterator<Item = &Stock> {
        self.parts.iter().flat_map(|part| &part.levels).filter_map(|at| at.level.as_ref())
    }

    /// What it is made of.
    #[must_use]
    pub fn made_of(&self) -> Vec<Component> {
        let of = |part: &Part| Component {
            piece: part.piece.clone(),
            locations: part.levels.iter().map(|at| at.location.clone()).collect(),
        };
        self.parts.iter().map(of).collect()
    }

    /// When the newest of its levels changed.
    #[must_use]
    pub fn changed_at(&self) -> Timestamp {
        self.levels().map(|level| level.changed_at).max().unwrap_or(Timestamp::UNIX_EPOCH)
    }

    /// What may be sold of it.
    ///
    /// # Errors
    /// As of a level ([`super::canonical`]).
    pub fn canonical(&self, rules: &Rules) -> Result<Canonical, StockFault> {
        if let [part] = self.parts.as_slice()
            && part.piece.sku == self.sku
        {
            return match part.levels.as_slice() {
                [At { location, level: Some(level) }] if *location == self.location => {
                    super::canonical::canonical(level, rules)
                }
                levels => pooled((&self.sku, &self.location), levels, rules, self.changed_at()),
            };
        }
        let (mut why, mut made) = (Vec::new(), Vec::new());
        let mut least: Option<(i64, &str)> = None;
        for part in &self.parts {
            let (of, text) = part.sold(rules)?;
            let holds = of.available.max(0) / i64::from(part.piece.quantity.max(1));
            why.push(Term { adds: Some(Decimal::from(holds)), text });
            if least.is_none_or(|(known, _)| holds < known) {
                least = Some((holds, &part.piece.sku));
            }
            made.push(Made::of(&part.piece, of, rules));
        }
        let (available, limiting) = least.unwrap_or((0, "nothing"));
        let text = format!(
            "available, before what is sold and shown of the same units elsewhere: {limiting} limits it"
        );
        why.push(Term { adds: Some(Decimal::from(available)), text });
        let outlets = super::canonical::divided(&self.location, None, rules, &mut why);
        let changed_at = self.changed_at();
        let state = State::of_parts(&self.sku, &self.location, available, made, outlets, changed_at);
        let (body, digest) = tree(&state, changed_at)?;
        Ok(Canonical { body, digest, available, why })
    }
}

#[cfg(test)]
mod tests;
