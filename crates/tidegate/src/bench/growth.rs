//! What an append and a claim cost as history grows: at the store's port, without HTTP. A store that is kept small is
//! asked beside the one that grows, turn by turn; the ratio of the two is the figure.

use super::clock::{median, ms, now, spread};
use super::figure::Figure;
use super::service::Service;
use super::side::postgres_script;
use super::{Bench, PART_GROWTH as PART};
use crate::wiring::clock::{SystemClock, SystemRandom};
use anyhow::{Context as _, ensure};
use bytes::Bytes;
use jiff::Timestamp;
use kernel::clock::{Clock as _, after};
use kernel::envelope::{FactKind, Priority, TraceId, Via};
use kernel::id::{AttemptId, DomainName, FlowName, ShopId, SystemName};
use kernel::key::{CallKey, ChangeKey, ObjectKey};
use kernel::rng::{Rng as _, Seeded};
use kernel::subject::{Lane, Subject};
use kernel::version::EffectiveVersion;
use std::sync::Arc;
use std::time::Duration;
use store::Store;
use store::delivery::{
    Claim, DeliveryKind, DeliveryState, EndedAttempt, Move, Moved, NewAttempt, NewDelivery, Outcome,
    StoredRef, Wait,
};
use store::log::{About, DedupeKey, NewEnvelope, Routed, Unrouted};
use store::port::ClaimRequest;
use store::seal::MasterKey;

/// Orders that live their lives together while a store grows.
const CROWD: usize = 512;
/// Orders in one measured round, as a busy second brings them.
const ROUND: usize = 16;
/// Rounds at each size, of each store.
const ROUNDS: usize = 150;
/// What the small store has.
const SMALL: usize = 2_000;

pub async fn measure(bench: &Bench, postgres: bool) -> anyhow::Result<Vec<Figure>> {
    let mut figures = Vec::new();
    let sizes: &[usize] = if bench.quick { &[5_000, 20_000] } else { &[10_000, 100_000, 1_000_000] };
    let sqlite = |name: &str| -> anyhow::Result<Arc<dyn Store>> {
        let options = store_sqlite::Options {
            path: bench.folder.join(format!("growth-{name}.db")),
            master_key: MasterKey::from_bytes([1; 32]),
            random: Arc::new(SystemRandom),
            clock: Arc::new(SystemClock::new()),
        };
        Ok(Arc::new(store_sqlite::SqliteStore::open(options)?))
    };
    figures.extend(of_store(bench, "SQLite", sqlite("small")?, sqlite("grows")?, sizes).await?);
    if postgres {
        let server = async |name: &str| {
            let folder = bench.folder.join(format!("growth-postgres-{name}"));
            Service::start(&postgres_script()?, &folder).await
        };
        let (small, grows) = (server("small").await?, server("grows").await?);
        let (of_small, of_grows) = (on_postgres(&small).await?, on_postgres(&grows).await?);
        let measured = of_store(bench, "PostgreSQL", of_small, of_grows, sizes).await;
        small.stop().await?;
        grows.stop().await?;
        figures.extend(measured?);
    }
    Ok(figures)
}

/// On a server of its own.
async fn on_postgres(server: &Service) -> anyhow::Result<Arc<dyn Store>> {
    opened(server.setting("_URL").context("the script of PostgreSQL prints no URL")?).await
}

/// Opened in this very process.
pub(super) async fn opened(url: &str) -> anyhow::Result<Arc<dyn Store>> {
    let (key, random) = (MasterKey::from_bytes([1; 32]), Arc::new(SystemRandom));
    let options = store_postgres::Options::new(url, key, random, Arc::new(SystemClock::new()));
    Ok(Arc::new(store_postgres::PostgresStore::open(options).await?))
}

async fn of_store(
    bench: &Bench,
    name: &str,
    small: Arc<dyn Store>,
    grows: Arc<dyn Store>,
    sizes: &[usize],
) -> anyhow::Result<Vec<Figure>> {
    let (mut small, mut grows) = (Life::new(small), Life::new(grows));
    small.grow_to(SMALL).await?;
    let mut figures = Vec::new();
    for size in sizes {
        bench.tell(&format!("{name}: to {size} orders of history"));
        grows.grow_to(*size).await?;
        let (mut appends, mut claims) = (Vec::new(), Vec::new());
        let (mut append_ms, mut claim_ms) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            let (few, many) = (small.round(ROUND).await?, grows.round(ROUND).await?);
            appends.push(many.append / few.append);
            claims.push(many.claim / few.claim);
            append_ms.push(many.append);
            claim_ms.push(many.claim);
        }
        let figure = |what: &str, ratios: Vec<f64>, of_many: Vec<f64>, target| {
            let (low, high) = spread(&ratios);
            let note = format!(
                "{:.2} ms for {ROUND}; of {ROUNDS} rounds beside a store of {SMALL}, {low:.2} to {high:.2}",
                median(of_many)
            );
            Figure::new(PART, format!("{name}, {what} at {size} orders"), median(ratios), "× small")
                .target(target)
                .note(note)
        };
        figures.push(figure("append", appends, append_ms, "within 1.5"));
        figures.push(figure("claim", claims, claim_ms, "within 1.2"));
    }
    Ok(figures)
}

/// How long the two took, in milliseconds.
#[derive(Debug)]
struct Took {
    append: f64,
    claim: f64,
}

/// Orders that come and are delivered, one after the other, at one store.
#[derive(Debug)]
struct Life {
    store: Arc<dyn Store>,
    clock: SystemClock,
    rng: Seeded,
    orders: usize,
}

impl Life {
    fn new(store: Arc<dyn Store>) -> Self {
        Self { store, clock: SystemClock::new(), rng: Seeded::new(7), orders: 0 }
    }

    async fn grow_to(&mut self, orders: usize) -> anyhow::Result<()> {
        while self.orders < orders {
            self.round(CROWD.min(orders - self.orders)).await?;
        }
        Ok(())
    }

    /// So many orders from their webhook to their number.
    async fn round(&mut self, count: usize) -> anyhow::Result<Took> {
        let at = self.clock.now().wall;
        let facts = (0..count).map(|_| self.fact(at)).collect::<anyhow::Result<Vec<_>>>()?;
        let began = now();
        self.store.append(facts).await?;
        let append = ms(began.elapsed());
        let limit = u32::try_from(count)?;
        let waiting = self.store.unrouted(limit).await?;
        ensure!(waiting.len() == count, "{} of {count} orders wait for routing", waiting.len());
        let decisions = waiting.iter().map(|one| decision(one, at)).collect::<anyhow::Result<Vec<_>>>()?;
        self.store.route(decisions, at).await?;
        let request = ClaimRequest {
            system: SystemName::new("erp")?,
            now: self.clock.now().wall,
            lease: Duration::from_secs(60),
            limit,
            except_flows: Vec::new(),
            except_lanes: Vec::new(),
        };
        let began = now();
        let claims = self.store.claim(request, "bench").await?;
        let claim = ms(began.elapsed());
        ensure!(claims.len() == count, "{} of {count} orders could be claimed", claims.len());
        let begun = self.store.advance(claims.iter().map(|claim| begin(claim, at)).collect()).await?;
        let ends = claims.iter().zip(begun).map(|(claim, begun)| match begun {
            Moved::Done { begun: Some(attempt) } => Ok(end(claim, attempt, at)),
            other => anyhow::bail!("an attempt was not begun: {other:?}"),
        });
        self.store.advance(ends.collect::<anyhow::Result<Vec<_>>>()?).await?;
        Ok(Took { append, claim })
    }

    /// Five kilobytes that are compressed to a little more than half, as an order is.
    fn fact(&mut self, at: Timestamp) -> anyhow::Result<NewEnvelope> {
        self.orders += 1;
        let body: String =
            (0..150).map(|_| format!(r#"{{"sku":"{:016x}"}},"#, self.rng.next_u64())).collect();
        fact_of(self.orders, body.into_bytes(), at)
    }
}

/// A webhook of an order of its own, as the intake hands it to the store.
pub(super) fn fact_of(order: usize, body: Vec<u8>, at: Timestamp) -> anyhow::Result<NewEnvelope> {
    let number = 5_000_000_000 + order;
    let mut id = [0; 16];
    id[..8].copy_from_slice(&twin::shop::chance::mix(number as u64).to_be_bytes());
    id[8..].copy_from_slice(&(number as u64).to_be_bytes());
    let mut raw_hash = [0; 32];
    raw_hash[..16].copy_from_slice(&id);
    let shop = ShopId::new("acme")?;
    Ok(NewEnvelope {
        subject: Subject::new(shop.clone(), "order", &number.to_string()),
        shop,
        domain: DomainName::new("orders")?,
        source: SystemName::new("shopify")?,
        topic: "orders/create".into(),
        kind: FactKind::State,
        via: Via::Webhook,
        version: None,
        occurred_at: at,
        received_at: at,
        trace: TraceId(id),
        raw_hash,
        raw_bytes: 5_000,
        dedupe: Some(DedupeKey(id)),
        payload: Bytes::from(body),
    })
}

fn decision(one: &Unrouted, at: Timestamp) -> anyhow::Result<Routed> {
    let subject = one.envelope.subject.clone();
    let version = Some(EffectiveVersion::Sequence { sequence: 1 });
    let duty = NewDelivery {
        flow: FlowName::new("orders_to_erp")?,
        lane: Lane::of(&subject, &SystemName::new("erp")?),
        subject: subject.clone(),
        kind: DeliveryKind::State,
        state: DeliveryState::Waiting { due_at: Some(at), wait: Wait::Turn },
        version: version.clone(),
        priority: Priority::Live,
        supersedes: true,
        fault: None,
        changed_at: at,
    };
    let label = format!("#{}", subject.key());
    let about = About { subject, label, customer: Some("7001".into()), created_at: at, updated_at: at };
    Ok(Routed {
        version,
        about: Some(about),
        deliveries: vec![duty],
        ..Routed::nothing(one.envelope.position)
    })
}

fn still(claim: &Claim, at: Timestamp) -> Move {
    Move {
        lane: claim.lane.clone(),
        fence: claim.fence,
        delivery: claim.delivery.id,
        at,
        ended: None,
        begun: None,
        state: None,
        spent: 0,
        failures: 0,
        dead: None,
        external: None,
        delivered: None,
        follow_ups: Vec::new(),
        schedule: Vec::new(),
        keep: false,
    }
}

fn begin(claim: &Claim, at: Timestamp) -> Move {
    let version = EffectiveVersion::Sequence { sequence: 1 };
    let object_key = ObjectKey::of(&claim.delivery.subject);
    let change_key =
        ChangeKey::of(&object_key, &claim.lane.system, &claim.delivery.flow, &version, "r1", "create");
    let frozen = claim.payload.clone().unwrap_or_default();
    let begun = NewAttempt {
        step: "create".into(),
        call_key: CallKey::of(&change_key, claim.delivery.id, claim.delivery.calls + 1),
        change_key,
        frozen: frozen.slice(..frozen.len().min(1_500)),
        started_at: at,
        revision: "r1".into(),
    };
    Move { begun: Some(begun), keep: true, ..still(claim, at) }
}

fn end(claim: &Claim, attempt: AttemptId, at: Timestamp) -> Move {
    let external = StoredRef {
        object_key: ObjectKey::of(&claim.delivery.subject),
        id: claim.delivery.id.0.to_string(),
        number: Some(format!("SO{}", claim.delivery.id.0)),
        state: None,
        created_at: at,
        adopted: false,
    };
    Move {
        ended: Some(EndedAttempt {
            id: attempt,
            ended_at: after(at, Duration::from_millis(5)),
            fault: None,
            by_look_up: None,
        }),
        state: Some(DeliveryState::Ended(Outcome::Delivered { note: None })),
        external: Some(external),
        delivered: Some((Some(EffectiveVersion::Sequence { sequence: 1 }), [4; 32])),
        ..still(claim, at)
    }
}
