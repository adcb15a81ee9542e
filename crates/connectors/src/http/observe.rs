//! What the target has under an object key. Owns the look-up, the read by id, and the search under a former
//! connector's references; only reads.

use super::HttpConnector;
use super::config::LookUp;
use super::object::{self, scalar};
use super::plan::code;
use super::template::Values;
use connector::outbound::{Answer, Request};
use connector::port::{CallContext, ObjectState, Observed, Wanted};
use http::{Method, StatusCode};
use kernel::fault::{Fault, FaultKind};
use serde_json::Value;

impl HttpConnector {
    pub(super) async fn look(&self, call: &CallContext, wanted: &Wanted) -> Result<Observed, Fault> {
        let Some(look_up) = &self.config.look_up else { return self.known(call, wanted).await };
        match self.search(call, look_up, wanted.object_key.as_str()).await? {
            Observed::None if wanted.known.is_some() => self.known(call, wanted).await,
            Observed::None => self.adopted(call, look_up, wanted).await,
            found => self.whole(call, wanted, found).await,
        }
    }

    /// By what we know of it. Without a way to read it, it is taken to be there.
    async fn known(&self, call: &CallContext, wanted: &Wanted) -> Result<Observed, Fault> {
        let Some(known) = &wanted.known else { return Ok(Observed::None) };
        match (&self.config.read, &self.config.look_up) {
            (Some(_), _) => {
                Ok(self.read(call, wanted, &known.id).await?.map_or(Observed::None, Observed::One))
            }
            (None, Some(_)) => Ok(Observed::None),
            (None, None) => Ok(Observed::One(object::remembered(known))),
        }
    }

    /// A former connector wrote it under another reference.
    async fn adopted(
        &self,
        call: &CallContext,
        look_up: &LookUp,
        wanted: &Wanted,
    ) -> Result<Observed, Fault> {
        for reference in &wanted.also_known_as {
            match self.search(call, look_up, reference).await? {
                Observed::None => {}
                Observed::One(state) => return Ok(Observed::One(ObjectState { adopted: true, ..state })),
                many @ Observed::Many(_) => return Ok(many),
            }
        }
        Ok(Observed::None)
    }

    /// A list may show less of an object than a read.
    async fn whole(&self, call: &CallContext, wanted: &Wanted, found: Observed) -> Result<Observed, Fault> {
        match found {
            Observed::One(state) if self.config.read.is_some() => {
                let read = self.read(call, wanted, &state.external.id).await?;
                Ok(Observed::One(read.unwrap_or(state)))
            }
            found => Ok(found),
        }
    }

    async fn read(
        &self,
        call: &CallContext,
        wanted: &Wanted,
        id: &str,
    ) -> Result<Option<ObjectState>, Fault> {
        let Some(template) = &self.config.read else { return Ok(None) };
        let values = Values::from([("id", id.to_owned()), ("object_key", wanted.object_key.to_string())]);
        let path =
            template.fill_path(&values).map_err(|name| shape(format!("{{{name}}} has no usable value")))?;
        let Some((answer, body)) = self.ask(call, path).await? else { return Ok(None) };
        let at = &self.config.object;
        let state = at.in_answer(&body).and_then(|object| at.state_of(object, Some(&answer)));
        state
            .map(Some)
            .ok_or_else(|| shape(format!("a read gives no object with an id: {}", answer.excerpt())))
    }

    async fn search(&self, call: &CallContext, look_up: &LookUp, reference: &str) -> Result<Observed, Fault> {
        let values = Values::from([("object_key", reference.to_owned())]);
        let Ok(path) = look_up.path.fill_path(&values) else { return Ok(Observed::None) };
        let Some((answer, body)) = self.ask(call, path).await? else {
            return match &look_up.items {
                None => Ok(Observed::None),
                Some(_) => Err(shape("the look-up answers 404, which for a list is not \"none\"".to_owned())),
            };
        };
        let objects = match &look_up.items {
            None => self.config.object.in_answer(&body).map(std::slice::from_ref),
            Some(at) => body.pointer(at).and_then(Value::as_array).map(Vec::as_slice),
        };
        let Some(objects) = objects else {
            let at = look_up.items.as_deref().unwrap_or(&self.config.object.at);
            return Err(shape(format!("the look-up's answer has nothing at {at:?}: {}", answer.excerpt())));
        };
        let more = look_up.more.as_ref().and_then(|at| body.pointer(at));
        if more.is_some_and(|more| !matches!(more, Value::Null | Value::Bool(false))) {
            return Err(shape(format!(
                "the look-up for {reference} has more than one page: let it ask more narrowly"
            )));
        }
        self.hits(&answer, objects, reference)
    }

    fn hits(&self, answer: &Answer, objects: &[Value], reference: &str) -> Result<Observed, Fault> {
        let at = &self.config.object;
        let hits: Vec<&Value> = objects.iter().filter(|object| at.bears(object, reference)).collect();
        match hits.as_slice() {
            [] => Ok(Observed::None),
            [one] => at
                .state_of(one, Some(answer))
                .map(Observed::One)
                .ok_or_else(|| shape(format!("an object has no id at {:?}", at.id))),
            many => Ok(Observed::Many(
                many.iter().map(|object| scalar(object, &at.id).unwrap_or_else(|| "?".to_owned())).collect(),
            )),
        }
    }

    /// A read's answer; `None` for 404.
    async fn ask(&self, call: &CallContext, path: String) -> Result<Option<(Answer, Value)>, Fault> {
        let answer = self.outbound.send(call, Request::read(Method::GET, path)).await?;
        if answer.status == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        let answer = self.checked(answer)?;
        let body = answer.json()?;
        Ok(Some((answer, body)))
    }
}

/// The configuration does not describe what the target answers: a person has to look, and nothing was changed.
fn shape(what: String) -> Fault {
    Fault::new(FaultKind::Rejected, code::LOOK_UP_SHAPE, what)
}
