//! `[hub.tls]`: the certificate under which the public port is served. Absent, a proxy speaks TLS. Owns the names of
//! the files; what is in them is for whoever serves.

use crate::key::Key;
use crate::reader::Section;
use crate::secret::SecretRef;
use crate::source::{Origin, Setting};
use std::path::{Path, PathBuf};

pub(crate) const KEYS: &[Key] = &[
    Key::required(
        "cert_file",
        "path",
        "The certificate and those between it and its authority, in PEM, its own first.",
        "\"tls/fullchain.pem\"",
    )
    .local(),
    Key::required(
        "key_file",
        "path",
        "The certificate's private key, in PEM. A file that every user of the machine can read is refused.",
        "\"tls/privkey.pem\"",
    )
    .local(),
];

/// `[hub.tls]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Tls {
    pub at: Origin,
    pub cert_file: Setting<PathBuf>,
    pub key_file: Setting<PathBuf>,
}

impl Tls {
    /// The key is a secret in a file: missing or exposed it is refused as any other.
    pub(crate) fn key_secret(&self, base_dir: &Path) -> Setting<SecretRef> {
        let path = self.key_file.value.strip_prefix(base_dir).unwrap_or(&self.key_file.value);
        Setting::new(SecretRef::File(path.to_owned()), self.key_file.origin.clone())
    }
}

pub(crate) fn read(mut section: Section<'_>) -> Option<Tls> {
    let (cert_file, key_file) = (section.required("cert_file"), section.required("key_file"));
    Some(Tls { at: section.at.clone(), cert_file: cert_file?, key_file: key_file? })
}

#[cfg(test)]
mod tests {
    use crate::load::Config;
    use std::collections::BTreeMap;
    use std::path::Path;

    fn read(tls: &str) -> crate::load::Reading {
        let text = format!("[hub]\nmaster_key = \"env:K\"\nadmin_token = \"env:A\"\n{tls}\n");
        Config::from_text("tidegate.toml", &text, Path::new("etc"), &BTreeMap::new(), &[])
    }

    #[test]
    fn the_key_is_a_secret_of_this_configuration_wherever_it_is_read_from() {
        let reading = read("[hub.tls]\ncert_file = \"tls/c.pem\"\nkey_file = \"tls/k.pem\"");
        assert_eq!(reading.findings, []);
        let tls = reading.config.hub().unwrap().tls.clone().unwrap();
        assert_eq!(tls.cert_file.value, Path::new("etc/tls/c.pem"));
        let secrets = reading.config.secrets();
        let key = secrets.iter().find(|secret| secret.key == "hub.tls.key_file").unwrap();
        assert_eq!(key.reference.path(Path::new("etc")).unwrap(), Path::new("etc/tls/k.pem"));
        // Two nodes may have certificates of their own.
        let other = read("[hub.tls]\ncert_file = \"other.pem\"\nkey_file = \"tls/k.pem\"");
        assert_eq!(crate::revision(&reading.config), crate::revision(&other.config));
    }

    #[test]
    fn one_without_the_other_is_said_and_none_is_none() {
        let reading = read("[hub.tls]\ncert_file = \"c.pem\"");
        let found = crate::render(&reading.findings);
        assert!(found.contains("[hub.tls] lacks key_file"), "{found}");
        assert_eq!(read("").config.hub().unwrap().tls, None);
    }
}
