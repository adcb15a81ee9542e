//! The client of one shop: takes the cost, sends a document of the table, hands on what the answer means. Owns the
//! endpoint, the token's header and the version that is asked for; repeats nothing, and waits only where its caller
//! gave it a deadline to wait within.

use super::answer::{self, Reply, UserErrors};
use super::bucket::{Claim, CostBucket, Taken};
use super::document::Document;
use super::pause::Pause;
use connector::outbound::classify::code::{ADDRESS_REFUSED, NO_TOKEN, NOT_BUILT, NOT_REACHED};
use connector::outbound::{
    Access, Auth, Carrier, ClientAuth, ClientCredentials, Elsewhere, Outbound, OutboundConfig, Request,
};
use connector::port::CallContext;
use http::Method;
use kernel::clock::{Clock, Mono};
use kernel::fault::{Fault, FaultKind};
use kernel::id::ShopId;
use secrecy::SecretString;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Our own codes; each has a page in `docs/errors/`.
mod code {
    /// The shop's cost bucket has to refill before this call.
    pub(super) const COST: &str = "TG-6101";
    /// A call for a shop that is not configured.
    pub(super) const NO_SHOP: &str = "TG-6104";
    /// A read of many pages did not end in its call's time.
    pub(super) const TIME: &str = "TG-6105";
}

const TOKEN_HEADER: &str = "X-Shopify-Access-Token";
const TOKEN_PATH: &str = "/admin/oauth/access_token";
/// A page of order lines may well be larger than what other systems answer.
const ANSWER_BYTES_MAX: u64 = 8 * 1024 * 1024;

/// One shop, as the configuration has it.
#[derive(Debug, Clone)]
pub struct ShopConnection {
    pub id: ShopId,
    /// `acme.myshopify.com`.
    pub domain: String,
    /// Asked in place of the shop's domain: a look-alike.
    pub admin_url: Option<String>,
    pub api_version: String,
    pub access: ShopAccess,
    /// Points a second, by the shop's plan.
    pub restore_rate: u32,
}

/// What opens the shop's Admin API.
#[derive(Debug, Clone)]
pub enum ShopAccess {
    /// A token of the app's installation that does not end.
    Token(SecretString),
    /// The client credentials grant, for an app of the store's own organisation: a token of a day, asked for by id and
    /// secret (shopify.dev: "Using the client credentials grant").
    ClientCredentials { client_id: String, client_secret: SecretString },
}

impl ShopAccess {
    fn auth(self, base: &str) -> Auth {
        match self {
            ShopAccess::Token(key) => Auth::ApiKey { header: TOKEN_HEADER.to_owned(), key },
            ShopAccess::ClientCredentials { client_id, client_secret } => {
                Auth::OAuth2(Box::new(ClientCredentials {
                    token_url: format!("{base}{TOKEN_PATH}"),
                    client_id,
                    client_secret,
                    scope: None,
                    audience: None,
                    client_auth: ClientAuth::Body,
                    carrier: Carrier::Header(TOKEN_HEADER.to_owned()),
                }))
            }
        }
    }
}

/// What a client needs from outside.
#[derive(Debug, Clone)]
pub struct Ports {
    pub clock: Arc<dyn Clock>,
    pub pause: Arc<dyn Pause>,
}

/// Speaks to one shop.
#[derive(Debug)]
pub struct ShopClient {
    id: ShopId,
    domain: String,
    api_version: String,
    path: String,
    outbound: Outbound,
    bucket: Arc<CostBucket>,
    ports: Ports,
    other_version_told: AtomicBool,
}

/// The clients of all shops.
#[derive(Debug, Clone, Default)]
pub struct Shops(Arc<BTreeMap<ShopId, Arc<ShopClient>>>);

impl Shops {
    pub fn new(clients: impl IntoIterator<Item = ShopClient>) -> Self {
        let pairs = clients.into_iter().map(|client| (client.id.clone(), Arc::new(client)));
        Self(Arc::new(pairs.collect()))
    }

    /// The shop's client.
    pub fn get(&self, shop: &ShopId) -> Result<&Arc<ShopClient>, Fault> {
        self.0.get(shop).ok_or_else(|| {
            let what = format!("shop {shop} is not configured: add it to [shops], or skip what waits for it");
            Fault::new(FaultKind::Rejected, code::NO_SHOP, what)
        })
    }

    pub fn iter(&self) -> impl Iterator<Item = &Arc<ShopClient>> {
        self.0.values()
    }
}

/// The bytes of a call: what a step freezes and what is sent.
pub(crate) fn frozen(document: &Document, variables: &Value) -> Vec<u8> {
    let body = json!({ "operationName": document.name, "query": document.text, "variables": variables });
    body.to_string().into_bytes()
}

/// The time that a call of several requests has, and what of it may be waited away.
#[derive(Debug, Clone)]
pub(crate) struct Deadline {
    call: CallContext,
    end: Mono,
}

impl Deadline {
    pub(crate) fn new(client: &ShopClient, call: &CallContext) -> Self {
        Self { call: call.clone(), end: client.ports.clock.now().mono.plus(call.time_out) }
    }

    /// The same call with the time that it has left.
    pub(crate) fn rest(&self, client: &ShopClient) -> CallContext {
        CallContext { time_out: self.end.since(client.ports.clock.now().mono), ..self.call.clone() }
    }
}

impl ShopClient {
    /// Refuses an address or a token that cannot be used, with what to do. Makes no call.
    pub fn connect(shop: ShopConnection, ports: Ports) -> Result<Self, String> {
        let base = shop.admin_url.unwrap_or_else(|| format!("https://{}", shop.domain));
        let base = base.trim_end_matches('/');
        let mut config = OutboundConfig::new(base);
        config.auth = shop.access.auth(base);
        config.answer_bytes_max = ANSWER_BYTES_MAX;
        let bucket = CostBucket::new(shop.restore_rate, ports.clock.clone());
        Ok(Self {
            outbound: Outbound::new(&config).map_err(|problem| format!("shop {}: {problem}", shop.id))?,
            path: format!("/admin/api/{}/graphql.json", shop.api_version),
            id: shop.id,
            domain: shop.domain,
            api_version: shop.api_version,
            bucket,
            ports,
            other_version_told: AtomicBool::new(false),
        })
    }

    pub fn id(&self) -> &ShopId {
        &self.id
    }

    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// The version that is asked for.
    pub fn api_version(&self) -> &str {
        &self.api_version
    }

    pub fn bucket(&self) -> &Arc<CostBucket> {
        &self.bucket
    }

    /// Sends a document. Where the bucket is too low it is Throttled, with the time that the bucket needs.
    pub async fn ask(
        &self,
        call: &CallContext,
        claim: Claim,
        document: &Document,
        variables: &Value,
    ) -> Result<Reply, Fault> {
        self.send(call, claim, document, document.access, frozen(document, variables)).await
    }

    /// As [`ask`](Self::ask), of a call whose bytes were frozen.
    pub async fn send(
        &self,
        call: &CallContext,
        claim: Claim,
        document: &Document,
        access: Access,
        body: Vec<u8>,
    ) -> Result<Reply, Fault> {
        let taken = self.take(claim, document).map_err(|wait| self.too_low(document, wait))?;
        self.exchange(call, document, access, body, taken, UserErrors::Judged).await
    }

    /// As [`send`](Self::send), of a write of many things: its `userErrors` are in the reply, each for its own thing.
    pub(crate) async fn send_many(
        &self,
        call: &CallContext,
        claim: Claim,
        document: &Document,
        body: Vec<u8>,
    ) -> Result<Reply, Fault> {
        let taken = self.take(claim, document).map_err(|wait| self.too_low(document, wait))?;
        self.exchange(call, document, document.access, body, taken, UserErrors::Handed).await
    }

    /// As [`ask`](Self::ask), for one of several requests of a call: waits for the bucket where its time allows that.
    pub(crate) async fn ask_within(
        &self,
        deadline: &Deadline,
        claim: Claim,
        document: &Document,
        variables: &Value,
    ) -> Result<Reply, Fault> {
        loop {
            let left = deadline.end.since(self.ports.clock.now().mono);
            if left.is_zero() {
                let what = format!("{} pages are left when the call's time is over", document.name);
                return Err(Fault::new(FaultKind::Transient, code::TIME, what));
            }
            match self.take(claim, document) {
                Ok(taken) => {
                    let call = CallContext { time_out: left, ..deadline.call.clone() };
                    let body = frozen(document, variables);
                    let judged = UserErrors::Judged;
                    return self.exchange(&call, document, document.access, body, taken, judged).await;
                }
                // A wait that leaves no time for the answer is the engine's.
                Err(wait) if wait * 2 > left => return Err(self.too_low(document, wait)),
                Err(wait) => self.ports.pause.pause(wait).await,
            }
        }
    }

    /// Lets a time pass, for whoever waits for Shopify to end something.
    pub(crate) async fn pause(&self, wait: Duration) {
        self.ports.pause.pause(wait).await;
    }

    pub(crate) fn mono(&self) -> Mono {
        self.ports.clock.now().mono
    }

    /// A file that an answer names.
    pub(crate) fn elsewhere(&self, url: &str) -> Result<Elsewhere, Fault> {
        self.outbound.elsewhere(url)
    }

    fn take(&self, claim: Claim, document: &Document) -> Result<Taken, Duration> {
        self.bucket.take(claim, self.bucket.cost_of(document.name, document.cost))
    }

    fn too_low(&self, document: &Document, wait: Duration) -> Fault {
        let what = format!("the cost bucket of shop {} has to refill before {}", self.id, document.name);
        Fault::new(FaultKind::Throttled, code::COST, what).retry_after(wait)
    }

    async fn exchange(
        &self,
        call: &CallContext,
        document: &Document,
        access: Access,
        body: Vec<u8>,
        taken: Taken,
        user_errors: UserErrors,
    ) -> Result<Reply, Fault> {
        let request = match access {
            Access::Read => Request::read(Method::POST, &self.path),
            Access::Write => Request::write(Method::POST, &self.path),
            Access::Health => Request::health(Method::POST, &self.path),
        };
        let answer = match self.outbound.send(call, request.json_bytes(body)).await {
            Ok(answer) => answer,
            Err(fault) => {
                if [NOT_REACHED, ADDRESS_REFUSED, NOT_BUILT, NO_TOKEN].contains(&fault.code.as_str()) {
                    taken.unsent();
                }
                return Err(fault);
            }
        };
        let (cost, result) = answer::read(answer, document, &self.api_version, user_errors);
        taken.answered(document.name, cost.requested, cost.status);
        if let Ok(Reply { version: Some(version), .. }) = &result {
            self.tell_other_version(version);
        }
        result
    }

    /// Shopify falls forward to the oldest version that it still supports.
    fn tell_other_version(&self, version: &str) {
        if version != self.api_version && !self.other_version_told.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                shop = %self.id,
                asked = %self.api_version,
                answered = %version,
                "Shopify answers with another API version than was asked for: it supports that one no more"
            );
        }
    }
}
