//! A disk that fills: a small file system of the play's own for the hub's data, where one may be mounted; else a limit on
//! what the hub's process may write, under which every write fails.
//!
//! What the disk owes: while it is full webhooks are answered 503 and nothing else, and when there is space again the hub
//! takes the next one by itself.

use crate::demo::{Ground, Hubs, now, pause};
use anyhow::{Context as _, bail};
use jiff::Timestamp;
use rustix::process::{Pid, Resource, Rlimit};
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use twin::shopify::{SentWebhook, ShopifyTwin};

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum HowFull {
    /// Whichever can be had
    Any,
    /// A small file system that is filled; takes the right to mount one
    Mount,
    /// A limit on the hub's process
    Limit,
}

#[derive(Debug)]
enum Means {
    Mounted(PathBuf),
    Limited,
}

/// Under a hub's data.
#[derive(Debug)]
pub(super) struct SmallDisk(Means);

/// What came of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Full {
    pub refused: u64,
    pub recovered_ms: u64,
}

/// Room for some thousand orders.
const SIZE: &str = "size=96m,mode=700";
/// So many webhooks have to be refused before a disk counts as full.
const REFUSED_MIN: u64 = 3;
/// What is in the log already may be written over for a while.
const REFUSED_WITHIN: Duration = Duration::from_secs(40);
const TAKEN_WITHIN: Duration = Duration::from_secs(20);
const LOOK_EVERY: Duration = Duration::from_millis(20);
const SERVICE_UNAVAILABLE: u16 = 503;

impl SmallDisk {
    /// Before the hub's first start.
    pub fn under(ground: &mut Ground, how: HowFull) -> anyhow::Result<Self> {
        // The last byte is what is to be met here, not the guard before it.
        ground.hub.set("hub.limits.free_disk_min", "1B");
        let folder = ground.folder.join("small");
        std::fs::create_dir_all(&folder)?;
        let mounted = how != HowFull::Limit
            && Command::new("mount")
                .args(["-t", "tmpfs", "-o", SIZE, "tmpfs"])
                .arg(&folder)
                .output()
                .is_ok_and(|output| output.status.success());
        if mounted {
            ground.hub.set("hub.data_dir", &folder.join("data").display().to_string());
            return Ok(Self(Means::Mounted(folder)));
        }
        if how == HowFull::Mount {
            bail!("no file system can be mounted here: --disk-full=limit");
        }
        ground.hub.survive_limits();
        Ok(Self(Means::Limited))
    }

    /// Full until webhooks were refused for it, and for so long after; then until one was taken again.
    pub async fn fill_for(
        &self,
        for_: Duration,
        killed: bool,
        hub: &mut Hubs,
        shop: &ShopifyTwin,
    ) -> anyhow::Result<Full> {
        self.fill(hub)?;
        let full_at = now();
        let refused = || {
            let sent = shop.webhooks_sent();
            sent.iter().filter(|one| one.at >= full_at && one.status == Some(SERVICE_UNAVAILABLE)).count()
                as u64
        };
        until(REFUSED_WITHIN, || refused() >= REFUSED_MIN)
            .await
            .context("the disk is full, and no webhook was answered 503")?;
        pause(for_).await;
        let refused = refused();
        if killed {
            hub.kill().await?;
        }
        self.free(hub)?;
        let free_at = now();
        if killed {
            hub.start().await?;
        }
        let taken = |one: &SentWebhook| one.at >= free_at && one.succeeded();
        let first = || shop.webhooks_sent().iter().filter(|one| taken(one)).map(|one| one.at).min();
        until(TAKEN_WITHIN, || first().is_some())
            .await
            .context("the disk has space again, and no webhook was taken")?;
        let recovered_ms = first().map_or(0, |at: Timestamp| at.as_millisecond() - free_at.as_millisecond());
        Ok(Full { refused, recovered_ms: recovered_ms.unsigned_abs() })
    }

    fn fill(&self, hub: &Hubs) -> anyhow::Result<()> {
        match &self.0 {
            Means::Mounted(folder) => {
                let mut file = File::create(ballast(folder))?;
                let block = vec![0; 1 << 16];
                // To the last block, then to the last byte.
                while file.write_all(&block).is_ok() {}
                while file.write_all(&[0]).is_ok() {}
                Ok(())
            }
            Means::Limited => limit(hub, Some(0)),
        }
    }

    fn free(&self, hub: &Hubs) -> anyhow::Result<()> {
        match &self.0 {
            Means::Mounted(folder) => Ok(std::fs::remove_file(ballast(folder))?),
            Means::Limited => limit(hub, None),
        }
    }

    /// After the hub's end. What somebody may want to look into stays mounted.
    pub fn take_away(self, keep: bool) -> anyhow::Result<()> {
        if let Means::Mounted(folder) = self.0 {
            if keep {
                eprintln!("the hub's data is in {}: `umount` it when you have looked", folder.display());
            } else {
                let done = Command::new("umount").arg(&folder).status()?;
                anyhow::ensure!(done.success(), "{} cannot be unmounted", folder.display());
            }
        }
        Ok(())
    }
}

fn ballast(folder: &Path) -> PathBuf {
    folder.join("ballast")
}

/// How much the hub's process may write into a file; a process that has just been killed has no limit.
fn limit(hub: &Hubs, bytes: Option<u64>) -> anyhow::Result<()> {
    for pid in hub.pids().filter_map(|pid| Pid::from_raw(pid.cast_signed())) {
        let known =
            rustix::process::prlimit(Some(pid), Resource::Fsize, Rlimit { current: bytes, maximum: None });
        known.context("the hub's process cannot be limited")?;
    }
    Ok(())
}

async fn until(patience: Duration, mut is_so: impl FnMut() -> bool) -> anyhow::Result<()> {
    let look = async {
        while !is_so() {
            pause(LOOK_EVERY).await;
        }
    };
    Ok(tokio::time::timeout(patience, look).await?)
}
