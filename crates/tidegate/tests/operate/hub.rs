//! Over the operator's socket: a hub that runs, one that does not answer, and what one left behind.

use crate::folder::Folder;
use crate::patience::comes;
use crate::seeded;
use std::io::{BufRead as _, BufReader};
use std::os::unix::net::UnixListener;
use std::process::{Child, Stdio};

/// A running hub; it is killed with the test.
pub(crate) struct Hub {
    process: Child,
    /// Of its public port.
    pub(crate) address: String,
}

impl Hub {
    pub(crate) fn start(folder: &Folder) -> Self {
        Self::start_with(folder, &[])
    }

    /// With other settings than the file's.
    pub(crate) fn start_with(folder: &Folder, settings: &[&str]) -> Self {
        let mut args = vec!["run", "--set", "hub.listen=127.0.0.1:0", "--set", "hub.log_format=text"];
        args.extend(settings.iter().flat_map(|setting| ["--set", setting]));
        let mut child = folder.command(&args).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let log = BufReader::new(child.stderr.take().unwrap());
        let mut lines = log.lines();
        let address = lines.by_ref().map_while(Result::ok).find_map(|line| {
            let (_, rest) = line.split_once("the hub runs at ")?;
            Some(rest.split_once(';')?.0.to_owned())
        });
        let address = address.expect("the hub ended before it ran");
        // Read on, so that the hub is never held up by a full pipe.
        std::thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
        Self { process: child, address }
    }

    pub(crate) fn kill(mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

impl Drop for Hub {
    fn drop(&mut self) {
        // Ended already, where the test did it.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Asks until it is answered so.
pub(crate) fn until(folder: &Folder, args: &[&str], told: &str) {
    let mut last = String::new();
    let is_told = comes(|| {
        last = folder.tidegate(args).out;
        last.contains(told)
    });
    assert!(is_told, "{told:?} was never told: {last}");
}

#[test]
fn a_running_hub_answers_and_one_that_was_killed_leaves_its_store() {
    let folder = Folder::new();
    let hub = Hub::start(&folder);
    let said = folder.tidegate(&["status", "--json"]);
    assert_eq!(said.err, "", "no word of a hub that does not run");
    // What only a running hub knows, as soon as it has looked around.
    until(&folder, &["systems", "list", "--json"], "\"breaker\":\"closed\"");
    folder.json(&["systems", "pause", "erp", "--why", "their upgrade"]);
    until(&folder, &["systems", "list"], "paused");

    folder.tidegate(&["orders", "show", "#1001"]).refused(4, &["#1001"]);
    let answer = folder.json(&["backup", "copy.db"]);
    assert!(answer["bytes"].as_u64().unwrap() > 0);
    // Nobody answers in Shopify's place.
    folder.tidegate(&["sweep"]).refused(1, &["TG-7025", "ask again"]);
    // A file that is being edited does not keep the hub from being asked.
    let path = folder.path("tidegate.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace("mode = \"live\"", "mode = \"alive\"")).unwrap();
    assert_eq!(folder.json(&["audit"])["entries"][0]["action"], "backup");
    std::fs::write(&path, text).unwrap();

    hub.kill();
    let said = folder.tidegate(&["audit", "--json"]);
    assert!(said.err.contains("no hub runs here"), "{}", said.err);
    assert_eq!(said.json()["entries"][1]["action"], "pause");
}

#[test]
fn a_hub_that_does_not_answer_is_told_from_one_that_does_not_run() {
    let folder = Folder::new();
    seeded::empty(&folder);
    let socket = folder.path("data/tidegate.sock");
    let listener = UnixListener::bind(&socket).unwrap();
    let silent = std::thread::spawn(move || {
        // To see whether somebody listens, and to ask.
        for _ in 0..2 {
            drop(listener.accept().unwrap());
        }
    });
    folder.tidegate(&["status"]).refused(5, &["tidegate.sock", "does not answer"]);
    silent.join().unwrap();
    // Left behind, the socket is no hub.
    assert!(socket.exists());
    assert_eq!(folder.tidegate(&["status"]).code, Some(0));
}

#[test]
fn a_store_in_use_without_a_socket_is_a_hub_that_is_just_starting() {
    let folder = Folder::new();
    let _hub = Hub::start(&folder);
    std::fs::remove_file(folder.path("data/tidegate.sock")).unwrap();
    folder.tidegate(&["status"]).refused(5, &["is in use", "ask again in a moment"]);
}
