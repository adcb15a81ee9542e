//! One webhook, from its raw bytes to its answer.

use super::{Answer, Intake, Received};
use crate::privacy::PrivacyRequest;
use crate::watch::IntakeNotice;
use bytes::Bytes;
use domains::orders::{BodyFault, TopicKind, classify, take};
use http::HeaderMap;
use kernel::clock::Now;
use kernel::envelope::{FactKind, TraceId, Via};
use kernel::fault::Severity;
use kernel::id::DomainName;
use kernel::key::hex;
use kernel::subject::Subject;
use sha2::{Digest as _, Sha256};
use shopify::webhook::{Refusal, SHOP_MEMBERS, Verified, VersionStanding, dedupe_key, verify};
use std::sync::Arc;
use store::log::{Appended, DedupeKey, NewEnvelope};

/// What is to be stored of a body, and about whom it is.
struct Fact {
    kind: FactKind,
    subject: Subject,
    payload: Bytes,
    /// Of a body that cannot be taken as what its topic says.
    problem: Option<Problem>,
}

enum Problem {
    Unreadable(BodyFault),
    WrongShop(String),
}

impl Intake {
    /// Judges, commits, answers.
    pub async fn webhook(self: &Arc<Self>, headers: &HeaderMap, received: Received, began: Now) -> Answer {
        let verified = match verify(headers, &received.bytes, &self.parts.apps, &self.parts.shops) {
            Ok(verified) => verified,
            Err(refusal) => return refused(&refusal, received.bytes.len()),
        };
        self.warn_of_version(&verified);
        match classify(&verified.topic) {
            TopicKind::Privacy => self.privacy_topic(headers, verified, received, began).await,
            TopicKind::App => self.app_topic(headers, verified, received, began).await,
            kind if self.wants(&verified) => self.order_topic(kind, headers, verified, received, began).await,
            _ => Answer::taken("unwanted"),
        }
    }

    fn wants(&self, verified: &Verified) -> bool {
        self.parts.topics.get(&verified.shop).is_some_and(|topics| topics.contains(&verified.topic))
    }

    async fn order_topic(
        self: &Arc<Self>,
        kind: TopicKind,
        headers: &HeaderMap,
        verified: Verified,
        received: Received,
        began: Now,
    ) -> Answer {
        let key = dedupe_key(&verified.shop, &verified.topic, &verified.webhook_id);
        let fact = order_fact(kind, &verified, &received.bytes, &key);
        let (subject, problem) = (fact.subject.path.clone(), fact.problem);
        let fact = Fact { problem: None, ..fact };
        let envelope =
            self.envelope(self.orders.clone(), headers, &verified, &received.bytes, fact, key, began);
        let Received { bytes, held } = received;
        drop(bytes);
        match self.commit(vec![envelope], held).await {
            Ok(Appended::Stored(_)) => self.stored(&verified, subject, problem),
            Ok(Appended::Duplicate { same_body }) => self.duplicate(&verified, same_body),
            Err(_) => Answer::store_unavailable(),
        }
    }

    fn stored(&self, verified: &Verified, subject: String, problem: Option<Problem>) -> Answer {
        let (shop, topic) = (verified.shop.clone(), verified.topic.clone());
        let webhook_id = verified.webhook_id.clone();
        match problem {
            None => Answer::taken("stored"),
            Some(Problem::Unreadable(fault)) => {
                let (code, path) = (fault.code.as_str().to_owned(), fault.path);
                let notice = IntakeNotice::UnreadableBody { shop, topic, webhook_id, code, path, subject };
                self.parts.watching.intake(Severity::Ticket, &notice);
                Answer::taken("unreadable")
            }
            Some(Problem::WrongShop(other)) => {
                let notice = IntakeNotice::WrongShop { shop, other, topic, webhook_id, subject };
                self.parts.watching.intake(Severity::Ticket, &notice);
                Answer::taken("wrong_shop")
            }
        }
    }

    fn duplicate(&self, verified: &Verified, same_body: bool) -> Answer {
        if same_body {
            return Answer::taken("duplicate");
        }
        let notice = IntakeNotice::SameIdOtherBody {
            shop: verified.shop.clone(),
            topic: verified.topic.clone(),
            webhook_id: verified.webhook_id.clone(),
        };
        self.parts.watching.intake(Severity::Ticket, &notice);
        Answer::taken("same_id_other_body")
    }

    /// The fact is appended with ids alone; then what it asks for is done, also when a copy of it was known: the
    /// process may have died between the two.
    async fn privacy_topic(
        self: &Arc<Self>,
        headers: &HeaderMap,
        verified: Verified,
        received: Received,
        began: Now,
    ) -> Answer {
        if verified.wrong_shop_of(&received.bytes).is_some() {
            return self.order_topic(TopicKind::Privacy, headers, verified, received, began).await;
        }
        let key = dedupe_key(&verified.shop, &verified.topic, &verified.webhook_id);
        let (request, fact) = match PrivacyRequest::read(&verified.topic, &received.bytes) {
            Ok(request) => {
                let subject = Subject::new(verified.shop.clone(), "privacy", &verified.webhook_id);
                let payload = Bytes::from(request.ids());
                (Ok(request), Fact { kind: FactKind::Event, subject, payload, problem: None })
            }
            Err(fault) => {
                let fact = unreadable(&verified, stripped(&received.bytes), &key, fault.clone());
                (Err(fault), fact)
            }
        };
        let subject = fact.subject.path.clone();
        let envelope =
            self.envelope(self.privacy.clone(), headers, &verified, &received.bytes, fact, key, began);
        let Received { bytes, held } = received;
        drop(bytes);
        if self.commit(vec![envelope], held).await.is_err() {
            return Answer::store_unavailable();
        }
        match request {
            Ok(request) => {
                match self.parts.privacy.carry_out(&verified.shop, &verified.webhook_id, request).await {
                    Ok(()) => Answer::taken("privacy"),
                    Err(_) => Answer::store_unavailable(),
                }
            }
            Err(fault) => {
                let notice = IntakeNotice::PrivacyUnreadable {
                    shop: verified.shop,
                    topic: verified.topic,
                    webhook_id: verified.webhook_id,
                    path: fault.path,
                    subject,
                };
                self.parts.watching.intake(Severity::Page, &notice);
                Answer::taken("privacy_unreadable")
            }
        }
    }

    /// The body describes the shop and its owner; nothing of it is needed, so nothing of it is stored.
    async fn app_topic(
        self: &Arc<Self>,
        headers: &HeaderMap,
        verified: Verified,
        received: Received,
        began: Now,
    ) -> Answer {
        if verified.wrong_shop_of(&received.bytes).is_some() {
            return self.order_topic(TopicKind::App, headers, verified, received, began).await;
        }
        let key = dedupe_key(&verified.shop, &verified.topic, &verified.webhook_id);
        let subject = Subject::new(verified.shop.clone(), "app", &verified.app);
        let fact = Fact { kind: FactKind::Event, subject, payload: Bytes::from_static(b"{}"), problem: None };
        let envelope = self.envelope(self.app.clone(), headers, &verified, &received.bytes, fact, key, began);
        let Received { bytes, held } = received;
        drop(bytes);
        match self.commit(vec![envelope], held).await {
            Ok(Appended::Stored(_)) => {
                let (shop, app) = (verified.shop, verified.app);
                let (severity, notice) = match verified.topic.as_str() {
                    "app/uninstalled" => (Severity::Page, IntakeNotice::AppUninstalled { shop, app }),
                    _ => (Severity::Ticket, IntakeNotice::ScopesChanged { shop, app }),
                };
                self.parts.watching.intake(severity, &notice);
                Answer::taken("app")
            }
            Ok(Appended::Duplicate { same_body }) => self.duplicate(&verified, same_body),
            Err(_) => Answer::store_unavailable(),
        }
    }

    #[expect(clippy::too_many_arguments, reason = "one envelope from all that is known of a request")]
    fn envelope(
        &self,
        domain: DomainName,
        headers: &HeaderMap,
        verified: &Verified,
        raw: &[u8],
        fact: Fact,
        key: [u8; 16],
        began: Now,
    ) -> NewEnvelope {
        let trace = headers.get("traceparent").and_then(|value| value.to_str().ok());
        NewEnvelope {
            shop: verified.shop.clone(),
            domain,
            source: self.shopify.clone(),
            topic: verified.topic.clone(),
            kind: fact.kind,
            via: Via::Webhook,
            subject: fact.subject,
            version: None,
            occurred_at: verified.triggered_at.unwrap_or(began.wall),
            received_at: began.wall,
            // Shopify sends no trace: one begins here, and it is the same for every copy of the webhook.
            trace: trace.and_then(TraceId::from_traceparent).unwrap_or(TraceId(key)),
            raw_hash: Sha256::digest(raw).into(),
            raw_bytes: u32::try_from(raw.len()).unwrap_or(u32::MAX),
            dedupe: Some(DedupeKey(key)),
            payload: fact.payload,
        }
    }

    fn warn_of_version(&self, verified: &Verified) {
        let VersionStanding::Other(version) = &verified.api_version else { return };
        if self.is_new_version(&verified.shop, version) {
            let shop = self.parts.shops.iter().find(|shop| shop.id == verified.shop);
            let notice = IntakeNotice::OtherApiVersion {
                shop: verified.shop.clone(),
                version: version.clone(),
                configured: shop.map(|shop| shop.api_version.clone()).unwrap_or_default(),
            };
            self.parts.watching.intake(Severity::Ticket, &notice);
        }
    }
}

fn refused(refusal: &Refusal, body_bytes: usize) -> Answer {
    // Unsigned requests come at any rate; they are counted, and logged only where somebody asks for it.
    if refusal.status() == 401 {
        tracing::debug!(http.reason = refusal.name(), body.bytes = body_bytes, "{refusal}");
    } else {
        tracing::warn!(http.reason = refusal.name(), body.bytes = body_bytes, "{refusal}");
    }
    Answer::refused(refusal.status(), refusal.name())
}

/// The body as its topic says, without what may not be stored; found out in one walk over it.
fn order_fact(kind: TopicKind, verified: &Verified, raw: &Bytes, key: &[u8; 16]) -> Fact {
    let taken = match take(raw, &SHOP_MEMBERS) {
        Ok(taken) => taken,
        // What is no JSON cannot be stripped and is kept as it came, sealed.
        Err(fault) => return unreadable(verified, raw.clone(), key, fault),
    };
    let payload = Bytes::from(taken.payload);
    if let Some(other) = verified.wrong_shop(&taken.told) {
        return wrong_shop(verified, payload, key, other);
    }
    let identity = match taken.identity {
        Ok(identity) => identity,
        Err(fault) => return unreadable(verified, payload, key, fault),
    };
    let kind = match kind {
        // Refunds, payments and fulfilments are derived from the order's states (DESIGN section 4): their own topics
        // only make it sooner, by having the order read.
        TopicKind::Event(_) | TopicKind::Hint => FactKind::Hint,
        _ => FactKind::State,
    };
    let subject = Subject::new(verified.shop.clone(), "order", &identity.order_id);
    Fact { kind, subject, payload, problem: None }
}

/// Kept under a subject of its own: nobody can say whom it is about.
fn unreadable(verified: &Verified, payload: Bytes, key: &[u8; 16], fault: BodyFault) -> Fact {
    Fact {
        kind: FactKind::Unreadable,
        subject: Subject::new(verified.shop.clone(), "unreadable", &hex(key)),
        payload,
        problem: Some(Problem::Unreadable(fault)),
    }
}

fn wrong_shop(verified: &Verified, payload: Bytes, key: &[u8; 16], other: String) -> Fact {
    Fact {
        kind: FactKind::Unreadable,
        subject: Subject::new(verified.shop.clone(), "wrong_shop", &hex(key)),
        payload,
        problem: Some(Problem::WrongShop(other)),
    }
}
/// What is no JSON cannot be stripped and is kept as it came, sealed.
fn stripped(raw: &Bytes) -> Bytes {
    domains::json::strip(raw).map_or_else(|_| raw.clone(), Bytes::from)
}
