//! From what stands at the order to what is wanted there: one absolute write of the fields that differ. Pure.

use super::code;
use super::config::Config;
use super::tags;
use crate::graphql::{ADD_ORDER_TAGS, REMOVE_ORDER_TAGS, SET_ERP_FIELDS, frozen};
use crate::mapped::wrong;
use crate::source::{order_gid, order_of};
use connector::port::{Done, ExternalRef, Observation, Observed, Plan, Step, Wanted};
use kernel::fault::{Fault, FaultKind};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// What of the ERP stands, or is to stand, at an order.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Fields {
    pub(super) number: Option<String>,
    pub(super) state: Option<String>,
    /// Those of ours that stand there.
    #[serde(default)]
    pub(super) tags: Vec<String>,
}

impl Fields {
    pub(super) fn is_empty(&self) -> bool {
        self.number.is_none() && self.state.is_none() && self.tags.is_empty()
    }

    pub(super) fn body(&self) -> Value {
        json!({ "number": self.number, "state": self.state, "tags": self.tags })
    }
}

/// What `plan` has to know besides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Context {
    pub(super) has_order: bool,
    /// The observation is the answer to a write.
    pub(super) wrote: bool,
    /// The order has as many tags as Shopify allows.
    #[serde(default)]
    pub(super) full: bool,
}

impl Context {
    pub(super) fn value(self) -> Value {
        json!({ "has_order": self.has_order, "wrote": self.wrote, "full": self.full })
    }

    /// Where nothing was asked, the order is taken to be there; the write finds out.
    fn read(value: &Value) -> Self {
        serde_json::from_value(value.clone()).unwrap_or(Self { has_order: true, wrote: false, full: false })
    }
}

pub(super) fn plan(config: &Config, wanted: &Wanted, observed: &Observation) -> Plan {
    let (gid, fields) = match (order_of(&wanted.subject), wanted_fields(&wanted.body)) {
        (Ok(id), Ok(fields)) => (order_gid(id), fields),
        (Err(fault), _) | (_, Err(fault)) => return Plan::NotAllowed(fault),
    };
    let context = Context::read(&observed.context);
    if !context.has_order {
        let what = "Shopify shows no such order: it was deleted, or it is older than 60 days and the app lacks \
                    read_all_orders; grant that, or skip this";
        return Plan::NotAllowed(Fault::new(FaultKind::Rejected, code::NO_ORDER, what));
    }
    let known = match &observed.object {
        Observed::None => Fields::default(),
        Observed::One(state) => serde_json::from_value(state.body.clone()).unwrap_or_default(),
        // An order has one field of a name.
        Observed::Many(ids) => {
            let what = format!("{} objects under one order: {}", ids.len(), ids.join(", "));
            return Plan::NotAllowed(Fault::new(FaultKind::Bug, code::FROZEN, what));
        }
    };
    let differs = |wanted: &Option<String>, known: &Option<String>| wanted.is_some() && wanted != known;
    if differs(&fields.number, &known.number) || differs(&fields.state, &known.state) {
        return Plan::Next(Step {
            name: "set".to_owned(),
            creates: known.is_empty(),
            idempotent: true,
            request: frozen(&SET_ERP_FIELDS, &inputs(config, &gid, &fields)),
        });
    }
    if let Some(plan) = tag(config, &gid, &fields, &known, context) {
        return plan;
    }
    let external =
        ExternalRef { id: gid, number: fields.number.or(known.number), state: fields.state.or(known.state) };
    Plan::Done(Done { external, note: None, unchanged: !context.wrote, adopted: false })
}

/// The state's tag first and the former one's end after it, so that no automation sees an order without a state.
fn tag(config: &Config, gid: &str, wanted: &Fields, known: &Fields, context: Context) -> Option<Plan> {
    let (beginning, state) = (config.state_tag.as_ref()?, wanted.state.as_ref()?);
    let tag = tags::tag_of(beginning, state);
    let step = |name: &str, document, tags: &[String]| {
        let request = frozen(document, &json!({ "id": gid, "tags": tags }));
        Some(Plan::Next(Step { name: name.to_owned(), creates: false, idempotent: true, request }))
    };
    if !tags::holds(&known.tags, &tag) {
        if context.full {
            let what = format!(
                "the order has {} tags, which is as many as Shopify allows, and {tag:?} is not among them: take one off",
                tags::TAGS_MAX
            );
            return Some(Plan::NotAllowed(Fault::new(FaultKind::Rejected, code::TAGS_FULL, what)));
        }
        return step("tag", &ADD_ORDER_TAGS, &[tag]);
    }
    let former: Vec<String> = known.tags.iter().filter(|known| !tags::same(known, &tag)).cloned().collect();
    if former.is_empty() { None } else { step("untag", &REMOVE_ORDER_TAGS, &former) }
}

/// All that is wanted, also what is there already: the answer then shows the whole state.
fn inputs(config: &Config, gid: &str, fields: &Fields) -> Value {
    let input = |key: &str, value: &String| {
        json!({
            "ownerId": gid,
            "namespace": config.namespace,
            "key": key,
            "type": "single_line_text_field",
            "value": value,
        })
    };
    let pairs = [(&config.number, &fields.number), (&config.state, &fields.state)];
    let inputs: Vec<Value> =
        pairs.into_iter().filter_map(|(key, value)| Some(input(key, value.as_ref()?))).collect();
    json!({ "metafields": inputs })
}

/// A blank is no value: Shopify takes none, and a field that is left as it is says more than a refusal.
fn wanted_fields(body: &Value) -> Result<Fields, Fault> {
    // Nothing to show yet is no fault.
    let erp = match body.get("erp") {
        None => None,
        Some(erp) => Some(erp.as_object().ok_or_else(|| wrong(code::BODY, "erp", "a table"))?),
    };
    let text = |name: &str| match erp.and_then(|erp| erp.get(name)) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.trim().to_owned()).filter(|text| !text.is_empty())),
        Some(_) => Err(wrong(code::BODY, &format!("erp.{name}"), "a text or null")),
    };
    Ok(Fields { number: text("number")?, state: text("state")?, tags: Vec::new() })
}
