//! `POST /ingest/{system}/{domain}`: a system that pushes. Same bounds, same commit as a webhook; what it has to say of
//! its fact stands in the body, so that a signature covers it:
//!
//! ```json
//! {"subject": "acme/order:5678", "version": 17, "topic": "object/told", "id": "…", "data": {…}}
//! ```
//!
//! `subject` and `version` (the source's sequence number) are required. `topic` is `object/told` where it is absent.
//! `id` makes copies one; where it is absent, subject and version do. Refuses what it cannot order.
//!
//! A change of a level (`stock/change`) has an `id` or a `version`: it counts each time that it comes under another one. What it is must be
//! readable at once, because nothing later tells its quantity again.
//!
//! A shipment may bring `levels`, the stock that it leaves behind, as `[{"version": 18, "data": {…}}]`: they are committed
//! together with it and before it, so that no older level is set once the shop knows of the shipment (ADR 0014).

use super::{Answer, Intake, Received};
use crate::bearer::bears;
use crate::watch::IntakeNotice;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use domains::inventory::{change, composed};
use domains::json::{Json, parse, strip};
use engine::work::lift::{self, lifted};
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::HeaderMap;
use kernel::clock::Now;
use kernel::envelope::{FactKind, TraceId, Via};
use kernel::fault::Severity;
use kernel::id::{DomainName, ShopId, SystemName};
use kernel::subject::Subject;
use kernel::version::EffectiveVersion;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::value::RawValue;
use sha2::Sha256;
use std::sync::{Arc, PoisonError};
use std::time::Duration;
use store::StoreError;
use store::log::{Appended, DedupeKey, NewEnvelope};

/// Base64 of HMAC-SHA256 over the raw body.
pub const SIGNATURE: &str = "x-tidegate-hmac-sha256";
/// What a target tells of its object.
const TOPIC: &str = "object/told";
/// And of a level.
const LEVEL: &str = "stock/level";
const INVENTORY: &str = "inventory";

/// What is known of a system's numbers is not looked up again before.
const LIFT_STANDS: Duration = Duration::from_secs(1);

/// How a system proves who it is; at least one. A request needs to meet one of them.
#[derive(Debug, Clone, Default)]
pub struct IngestAuth {
    pub bearer: Option<SecretString>,
    pub hmac: Option<SecretString>,
}

/// One system that may push.
#[derive(Debug, Clone)]
pub struct IngestDoor {
    pub system: SystemName,
    /// The domains that some flow takes from it.
    pub domains: Vec<DomainName>,
    pub auth: IngestAuth,
}

/// As a pushing system signs.
pub fn sign(secret: &SecretString, body: &[u8]) -> String {
    STANDARD.encode(mac(secret, body).finalize().into_bytes())
}

fn mac(secret: &SecretString, body: &[u8]) -> Hmac<Sha256> {
    let mut mac = match Hmac::<Sha256>::new_from_slice(secret.expose_secret().as_bytes()) {
        Ok(mac) => mac,
        Err(error) => unreachable!("HMAC takes a key of any length: {error}"),
    };
    mac.update(body);
    mac
}

impl IngestAuth {
    /// Both are tried, and in constant time; an empty secret proves nothing.
    fn admits(&self, headers: &HeaderMap, body: &[u8]) -> bool {
        let given = |secret: &&SecretString| !secret.expose_secret().is_empty();
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let bearer = self.bearer.as_ref().is_some_and(|token| bears(headers, token));
        let signed = self.hmac.as_ref().filter(given).is_some_and(|secret| {
            let signature = header(SIGNATURE).and_then(|value| STANDARD.decode(value).ok());
            signature.is_some_and(|signature| mac(secret, body).verify_slice(&signature).is_ok())
        });
        bearer | signed
    }
}

/// What a body says.
struct Pushed {
    subject: Subject,
    kind: FactKind,
    /// Only a change may have none.
    sequence: Option<i64>,
    topic: String,
    id: Option<String>,
    payload: Bytes,
    levels: Vec<Level>,
}

impl Pushed {
    /// Under what it is known again.
    fn named(&self) -> String {
        match (self.sequence, &self.id) {
            (Some(version), _) => format!("version {version} (or its id)"),
            (None, id) => format!("the id {:?}", id.as_deref().unwrap_or_default()),
        }
    }
}

/// A level that a shipment leaves behind.
struct Level {
    version: i64,
    payload: Bytes,
}

impl Intake {
    /// Judges, commits, answers. Who proves nothing learns nothing: an unknown system and a wrong token look alike.
    pub async fn ingest(
        self: &Arc<Self>,
        system: &str,
        domain: &str,
        headers: &HeaderMap,
        received: Received,
        began: Now,
    ) -> Answer {
        let Some(door) = self.parts.doors.iter().find(|door| door.system.as_str() == system) else {
            return Answer::unauthorized();
        };
        if !door.auth.admits(headers, &received.bytes) {
            return Answer::unauthorized();
        }
        let Some(domain) = door.domains.iter().find(|known| known.as_str() == domain) else {
            return Answer::no_such_door();
        };
        let read = self.read(&received.bytes).and_then(|pushed| of_its_data(domain, pushed));
        let pushed = match read {
            Ok(pushed) => pushed,
            Err(message) => return Answer::mend("unreadable", "TG-7016", &message),
        };
        let (subject, under) = (pushed.subject.to_string(), pushed.named());
        let Ok(lift) = self.lift(&door.system, &pushed.subject.shop).await else {
            return Answer::store_unavailable();
        };
        let pushed = Pushed { sequence: pushed.sequence.map(|sequence| lifted(sequence, lift)), ..pushed };
        let Ok(levels) = self.levels(door, &pushed).await else { return Answer::store_unavailable() };
        let of =
            |domain: &DomainName, pushed| envelope(door, domain, headers, &received.bytes, pushed, began);
        let mut envelopes: Vec<NewEnvelope> =
            levels.into_iter().map(|(domain, level)| of(domain, level)).collect();
        envelopes.push(of(domain, pushed));
        let Received { bytes, held } = received;
        drop(bytes);
        match self.commit(envelopes, held).await {
            Ok(Appended::Stored(_)) => Answer::taken("stored"),
            Ok(Appended::Duplicate { same_body: true }) => Answer::taken("duplicate"),
            Ok(Appended::Duplicate { same_body: false }) => {
                let system = door.system.clone();
                let notice = IntakeNotice::SameVersionOtherBody { system, subject, under };
                self.parts.watching.intake(Severity::Ticket, &notice);
                Answer::taken("same_id_other_body")
            }
            Err(_) => Answer::store_unavailable(),
        }
    }

    /// What a shipment leaves behind, each as if it had been pushed by itself; nothing where no flow takes the system's stock.
    async fn levels<'a>(
        &self,
        door: &'a IngestDoor,
        of: &Pushed,
    ) -> Result<Vec<(&'a DomainName, Pushed)>, StoreError> {
        let stock = door.domains.iter().find(|domain| domain.as_str() == INVENTORY);
        let Some(domain) = stock.filter(|_| !of.levels.is_empty()) else { return Ok(Vec::new()) };
        let lift = self.lift(&door.system, &of.subject.shop).await?;
        let level = |level: &Level| {
            let path = own_pair(&level.payload).ok()?;
            let subject = Subject { shop: of.subject.shop.clone(), path };
            let (sequence, payload) = (Some(lifted(level.version, lift)), level.payload.clone());
            let (topic, kind) = (LEVEL.to_owned(), FactKind::State);
            Some((domain, Pushed { subject, kind, sequence, topic, id: None, payload, levels: Vec::new() }))
        };
        Ok(of.levels.iter().filter_map(level).collect())
    }

    /// By how much the system's numbers are lifted; looked up at most once a second, because who resets them waits for that.
    async fn lift(&self, system: &SystemName, shop: &ShopId) -> Result<i64, StoreError> {
        let (name, now) = (lift::name_of(system, shop), self.parts.clock.now().mono);
        let known = self.lifts.lock().unwrap_or_else(PoisonError::into_inner).get(&name).copied();
        if let Some((since, lift)) = known
            && now.since(since) < LIFT_STANDS
        {
            return Ok(lift);
        }
        let lift = lift::of(self.parts.store.as_ref(), system, shop).await?;
        self.lifts.lock().unwrap_or_else(PoisonError::into_inner).insert(name, (now, lift));
        Ok(lift)
    }

    /// For the sender, who has to mend it: what is wrong, where, and how it is written.
    fn read(&self, raw: &[u8]) -> Result<Pushed, String> {
        let body = parse(raw).map_err(|fault| format!("the body {}, at {}", fault.problem, fault.path()))?;
        let text = |name: &str| match body.get(name) {
            Some(Json::String(text)) if !text.is_empty() => Ok(Some(text.to_string())),
            None | Some(Json::Null) => Ok(None),
            Some(other) => Err(format!("$.{name} is {}; write a text", other.kind())),
        };
        let subject = text("subject")?.ok_or("$.subject is missing; write it as \"acme/order:5678\"")?;
        let subject = self.subject(&subject)?;
        let sequence = match body.get("version") {
            Some(Json::Number(number)) => number.parse::<i64>().ok(),
            Some(Json::String(number)) => number.parse::<i64>().ok(),
            _ => None,
        };
        let topic = text("topic")?.unwrap_or_else(|| TOPIC.to_owned());
        let id = text("id")?;
        let kind = if topic == change::TOPIC { FactKind::Change } else { FactKind::State };
        let may_have_none = kind == FactKind::Change
            && id.is_some()
            && matches!(body.get("version"), None | Some(Json::Null));
        if sequence.is_none() && !may_have_none {
            return Err(no_version(kind).to_owned());
        }
        if !is_topic(&topic) {
            return Err("$.topic is not two words in lower case, as in \"object/told\"".to_owned());
        }
        let (payload, levels) = data(raw)?;
        let payload = payload.ok_or("$.data is missing or no object")?;
        Ok(Pushed { subject, kind, sequence, topic, id, payload, levels })
    }

    fn subject(&self, text: &str) -> Result<Subject, String> {
        let spelled = || {
            format!(
                "$.subject is {text:?}; write a configured shop, the kind and the id, as in \"acme/order:5678\""
            )
        };
        let (shop, path) = text.split_once('/').ok_or_else(spelled)?;
        let shop = ShopId::new(shop).map_err(|_| spelled())?;
        if !self.parts.shops.iter().any(|known| known.id == shop) {
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
}

fn no_version(kind: FactKind) -> &'static str {
    match kind {
        FactKind::Change => {
            "$.version is missing or no whole number, and there is no $.id; write the number that the source gives to this \
             change of the pair, or an id of its own: without either a copy would be counted twice"
        }
        _ => {
            "$.version is missing or no whole number; write the sequence number that the source gives to this state: \
             without it an older state could overwrite a newer one"
        }
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

fn own_pair(payload: &[u8]) -> Result<String, String> {
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

fn envelope(
    door: &IngestDoor,
    domain: &DomainName,
    headers: &HeaderMap,
    raw: &[u8],
    pushed: Pushed,
    began: Now,
) -> NewEnvelope {
    let sequence = pushed.sequence.unwrap_or_default();
    let state = match (&pushed.id, pushed.kind) {
        // One document of a source may move several pairs.
        (Some(id), FactKind::Change) => format!("{}#{id}", pushed.subject),
        (Some(id), _) => id.clone(),
        (None, _) => DedupeKey::sequenced(&pushed.subject, sequence),
    };
    let key = DedupeKey::of_system(&door.system, domain, &pushed.topic, &state);
    let trace = headers.get("traceparent").and_then(|value| value.to_str().ok());
    NewEnvelope {
        shop: pushed.subject.shop.clone(),
        domain: domain.clone(),
        source: door.system.clone(),
        topic: pushed.topic,
        kind: pushed.kind,
        via: Via::Ingest,
        subject: pushed.subject,
        version: pushed.sequence.map(|sequence| EffectiveVersion::Sequence { sequence }),
        occurred_at: began.wall,
        received_at: began.wall,
        trace: trace.and_then(TraceId::from_traceparent).unwrap_or(TraceId(key.0)),
        // Of the fact: what is pushed and what the same system gives when it is asked are copies of each other.
        raw_hash: DedupeKey::content(sequence, &pushed.payload),
        raw_bytes: u32::try_from(raw.len()).unwrap_or(u32::MAX),
        dedupe: Some(key),
        payload: pushed.payload,
    }
}
