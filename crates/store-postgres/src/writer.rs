//! Group commits of appends: a few tasks, each with one transaction at a time into which goes whatever waits.
//!
//! Nobody waits for a timer: while a commit is on its way to the disk, the next group gathers. A group that the server
//! gave up (a deadlock, a fail-over) is tried once more where that is worth it, else its requests are told that the store
//! is unavailable; one request that fails by itself does not take the others with it.

use crate::append::{Prepared, names, places};
use crate::desk::{Shared, transact};
use crate::error::{Done, Fail};
use crate::partitions::is_missing;
use std::sync::{Arc, Weak};
use store::StoreError;
use store::log::Appended;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::{Mutex, oneshot};

/// Facts in one transaction: more make each wait longer and the transaction no cheaper.
const FACTS_MAX: usize = 1024;
/// Transactions side by side: one is at work while the other waits for the disk.
const WRITERS: usize = 2;

#[derive(Debug)]
struct Request {
    facts: Vec<Prepared>,
    reply: oneshot::Sender<Result<Vec<Appended>, StoreError>>,
}

/// Hands appends to the writers, who end when it is dropped.
#[derive(Debug)]
pub(crate) struct Writer(UnboundedSender<Request>);

impl Writer {
    /// Bounded by the intake, which counts the bytes that wait.
    pub(crate) fn start(shared: &Arc<Shared>) -> Self {
        let (sender, receiver) = unbounded_channel();
        let receiver = Arc::new(Mutex::new(receiver));
        for _ in 0..WRITERS {
            tokio::spawn(run(Arc::downgrade(shared), receiver.clone()));
        }
        Self(sender)
    }

    pub(crate) async fn append(&self, facts: Vec<Prepared>) -> Result<Vec<Appended>, StoreError> {
        let (reply, answer) = oneshot::channel();
        let ended = || StoreError::Bug("the writers of the store have ended".into());
        self.0.send(Request { facts, reply }).map_err(|_| ended())?;
        answer.await.map_err(|_| ended())?
    }
}

async fn run(shared: Weak<Shared>, requests: Arc<Mutex<UnboundedReceiver<Request>>>) {
    loop {
        let group = {
            let mut requests = requests.lock().await;
            let Some(first) = requests.recv().await else { return };
            let mut count = first.facts.len();
            let mut group = vec![first];
            while count < FACTS_MAX {
                let Ok(next) = requests.try_recv() else { break };
                count += next.facts.len();
                group.push(next);
            }
            group
        };
        let Some(shared) = shared.upgrade() else { return };
        commit(&shared, group).await;
    }
}

async fn commit(shared: &Arc<Shared>, group: Vec<Request>) {
    let facts: Vec<&Prepared> = group.iter().flat_map(|request| &request.facts).collect();
    match append(shared, &facts).await {
        Ok(answers) => {
            let mut answers = answers.into_iter();
            for request in group {
                let of_request = answers.by_ref().take(request.facts.len()).collect();
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
                        let facts: Vec<&Prepared> = request.facts.iter().collect();
                        append(shared, &facts).await.map_err(StoreError::from)
                    }
                    false => Err(error.clone()),
                };
                let _ = request.reply.send(answer);
            }
        }
    }
}

/// One transaction, with all that it needs before it begins.
async fn append(shared: &Arc<Shared>, facts: &[&Prepared]) -> Done<Vec<Appended>> {
    for second_try in [false, true] {
        prepare_tables(shared, facts).await?;
        let answers: Done<Vec<Appended>> =
            transact!(Here { shared: shared.clone() }, Write, desk => desk.append(facts).await);
        match answers {
            // Another node dropped a partition that we knew.
            Err(fail) if !second_try && is_missing(&fail) => shared.partitions.forget(),
            Err(fail) => return Err(fail),
            Ok(answers) => {
                let stored =
                    facts.iter().zip(&answers).filter(|(_, answer)| matches!(answer, Appended::Stored(_)));
                let shops = stored.filter_map(|(fact, _)| shared.names.shop_number(&fact.new.shop));
                shared.committed(shops);
                return Ok(answers);
            }
        }
    }
    Err(Fail::Store(StoreError::Bug("a partition is missing again and again".into())))
}

struct Here {
    shared: Arc<Shared>,
}

async fn prepare_tables(shared: &Shared, facts: &[&Prepared]) -> Done<()> {
    let wanted = names(facts.iter().copied());
    shared.ensure(wanted.iter().map(String::as_str)).await?;
    shared.partitions.ensure(&shared.pool, &places(facts.iter().copied())).await
}
