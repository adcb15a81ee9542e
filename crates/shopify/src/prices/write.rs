//! Prices written: call by call, or in bulk where there are many. What is refused is told by its variant; what was perhaps
//! written, or was not because something else of its call was refused, is found at the next look.

use super::Progress;
use super::encode::{Said, at, said, variables};
use super::memory;
use super::patience::Patience;
use super::run::Round;
use crate::bulk::{self, Lines};
use crate::graphql::{Document, SET_PRICES, SET_QUANTITY_PRICES};
use domains::prices::Batch;
use kernel::fault::{Fault, FaultKind};
use kernel::money::Currency;
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::sync::Arc;

/// The documents of writes in bulk: what of an earlier run may go on.
pub(super) const WRITES: [&Document; 2] = [&SET_PRICES, &SET_QUANTITY_PRICES];

/// The lines of one document, while they are gathered and until they are answered.
struct File {
    document: &'static Document,
    bytes: Vec<u8>,
    /// The catalog of each line.
    of: Vec<usize>,
}

impl File {
    fn new(document: &'static Document) -> Self {
        Self { document, bytes: Vec::new(), of: Vec::new() }
    }
}

/// One that Shopify works on.
struct Running {
    id: String,
    file: File,
}

impl Round<'_, '_> {
    /// One call, and what it said.
    pub(super) async fn write(
        &mut self,
        catalog: usize,
        (list, currency): (u64, Currency),
        batch: &Batch,
    ) -> Result<(), Fault> {
        let (document, sent) = variables(batch, list, currency);
        self.written.calls += 1;
        match self.shop.write(document, &sent).await {
            Ok(reply) if reply.user_errors.is_empty() => self.written.changes += batch.changes.len() as u64,
            Ok(reply) => {
                for error in reply.user_errors {
                    let variant = error.field.as_deref().and_then(|field| at(&sent, field));
                    let code = error.code.unwrap_or_default();
                    self.refused_of(catalog, Said { variant, code, message: error.message });
                }
            }
            Err(fault) if matches!(fault.kind, FaultKind::Ambiguous | FaultKind::Rejected) => {
                let what = format!("{} of {}", document.name, self.name(catalog));
                self.doubt(&what, &fault);
            }
            Err(fault) => return Err(fault),
        }
        self.progressed(1);
        Ok(())
    }

    /// All batches of all catalogs, as `batches` gives them.
    pub(super) async fn write_in_bulk(
        &mut self,
        targets: &[(usize, u64, Currency)],
        batches: &(dyn Fn(usize) -> Vec<Batch> + Sync),
    ) -> Result<(), Fault> {
        let mut open: Vec<File> = WRITES.iter().map(|document| File::new(document)).collect();
        let mut running: VecDeque<Running> = VecDeque::new();
        let most = self.options.file_bytes_max.min(bulk::FILE_BYTES_MAX);
        for (catalog, list, currency) in targets {
            let batches = batches(*catalog);
            if !batches.is_empty() {
                memory::open(self.options.memory.as_ref(), *list, &batches).await?;
            }
            for batch in batches {
                let (document, sent) = variables(&batch, *list, *currency);
                let mut line = sent.to_string().into_bytes();
                line.push(b'\n');
                let Some(file) = open.iter_mut().find(|file| file.document.name == document.name) else {
                    continue;
                };
                let full = (file.bytes.len() + line.len() > most && !file.of.is_empty())
                    .then(|| std::mem::replace(file, File::new(document)));
                file.bytes.extend_from_slice(&line);
                file.of.push(*catalog);
                if let Some(full) = full {
                    self.begin(full, &mut running).await?;
                }
            }
        }
        for file in open.into_iter().filter(|file| !file.of.is_empty()) {
            self.begin(file, &mut running).await?;
        }
        while let Some(one) = running.pop_front() {
            self.end(one).await?;
        }
        Ok(())
    }

    /// Where as many run as may, the oldest is waited for.
    async fn begin(&mut self, file: File, running: &mut VecDeque<Running>) -> Result<(), Fault> {
        while running.len() >= self.options.at_once.clamp(1, bulk::AT_ONCE_MAX) {
            if let Some(oldest) = running.pop_front() {
                self.end(oldest).await?;
            }
        }
        let (client, call) = (self.shop.client, self.shop.call);
        let mut patience = Patience::new();
        let end = client.mono().plus(self.options.within);
        loop {
            let begun = match bulk::upload(client, call, &file.bytes).await {
                Ok(path) => {
                    self.shop.may_write().await?;
                    bulk::begin_write(client, call, file.document, &path).await
                }
                Err(fault) => Err(fault),
            };
            match begun {
                Ok(id) => {
                    self.written.operations += 1;
                    running.push_back(Running { id, file });
                    return Ok(());
                }
                // It may have begun: it is waited for before the next look.
                Err(fault) if fault.kind == FaultKind::Ambiguous => {
                    self.doubt(&format!("{} in bulk", file.document.name), &fault);
                    return Ok(());
                }
                Err(fault) => match patience.after(&fault).filter(|_| client.mono() < end) {
                    Some(wait) => client.pause(wait).await,
                    None => return Err(fault),
                },
            }
        }
    }

    /// Waits for one and reads what it said; one that failed or does not end has done what it did.
    async fn end(&mut self, one: Running) -> Result<(), Fault> {
        let (client, call, within) = (self.shop.client, self.shop.call, self.options.within);
        let before = self.done;
        let finished = {
            let (tell, of) = (&mut *self.tell, self.of);
            let mut look = |progress: &bulk::Progress| {
                tell(&Progress::Writing { done: (before + progress.lines).min(of), of });
            };
            bulk::await_result(client, call, &one.id, within, &mut look).await
        };
        match finished {
            Ok(finished) => match self.answers(&one, &finished).await {
                Ok(()) => {}
                // What was written is read back in any case.
                Err(fault) => self.note(format!("the answers of {}: {}", one.id, fault.message)),
            },
            Err(fault) if fault.kind == FaultKind::Unauthorized => return Err(fault),
            Err(fault) => {
                self.note(fault.message);
                self.shop.may_write().await?;
                bulk::cancel(client, call, &one.id, within).await?;
            }
        }
        self.written.lines += one.file.of.len() as u64;
        self.progressed(one.file.of.len() as u64);
        Ok(())
    }

    async fn answers(&mut self, one: &Running, finished: &bulk::Finished) -> Result<(), Fault> {
        let client: &Arc<_> = self.shop.client;
        let mut lines = Lines::open(client, self.shop.call, finished, self.options.within).await?;
        let sent: Vec<&[u8]> = one.file.bytes.split(|byte| *byte == b'\n').collect();
        while let Some(line) = lines.next().await? {
            // Nearly all of them; those are not read further.
            if contains(line, b"\"userErrors\":[]") && !contains(line, b"\"errors\"") {
                continue;
            }
            let answer: Value = serde_json::from_slice(line).unwrap_or_else(|_| json!({}));
            let number =
                answer.get("__lineNumber").and_then(Value::as_u64).and_then(|at| usize::try_from(at).ok());
            let Some((catalog, sent)) = number.and_then(|at| Some((*one.file.of.get(at)?, *sent.get(at)?)))
            else {
                self.note(format!("{} answers a line that was not sent", one.id));
                continue;
            };
            let sent: Value = serde_json::from_slice(sent).unwrap_or_default();
            for error in said(&answer, &sent) {
                self.refused_of(catalog, error);
            }
        }
        Ok(())
    }
}

fn contains(line: &[u8], what: &[u8]) -> bool {
    line.windows(what.len()).any(|part| part == what)
}
