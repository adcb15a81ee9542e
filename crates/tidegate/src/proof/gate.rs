//! A gate between the hub and a real system that loses requests before they arrive and answers after the work is done. It passes
//! bytes and reads none of them.

use anyhow::Context as _;
use kernel::rng::{Rng as _, Seeded};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// Of a thousand connections, while there is trouble.
const REFUSED_PER_MILLE: u32 = 60;
const CUT_PER_MILLE: u32 = 150;
/// A cut comes within so many answers of its connection.
const CUT_WITHIN: u64 = 12;

#[derive(Debug)]
pub struct Gate {
    url: String,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    target: String,
    trouble: AtomicBool,
    lost: AtomicU64,
    seed: u64,
    connections: AtomicU64,
}

/// What becomes of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Passed,
    Refused,
    /// After so many answers the next one is lost.
    CutAfter(u64),
}

impl Gate {
    /// On a free port, until the process ends.
    pub async fn open(url: &str, seed: u64) -> anyhow::Result<Self> {
        let target = url.strip_prefix("http://").context("the system's URL is to begin with http://")?;
        let target = target.trim_end_matches('/').to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            target,
            trouble: AtomicBool::new(false),
            lost: AtomicU64::new(0),
            seed,
            connections: AtomicU64::new(0),
        });
        let inside = shared.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(attend(client, inside.clone()));
            }
        });
        Ok(Self { url: format!("http://{address}"), shared })
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    pub fn trouble(&self, on: bool) {
        self.shared.trouble.store(on, Ordering::Relaxed);
    }

    /// Requests and answers.
    pub fn lost(&self) -> u64 {
        self.shared.lost.load(Ordering::Relaxed)
    }
}

impl Shared {
    fn fate(&self) -> Fate {
        let number = self.connections.fetch_add(1, Ordering::Relaxed);
        if !self.trouble.load(Ordering::Relaxed) {
            return Fate::Passed;
        }
        let mut rng = Seeded::new(self.seed ^ number.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        match rng.below(1000) {
            drawn if drawn < u64::from(REFUSED_PER_MILLE) => Fate::Refused,
            drawn if drawn < u64::from(REFUSED_PER_MILLE + CUT_PER_MILLE) => {
                Fate::CutAfter(rng.below(CUT_WITHIN))
            }
            _ => Fate::Passed,
        }
    }
}

async fn attend(mut client: TcpStream, shared: Arc<Shared>) {
    let fate = shared.fate();
    if fate == Fate::Refused {
        shared.lost.fetch_add(1, Ordering::Relaxed);
        return;
    }
    let Ok(mut server) = TcpStream::connect(&shared.target).await else { return };
    let (mut from_client, mut to_client) = client.split();
    let (mut from_server, mut to_server) = server.split();
    let requests = async {
        // A broken connection is the end of both ways.
        let _ = tokio::io::copy(&mut from_client, &mut to_server).await;
    };
    let answers = async {
        let (mut buffer, mut answers) = (vec![0; 64 * 1024], 0);
        while let Ok(length) = from_server.read(&mut buffer).await {
            if length == 0 {
                return;
            }
            if buffer[..length].starts_with(b"HTTP/1.") {
                if matches!(fate, Fate::CutAfter(after) if answers >= after) {
                    shared.lost.fetch_add(1, Ordering::Relaxed);
                    return;
                }
                answers += 1;
            }
            if to_client.write_all(&buffer[..length]).await.is_err() {
                return;
            }
        }
    };
    tokio::select! {
        biased;
        () = answers => {}
        () = requests => {}
    }
}
