//! Load as Shopify is: each webhook is sent when it is due, and sent again while it gets no 200 within five seconds.
//! Shopify does so eight times in four hours; here the pause is short, so that a run is. Owns what was acknowledged.

use super::load::{Connection, Pace, on_own_thread};
use super::orders::Requests;
use crate::demo::pause;
use std::cell::RefCell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Shopify waits this long for an answer.
const PATIENCE: Duration = Duration::from_secs(5);
const AGAIN_AFTER: Duration = Duration::from_secs(2);

/// What came of it.
#[derive(Debug, Default)]
pub struct Sent {
    /// By index: whether it got its 200.
    pub acknowledged: Vec<bool>,
    /// Answers that were no 200, came too late, or did not come.
    pub unanswered: u64,
}

impl Sent {
    pub fn acknowledged_count(&self) -> u64 {
        self.acknowledged.iter().filter(|acknowledged| **acknowledged).count() as u64
    }
}

/// Sends each until it is acknowledged, or until `give_up`.
pub async fn send(
    to: SocketAddr,
    requests: Arc<Requests>,
    pace: Pace,
    give_up: Instant,
) -> anyhow::Result<Sent> {
    on_own_thread(move || async move {
        let sent = Sent { acknowledged: vec![false; requests.len()], unanswered: 0 };
        let shared = Rc::new((RefCell::new(sent), RefCell::new(Vec::new())));
        let mut tasks = tokio::task::JoinSet::new();
        for index in 0..requests.len() {
            pause(pace.due(index).saturating_duration_since(super::clock::now())).await;
            let (requests, shared) = (requests.clone(), shared.clone());
            tasks.spawn_local(async move {
                let (sent, idle) = &*shared;
                let Some(request) = requests.get(index) else { return };
                while super::clock::now() < give_up {
                    if once(to, request, idle).await {
                        sent.borrow_mut().acknowledged[index] = true;
                        return;
                    }
                    sent.borrow_mut().unanswered += 1;
                    pause(AGAIN_AFTER).await;
                }
            });
        }
        while let Some(ended) = tasks.join_next().await {
            ended?;
        }
        Ok(shared.0.take())
    })
    .await
}

/// Over a connection that rests, or a new one; one that disappointed is not used again.
async fn once(to: SocketAddr, request: &[u8], idle: &RefCell<Vec<Connection>>) -> bool {
    let resting = idle.borrow_mut().pop();
    let exchange = async {
        let mut connection = match resting {
            Some(connection) => connection,
            None => Connection::open(to).await?,
        };
        let status = connection.exchange(request).await?;
        anyhow::Ok((connection, status))
    };
    match tokio::time::timeout(PATIENCE, exchange).await {
        Ok(Ok((connection, 200))) => {
            idle.borrow_mut().push(connection);
            true
        }
        _ => false,
    }
}
