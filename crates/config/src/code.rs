//! The codes of findings, TG-1xxx, each with a page in `docs/errors/`. Owns the list; a test holds the pages
//! against it.

use std::fmt;

macro_rules! codes {
    ($($name:ident = $number:literal, $title:literal;)*) => {
        /// What kind of mistake a finding is.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Code {
            $(#[doc = $title] $name,)*
            /// A finding of another crate (a mapping's TG-2xxx), under its own code.
            Of(&'static str),
        }

        impl Code {
            /// Those of this crate and of `check`, in the order of their numbers.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => concat!("TG-", $number),)* Self::Of(code) => code }
            }

            /// The heading of its page; empty for another crate's.
            pub fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)* Self::Of(_) => "" }
            }
        }
    };
}

codes! {
    File = 1100, "The configuration cannot be read";
    Syntax = 1101, "Not TOML";
    UnknownKey = 1102, "Unknown key";
    MissingKey = 1103, "A required key is missing";
    Value = 1104, "A value that this key does not take";
    Unit = 1105, "A number without its unit";
    Name = 1106, "A name that cannot be used";
    LiteralSecret = 1107, "A secret stands in the configuration itself";
    SecretMissing = 1108, "A secret is not where its reference points";
    SecretExposed = 1109, "A secret's file can be read by everybody";
    UnknownTopic = 1110, "Unknown topic";
    UnknownReference = 1111, "It refers to something that is not configured";
    Override = 1112, "An environment variable or flag that cannot be applied";
    MasterKeyInside = 1113, "The master key lies inside the data directory";
    TwoOwners = 1201, "Two owners";
    NoOwner = 1202, "No owner";
    EchoLoop = 1203, "An echo loop";
    NotOwned = 1204, "A mapping writes what its source does not own";
    TransformRefused = 1205, "A transform that ownership does not allow";
    UnknownConnector = 1301, "Unknown connector";
    NotServed = 1302, "A flow that no connector can serve";
    UnknownOutcome = 1303, "Neither key nor look-up for an unknown outcome";
    Lease = 1304, "A request may outlive its lease";
    Policy = 1305, "A policy that the connector cannot carry out";
    Scope = 1306, "A scope is missing";
    Slo = 1307, "A cadence that cannot meet the flow's objective";
    Connection = 1308, "A connection setting that the connector does not take";
    SameFlowTwice = 1309, "Two flows that do the same";
    MappingFile = 1401, "A mapping file cannot be read";
}

impl Code {
    /// The page that explains it, relative to the repository.
    pub fn page(self) -> String {
        format!("docs/errors/{self}.md")
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::path::Path;

    #[test]
    fn every_code_has_a_page_and_every_page_a_code() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/errors");
        let mut expected = BTreeSet::new();
        for code in Code::ALL {
            let name = format!("{code}.md");
            let page = std::fs::read_to_string(folder.join(&name)).unwrap_or_default();
            assert!(page.starts_with(&format!("# {code}: {}\n", code.title())), "head of {name}");
            assert!(page.contains("\n## What to do\n"), "{name} says what to do");
            expected.insert(name);
        }
        let found: BTreeSet<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name.starts_with("TG-1"))
            .collect();
        assert_eq!(found, expected);
    }
}
