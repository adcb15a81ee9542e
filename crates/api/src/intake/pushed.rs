//! What a system pushes, read from its body: which fact it is, of what, under what it is known again, and what is wrong with it, in
//! words for whoever sends it. Owns the form; stores nothing and knows no door.

use crate::intake::ingest::{INVENTORY, LEVEL};
use bytes::Bytes;
use domains::inventory::{change, composed};
use domains::json::{Json, parse, strip};
use kernel::envelope::FactKind;
use kernel::id::{DomainName, ShopId, SystemName};
use kernel::subject::Subject;
use serde::Deserialize;
use serde_json::value::RawValue;
use shopify::webhook::ShopEntry;

/// What a target tells of its object.
const TOPIC: &str = "object/told";

/// What a body says.
pub(super) struct Pushed {
    pub(super) subject: Subject,
    pub(super) kind: FactKind,
    /// A hint has none, and a change that has an id may have none.
    pub(super) sequence: Option<i64>,
    pub(super) topic: String,
    pub(super) id: Option<String>,
    pub(super) payload: Bytes,
    pub(super) levels: Vec<Level>,
}

/// A level that a shipment leaves behind.
pub(super) struct Level {
    pub(super) version: i64,
    pub(super) payload: Bytes,
}

/// Who pushes, and what.
#[derive(Debug, Clone, Copy)]
pub(super) struct From<'a> {
    pub(super) system: &'a SystemName,
    pub(super) domain: &'a DomainName,
    /// Whether the system can be asked for one pair of its stock: a level without a number is a hint then.
    pub(super) is_asked: bool,
    pub(super) shops: &'a [ShopEntry],
}

impl Pushed {
    /// Under what it is known again.
    pub(super) fn named(&self) -> String {
        match (self.sequence, &self.id) {
            (Some(version), _) => format!("version {version} (or its id)"),
            (None, id) => format!("the id {:?}", id.as_deref().unwrap_or_default()),
        }
    }

    /// For the sender, who has to mend it: what is wrong, where, and how it is written.
    pub(super) fn read(raw: &[u8], from: From<'_>) -> Result<Self, String> {
        let body = parse(raw).map_err(|fault| format!("the body {}, at {}", fault.problem, fault.path()))?;
        let text = |name: &str| match body.get(name) {
            Some(Json::String(text)) if !text.is_empty() => Ok(Some(text.to_string())),
            None | Some(Json::Null) => Ok(None),
            Some(other) => Err(format!("$.{name} is {}; write a text", other.kind())),
        };
        let subject = text("subject")?.ok_or("$.subject is missing; write it as \"acme/order:5678\"")?;
        let subject = from.subject(&subject)?;
        let sequence = match body.get("version") {
            Some(Json::Number(number)) => number.parse::<i64>().ok(),
            Some(Json::String(number)) => number.parse::<i64>().ok(),
            _ => None,
        };
        let topic = text("topic")?.unwrap_or_else(|| TOPIC.to_owned());
        let id = text("id")?;
        let has_none = matches!(body.get("version"), None | Some(Json::Null));
        let kind = match topic.as_str() {
            change::TOPIC => FactKind::Change,
            LEVEL if has_none && from.is_asked => FactKind::Hint,
            _ => FactKind::State,
        };
        let may_have_none =
            has_none && (kind == FactKind::Hint || (kind == FactKind::Change && id.is_some()));
        if sequence.is_none() && !may_have_none {
            return Err(from.no_version(kind, &topic));
        }
        if !is_topic(&topic) {
            return Err("$.topic is not two words in lower case, as in \"object/told\"".to_owned());
        }
        let (payload, levels) = data(raw)?;
        let payload = payload.ok_or("$.data is missing or no object")?;
        of_its_data(from.domain, Self { subject, kind, sequence, topic, id, payload, levels })
    }
}

impl From<'_> {
    fn subject(&self, text: &str) -> Result<Subject, String> {
        let spelled = || {
            format!(
                "$.subject is {text:?}; write a configured shop, the kind and the id, as in \"acme/order:5678\""
            )
        };
        let (shop, path) = text.split_once('/').ok_or_else(spelled)?;
        let shop = ShopId::new(shop).map_err(|_| spelled())?;
        if !self.shops.iter().any(|known| known.id == shop) {
            return Err(format!("$.subject names the shop {shop}, which is not configured"));
        }
        let good = |part: &str| {
            let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '@' | '%');
            let whole = |text: &str| !text.is_empty() && text.len() <= 128 && text.chars().all(plain);
            part.split_once(':').is_some_and(|(kind, key)| whole(kind) && whole(key))
        };
        if path.len() > 512 || !path.split('/').all(good) {
            return Err(spelled());
        }
        Ok(Subject { shop, path: path.to_owned() })
    }

    fn no_version(&self, kind: FactKind, topic: &str) -> String {
        if kind == FactKind::Change {
            return "$.version is missing or no whole number, and there is no $.id; write the number that the source gives to \
                    this change of the pair, or an id of its own: without either a copy would be counted twice"
                .to_owned();
        }
        let what = "$.version is missing or no whole number; write the sequence number that the source gives to this state: \
                    without it an older state could overwrite a newer one";
        let hint = if self.domain.as_str() != INVENTORY {
            String::new()
        } else if !self.is_asked {
            format!(
                ". A level without one is taken as a hint only where {} can be asked for the pair: set in \
                 [systems.{0}.connection] where (url of a stock feed, locations of medusa and tryton)",
                self.system
            )
        } else if topic == LEVEL {
            // A number was meant, and is none.
            ". Without $.version it is a hint, and the pair is read".to_owned()
        } else {
            format!(". A level without one is a hint, and the pair is read; its $.topic is {LEVEL:?}")
        };
        format!("{what}{hint}")
    }
}

/// A fact is of the thing that its data names: under another's subject it would overwrite that one's.
fn of_its_data(domain: &DomainName, pushed: Pushed) -> Result<Pushed, String> {
    let is_shipment = domain.as_str() == "orders" && pushed.topic == domains::shipments::TOPIC;
    if !is_shipment && !pushed.levels.is_empty() {
        return Err("$.levels belong to a shipment; push a level by itself".to_owned());
    }
    if domain.as_str() == INVENTORY && pushed.topic == composed::TOPIC {
        return Err(format!(
            "$.topic {:?} is the hub's own, for what it composes of levels itself; push the level of each component under \
             \"{LEVEL}\"",
            composed::TOPIC
        ));
    }
    if pushed.kind == FactKind::Change {
        if domain.as_str() != INVENTORY {
            return Err(format!("$.topic {:?} is of the domain inventory; send it there", change::TOPIC));
        }
        change::read(&pushed.payload)
            .map_err(|fault| format!("$.data{}: {}", fault.path.trim_start_matches('$'), fault.message))?;
    }
    for (index, level) in pushed.levels.iter().enumerate() {
        own_pair(&level.payload)
            .map_err(|what| format!("$.levels[{index}]{}", what.trim_start_matches('$')))?;
    }
    let own = match domain.as_str() {
        INVENTORY => own_pair(&pushed.payload)?,
        "orders" if pushed.topic == domains::shipments::TOPIC => own_shipment(&pushed)?,
        _ => return Ok(pushed),
    };
    if pushed.subject.path == own {
        return Ok(pushed);
    }
    let (shop, path) = (&pushed.subject.shop, &pushed.subject.path);
    Err(format!("$.subject is {path:?}, and $.data is of {own:?}; write the subject as \"{shop}/{own}\""))
}

pub(super) fn own_pair(payload: &[u8]) -> Result<String, String> {
    #[derive(Deserialize)]
    struct Pair {
        sku: String,
        location: String,
    }
    let pair: Pair =
        serde_json::from_slice(payload).map_err(|_| "$.data has no texts sku and location".to_owned())?;
    Ok(domains::inventory::path(&pair.sku, &pair.location))
}

fn own_shipment(pushed: &Pushed) -> Result<String, String> {
    let shipment = domains::shipments::read(&pushed.payload)
        .map_err(|fault| format!("$.data{}: {}", fault.path.trim_start_matches('$'), fault.message))?;
    Ok(domains::shipments::path(&shipment.order, &shipment.shipment))
}

/// `object/told`, `stock_levels/changed`.
fn is_topic(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
    let word = |word: &str| !word.is_empty() && word.len() <= 64 && word.bytes().all(plain);
    text.split_once('/').is_some_and(|(of, what)| word(of) && word(what))
}

/// The fact itself, without what may not be stored. What stays is byte for byte as it came: an amount that went through
/// a float would come out as another.
fn data(raw: &[u8]) -> Result<(Option<Bytes>, Vec<Level>), String> {
    #[derive(Deserialize)]
    struct Body<'a> {
        #[serde(borrow)]
        data: Option<&'a RawValue>,
        #[serde(borrow, default)]
        levels: Vec<Left<'a>>,
    }
    #[derive(Deserialize)]
    struct Left<'a> {
        version: i64,
        #[serde(borrow)]
        data: &'a RawValue,
    }
    let kept = strip(raw).map_err(|fault| format!("the body {}, at {}", fault.problem, fault.path()))?;
    let body: Body<'_> = serde_json::from_slice(&kept).map_err(|error| format!("the body {error}"))?;
    let copied = |data: &str| Bytes::copy_from_slice(data.as_bytes());
    let data = body.data.map(RawValue::get).filter(|data| data.starts_with('{'));
    let level = |left: &Left<'_>| Level { version: left.version, payload: copied(left.data.get()) };
    Ok((data.map(copied), body.levels.iter().map(level).collect()))
}
