//! What Medusa has of a refund: the edits of its order that bear its name. Owns the look-up; an edit that was cancelled is gone.

use super::super::ask::Ask;
use super::super::observe::ORDER;
use super::{Context, order_key};
use connector::port::{ExternalRef, MissingReference, ObjectState, Observation, Observed, Wanted};
use kernel::fault::{Fault, Reference};

impl Ask<'_> {
    pub(in super::super) async fn observe_refund(&self, wanted: &Wanted) -> Result<Observation, Fault> {
        let key = order_key(wanted);
        let mut context = Context::default();
        let mut found = Vec::new();
        match self.by_key(key.as_str()).await? {
            Err(several) => context.several = several,
            Ok(None) => {}
            Ok(Some(mut order)) => {
                if !order.draft && !order.cancelled() {
                    order.edit = self.edit(&order.id).await?;
                }
                order.edits = self.edits(&order, key.as_str()).await?;
                let own = order.edits.refunds.iter().filter(|edit| edit.name == wanted.object_key.as_str());
                found = own.cloned().collect();
                context.order = Some(order);
            }
        }
        let object = match found.as_slice() {
            [] => Observed::None,
            [edit] => Observed::One(ObjectState {
                external: ExternalRef { id: edit.id.clone(), number: None, state: Some(edit.status.clone()) },
                body: serde_json::to_value(edit).unwrap_or_default(),
                adopted: false,
            }),
            several => Observed::Many(several.iter().map(|edit| edit.id.clone()).collect()),
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
