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
//! A level (`stock/level`) without a version is no state, because nothing says what is newer: of a system that can be asked it is a
//! *hint*, and what it says beside its pair is not believed. The pair is read, once for as many hints as wait.
//!
//! A change of a level (`stock/change`) has an `id` or a `version`: it counts each time that it comes under another one. What it is must be
//! readable at once, because nothing later tells its quantity again.
//!
//! A shipment may bring `levels`, the stock that it leaves behind, as `[{"version": 18, "data": {…}}]`: they are committed
//! together with it and before it, so that no older level is set once the shop knows of the shipment (ADR 0014).

use super::pushed::{From, Level, Pushed, own_pair};
use super::{Answer, Intake, Received};
use crate::bearer::bears;
use crate::watch::IntakeNotice;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use engine::work::lift::{self, lifted};
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::HeaderMap;
use kernel::clock::Now;
use kernel::envelope::{FactKind, TraceId, Via};
use kernel::fault::Severity;
use kernel::id::{DomainName, ShopId, SystemName};
use kernel::key::hex;
use kernel::subject::Subject;
use kernel::version::EffectiveVersion;
use secrecy::{ExposeSecret as _, SecretString};
use sha2::Sha256;
use std::sync::{Arc, PoisonError};
use std::time::Duration;
use store::StoreError;
use store::log::{Appended, DedupeKey, NewEnvelope};

/// Base64 of HMAC-SHA256 over the raw body.
pub const SIGNATURE: &str = "x-tidegate-hmac-sha256";
/// The topic of a level.
pub(super) const LEVEL: &str = "stock/level";
pub(super) const INVENTORY: &str = "inventory";
/// Among what copies are known by: no topic is spelled so, and none that bears a number is taken for a hint.
const HINT: &str = "hint";

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
    /// Whether it can be asked for one pair of its stock, so that a level without a number is a hint to read it.
    pub is_asked: bool,
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
        let from = From { system: &door.system, domain, is_asked: door.is_asked, shops: &self.parts.shops };
        let pushed = match Pushed::read(&received.bytes, from) {
            Ok(pushed) => pushed,
            Err(message) => return Answer::mend("unreadable", "TG-7016", &message),
        };
        let (subject, under) = (pushed.subject.to_string(), pushed.named());
        let word = if pushed.kind == FactKind::Hint { HINT } else { "stored" };
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
            Ok(Appended::Stored(_)) => Answer::taken(word),
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
    // Of the fact: what is pushed and what the same system gives when it is asked are copies of each other.
    let raw_hash = DedupeKey::content(sequence, &pushed.payload);
    let of = |topic: &str, state: &str| DedupeKey::of_system(&door.system, domain, topic, state);
    let key = match (&pushed.id, pushed.kind) {
        // What it hints at may have changed once more: only what bears an id and says the same is a copy.
        (Some(id), FactKind::Hint) => Some(of(HINT, &format!("{}#{id}#{}", pushed.subject, hex(&raw_hash)))),
        (None, FactKind::Hint) => None,
        // One document of a source may move several pairs.
        (Some(id), FactKind::Change) => Some(of(&pushed.topic, &format!("{}#{id}", pushed.subject))),
        (Some(id), _) => Some(of(&pushed.topic, id)),
        (None, _) => Some(of(&pushed.topic, &DedupeKey::sequenced(&pushed.subject, sequence))),
    };
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
        trace: trace
            .and_then(TraceId::from_traceparent)
            .unwrap_or_else(|| begun(key, &pushed.payload, began)),
        raw_hash,
        raw_bytes: u32::try_from(raw.len()).unwrap_or(u32::MAX),
        dedupe: key,
        payload: pushed.payload,
    }
}

/// A trace that begins here: the same for every copy, and of what has none its own.
fn begun(key: Option<DedupeKey>, payload: &[u8], began: Now) -> TraceId {
    TraceId(key.map_or_else(
        || {
            let mut id = [0; 16];
            id.copy_from_slice(&DedupeKey::content(began.wall.as_microsecond(), payload)[..16]);
            id
        },
        |key| key.0,
    ))
}
