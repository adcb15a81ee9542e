//! Calls of Tryton's JSON-RPC: who we are, and one call. Owns the session (a password costs Tryton 300 ms, a session
//! nothing) and its renewal, once for each call, after a 401: an answer that says that nothing was done.

use super::config::Config;
use super::fault;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use connector::outbound::{Access, Answer, Auth, Outbound, OutboundConfig, Request};
use connector::port::CallContext;
use http::{Method, StatusCode};
use kernel::fault::Fault;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::sync::Mutex;

/// The same in each call: there is one call in a request.
pub(super) const CALL_ID: u64 = 1;

/// Who we are at one Tryton. Shared by connectors that speak to the same one.
#[derive(Debug, Clone, Default)]
pub(crate) struct Session(Arc<Mutex<Option<Token>>>);

/// What a log-in gives.
#[derive(Debug)]
struct Ticket {
    /// `USER:ID:KEY` in base64: what the header holds after `Session`.
    key: SecretString,
    user: u64,
}

type Token = Arc<Ticket>;

#[cfg(test)]
impl Session {
    /// One that Tryton need not know.
    pub(super) fn of(token: &str) -> Self {
        let ticket = Ticket { key: SecretString::from(STANDARD.encode(token)), user: 2 };
        Self(Arc::new(Mutex::new(Some(Arc::new(ticket)))))
    }
}

#[derive(Debug)]
pub(super) struct Rpc {
    path: String,
    user: String,
    password: SecretString,
    /// Without authentication: the log-in.
    door: Outbound,
    config: OutboundConfig,
    session: Session,
    /// With a session's authentication, so that its key is masked wherever it might show.
    inside: Mutex<Option<(Token, Arc<Outbound>)>>,
}

/// What the frozen bytes of a call are: the body of the request.
pub(super) fn body(method: &str, params: &[Value]) -> String {
    json!({"id": CALL_ID, "method": method, "params": params}).to_string()
}

impl Rpc {
    pub(super) fn new(config: &Config, session: Session) -> Result<Self, String> {
        Ok(Self {
            path: config.path(),
            user: config.user.clone(),
            password: config.password.clone(),
            door: Outbound::new(&config.outbound)?,
            config: config.outbound.clone(),
            session,
            inside: Mutex::default(),
        })
    }

    /// One call and what came of it.
    pub(super) async fn call(&self, call: &CallContext, access: Access, body: &str) -> Result<Value, Fault> {
        fault::result(self.answer(call, access, body).await?)
    }

    /// One call and its answer, whatever it says.
    pub(super) async fn answer(
        &self,
        call: &CallContext,
        access: Access,
        body: &str,
    ) -> Result<Answer, Fault> {
        let request = || Request {
            access,
            ..Request::write(Method::POST, &self.path).json_bytes(body.as_bytes().to_vec())
        };
        let (token, outbound) = self.inside(call, None).await?;
        let answer = outbound.send(call, request()).await?;
        if answer.status != StatusCode::UNAUTHORIZED {
            return Ok(answer);
        }
        let (_, outbound) = self.inside(call, Some(&token)).await?;
        outbound.send(call, request()).await
    }

    /// Says yes to a warning of Tryton's, once: what its own client does when a person clicks.
    pub(super) async fn say_yes(
        &self,
        call: &CallContext,
        warning: &str,
        context: Value,
    ) -> Result<(), Fault> {
        let (token, _) = self.inside(call, None).await?;
        let values = json!([{"user": token.user, "name": warning}]);
        let body = body("model.res.user.warning.create", &[values, context]);
        self.call(call, Access::Write, &body).await.map(drop)
    }

    /// The way in; a new session where there is none or only the one that was refused.
    async fn inside(
        &self,
        call: &CallContext,
        refused: Option<&Token>,
    ) -> Result<(Token, Arc<Outbound>), Fault> {
        let token = self.token(call, refused).await?;
        let mut inside = self.inside.lock().await;
        match &*inside {
            Some((known, outbound)) if Arc::ptr_eq(known, &token) => Ok((token, outbound.clone())),
            _ => {
                let key = SecretString::from(format!("Session {}", token.key.expose_secret()));
                let auth = Auth::ApiKey { header: "authorization".to_owned(), key };
                let outbound = Arc::new(self.outbound(auth)?);
                *inside = Some((token.clone(), outbound.clone()));
                Ok((token, outbound))
            }
        }
    }

    /// What the clock of its last log-in said.
    pub(super) fn clock_ahead_ms(&self) -> Option<i64> {
        self.door.clock_ahead_ms()
    }

    fn outbound(&self, auth: Auth) -> Result<Outbound, Fault> {
        Outbound::new(&OutboundConfig { auth, ..self.config.clone() }).map_err(|problem| {
            let failure = connector::outbound::Failure::NotBuilt(problem);
            connector::outbound::classify::failure(Access::Health, &failure)
        })
    }

    /// One log-in at a time: who comes while it is under way gets its session.
    async fn token(&self, call: &CallContext, refused: Option<&Token>) -> Result<Token, Fault> {
        let mut session = self.session.0.lock().await;
        match &*session {
            Some(token) if refused.is_none_or(|refused| !Arc::ptr_eq(token, refused)) => Ok(token.clone()),
            _ => {
                *session = None;
                let token = Arc::new(self.log_in(call).await?);
                *session = Some(token.clone());
                Ok(token)
            }
        }
    }

    async fn log_in(&self, call: &CallContext) -> Result<Ticket, Fault> {
        let password = json!({"password": self.password.expose_secret()});
        let body = body("common.db.login", &[json!(self.user), password]);
        let request = Request::health(Method::POST, &self.path).json_bytes(body);
        let answer = self.door.send(call, request).await?;
        let failed = answer.unreadable("a log-in gives no session");
        let result = fault::result(answer)?;
        let (Some(user), Some(key)) = (result[0].as_u64(), result[1].as_str()) else { return Err(failed) };
        let key = SecretString::from(STANDARD.encode(format!("{}:{user}:{key}", self.user)));
        Ok(Ticket { key, user })
    }
}
