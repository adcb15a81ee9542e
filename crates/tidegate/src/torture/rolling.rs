//! `tidegate torture --rolling`: orders keep coming while each node is stopped by SIGTERM and started again. On PostgreSQL
//! as an upgrade is: with the next version, whose schema is expanded; back to this one; with the next again; with the one
//! after that, which contracts it. What may not start does not, by its code; `/readyz` is red before the port closes; the
//! ledger holds; and what webhooks met is measured.

use super::availability::{Availability, BUDGET_MS, OBJECTIVE_BAD_PPM};
use super::{Args, CATCH_UP, nodes};
use crate::cli::{Common, Failure, block_on};
use crate::demo::{
    Ground, Hubs, Ledger, Played, Stage, StageOptions, Stopped, StoreKind, now, pause, workload,
};
use crate::wiring::rehearsal::{self, Version};
use anyhow::Context as _;
use kernel::rng::{Rng, Seeded};
use serde::Serialize;
use serde_json::json;
use std::cell::Cell;
use std::io::Write as _;
use std::path::Path;
use std::time::Duration;
use tokio::process::Command;
use twin::shop::Mix;
use twin::shopify::{SentWebhook, ShopifyTwin};

/// Between two restarts, as an orchestrator waits for a node to prove itself; and what each part ends with.
const PACE: Pace = Pace { settles: Duration::from_secs(2), steady: Duration::from_secs(5) };
const SHORT: Pace = Pace { settles: Duration::from_millis(300), steady: Duration::from_secs(1) };

#[derive(Debug, Clone, Copy)]
struct Pace {
    settles: Duration,
    steady: Duration,
}

/// Restarts of a single node.
const RESTARTS: u32 = 3;
/// Orders come in lots of so many seconds, until the play is over.
const LOT_S: u64 = 3;
/// A program that may not start says so by then.
const REFUSES_WITHIN: Duration = Duration::from_secs(30);

/// One part of the play, and what webhooks met in it.
#[derive(Debug, Clone, Serialize)]
struct Part {
    what: &'static str,
    #[serde(flatten)]
    availability: Availability,
    restarts: u32,
    /// The shortest time for which `/readyz` was red before a port closed.
    red_ms: Option<u64>,
    /// The longest time from SIGTERM to the end.
    stopped_within_ms: Option<u64>,
}

/// What came of it.
#[derive(Debug, Default)]
struct Rolled {
    parts: Vec<Part>,
    wrong: Vec<String>,
}

pub(super) fn run(common: &Common, args: &Args) -> Result<(), Failure> {
    let (rolled, ledger, seed) = block_on(async { Ok(play(args).await?) })?;
    let several = rolled.parts.iter().any(|part| part.what == UPGRADE);
    let parts = rolled.parts.iter().map(|part| &part.availability);
    let all = parts.fold(Availability::default(), Availability::and);
    told(&rolled, &ledger, &all);
    let good = ledger.holds()
        && rolled.wrong.is_empty()
        // One process that is restarted is away meanwhile; several are not.
        && (!several || all.bad_ppm() <= OBJECTIVE_BAD_PPM);
    if common.json {
        let counts = &ledger.counts;
        let wrong: Vec<&String> = rolled.wrong.iter().chain(&ledger.wrong).collect();
        let line = json!({
            "seed": seed, "parts": rolled.parts, "all": all, "bad_ppm": all.bad_ppm(), "objective_bad_ppm": OBJECTIVE_BAD_PPM,
            "orders": counts.sent, "exported": counts.exported, "lost": counts.lost, "doubled": counts.doubled,
            "out_of_order": ledger.out_of_order, "wrong": wrong, "holds": good,
        });
        writeln!(std::io::stdout().lock(), "{line}")?;
    }
    if good { Ok(()) } else { Err(Failure::Found) }
}

fn told(rolled: &Rolled, ledger: &Ledger, all: &Availability) {
    eprintln!(
        "\n{:<24} {:>9} {:>9} {:>10} {:>9} {:>8}  drain",
        "", "webhooks", "not good", "2xx in 5 s", "down", "restarts"
    );
    for part in &rolled.parts {
        let of = &part.availability;
        let instead: Vec<String> =
            of.instead.iter().map(|(answer, count)| format!("{count} × {answer}")).collect();
        let drain = match (part.red_ms, part.stopped_within_ms) {
            (Some(red), Some(stopped)) => {
                format!("red {red} ms before the port closed, ended within {stopped} ms")
            }
            _ => String::new(),
        };
        let drain = [drain, instead.join(", ")].join("  ");
        eprintln!(
            "{:<24} {:>9} {:>9} {:>10} {:>6} ms {:>8}  {drain}",
            part.what,
            of.asked,
            of.bad(),
            of.percent(),
            of.down_ms,
            part.restarts
        );
    }
    eprintln!("{:<24} {:>9} {:>9} {:>10} {:>6} ms", "all", all.asked, all.bad(), all.percent(), all.down_ms);
    let restarts: u32 = rolled.parts.iter().map(|part| part.restarts).sum();
    eprintln!(
        "{} ms without an answer for each restart; the objective (99.95 % in 30 days) allows {} s of them",
        all.down_ms.checked_div(u64::from(restarts)).unwrap_or(0),
        BUDGET_MS / 1000
    );
    let counts = &ledger.counts;
    eprintln!(
        "{} orders: {} exported, {} dead, {} filtered, {} lost, {} doubled",
        counts.sent, counts.exported, counts.dead, counts.filtered, counts.lost, counts.doubled
    );
    for wrong in rolled.wrong.iter().chain(&ledger.wrong) {
        eprintln!("WRONG: {wrong}");
    }
}

async fn play(args: &Args) -> anyhow::Result<(Rolled, Ledger, u64)> {
    // One node cannot be upgraded beside itself.
    let (nodes, _server) = nodes(args, args.nodes.max(2)).await?;
    let seed = args.seed.unwrap_or_else(crate::wiring::clock::seed);
    let by_look_up = args.look_up || seed.is_multiple_of(2);
    let mut stage =
        Stage::set(StageOptions { dir: args.dir.clone(), seed, mischief: true, by_look_up, nodes, pairs: 0 })
            .await?;
    eprintln!("seed {seed}; the hub's files are in {}", stage.ground.folder.display());
    stage.ground.hub.start().await?;
    stage.ground.subscribed().await?;
    let (mut rolled, mut played) = (Rolled::default(), Played::default());
    let over = Cell::new(false);
    let Ground { shop, hub, folder, .. } = &mut stage.ground;
    let (shop, folder) = (&*shop, &*folder);
    let acts = async {
        let mut acts = Acts {
            hub,
            folder,
            shop,
            pace: if args.minutes == 0 { SHORT } else { PACE },
            rolled: &mut rolled,
        };
        let acted = match args.store {
            StoreKind::Postgres => acts.upgrade().await,
            StoreKind::Sqlite => acts.restart_one().await,
        };
        over.set(true);
        acted
    };
    let load = async {
        let mut rng = Seeded::new(seed);
        let mut first = 1;
        while !over.get() {
            let lot = args.rate * LOT_S;
            let mut mix = Mix::demo();
            mix.change_delay_ms = (0, LOT_S * 500);
            // Nobody adds items here.
            mix.unknown_sku = 0;
            for (at, change) in workload(rng.next_u64(), lot, first, 1000 / args.rate, mix) {
                played.apply(shop, at, &change).await;
            }
            first += lot;
        }
    };
    let (acted, ()) = tokio::join!(acts, load);
    acted?;
    stage.caught_up(&played, CATCH_UP, None).await;
    let ledger = Ledger::take(&stage, &played).await?;
    let keep = args.dir.is_some() || !ledger.holds() || !rolled.wrong.is_empty();
    stage.strike(keep).await?;
    Ok((rolled, ledger, seed))
}

const UPGRADE: &str = "upgrade (expands)";

struct Acts<'a> {
    hub: &'a mut Hubs,
    folder: &'a Path,
    shop: &'a ShopifyTwin,
    pace: Pace,
    rolled: &'a mut Rolled,
}

/// What a node plays, from its next start on.
fn variable(version: Option<Version>) -> Option<(&'static str, &'static str)> {
    version.map(|version| (rehearsal::VARIABLE, version.as_str()))
}

impl Acts<'_> {
    async fn restart_one(&mut self) -> anyhow::Result<()> {
        self.part("steady", async |_| Ok(Vec::new())).await?;
        self.part("restarts of one process", async |acts| {
            let mut all = Vec::new();
            for _ in 0..RESTARTS {
                all.push(acts.hub.restart(0, None).await?);
                pause(acts.pace.settles).await;
            }
            Ok(all)
        })
        .await?;
        self.part("steady again", async |_| Ok(Vec::new())).await
    }

    async fn upgrade(&mut self) -> anyhow::Result<()> {
        self.part("steady", async |_| Ok(Vec::new())).await?;
        if !rehearsal::CAN {
            eprintln!(
                "this build knows one version: the same one is rolled (`--features rehearsal` plays the next)"
            );
            self.part(UPGRADE, async |acts| acts.roll(None).await).await?;
            return self.part("steady again", async |_| Ok(Vec::new())).await;
        }
        self.part(UPGRADE, async |acts| {
            let first = acts.hub.restart(0, variable(Some(Version::Next))).await?;
            // A node of this version runs: what it uses is not taken away.
            acts.refused(Some(Version::AfterNext), &["store", "migrate"], "TG-4010").await?;
            let mut all = vec![first];
            for at in 1..acts.hub.count() {
                pause(acts.pace.settles).await;
                all.push(acts.hub.restart(at, variable(Some(Version::Next))).await?);
            }
            Ok(all)
        })
        .await?;
        self.part("rolled back", async |acts| acts.roll(None).await).await?;
        self.part("upgraded again", async |acts| acts.roll(Some(Version::Next)).await).await?;
        self.part("upgrade (contracts)", async |acts| acts.roll(Some(Version::AfterNext)).await).await?;
        let data_dir = format!("hub.data_dir={}", self.folder.join("node-old").display());
        let start = ["run", "--set", "hub.listen=127.0.0.1:0", "--set", &data_dir];
        self.refused(None, &start, "TG-4009").await?;
        self.part("steady again", async |_| Ok(Vec::new())).await
    }

    /// Each node in turn.
    async fn roll(&mut self, to: Option<Version>) -> anyhow::Result<Vec<Stopped>> {
        let mut all = Vec::new();
        for at in 0..self.hub.count() {
            all.push(self.hub.restart(at, variable(to)).await?);
            pause(self.pace.settles).await;
        }
        Ok(all)
    }

    /// Plays a part, then some time in which nothing happens, and takes what webhooks met in both.
    async fn part(
        &mut self,
        what: &'static str,
        play: impl AsyncFnOnce(&mut Self) -> anyhow::Result<Vec<Stopped>>,
    ) -> anyhow::Result<()> {
        let from = now();
        let stopped = play(self).await.with_context(|| what)?;
        pause(self.pace.steady).await;
        let until = now();
        for one in &stopped {
            if one.red_for.is_none() {
                self.rolled.wrong.push(format!("{what}: a port closed and /readyz had not been red"));
            }
            if !one.well {
                self.rolled.wrong.push(format!("{what}: a hub that was asked to stop ended badly"));
            }
        }
        let ms = |span: Duration| u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
        let log: Vec<SentWebhook> = self.shop.webhooks_sent();
        let part = Part {
            what,
            availability: Availability::of(&log, from, until),
            restarts: u32::try_from(stopped.len())?,
            red_ms: stopped.iter().filter_map(|one| one.red_for).min().map(ms),
            stopped_within_ms: stopped.iter().map(|one| one.took).max().map(ms),
        };
        let Availability { asked, good, instead, .. } = &part.availability;
        eprintln!("{what}: {good} of {asked} webhooks answered 2xx within 5 s; instead {instead:?}");
        self.rolled.parts.push(part);
        Ok(())
    }

    /// A version that may not do that, and says so by this code.
    async fn refused(&mut self, version: Option<Version>, args: &[&str], code: &str) -> anyhow::Result<()> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(args).arg("--config").arg(self.folder.join("tidegate.toml")).envs(variable(version));
        command.kill_on_drop(true);
        let output = tokio::time::timeout(REFUSES_WITHIN, command.output()).await;
        let told = match output {
            Ok(output) => {
                let output = output?;
                let told = String::from_utf8_lossy(&output.stderr).into_owned();
                if !output.status.success() && told.contains(code) {
                    eprintln!("refused as it should be: {}", told.trim());
                    return Ok(());
                }
                told
            }
            Err(_) => "it ran".to_owned(),
        };
        self.rolled.wrong.push(format!("{args:?} was to be refused by {code}: {told}"));
        Ok(())
    }
}
