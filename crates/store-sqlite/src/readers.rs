//! Readers apart from the writer: a few threads, each with a read-only connection. A reader sees what is committed,
//! which is what was answered before it was asked, and holds up nobody.

use crate::error::Done;
use crate::names::Names;
use crate::view::View;
use crate::writer::Writer;
use rusqlite::Connection;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use store::StoreError;
use store::seal::vault::Vault;
use tokio::sync::oneshot;

type Question = Box<dyn FnOnce(&Connection, &Names, &Vault) + Send>;

/// Hands questions to whichever reader is free.
#[derive(Clone)]
pub(crate) struct Readers {
    questions: Sender<Question>,
    writer: Writer,
}

impl std::fmt::Debug for Readers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Readers")
    }
}

/// The questions that wait, shared by the reader threads.
pub(crate) type Waiting = Arc<Mutex<Receiver<Question>>>;

impl Readers {
    pub(crate) fn channel(writer: Writer) -> (Self, Waiting) {
        let (sender, receiver) = std::sync::mpsc::channel();
        (Self { questions: sender, writer }, Arc::new(Mutex::new(receiver)))
    }

    /// All that the question reads is of one moment.
    pub(crate) async fn ask<T, F>(&self, question: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(View<'_>) -> Done<T> + Send + 'static,
    {
        self.writer.settled().await?;
        let (reply, answer) = oneshot::channel();
        let asked: Question = Box::new(move |connection, names, vault| {
            let found = catch_unwind(AssertUnwindSafe(|| {
                let moment = connection.unchecked_transaction()?;
                let found = question(View { connection, names, vault });
                drop(moment);
                found
            }));
            let found = found.unwrap_or_else(|_| Err(crate::error::bug("a question to the store panicked")));
            // Whoever asked may be gone.
            let _ = reply.send(found.map_err(StoreError::from));
        });
        let ended = || StoreError::Bug("the readers of the store have ended".into());
        self.questions.send(asked).map_err(|_| ended())?;
        answer.await.map_err(|_| ended())?
    }
}

/// Answers until every [`Readers`] is dropped.
pub(crate) fn run(connection: &Connection, names: &Names, vault: &Vault, waiting: &Waiting) {
    loop {
        let next = waiting.lock().unwrap_or_else(PoisonError::into_inner).recv();
        match next {
            Ok(question) => question(connection, names, vault),
            Err(_) => return,
        }
    }
}
