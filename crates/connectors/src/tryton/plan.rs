//! The next step from what is to what is wanted. Pure: a function of the configuration, the wanted sale and what was
//! observed. The order of its questions is the order of docs/connectors/tryton.md.

use super::amounts::{self, Verdict};
use super::code;
use super::compare::{self, Differences};
use super::config::{Config, Quote};
use super::order::Order;
use super::resolved::{Context, Counter, Resolved, missing_fault};
use super::sale::{Document, Sale, State};
use super::write::{self, Write};
use connector::port::{MissingReference, Observation, Observed, Plan, Stage, Wanted};
use kernel::fault::{Fault, FaultKind};
use kernel::flow::ChangeBecomes;

/// One question's worth of what is known.
struct Standing<'a> {
    config: &'a Config,
    wanted: &'a Wanted,
    order: Order,
    context: Context,
    missing: &'a [MissingReference],
}

pub(super) fn plan(config: &Config, wanted: &Wanted, observation: &Observation) -> Plan {
    let object = match &observation.object {
        Observed::Many(ids) => return many(wanted, ids),
        Observed::None if wanted.stage == Stage::Cancelled && wanted.known.is_none() => {
            return Plan::nothing("Tryton has nothing to cancel");
        }
        Observed::None => None,
        Observed::One(object) if object.adopted => return Plan::adopted(object.external.clone(), "a sale"),
        Observed::One(object) => Some(object),
    };
    let order = match Order::read(&wanted.body) {
        Ok(order) => order,
        Err(fault) => return Plan::NotAllowed(fault),
    };
    let context = Context::of(observation);
    let standing = Standing { config, wanted, order, context, missing: &observation.missing };
    match object {
        None => standing.begin(),
        Some(object) => match serde_json::from_value::<Sale>(object.body.clone()) {
            Ok(sale) => standing.go_on(&sale),
            Err(error) => {
                let what = format!("an observed sale cannot be read back: {error}");
                Plan::NotAllowed(Fault::new(FaultKind::Bug, code::BODY, what))
            }
        },
    }
}

impl Standing<'_> {
    fn begin(&self) -> Plan {
        if let Some(known) = &self.wanted.known {
            let what = format!(
                "Tryton no longer has sale {} ({}); it is not made again by itself",
                known.number.as_ref().unwrap_or(&known.id),
                self.wanted.object_key
            );
            return Plan::refused(code::GONE, what);
        }
        let write = match self.write() {
            Ok(write) => write,
            Err(fault) => return Plan::NotAllowed(fault),
        };
        match write.addresses() {
            Some(step) => Plan::Next(step),
            None => next(write.create()),
        }
    }

    fn go_on(&self, sale: &Sale) -> Plan {
        if sale.state == State::Cancelled {
            return self.cancelled(sale);
        }
        if self.wanted.stage == Stage::Cancelled {
            return self.cancel(sale);
        }
        let differences = compare::differences(self.config, &self.order, &self.context, sale);
        if !differences.is_empty() {
            return self.amend(sale, &differences);
        }
        if sale.state.is_confirmed() {
            return self.confirmed(sale);
        }
        match amounts::judge(self.config, &self.order, &self.context, sale, &self.wanted.difference) {
            Verdict::Settled(note) => self.on(sale, note),
            Verdict::Ticket(fault) => Plan::NotAllowed(fault),
            Verdict::AdjustNet(lines) => {
                self.in_draft(sale, |sale| Plan::Next(write::adjust(self.config, "adjust_net", sale, &lines)))
            }
            Verdict::AdjustGross(amount) => self.in_draft(sale, |sale| {
                Plan::Next(write::adjust(self.config, "adjust_gross", sale, &[(Vec::new(), amount)]))
            }),
        }
    }

    fn cancelled(&self, sale: &Sale) -> Plan {
        if self.wanted.stage == Stage::Cancelled {
            return done(sale, None);
        }
        Plan::refused(code::CLOSED, format!("{} in Tryton, and the order is not cancelled", sale.shown()))
    }

    /// A button before the confirmation; after it Tryton has no way back but a sale against it.
    fn cancel(&self, sale: &Sale) -> Plan {
        if !sale.state.is_confirmed() {
            return self.press("cancel", "cancel", State::Cancelled, sale);
        }
        if let Some(counter) = &self.context.counter {
            return self.counter(sale, counter);
        }
        match self.wanted.after_confirm.cancel {
            ChangeBecomes::CounterDocument => {
                Plan::Next(write::counter(self.config, &self.context, self.wanted.object_key.as_str(), sale))
            }
            ChangeBecomes::Amend => self.by_policy(sale, "the cancellation", CANNOT_CANCEL),
            ChangeBecomes::Ticket => self.by_policy(sale, "the cancellation", TICKET),
        }
    }

    fn counter(&self, sale: &Sale, counter: &Counter) -> Plan {
        let press = |name, button, leads_to| {
            Plan::Next(write::press_counter(self.config, name, button, leads_to, (sale, counter)))
        };
        match State::parse(&counter.state) {
            Some(State::Draft) => press("counter_quote", "quote", State::Quotation),
            Some(State::Quotation) => press("counter_confirm", "confirm", State::Confirmed),
            Some(State::Confirmed) if self.config.process => {
                press("counter_process", "process", State::Processing)
            }
            Some(State::Cancelled) | None => {
                let what = format!("the counter document of {} is {} in Tryton", sale.shown(), counter.state);
                Plan::refused(code::CLOSED, what)
            }
            Some(_) => {
                let number = counter.number.clone().unwrap_or_else(|| counter.id.to_string());
                done(sale, Some(format!("sale {number} stands against it")))
            }
        }
    }

    fn amend(&self, sale: &Sale, differences: &Differences) -> Plan {
        if sale.state.is_confirmed() {
            let what = differences.shown();
            let (becomes, cannot) = if differences.only_addresses() {
                (self.wanted.after_confirm.address, None)
            } else {
                (self.wanted.after_confirm.line, Some(CANNOT_AMEND))
            };
            return match (becomes, cannot) {
                (ChangeBecomes::Amend, None) => self.amend_address(sale, &what),
                (ChangeBecomes::Amend, Some(why)) => self.by_policy(sale, &what, why),
                (ChangeBecomes::CounterDocument, _) => self.by_policy(sale, &what, NO_COUNTER),
                (ChangeBecomes::Ticket, _) => self.by_policy(sale, &what, TICKET),
            };
        }
        self.in_draft(sale, |sale| {
            let write = match self.write() {
                Ok(write) => write,
                Err(fault) => return Plan::NotAllowed(fault),
            };
            match write.addresses() {
                Some(step) => Plan::Next(step),
                None => next(write.amend(sale)),
            }
        })
    }

    /// Only as long as nothing has left: what is packed or invoiced has its address printed.
    fn amend_address(&self, sale: &Sale, what: &str) -> Plan {
        let gone = |document: &&Document| !is_open(document) && document.state != "cancelled";
        if sale.state == State::Done || sale.shipments.iter().chain(&sale.invoices).any(|d| gone(&d)) {
            return self.by_policy(sale, what, "a shipment or an invoice of it is on its way");
        }
        let write = match self.write() {
            Ok(write) => write,
            Err(fault) => return Plan::NotAllowed(fault),
        };
        match write.addresses() {
            Some(step) => Plan::Next(step),
            None => Plan::Next(write.amend_address(sale)),
        }
    }

    /// What was made at the confirmation follows the sale's addresses, where the flow says that they are amended.
    fn confirmed(&self, sale: &Sale) -> Plan {
        if self.wanted.after_confirm.address == ChangeBecomes::Amend && sale.state != State::Done {
            let astray = |documents: &[Document], address: i64| -> Vec<i64> {
                let astray = documents.iter().filter(|d| is_open(d) && d.address != Some(address));
                astray.map(|document| document.id).collect()
            };
            let shipments = ("stock.shipment.out", "delivery_address");
            let invoices = ("account.invoice", "invoice_address");
            for (name, model, documents, address) in [
                ("amend_shipments", shipments, &sale.shipments, &sale.shipment_address),
                ("amend_invoices", invoices, &sale.invoices, &sale.invoice_address),
            ] {
                let Some(address) = address else { continue };
                let ids = astray(documents, address.id);
                if !ids.is_empty() {
                    return Plan::Next(write::redirect(self.config, name, model, sale, &ids, address.id));
                }
            }
        }
        // A finished sale is done: what its amounts came to was settled, by us or by a person, before.
        let note = amounts::note(self.config, &self.order, &self.context, sale);
        self.on(sale, note)
    }

    /// Forward: quotation, confirmation, processing.
    fn on(&self, sale: &Sale, note: Option<String>) -> Plan {
        let confirm = self.wanted.stage == Stage::Confirmed;
        match sale.state {
            State::Draft if confirm || self.config.quote == Quote::AtOnce => {
                self.press("quote", "quote", State::Quotation, sale)
            }
            State::Quotation if confirm => self.press("confirm", "confirm", State::Confirmed, sale),
            // Tryton swallows what goes wrong when it processes by itself; asked for it, it says why.
            State::Confirmed if confirm && self.config.process => {
                self.press("process", "process", State::Processing, sale)
            }
            _ => done(sale, note),
        }
    }

    /// Lines can only be touched in a draft.
    fn in_draft(&self, sale: &Sale, step: impl FnOnce(&Sale) -> Plan) -> Plan {
        match sale.state {
            State::Draft => step(sale),
            _ => self.press("reopen", "draft", State::Draft, sale),
        }
    }

    fn press(&self, name: &'static str, button: &str, leads_to: State, sale: &Sale) -> Plan {
        Plan::Next(write::press(self.config, name, button, leads_to, sale))
    }

    fn by_policy(&self, sale: &Sale, what: &str, why: &str) -> Plan {
        Plan::refused(
            code::BY_POLICY,
            format!("{} and {what} came after the confirmation: {why}", sale.shown()),
        )
    }

    /// What a write is built from, or why nothing can be.
    fn write(&self) -> Result<Write<'_>, Fault> {
        if let Some(fault) = missing_fault(self.missing) {
            return Err(fault);
        }
        if let Some(unclear) = self.context.unclear.first() {
            let fault = Fault::new(FaultKind::Rejected, code::UNCLEAR, unclear.why.clone());
            return Err(fault.field(unclear.field.clone()));
        }
        if let Some(period) = &self.context.closed_period {
            let what = format!(
                "the order is dated {} and the accounting period {period} is closed in Tryton: open it, or set \
                 closed_period = \"accept\" in the system's connection; this is released by itself when it is open",
                self.order.sale_date
            );
            let fault = Fault::new(FaultKind::Rejected, code::CLOSED_PERIOD, what).field("sale_date");
            return Err(fault.missing("period", self.order.sale_date.to_string()));
        }
        let Some(resolved) = &self.context.resolved else {
            let what = "nothing was resolved before this was planned";
            return Err(Fault::new(FaultKind::Bug, code::BODY, what));
        };
        Ok(self.of(resolved))
    }

    fn of<'a>(&'a self, resolved: &'a Resolved) -> Write<'a> {
        Write {
            config: self.config,
            order: &self.order,
            context: &self.context,
            resolved,
            reference: self.wanted.object_key.as_str(),
        }
    }
}

const TICKET: &str = "the flow's after_confirm makes it a ticket";
const CANNOT_AMEND: &str = "Tryton changes no lines of a confirmed sale";
const CANNOT_CANCEL: &str = "Tryton cancels no confirmed sale; after_confirm may make it a counter_document";
const NO_COUNTER: &str = "counter documents are made for cancellations alone";

fn is_open(document: &Document) -> bool {
    matches!(document.state.as_str(), "draft" | "waiting")
}

fn many(wanted: &Wanted, ids: &[String]) -> Plan {
    let what = format!("Tryton has {} sales for {}: ids {}", ids.len(), wanted.object_key, ids.join(", "));
    Plan::refused(code::MANY, what)
}

fn done(sale: &Sale, note: Option<String>) -> Plan {
    Plan::unchanged(sale.external(), note)
}

fn next(step: Result<connector::port::Step, Fault>) -> Plan {
    step.map_or_else(Plan::NotAllowed, Plan::Next)
}
