//! Secrets by reference: `env:NAME` or `file:PATH`. Owns their resolution; a secret never stands in the
//! configuration, in a finding or in a debug print.

use crate::code::Code;
use crate::finding::Finding;
use crate::source::Origin;
use secrecy::SecretString;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt;
use std::io::Read;
use std::path::{Path, PathBuf};

/// A secret is at most this long: a key or a token, not a document.
const BYTES_MAX: u64 = 64 * 1024;

/// Where a secret is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(into = "String")]
pub enum SecretRef {
    /// The name of an environment variable.
    Env(String),
    /// A file; a relative path counts from the folder of the configuration file.
    File(PathBuf),
}

impl SecretRef {
    /// `None` for anything that is not a reference.
    pub fn parse(text: &str) -> Option<Self> {
        if let Some(name) = text.strip_prefix("env:") {
            let good = !name.is_empty()
                && !name.starts_with(|c: char| c.is_ascii_digit())
                && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
            return good.then(|| Self::Env(name.to_owned()));
        }
        let path = text.strip_prefix("file:")?;
        (!path.trim().is_empty() && !path.contains('\0')).then(|| Self::File(PathBuf::from(path)))
    }

    /// The file that it names, if it names one.
    pub fn path(&self, base_dir: &Path) -> Option<PathBuf> {
        match self {
            Self::Env(_) => None,
            Self::File(path) => Some(base_dir.join(path)),
        }
    }

    /// Reads it. `origin` and `key` say where the reference stands, for the finding.
    pub fn resolve(
        &self,
        env: &BTreeMap<String, String>,
        base_dir: &Path,
        key: &str,
        origin: &Origin,
    ) -> Result<SecretString, Box<Finding>> {
        let missing = |message: String, help: String| {
            Box::new(Finding::new(Code::SecretMissing, origin, message, help).key(key))
        };
        let text = match self {
            Self::Env(name) => match env.get(name) {
                Some(value) => value.clone(),
                None => {
                    return Err(missing(
                        format!("the environment variable {name} is not set"),
                        format!("set {name} for this process, or refer to a file: \"file:PATH\""),
                    ));
                }
            },
            Self::File(path) => read(&base_dir.join(path), key, origin)?,
        };
        // Editors and `echo` end a file with a line end; it is not a part of the secret.
        let text = text.trim_end_matches(['\n', '\r']);
        if text.trim().is_empty() {
            return Err(missing(format!("{self} is empty"), "write the secret there".to_owned()));
        }
        Ok(SecretString::from(text.to_owned()))
    }
}

fn read(path: &Path, key: &str, origin: &Origin) -> Result<String, Box<Finding>> {
    let shown = path.display();
    let missing = |why: String| {
        let help = "create the file with mode 0600 (umask 077), or refer to a variable: \"env:NAME\"";
        Box::new(Finding::new(Code::SecretMissing, origin, why, help).key(key))
    };
    let file =
        std::fs::File::open(path).map_err(|error| missing(format!("{shown} cannot be read: {error}")))?;
    let facts = file.metadata().map_err(|error| missing(format!("{shown} cannot be read: {error}")))?;
    if !facts.is_file() {
        return Err(missing(format!("{shown} is not a file")));
    }
    if exposed(&facts) {
        let message = format!("{shown} can be read by every user of this machine");
        let finding = Finding::new(Code::SecretExposed, origin, message, format!("chmod 600 {shown}"));
        return Err(Box::new(finding.key(key)));
    }
    let mut text = String::new();
    match file.take(BYTES_MAX + 1).read_to_string(&mut text) {
        Ok(length) if length as u64 <= BYTES_MAX => Ok(text),
        Ok(_) => Err(missing(format!("{shown} is longer than 64 KiB: not a secret"))),
        Err(error) => Err(missing(format!("{shown} cannot be read as text: {error}"))),
    }
}

#[cfg(unix)]
fn exposed(facts: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    facts.permissions().mode() & 0o007 != 0
}

#[cfg(not(unix))]
fn exposed(_: &std::fs::Metadata) -> bool {
    false
}

impl fmt::Display for SecretRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Env(name) => write!(f, "env:{name}"),
            Self::File(path) => write!(f, "file:{}", path.display()),
        }
    }
}

impl From<SecretRef> for String {
    fn from(reference: SecretRef) -> Self {
        reference.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret;

    #[test]
    fn only_references_are_references() {
        assert_eq!(SecretRef::parse("env:TOKEN"), Some(SecretRef::Env("TOKEN".into())));
        assert_eq!(SecretRef::parse("file:../a"), Some(SecretRef::File("../a".into())));
        for bad in ["", "env:", "env:1A", "env:A B", "file:", "file: ", "hunter2", "ENV:X"] {
            assert_eq!(SecretRef::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_variable_is_read_and_its_absence_is_a_finding() {
        let env = BTreeMap::from([("A".to_owned(), "s3cret\n".to_owned()), ("B".to_owned(), " ".to_owned())]);
        let resolve = |text: &str| {
            SecretRef::parse(text).unwrap().resolve(
                &env,
                Path::new("."),
                "apps.main.client_secret",
                &Origin::Default,
            )
        };
        assert_eq!(resolve("env:A").unwrap().expose_secret(), "s3cret");
        for text in ["env:B", "env:C"] {
            assert_eq!(resolve(text).unwrap_err().code, Code::SecretMissing, "{text}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_file_must_not_be_readable_by_everybody() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("key"), "abc\n").unwrap();
        let resolve = || {
            let reference = SecretRef::parse("file:key").unwrap();
            reference.resolve(&BTreeMap::new(), dir.path(), "hub.master_key", &Origin::Default)
        };
        for (mode, expected) in [(0o600, None), (0o640, None), (0o644, Some(Code::SecretExposed))] {
            std::fs::set_permissions(dir.path().join("key"), std::fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(resolve().as_ref().err().map(|finding| finding.code), expected, "{mode:o}");
        }
        std::fs::remove_file(dir.path().join("key")).unwrap();
        assert_eq!(resolve().unwrap_err().code, Code::SecretMissing);
        std::fs::create_dir(dir.path().join("key")).unwrap();
        assert_eq!(resolve().unwrap_err().code, Code::SecretMissing);
    }
}
