//! Money that moves: `OrderTransaction`, and the `PaymentTerms` of B2B orders with their schedules.

use super::money::{amount, bag, bag_or_null, money_record, shop_money};
use super::order::OrderNode;
use crate::shop::{Order, PaymentSchedule, PaymentTerms, Transaction, TransactionKind, gid};
use crate::shopify::answer::{
    Arguments, Node, Refusal, Request, Resolved, leaf, null, object, optional, unmodelled,
};
use crate::shopify::page::{Shape, date, date_or_null, parts};
use std::sync::Arc;

pub(super) struct TransactionNode {
    pub(super) order: Arc<Order>,
    pub(super) id: u64,
}

impl TransactionNode {
    fn transaction(&self) -> Result<&Transaction, Refusal> {
        let gone = || Refusal::new("INTERNAL_SERVER_ERROR", format!("transaction {} is gone", self.id));
        self.order.transaction(self.id).ok_or_else(gone)
    }
}

impl Node for TransactionNode {
    fn type_name(&self) -> &'static str {
        "OrderTransaction"
    }

    fn field(&self, name: &str, _: &Arguments, _: &Arc<Request>) -> Resolved {
        let (order, transaction) = (&self.order, self.transaction()?);
        let authorised = transaction.kind == TransactionKind::Authorization;
        match name {
            "id" => leaf(gid("OrderTransaction", transaction.id)),
            "kind" => leaf(transaction.kind.graphql()),
            "status" => leaf(transaction.status.graphql()),
            "gateway" => leaf(transaction.gateway.clone()),
            "formattedGateway" => leaf(titled(&transaction.gateway)),
            "manualPaymentGateway" => leaf(transaction.gateway == "manual"),
            "createdAt" | "processedAt" => date(transaction.created_at),
            "test" => leaf(transaction.test),
            "paymentId" => leaf(transaction.payment_id.clone()),
            "authorizationCode" => leaf(transaction.authorization.clone()),
            "amount" => amount(order, transaction.amount),
            "amountV2" => shop_money(order, transaction.amount),
            "amountSet" => bag(order, transaction.amount),
            "totalUnsettledSet" => bag_or_null(order, authorised.then_some(transaction.amount)),
            "manuallyCapturable" => {
                leaf(authorised && order.totals().received.is_zero() && order.cancelled_at.is_none())
            }
            "multiCapturable" => leaf(false),
            "parentTransaction" => {
                optional(transaction.parent_id.map(|id| Self { order: order.clone(), id }))
            }
            "order" => object(OrderNode::new(order.clone())),
            "accountNumber"
            | "amountRoundingSet"
            | "authorizationExpiresAt"
            | "errorCode"
            | "location"
            | "paymentMethod"
            | "receiptJson"
            | "settlementCurrency"
            | "settlementCurrencyRate" => null(),
            other => Err(unmodelled("OrderTransaction", other)),
        }
    }
}

/// `shopify_payments` → `Shopify Payments`.
fn titled(gateway: &str) -> String {
    let word = |word: &str| {
        let mut letters = word.chars();
        letters
            .next()
            .map(|first| first.to_uppercase().chain(letters).collect::<String>())
            .unwrap_or_default()
    };
    gateway.split('_').map(word).collect::<Vec<_>>().join(" ")
}

/// Of an order that has them.
pub(super) struct PaymentTermsNode {
    pub(super) order: Arc<Order>,
}

fn terms(order: &Order) -> Result<&PaymentTerms, Refusal> {
    order
        .payment_terms
        .as_ref()
        .ok_or_else(|| Refusal::new("INTERNAL_SERVER_ERROR", "the payment terms are gone"))
}

const SCHEDULES: Shape = Shape { connection: "PaymentScheduleConnection", edge: "PaymentScheduleEdge" };

impl Node for PaymentTermsNode {
    fn type_name(&self) -> &'static str {
        "PaymentTerms"
    }

    fn field(&self, name: &str, args: &Arguments, request: &Arc<Request>) -> Resolved {
        let terms = terms(&self.order)?;
        let open = |schedule: &&PaymentSchedule| schedule.completed_at.is_none();
        let past = |schedule: &PaymentSchedule| schedule.due_at.is_some_and(|due| due < request.shop.now());
        match name {
            "id" => leaf(gid("PaymentTerms", terms.id)),
            "paymentTermsName" | "translatedName" => leaf(terms.name.clone()),
            "paymentTermsType" => leaf(terms.kind.graphql()),
            "dueInDays" => leaf(terms.due_in_days),
            "due" => leaf(terms.schedules.iter().any(|schedule| open(&schedule))),
            "overdue" => leaf(terms.schedules.iter().filter(open).any(past)),
            "order" => object(OrderNode::new(self.order.clone())),
            "paymentSchedules" => {
                let items = terms.schedules.iter().enumerate().map(|(index, one)| (one.id, index)).collect();
                parts(SCHEDULES, items, args, request, |index| ScheduleNode {
                    order: self.order.clone(),
                    index,
                })
            }
            other => Err(unmodelled("PaymentTerms", other)),
        }
    }
}

struct ScheduleNode {
    order: Arc<Order>,
    index: usize,
}

impl Node for ScheduleNode {
    fn type_name(&self) -> &'static str {
        "PaymentSchedule"
    }

    fn field(&self, name: &str, _: &Arguments, _: &Arc<Request>) -> Resolved {
        let schedule = &terms(&self.order)?.schedules[self.index];
        let money = |amount| object(money_record(self.order.money.shop, amount));
        match name {
            "id" => leaf(gid("PaymentSchedule", schedule.id)),
            "amount" | "totalBalance" => money(schedule.amount.shop),
            "balanceDue" if schedule.completed_at.is_some() => money(rust_decimal::Decimal::ZERO),
            "balanceDue" => money(schedule.amount.shop),
            "issuedAt" => date_or_null(schedule.issued_at),
            "dueAt" => date_or_null(schedule.due_at),
            "completedAt" => date_or_null(schedule.completed_at),
            "due" => leaf(schedule.completed_at.is_none()),
            "paymentTerms" => object(PaymentTermsNode { order: self.order.clone() }),
            other => Err(unmodelled("PaymentSchedule", other)),
        }
    }
}
