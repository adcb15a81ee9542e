//! A step's call as it is frozen: everything that goes out but who we are and the call key. Owns its form, which is
//! read again after a restart.

use super::config::{Body as BodyOf, StepConfig, StepKind};
use super::object::{Body, Context};
use super::template::Values;
use connector::port::{ExternalRef, ObjectState, Step, Wanted};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// The bytes of [`Step::request`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Frozen {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) headers: Vec<(String, String)>,
    /// The JSON that is sent, byte for byte.
    pub(super) body: Option<String>,
    /// The object that it is done to, where there is one already.
    pub(super) object: Option<ExternalRef>,
    /// The digest of the wanted body that the target has after it.
    pub(super) written: Option<String>,
}

impl Frozen {
    /// `Err` is the name in a template that has no value.
    pub(super) fn of(
        kind: StepKind,
        how: &StepConfig,
        wanted: &Wanted,
        object: Option<(&ObjectState, &Body)>,
        context: &Context,
    ) -> Result<Step, &'static str> {
        let values = values(wanted, object);
        let body = match &how.body {
            BodyOf::None => None,
            BodyOf::Wanted { wrap: None } => Some(wanted.body.clone()),
            BodyOf::Wanted { wrap: Some(key) } => Some(json!({ key: wanted.body })),
            BodyOf::Constant(constant) => Some(constant.fill(&values)?),
        };
        let mut headers = Vec::new();
        for (name, template) in &how.headers {
            headers.push((name.clone(), template.fill(&values)?));
        }
        let writes = matches!(how.body, BodyOf::Wanted { .. });
        let frozen = Self {
            method: how.method.to_string(),
            path: how.path.fill_path(&values)?,
            headers,
            body: body.map(|body| body.to_string()),
            object: object.map(|(object, _)| object.external.clone()),
            written: if writes { Some(digest(&wanted.body)) } else { context.written.clone() },
        };
        Ok(Step {
            name: kind.name().to_owned(),
            creates: kind == StepKind::Create,
            idempotent: how.idempotent,
            request: serde_json::to_vec(&frozen).unwrap_or_default(),
        })
    }

    /// What was sent of the order, without its wrapping: where a refusal's field points into.
    pub(super) fn sent(&self, how: &StepConfig) -> Value {
        let body =
            self.body.as_deref().and_then(|body| serde_json::from_str(body).ok()).unwrap_or(Value::Null);
        match &how.body {
            BodyOf::Wanted { wrap: Some(key) } => body.get(key).cloned().unwrap_or_default(),
            _ => body,
        }
    }
}

fn values(wanted: &Wanted, object: Option<(&ObjectState, &Body)>) -> Values {
    let mut values = Values::from([("object_key", wanted.object_key.to_string())]);
    if let Some((object, body)) = object {
        values.insert("id", object.external.id.clone());
        values.extend(object.external.number.clone().map(|number| ("number", number)));
        values.extend(body.version.clone().map(|version| ("version", version)));
    }
    values
}

/// Of a wanted body; the same value, the same digest, because the keys of a JSON object are sorted.
pub(super) fn digest(body: &Value) -> String {
    kernel::key::hex(&Sha256::digest(body.to_string().as_bytes())[..16])
}
