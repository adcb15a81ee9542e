//! The files of `[hub.tls]`: read at the start, looked at while the hub runs. What changed and fits is shown to whoever
//! connects next; what does not fit is said once, and the former pair stays. Owns when to look; what TLS is stands in
//! `api::server`.

use crate::wiring::Loaded;
use anyhow::Context as _;
use api::server::{Pair, Tls};
use api::watch::{IntakeNotice, Watching};
use kernel::clock::{Clock, Mono};
use kernel::fault::Severity;
use std::fs::Metadata;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

const LOOK_EVERY: Duration = Duration::from_secs(5);
/// Two files cannot be replaced at once: what does not fit may be half of a change.
const HALF_DONE: Duration = Duration::from_secs(4);
/// A chain is a few of them.
const BYTES_MAX: u64 = 1024 * 1024;

/// What a change of a file shows in: a new file under the name, another length, another time.
type Stamp = [Option<(u64, u64, i64, i64)>; 2];

/// The pair that is shown, and where it came from.
#[derive(Debug)]
pub struct Certificate {
    cert_file: PathBuf,
    key_file: PathBuf,
    tls: Tls,
    shown: Stamp,
    unfit: Option<Unfit>,
}

/// A change that does not fit.
#[derive(Debug)]
struct Unfit {
    stamp: Stamp,
    since: Mono,
    said: bool,
}

/// What a look found.
#[derive(Debug, PartialEq, Eq)]
pub enum Looked {
    Unchanged,
    /// Whoever connects from now on sees it.
    Shown,
    /// Not fit, perhaps half of a change, or said before.
    Waiting,
    /// Not fit, and for long enough to say so.
    Refused {
        why: String,
    },
}

impl Certificate {
    /// `None` where the configuration names none. A pair that cannot be served ends the start.
    pub fn of(loaded: &Loaded) -> anyhow::Result<Option<Self>> {
        let hub = loaded.config.hub().context("the configuration has no [hub]")?;
        let Some(tls) = &hub.tls else { return Ok(None) };
        Self::open(&tls.cert_file.value, &tls.key_file.value).map(Some)
    }

    fn open(cert_file: &Path, key_file: &Path) -> anyhow::Result<Self> {
        // The stamp first: what changes after it is seen at the next look.
        let shown = stamp(cert_file, key_file);
        let pair = read(cert_file, key_file).map_err(|why| {
            anyhow::anyhow!(
                "hub.tls: {} and {} cannot be served: {why}; put a certificate and its own key there, both in PEM",
                cert_file.display(),
                key_file.display()
            )
        })?;
        let tls = Tls::new(pair).context("hub.tls")?;
        Ok(Self { cert_file: cert_file.to_owned(), key_file: key_file.to_owned(), tls, shown, unfit: None })
    }

    pub fn tls(&self) -> Tls {
        self.tls.clone()
    }

    /// Looks until the hub stops.
    pub async fn keep(
        mut self,
        watching: Arc<Watching>,
        clock: Arc<dyn Clock>,
        mut stop: watch::Receiver<bool>,
    ) {
        while tokio::time::timeout(LOOK_EVERY, stop.wait_for(|stop| *stop)).await.is_err() {
            match self.look(clock.now().mono) {
                Looked::Unchanged | Looked::Waiting => {}
                Looked::Shown => tracing::info!(
                    server.name = "public",
                    "the certificate in {} is served now; open connections go on",
                    self.cert_file.display()
                ),
                Looked::Refused { why } => {
                    let file = self.cert_file.display().to_string();
                    watching.intake(Severity::Ticket, &IntakeNotice::CertificateRefused { file, why });
                }
            }
        }
    }

    pub fn look(&mut self, now: Mono) -> Looked {
        let found = stamp(&self.cert_file, &self.key_file);
        if found == self.shown {
            self.unfit = None;
            return Looked::Unchanged;
        }
        match read(&self.cert_file, &self.key_file) {
            Ok(pair) => {
                self.tls.show(pair);
                self.shown = found;
                self.unfit = None;
                Looked::Shown
            }
            Err(why) => self.refused(found, why, now),
        }
    }

    fn refused(&mut self, stamp: Stamp, why: String, now: Mono) -> Looked {
        let unfit = match self.unfit.take() {
            Some(unfit) if unfit.stamp == stamp => unfit,
            _ => Unfit { stamp, since: now, said: false },
        };
        let due = !unfit.said && now.since(unfit.since) >= HALF_DONE;
        self.unfit = Some(Unfit { said: unfit.said || due, ..unfit });
        if due { Looked::Refused { why } } else { Looked::Waiting }
    }
}

fn stamp(cert_file: &Path, key_file: &Path) -> Stamp {
    // A link that points elsewhere now is another file: certbot and Kubernetes change certificates so.
    let of = |facts: Metadata| (facts.ino(), facts.len(), facts.mtime(), facts.mtime_nsec());
    [cert_file, key_file].map(|file| std::fs::metadata(file).ok().map(of))
}

fn read(cert_file: &Path, key_file: &Path) -> Result<Pair, String> {
    let key = bytes(key_file)?;
    let facts = std::fs::metadata(key_file).map_err(|error| cannot(key_file, &error))?;
    if facts.permissions().mode() & 0o007 != 0 {
        return Err(format!("every user of this machine can read {0}: chmod 600 {0}", key_file.display()));
    }
    Pair::from_pem(&bytes(cert_file)?, &key).map_err(|error| error.to_string())
}

fn bytes(file: &Path) -> Result<Vec<u8>, String> {
    let length = std::fs::metadata(file).map_err(|error| cannot(file, &error))?.len();
    if length > BYTES_MAX {
        return Err(format!("{} is larger than 1 MiB: not a certificate", file.display()));
    }
    std::fs::read(file).map_err(|error| cannot(file, &error))
}

fn cannot(file: &Path, error: &std::io::Error) -> String {
    format!("{} cannot be read: {error}", file.display())
}

#[cfg(test)]
#[path = "../../../api/tests/support/certificate.rs"]
mod certificate;

#[cfg(test)]
mod tests {
    use super::certificate::made;
    use super::*;
    use std::fs::{Permissions, set_permissions};

    struct Files(tempfile::TempDir);

    impl Files {
        fn path(&self, name: &str) -> PathBuf {
            self.0.path().join(name)
        }
        fn put(&self, name: &str, text: &str) {
            // As tools do: beside it, then in its place.
            std::fs::write(self.path("new"), text).unwrap();
            set_permissions(self.path("new"), Permissions::from_mode(0o600)).unwrap();
            std::fs::rename(self.path("new"), self.path(name)).unwrap();
        }
        fn open(&self) -> anyhow::Result<Certificate> {
            Certificate::open(&self.path("cert.pem"), &self.path("key.pem"))
        }
    }

    fn files((cert, key): &(String, String)) -> Files {
        let files = Files(tempfile::tempdir().unwrap());
        files.put("cert.pem", cert);
        files.put("key.pem", key);
        files
    }

    fn at(seconds: u64) -> Mono {
        Mono(seconds * 1_000_000_000)
    }

    #[test]
    fn half_a_change_is_waited_for_and_the_whole_one_is_shown() {
        let (first, second) = (made(), made());
        let files = files(&first);
        let mut certificate = files.open().unwrap();
        assert_eq!(certificate.look(at(0)), Looked::Unchanged);
        files.put("cert.pem", &second.0);
        assert_eq!(certificate.look(at(5)), Looked::Waiting);
        files.put("key.pem", &second.1);
        assert_eq!(certificate.look(at(10)), Looked::Shown);
        assert_eq!(certificate.look(at(15)), Looked::Unchanged);
    }

    #[test]
    fn what_stays_unfit_is_said_once_for_each_change() {
        let (first, other) = (made(), made());
        let files = files(&first);
        let mut certificate = files.open().unwrap();
        files.put("key.pem", &other.1);
        assert_eq!(certificate.look(at(5)), Looked::Waiting);
        let Looked::Refused { why } = certificate.look(at(10)) else { panic!("nobody hears of it") };
        assert!(why.contains("another certificate"), "{why}");
        assert_eq!(certificate.look(at(15)), Looked::Waiting);
        std::fs::remove_file(files.path("cert.pem")).unwrap();
        assert_eq!(certificate.look(at(20)), Looked::Waiting);
        let Looked::Refused { why } = certificate.look(at(25)) else { panic!("nobody hears of it") };
        assert!(why.contains("cert.pem cannot be read"), "{why}");
        // The former pair in its place again is a change that fits.
        files.put("cert.pem", &first.0);
        files.put("key.pem", &first.1);
        assert_eq!(certificate.look(at(30)), Looked::Shown);
    }

    #[test]
    fn a_key_that_everybody_can_read_is_refused_at_the_start_and_later() {
        let first = made();
        let files = files(&first);
        let mut certificate = files.open().unwrap();
        files.put("key.pem", &first.1);
        set_permissions(files.path("key.pem"), Permissions::from_mode(0o644)).unwrap();
        assert_eq!(certificate.look(at(5)), Looked::Waiting);
        let Looked::Refused { why } = certificate.look(at(10)) else { panic!("nobody hears of it") };
        assert!(why.contains("chmod 600"), "{why}");
        assert!(files.open().unwrap_err().to_string().contains("chmod 600"));
    }
}
