//! The master key is changed while the hub is stopped: what was written under the old one is read under the new one, and
//! each wrong turn on the way is told for what it is.

use crate::typed::{Desk, Said};
use std::fs::Permissions;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Child, Stdio};

const CONFIG: &str = "hub/tidegate.toml";
const NEW: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n";

/// A running hub; it is killed with the test.
struct Hub(Child);

impl Hub {
    fn start(desk: &Desk) -> Self {
        let args = ["run", "-c", CONFIG, "--set", "hub.listen=127.0.0.1:0"];
        let mut child = desk.command(&args).stdin(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
        assert!(lines.by_ref().any(|line| line.contains("the hub runs at")), "the hub ended before it ran");
        // Read on, so that the hub is never held up by a full pipe.
        std::thread::spawn(move || lines.for_each(drop));
        Self(child)
    }
}

impl Drop for Hub {
    fn drop(&mut self) {
        // Ended already, where the test did it.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn rotate(desk: &Desk) -> Said {
    desk.tidegate(&["keys", "rotate", "-c", CONFIG])
}

#[test]
fn the_master_key_is_rotated_step_by_step() {
    let desk = Desk::begun();
    // Nobody answers in the systems' place.
    desk.edit(CONFIG, "http://127.0.0.1:9001", "http://127.0.0.1:9");
    desk.edit(CONFIG, "http://127.0.0.1:9002", "http://127.0.0.1:9");
    rotate(&desk).ended(2).tells(&["hub.previous_master_key is not set"]);

    let hub = Hub::start(&desk);
    desk.write("hub/secrets/new.key", NEW);
    let two = "master_key = \"file:secrets/new.key\"\nprevious_master_key = \"file:secrets/master.key\"";
    desk.edit(CONFIG, "master_key = \"file:secrets/master.key\"", two);
    rotate(&desk).ended(3).tells(&["TG-1109", "chmod 600 hub/secrets/new.key"]);
    std::fs::set_permissions(desk.path("hub/secrets/new.key"), Permissions::from_mode(0o600)).unwrap();
    rotate(&desk).ended(1).tells(&["in use by another process", "stop it"]);
    drop(hub);

    // A key that was never in force.
    let master = desk.read("hub/secrets/master.key");
    desk.write("hub/secrets/master.key", &NEW.replace('0', "1"));
    rotate(&desk).ended(1).tells(&["neither hub.previous_master_key nor hub.master_key", "in force"]);
    desk.write("hub/secrets/master.key", &master);

    rotate(&desk)
        .ended(0)
        .shows(&["are wrapped under hub.master_key now", "take hub.previous_master_key out"]);
    rotate(&desk).ended(0).shows(&["in force already", "take hub.previous_master_key out"]);
    let audit = desk.tidegate(&["audit", "-c", CONFIG, "--json"]).ended(0).json();
    assert_eq!(audit["entries"][0]["action"], "rotate", "{audit}");

    // The old key alone opens it no more.
    desk.edit(CONFIG, two, "master_key = \"file:secrets/master.key\"");
    desk.tidegate(&["status", "-c", CONFIG]).ended(1).tells(&["the master key does not fit this store"]);
    desk.edit(CONFIG, "file:secrets/master.key", "file:secrets/new.key");
    desk.tidegate(&["status", "-c", CONFIG]).ended(0);
}

#[test]
fn where_no_hub_has_ever_run_there_is_nothing_to_rotate() {
    let desk = Desk::begun();
    desk.edit(CONFIG, "master_key = ", "previous_master_key = \"file:secrets/admin.token\"\nmaster_key = ");
    rotate(&desk).ended(4).tells(&["tidegate.db is not there", "nothing to rotate"]);
    assert!(!desk.path("hub/data").exists());
}
