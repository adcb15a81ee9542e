//! `tidegate run`: the hub, from its configuration to its last answer. Owns the order in which things start and stop;
//! each thing itself is a crate's.

mod cadence_pages;
mod disk;
mod doors;
mod full_checks;
mod golive;
mod hydrations;
mod logging;
mod nodes;
mod price_pages;
mod price_sources;
mod stopping;
mod tasks;
mod tls;
mod work;

use crate::cli::{Common, Failure, block_on};
use crate::wiring::{self, Loaded};
use anyhow::Context as _;
use api::health::Readiness;
use api::intake::{Intake, IntakeParts};
use api::prices::Prices;
use api::prices::pull::Pull;
use api::privacy::Privacy;
use api::watch::{Sink, Watching, WebhookSink};
use doors::Doors;
pub use doors::SOCKET;
use engine::Engine;
use engine::hub::{Hub, Parts};
use engine::overview::Watched;
use engine::plan::Plan;
pub use full_checks::cursor as full_check_cursor;
use golive::GoLive;
pub use hydrations::{against_cursor as catalog_check_cursor, cursor as hydration_cursor};
use kernel::clock::Clock;
use nodes::{AtWork, Member};
pub use price_sources::cursor as price_pull_cursor;
use secrecy::SecretString;
use std::sync::Arc;
use stopping::Requests;
use store::Store;
use telemetry::Metrics;
use tokio::runtime::Handle;
use tokio::sync::watch;
use wiring::clock::SystemClock;
use wiring::connectors::Connected;
use wiring::node::{Node, Turn};
use wiring::open::{InForce, Opened};
use work::Work;

const EXAMPLES: &str = "\
Examples:
  tidegate run                                         the hub of ./tidegate.toml
  tidegate run -c /etc/tidegate/tidegate.toml
  TIDEGATE__HUB__LISTEN=0.0.0.0:8080 tidegate run      any key by a variable
  tidegate run --set hub.log_format=text               any key by a flag

It stops on SIGTERM or Ctrl-C: takes nothing more, lets what is under way end (hub.limits.drain_deadline), and goes on
from there at its next start. Killed at any instant it does the same, and looks up what it had under way.";

/// Runs the hub until it is told to stop
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {}

/// Refuses to start with any finding, and says all of them.
pub fn run(common: &Common, _: &Args) -> Result<(), Failure> {
    let loaded = wiring::load(&common.config, &common.overrides, true);
    if !loaded.is_good() {
        eprint!("{}", config::render(&loaded.report.findings));
        eprintln!("\nNothing was started: {} to mend first.", loaded.report.findings.len());
        return Err(Failure::Found);
    }
    logging::start(&loaded.config)?;
    let work = Work::new()?;
    let handle = work.handle();
    let result = block_on(async { Ok(serve(loaded, &handle).await?) });
    work.end();
    result
}

/// All that runs.
struct Running {
    store: Arc<dyn Store>,
    node: Node,
    /// Whether this node does what one does for all; the only node there is always does.
    first: watch::Receiver<bool>,
    hub: Hub,
    connected: Connected,
    plan: Plan,
    prices: Option<Arc<Prices>>,
    pulls: Vec<Arc<Pull>>,
    metrics: Arc<Metrics>,
    watching: Arc<Watching>,
    clock: Arc<dyn Clock>,
    readiness: Arc<Readiness>,
    stop: watch::Sender<bool>,
}

impl Running {
    /// For what one node does for all.
    fn turn(&self) -> Turn {
        Turn { first: self.first.clone(), stop: self.stop.subscribe() }
    }

    /// What the overview has to know.
    fn watched(&self, loaded: &Loaded) -> Watched {
        Watched::of(&self.plan, wiring::objective(loaded), self.watching.stock().clone())
    }
}

async fn serve(mut loaded: Loaded, work: &Handle) -> anyhow::Result<()> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let listener = doors::listen(&loaded).await?;
    let certificate = tls::Certificate::of(&loaded)?;
    let node = Node::of(&loaded)?;
    let Opened { store, woken } = wiring::open::store(&loaded, &clock).await?;
    let in_force = InForce::of(&loaded);
    // With others only where the store can be shared; what is paused is so before anything is taken.
    let (member, paused) = if woken.is_some() {
        let member = Member::enter(store.clone(), clock.clone(), node.name.clone(), in_force).await?;
        let paused = member.is_paused();
        (Some(member), paused)
    } else {
        (None, in_force.put(&store, &clock).await?)
    };
    let unanswered = store.begin_epoch(&node.name, clock.now().wall).await?;

    let metrics = Arc::new(Metrics::new());
    metrics.set_build(env!("CARGO_PKG_VERSION"), &loaded.revision);
    let watching = Watching::new(metrics.clone(), clock.clone(), sinks(&loaded, &metrics)?);
    let watching = Arc::new(watching.counting(wiring::stock_lags(&loaded, clock.now().wall)));
    let shops = wiring::shops::clients(&loaded, &clock)?;
    let shared = woken.is_some().then_some(&store);
    let prices = wiring::prices::open(&loaded, &shops, shared, &clock, &metrics).await?;
    let pulls = wiring::price_sources::all(&loaded, prices.as_ref(), &clock)?;
    let mut connected = wiring::connectors::build(&loaded, shops, wiring::charged::at(prices.as_ref()))?;
    wiring::composed::over(&loaded, &mut connected, &store)?;
    let mut plan = wiring::plan::build(&mut loaded)?;
    wiring::restored::doubt(&mut plan, &store, &connected).await?;
    let hub = {
        // What the hub spawns runs where it was started.
        let _there = work.enter();
        start_hub(&plan, &connected, &store, &clock, &watching, &node, member.is_some())
    };
    let go_live = GoLive::of(&loaded, &store, &hub, &clock);
    if member.as_ref().is_none_or(Member::is_in_force) {
        go_live.take_up().await?;
    }
    let (told_first, first) = watch::channel(member.is_none());
    let at_work = member.zip(woken).map(|(member, woken)| {
        AtWork::begin(member, go_live, hub.clone(), connected.shops.clone(), woken, told_first)
    });
    let (stop, _) = watch::channel(false);
    let readiness = Arc::new(Readiness::default());
    let running = Running {
        store,
        node,
        first,
        hub,
        connected,
        plan,
        prices,
        pulls,
        metrics,
        watching,
        clock,
        readiness,
        stop,
    };

    let intake = intake(&loaded, &running)?;
    let own_tls = certificate.as_ref().map(tls::Certificate::tls);
    // Whoever sees it answer may ask it to stop.
    let mut requests = Requests::heard()?;
    let doors = Doors::open(&loaded, &running, intake.clone(), listener, own_tls)?;
    let checks =
        wiring::full_check::all(&loaded, &running.plan, &running.connected, &running.store, &running.clock)?;
    let tasks = tasks::start(&loaded, &running, &intake, certificate, &checks);
    tracing::info!(
        server.name = "public",
        work.count = unanswered,
        "the hub runs at {}; {unanswered} calls of its last life have no answer and are looked up{}",
        doors.address(),
        if paused {
            "; all systems are paused, because the store was last used for other targets"
        } else {
            ""
        }
    );
    requests.next().await;
    stopping::stop(&loaded, running, doors, tasks, at_work, requests).await;
    Ok(())
}

fn start_hub(
    plan: &Plan,
    connected: &Connected,
    store: &Arc<dyn Store>,
    clock: &Arc<dyn Clock>,
    watching: &Arc<Watching>,
    node: &Node,
    among_nodes: bool,
) -> Hub {
    let planners = connected
        .connectors
        .iter()
        .map(|(name, connector)| {
            (name.clone(), Arc::new(connector.clone()) as Arc<dyn engine::engine::Planner>)
        })
        .collect();
    let mut engine =
        Engine::new(Arc::new(plan.clone()), planners, engine::mutant::Planted::default(), clock.now());
    if among_nodes {
        engine.among_nodes();
    }
    let parts = Parts {
        engine,
        store: store.clone(),
        connectors: connected.connectors.clone(),
        sources: connected.sources.clone(),
        clock: clock.clone(),
        watcher: watching.clone(),
        owner: node.name.clone(),
    };
    let rng = kernel::rng::Seeded::new(wiring::clock::seed());
    // The task ends by itself once the last handle is gone, or at the drain.
    let (hub, _) = Hub::start(parts, Box::new(rng));
    hub
}

fn sinks(loaded: &Loaded, metrics: &Arc<Metrics>) -> anyhow::Result<Vec<Arc<dyn Sink>>> {
    let escalation = &loaded.config.escalation;
    let Some(url) = &escalation.webhook else { return Ok(Vec::new()) };
    let bearer = escalation
        .bearer_token
        .as_ref()
        .map(|token| wiring::shops::secret(loaded, "escalation.bearer_token", token))
        .transpose()?;
    let (sink, _) = WebhookSink::start(url.as_str().to_owned(), bearer, metrics.clone())?;
    Ok(vec![sink])
}

fn intake(loaded: &Loaded, running: &Running) -> anyhow::Result<Arc<Intake>> {
    let data_dir = wiring::open::data_dir(&loaded.config).context("the configuration has no [hub]")?;
    let privacy = Privacy::new(
        running.store.clone(),
        running.watching.clone(),
        running.clock.clone(),
        Some(data_dir.join("redactions.ndjson")),
    );
    Ok(Intake::new(IntakeParts {
        store: running.store.clone(),
        hub: Arc::new(running.hub.clone()),
        clock: running.clock.clone(),
        watching: running.watching.clone(),
        free_space: Arc::new(disk::DataDisk::new(data_dir)),
        privacy: Arc::new(privacy),
        apps: wiring::shops::apps(loaded)?,
        shops: wiring::shops::entries(loaded),
        topics: wiring::subscriptions::topics(loaded),
        doors: doors::ingest(loaded)?,
        limits: doors::intake_limits(loaded)?,
    })?)
}

fn admin_token(loaded: &Loaded) -> anyhow::Result<SecretString> {
    let hub = loaded.config.hub().context("the configuration has no [hub]")?;
    wiring::shops::secret(loaded, "hub.admin_token", &hub.admin_token)
}
