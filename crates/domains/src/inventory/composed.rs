//! What shares units with others at a location, made of the levels that their source told last: a bundle of those of its
//! components, a component of its own. Owns the form of such a state, which holds these levels as they came, so that it explains
//! itself, and what follows from them: a bundle can be sold as often as its scarcest component allows.

use super::bundles::Piece;
use super::canonical::{Canonical, Made, Sold, State, Term, sold, tree};
use super::fault::{StockCode, StockFault};
use super::level::{self, Stock};
use super::rules::Rules;
use crate::json::{Json, parse};
use jiff::Timestamp;
use rust_decimal::Decimal;

/// The topic of such a state.
pub const TOPIC: &str = "stock/composed";

/// A component and its level; `None`: it was never told at this location.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    pub piece: Piece,
    pub level: Option<Stock>,
}

/// A bundle at a location, or a component, which is its own only part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Composed {
    pub sku: String,
    pub location: String,
    pub parts: Vec<Part>,
}

/// As it is appended. `levels`: each component with its level as it came.
#[must_use]
pub fn write(sku: &str, location: &str, levels: &[(&Piece, Option<&[u8]>)]) -> Vec<u8> {
    let text = |text: &str| serde_json::Value::from(text).to_string();
    let mut out = format!("{{\"sku\":{},\"location\":{},\"parts\":[", text(sku), text(location)).into_bytes();
    for (index, (piece, level)) in levels.iter().enumerate() {
        let comma = if index == 0 { "" } else { "," };
        let head =
            format!("{comma}{{\"sku\":{},\"quantity\":{},\"level\":", text(&piece.sku), piece.quantity);
        out.extend_from_slice(head.as_bytes());
        out.extend_from_slice(level.unwrap_or(b"null"));
        out.push(b'}');
    }
    out.extend_from_slice(b"]}");
    out
}

/// # Errors
/// What [`write`] did not write, or a level that its source may not tell.
pub fn read(payload: &[u8]) -> Result<Composed, StockFault> {
    let body = parse(payload)?;
    let wrong =
        |path: &str| StockFault::new(StockCode::WrongType, path, "this is no bundle as the hub writes one");
    let text = |of: &Json<'_>, key: &str| match of.get(key) {
        Some(Json::String(text)) => Ok(text.to_string()),
        _ => Err(wrong(&format!("$.{key}"))),
    };
    let Some(Json::Array(parts)) = body.get("parts") else { return Err(wrong("$.parts")) };
    let part = |part: &Json<'_>| {
        let quantity = match part.get("quantity") {
            Some(Json::Number(number)) => number.parse().ok().filter(|quantity| *quantity > 0),
            _ => None,
        };
        let piece =
            Piece { sku: text(part, "sku")?, quantity: quantity.ok_or_else(|| wrong("$.parts[].quantity"))? };
        let level = match part.get("level") {
            None | Some(Json::Null) => None,
            Some(level) => Some(level::of(level)?),
        };
        Ok(Part { piece, level })
    };
    let parts = parts.iter().map(part).collect::<Result<_, StockFault>>()?;
    Ok(Composed { sku: text(&body, "sku")?, location: text(&body, "location")?, parts })
}

impl Composed {
    /// When the newest of its levels changed.
    #[must_use]
    pub fn changed_at(&self) -> Timestamp {
        let levels = self.parts.iter().filter_map(|part| part.level.as_ref());
        levels.map(|level| level.changed_at).max().unwrap_or(Timestamp::UNIX_EPOCH)
    }

    /// What may be sold of the bundle.
    ///
    /// # Errors
    /// As of a level ([`super::canonical`]).
    pub fn canonical(&self, rules: &Rules) -> Result<Canonical, StockFault> {
        if let [Part { piece, level: Some(level) }] = self.parts.as_slice()
            && piece.sku == self.sku
        {
            return super::canonical::canonical(level, rules);
        }
        let (mut why, mut made) = (Vec::new(), Vec::new());
        let mut least: Option<(i64, &str)> = None;
        for Part { piece, level } in &self.parts {
            let of = match level {
                Some(level) => sold(level, rules)?,
                // Nobody has ever counted it here: none can be sold.
                None => Sold { available: 0, counted: None },
            };
            let holds = of.available.max(0) / i64::from(piece.quantity.max(1));
            let text = match level {
                Some(_) => {
                    format!("of {}: {} available, {} in each", piece.sku, of.available, piece.quantity)
                }
                None => format!("of {}: its source never told it at this location", piece.sku),
            };
            why.push(Term { adds: Some(Decimal::from(holds)), text });
            if least.is_none_or(|(known, _)| holds < known) {
                least = Some((holds, &piece.sku));
            }
            made.push(Made::of(piece, of, rules));
        }
        let (available, limiting) = least.unwrap_or((0, "nothing"));
        let text = format!(
            "available, before what is sold and shown of the same units elsewhere: {limiting} limits it"
        );
        why.push(Term { adds: Some(Decimal::from(available)), text });
        let changed_at = self.changed_at();
        let state = State::of_parts(&self.sku, &self.location, available, made, changed_at);
        let (body, digest) = tree(&state, changed_at)?;
        Ok(Canonical { body, digest, available, why })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::bundles::Bundles;
    use std::sync::Arc;

    fn level(sku: &str, on_hand: &str) -> Vec<u8> {
        format!(
            r#"{{"sku":"{sku}","location":"WH-1","on_hand":"{on_hand}","reserved":"1","counted":"1","changed_at":"2026-11-26T14:00:00Z"}}"#
        )
        .into_bytes()
    }

    fn rules() -> Rules {
        let rules = Rules::parse(&["2".to_owned()], &[]).unwrap();
        let text = b"bundle,component,quantity\nSET,TABLE,1\nSET,CHAIR,4\nPAIR,CHAIR,2\n";
        let bundles = Arc::new(Bundles::parse(text, &rules).unwrap());
        rules.with_bundles(bundles, &["40%".to_owned(), "TAB*: 100%".to_owned()]).unwrap()
    }

    #[test]
    fn a_bundle_is_as_many_as_its_scarcest_component_allows() {
        let rules = rules();
        let pieces = rules.bundles().made_of("SET").unwrap().to_vec();
        let (chair, table) = (level("CHAIR", "30"), level("TABLE", "11"));
        let payload = write("SET", "WH-1", &[(&pieces[0], Some(&chair)), (&pieces[1], Some(&table))]);
        let canonical = read(&payload).unwrap().canonical(&rules).unwrap();
        // Less what is reserved and kept back: 27 chairs, 8 tables.
        assert_eq!(canonical.available, 6);
        let why: Vec<String> = canonical.why.iter().map(|term| term.text.clone()).collect();
        assert!(
            why[0].contains("CHAIR: 27 available, 4 in each") && why[2].ends_with("CHAIR limits it"),
            "{why:?}"
        );
        let parts = &canonical.body["parts"];
        assert_eq!(parts[0]["bundles"].as_array().map(Vec::len), Some(2));
        assert_eq!((&parts[0]["bundle_share"], &parts[1]["bundle_share"]), (&40.into(), &100.into()));
        assert_eq!(parts[1]["counted"], 1);
    }

    #[test]
    fn of_what_was_never_told_nothing_is_sold_and_a_bundle_s_own_level_is_refused() {
        let rules = rules();
        let pieces = rules.bundles().made_of("SET").unwrap().to_vec();
        let chair = level("CHAIR", "30");
        let payload = write("SET", "WH-1", &[(&pieces[0], Some(&chair)), (&pieces[1], None)]);
        let canonical = read(&payload).unwrap().canonical(&rules).unwrap();
        assert_eq!(canonical.available, 0);
        assert!(canonical.why[1].text.contains("TABLE: its source never told it"), "{:?}", canonical.why);
        let own = level::read(&level("SET", "5")).unwrap();
        let fault = crate::inventory::canonical(&own, &rules).unwrap_err();
        assert_eq!(fault.code, StockCode::Bundle);
        // The component says in which bundles it is.
        let chair = crate::inventory::canonical(&level::read(&chair).unwrap(), &rules).unwrap();
        assert_eq!(chair.body["bundles"].as_array().map(Vec::len), Some(2));
        assert!(chair.why.last().unwrap().text.contains("40 % may be shown by 2 bundles: PAIR, SET"));
    }

    #[test]
    fn what_the_hub_did_not_write_is_refused() {
        for text in ["{}", "[]", r#"{"sku":"A","location":"B","parts":[{}]}"#, r#"{"parts":[]}"#] {
            assert!(read(text.as_bytes()).is_err(), "{text}");
        }
    }
}
