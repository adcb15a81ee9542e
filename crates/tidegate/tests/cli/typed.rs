//! The binary as it is typed into a folder of its own, with an environment that holds nothing of ours.

use serde_json::Value;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tempfile::TempDir;

pub(crate) struct Desk {
    dir: TempDir,
}

/// What a command said, and how it ended.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) out: String,
    pub(crate) err: String,
    pub(crate) code: Option<i32>,
}

impl Said {
    pub(crate) fn ended(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self:?}");
        self
    }

    /// One object and nothing else stands on standard output.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Standard error holds all of these.
    pub(crate) fn tells(self, texts: &[&str]) -> Self {
        for text in texts {
            assert!(self.err.contains(text), "{text:?} is missing: {}", self.err);
        }
        self
    }

    /// Standard output holds all of these.
    pub(crate) fn shows(self, texts: &[&str]) -> Self {
        for text in texts {
            assert!(self.out.contains(text), "{text:?} is missing: {}", self.out);
        }
        self
    }
}

impl Desk {
    pub(crate) fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    /// With a configuration for the look-alikes in `hub`, every secret in its file.
    pub(crate) fn begun() -> Self {
        let desk = Self::new();
        desk.tidegate(&["init", "hub", "--shop", "acme.myshopify.com", "--twin"]).ended(0);
        desk
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }

    /// Changes the file so; what is to be changed is there.
    pub(crate) fn edit(&self, name: &str, from: &str, to: &str) {
        let text = self.read(name);
        assert!(text.contains(from), "{from:?} is not in {name}");
        self.write(name, &text.replacen(from, to, 1));
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tidegate"));
        command.current_dir(self.dir.path()).args(args);
        for (name, _) in std::env::vars() {
            if ["TIDEGATE", "SHOPIFY", "ERP"].iter().any(|ours| name.starts_with(ours)) {
                command.env_remove(name);
            }
        }
        command
    }

    pub(crate) fn tidegate(&self, args: &[&str]) -> Said {
        ended(self.command(args).stdin(Stdio::null()))
    }

    /// With a file on standard input.
    pub(crate) fn given(&self, args: &[&str], file: &Path) -> Said {
        let file = std::fs::File::open(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        ended(self.command(args).stdin(file))
    }

    /// With a text on standard input.
    pub(crate) fn told(&self, args: &[&str], text: &str) -> Said {
        let mut input = tempfile::NamedTempFile::new().unwrap();
        input.write_all(text.as_bytes()).unwrap();
        self.given(args, input.path())
    }
}

pub(crate) fn ended(command: &mut Command) -> Said {
    let output = command.output().unwrap();
    Said {
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
        code: output.status.code(),
    }
}

/// A file of the project.
pub(crate) fn ours(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)
}
