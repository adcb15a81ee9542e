//! A run: look, write, look again, until nothing differs; then what counts for buyers is switched.

use super::encode::{Key, Said};
use super::look::{Known, Look, look};
use super::memory;
use super::patience::Shop;
use super::places::Step;
use super::plan::Plan;
use super::write::WRITES;
use super::{Options, Progress, Tell};
use crate::bulk;
use crate::graphql::ShopClient;
use connector::port::CallContext;
use domains::prices::Wanted;
use kernel::fault::{Fault, FaultKind};
use kernel::money::Currency;
use serde::Serialize;
use std::collections::BTreeSet;
use std::sync::Arc;

/// What Shopify refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Refused {
    pub catalog: String,
    /// None where it concerns the catalog, or a whole call.
    pub sku: Option<String>,
    pub variant: Option<u64>,
    /// Shopify's own.
    pub code: String,
    pub message: String,
}

/// What was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Written {
    /// Calls with a write, each for itself.
    pub calls: u64,
    /// Writes in bulk, and the lines of their files.
    pub operations: u64,
    pub lines: u64,
    /// Changes of prices that calls of their own were answered for.
    pub changes: u64,
    /// Of the shop's bucket, for reads and writes; what runs in bulk costs nothing of it.
    pub points: u64,
}

/// How it ended.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Report {
    /// What was to be done before the first write.
    pub plan: Plan,
    pub written: Written,
    pub rounds: u32,
    pub refused: Vec<Refused>,
    /// Calls that are still needed for what was not refused; 0: what is there was read back and is what is wanted.
    pub unsettled: usize,
    /// What went wrong on the way and was made good, or is told above.
    pub notes: Vec<String>,
}

/// Makes the shop's catalogs say what is wanted. A fault is one that ends the run: begin it again, it goes on with what is
/// left. See [`super::plan`] for the dry run.
pub async fn hydrate(
    client: &Arc<ShopClient>,
    call: &CallContext,
    wanted: &[Wanted],
    options: &Options,
    tell: &mut Tell<'_>,
) -> Result<Report, Fault> {
    let shop = Shop::new(client, call, options);
    let mut known = Known::default();
    let mut report = Report::default();
    for number in 1..=options.rounds_max.max(2) {
        earlier(&shop, options, tell).await?;
        if number > 1 {
            tell(&Progress::Verifying { round: number });
        }
        let look = look(&shop, wanted, options, &mut known, tell).await?;
        report.rounds = number;
        report.unsettled = look.plan.calls();
        if number == 1 {
            report.plan = look.plan.clone();
            tell(&Progress::Planned(&look.plan));
        }
        if number == options.rounds_max.max(2) && report.unsettled > 0 {
            break;
        }
        let is_settled = look.plan.steps.iter().all(Step::is_after_prices) && report.unsettled == 0;
        let mut round = Round::new(&shop, options, look, &known, &mut *tell);
        round.run(is_settled).await?;
        let Round { written, refused, notes, keys, locations, stuck, is_unsure, .. } = round;
        let sent = &mut report.written;
        sent.calls += written.calls;
        sent.operations += written.operations;
        sent.lines += written.lines;
        sent.changes += written.changes;
        let is_new = |one: &Refused| !report.refused.contains(one);
        let new: Vec<Refused> = refused.into_iter().filter(is_new).collect();
        report.refused.extend(new);
        report.notes.extend(notes);
        known.refused.extend(keys);
        known.locations.extend(locations);
        known.stuck.extend(stuck);
        if is_settled && !is_unsure {
            break;
        }
        if is_unsure {
            client.pause(options.settle_after).await;
        }
    }
    report.written.points = shop.points();
    Ok(report)
}

/// Waits for writes that an earlier run began: a line of them must not come after a newer price.
async fn earlier(shop: &Shop<'_>, options: &Options, tell: &mut Tell<'_>) -> Result<(), Fault> {
    for id in bulk::open_writes(shop.client, shop.call, &WRITES).await? {
        tell(&Progress::Waiting { operation: &id });
        let waited = bulk::await_result(shop.client, shop.call, &id, options.within, &mut |_| {}).await;
        match waited {
            Ok(_) => {}
            Err(fault) if fault.kind == FaultKind::Unauthorized => return Err(fault),
            // It has failed, or does not end.
            Err(_) => {
                shop.may_write().await?;
                bulk::cancel(shop.client, shop.call, &id, options.within).await?;
            }
        }
    }
    Ok(())
}

/// One round of writes.
pub(super) struct Round<'a, 't> {
    pub(super) shop: &'a Shop<'a>,
    pub(super) options: &'a Options,
    known: &'a Known,
    look: Look,
    /// The price list of each catalog, with those that were made.
    pub(super) ids: Vec<Option<u64>>,
    pub(super) tell: &'a mut Tell<'t>,
    pub(super) written: Written,
    refused: Vec<Refused>,
    notes: Vec<String>,
    keys: BTreeSet<Key>,
    locations: BTreeSet<(String, u64)>,
    pub(super) stuck: BTreeSet<String>,
    /// It is not known of a write whether it was done.
    is_unsure: bool,
    /// Of calls and lines.
    pub(super) done: u64,
    pub(super) of: u64,
}

impl<'a, 't> Round<'a, 't> {
    fn new(
        shop: &'a Shop<'a>,
        options: &'a Options,
        look: Look,
        known: &'a Known,
        tell: &'a mut Tell<'t>,
    ) -> Self {
        Self {
            ids: look.ids.clone(),
            of: look.plan.calls() as u64,
            shop,
            options,
            known,
            look,
            tell,
            written: Written::default(),
            refused: Vec::new(),
            notes: Vec::new(),
            keys: BTreeSet::new(),
            locations: BTreeSet::new(),
            stuck: BTreeSet::new(),
            is_unsure: false,
            done: 0,
        }
    }

    async fn run(&mut self, is_settled: bool) -> Result<(), Fault> {
        let Some(fixed) = self.known.fixed() else { return Ok(()) };
        let steps = self.look.plan.steps.clone();
        for step in &steps {
            let is_due = match step {
                Step::Make { .. } | Step::AddLocations { .. } => true,
                Step::Activate { name, .. } | Step::RemoveLocations { name, .. } => {
                    self.known.settled.contains(name)
                }
                // What takes its place counts by now.
                Step::Delete { .. } => is_settled && self.stuck.is_empty() && self.known.stuck.is_empty(),
            };
            if is_due {
                self.step(step, &fixed.arranged).await?;
            }
        }
        let catalogs = fixed.arranged.catalogs.iter().enumerate();
        let targets: Vec<(usize, u64, Currency)> = catalogs
            .filter_map(|(place, catalog)| Some((place, self.ids[place]?, catalog.currency)))
            .collect();
        if self.look.plan.in_bulk {
            let look = std::mem::take(&mut self.look);
            let known = self.known;
            self.write_in_bulk(&targets, &|catalog| known.batches(&look, catalog)).await
        } else {
            for (catalog, list, currency) in targets {
                let batches = self.known.batches(&self.look, catalog);
                if !batches.is_empty() {
                    memory::open(self.options.memory.as_ref(), list, &batches).await?;
                }
                for batch in batches {
                    self.write(catalog, (list, currency), &batch).await?;
                }
            }
            Ok(())
        }
    }

    pub(super) fn name(&self, catalog: usize) -> &str {
        self.known.fixed().map_or("", |fixed| &fixed.arranged.catalogs[catalog].name)
    }

    pub(super) fn progressed(&mut self, by: u64) {
        self.done += by;
        (self.tell)(&Progress::Writing { done: self.done, of: self.of });
    }

    /// A write that was refused as a whole, or of which it is not known whether it was done.
    pub(super) fn doubt(&mut self, what: &str, fault: &Fault) {
        self.is_unsure |= fault.kind == FaultKind::Ambiguous;
        self.note(format!("{what}: {}", fault.message));
    }

    pub(super) fn note(&mut self, text: String) {
        // An operation of a million lines may fail a million times.
        const KEPT: usize = 100;
        if self.notes.len() < KEPT {
            self.notes.push(text);
        }
    }

    pub(super) fn refuse(&mut self, catalog: &str, variant: Option<u64>, code: String, message: String) {
        let shelf = self.known.fixed().map(|fixed| &fixed.shelf);
        let sku =
            variant.and_then(|variant| shelf?.good(shelf?.of_variant(variant)?)).map(|good| good.sku.clone());
        self.refused.push(Refused { catalog: catalog.to_owned(), sku, variant, code, message });
    }

    /// What names a variant is not sent again; what does not is looked at again.
    pub(super) fn refused_of(&mut self, catalog: usize, said: Said) {
        let name = self.name(catalog).to_owned();
        if said.variant.is_some() {
            self.keys.insert((name.clone(), said.variant));
        }
        self.refuse(&name, said.variant, said.code, said.message);
    }

    pub(super) fn refuse_at(&mut self, catalog: &str, location: u64) {
        self.locations.insert((catalog.to_owned(), location));
    }
}
