//! A server of its own that is killed in mid-append and started again: what was acknowledged is there once, what was not
//! is refused as unavailable, and the store goes on by itself.

use crate::support::{Database, fact, order, shop};
use std::path::{Path, PathBuf};
use std::process::Command;
use store::log::{DedupeKey, NewEnvelope};
use store::{Store, StoreError};
use tidegate_store_postgres::PostgresStore;
use tokio::sync::mpsc::UnboundedSender;

const WRITERS: u8 = 4;
const EACH: u8 = 60;

/// Stopped when the test ends, however it ends.
struct Server(tempfile::TempDir);

impl Server {
    fn script(&self, verb: &str) -> Command {
        let services = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../services/postgres.sh");
        let mut command = Command::new("bash");
        command.arg::<PathBuf>(services).arg(verb).arg("--dir").arg(self.0.path());
        command
    }

    /// The value of a line that the script prints.
    fn start(&self, name: &str) -> String {
        // A server that was killed leaves processes behind that see it a moment later, and none starts beside them.
        let mut output = self.script("start").output().unwrap();
        for _ in 0..20 {
            if output.status.success() {
                break;
            }
            output = self.script("start").output().unwrap();
        }
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let lines = String::from_utf8(output.stdout).unwrap();
        let value = lines.lines().find_map(|line| line.strip_prefix(&format!("{name}=")));
        value.unwrap_or_else(|| panic!("{name} in {lines}")).to_owned()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The folder goes with it; a server that cannot be stopped is told of by the test runner.
        let _ = self.script("stop").status();
    }
}

/// Sends again until it is answered, as Shopify does; returns how often it was refused.
async fn write(store: PostgresStore, writer: u8, told: UnboundedSender<()>) -> u32 {
    let mut refused = 0;
    for n in 0..EACH {
        let mut id = [writer; 16];
        id[0] = n;
        let new = NewEnvelope { dedupe: Some(DedupeKey(id)), ..fact(&order(&format!("{writer}-{n}"))) };
        loop {
            match store.append(vec![new.clone()]).await {
                Ok(_) => break,
                Err(StoreError::Unavailable(_)) => refused += 1,
                Err(error) => panic!("a server that is gone is no reason to give up: {error}"),
            }
            tokio::task::yield_now().await;
        }
        told.send(()).unwrap();
    }
    refused
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn real_postgres_killed_in_mid_append_loses_nothing_acknowledged() {
    let server = Server(tempfile::tempdir().unwrap());
    let options = Database::at(&server.start("POSTGRES_URL"));
    let store = PostgresStore::open(options).await.unwrap();
    let (told, mut acknowledged) = tokio::sync::mpsc::unbounded_channel();
    let writers: Vec<_> =
        (0..WRITERS).map(|writer| tokio::spawn(write(store.clone(), writer, told.clone()))).collect();
    drop(told);
    for _ in 0..30 {
        acknowledged.recv().await.unwrap();
    }
    let pid = server.start("POSTGRES_PID");
    assert!(Command::new("kill").args(["-KILL", &pid]).status().unwrap().success());
    tokio::task::block_in_place(|| server.start("POSTGRES_PID"));
    let mut refused = 0;
    for writer in writers {
        refused += writer.await.unwrap();
    }
    assert!(refused > 0, "nobody noticed");
    for writer in 0..WRITERS {
        for n in 0..EACH {
            let life = store.life(&shop(), &format!("order:{writer}-{n}")).await.unwrap();
            assert_eq!(life.envelopes.len(), 1, "{writer}-{n}");
        }
    }
    assert_eq!(store.log_size().await.unwrap().unrouted, u64::from(WRITERS) * u64::from(EACH));
}
