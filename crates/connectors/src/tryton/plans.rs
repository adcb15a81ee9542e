//! Plans by table: an order as wanted, a sale as Tryton has it, and the step that is next. Without a Tryton.

use super::contract::{Tryton, line};
use super::resolved::{Context, Counter, Product, Resolved, Unclear, Where};
use connector::port::{
    ExternalRef, MissingReference, ObjectState, Observation, Observed, Plan, Stage, Wanted,
};
use kernel::fault::Reference;
use kernel::flow::{ChangeBecomes, Difference};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// What is wanted and observed, and what is planned: a step, `done`, or the code of a refusal.
pub(super) struct Case {
    name: &'static str,
    planned: &'static str,
    pub(super) wanted: Wanted,
    pub(super) observation: Observation,
    settings: Value,
}

pub(super) fn wanted() -> Wanted {
    let mut wanted = Tryton::new("127.0.0.1:9".parse().unwrap(), "desk", "u", "p", "plans".into()).order();
    wanted.body["lines"] = json!([line("SKU-0001", "12", "4.2500", "51.00", &[("0.21", "10.71")])]);
    wanted.body["totals"] = json!({"net": "51.00", "tax": "10.71", "gross": "61.71"});
    wanted
}

pub(super) fn resolved() -> Context {
    Context {
        taxes: BTreeMap::from([("0.21 VAT".to_owned(), Some(1))]),
        resolved: Some(Resolved {
            party: Some(2),
            currency: Some(1),
            products: BTreeMap::from([("SKU-0001".to_owned(), Product { id: 1, unit: 1 })]),
            invoice_address: Where::At(2),
            shipment_address: Where::At(2),
            ..Resolved::default()
        }),
        ..Context::default()
    }
}

/// A sale that says what is wanted.
fn stored(wanted: &Wanted, state: &str) -> Value {
    let body = &wanted.body;
    json!({
        "id": 4, "reference": wanted.object_key.as_str(), "number": "SO-4", "state": state, "timestamp": "1.5",
        "description": body["description"], "comment": body["comment"], "date": "2026-11-23", "party": "CUST-001",
        "currency": "EUR", "rounding": "0.01", "payment_term": "Net 60", "net": "51.00", "tax": "10.71",
        "gross": "61.71", "invoice_address": null, "shipment_address": null, "shipments": [], "invoices": [],
        "links": {"party": 2, "currency": 1, "payment_term": 12, "warehouse": 5},
        "lines": [{"id": 9, "kind": "line", "product": [1, "SKU-0001"], "description": "SKU-0001 as sold",
                   "quantity": "12", "unit": 1, "unit_price": "4.2500", "amount": "51.00", "taxes": [[1, "0.21"]]}],
    })
}

pub(super) fn nothing(name: &'static str, planned: &'static str) -> Case {
    let observation =
        Observation { object: Observed::None, context: resolved().value(), missing: Vec::new() };
    Case { name, planned, wanted: wanted(), observation, settings: json!({}) }
}

fn one(name: &'static str, planned: &'static str, state: &str) -> Case {
    let mut case = nothing(name, planned);
    let body = stored(&case.wanted, state);
    let external = ExternalRef { id: "4".into(), number: Some("SO-4".into()), state: Some(state.to_owned()) };
    case.observation.object = Observed::One(ObjectState { external, body, adopted: false });
    case
}

impl Case {
    fn object(mut self, change: impl FnOnce(&mut Value)) -> Self {
        if let Observed::One(object) = &mut self.observation.object {
            change(&mut object.body);
        }
        self
    }

    fn wanted(mut self, change: impl FnOnce(&mut Wanted)) -> Self {
        change(&mut self.wanted);
        self
    }

    fn context(mut self, change: impl FnOnce(&mut Context)) -> Self {
        let mut context = Context::of(&self.observation);
        change(&mut context);
        self.observation.context = context.value();
        self
    }

    fn settings(mut self, key: &str, value: Value) -> Self {
        self.settings[key] = value;
        self
    }

    fn cancelled(self) -> Self {
        self.wanted(|wanted| wanted.stage = Stage::Cancelled)
    }

    fn present(self) -> Self {
        self.wanted(|wanted| wanted.stage = Stage::Present)
    }

    fn counter(self, state: &str) -> Self {
        let counter = Counter { id: 5, number: Some("SO-5".into()), state: state.to_owned() };
        self.cancelled().context(|context| context.counter = Some(counter))
    }

    fn total(self, gross: &str, difference: Difference) -> Self {
        let gross = gross.to_owned();
        self.object(|sale| sale["gross"] = json!(gross)).wanted(|wanted| wanted.difference = difference)
    }

    fn refusal(&self) -> kernel::fault::Fault {
        match self.plan() {
            Plan::NotAllowed(fault) => fault,
            other => panic!("{}: {other:?}", self.name),
        }
    }

    fn plan(&self) -> Plan {
        let mut tryton = Tryton::new("127.0.0.1:9".parse().unwrap(), "desk", "u", "p", "plans".into());
        for (key, value) in self.settings.as_object().unwrap() {
            tryton = tryton.with(key, value.clone());
        }
        let connector = tryton.here();
        let plan = connector.plan(&self.wanted, &self.observation);
        assert_eq!(plan, connector.plan(&self.wanted, &self.observation), "{}", self.name);
        plan
    }

    fn planned(&self) -> String {
        match self.plan() {
            Plan::Next(step) => step.name,
            Plan::Done(done) if done.adopted => "done adopted".to_owned(),
            Plan::Done(done) if done.note.is_some() => "done with a note".to_owned(),
            Plan::Done(_) => "done".to_owned(),
            Plan::NotAllowed(fault) => fault.code,
        }
    }
}

fn before_the_confirmation() -> Vec<Case> {
    let other = |sale: &mut Value| sale["comment"] = json!("another");
    let mut adopted = one("an adopted sale is not written to", "done adopted", "draft").object(other);
    if let Observed::One(object) = &mut adopted.observation.object {
        object.adopted = true;
    }
    let mut many = nothing("of several, none is written to", "TG-3207").cancelled();
    many.observation.object = Observed::Many(vec!["4".into(), "5".into()]);
    let mut missing = nothing("a missing reference", "missing_product");
    let reference = Reference { kind: "product".into(), value: "SKU-0001".into() };
    missing.observation.missing.push(MissingReference {
        reference,
        field: "lines[0].product".into(),
        similar: None,
    });
    let make = Where::Make { country: Some(1), subdivision: None };
    let street = |wanted: &mut Wanted| wanted.body["shipment_address"] = json!({"street": "Kade 1"});
    vec![
        nothing("nothing there", "create"),
        nothing("nothing there, and it was cancelled", "done with a note").cancelled(),
        nothing("what was there is gone", "TG-3206")
            .wanted(|wanted| wanted.known = Some(ExternalRef { id: "4".into(), number: None, state: None })),
        nothing("an address to be made", "address")
            .wanted(street)
            .context(|context| context.resolved.as_mut().unwrap().shipment_address = make),
        nothing("a reference to two", "TG-3307")
            .context(|context| context.unclear.push(Unclear { field: "party".into(), why: "two".into() })),
        nothing("a closed period", "TG-3306")
            .context(|context| context.closed_period = Some("2026-11".into())),
        nothing("no sale at all", "TG-3308").wanted(|wanted| wanted.body = json!({"lines": 7})),
        missing,
        many,
        adopted,
        one("a draft as wanted", "quote", "draft"),
        one("a draft as wanted, to be only there", "quote", "draft").present(),
        one("a draft that is quoted when it is confirmed", "done", "draft")
            .present()
            .settings("quote", json!("with_confirmation")),
        one("a quotation as wanted", "confirm", "quotation"),
        one("a quotation, to be only there", "done", "quotation").present(),
        one("a draft that says something else", "amend", "draft").object(other),
        one("a quotation that says something else", "reopen", "quotation").object(other),
        one("one line more", "amend", "draft")
            .object(|sale| sale["lines"] = json!([sale["lines"][0], sale["lines"][0]])),
        one("a line that lost its taxes", "amend", "draft")
            .object(|sale| sale["lines"][0]["taxes"] = json!([])),
        one("a draft to be cancelled", "cancel", "draft").cancelled(),
        one("a quotation to be cancelled", "cancel", "quotation").cancelled(),
        one("cancelled as wanted", "done", "cancelled").cancelled(),
        one("cancelled and wanted", "TG-3202", "cancelled"),
        one("a total that differs", "TG-3204", "draft").total("61.70", Difference::Ticket),
        one("a total that is accepted", "quote", "draft")
            .total("61.70", Difference::Accept("0.01".parse().unwrap())),
        one("a total that is not", "TG-3204", "draft")
            .total("61.69", Difference::Accept("0.01".parse().unwrap())),
        one("a total that is adjusted", "adjust_gross", "draft").total("61.70", Difference::AdjustLine),
        one("a total that is adjusted in a draft", "reopen", "quotation")
            .total("61.70", Difference::AdjustLine),
        one("a total that is no rounding", "TG-3204", "draft").total("51.00", Difference::AdjustLine),
    ]
}

fn after_the_confirmation() -> Vec<Case> {
    let other = |sale: &mut Value| sale["comment"] = json!("another");
    let street = |wanted: &mut Wanted| wanted.body["shipment_address"] = json!({"street": "Kade 1"});
    let amends = |wanted: &mut Wanted| {
        wanted.after_confirm.address = ChangeBecomes::Amend;
        wanted.after_confirm.line = ChangeBecomes::Amend;
        wanted.after_confirm.cancel = ChangeBecomes::Amend;
    };
    let counters = |wanted: &mut Wanted| {
        wanted.after_confirm.line = ChangeBecomes::CounterDocument;
        wanted.after_confirm.cancel = ChangeBecomes::CounterDocument;
    };
    let address = |id: i64| {
        json!({"id": id, "street": "", "postal_code": "", "city": "", "country": "", "attn": "",
                                   "party_name": ""})
    };
    let waiting = |sale: &mut Value| {
        sale["shipment_address"] = address(3);
        sale["shipments"] =
            json!([{"id": 7, "state": "waiting", "address": 2}, {"id": 8, "state": "done", "address": 2}]);
    };
    vec![
        one("confirmed, and Tryton left it", "process", "confirmed"),
        one("confirmed, and Tryton's queue will come", "done", "confirmed").settings("process", json!(false)),
        one("processing as wanted", "done", "processing"),
        one("done as wanted", "done", "done"),
        one("a total that differs, confirmed by a person", "done with a note", "processing")
            .total("51.00", Difference::Ticket),
        one("another comment", "TG-3203", "processing").object(other),
        one("another comment, to be amended", "TG-3203", "processing").object(other).wanted(amends),
        one("another comment, by a counter document", "TG-3203", "processing").object(other).wanted(counters),
        one("another address", "TG-3203", "processing").wanted(street),
        one("another address, to be amended", "amend_address", "processing").wanted(street).wanted(amends),
        one("another address, and it is packed", "TG-3203", "processing")
            .wanted(street)
            .wanted(amends)
            .object(|sale| sale["shipments"] = json!([{"id": 7, "state": "packed", "address": 2}])),
        one("shipments follow their sale", "amend_shipments", "processing").object(waiting).wanted(amends),
        one("shipments follow only where the flow says so", "done", "processing").object(waiting),
        one("to be cancelled", "TG-3203", "processing").cancelled(),
        one("to be cancelled by a button that is not there", "TG-3203", "processing")
            .cancelled()
            .wanted(amends),
        one("to be cancelled by a counter document", "counter", "processing").cancelled().wanted(counters),
        one("a counter document", "counter_quote", "processing").counter("draft"),
        one("a quoted counter document", "counter_confirm", "processing").counter("quotation"),
        one("a confirmed counter document", "counter_process", "processing").counter("confirmed"),
        one("a finished counter document", "done with a note", "processing").counter("processing"),
        one("a cancelled counter document", "TG-3202", "processing").counter("cancelled"),
    ]
}

/// Each field of a sale and of its lines, in a draft.
#[test]
fn whatever_says_something_else_is_rewritten() {
    let table = [
        ("/description", json!("#2 / PO 4711"), "description"),
        ("/comment", json!(""), "comment"),
        ("/date", json!("2026-11-24"), "sale_date"),
        ("/party", json!("CUST-002"), "party"),
        ("/currency", json!("USD"), "currency"),
        ("/payment_term", json!(null), "payment_term"),
        ("/lines/0/product", json!([2, "SKU-0002"]), "lines[0]"),
        ("/lines/0/product", json!(null), "lines[0]"),
        ("/lines/0/description", json!("another"), "lines[0]"),
        ("/lines/0/quantity", json!("11"), "lines[0]"),
        ("/lines/0/unit_price", json!("4.2501"), "lines[0]"),
        ("/lines/0/taxes", json!([[2, "0.09"]]), "lines[0]"),
        ("/lines", json!([]), "lines"),
    ];
    for (at, value, field) in table {
        let spoil = |sale: &mut Value| *sale.pointer_mut(at).unwrap() = value;
        let mut case = one("a draft", "amend", "draft").object(spoil);
        assert_eq!(case.planned(), "amend", "{at}");
        // After the confirmation the same is told with its name.
        if let Observed::One(object) = &mut case.observation.object {
            object.body["state"] = json!("processing");
        }
        assert_eq!(case.refusal().code, "TG-3203", "{at}");
        assert!(
            case.refusal().message.contains(&format!(" and {field} came after")),
            "{at}: {}",
            case.refusal()
        );
    }
}

#[test]
fn the_table_of_plans() {
    for case in before_the_confirmation().into_iter().chain(after_the_confirmation()) {
        assert_eq!(case.planned(), case.planned, "{}", case.name);
    }
}
