//! Asked by looking into a folder: each file that was dropped and is whole is one load, the oldest first. Owns that a file is taken
//! once and as a whole: it lies in `taking/` until its load counts, or is refused with the reason beside it.

use super::code;
use crate::dropped::{self, DONE, Looks, REFUSED, TAKING, digest, first, moved, name_of, refused};
use async_trait::async_trait;
use connector::port::CallContext;
use connector::prices::{PriceSource, RowCount, RowFormat, Settled, ToldPrices};
use jiff::Timestamp;
use kernel::fault::{Fault, FaultKind};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// A folder that files of prices are dropped into; looks at nothing.
#[must_use]
pub fn folder(at: PathBuf) -> Arc<dyn PriceSource> {
    Arc::new(Folder(Arc::new(Inner { at, looks: Mutex::default() })))
}

#[derive(Debug)]
struct Folder(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    at: PathBuf,
    looks: Mutex<Looks>,
}

#[async_trait]
impl PriceSource for Folder {
    async fn changes(&self, call: &CallContext, _: Option<&str>) -> Result<Option<ToldPrices>, Fault> {
        self.next(call.now, false).await
    }

    async fn whole(&self, call: &CallContext) -> Result<Option<ToldPrices>, Fault> {
        self.next(call.now, true).await
    }

    async fn settled(&self, next: &str, how: Settled<'_>) -> Result<(), Fault> {
        let name = next.split_once(' ').map_or(next, |(_, name)| name).to_owned();
        let why = match how {
            Settled::Live => None,
            Settled::Refused(why) => Some(why.to_owned()),
        };
        self.blocking(move |inner| {
            inner.put_away(&name, why.as_deref()).map_err(|error| inner.unusable(&error))
        })
        .await
    }

    fn describe(&self) -> String {
        format!("the folder {}", self.0.at.display())
    }
}

impl Folder {
    async fn next(&self, now: Timestamp, whole: bool) -> Result<Option<ToldPrices>, Fault> {
        self.blocking(move |inner| inner.next(now, whole)).await
    }

    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Inner) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, Fault> {
        let inner = self.0.clone();
        tokio::task::spawn_blocking(move || work(&inner)).await.unwrap_or_else(|_| {
            Err(Fault::new(FaultKind::Bug, code::DISK, "the reading of the folder ended by itself"))
        })
    }
}

impl Inner {
    fn next(&self, now: Timestamp, whole: bool) -> Result<Option<ToldPrices>, Fault> {
        let Some(file) = self.taken(now).map_err(|error| self.unusable(&error))? else { return Ok(None) };
        self.told(&file, whole).map(Some).map_err(|error| self.unusable(&error))
    }

    /// The file that is being taken; the next one is taken where there is none.
    fn taken(&self, now: Timestamp) -> io::Result<Option<PathBuf>> {
        dropped::made(&self.at, &self.at)?;
        let taking = self.at.join(TAKING);
        if let Some(file) = first(&taking)? {
            return Ok(Some(file));
        }
        let settled = self.looks.lock().unwrap_or_else(PoisonError::into_inner).settled(&self.at, now)?;
        settled.map(|file| moved(&file, &taking)).transpose()
    }

    fn told(&self, file: &Path, whole: bool) -> io::Result<ToldPrices> {
        let (name, sha256) = (name_of(file), digest(file)?);
        Ok(ToldPrices {
            rows: File::open(file)?,
            format: format_of(file),
            count: RowCount::Unknown,
            whole,
            lists: Vec::new(),
            next: format!("{} {name}", &sha256[..16]),
            more: true,
            terms: None,
        })
    }

    fn put_away(&self, name: &str, why: Option<&str>) -> io::Result<()> {
        let file = self.at.join(TAKING).join(name);
        // It was put away before, and the process ended before that was known.
        if !fs::exists(&file)? {
            return Ok(());
        }
        match why {
            None => moved(&file, &self.at.join(DONE)).map(drop),
            Some(why) => refused(&file, &self.at.join(REFUSED), why).map(drop),
        }
    }

    fn unusable(&self, error: &io::Error) -> Fault {
        Fault::new(FaultKind::Transient, code::DISK, format!("{}: {error}", self.at.display()))
    }
}

/// A JSON object a line by its ending; else CSV, which refuses what it is not.
fn format_of(file: &Path) -> RowFormat {
    let ending = file.extension().map(|ending| ending.to_string_lossy().to_ascii_lowercase());
    match ending.as_deref() {
        Some("ndjson" | "jsonl") => RowFormat::Ndjson,
        _ => RowFormat::Csv,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::envelope::TraceId;
    use kernel::id::ShopId;
    use std::io::Read as _;
    use std::time::{Duration, SystemTime};

    fn call(seconds: i64) -> CallContext {
        CallContext {
            shop: ShopId::new("prices").unwrap(),
            time_out: Duration::from_secs(5),
            trace: TraceId::default(),
            span: 1,
            now: Timestamp::from_second(1_700_000_000 + seconds).unwrap(),
        }
    }

    fn dropped(at: &Path, name: &str, text: &str, second: u64) {
        fs::write(at.join(name), text).unwrap();
        let file = File::options().write(true).open(at.join(name)).unwrap();
        file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000 + second)).unwrap();
    }

    async fn text(source: &dyn PriceSource, seconds: i64) -> Option<(String, ToldPrices)> {
        let mut told = source.changes(&call(seconds), None).await.unwrap()?;
        let mut text = String::new();
        told.rows.read_to_string(&mut text).unwrap();
        Some((text, told))
    }

    #[tokio::test]
    async fn a_file_is_taken_when_it_is_whole_and_told_until_it_is_settled() {
        let at = tempfile::tempdir().unwrap();
        let source = folder(at.path().to_owned());
        dropped(at.path(), "b.csv", "second", 1);
        dropped(at.path(), "a.ndjson", "first", 0);
        dropped(at.path(), "c.csv.part", "on its way", 0);
        assert!(text(&*source, 1).await.is_none(), "looked at for the first time");
        let (first, told) = text(&*source, 60).await.unwrap();
        assert_eq!((first.as_str(), told.format), ("first", RowFormat::Ndjson));
        // Another process goes on with it, however it ended.
        let source = folder(at.path().to_owned());
        let (again, same) = text(&*source, 60).await.unwrap();
        assert_eq!((again.as_str(), &same.next), ("first", &told.next));
        source.settled(&told.next, Settled::Live).await.unwrap();
        source.settled(&told.next, Settled::Live).await.unwrap();
        assert!(at.path().join("done/a.ndjson").exists());
        assert!(text(&*source, 60).await.is_none(), "a new process looks twice");
        let (second, told) = text(&*source, 66).await.unwrap();
        assert_eq!((second.as_str(), told.format), ("second", RowFormat::Csv));
        source.settled(&told.next, Settled::Refused("line 2: no price")).await.unwrap();
        assert_eq!(
            fs::read_to_string(at.path().join("refused/b.csv.why.txt")).unwrap(),
            "line 2: no price\n"
        );
        assert!(at.path().join("refused/b.csv").exists() && at.path().join("c.csv.part").exists());
    }

    #[tokio::test]
    async fn a_folder_that_is_not_there_is_said() {
        let fault = folder(PathBuf::from("/no/such/folder")).changes(&call(0), None).await.unwrap_err();
        assert_eq!(fault.code, "TG-3414");
        assert!(fault.message.contains("make it"), "{fault}");
    }
}
