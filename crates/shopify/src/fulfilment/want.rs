//! What the mapping made of a shipment. Refuses what says nothing certain, with its field.

use super::code;
use crate::mapped::wrong;
use kernel::fault::Fault;
use serde_json::Value;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Want {
    pub(super) shipment: String,
    /// Where it may have left from, each an id, a number or a name; none: anywhere.
    pub(super) locations: Vec<String>,
    /// Each SKU once.
    pub(super) lines: Vec<(String, u32)>,
    pub(super) tracking: Tracking,
    pub(super) notify: bool,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Tracking {
    pub(super) company: Option<String>,
    pub(super) numbers: Vec<String>,
    pub(super) urls: Vec<String>,
}

impl Tracking {
    pub(super) fn is_empty(&self) -> bool {
        self.company.is_none() && self.numbers.is_empty() && self.urls.is_empty()
    }

    pub(super) fn has(&self, numbers: &[String]) -> bool {
        has_same(&self.numbers, numbers)
    }
}

/// The same numbers, in whatever order.
pub(super) fn has_same(one: &[String], other: &[String]) -> bool {
    let sorted = |numbers: &[String]| {
        let mut numbers = numbers.to_vec();
        numbers.sort();
        numbers
    };
    sorted(one) == sorted(other)
}

impl Want {
    pub(super) fn read(body: &Value) -> Result<Self, Fault> {
        let shipment = text(body, "", "shipment")?.ok_or_else(|| wrong(code::BODY, "shipment", "a text"))?;
        let location = match body.get("location") {
            Some(Value::Number(number)) if number.is_u64() => Some(number.to_string()),
            _ => text(body, "", "location")?,
        };
        let mut locations: Vec<String> = location.into_iter().collect();
        locations.extend(texts(body, "", "locations")?);
        let lines = body
            .get("lines")
            .and_then(Value::as_array)
            .ok_or_else(|| wrong(code::BODY, "lines", "a list"))?;
        let mut wanted: Vec<(String, u32)> = Vec::new();
        for (index, line) in lines.iter().enumerate() {
            let (sku, units) = one(line, index)?;
            match wanted.iter_mut().find(|(known, _)| *known == sku) {
                Some((_, known)) => *known = known.saturating_add(units),
                None => wanted.push((sku, units)),
            }
        }
        let tracking = match body.get("tracking") {
            None | Some(Value::Null) => Tracking::default(),
            Some(tracking) => Tracking {
                company: text(tracking, "tracking.", "company")?,
                numbers: texts(tracking, "tracking.", "numbers")?,
                urls: texts(tracking, "tracking.", "urls")?,
            },
        };
        let notify = match body.get("notify_customer") {
            None | Some(Value::Null) => false,
            Some(notify) => {
                notify.as_bool().ok_or_else(|| wrong(code::BODY, "notify_customer", "true or false"))?
            }
        };
        Ok(Self { shipment, locations, lines: wanted, tracking, notify })
    }

    pub(super) fn lines(&self) -> Vec<(&str, u32)> {
        self.lines.iter().map(|(sku, units)| (sku.as_str(), *units)).collect()
    }

    /// Whether the shipment left from there; one that does not say so may have left from anywhere.
    pub(super) fn left_from(&self, id: &str, name: &str) -> bool {
        self.locations.is_empty() || self.locations.iter().any(|wanted| is_place(wanted, id, name))
    }
}

/// Whether what the mapping calls a location is this one.
pub(super) fn is_place(wanted: &str, id: &str, name: &str) -> bool {
    wanted == id || wanted == name || id.strip_prefix("gid://shopify/Location/") == Some(wanted)
}

fn one(line: &Value, index: usize) -> Result<(String, u32), Fault> {
    let parent = format!("lines[{index}].");
    let sku =
        text(line, &parent, "sku")?.ok_or_else(|| wrong(code::BODY, &format!("{parent}sku"), "a text"))?;
    let units = line.get("quantity").and_then(Value::as_u64).and_then(|units| u32::try_from(units).ok());
    let units = units.filter(|units| *units > 0);
    Ok((
        sku,
        units
            .ok_or_else(|| wrong(code::BODY, &format!("{parent}quantity"), "a whole number, one at least"))?,
    ))
}

fn text(of: &Value, parent: &str, name: &str) -> Result<Option<String>, Fault> {
    match of.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone()).filter(|text| !text.trim().is_empty())),
        Some(_) => Err(wrong(code::BODY, &format!("{parent}{name}"), "a text")),
    }
}

fn texts(of: &Value, parent: &str, name: &str) -> Result<Vec<String>, Fault> {
    let field = format!("{parent}{name}");
    match of.get(name) {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Array(items)) => {
            let text = |item: &Value| item.as_str().map(str::to_owned);
            items
                .iter()
                .map(|item| text(item).ok_or_else(|| wrong(code::BODY, &field, "a list of texts")))
                .collect()
        }
        Some(_) => Err(wrong(code::BODY, &field, "a list of texts")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_body_that_says_nothing_certain_is_refused_with_its_field() {
        let good = json!({
            "shipment": "SH-1", "location": "Warehouse 1",
            "lines": [{ "sku": "A", "quantity": 1 }, { "sku": "A", "quantity": 2 }],
            "tracking": { "company": null, "numbers": ["1"], "urls": [] },
        });
        let want = Want::read(&good).unwrap();
        assert_eq!(want.lines(), [("A", 3)]);
        assert!(
            want.left_from("gid://shopify/Location/1", "Warehouse 1") && !want.left_from("x", "Warehouse 2")
        );
        assert!(
            is_place("7", "gid://shopify/Location/7", "") && !is_place("7", "gid://shopify/Location/77", "")
        );
        let mut several = good.clone();
        (several["location"], several["locations"]) = (json!(null), json!(["Warehouse 1", "Warehouse 3"]));
        let several = Want::read(&several).unwrap();
        assert!(several.left_from("x", "Warehouse 3") && !several.left_from("x", "Warehouse 2"));
        for (field, name, value) in [
            ("shipment", "shipment", json!(" ")),
            ("location", "location", json!({})),
            ("lines", "lines", json!("A")),
            ("locations", "locations", json!("Warehouse 2")),
            ("lines[0].quantity", "lines", json!([{ "sku": "A", "quantity": 0 }])),
            ("lines[0].quantity", "lines", json!([{ "sku": "A", "quantity": 1.5 }])),
            ("lines[0].sku", "lines", json!([{ "quantity": 1 }])),
            ("tracking.numbers", "tracking", json!({ "numbers": [1] })),
            ("notify_customer", "notify_customer", json!("yes")),
        ] {
            let mut body = good.clone();
            body[name] = value;
            let fault = Want::read(&body).unwrap_err();
            assert_eq!((fault.code.as_str(), fault.field.as_deref()), (code::BODY, Some(field)), "{body}");
        }
    }
}
