//! The explanation as text for a terminal.

use crate::explain::{DomainTruth, Explanation, FlowTruth, ScopeNeed};
use crate::policies::spelled;
use connector::descriptor::{Becomes, OrderAbilities};
use std::collections::BTreeSet;
use std::fmt::{self, Write as _};

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("The flow of truth\n")?;
        for domain in &self.domains {
            f.write_str(&domain_text(domain))?;
        }
        for flow in &self.flows {
            f.write_str(&flow_text(flow))?;
        }
        if !self.scopes.is_empty() {
            f.write_str("\nScopes\n")?;
            for need in &self.scopes {
                f.write_str(&scope_text(need))?;
            }
        }
        if !self.overridden.is_empty() {
            f.write_str("\nSet elsewhere than in the file\n")?;
            for setting in &self.overridden {
                writeln!(f, "  {} = {}  ({})", setting.key, setting.value, setting.origin)?;
            }
        }
        Ok(())
    }
}

fn domain_text(domain: &DomainTruth) -> String {
    let mut text = format!("\n{}: {} owns it\n", domain.domain, domain.system_of_record);
    for field in &domain.fields {
        let _ = write!(text, "  {} is {}'s", field.field, field.owner);
        if let Some(verbs) = &field.transforms {
            let _ = write!(text, ", transformed by {} only", verbs.join(", "));
        }
        text.push('\n');
    }
    if let Some(verbs) = &domain.transforms {
        let _ = writeln!(text, "  transformed by {} only", verbs.join(", "));
    }
    let _ = writeln!(text, "  a change by anybody else: {}", domain.violation);
    text
}

fn flow_text(flow: &FlowTruth) -> String {
    let mut text =
        format!("\n{}: {} → {} ({}, {})\n", flow.flow, flow.source, flow.target, flow.domain, flow.mode);
    let mut line = |label: &str, value: &str| {
        if !value.is_empty() {
            let _ = writeln!(text, "  {label:<13} {value}");
        }
    };
    line("connector", flow.connector.as_deref().unwrap_or(""));
    line("shops", &flow.shops.join(", "));
    line("moved by", &flow.trigger);
    line("goes live", flow.go_live_at.as_deref().unwrap_or(""));
    line("mapping", &flow.mapping);
    line("carries", &flow.carries.join(", "));
    line("export lag", &flow.export_lag);
    line("on failure", &flow.on_failure.join("; "));
    if let Some(orders) = &flow.orders {
        line("export when", &orders.export_when.join(", or "));
        line("confirm", &orders.confirm_when);
        let changes: Vec<String> =
            orders.after_confirm.iter().map(|(change, policy)| format!("{change}: {policy}")).collect();
        line("then", &changes.join(", "));
        line("difference", &orders.difference);
        line("filters", &orders.filters.join(" and "));
        line("it can", &orders.able.as_ref().map(able_text).unwrap_or_default());
    }
    text
}

fn able_text(able: &OrderAbilities) -> String {
    let becomes = |set: &BTreeSet<Becomes>| {
        let words: BTreeSet<&str> = set.iter().copied().chain([Becomes::Ticket]).map(spelled).collect();
        words.into_iter().collect::<Vec<_>>().join("|")
    };
    let mut text = if able.confirms { "confirm; " } else { "not confirm; " }.to_owned();
    let _ = write!(
        text,
        "address {}, line {}, cancel {}",
        becomes(&able.address),
        becomes(&able.line),
        becomes(&able.cancel)
    );
    text.push_str(match (able.reports_totals, able.adjusts_line) {
        (true, true) => "; difference adjust_line|accept|ticket",
        (true, false) => "; difference accept|ticket",
        (false, _) => "; difference ticket",
    });
    text
}

fn scope_text(need: &ScopeNeed) -> String {
    let why: Vec<&str> = need.needed_by.iter().map(String::as_str).collect();
    let state = match (need.granted, why.is_empty()) {
        (true, true) => "granted, and nothing needs it".to_owned(),
        (true, false) => format!("granted; needed by {}", why.join(", ")),
        (false, _) => format!("MISSING; needed by {}", why.join(", ")),
    };
    format!("  {} {:<20} {state}\n", need.app, need.scope)
}
