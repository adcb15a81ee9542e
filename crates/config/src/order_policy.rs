//! What a flow of orders says about when an order is exported, when it is confirmed and what a change becomes. The
//! words and their spelling are the kernel's; here they are read, each with its place.

use crate::code::Code;
use crate::finding::Finding;
use crate::key::Key;
use crate::reader::{Reading, Section};
use crate::source::{Origin, Setting};
use crate::tree::Node;
use crate::value::{Value, refuse, text, words};
use jiff::Timestamp;
use kernel::flow::{AfterConfirm, ChangeBecomes, ConfirmWhen, Difference, ExportWhen, Mode, OrderPolicy};

pub(crate) const AFTER_CONFIRM_KEYS: &[Key] = &[
    Key::with(
        "address",
        "change policy",
        "\"ticket\"",
        "A changed address: `amend`, `counter_document` or `ticket`.",
        "\"amend\"",
    ),
    Key::with(
        "line",
        "change policy",
        "\"ticket\"",
        "Changed lines: `amend`, `counter_document` or `ticket`.",
        "\"ticket\"",
    ),
    Key::with(
        "cancel",
        "change policy",
        "\"ticket\"",
        "A cancellation: `amend`, `counter_document` or `ticket`.",
        "\"counter_document\"",
    ),
];

words! {
    ExportWhen, "export condition", "export condition": "payment_terms" => ExportWhen::PaymentTerms,
        "paid" => ExportWhen::Paid, "authorised" => ExportWhen::Authorised;
    ChangeBecomes, "policy for a change", "change policy": "amend" => ChangeBecomes::Amend,
        "counter_document" => ChangeBecomes::CounterDocument, "ticket" => ChangeBecomes::Ticket;
}

impl Value for ConfirmWhen {
    const KIND: &'static str = "confirmation";
    fn read(node: &Node, key: &str, reading: &mut Reading) -> Option<Self> {
        let help = "write at_once, after(\"15m\"), paid or never";
        let written = text(node, key, reading, "a confirmation", help)?;
        if let Ok(when) = written.parse() {
            return Some(when);
        }
        let number: String = written.chars().filter(char::is_ascii_digit).collect();
        if !number.is_empty()
            && written.trim_end_matches([')', '"', ' ']).ends_with(|c: char| c.is_ascii_digit())
        {
            let message = format!("{written:?} has a number without its unit");
            let help = format!("write after(\"{number}m\") for minutes; ms, s, h and d go as well");
            reading.finding(Finding::new(Code::Unit, &node.origin, message, help).key(key));
            return None;
        }
        refuse(node, key, reading, format!("{written:?} says no time of confirmation"), help)
    }
}

impl Value for Difference {
    const KIND: &'static str = "policy for differences";
    fn read(node: &Node, key: &str, reading: &mut Reading) -> Option<Self> {
        let help = "write adjust_line, accept(\"0.05\") or ticket";
        let written = text(node, key, reading, "a policy for differences", help)?;
        match written.parse() {
            Ok(difference) => Some(difference),
            Err(_) => {
                refuse(node, key, reading, format!("{written:?} is not a policy for differences"), help)
            }
        }
    }
}

/// The order policies of one flow, each with its place.
#[derive(Debug, Clone, PartialEq)]
pub struct OrderSettings {
    pub go_live_at: Option<Setting<Timestamp>>,
    pub export_when: Setting<Vec<Setting<ExportWhen>>>,
    pub confirm_when: Setting<ConfirmWhen>,
    pub address: Setting<ChangeBecomes>,
    pub line: Setting<ChangeBecomes>,
    pub cancel: Setting<ChangeBecomes>,
    pub difference: Setting<Difference>,
}

impl OrderSettings {
    /// The engine's form; `None` for a flow that does not export orders.
    pub fn policy(&self, mode: Mode) -> Option<OrderPolicy> {
        Some(OrderPolicy {
            mode,
            go_live_at: self.go_live_at.as_ref()?.value,
            export_when: self.export_when.iter().map(|when| when.value).collect(),
            confirm_when: self.confirm_when.value,
            after_confirm: AfterConfirm {
                address: self.address.value,
                line: self.line.value,
                cancel: self.cancel.value,
            },
            difference: self.difference.value.clone(),
        })
    }
}

pub(crate) fn read(section: &mut Section<'_>) -> Option<OrderSettings> {
    let (go_live_at, export_when) = (section.optional("go_live_at"), section.with_default("export_when"));
    let export_when: Option<Setting<Vec<Setting<ExportWhen>>>> = export_when;
    if let Some(none) = export_when.as_ref().filter(|when| when.is_empty() && when.origin != Origin::Default)
    {
        let (key, message) =
            (section.path_of("export_when"), "export_when is empty: no order would ever be exported");
        let help = "name at least one of payment_terms, paid, authorised; or set mode = \"off\"";
        let finding = Finding::new(Code::Value, &none.origin, message, help);
        section.reading().finding(finding.key(key));
    }
    let (confirm_when, difference) =
        (section.with_default("confirm_when"), section.with_default("difference"));
    let mut after = section.table("after_confirm", AFTER_CONFIRM_KEYS);
    let [address, line, cancel] = ["address", "line", "cancel"].map(|change| after.with_default(change));
    Some(OrderSettings {
        go_live_at,
        export_when: export_when?,
        confirm_when: confirm_when?,
        address: address?,
        line: line?,
        cancel: cancel?,
        difference: difference?,
    })
}
