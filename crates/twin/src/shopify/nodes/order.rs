//! `Order`: its head, state, parties and parts. Sums are next door.

use super::address::AddressNode;
use super::company::purchasing_company;
use super::customer::CustomerNode;
use super::discount::{ApplicationNode, application_items};
use super::fulfilment::FulfilmentNode;
use super::fulfilment_order::{fulfilment_orders, is_held};
use super::line::LineNode;
use super::metafield::metafields;
use super::payment::{PaymentTermsNode, TransactionNode};
use super::refund::RefundNode;
use super::shipping::ShippingLineNode;
use crate::shop::{Address, FinancialStatus, Order, RefundCause, Totals, gid};
use crate::shopify::answer::{
    Answer, Arguments, Node, Record, Request, Resolved, leaf, list, null, object, optional,
};
use crate::shopify::page::{Shape, count, date, date_or_null, parts};
use serde_json::Value;
use std::cell::OnceCell;
use std::sync::Arc;

pub(in crate::shopify) struct OrderNode {
    pub(super) order: Arc<Order>,
    totals: OnceCell<Totals>,
}

const LINES: Shape = Shape { connection: "LineItemConnection", edge: "LineItemEdge" };
const SHIPPING: Shape = Shape { connection: "ShippingLineConnection", edge: "ShippingLineEdge" };
const DISCOUNTS: Shape =
    Shape { connection: "DiscountApplicationConnection", edge: "DiscountApplicationEdge" };

impl OrderNode {
    pub(in crate::shopify) fn new(order: Arc<Order>) -> Self {
        Self { order, totals: OnceCell::new() }
    }

    pub(super) fn totals(&self) -> &Totals {
        self.totals.get_or_init(|| self.order.totals())
    }

    fn address(&self, place: u64, address: Option<&Address>) -> Resolved {
        let id = self.order.id.wrapping_mul(4).wrapping_add(place) >> 1;
        optional(address.map(|address| AddressNode { id, address: address.clone() }))
    }

    fn head(&self, name: &str) -> Option<Resolved> {
        let order = &self.order;
        Some(match name {
            "id" => leaf(order.gid()),
            "legacyResourceId" => leaf(order.id.to_string()),
            "name" => leaf(order.name.clone()),
            "number" => leaf(order.order_number()),
            "confirmationNumber" => leaf(order.confirmation_number.clone()),
            "createdAt" => date(order.created_at),
            "updatedAt" => date(order.updated_at),
            "processedAt" => date(order.processed_at),
            "cancelledAt" => date_or_null(order.cancelled_at),
            "closedAt" => date_or_null(order.closed_at),
            "cancelReason" => leaf(order.cancel_reason.map(|reason| reason.graphql())),
            "cancellation" => optional(
                order.cancelled_at.map(|_| Record::new("OrderCancellation").leaf("staffNote", Value::Null)),
            ),
            "currencyCode" => leaf(order.money.shop.code()),
            "presentmentCurrencyCode" => leaf(order.money.presentment.code()),
            "taxesIncluded" => leaf(order.taxes_included),
            "dutiesIncluded" => leaf(order.duties_included),
            "taxExempt" => leaf(order.tax_exempt),
            "test" => leaf(order.test),
            "sourceName" => leaf(order.source_name.clone()),
            "sourceIdentifier" => leaf(order.source_identifier.clone()),
            "email" => leaf(order.email.clone()),
            "phone" => leaf(order.phone.clone()),
            "customerLocale" => leaf(order.locale.clone()),
            "note" => leaf(order.note.clone()),
            "poNumber" => leaf(order.po_number.clone()),
            "tags" => leaf(order.tags.clone()),
            "customAttributes" => attributes(&order.note_attributes),
            "statusPageUrl" => leaf(format!(
                "https://{}/{}/orders/{}/authenticate?key=example",
                order.shop.domain, order.shop.id, order.token
            )),
            _ => return None,
        })
    }

    fn state(&self, name: &str, request: &Request) -> Option<Resolved> {
        let order = &self.order;
        let status = || order.financial_status();
        let open = order.cancelled_at.is_none();
        let outstanding = || self.totals().outstanding.shop;
        Some(match name {
            "displayFinancialStatus" => leaf(status().graphql()),
            "displayFulfillmentStatus" => match is_held(order, request) {
                true => leaf("ON_HOLD"),
                false => leaf(order.fulfilment_status().graphql()),
            },
            "closed" => leaf(order.closed_at.is_some()),
            "confirmed" => leaf(true),
            "edited" => leaf(
                order.refunds.iter().any(|refund| refund.cause == RefundCause::Edit)
                    || order.lines.iter().any(|line| line.added_by_edit),
            ),
            "fullyPaid" => leaf(outstanding() <= rust_decimal::Decimal::ZERO),
            "unpaid" => leaf(self.totals().received.is_zero()),
            "canMarkAsPaid" => leaf(open && outstanding() > rust_decimal::Decimal::ZERO),
            "canNotifyCustomer" => leaf(order.email.is_some()),
            "capturable" => leaf(status() == FinancialStatus::Authorized),
            "fulfillable" => leaf(open && order.lines.iter().any(|line| line.fulfillable() > 0)),
            "refundable" => leaf(self.totals().received.shop > self.totals().refunded.shop),
            "restockable" => {
                leaf(order.lines.iter().any(|line| line.requires_shipping && line.current_quantity > 0))
            }
            "requiresShipping" => leaf(order.lines.iter().any(|line| line.requires_shipping)),
            "merchantEditable" => leaf(open),
            "merchantEditableErrors" => leaf(if open { vec![] } else { vec!["The order is canceled"] }),
            "billingAddressMatchesShippingAddress" => leaf(order.billing_address == order.shipping_address),
            "fulfillmentsCount" => count(order.fulfilments.len(), None),
            "transactionsCount" => count(order.transactions.len(), None),
            _ => return None,
        })
    }

    fn parties(&self, name: &str) -> Option<Resolved> {
        let order = &self.order;
        Some(match name {
            "customer" => optional(CustomerNode::of(order)),
            "billingAddress" => self.address(0, order.billing_address.as_ref()),
            "shippingAddress" => self.address(2, order.shipping_address.as_ref()),
            "displayAddress" => {
                self.address(2, order.shipping_address.as_ref().or(order.billing_address.as_ref()))
            }
            "purchasingEntity" => match purchasing_company(order) {
                Some(company) => object(company),
                None => optional(CustomerNode::of(order)),
            },
            "app" => optional(order.app.as_ref().map(|app| {
                Record::new("OrderApp").leaf("id", gid("App", app.id)).leaf("name", app.name.clone())
            })),
            "attribution" => object(
                Record::new("OrderAttribution")
                    .leaf("handle", order.source_name.clone())
                    .leaf(
                        "displayName",
                        order.app.as_ref().map_or(&order.source_name, |app| &app.name).clone(),
                    )
                    .leaf("icon", Value::Null),
            ),
            "channelInformation" => optional(order.app.as_ref().map(|app| {
                let definition = Record::new("ChannelDefinition")
                    .leaf("id", gid("ChannelDefinition", app.id))
                    .leaf("handle", order.source_name.clone())
                    .leaf("channelName", app.name.clone())
                    .leaf("subChannelName", app.name.clone())
                    .leaf("isMarketplace", false);
                Record::new("ChannelInformation")
                    .leaf("id", gid("ChannelInformation", app.id))
                    .leaf("channelId", gid("Channel", app.id))
                    .leaf("displayName", app.name.clone())
                    .node("channelDefinition", definition)
                    .node(
                        "app",
                        Record::new("App").leaf("id", gid("App", app.id)).leaf("title", app.name.clone()),
                    )
            })),
            _ => return None,
        })
    }

    fn members(&self, name: &str, args: &Arguments, request: &Arc<Request>) -> Option<Resolved> {
        let order = &self.order;
        let line = |index| LineNode { order: order.clone(), index };
        Some(match name {
            "lineItems" => {
                let items = order.lines.iter().enumerate().map(|(index, line)| (line.id, index)).collect();
                parts(LINES, items, args, request, line)
            }
            "nonFulfillableLineItems" => {
                let lines = order.lines.iter().enumerate().filter(|(_, line)| line.fulfillable() == 0);
                parts(LINES, lines.map(|(index, line)| (line.id, index)).collect(), args, request, line)
            }
            "shippingLines" => {
                let items =
                    order.shipping_lines.iter().enumerate().map(|(index, line)| (line.id, index)).collect();
                parts(SHIPPING, items, args, request, |index| ShippingLineNode {
                    order: order.clone(),
                    index,
                })
            }
            "shippingLine" => optional(
                (!order.shipping_lines.is_empty())
                    .then(|| ShippingLineNode { order: order.clone(), index: 0 }),
            ),
            "discountApplications" => parts(DISCOUNTS, application_items(order), args, request, |index| {
                ApplicationNode { order: order.clone(), index }
            }),
            "refunds" => list(
                args.cut((0..order.refunds.len()).collect())
                    .into_iter()
                    .map(|index| RefundNode { order: order.clone(), index }),
            ),
            "transactions" => list(
                args.cut(order.transactions.iter().map(|one| one.id).collect())
                    .into_iter()
                    .map(|id| TransactionNode { order: order.clone(), id }),
            ),
            "fulfillments" => list(
                args.cut((0..order.fulfilments.len()).collect())
                    .into_iter()
                    .map(|index| FulfilmentNode { order: order.clone(), index }),
            ),
            "fulfillmentOrders" => fulfilment_orders(order, args, request),
            "paymentTerms" => {
                optional(order.payment_terms.as_ref().map(|_| PaymentTermsNode { order: order.clone() }))
            }
            "metafield" | "metafields" => metafields(&order.gid(), name, args, request, &order.metafields),
            "discountCode" => leaf(codes(order).first().cloned()),
            "discountCodes" => leaf(codes(order)),
            "paymentGatewayNames" => leaf(gateways(order)),
            "paymentCollectionDetails" => object(
                Record::new("OrderPaymentCollectionDetails")
                    .leaf("additionalPaymentCollectionUrl", Value::Null),
            ),
            _ => return None,
        })
    }

    /// What this shop has never used.
    fn unused(&self, name: &str) -> Option<Resolved> {
        Some(match name {
            "additionalFees" => Ok(Answer::List(Vec::new())),
            "customerAcceptsMarketing" | "estimatedTaxes" | "hasTimelineComment" | "productNetwork" => {
                leaf(false)
            }
            "returnStatus" => leaf("NO_RETURN"),
            "cartToken"
            | "channel"
            | "checkoutToken"
            | "clientIp"
            | "landingPageDisplayText"
            | "landingPageUrl"
            | "merchantOfRecordApp"
            | "physicalLocation"
            | "publication"
            | "referralCode"
            | "referrerDisplayText"
            | "referrerUrl"
            | "registeredSourceUrl"
            | "retailLocation" => null(),
            _ => return None,
        })
    }
}

impl Node for OrderNode {
    fn type_name(&self) -> &'static str {
        "Order"
    }

    fn field(&self, name: &str, args: &Arguments, request: &Arc<Request>) -> Resolved {
        self.head(name)
            .or_else(|| self.state(name, request))
            .or_else(|| self.parties(name))
            .or_else(|| self.members(name, args, request))
            .or_else(|| self.unused(name))
            .unwrap_or_else(|| self.sum(name))
    }
}

/// `Attribute`s of an order or a line.
pub(super) fn attributes(pairs: &[(String, String)]) -> Resolved {
    list(
        pairs.iter().map(|(key, value)| {
            Record::new("Attribute").leaf("key", key.clone()).leaf("value", value.clone())
        }),
    )
}

fn codes(order: &Order) -> Vec<String> {
    let codes = order.discount_applications.iter().filter(|one| one.kind == crate::shop::DiscountKind::Code);
    codes.map(|one| one.title.clone()).collect()
}

fn gateways(order: &Order) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for transaction in &order.transactions {
        if !names.contains(&transaction.gateway) {
            names.push(transaction.gateway.clone());
        }
    }
    names
}
