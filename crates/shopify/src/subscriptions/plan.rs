//! What is wanted against what is live. Pure.
//!
//! Ours is what sends to our address; another address belongs to somebody else, perhaps another installation of the
//! same app, and is left alone. A subscription with a filter tells us only a part: it is replaced. What Shopify
//! dropped after eight failures is simply not there, and is made again.

use super::topic::{APP_TOPICS, COMPLIANCE_TOPICS, enum_name};
use std::collections::{BTreeMap, BTreeSet};

/// What one flow needs of one topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Need {
    /// `orders/create`.
    pub topic: String,
    /// Empty: the whole body.
    pub include_fields: BTreeSet<String>,
    pub metafield_namespaces: BTreeSet<String>,
}

impl Need {
    /// The whole body.
    pub fn whole(topic: &str) -> Self {
        Self {
            topic: topic.to_owned(),
            include_fields: BTreeSet::new(),
            metafield_namespaces: BTreeSet::new(),
        }
    }
}

/// One subscription, as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spec {
    pub topic: String,
    pub uri: String,
    pub include_fields: BTreeSet<String>,
    pub metafield_namespaces: BTreeSet<String>,
}

/// All that one shop should have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    specs: Vec<Spec>,
    callback_url: String,
    api_version: String,
}

impl Wanted {
    /// One subscription a topic, whatever number of flows need it: their fields together, or the whole body where one
    /// of them needs that. The app's own topics are always among them.
    pub fn new(callback_url: &str, api_version: &str, needs: impl IntoIterator<Item = Need>) -> Self {
        let mut topics: BTreeMap<String, Need> =
            APP_TOPICS.iter().map(|topic| ((*topic).to_owned(), Need::whole(topic))).collect();
        for need in needs {
            match topics.get_mut(&need.topic) {
                None => {
                    topics.insert(need.topic.clone(), need);
                }
                Some(known) => {
                    if known.include_fields.is_empty() || need.include_fields.is_empty() {
                        known.include_fields.clear();
                    } else {
                        known.include_fields.extend(need.include_fields);
                    }
                    known.metafield_namespaces.extend(need.metafield_namespaces);
                }
            }
        }
        let by_api = topics.into_values().filter(|need| !COMPLIANCE_TOPICS.contains(&need.topic.as_str()));
        let specs = by_api.map(|need| Spec {
            topic: need.topic,
            uri: callback_url.to_owned(),
            include_fields: need.include_fields,
            metafield_namespaces: need.metafield_namespaces,
        });
        Self {
            specs: specs.collect(),
            callback_url: callback_url.to_owned(),
            api_version: api_version.to_owned(),
        }
    }

    pub fn specs(&self) -> &[Spec] {
        &self.specs
    }
}

/// A subscription, as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Live {
    pub id: String,
    /// `ORDERS_CREATE`.
    pub topic: String,
    pub uri: String,
    /// `JSON`.
    pub format: String,
    pub include_fields: BTreeSet<String>,
    pub metafield_namespaces: BTreeSet<String>,
    pub filter: Option<String>,
    pub api_version: String,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    Create(Spec),
    Update { id: String, spec: Spec },
    Delete { id: String },
    Keep { id: String },
}

/// One line of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// As it is wanted (`orders/create`), or as Shopify calls what nobody wants (`PRODUCTS_CREATE`).
    pub topic: String,
    pub action: Action,
    /// For a person.
    pub why: String,
}

impl Change {
    /// Whether something has to be done.
    pub fn is_due(&self) -> bool {
        !matches!(self.action, Action::Keep { .. })
    }
}

/// What leads from `live` to `wanted`: first what is missing, so that there is no moment without, last what goes.
pub fn plan(wanted: &Wanted, live: &[Live]) -> Vec<Change> {
    let mut changes: Vec<Change> = wanted.specs.iter().map(|spec| of_spec(spec, live)).collect();
    changes.extend(live.iter().filter_map(|one| of_live(wanted, one)));
    changes.sort_by_key(|change| match change.action {
        Action::Create(_) => 0,
        Action::Update { .. } => 1,
        Action::Delete { .. } => 2,
        Action::Keep { .. } => 3,
    });
    changes
}

/// Sends all of a topic to our address.
fn is_whole(one: &Live, spec: &Spec) -> bool {
    one.topic == enum_name(&spec.topic) && one.uri == spec.uri && one.filter.is_none()
}

fn of_spec(spec: &Spec, live: &[Live]) -> Change {
    let new = |action, why: String| Change { topic: spec.topic.clone(), action, why };
    let Some(one) = live.iter().find(|one| is_whole(one, spec)) else {
        let elsewhere = live.iter().any(|one| one.topic == enum_name(&spec.topic) && one.uri != spec.uri);
        let why = if elsewhere {
            "it is sent to another address only"
        } else {
            "it is not there: never made, or dropped by Shopify after eight failures"
        };
        return new(Action::Create(spec.clone()), why.to_owned());
    };
    let mut why = Vec::new();
    if one.include_fields != spec.include_fields {
        why.push(format!(
            "it sends {} in place of {}",
            fields(&one.include_fields),
            fields(&spec.include_fields)
        ));
    }
    if one.metafield_namespaces != spec.metafield_namespaces {
        why.push(format!(
            "its metafields are of [{}] in place of [{}]",
            joined(&one.metafield_namespaces),
            joined(&spec.metafield_namespaces)
        ));
    }
    if one.format != "JSON" {
        why.push(format!("it sends {} in place of JSON", one.format));
    }
    if why.is_empty() {
        return new(Action::Keep { id: one.id.clone() }, "it is as the flows need it".to_owned());
    }
    new(Action::Update { id: one.id.clone(), spec: spec.clone() }, why.join("; "))
}

/// What becomes of a live one that no spec is met by.
fn of_live(wanted: &Wanted, one: &Live) -> Option<Change> {
    if wanted.specs.iter().any(|spec| is_whole(one, spec)) {
        return None;
    }
    let new = |action, why: &str| Some(Change { topic: one.topic.clone(), action, why: why.to_owned() });
    let id = one.id.clone();
    if one.uri != wanted.callback_url {
        return new(Action::Keep { id }, "it sends to another address, which is not ours to change");
    }
    match &one.filter {
        Some(_) => new(Action::Delete { id }, "its filter keeps a part from us"),
        None => new(Action::Delete { id }, "no flow needs it"),
    }
}

fn fields(fields: &BTreeSet<String>) -> String {
    if fields.is_empty() { "the whole body".to_owned() } else { format!("[{}]", joined(fields)) }
}

fn joined(texts: &BTreeSet<String>) -> String {
    texts.iter().map(String::as_str).collect::<Vec<_>>().join(", ")
}

/// What no subscription can set and a person has to: in the app's configuration at Shopify.
pub fn advice(wanted: &Wanted, live: &[Live]) -> Vec<String> {
    let ours = live.iter().filter(|one| one.uri == wanted.callback_url);
    let versions: BTreeSet<&str> = ours.map(|one| one.api_version.as_str()).collect();
    let mut advice = vec![format!(
        "set {} to {} in the app's configuration at Shopify: they are obligatory, and the Admin API cannot do it",
        COMPLIANCE_TOPICS.join(", "),
        wanted.callback_url
    )];
    for version in versions.into_iter().filter(|version| *version != wanted.api_version) {
        advice.push(format!(
            "webhooks are sent by API version {version}, and {} is configured here: set the app's webhook API version \
             at Shopify",
            wanted.api_version
        ));
    }
    advice
}

#[cfg(test)]
mod tests {
    use super::*;

    const URL: &str = "https://hub.example.com/webhooks/shopify";

    fn set(texts: &[&str]) -> BTreeSet<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    fn live(id: &str, topic: &str) -> Live {
        Live {
            id: id.into(),
            topic: topic.into(),
            uri: URL.into(),
            format: "JSON".into(),
            include_fields: BTreeSet::new(),
            metafield_namespaces: BTreeSet::new(),
            filter: None,
            api_version: "2026-10".into(),
        }
    }

    fn wanted() -> Wanted {
        Wanted::new(URL, "2026-10", [Need::whole("orders/create"), Need::whole("customers/redact")])
    }

    /// Everything that [`wanted`] wants.
    fn all() -> Vec<Live> {
        vec![live("1", "APP_SCOPES_UPDATE"), live("2", "APP_UNINSTALLED"), live("3", "ORDERS_CREATE")]
    }

    fn due(live: &[Live]) -> Vec<(String, String)> {
        let what = |action: &Action| match action {
            Action::Create(_) => "create".to_owned(),
            Action::Update { id, .. } => format!("update {id}"),
            Action::Delete { id } => format!("delete {id}"),
            Action::Keep { id } => format!("keep {id}"),
        };
        plan(&wanted(), live)
            .into_iter()
            .filter(Change::is_due)
            .map(|change| (change.topic, what(&change.action)))
            .collect()
    }

    #[test]
    fn what_is_missing_is_made_and_the_rest_is_left() {
        assert_eq!(due(&all()), []);
        let made = due(&[]);
        let topics: Vec<&str> = made.iter().map(|(topic, _)| topic.as_str()).collect();
        assert_eq!(topics, ["app/scopes_update", "app/uninstalled", "orders/create"]);
        assert_eq!(due(&all()[..2]), [("orders/create".to_owned(), "create".to_owned())]);
    }

    #[test]
    fn what_differs_is_changed_and_what_nobody_needs_goes() {
        let changed = |change: fn(&mut Live)| {
            let mut live = all();
            change(&mut live[2]);
            due(&live)
        };
        let update = [("orders/create".to_owned(), "update 3".to_owned())];
        assert_eq!(changed(|one| one.include_fields = set(&["id"])), update);
        assert_eq!(changed(|one| one.metafield_namespaces = set(&["custom"])), update);
        assert_eq!(changed(|one| one.format = "XML".into()), update);
        let replaced = [
            ("orders/create".to_owned(), "create".to_owned()),
            ("ORDERS_CREATE".to_owned(), "delete 3".to_owned()),
        ];
        assert_eq!(changed(|one| one.filter = Some("test:false".into())), replaced);
        assert_eq!(
            changed(|one| one.uri = "https://other.example.com".into()),
            [("orders/create".to_owned(), "create".to_owned())],
            "another address is not ours"
        );
        let mut more = all();
        more.push(live("4", "PRODUCTS_CREATE"));
        assert_eq!(due(&more), [("PRODUCTS_CREATE".to_owned(), "delete 4".to_owned())]);
    }

    #[test]
    fn what_several_flows_need_is_one_subscription() {
        let need = |fields: &[&str], namespaces: &[&str]| Need {
            topic: "orders/create".into(),
            include_fields: set(fields),
            metafield_namespaces: set(namespaces),
        };
        let of = |needs: Vec<Need>| {
            let wanted = Wanted::new(URL, "2026-10", needs);
            wanted.specs().iter().find(|spec| spec.topic == "orders/create").cloned().unwrap()
        };
        let both = of(vec![need(&["id"], &["a"]), need(&["id", "note"], &["b"])]);
        assert_eq!(
            (both.include_fields, both.metafield_namespaces),
            (set(&["id", "note"]), set(&["a", "b"]))
        );
        for needs in [vec![need(&[], &[]), need(&["id"], &[])], vec![need(&["id"], &[]), need(&[], &[])]] {
            assert_eq!(of(needs).include_fields, set(&[]), "the whole body holds every field");
        }
    }

    #[test]
    fn what_only_a_person_can_set_is_said() {
        assert_eq!(advice(&wanted(), &all()).len(), 1);
        let mut old = all();
        old[0].api_version = "2026-01".into();
        let advice = advice(&wanted(), &old);
        assert!(advice[0].contains("customers/redact"), "{advice:?}");
        assert!(advice[1].contains("by API version 2026-01"), "{advice:?}");
    }
}
