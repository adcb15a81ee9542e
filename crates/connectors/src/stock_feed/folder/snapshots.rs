//! Files of the folder that hold every level that there is, for the full check. Owns which of them is used: the newest that nobody
//! writes to any more, if it is not too old; looked at from end to end before its first level counts, and read as it is asked for. It stays
//! where it is, and so does the one before it, because who asks once asks again: first what would be done, then to do it.

use super::{Folder, unusable};
use crate::dropped::{self, DONE, REFUSED, Seen, moved, name_of, refused};
use crate::stock_feed::{TOPIC, blocking, code};
use async_trait::async_trait;
use bytes::Bytes;
use connector::port::{Stated, Whole};
use domains::inventory::drop::{Counted, Defaults, Lines, NotWhole, Says, Takes, Told, check, payload};
use jiff::{SignedDuration, Timestamp};
use kernel::clock::elapsed_ms;
use kernel::fault::{Fault, FaultKind};
use kernel::flow::duration_text;
use kernel::id::ShopId;
use std::fs::{File, Metadata};
use std::io::{self, BufReader, Seek as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// Levels that are given at once.
const PAGE: usize = 1_000;
/// A file that was written so long ago is whole, even where it is seen for the first time: by then the clocks of two machines agree.
const LONG_STILL: SignedDuration = SignedDuration::from_secs(60);

impl Folder {
    /// The newest file that is all that there is. Reads it from end to end: it blocks.
    pub(in crate::stock_feed) fn whole(&self, shop: &ShopId, now: Timestamp) -> Result<Snapshot, Fault> {
        let Some(snapshots) = &self.snapshots else {
            let what = "the system drops files of what changed, and none of all that there is: write how those are called, as in \
                        snapshot = \"full-*.csv\" in its connection";
            return Err(Fault::new(FaultKind::Rejected, code::NOT_SERVED, what));
        };
        let at = self.root.join(shop.as_str());
        dropped::made(&self.root, &at).map_err(|error| unusable(&at, &error))?;
        let seen = self.shops().entry(shop.clone()).or_default().looks.look(&at, now);
        let seen = seen.map_err(|error| unusable(&at, &error))?;
        let (mut still, growing): (Vec<Seen>, Vec<Seen>) = seen
            .into_iter()
            .filter(|seen| snapshots.names.fit(&name_of(&seen.path)))
            .partition(|seen| seen.is_still || now.duration_since(seen.changed_at) >= LONG_STILL);
        still.sort();
        let names = snapshots.names.as_str();
        let Some(newest) = still.pop() else {
            return Err(none_there(&at, names, growing.first()));
        };
        if Duration::from_millis(elapsed_ms(newest.changed_at, now)) > snapshots.age_max {
            return Err(too_old(&newest, snapshots.age_max));
        }
        let snapshot = self.looked_at(&at, &newest)?;
        // The one before it stays, for whoever finds out that the newest is not all and takes it away.
        still.pop();
        for older in still {
            moved(&older.path, &at.join(DONE)).map_err(|error| unusable(&at, &error))?;
        }
        Ok(snapshot)
    }

    fn looked_at(&self, at: &Path, newest: &Seen) -> Result<Snapshot, Fault> {
        let defaults = Defaults {
            location: self.location.clone(),
            changed_at: Some(newest.changed_at),
            takes: Takes::Levels,
            whole: true,
        };
        let unusable = |error: io::Error| unusable(&newest.path, &error);
        let mut file = File::open(&newest.path).map_err(unusable)?;
        let looked = About::of(&file).map_err(unusable)?;
        let counted = match check(reader(&file), &defaults) {
            Ok(counted) => counted,
            Err(why) if why.not_whole == Some(NotWhole::CutOff) => {
                return Err(cut_off(&newest.path, &why.to_string()));
            }
            Err(why) => {
                let code =
                    if why.not_whole == Some(NotWhole::Mixed) { code::MIXED } else { code::FILE_REFUSED };
                let said = refused(&newest.path, &at.join(REFUSED), &why.to_string()).map_err(unusable)?;
                return Err(Fault::new(FaultKind::Rejected, code, said));
            }
        };
        file.rewind().map_err(unusable)?;
        let lines = Lines::new(reader(file.try_clone().map_err(unusable)?), &defaults);
        let lines = lines.map_err(|_| changed(&newest.path))?;
        Ok(Snapshot {
            path: newest.path.clone(),
            counted,
            given: 0,
            reading: Some(Reading { file, looked, lines }),
            ended: false,
        })
    }
}

fn reader<R: io::Read>(file: R) -> BufReader<R> {
    BufReader::with_capacity(1 << 16, file)
}

/// A file of all that there is, from its first line on.
#[derive(Debug)]
pub(in crate::stock_feed) struct Snapshot {
    path: PathBuf,
    counted: Counted,
    given: u64,
    /// Absent: it was read to its end, or it was written to, and there is nothing to go on with.
    reading: Option<Reading>,
    ended: bool,
}

#[derive(Debug)]
struct Reading {
    file: File,
    looked: About,
    lines: Lines<BufReader<File>>,
}

/// How a file looks.
#[derive(Debug, PartialEq, Eq)]
struct About {
    bytes: u64,
    changed_at: SystemTime,
}

impl About {
    fn of(file: &File) -> io::Result<Self> {
        let of = |about: Metadata| Ok(Self { bytes: about.len(), changed_at: about.modified()? });
        of(file.metadata()?)
    }
}

impl Reading {
    /// As many as are given at once; fewer at the end.
    fn page(&mut self, path: &Path) -> Result<Vec<Stated>, Fault> {
        let mut page = Vec::with_capacity(PAGE);
        for told in self.lines.by_ref().take(PAGE) {
            page.push(stated(&told.map_err(|_| changed(path))?));
        }
        // It was looked at from end to end, and nobody may write to it since.
        match About::of(&self.file) {
            Ok(now) if now == self.looked => Ok(page),
            Ok(_) => Err(changed(path)),
            Err(error) => Err(unusable(path, &error)),
        }
    }
}

#[async_trait]
impl Whole for Snapshot {
    fn topic(&self) -> &'static str {
        TOPIC
    }

    async fn next(&mut self) -> Result<Vec<Stated>, Fault> {
        if self.ended {
            return Ok(Vec::new());
        }
        let Some(mut reading) = self.reading.take() else { return Err(changed(&self.path)) };
        let path = self.path.clone();
        let (reading, page) = blocking(move || {
            let page = reading.page(&path)?;
            Ok((reading, page))
        })
        .await?;
        self.given += page.len() as u64;
        if page.len() == PAGE {
            self.reading = Some(reading);
        } else if self.given == self.counted.told {
            self.ended = true;
        } else {
            return Err(changed(&self.path));
        }
        Ok(page)
    }

    fn numbered(&self) -> Option<bool> {
        (self.counted.told > 0).then_some(self.counted.versioned > 0)
    }
}

fn stated(told: &Told) -> Stated {
    // A file of changes is refused before.
    let (at, payload) = match &told.says {
        Says::Level(stock) => (stock.changed_at, payload(stock)),
        Says::Change(change) => (change.changed_at, Vec::new()),
    };
    // Where the file numbers nothing, time does, as in a file of what changed.
    Stated {
        sequence: told.version.unwrap_or_else(|| at.as_millisecond().max(0)),
        payload: Bytes::from(payload),
    }
}

fn none_there(at: &Path, names: &str, growing: Option<&Seen>) -> Fault {
    let at = at.display();
    if let Some(growing) = growing {
        let what = format!(
            "{} is still written, or was a minute ago, and no other snapshot lies in {at}: ask again in a minute",
            growing.path.display()
        );
        return Fault::new(FaultKind::Transient, code::NO_SNAPSHOT, what);
    }
    let what = format!(
        "no file called {names} lies in {at}: see that the system drops one before the check is made, or correct snapshot in its \
         connection"
    );
    Fault::new(FaultKind::Rejected, code::NO_SNAPSHOT, what)
}

fn too_old(newest: &Seen, age_max: Duration) -> Fault {
    let what = format!(
        "the newest snapshot, {}, was written at {:.0}, which is longer ago than {} (snapshot_age_max): what it has is not what there \
         is. See why no newer one came, or set snapshot_age_max in the system's connection to how far apart they come",
        newest.path.display(),
        newest.changed_at,
        duration_text(age_max)
    );
    Fault::new(FaultKind::Rejected, code::NO_SNAPSHOT, what)
}

fn cut_off(path: &Path, why: &str) -> Fault {
    // The last of its mistakes, and what to do.
    let why = why.lines().last().unwrap_or_default().trim();
    let what = format!(
        "{}: {why}. It is not taken for the whole, and left where it is, because it may still be written",
        path.display()
    );
    Fault::new(FaultKind::Transient, code::CUT_OFF, what)
}

fn changed(path: &Path) -> Fault {
    let what = format!(
        "{} was written to while it was read: nothing is concluded from it. Write under another name, and rename the file once it is whole",
        path.display()
    );
    Fault::new(FaultKind::Transient, code::NO_SNAPSHOT, what)
}
