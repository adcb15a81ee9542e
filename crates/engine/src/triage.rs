//! Triage (DESIGN section 5): each dead letter has a cause in plain words, an owner, and an action that is taken by
//! itself where one is safe. This file owns the causes, and the looking for references that are missing.

use crate::effect::Effect;
use crate::engine::Engine;
use crate::notice::What;
use kernel::backoff::Backoff;
use kernel::clock::Now;
use kernel::fault::{Fault, FaultKind, Severity};
use kernel::id::SystemName;
use kernel::rng::Rng;
use serde::Serialize;
use std::time::Duration;
use store::query::Awaited;

/// What a person reads beside a dead letter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Cause {
    pub cause: String,
    /// Who owns the data that has to change.
    pub owner: String,
    pub action: Action,
    pub advice: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Released by the fact that the reference exists.
    ReleaseWhenItExists,
    /// Released by a newer state of the subject.
    HealedByNewerState,
    /// A person has to act.
    Ticket,
    /// A person has to act at once.
    Page,
}

/// The cause of a fault, by kind and code; never by its text.
pub fn cause(fault: &Fault, target: &str, source: &str) -> Cause {
    if let Some(reference) = &fault.missing {
        return Cause {
            cause: format!("{target} has no {reference}"),
            owner: target.to_owned(),
            action: Action::ReleaseWhenItExists,
            advice: format!("create it in {target}, or correct it in {source}; it is released by itself"),
        };
    }
    let (cause, owner, action, advice) = match (fault.kind, fault.code.as_str()) {
        (_, "many_objects") => (
            format!("{target} has several objects for one order"),
            target,
            Action::Page,
            "remove or re-reference all but one, then release".to_owned(),
        ),
        (_, "unknown_answer") => (
            format!("{target} was asked once and nobody knows whether it acted"),
            target,
            Action::Ticket,
            format!("look in {target}: skip if the object is there, release if not"),
        ),
        (_, "undone_again") => (
            format!("{target} has something else than was delivered, though it was written twice"),
            target,
            Action::Ticket,
            format!("find who else writes this object in {target}, then replay the order, or skip this"),
        ),
        (_, "kept_no_more") => (
            format!("nobody knows whether {target} acted, and what it was sent is kept no more"),
            target,
            Action::Ticket,
            format!("look in {target}: skip if the object is right, replay the order if not"),
        ),
        (_, "unreadable_body") => (
            format!("a body from {source} cannot be read"),
            source,
            Action::HealedByNewerState,
            "it is kept as it came; a newer state or a backfill of the order replaces it".to_owned(),
        ),
        // The mapping's own codes (docs/errors/TG-21xx): nothing was sent.
        (FaultKind::Rejected, code) if code.starts_with("TG-21") => (
            format!("the mapping cannot make it for {target}: {}", fault.message),
            "mapping",
            Action::HealedByNewerState,
            format!(
                "mend the mapping or its table, start the hub anew and release; or correct the value in {source}"
            ),
        ),
        // A body's own codes: it was read and is not sound.
        (FaultKind::Rejected, code) if code.starts_with("body_") => (
            format!("what {source} sent is not sound: {}", fault.message),
            source,
            Action::HealedByNewerState,
            format!("correct it in {source}: the newer state heals this"),
        ),
        (FaultKind::Rejected, "TG-3203") => (
            format!("it changed after {target} had confirmed it, and the flow makes that a ticket"),
            target,
            Action::Ticket,
            format!(
                "make the change in {target} by hand, then skip it; or allow it by after_confirm in the flow"
            ),
        ),
        // It was compared, and nothing was to be made.
        (FaultKind::Rejected, "TG-3601") => (
            fault.message.clone(),
            target,
            Action::Ticket,
            "do what each line says, so that it does not happen again; settle this order with its buyer, and skip it"
                .to_owned(),
        ),
        (FaultKind::Rejected, _) => (
            format!("{target} refused it: {}", fault.message),
            fault.field.as_deref().map_or(target, |_| source),
            Action::HealedByNewerState,
            match &fault.field {
                Some(field) => format!(
                    "correct {field} in {source} (the newer state heals this), or change the rule in {target} and release"
                ),
                None => format!("change what {target} refuses, then release; a newer state heals this too"),
            },
        ),
        (FaultKind::Transient | FaultKind::Ambiguous | FaultKind::Throttled, _) => (
            format!("{target} failed on this one while it served others"),
            target,
            Action::Ticket,
            format!("see {target}'s log for this object, then release"),
        ),
        (FaultKind::Conflict, _) => (
            format!("{target} changed meanwhile, again and again"),
            target,
            Action::Ticket,
            "find who else writes the object, then release".to_owned(),
        ),
        (FaultKind::Unauthorized, _) => (
            format!("{target} refuses the credentials"),
            target,
            Action::Page,
            "renew them; waiting deliveries go on by themselves".to_owned(),
        ),
        (FaultKind::Bug, _) => (
            "a fault in Tidegate itself".to_owned(),
            "tidegate",
            Action::Page,
            format!("report {} with the trace id; release after the upgrade", fault.code),
        ),
    };
    Cause { cause, owner: owner.to_owned(), action, advice }
}

/// Each distinct missing reference is looked for once at a time, at this pace: whoever creates what orders waited for
/// sees them go within two minutes. How many looks there are at once is bounded where they are asked for.
const LOOKS: Backoff = Backoff { first: Duration::from_secs(10), max: Duration::from_secs(120) };

impl Engine {
    pub(crate) fn look_for(&mut self, due: Vec<Awaited>) {
        for awaited in due {
            let Some(system) = self.systems.get(&awaited.system) else { continue };
            if !system.plan.resolves_references || !system.breaker.is_closed() || system.paused {
                continue;
            }
            self.totals.calls += 1;
            self.out.push(Effect::Look {
                system: awaited.system.clone(),
                shop: awaited.shop.clone(),
                reference: awaited.reference.clone(),
                awaited,
            });
        }
    }

    pub(crate) fn looked(
        &mut self,
        awaited: Awaited,
        result: Result<bool, Fault>,
        now: Now,
        rng: &mut dyn Rng,
    ) {
        match result {
            Ok(true) => {
                if let Some(wait) = self.found_again.wait(&awaited, now, rng) {
                    let next = now.wall_after(wait);
                    return self.out.push(Effect::AwaitedAgain { awaited, next });
                }
                let system = awaited.system.clone();
                self.out.push(Effect::AwaitedFound { awaited, at: now.wall });
                self.due_in(&system, Duration::from_millis(1), now);
            }
            Ok(false) | Err(_) => {
                let next = now.wall_after(LOOKS.after(awaited.looks + 1, rng));
                self.out.push(Effect::AwaitedAgain { awaited, next });
            }
        }
    }

    pub(crate) fn health_told(
        &mut self,
        name: &SystemName,
        result: Result<(), Fault>,
        now: Now,
        rng: &mut dyn Rng,
    ) {
        let Some(system) = self.systems.get_mut(name) else { return };
        system.checking_health = false;
        match result {
            Ok(()) => {
                system.proved_well(None, now.mono);
                system.trouble = None;
                system.maybe_due = true;
                if system.breaker.success() {
                    self.raise(Severity::Info, What::BreakerClosed { system: name.clone() });
                }
            }
            Err(fault) if fault.kind == FaultKind::Unauthorized => {
                system.trouble = Some(fault.to_string());
                let news = !system.breaker.for_credentials();
                system.breaker.unauthorized(now.mono, rng);
                if news {
                    self.raise(Severity::Page, What::CredentialsRefused { system: name.clone(), fault });
                }
            }
            Err(fault) => {
                if let Some(wait) = fault.retry_after {
                    system.limiter.throttled(now.mono, wait);
                }
                system.trouble = Some(fault.to_string());
                system.breaker.unwell(now.mono, rng);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn a_missing_reference_is_released_by_the_fact_that_it_exists() {
        let fault = Fault::new(FaultKind::Rejected, "missing_item", "…").missing("item", "SKU-9");
        let cause = cause(&fault, "erp", "shopify");
        assert_eq!(cause.action, Action::ReleaseWhenItExists);
        assert!(cause.cause.contains("SKU-9"));
    }

    /// A sale that the ERP shows when it is asked, and says not to have when a refund names it.
    #[test]
    fn what_is_there_and_refused_all_the_same_is_not_tried_as_fast_as_it_is_looked_for() {
        let now = Now { wall: jiff::Timestamp::UNIX_EPOCH, mono: kernel::clock::Mono(0) };
        let plan = crate::plan::Plan {
            revision: String::new(),
            flows: BTreeMap::new(),
            systems: BTreeMap::new(),
            reading: kernel::id::FlowName::new("reading").unwrap(),
        };
        let mut engine = Engine::new(plan.into(), BTreeMap::new(), crate::mutant::Planted::default(), now);
        let mut rng = kernel::rng::Seeded::new(1);
        let awaited = Awaited {
            shop: kernel::id::ShopId::new("acme").unwrap(),
            system: SystemName::new("erp").unwrap(),
            reference: kernel::fault::Reference { kind: "sale".to_owned(), value: "1".to_owned() },
            looks: 0,
            next_look_at: now.wall,
            waiting: 1,
        };
        let mut looked = || {
            engine.looked(awaited.clone(), Ok(true), now, &mut rng);
            std::mem::take(&mut engine.out)
        };
        assert!(matches!(looked()[..], [Effect::AwaitedFound { .. }]));
        let again = looked();
        assert!(matches!(&again[..], [Effect::AwaitedAgain { next, .. }] if *next > now.wall), "{again:?}");
    }

    #[test]
    fn what_was_never_sent_is_not_laid_at_the_targets_door() {
        let of = |code: &str| {
            cause(&Fault::new(FaultKind::Rejected, code, "no row for 17").field("party"), "erp", "shopify")
        };
        assert_eq!(
            (of("TG-2103").owner.as_str(), of("body_totals_disagree").owner.as_str()),
            ("mapping", "shopify")
        );
        assert!(of("TG-2103").cause.contains("no row for 17") && !of("TG-2103").cause.contains("refused"));
        assert_eq!(of("TG-3203").action, Action::Ticket);
        assert!(of("closed_period").cause.starts_with("erp refused it"));
    }

    #[test]
    fn what_a_last_look_found_says_where_to_look_and_what_to_do() {
        for fault in [crate::last_look::undone_again("amend"), crate::last_look::kept_no_more("amend")] {
            let cause = cause(&fault, "erp", "shopify");
            assert_eq!((cause.owner.as_str(), cause.action), ("erp", Action::Ticket));
            assert!(cause.advice.contains("replay the order") && cause.advice.contains("skip"), "{cause:?}");
        }
    }

    #[test]
    fn every_kind_has_a_cause_and_an_advice() {
        for kind in FaultKind::ALL {
            let cause = cause(&Fault::new(kind, "x", "y"), "erp", "shopify");
            assert!(!cause.cause.is_empty() && !cause.advice.is_empty() && !cause.owner.is_empty(), "{kind}");
        }
    }
}
