//! The doors: the public port with webhooks, ingest, pages, health, metrics and the admin API; the operator's socket in
//! the data directory with the admin API alone.

use super::Running;
use super::cadence_pages::CadencePages;
use super::price_pages::PricePages;
use crate::wiring::{self, Loaded};
use anyhow::Context as _;
use api::admin::{AdminParts, Guard, StockFlow};
use api::forwarded::Client;
use api::health::{self, Health, Readiness};
use api::intake::{self, IngestAuth, IngestDoor, Intake, IntakeLimits};
use api::prices::Prices;
use api::server::{self, ServerLimits, Serving, Tls};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use axum::{Extension, Router};
use config::{Config, SHOPIFY};
use jiff::tz::TimeZone;
use secrecy::SecretString;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use store::seal::Random as _;
use tokio::net::{TcpListener, UnixListener};
use tokio::task::JoinHandle;
use wiring::clock::SystemRandom;

/// The operator's socket, within the data directory.
pub const SOCKET: &str = "tidegate.sock";

/// Both servers, until they have stopped.
pub struct Doors {
    address: SocketAddr,
    socket: PathBuf,
    servers: Vec<JoinHandle<()>>,
}

/// Before anything else is touched: a port that is taken ends the start with nothing done.
pub async fn listen(loaded: &Loaded) -> anyhow::Result<TcpListener> {
    let hub = loaded.config.hub().context("the configuration has no [hub]")?;
    let address = hub.listen.value;
    TcpListener::bind(address).await.with_context(|| {
        format!("hub.listen: {address} cannot be listened on; is another hub running there?")
    })
}

impl Doors {
    pub fn open(
        loaded: &Loaded,
        running: &Running,
        intake: Arc<Intake>,
        listener: TcpListener,
        tls: Option<Tls>,
    ) -> anyhow::Result<Self> {
        let hub = loaded.config.hub().context("the configuration has no [hub]")?;
        let address = listener.local_addr().context("the public port")?;
        let parts = Arc::new(admin_parts(loaded, running)?);
        let token = super::admin_token(loaded)?;
        let health = Health {
            intake: intake.clone(),
            readiness: running.readiness.clone(),
            metrics: running.metrics.clone(),
        };
        let public = Router::new()
            .merge(intake::router(intake))
            .merge(health::router(health))
            .merge(running.prices.clone().map(api::prices::router).unwrap_or_default())
            .merge(api::admin::router(parts.clone(), Guard::Bearer(token.clone())))
            .merge(ui::router(pages(loaded, running, token, tls.is_some())?))
            .layer(axum::middleware::from_fn(client_address))
            .layer(axum::middleware::from_fn_with_state(running.readiness.clone(), farewell));
        let proxies = hub.trusted_proxies.value.iter().map(|network| network.value).collect();
        let public = api::forwarded::behind(public, proxies);
        let limits = ServerLimits {
            connections_max: usize::try_from(hub.limits.connections_max.value).unwrap_or(usize::MAX),
            header_deadline: hub.limits.header_deadline.value,
            body_deadline: hub.limits.body_deadline.value,
            drain_deadline: hub.limits.drain_deadline.value,
        };
        let serving = |router, name, limits| Serving {
            router,
            limits,
            metrics: running.metrics.clone(),
            name,
            stop: running.stop.subscribe(),
        };
        let (operators, socket) = operators_socket(&loaded.config)?;
        let operator_limits = ServerLimits { connections_max: OPERATORS_MAX, ..limits };
        let operator = api::admin::router(parts, Guard::Socket);
        let servers = vec![
            public_server(listener, serving(public, "public", limits), tls),
            tokio::spawn(server::serve_unix(operators, serving(operator, "operator", operator_limits))),
        ];
        Ok(Self { address, socket, servers })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Both have stopped, or the deadline is over.
    pub async fn closed(self, deadline: Duration) {
        for server in self.servers {
            // What does not end in time is dropped with the process.
            let _ = tokio::time::timeout(deadline, server).await;
        }
        // Left behind it does no harm: the next start takes its place.
        let _ = std::fs::remove_file(&self.socket);
    }
}

fn public_server(listener: TcpListener, serving: Serving, tls: Option<Tls>) -> JoinHandle<()> {
    match tls {
        Some(tls) => tokio::spawn(server::serve_tls(listener, serving, tls)),
        None => tokio::spawn(server::serve_tcp(listener, serving)),
    }
}

const OPERATORS_MAX: usize = 32;

/// The store's lock was taken before, so that a socket which is there is left over from a life that was killed.
fn operators_socket(config: &Config) -> anyhow::Result<(UnixListener, PathBuf)> {
    let path = wiring::open::data_dir(config).context("the configuration has no [hub]")?.join(SOCKET);
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(error).with_context(|| format!("{} is in the way", path.display()));
        }
        _ => {}
    }
    let listener = UnixListener::bind(&path)
        .with_context(|| format!("{}: the operator's socket cannot be made", path.display()))?;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
    Ok((listener, path))
}

/// What is asked over admin v1, on both doors.
pub fn admin_parts(loaded: &Loaded, running: &Running) -> anyhow::Result<AdminParts> {
    Ok(AdminParts {
        store: running.store.clone(),
        hub: Arc::new(running.hub.clone()),
        clock: running.clock.clone(),
        watching: running.watching.clone(),
        watched: running.watched(loaded),
        works: wiring::admin::works(
            loaded,
            &running.plan,
            &running.connected,
            &running.store,
            &running.clock,
        ),
        flows: wiring::admin::flows(loaded),
        stock: stock(loaded, running)?,
        cadences: wiring::admin::cadences(loaded),
        prices: running.prices.clone(),
        hydrates: wiring::hydrate::all(
            loaded,
            &running.connected.shops,
            &running.store,
            &running.clock,
            Some(&running.stop.subscribe()),
        ),
        pulls: running.pulls.clone(),
        checks: wiring::full_check::all(
            loaded,
            &running.plan,
            &running.connected,
            &running.store,
            &running.clock,
        )?,
    })
}

fn stock(loaded: &Loaded, running: &Running) -> anyhow::Result<Vec<StockFlow>> {
    let Running { plan, connected, store, clock, .. } = running;
    let looking = wiring::full_check::looking(loaded, plan, connected, store, clock)?;
    Ok(wiring::admin::stock(loaded, plan, &looking))
}

fn pages(
    loaded: &Loaded,
    running: &Running,
    token: SecretString,
    own_tls: bool,
) -> anyhow::Result<ui::UiState> {
    let shops =
        loaded.config.shops.iter().map(|(id, shop)| (id.clone(), shop.time_zone.value.clone())).collect();
    let zone = loaded.config.shops.values().next().map_or(TimeZone::UTC, |shop| shop.time_zone.value.clone());
    let public = loaded.config.hub().and_then(|hub| hub.public_url.as_ref());
    Ok(ui::UiState {
        store: running.store.clone(),
        hub: Arc::new(running.hub.clone()),
        clock: running.clock.clone(),
        random: Arc::new(PageRandom),
        admin_token: token,
        watched: running.watched(loaded),
        stock: stock(loaded, running)?.into_iter().map(stock_page).collect(),
        prices: running.prices.clone().map(|prices| price_pages(loaded, running, prices)),
        cadences: Some(Arc::new(CadencePages {
            cadences: wiring::admin::cadences(loaded),
            store: running.store.clone(),
            clock: running.clock.clone(),
        })),
        shops,
        time_zone: zone,
        truth: truth(loaded),
        who: "operator".to_owned(),
        behind_tls: own_tls || public.is_some_and(|url| url.value.is_https()),
    })
}

fn price_pages(loaded: &Loaded, running: &Running, prices: Arc<Prices>) -> Arc<dyn ui::Prices> {
    let shops = loaded.config.shops.keys().cloned().collect();
    Arc::new(PricePages { prices, store: running.store.clone(), shops })
}

/// The pages know nothing of the API.
fn stock_page(flow: api::admin::StockFlow) -> ui::StockFlow {
    let api::admin::StockFlow { name, source, target, shops, facts, now } = flow;
    ui::StockFlow { name, source, target, shops, facts, now }
}

fn truth(loaded: &Loaded) -> ui::Truth {
    let told = &loaded.report.explanation;
    ui::Truth {
        wide_svg: told.to_svg(check::Width::Wide),
        narrow_svg: told.to_svg(check::Width::Narrow),
        text: told.to_string(),
    }
}

/// Session ids of the pages.
#[derive(Debug)]
struct PageRandom;

impl ui::Random for PageRandom {
    fn bytes(&self) -> std::io::Result<[u8; 32]> {
        let mut bytes = [0; 32];
        SystemRandom.fill(&mut bytes).map_err(std::io::Error::other)?;
        Ok(bytes)
    }
}

/// From the announcement on, each answer is the last on its connection: what a balancer keeps open comes to its end before
/// the port closes, and none is closed just as a request arrives on it.
async fn farewell(State(readiness): State<Arc<Readiness>>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    if readiness.is_draining() {
        response.headers_mut().insert(http::header::CONNECTION, http::HeaderValue::from_static("close"));
    }
    response
}

/// For the limit of logins.
async fn client_address(client: Option<Extension<Client>>, mut request: Request, next: Next) -> Response {
    if let Some(address) = client.and_then(|Extension(client)| client.address) {
        request.extensions_mut().insert(ui::ClientAddress(address));
    }
    next.run(request).await
}

pub fn intake_limits(loaded: &Loaded) -> anyhow::Result<IntakeLimits> {
    let limits = &loaded.config.hub().context("the configuration has no [hub]")?.limits;
    Ok(IntakeLimits {
        body_bytes_max: limits.body_bytes_max.value.0,
        body_deadline: limits.body_deadline.value,
        received_uncommitted_max: limits.received_uncommitted_max.value.0,
        free_disk_min: limits.free_disk_min.value.0,
    })
}

/// The systems that may push, each with the domains that some flow takes from it.
pub fn ingest(loaded: &Loaded) -> anyhow::Result<Vec<IngestDoor>> {
    let pushing = loaded
        .config
        .systems
        .iter()
        .filter(|(name, system)| system.ingest.is_open() && name.as_str() != SHOPIFY);
    pushing
        .map(|(name, system)| {
            let secret = |key: &str, reference: &Option<config::Setting<config::SecretRef>>| {
                let dotted = format!("systems.{name}.ingest.{key}");
                reference
                    .as_ref()
                    .map(|reference| wiring::shops::secret(loaded, &dotted, reference))
                    .transpose()
            };
            let mut domains: Vec<_> = loaded
                .config
                .flows
                .values()
                .filter(|flow| flow.source.value == *name)
                .map(|flow| flow.domain.value.clone())
                .collect();
            domains.sort();
            domains.dedup();
            let auth = IngestAuth {
                bearer: secret("bearer_token", &system.ingest.bearer_token)?,
                hmac: secret("hmac_secret", &system.ingest.hmac_secret)?,
            };
            Ok(IngestDoor { system: name.clone(), domains, auth, is_asked: loaded.reads_states(name) })
        })
        .collect()
}
