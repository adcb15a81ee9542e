//! A change of a level, as a source tells it that knows its movements alone (docs/connectors/stock_feed.md). Owns its reading: as exact
//! and as strict as a level's; what becomes of it is `folding`'s.

use super::fault::{StockCode, StockFault};
use super::level;
use crate::json::{Json, parse};
use jiff::Timestamp;
use rust_decimal::Decimal;

/// The topic of a change.
pub const TOPIC: &str = "stock/change";

/// By how much a level changed, in the unit of that level.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    pub sku: String,
    pub location: String,
    pub by: By,
    pub changed_at: Timestamp,
}

/// What is added to each quantity; 0 where nothing is said of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct By {
    pub on_hand: Decimal,
    pub reserved: Decimal,
    pub counted: Decimal,
}

const QUANTITIES: [&str; 3] = ["on_hand", "reserved", "counted"];

/// Reads a change.
///
/// # Errors
/// The first thing that is wrong, with its path and what to write.
pub fn read(payload: &[u8]) -> Result<Change, StockFault> {
    of(&parse(payload)?)
}

/// The same of a body that is parsed already.
pub(super) fn of(body: &Json<'_>) -> Result<Change, StockFault> {
    if !matches!(body, Json::Object(_)) {
        let what = format!("a change is an object; this is {}", body.kind());
        return Err(StockFault::new(StockCode::WrongType, "$", what));
    }
    if let Some(name) = QUANTITIES.into_iter().find(|name| body.get(name).is_some()) {
        let what = format!(
            "it is a change, so {name} stands below change: write {{\"change\": {{\"{name}\": …}}}}, or send a level under the \
             topic \"stock/level\""
        );
        return Err(StockFault::new(StockCode::WrongType, format!("$.{name}"), what));
    }
    if !matches!(body.get("unit"), None | Some(Json::Null)) {
        let what = "a change is in the unit of its level; leave it out, or send a level".to_owned();
        return Err(StockFault::new(StockCode::WrongType, "$.unit", what));
    }
    Ok(Change {
        sku: level::name(body, "sku")?,
        location: level::name(body, "location")?,
        by: by(body)?,
        changed_at: level::instant(body, "$", "changed_at")?,
    })
}

/// The name that a source gives to a change, as a file of changes has it.
pub(super) fn id(text: &str) -> Result<String, String> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > level::NAME_CHARS_MAX || text.contains(char::is_control) {
        let most = level::NAME_CHARS_MAX;
        return Err(format!(
            "this is no id; write at most {most} characters, and no control characters within"
        ));
    }
    Ok(text.to_owned())
}

fn by(body: &Json<'_>) -> Result<By, StockFault> {
    let expected = "an object, as in {\"on_hand\": \"-3\"}";
    let fault = |code, what| Err(StockFault::new(code, "$.change", what));
    let members = match body.get("change") {
        Some(Json::Object(members)) => members,
        None | Some(Json::Null) => {
            return fault(StockCode::Missing, format!("it is missing; write {expected}"));
        }
        Some(other) => {
            return fault(StockCode::WrongType, format!("this is {}; write {expected}", other.kind()));
        }
    };
    let change = Json::Object(members.clone());
    // What nobody reads would be lost.
    if let Some((name, _)) = members.iter().find(|(name, _)| !QUANTITIES.contains(&name.as_ref())) {
        let what = format!(
            "only on_hand, reserved and counted change; what else there is of a level ({name}) a level tells"
        );
        return Err(StockFault::new(StockCode::WrongType, format!("$.change.{name}"), what));
    }
    let [on_hand, reserved, counted] =
        QUANTITIES.map(|name| level::quantity(&change, "$.change", name).map(Option::unwrap_or_default));
    let said = QUANTITIES.into_iter().any(|name| !matches!(change.get(name), None | Some(Json::Null)));
    if !said {
        return fault(StockCode::Missing, format!("nothing changes; write {expected}"));
    }
    Ok(By { on_hand: on_hand?, reserved: reserved?, counted: counted? })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(change: &str) -> String {
        format!(
            r#"{{"sku":" SKU-1 ","location":"WH-1","change":{change},"changed_at":"2026-11-26T14:00:00Z"}}"#
        )
    }

    #[test]
    fn signed_quantities_are_read_as_a_levels_are() {
        let read_of = |change: &str| read(with(change).as_bytes()).unwrap();
        let change = read_of(r#"{"on_hand":"-3","reserved":2,"counted":"1.50"}"#);
        assert_eq!((change.sku.as_str(), change.location.as_str()), ("SKU-1", "WH-1"));
        let by = By { on_hand: Decimal::from(-3), reserved: Decimal::TWO, counted: Decimal::new(15, 1) };
        assert_eq!(change.by, by);
        assert_eq!(read_of(r#"{"on_hand":0}"#).by, By::default(), "said, and nothing");
    }

    #[test]
    fn what_is_no_change_says_where_and_what_to_write() {
        for (body, path, says) in [
            (with(r#"{"on_hand":-3.0}"#), "$.change.on_hand", "float"),
            (with(r#"{"on_hand":1e12}"#), "$.change.on_hand", "float"),
            (with(r#"{"on_hand":"1000000000000"}"#), "$.change.on_hand", "shelf"),
            (with(r#"{"on_hand":"+3"}"#), "$.change.on_hand", "digits"),
            (with(r#"{"on_hand":"0.0000001"}"#), "$.change.on_hand", "decimals"),
            (with(r#"{"on_hand":true}"#), "$.change.on_hand", "quantity"),
            (with(r#"{"safety":"1"}"#), "$.change.safety", "a level tells"),
            (with("{}"), "$.change", "nothing changes"),
            (with(r#"{"on_hand":null}"#), "$.change", "nothing changes"),
            (with("\"-3\""), "$.change", "write an object"),
            (with("null"), "$.change", "missing"),
            (with(r#"{"on_hand":1}"#).replace(" SKU-1 ", " "), "$.sku", "not blank"),
            (with(r#"{"on_hand":1},"on_hand":"5""#), "$.on_hand", "stock/level"),
            (with(r#"{"on_hand":1},"unit":"case""#), "$.unit", "leave it out"),
            (with(r#"{"on_hand":1}"#).replace("T14:00:00Z", ""), "$.changed_at", "zone"),
            ("[]".to_owned(), "$", "object"),
        ] {
            let fault = read(body.as_bytes()).unwrap_err();
            assert_eq!(fault.path, path, "{body}: {fault}");
            assert!(fault.message.contains(says), "{body}: {fault}");
        }
    }
}
