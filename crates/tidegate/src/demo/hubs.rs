//! The hub of a stage: one process, or several nodes of one PostgreSQL behind a front that gives each connection to the
//! next node that is ready, as a balancer does. Knows how each is started, killed and stopped, and none of what they do.

use super::hub_process::{HubProcess, Stopped};
use super::stage::{free_address, now, pause};
use jiff::Timestamp;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{AbortHandle, JoinSet};

/// All processes of a stage's hub.
#[derive(Debug)]
pub struct Hubs {
    nodes: Vec<HubProcess>,
    /// Where Shopify and people come in; with one process, that process itself.
    url: String,
    front: Option<AbortHandle>,
    /// Whose turn it is to be killed.
    next: usize,
    /// Nodes that are away, and until when.
    away: Vec<(usize, Timestamp)>,
    /// Nodes that are frozen, and until when.
    frozen: Vec<(usize, Timestamp)>,
    pub freezes: u32,
}

impl Hubs {
    pub fn one(hub: HubProcess) -> Self {
        Self {
            url: hub.url().to_owned(),
            nodes: vec![hub],
            front: None,
            next: 0,
            away: Vec::new(),
            frozen: Vec::new(),
            freezes: 0,
        }
    }

    /// So many nodes of one configuration, which names the front's address; each with its own address, folder and log.
    pub async fn several(count: u32, folder: &Path, front: &str) -> anyhow::Result<Self> {
        let mut nodes = Vec::new();
        for number in 1..=count {
            let url = free_address().await?;
            let log = folder.join(format!("hub-{number}.log"));
            let mut hub = HubProcess::new(&folder.join("tidegate.toml"), &log, &url)?;
            hub.set("hub.listen", url.trim_start_matches("http://"));
            hub.set("hub.data_dir", &folder.join(format!("node-{number}")).display().to_string());
            nodes.push(hub);
        }
        let listener = TcpListener::bind(front.trim_start_matches("http://")).await?;
        let addresses = nodes.iter().map(|node| node.url().trim_start_matches("http://").to_owned());
        let nodes_behind = addresses.map(Behind::new).collect::<anyhow::Result<_>>()?;
        let passing = tokio::spawn(pass_on(listener, nodes_behind));
        let front_task = Some(passing.abort_handle());
        Ok(Self {
            nodes,
            url: front.to_owned(),
            front: front_task,
            next: 0,
            away: Vec::new(),
            frozen: Vec::new(),
            freezes: 0,
        })
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    /// Of each process.
    pub fn urls(&self) -> impl Iterator<Item = &str> {
        self.nodes.iter().map(HubProcess::url)
    }

    pub fn count(&self) -> usize {
        self.nodes.len()
    }

    pub fn kills(&self) -> u32 {
        self.nodes.iter().map(|node| node.kills).sum()
    }

    /// One key over the file for all of them, from the next start on.
    pub fn set(&mut self, key: &str, value: &str) {
        self.nodes.iter_mut().for_each(|node| node.set(key, value));
    }

    /// The numbers of the processes that live.
    pub fn pids(&self) -> impl Iterator<Item = u32> {
        self.nodes.iter().filter_map(HubProcess::pid)
    }

    /// A limit on what they may write makes their writes fail, and does not kill them.
    pub fn survive_limits(&mut self) {
        self.nodes.iter_mut().for_each(HubProcess::survive_limits);
    }

    /// SIGTERM to one of them, and its start with that variable.
    pub async fn restart(
        &mut self,
        at: usize,
        variable: Option<(&'static str, &'static str)>,
    ) -> anyhow::Result<Stopped> {
        let stopped = self.nodes[at].stop_watched().await?;
        self.nodes[at].with_variable(variable);
        self.nodes[at].start().await?;
        Ok(stopped)
    }

    /// Returns when all that do not run are ready, and nobody is frozen.
    pub async fn start(&mut self) -> anyhow::Result<()> {
        self.away.clear();
        for (at, _) in self.frozen.drain(..) {
            self.nodes[at].thaw()?;
        }
        for node in self.nodes.iter_mut().filter(|node| node.pid().is_none()) {
            node.start().await?;
        }
        Ok(())
    }

    /// SIGKILL to the next of them.
    pub async fn kill(&mut self) -> anyhow::Result<()> {
        self.kill_next().await.map(drop)
    }

    /// SIGKILL to the next of them; it stays away for so long, while the others go on.
    pub async fn kill_for(&mut self, away: Duration) -> anyhow::Result<()> {
        // One is left: the play is of nodes that fail, not of all of them at once.
        if self.nodes.iter().filter(|node| node.pid().is_some()).count() < 2 {
            return Ok(());
        }
        let killed = self.kill_next().await?;
        self.away.push((killed, kernel::clock::after(now(), away)));
        Ok(())
    }

    /// The same where nobody may be left meanwhile.
    pub async fn kill_away(&mut self, away: Duration) -> anyhow::Result<()> {
        let killed = self.kill_next().await?;
        self.away.push((killed, kernel::clock::after(now(), away)));
        Ok(())
    }

    /// SIGSTOP to the next of them for so long: to the others it is as if it were dead, and then it is not.
    pub fn freeze_for(&mut self, span: Duration) -> anyhow::Result<()> {
        let frozen = self.next_alive();
        self.nodes[frozen].freeze()?;
        self.freezes += 1;
        self.frozen.push((frozen, kernel::clock::after(now(), span)));
        Ok(())
    }

    async fn kill_next(&mut self) -> anyhow::Result<usize> {
        let killed = self.next_alive();
        self.nodes[killed].kill().await?;
        Ok(killed)
    }

    /// Whose turn it is among those that live and are awake.
    fn next_alive(&mut self) -> usize {
        let alive = |at: &usize| {
            self.nodes[*at].pid().is_some() && self.frozen.iter().all(|(frozen, _)| frozen != at)
        };
        let turns = (0..self.nodes.len()).map(|turn| (self.next + turn) % self.nodes.len());
        let chosen = turns.into_iter().find(alive).unwrap_or(0);
        self.next = chosen + 1;
        chosen
    }

    /// Starts again who has been away for long enough, and wakes who was frozen for long enough.
    pub async fn back(&mut self) -> anyhow::Result<()> {
        let now = now();
        for (at, until) in std::mem::take(&mut self.frozen) {
            match until <= now {
                true => self.nodes[at].thaw()?,
                false => self.frozen.push((at, until)),
            }
        }
        let back: Vec<usize> =
            self.away.iter().filter(|(_, until)| *until <= now).map(|(at, _)| *at).collect();
        self.away.retain(|(_, until)| *until > now);
        for at in back {
            // It may have been started with all others meanwhile.
            if self.nodes[at].pid().is_none() {
                self.nodes[at].start().await?;
            }
        }
        Ok(())
    }

    /// Whether somebody is away or frozen for a while yet.
    pub fn is_short_of_nodes(&self) -> bool {
        !self.away.is_empty() || !self.frozen.is_empty()
    }

    /// SIGTERM to one after the other, and their ends.
    pub async fn stop(&mut self) -> anyhow::Result<()> {
        for (at, _) in self.frozen.drain(..) {
            self.nodes[at].thaw()?;
        }
        for node in &mut self.nodes {
            node.stop().await?;
        }
        if let Some(front) = self.front.take() {
            front.abort();
        }
        Ok(())
    }
}

/// A node as its balancer knows it.
#[derive(Debug)]
struct Behind {
    address: String,
    ready: AtomicBool,
    client: reqwest::Client,
}

/// As often as a balancer asks, and how long it waits.
const ASKED_EVERY: Duration = Duration::from_millis(250);
const ANSWERS_WITHIN: Duration = Duration::from_secs(1);

impl Behind {
    fn new(address: String) -> anyhow::Result<Self> {
        let client = reqwest::Client::builder().timeout(ANSWERS_WITHIN).build()?;
        Ok(Self { address, ready: AtomicBool::new(true), client })
    }

    fn is_ready(&self) -> bool {
        self.ready.load(Ordering::Relaxed)
    }

    async fn look(&self) {
        let answer = self.client.get(format!("http://{}/readyz", self.address)).send().await;
        self.ready.store(answer.is_ok_and(|answer| answer.status().is_success()), Ordering::Relaxed);
    }
}

/// Each connection to the next node that is ready; where none says so, to one that accepts it.
async fn pass_on(listener: TcpListener, nodes: Vec<Behind>) {
    let (nodes, next) = (Arc::new(nodes), Arc::new(AtomicUsize::new(0)));
    // They end with this.
    let mut looking = JoinSet::new();
    for at in 0..nodes.len() {
        let nodes = nodes.clone();
        looking.spawn(async move {
            loop {
                nodes[at].look().await;
                pause(ASKED_EVERY).await;
            }
        });
    }
    while let Ok((mut client, _)) = listener.accept().await {
        let (nodes, next) = (nodes.clone(), next.clone());
        tokio::spawn(async move {
            let first = next.fetch_add(1, Ordering::Relaxed);
            let turns = (0..nodes.len()).map(|turn| &nodes[(first + turn) % nodes.len()]);
            let (ready, other): (Vec<_>, Vec<_>) = turns.partition(|node| node.is_ready());
            for node in ready.into_iter().chain(other) {
                if let Ok(mut hub) = TcpStream::connect(&node.address).await {
                    // Either end may go away at any time; the client comes again.
                    let _ = tokio::io::copy_bidirectional(&mut client, &mut hub).await;
                    return;
                }
            }
        });
    }
}
