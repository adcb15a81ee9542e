//! What may happen to an order in the shop, one thing after another. Owns which histories there are: all that the shop allows, no
//! longer than asked for. What the shop allows, the shop says.

use jiff::{SignedDuration, Timestamp};
use std::fmt;
use std::sync::{Arc, LazyLock};
use twin::shop::{
    CancelReason, Change, Currency, FinancialStatus, Mix, Order, RefundRequest, What, Workload,
    WorkloadConfig,
};
use twin::shopify::ShopConfig;

pub(super) const DOMAIN: &str = "acme.myshopify.com";

/// One thing that happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Action {
    EditMore,
    EditLess,
    Capture,
    RefundRestocked,
    RefundKept,
    Ship,
    Cancel,
}

pub(super) const ACTIONS: [Action; 7] = [
    Action::EditMore,
    Action::EditLess,
    Action::Capture,
    Action::RefundRestocked,
    Action::RefundKept,
    Action::Ship,
    Action::Cancel,
];

/// How the order begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Start {
    /// It goes to the ERP at once.
    Authorised,
    /// It goes when it is paid.
    Unpaid,
}

/// Whether the ERP's sale is confirmed as soon as it is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Confirmed {
    /// It stays a draft: edits amend it, and a cancellation ends it.
    Never,
    /// A cancellation ends it all the same. An edit is a ticket, and is not played.
    AtOnce,
}

impl Confirmed {
    pub(super) fn as_setting(self) -> &'static str {
        match self {
            Self::Never => "never",
            Self::AtOnce => "at_once",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct History {
    pub(super) confirmed: Confirmed,
    pub(super) start: Start,
    pub(super) actions: Vec<Action>,
}

impl fmt::Display for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "confirmed {:?}, {:?} {:?}", self.confirmed, self.start, self.actions)
    }
}

/// Those of at most so many actions, the shortest first; none that the shop refuses.
pub(super) fn all(longest: usize) -> Vec<History> {
    let mut all = Vec::new();
    let of = |confirmed| [Start::Authorised, Start::Unpaid].map(|start| (confirmed, start));
    for (confirmed, start) in [Confirmed::Never, Confirmed::AtOnce].into_iter().flat_map(of) {
        let mut last = vec![(History { confirmed, start, actions: Vec::new() }, order(start, 0, at(0)))];
        for length in 0..=longest {
            all.extend(last.iter().map(|(history, _)| history.clone()));
            let then = at(length as i64 + 1);
            let one_more = |(history, order): &(History, Order)| {
                let plays = |action: &&Action| confirmed == Confirmed::Never || !action.is_an_edit();
                let tried = ACTIONS.iter().filter(plays).filter_map(|action| {
                    let mut order = order.clone();
                    action.change(&order)?.apply(&mut order, then).ok()?;
                    let mut actions = history.actions.clone();
                    actions.push(*action);
                    Some((History { actions, ..history.clone() }, order))
                });
                tried.collect::<Vec<_>>()
            };
            last = last.iter().flat_map(one_more).collect();
        }
    }
    all.sort_by_key(|history| history.actions.len());
    all
}

impl History {
    /// One that was just placed and to which all of this may happen: another for each number, as far as the shop allows it to them.
    pub(super) fn order(&self, number: u64, at: Timestamp) -> Order {
        let mut tried = (number..number + ORDERS.len() as u64).map(|of| order(self.start, of, at));
        let allowed = |of: &Order| {
            let mut of = of.clone();
            let mut happens = |action: &Action| Some(action.change(&of)?.apply(&mut of, at).is_ok());
            self.actions.iter().all(|action| happens(action) == Some(true))
        };
        // By the first of them the histories were found.
        let mut of = tried.find(allowed).unwrap();
        named(&mut of, number);
        of
    }
}

fn named(order: &mut Order, number: u64) {
    order.id = 5_000_000_000_000 + number;
    order.number = number + 1;
    order.name = format!("#{}", number + 1001);
}

fn at(minutes: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_mins(minutes)
}

impl Action {
    fn is_an_edit(self) -> bool {
        matches!(self, Self::EditMore | Self::EditLess)
    }

    /// The change that it is for this order as it is; none where nothing is left to change. The shop may still refuse it.
    pub(super) fn change(self, order: &Order) -> Option<Change> {
        let what = match self {
            Self::EditMore => {
                let whole = order.lines.iter().find(|line| line.removed() == 0 && !line.tip)?;
                What::EditQuantity { line_id: whole.id, quantity: whole.current_quantity + 1 }
            }
            Self::EditLess => {
                let open = order.lines.iter().find(|line| line.fulfillable() > 0)?;
                What::EditQuantity { line_id: open.id, quantity: open.current_quantity - 1 }
            }
            Self::Capture => What::Pay { gateway: "shopify_payments".to_owned() },
            Self::RefundRestocked | Self::RefundKept => {
                let restock = self == Self::RefundRestocked;
                let line = order.lines.iter().rev().find(|line| line.current_quantity > 0)?;
                // The first one that is restocked takes the shipping with it.
                let shipping = restock && order.refunds.iter().all(|refund| refund.shipping.is_empty());
                What::Refund(RefundRequest { lines: vec![(line.id, 1)], shipping, restock, note: None })
            }
            Self::Ship => {
                let open = order.lines.iter().rev().find(|line| line.fulfillable() > 0)?;
                What::Fulfil { units: vec![(open.id, 1)] }
            }
            Self::Cancel => What::Cancel { reason: CancelReason::Customer, give_back: true, restock: true },
        };
        Some(Change { order_id: order.id, what })
    }
}

/// Orders of more than one line with units to spare: with a discount, or tax in the price, or tax on top, as they come.
static ORDERS: LazyLock<Vec<Order>> = LazyLock::new(|| {
    let shop = Arc::new(ShopConfig::new(DOMAIN).profile);
    let mix = Mix { b2b: 0, tax_included: 400, discount: 500, shipping_discount: 200, ..Mix::plain() };
    let config = WorkloadConfig {
        seed: 7,
        orders: 400,
        first_number: 1,
        start: Timestamp::UNIX_EPOCH,
        interval_ms: 1,
        shop,
        mix,
    };
    let placed = Workload::new(config).filter_map(|(_, change)| match change.what {
        What::Place(order) => Some(*order),
        _ => None,
    });
    let fits = |order: &Order| {
        let units: u32 = order.lines.iter().map(|line| line.quantity).sum();
        let spare = order.lines.iter().any(|line| line.quantity > 1);
        order.lines.len() > 1
            && order.lines.len() < 5
            && units > 4
            && spare
            && !order.shipping_lines.is_empty()
    };
    placed.filter(fits).collect()
});

/// An order that was just placed, the number tells which; nothing happened to it yet.
fn order(start: Start, number: u64, at: Timestamp) -> Order {
    let index = usize::try_from(number % ORDERS.len() as u64).unwrap();
    let mut order = ORDERS[index].clone();
    named(&mut order, number);
    (order.created_at, order.processed_at, order.updated_at) = (at, at, at);
    order.transactions.clear();
    order.payment_terms = None;
    assert_eq!(order.money.shop, Currency::EUR);
    if start == Start::Authorised {
        order.authorise("shopify_payments", at).unwrap();
    }
    assert_ne!(order.financial_status(), FinancialStatus::Paid);
    order
}
