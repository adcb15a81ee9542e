//! Which orders are exported now, later or never, and when they are confirmed.

#[path = "support/mod.rs"]
#[expect(dead_code, reason = "this test uses some of the helpers")]
mod support;

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use kernel::flow::{AfterConfirm, ConfirmWhen, Difference, ExportWhen, Mode, OrderPolicy};
use serde_json::{Value, json};
use tidegate_domains::orders::{
    Admission, AdmitHistory, ConfirmDue, FilterRule, Order, admit, confirm_due, from_rest_value,
};

fn instant(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn policy(export_when: &[ExportWhen]) -> OrderPolicy {
    OrderPolicy {
        mode: Mode::Live,
        go_live_at: instant("2026-11-02T09:15:30Z"),
        export_when: export_when.iter().copied().collect::<BTreeSet<_>>(),
        confirm_when: ConfirmWhen::AtOnce,
        after_confirm: AfterConfirm::default(),
        difference: Difference::Ticket,
    }
}

fn order(pair: &str, changes: &[(&str, Value)]) -> Order {
    let mut body = support::read(pair, "rest");
    for (pointer, new) in changes {
        support::set(&mut body, pointer, Some(new.clone()));
    }
    from_rest_value(&body).unwrap()
}

const NEW: AdmitHistory = AdmitHistory { exported: false, attempted: false };

#[test]
fn export_when_any_condition_is_met() {
    use ExportWhen::{Authorised, Paid, PaymentTerms};
    for (status, terms, conditions, exported) in [
        ("paid", false, &[Paid][..], true),
        ("refunded", false, &[Paid], true),
        ("partially_refunded", false, &[Paid], true),
        ("partially_paid", false, &[Paid, Authorised], false),
        ("pending", false, &[Paid, Authorised, PaymentTerms], false),
        ("pending", true, &[Paid], false),
        ("pending", true, &[Paid, PaymentTerms], true),
        ("authorized", false, &[Paid], false),
        ("authorized", false, &[Authorised], true),
        ("paid", false, &[Authorised], true),
        ("paid", false, &[PaymentTerms], false),
        ("voided", false, &[Paid, Authorised], false),
        ("paid", true, &[], false),
    ] {
        let pair = if terms { "b2b_complete" } else { "discount_over_lines" };
        let order = order(pair, &[("/financial_status", json!(status))]);
        let found = admit(&order, &policy(conditions), NEW, false);
        assert_eq!(found == Admission::Export, exported, "{status} {terms} {conditions:?}: {found:?}");
        if let Admission::Wait { reason, .. } = found {
            assert!(!reason.is_empty());
        }
    }
}

#[test]
fn filters_guard_the_create_alone() {
    let rule = |order: &Order, policy: &OrderPolicy, history, backfill| match admit(
        order, policy, history, backfill,
    ) {
        Admission::Filtered { rule, .. } => Some(rule),
        _ => None,
    };
    let good = order("discount_over_lines", &[]);
    let test = order("discount_over_lines", &[("/test", json!(true))]);
    let old = order("discount_over_lines", &[("/created_at", json!("2026-11-02T10:15:29+01:00"))]);
    let cancelled = order("cancelled_unpaid", &[]);
    let live = policy(&[ExportWhen::Paid]);
    let off = OrderPolicy { mode: Mode::Off, ..live.clone() };
    let shadow = OrderPolicy { mode: Mode::Shadow, ..live.clone() };
    let exported = AdmitHistory { exported: true, attempted: true };
    let attempted = AdmitHistory { exported: false, attempted: true };
    for (what, order, policy, history, backfill, expected) in [
        ("good", &good, &live, NEW, false, None),
        ("good in shadow", &good, &shadow, NEW, false, None),
        ("off", &good, &off, exported, false, Some(FilterRule::FlowOff)),
        ("test", &test, &live, NEW, true, Some(FilterRule::TestOrder)),
        ("one second before go-live", &old, &live, NEW, false, Some(FilterRule::BeforeGoLive)),
        ("old, named by a backfill", &old, &live, NEW, true, None),
        ("old, attempted", &old, &live, attempted, false, None),
        ("cancelled", &cancelled, &live, NEW, false, Some(FilterRule::CancelledBeforeExport)),
        ("cancelled, exported", &cancelled, &live, exported, false, None),
        ("cancelled, attempted", &cancelled, &live, attempted, false, None),
    ] {
        assert_eq!(rule(order, policy, history, backfill), expected, "{what}");
    }
    assert_eq!(
        admit(&cancelled, &live, exported, false),
        Admission::Export,
        "voided and cancelled reaches the ERP"
    );
}

#[test]
fn confirmation_counts_from_the_create() {
    let created = instant("2026-11-02T09:20:00Z");
    let paid = order("discount_over_lines", &[]);
    let pending = order("discount_over_lines", &[("/financial_status", json!("pending"))]);
    let cancelled = order("cancelled_unpaid", &[]);
    let wait = ConfirmWhen::After(Duration::from_secs(900));
    let due = instant("2026-11-02T09:35:00Z");
    for (order, when, now, expected) in [
        (&pending, ConfirmWhen::AtOnce, "2026-11-02T09:20:00Z", ConfirmDue::Now),
        (&pending, ConfirmWhen::Never, "2026-11-02T09:20:00Z", ConfirmDue::Never),
        (&pending, ConfirmWhen::Paid, "2027-11-02T09:20:00Z", ConfirmDue::WhenPaid),
        (&paid, ConfirmWhen::Paid, "2026-11-02T09:20:00Z", ConfirmDue::Now),
        (&pending, wait, "2026-11-02T09:34:59Z", ConfirmDue::At(due)),
        (&pending, wait, "2026-11-02T09:35:00Z", ConfirmDue::Now),
        (&cancelled, ConfirmWhen::AtOnce, "2026-11-02T09:35:00Z", ConfirmDue::Never),
    ] {
        let policy = OrderPolicy { confirm_when: when, ..policy(&[ExportWhen::Paid]) };
        assert_eq!(confirm_due(order, &policy, created, instant(now)), expected, "{when} {now}");
    }
}
