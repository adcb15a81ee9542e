//! `ErpTwin`: starts the back office, turns its knobs and reads its ledger from within the process.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Result;
use rust_decimal::Decimal;
use tokio::runtime::Handle;
use tokio::sync::watch;

use super::books::Sale;
use super::clock::pause;
use super::config::ErpConfig;
use super::credit::CreditNote;
use super::knobs::{Knobs, Outage};
use super::ledger::{Entry, Ledger};
use super::office::Office;
use super::payments::Payment;
use super::server::{Door, bind, keep_control_door, keep_door};

/// A back office that runs until it is stopped or dropped.
#[derive(Debug)]
pub struct ErpTwin {
    desk: Arc<Desk>,
    address: SocketAddr,
    control_address: SocketAddr,
    is_open: watch::Receiver<bool>,
}

/// The office and its door.
#[derive(Debug)]
pub(super) struct Desk {
    pub(super) office: Arc<Office>,
    door: watch::Sender<Door>,
    /// Counts the beginnings and ends of outages, so that the end of one is not taken for that of another.
    outages: AtomicU64,
    runtime: Handle,
}

impl Desk {
    /// Opens or shuts the door as the knobs say; an outage with an end ends by itself.
    pub(super) fn set_knobs(self: &Arc<Self>, knobs: Knobs) {
        let (outage, for_ms) = (knobs.outage, knobs.outage_for_ms);
        let before = self.office.knobs();
        let same_outage = (before.outage, before.outage_for_ms) == (outage, for_ms);
        self.office.set_knobs(knobs);
        let wanted = if outage == Outage::Refused { Door::Shut } else { Door::Open };
        self.door.send_if_modified(|door| {
            let turned = *door != wanted && *door != Door::Gone;
            if turned {
                *door = wanted;
            }
            turned
        });
        if same_outage {
            return;
        }
        let number = self.outages.fetch_add(1, Ordering::Relaxed) + 1;
        if let (Some(for_ms), true) = (for_ms, outage != Outage::None) {
            self.runtime.spawn(self.clone().end_outage(number, for_ms));
        }
    }

    /// Ends that outage, unless it ended already.
    async fn end_outage(self: Arc<Self>, number: u64, after_ms: u64) {
        pause(after_ms).await;
        if self.outages.load(Ordering::Relaxed) == number {
            let knobs = (*self.office.knobs()).clone();
            self.set_knobs(Knobs { outage: Outage::None, outage_for_ms: None, ..knobs });
        }
    }
}

impl ErpTwin {
    /// Listens on 127.0.0.1 at once.
    pub async fn start(config: ErpConfig) -> Result<Self> {
        let office = Arc::new(Office::open(&config)?);
        let (listener, address) = bind(config.port).await?;
        let (control_listener, control_address) = bind(config.control_port).await?;
        let (door, inside) = watch::channel(Door::Open);
        let (opened, is_open) = watch::channel(true);
        let (outages, runtime) = (AtomicU64::new(0), Handle::current());
        let desk = Arc::new(Desk { office, door, outages, runtime });
        desk.set_knobs(config.knobs);
        tokio::spawn(keep_door(listener, address, desk.clone(), inside.clone(), opened));
        tokio::spawn(keep_control_door(control_listener, desk.clone(), inside));
        Ok(Self { desk, address, control_address, is_open })
    }

    /// `http://127.0.0.1:…`, the same for the whole life.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Where `/twin/…` can be reached during an outage too.
    pub fn control_url(&self) -> String {
        format!("http://{}", self.control_address)
    }

    pub fn token(&self) -> &str {
        &self.desk.office.token
    }

    /// Of the client that may ask for access tokens.
    pub fn client_secret(&self) -> &str {
        &self.desk.office.client_secret
    }

    /// How many access tokens were given.
    pub fn tokens_given(&self) -> u64 {
        self.desk.office.tokens.count()
    }

    /// Every access token is refused from now on.
    pub fn revoke_tokens(&self) {
        self.desk.office.tokens.revoke();
    }

    pub fn knobs(&self) -> Knobs {
        (*self.desk.office.knobs()).clone()
    }

    /// Turns some knobs: `erp.turn(|knobs| knobs.latency_ms = 20)`.
    pub fn turn(&self, how: impl FnOnce(&mut Knobs)) {
        let mut knobs = self.knobs();
        how(&mut knobs);
        self.desk.set_knobs(knobs);
    }

    /// Begins or ends an outage, and waits until the port does what was asked.
    pub async fn set_outage(&self, outage: Outage) {
        self.turn(|knobs| (knobs.outage, knobs.outage_for_ms) = (outage, None));
        let wanted = outage != Outage::Refused;
        // The other side lives as long as this one.
        let _ = self.is_open.clone().wait_for(|is_open| *is_open == wanted).await;
    }

    pub fn ledger(&self) -> Ledger {
        self.desk.office.ledger()
    }

    /// Every change, in its order.
    pub fn entries(&self) -> Vec<Entry> {
        self.desk.office.entries()
    }

    /// All sales as they are now, in the order of their ids.
    pub fn sales(&self) -> Vec<Sale> {
        self.desk.office.sales(0, usize::MAX)
    }

    /// In the order in which they were posted.
    pub fn credit_notes(&self) -> Vec<CreditNote> {
        self.desk.office.credit_notes()
    }

    /// In the order in which they were booked.
    pub fn payments(&self) -> Vec<Payment> {
        self.desk.office.payments()
    }

    /// Somebody in the office puts another price on the first line of a sale, in no ledger; false where there is none
    /// under that reference.
    pub fn misprice(&self, reference: &str, by: Decimal) -> bool {
        self.desk.office.misprice(reference, by)
    }

    /// How many sales each reference has.
    pub fn sales_by_reference(&self) -> Vec<(String, usize)> {
        self.desk.office.sales_by_reference()
    }

    /// Lets time pass for the office alone: idempotency keys age, look-ups catch up.
    pub fn advance(&self, ms: u32) {
        self.desk.office.advance(i64::from(ms));
    }

    /// Waits until the ledger is as wanted.
    pub async fn until(&self, wanted: impl Fn(&Ledger) -> bool) {
        let mut changes = self.desk.office.changes.subscribe();
        // The other side lives as long as this one.
        let _ = changes.wait_for(|_| wanted(&self.ledger())).await;
    }

    /// Drops every connection and listens no more; what was answered stays in the ledger file.
    pub fn stop(self) {
        drop(self);
    }
}

impl Drop for ErpTwin {
    fn drop(&mut self) {
        self.desk.door.send_replace(Door::Gone);
    }
}
