//! What Medusa has of a refund: the edit and the return of its order that bear its name. Owns the look-up; one that was cancelled is
//! gone.

use super::super::ask::Ask;
use super::super::observe::ORDER;
use super::{Booked, Context, Refund, order_key};
use connector::port::{MissingReference, ObjectState, Observation, Observed, Wanted};
use kernel::fault::{Fault, Reference};

impl Ask<'_> {
    pub(in super::super) async fn observe_refund(&self, wanted: &Wanted) -> Result<Observation, Fault> {
        let key = order_key(wanted);
        let mut context = Context::default();
        let (mut edits, mut returns) = (Vec::new(), Vec::new());
        match self.by_key(key.as_str()).await? {
            Err(several) => context.several = several,
            Ok(None) => {}
            Ok(Some(mut order)) => {
                if !order.draft && !order.cancelled() {
                    order.edit = self.edit(&order.id).await?;
                }
                order.edits = self.edits(&order, key.as_str()).await?;
                let name = wanted.object_key.as_str();
                edits = order.edits.refunds.iter().filter(|edit| edit.name == name).cloned().collect();
                returns = order.edits.returns.iter().filter(|back| back.name == name).cloned().collect();
                // A body that cannot be read is told by `plan`; `prove` asks without one.
                let comes_back = Refund::read(wanted).is_ok_and(|refund| !refund.came_back().is_empty());
                if comes_back && returns.is_empty() && !order.draft && !order.cancelled() {
                    context.shelves = self.shelves(&order.id).await?;
                }
                context.order = Some(order);
            }
        }
        let object = match (edits.as_slice(), returns.as_slice()) {
            ([] | [_], [] | [_]) => match Booked::of(edits.pop(), returns.pop()) {
                None => Observed::None,
                Some(booked) => Observed::One(ObjectState {
                    external: booked.external(),
                    body: serde_json::to_value(&booked).unwrap_or_default(),
                    adopted: false,
                }),
            },
            ([_, _, ..], _) => Observed::Many(edits.into_iter().map(|edit| edit.id).collect()),
            (_, _) => Observed::Many(returns.into_iter().map(|back| back.id).collect()),
        };
        let waits = context.several.is_empty() && context.order.as_ref().is_none_or(|order| order.draft);
        let missing = MissingReference {
            reference: Reference { kind: ORDER.to_owned(), value: key.as_str().to_owned() },
            field: "order".to_owned(),
            similar: None,
        };
        let context = serde_json::to_value(&context).unwrap_or_default();
        Ok(Observation { object, context, missing: Vec::from_iter(waits.then_some(missing)) })
    }
}
