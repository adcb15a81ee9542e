//! A stop and a change of certificates, seen by whoever is at the other end of the public port.

#[path = "../../../api/tests/support/certificate.rs"]
mod certificate;

use crate::typed::Desk;
use certificate::made;
use std::io::{BufRead as _, BufReader, Lines, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, ChildStderr, Command, Stdio};

const CONFIG: [&str; 2] = ["-c", "hub/tidegate.toml"];

/// A running hub and what it says; it is killed with the test.
pub(crate) struct Listening {
    hub: Child,
    log: Lines<BufReader<ChildStderr>>,
    pub(crate) address: String,
}

impl Listening {
    pub(crate) fn start(desk: &Desk, settings: &[&str]) -> Self {
        let fixed = ["hub.listen=127.0.0.1:0", "hub.log_format=text"];
        let set = fixed.iter().chain(settings).flat_map(|setting| ["--set", setting]);
        let args: Vec<&str> = ["run"].into_iter().chain(CONFIG).chain(set).collect();
        let mut hub = desk.command(&args).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let log = BufReader::new(hub.stderr.take().unwrap()).lines();
        let mut listening = Self { hub, log, address: String::new() };
        let line = listening.says("the hub runs at ");
        let (_, rest) = line.split_once("the hub runs at ").unwrap();
        listening.address = rest.split(';').next().unwrap().to_owned();
        listening
    }

    /// Reads on until it says so.
    fn says(&mut self, wanted: &str) -> String {
        let mut heard = Vec::new();
        for line in self.log.by_ref().map_while(Result::ok) {
            if line.contains(wanted) {
                return line;
            }
            heard.push(line);
        }
        panic!("it ended and never said {wanted:?}: {heard:#?}");
    }

    fn terminate(&self) {
        let sent = Command::new("kill").args(["-TERM", &self.hub.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    /// Whether it ended well, when it has.
    fn ended(&mut self) -> bool {
        // All is read, so that it is not held up by a full pipe.
        self.log.by_ref().map_while(Result::ok).for_each(drop);
        self.hub.wait().unwrap().success()
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        let _ = self.hub.kill();
        let _ = self.hub.wait();
    }
}

/// The answer to one request, or nothing where nobody listens.
pub(crate) fn asked(address: &str, path: &str) -> Option<String> {
    let mut stream = TcpStream::connect(address).ok()?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    Some(answer)
}

#[test]
fn a_stop_is_seen_at_readyz_before_the_port_closes() {
    let desk = Desk::begun();
    // Longer than any test: only the second signal ends it.
    let mut hub = Listening::start(&desk, &["hub.limits.drain_after=1h"]);
    let address = hub.address.clone();
    assert!(asked(&address, "/readyz").unwrap().starts_with("HTTP/1.1 200"));
    hub.terminate();
    hub.says("asked to stop");
    // Red for balancers, open for whoever comes all the same: nothing is refused meanwhile.
    let red = asked(&address, "/readyz").unwrap();
    assert!(red.starts_with("HTTP/1.1 503") && red.contains("it is stopping"), "{red}");
    assert!(asked(&address, "/healthz").unwrap().starts_with("HTTP/1.1 200"));
    assert!(asked(&address, "/login").unwrap().starts_with("HTTP/1.1 200"));
    // Whoever asks again does not want to wait.
    hub.terminate();
    assert!(hub.ended());
    assert_eq!(asked(&address, "/readyz"), None);
    // One signal suffices where nobody has to hear of it first.
    let mut hub = Listening::start(&desk, &["hub.limits.drain_after=1ms"]);
    hub.terminate();
    assert!(hub.ended());
}

#[test]
fn a_hub_with_a_key_that_everybody_can_read_does_not_start() {
    use std::os::unix::fs::PermissionsExt;
    let desk = Desk::begun();
    let (certificate, key) = made();
    std::fs::write(desk.path("hub/cert.pem"), certificate).unwrap();
    std::fs::write(desk.path("hub/key.pem"), key).unwrap();
    let mode =
        |mode| std::fs::set_permissions(desk.path("hub/key.pem"), PermissionsExt::from_mode(mode)).unwrap();
    let tls = ["--set", "hub.tls.cert_file=cert.pem", "--set", "hub.tls.key_file=key.pem"];
    let tls = ["--set", "hub.listen=127.0.0.1:0"].into_iter().chain(tls);
    let asked = |what: &str| {
        desk.tidegate(&std::iter::once(what).chain(CONFIG).chain(tls.clone()).collect::<Vec<_>>())
    };
    mode(0o644);
    for what in ["check", "run"] {
        asked(what).ended(3).tells(&["key.pem can be read by every user"]);
    }
    mode(0o600);
    asked("check").ended(0);
    // A key of another certificate ends the start before anything is touched.
    let (_, other) = made();
    std::fs::write(desk.path("hub/key.pem"), other).unwrap();
    asked("run").ended(1).tells(&["the key belongs to another certificate"]);
    assert!(!desk.path("hub/data/tidegate.db").exists());
}

/// The whole of it with the real binary: what a client sees before and after the files changed, without a restart.
#[test]
fn the_running_hub_shows_a_new_certificate() {
    let desk = Desk::begun();
    let put = |(certificate, key): &(String, String)| {
        use std::os::unix::fs::OpenOptionsExt as _;
        for (name, text) in [("cert.pem", certificate), ("key.pem", key)] {
            let new = desk.path("hub/new");
            let mut options = std::fs::OpenOptions::new();
            let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(&new).unwrap();
            file.write_all(text.as_bytes()).unwrap();
            std::fs::rename(new, desk.path(&format!("hub/{name}"))).unwrap();
        }
    };
    let (first, second) = (made(), made());
    put(&first);
    let mut hub = Listening::start(&desk, &["hub.tls.cert_file=cert.pem", "hub.tls.key_file=key.pem"]);
    let address = hub.address.clone();
    let believes = |(believed, _): &(String, String)| {
        let certificate = reqwest::Certificate::from_pem(believed.as_bytes()).unwrap();
        let client = reqwest::Client::builder()
            .tls_certs_only([certificate])
            .resolve("hub.example", address.parse().unwrap())
            .build()
            .unwrap();
        let port = address.rsplit(':').next().unwrap();
        let url = format!("https://hub.example:{port}/healthz");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime
            .block_on(async { client.get(url).send().await.is_ok_and(|answer| answer.status().is_success()) })
    };
    assert!(believes(&first) && !believes(&second));
    put(&second);
    hub.says("is served now");
    assert!(believes(&second) && !believes(&first));
}
