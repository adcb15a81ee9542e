//! docs/backup.md on PostgreSQL, as a person types it: a base backup and its WAL, a database put back to a moment by the
//! server's own means, and `tidegate restore --in-place` on it. What was exported after that moment is not made again.

use crate::hub::{Hub, until};
use crate::office::{Office, now};
use crate::patience::comes;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

const SETTINGS: [&str; 4] = [
    "store.url=file:secrets/pg.url",
    "flows.orders_to_erp.intake=poll",
    "flows.orders_to_erp.sweep.every=1s",
    "systems.erp.settle_after=1s",
];
const THERE: [&str; 2] = ["--set", "store.url=file:secrets/pg.url"];

/// A server of the test's own that archives its WAL.
struct Server {
    folder: TempDir,
    lines: String,
}

impl Server {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let archive = folder.path().join("archive");
        std::fs::create_dir(&archive).unwrap();
        // The server runs as a user of its own where the tests are root's.
        std::fs::set_permissions(&archive, std::fs::Permissions::from_mode(0o777)).unwrap();
        let mut server = Self { folder, lines: String::new() };
        server.up();
        let archive = archive.display();
        server.sql(&format!("ALTER SYSTEM SET archive_command = 'cp %p {archive}/%f'"));
        server.sql("SELECT pg_reload_conf()");
        server
    }

    fn script(&self, verb: &str) -> Command {
        let services = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../services/postgres.sh");
        let mut command = Command::new("bash");
        command.arg(services).arg(verb).arg("--dir").arg(self.folder.path());
        command.env("TIDEGATE_POSTGRES_OPTIONS", "-c archive_mode=on");
        command
    }

    fn up(&mut self) {
        let output = self.script("start").output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        self.lines = String::from_utf8(output.stdout).unwrap();
    }

    fn down(&self) {
        assert!(self.script("stop").status().unwrap().success());
    }

    fn value(&self, name: &str) -> String {
        let value = self.lines.lines().find_map(|line| line.strip_prefix(&format!("{name}=")));
        value.unwrap_or_else(|| panic!("{name} in {}", self.lines)).to_owned()
    }

    fn program(&self, name: &str) -> Command {
        let mut command = Command::new(PathBuf::from(self.value("POSTGRES_BIN_DIR")).join(name));
        command.env("PGPASSWORD", self.value("POSTGRES_PASSWORD"));
        command.args(["-h", "127.0.0.1", "-U", "tidegate", "-p", &self.value("POSTGRES_PORT")]);
        command
    }

    fn sql(&self, sql: &str) -> String {
        let output = self.program("psql").args(["-d", "tidegate", "-qAtc", sql]).output().unwrap();
        assert!(output.status.success(), "{sql}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    fn base_backup(&self) -> PathBuf {
        let base = self.folder.path().join("base");
        let mut command = self.program("pg_basebackup");
        let output = command.arg("-D").arg(&base).args(["-X", "none", "-c", "fast"]).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        base
    }

    /// The base backup in place of the data, and its WAL up to a moment.
    fn put_back(&mut self, base: &Path, to: &str) {
        self.down();
        let data = self.folder.path().join("postgres/data");
        let owner = std::fs::metadata(&data).unwrap();
        std::fs::rename(&data, self.folder.path().join("lost")).unwrap();
        assert!(Command::new("cp").arg("-a").arg(base).arg(&data).status().unwrap().success());
        let archive = self.folder.path().join("archive");
        let mut conf = std::fs::File::options().append(true).open(data.join("postgresql.auto.conf")).unwrap();
        std::io::Write::write_all(
            &mut conf,
            format!(
                "archive_mode = off\nrestore_command = 'cp {}/%f %p'\nrecovery_target_time = '{to}'\n\
                 recovery_target_action = 'promote'\n",
                archive.display()
            )
            .as_bytes(),
        )
        .unwrap();
        std::fs::write(data.join("recovery.signal"), "").unwrap();
        let owner = format!("{}:{}", owner.uid(), owner.gid());
        assert!(Command::new("chown").args(["-R", &owner]).arg(&data).status().unwrap().success());
        self.up();
        let is_recovered = comes(|| self.sql("SELECT pg_is_in_recovery()") == "f");
        assert!(is_recovered, "the server does not come to the end of its recovery");
    }
}

/// Orders that are known to be in a target.
const LINKED: &str = "SELECT count(DISTINCT root) FROM external_refs";

impl Drop for Server {
    fn drop(&mut self) {
        // One that cannot be stopped is told of by the test runner.
        let _ = self.script("stop").output();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn real_postgres_put_back_to_a_moment_makes_nothing_twice_and_loses_nothing() {
    let mut server = Server::start();
    let office = Office::open().await;
    let folder = &office.folder;
    let mut file = std::fs::File::options();
    let mut file = file.create(true).write(true).mode(0o600).open(folder.path("secrets/pg.url")).unwrap();
    std::io::Write::write_all(&mut file, server.value("POSTGRES_URL").as_bytes()).unwrap();
    let hub = Hub::start_with(folder, &SETTINGS);
    office.orders(1, 4);
    office.made(4).await;
    let base = server.base_backup();
    // Exported before the moment, after the base backup: its WAL brings them back.
    office.orders(5, 3);
    office.made(7).await;
    let settled = "SELECT count(*) FROM deliveries WHERE phase < 2";
    assert!(comes(|| server.sql(settled) == "0"), "some deliveries never settle");
    let moment = server.sql("SELECT clock_timestamp()");
    // Exported after the moment: the database that is put back knows nothing of these.
    office.orders(8, 3);
    office.made(10).await;
    hub.kill();
    server.sql("SELECT pg_switch_wal()");
    server.put_back(&base, &moment);
    assert_eq!(server.sql(LINKED), "7", "as it was at the moment");

    let told = folder.json(&[&["restore", "--in-place", "--dry-run"][..], &THERE].concat());
    assert_eq!((&told["epoch"], &told["dry_run"]), (&serde_json::Value::Null, &true.into()), "{told}");
    let told = folder.json(&[&["restore", "--in-place", "--why", "PITR"][..], &THERE].concat());
    assert_eq!(told["epoch"], 2, "{told}");
    let _hub = Hub::start_with(folder, &SETTINGS);
    until(folder, &[&["systems", "list"][..], &THERE].concat(), "paused");
    for system in ["erp", "shopify"] {
        folder
            .json(&[&["systems", "resume", system, "--why", "restored, and looked at"][..], &THERE].concat());
    }
    assert!(comes(|| server.sql(LINKED) == "10"), "{} are linked", server.sql(LINKED));
    assert_eq!(server.sql(LINKED), "10", "each is found in the ERP and linked again");
    let ledger = office.erp.ledger();
    assert_eq!(
        (ledger.creates, ledger.references, ledger.doubled),
        (10, 10, 0),
        "{ledger:?} since {}",
        now()
    );
    office.erp.stop();
}
