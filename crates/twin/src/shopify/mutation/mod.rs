//! `Mutation`: the writes. What a write cannot do is a `userError` with the field that is wrong; the shop is then as
//! it was.

mod catalogs;
mod fulfilments;
mod holds;
mod metafields;
mod orders;
mod prices;
mod stock;
mod webhooks;

use super::answer::{Answer, Arguments, Node, Record, Request, Resolved, unmodelled};
use super::bulk::{cancel, run_query};
use super::bulk_import::run_mutation;
use super::nodes::user_error;
use super::staged::create_uploads;
use serde_json::Value;
use std::sync::Arc;

pub(super) struct Mutation;

impl Node for Mutation {
    fn type_name(&self) -> &'static str {
        "Mutation"
    }

    fn field(&self, name: &str, args: &Arguments, request: &Arc<Request>) -> Resolved {
        request.shop.count(name);
        match name {
            "metafieldsSet" => metafields::set(args, request),
            "tagsAdd" => orders::tags(args, request, orders::TagChange::Add),
            "tagsRemove" => orders::tags(args, request, orders::TagChange::Remove),
            "orderUpdate" => orders::update(args, request),
            "webhookSubscriptionCreate" => webhooks::create(args, request),
            "webhookSubscriptionUpdate" => webhooks::update(args, request),
            "webhookSubscriptionDelete" => webhooks::delete(args, request),
            "bulkOperationRunQuery" => run_query(args, request),
            "bulkOperationRunMutation" => run_mutation(args, request),
            "bulkOperationCancel" => cancel(args, request),
            "stagedUploadsCreate" => create_uploads(args, request),
            "inventorySetQuantities" => stock::set_quantities(args, request),
            "inventoryActivate" => stock::activate(args, request),
            "fulfillmentCreate" => fulfilments::create(args, request),
            "fulfillmentCancel" => fulfilments::cancel(args, request),
            "fulfillmentTrackingInfoUpdate" => fulfilments::track(args, request),
            "fulfillmentOrderHold" => holds::hold(args, request),
            "fulfillmentOrderReleaseHold" => holds::release(args, request),
            "catalogCreate" => catalogs::create(args, request),
            "catalogUpdate" => catalogs::update(args, request),
            "catalogContextUpdate" => catalogs::change_context(args, request),
            "catalogDelete" => catalogs::delete(args, request),
            "priceListCreate" => catalogs::create_list(args, request),
            "priceListUpdate" => catalogs::update_list(args, request),
            "priceListDelete" => catalogs::delete_list(args, request),
            "priceListFixedPricesAdd" => prices::add(args, request),
            "priceListFixedPricesUpdate" => prices::update(args, request),
            "priceListFixedPricesDelete" => prices::delete(args, request),
            "quantityPricingByVariantUpdate" => prices::quantity_pricing(args, request),
            other => Err(unmodelled("Mutation", other)),
        }
    }
}

/// The payload of a write: what it made, or why not.
pub(super) fn payload(
    type_name: &'static str,
    result: &'static str,
    made: Option<Answer>,
    errors: Vec<Answer>,
) -> Resolved {
    let made = made.unwrap_or(Answer::Leaf(Value::Null));
    let record = Record::new(type_name).answer(result, made).answer("userErrors", Answer::List(errors));
    Ok(Answer::node(record))
}

/// A plain `UserError`.
pub(super) fn plain_error(field: Option<&[&str]>, text: &str) -> Answer {
    let field = field.map(|field| field.iter().map(|part| (*part).to_owned()).collect());
    user_error("UserError", None, field, text)
}
