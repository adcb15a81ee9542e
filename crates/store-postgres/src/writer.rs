//! Group commits: a few tasks, each with one transaction at a time into which goes whatever waits; of appends, and of
//! moves of lanes.
//!
//! Nobody waits for a timer: while a commit is on its way to the disk, the next group gathers. A group that the server
//! gave up (a deadlock, a fail-over) is tried once more where that is worth it, else its requests are told that the store
//! is unavailable; one request that fails by itself does not take the others with it.

use crate::desk::Shared;
use crate::error::Done;
use std::future::Future;
use std::sync::{Arc, Weak};
use store::StoreError;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::{Mutex, oneshot};

/// Transactions side by side: one is at work while the other waits for the disk.
const WRITERS: usize = 2;

/// What is committed together.
pub(crate) trait Grouped: Send + Sync + Sized + 'static {
    type Answer: Send + 'static;
    /// In one transaction: more make each wait longer and the transaction no cheaper.
    const MAX: usize;
    /// One transaction; an answer for each, in their order.
    fn commit(shared: &Arc<Shared>, all: &[&Self]) -> impl Future<Output = Done<Vec<Self::Answer>>> + Send;
}

#[derive(Debug)]
struct Request<G: Grouped> {
    wanted: Vec<G>,
    reply: oneshot::Sender<Result<Vec<G::Answer>, StoreError>>,
}

/// Hands requests to the writers, who end when it is dropped.
#[derive(Debug)]
pub(crate) struct Writer<G: Grouped>(UnboundedSender<Request<G>>);

impl<G: Grouped> Writer<G> {
    /// Bounded by who asks: the intake counts the bytes that wait, the engine the lanes that it holds.
    pub(crate) fn start(shared: &Arc<Shared>) -> Self {
        let (sender, receiver) = unbounded_channel();
        let receiver = Arc::new(Mutex::new(receiver));
        for _ in 0..WRITERS {
            tokio::spawn(run(Arc::downgrade(shared), receiver.clone()));
        }
        Self(sender)
    }

    pub(crate) async fn write(&self, wanted: Vec<G>) -> Result<Vec<G::Answer>, StoreError> {
        let (reply, answer) = oneshot::channel();
        let ended = || StoreError::Bug("the writers of the store have ended".into());
        self.0.send(Request { wanted, reply }).map_err(|_| ended())?;
        answer.await.map_err(|_| ended())?
    }
}

async fn run<G: Grouped>(shared: Weak<Shared>, requests: Arc<Mutex<UnboundedReceiver<Request<G>>>>) {
    loop {
        let group = {
            let mut requests = requests.lock().await;
            let Some(first) = requests.recv().await else { return };
            let mut count = first.wanted.len();
            let mut group = vec![first];
            while count < G::MAX {
                let Ok(next) = requests.try_recv() else { break };
                count += next.wanted.len();
                group.push(next);
            }
            group
        };
        let Some(shared) = shared.upgrade() else { return };
        commit(&shared, group).await;
    }
}

async fn commit<G: Grouped>(shared: &Arc<Shared>, group: Vec<Request<G>>) {
    let all: Vec<&G> = group.iter().flat_map(|request| &request.wanted).collect();
    match G::commit(shared, &all).await {
        Ok(answers) => {
            let mut answers = answers.into_iter();
            for request in group {
                let of_request = answers.by_ref().take(request.wanted.len()).collect();
                // Whoever asked may be gone; what was committed stays committed.
                let _ = request.reply.send(Ok(of_request));
            }
        }
        Err(fail) => {
            let error = StoreError::from(fail);
            // Only where one of several is at fault is it worth while to find out which.
            let alone = group.len() > 1 && !matches!(error, StoreError::Unavailable(_));
            tracing::error!(error = %error, requests = group.len(), "nothing of this group was committed");
            for request in group {
                let answer = match alone {
                    true => {
                        let all: Vec<&G> = request.wanted.iter().collect();
                        G::commit(shared, &all).await.map_err(StoreError::from)
                    }
                    false => Err(error.clone()),
                };
                let _ = request.reply.send(answer);
            }
        }
    }
}
