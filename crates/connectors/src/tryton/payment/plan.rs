//! The next step of a payment: made, and submitted where the connection says so. Pure.

use super::super::ask;
use super::super::code;
use super::super::config::{Config, PaymentState};
use super::super::frozen::{Answers, Call};
use super::super::wire;
use super::{Context, JOURNAL, Journal, Payment, SALE, Sale, Stored};
use connector::port::{Observation, Observed, Plan, Step, Wanted};
use kernel::fault::{Fault, FaultKind};
use rust_decimal::Decimal;
use serde_json::json;

pub(super) const DRAFT: &str = "draft";
const CANCELLED: &str = "cancelled";

pub(in super::super) fn plan(config: &Config, wanted: &Wanted, observation: &Observation) -> Plan {
    let payment = match Payment::read(&wanted.body) {
        Ok(payment) => payment,
        Err(fault) => return Plan::NotAllowed(fault),
    };
    match &observation.object {
        Observed::Many(ids) => {
            let what = format!(
                "Tryton has {} payments for {}: ids {}",
                ids.len(),
                wanted.object_key,
                ids.join(", ")
            );
            Plan::refused(code::MANY, what)
        }
        Observed::None => {
            let context: Context = serde_json::from_value(observation.context.clone()).unwrap_or_default();
            begin(config, wanted, &payment, &context)
        }
        Observed::One(object) => match serde_json::from_value::<Stored>(object.body.clone()) {
            Ok(stored) => go_on(config, &payment, &stored),
            Err(error) => {
                let what = format!("an observed payment cannot be read back: {error}");
                Plan::NotAllowed(Fault::new(FaultKind::Bug, code::BODY, what))
            }
        },
    }
}

fn begin(config: &Config, wanted: &Wanted, payment: &Payment, context: &Context) -> Plan {
    if let Some(known) = &wanted.known {
        let name = known.number.as_ref().unwrap_or(&known.id);
        let what = format!(
            "Tryton no longer has payment {name} ({}); it is not made again by itself",
            wanted.object_key
        );
        return Plan::refused(code::GONE, what);
    }
    let Some(sale) = context.sale.as_ref().filter(|sale| sale.state != DRAFT) else {
        let what = format!(
            "Tryton has no quotation of the sale {:?} yet, and takes no payment for a draft: this is released by itself when \
             there is one",
            payment.sale
        );
        return missing(SALE, &payment.sale, what, "sale");
    };
    let Some(journal) = &context.journal else {
        let what = format!(
            "Tryton has no payment journal {:?}: make it, or correct the mapping's name of it; this is released by itself \
             when there is one",
            payment.journal
        );
        return missing(JOURNAL, &payment.journal, what, "journal");
    };
    if let Some((what, currency)) = [("the sale", &sale.currency), ("the journal", &journal.currency)]
        .into_iter()
        .find(|(_, currency)| **currency != payment.currency)
    {
        let what =
            format!("{what} is in {currency} and was paid in {}: nothing is converted", payment.currency);
        return Plan::NotAllowed(Fault::new(FaultKind::Rejected, code::BODY, what).field("currency"));
    }
    if payment.amount <= Decimal::ZERO {
        let what = format!("a payment of {} is none", payment.amount);
        return Plan::NotAllowed(Fault::new(FaultKind::Rejected, code::BODY, what).field("amount"));
    }
    Plan::Next(create(config, wanted.object_key.as_str(), payment, sale, journal))
}

fn missing(kind: &str, value: &str, what: String, field: &str) -> Plan {
    let fault = Fault::new(FaultKind::Rejected, format!("missing_{kind}"), what).field(field);
    Plan::NotAllowed(fault.missing(kind, value.to_owned()))
}

/// Where an invoice of the sale is posted already, it pays that; else Tryton takes it into account when one is posted. A sale that
/// was cancelled takes none any more: the money is its customer's all the same.
fn create(config: &Config, reference: &str, payment: &Payment, sale: &Sale, journal: &Journal) -> Step {
    let line = sale.open.iter().find(|(_, open)| *open >= payment.amount);
    let origin = (sale.state != CANCELLED).then(|| format!("sale.sale,{}", sale.id));
    let values = json!({
        "company": config.company,
        "journal": journal.id,
        "kind": "receivable",
        "party": sale.party,
        "amount": wire::decimal(payment.amount),
        "date": wire::date(payment.date),
        "reference": reference,
        "origin": origin,
        "line": line.map(|(id, _)| id),
    });
    let call = Call {
        name: "create",
        method: "model.account.payment.create".to_owned(),
        params: vec![json!([values]), ask::context(config)],
        object: None,
        answer: Answers::Sale,
        button: None,
    };
    call.freeze(true)
}

fn go_on(config: &Config, payment: &Payment, stored: &Stored) -> Plan {
    let name = stored.number.clone().unwrap_or_else(|| format!("with id {}", stored.id));
    if stored.state == "failed" {
        return Plan::refused(
            code::CLOSED,
            format!("payment {name} has failed in Tryton, and the money was taken"),
        );
    }
    if stored.state == DRAFT && config.payment == PaymentState::Submitted {
        return Plan::Next(submit(config, stored));
    }
    let differs = (stored.amount != payment.amount)
        .then(|| format!("payment {name} is of {}, and {} was taken", stored.amount, payment.amount));
    Plan::unchanged(stored.external(), differs)
}

/// Refused if it is no longer what was observed.
fn submit(config: &Config, stored: &Stored) -> Step {
    let mut context = ask::context(config);
    if let Some(timestamp) = &stored.timestamp {
        context["_timestamp"] = json!({ format!("account.payment,{}", stored.id): timestamp });
    }
    let call = Call {
        name: "submit",
        method: "model.account.payment.submit".to_owned(),
        params: vec![json!([stored.id]), context],
        object: None,
        answer: Answers::Nothing,
        button: None,
    };
    call.freeze_for(stored.external())
}
