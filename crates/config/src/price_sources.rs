//! `[prices.sources.NAME]`: where prices come from by themselves, which lists are theirs, and how often they are asked for.

use crate::cadence::Cadence;
use crate::code::Code;
use crate::finding::Finding;
use crate::key::Key;
use crate::net::BaseUrl;
use crate::reader::{Section, named};
use crate::secret::SecretRef;
use crate::source::{Origin, Setting};
use crate::value::words;
use kernel::id::{NameError, ShopId, SystemName};
use std::collections::BTreeMap;
use std::path::PathBuf;

pub(crate) const KEYS: &[Key] = &[
    Key::optional(
        "system",
        "system",
        "A system of `[systems]` that is asked for its price lists: one whose connector is `tryton`. One of `system`, `url` and `folder`.",
        "\"erp\"",
    ),
    Key::optional(
        "url",
        "URL",
        "A feed in Tidegate's own form: `GET URL/changes?after=…` and `GET URL/snapshot` (docs/prices.md has the form).",
        "\"https://erp.example.com/prices\"",
    ),
    Key::optional(
        "bearer_token",
        "secret",
        "With `url`: sent as `Authorization: Bearer …`.",
        "\"env:ERP_FEED_TOKEN\"",
    ),
    Key::with(
        "allow_private",
        "true or false",
        "false",
        "With `url`: whether it may lead to an address inside a network.",
        "true",
    ),
    Key::optional(
        "folder",
        "path",
        "Files of prices, CSV or NDJSON, are dropped here; each is one load. It lies in `taking/` while it is loaded, then in `done/`, or in `refused/` with the reason beside it.",
        "\"/srv/prices\"",
    ),
    Key::optional(
        "lists",
        "list of texts",
        "The lists that are its own: ids, or how they begin. A row of another list refuses the load; lists of others are never touched. Of a system that tells price lists itself: `NAME-*`, unless said.",
        "[\"LIST-EUR\", \"ERP-*\"]",
    ),
    Key::with(
        "mode",
        "mode",
        "\"changes\"",
        "`changes`: what changed since the last time; what is not told stays. `lists`: all prices of the lists that it tells. `all`: all prices of all of its lists.",
        "\"lists\"",
    ),
    Key::required(
        "every",
        "cadence",
        "When it is asked: every so often, within a window, or at times of a place's own clock. Never twice at a time; what was missed is made up for once.",
        "\"5m\"",
    ),
    Key::optional(
        "snapshot",
        "cadence",
        "With mode `changes`, and not of a folder: when all of its prices are told anew, which finds what is gone and what was lost.",
        "\"30 2 * * * Europe/Berlin\"",
    ),
    Key::with(
        "party",
        "text",
        "\"code\"",
        "Of Tryton: what of a party is the company of the terms: its `code`, or an identifier of a type, as in `identifier:eu_vat`.",
        "\"identifier:eu_vat\"",
    ),
    Key::optional(
        "default_list",
        "text",
        "Of Tryton: the name of the price list for everyone. Absent: the one that Tryton gives to sales without another, or else the list prices of the products.",
        "\"Retail\"",
    ),
];

/// What a source tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PriceMode {
    Changes,
    Lists,
    All,
}

words! {
    PriceMode, "what it tells", "mode":
        "changes" => PriceMode::Changes, "lists" => PriceMode::Lists, "all" => PriceMode::All;
}

/// Where a source is asked.
#[derive(Debug, Clone, PartialEq)]
pub enum PriceOrigin {
    System(Setting<SystemName>),
    Feed {
        url: Setting<BaseUrl>,
        bearer_token: Option<Setting<SecretRef>>,
        allow_private: bool,
    },
    Folder(Setting<PathBuf>),
    /// None of the keys that say it, or several: nothing runs with it.
    Unclear(Vec<&'static str>),
}

/// `[prices.sources.NAME]`.
#[derive(Debug, Clone, PartialEq)]
pub struct PriceFrom {
    pub at: Origin,
    pub origin: PriceOrigin,
    pub lists: Setting<Vec<Setting<String>>>,
    pub mode: Setting<PriceMode>,
    pub every: Setting<Cadence>,
    pub snapshot: Option<Setting<Cadence>>,
    pub party: Setting<String>,
    pub default_list: Option<Setting<String>>,
}

impl PriceFrom {
    /// Whether this list is its own.
    #[must_use]
    pub fn owns(&self, list: &str) -> bool {
        self.lists.value.iter().any(|pattern| matches(&pattern.value, list))
    }
}

/// Whether a list is meant by an id, or by how ids begin (`ERP-*`).
#[must_use]
pub fn matches(pattern: &str, list: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(beginning) => list.starts_with(beginning),
        None => pattern == list,
    }
}

/// Whether two patterns mean a list in common.
#[must_use]
pub fn overlap(one: &str, other: &str) -> bool {
    let beginning = |pattern: &str| pattern.strip_suffix('*').map(str::to_owned);
    match (beginning(one), beginning(other)) {
        (Some(one), Some(other)) => one.starts_with(&other) || other.starts_with(&one),
        _ => matches(one, other) || matches(other, one),
    }
}

pub(crate) fn read(section: &mut Section<'_>) -> BTreeMap<String, PriceFrom> {
    let (path, entry) = (section.path_of("sources"), section.entry("sources"));
    let mut sources = BTreeMap::new();
    for (name, path, entry) in named(section.reading(), &path, entry, source_name) {
        let opened = Section::open(section.reading(), path, Some(entry), KEYS);
        if let Some(source) = source(&name, opened) {
            sources.insert(name, source);
        }
    }
    sources
}

fn source(name: &str, mut section: Section<'_>) -> Option<PriceFrom> {
    let origin = origin(&mut section);
    let (mode, every) = (section.with_default("mode"), section.required("every"));
    let (snapshot, party) = (section.optional("snapshot"), section.with_default("party"));
    let default_list = section.optional("default_list");
    // Only a system that gives its lists their ids has lists of its own that nobody has to name.
    let lists = match &origin {
        Some(PriceOrigin::System(_)) => section.with_default_of("lists", &format!("[\"{name}-*\"]")),
        _ => section.required("lists"),
    };
    let (origin, lists) = (origin?, lists?);
    Some(PriceFrom {
        at: section.at.clone(),
        origin,
        lists,
        mode: mode?,
        every: every?,
        snapshot,
        party: party?,
        default_list,
    })
}

fn origin(section: &mut Section<'_>) -> Option<PriceOrigin> {
    let (system, url, folder) =
        (section.optional("system"), section.optional("url"), section.optional("folder"));
    let (bearer_token, allow_private) =
        (section.optional("bearer_token"), section.with_default("allow_private"));
    let written: Vec<&'static str> =
        ["system", "url", "folder"].into_iter().filter(|key| section.entry(key).is_some()).collect();
    if written.len() != 1 {
        return Some(PriceOrigin::Unclear(written));
    }
    if let Some(token) = bearer_token.as_ref().filter(|_| url.is_none()) {
        let key = section.path_of("bearer_token");
        let help = "leave it out: a system has its own log-in, a folder needs none";
        let finding =
            Finding::new(Code::Value, &token.origin, "bearer_token means nothing without url", help);
        section.reading().finding(finding.key(key));
    }
    if let Some(system) = system {
        return Some(PriceOrigin::System(system));
    }
    if let Some(folder) = folder {
        return Some(PriceOrigin::Folder(folder));
    }
    Some(PriceOrigin::Feed { url: url?, bearer_token, allow_private: allow_private?.value })
}

/// Spelled as all names are: it stands in the journal beside each price.
fn source_name(name: &str) -> Result<String, NameError> {
    ShopId::new(name).map(String::from).map_err(|refused| NameError { what: "source", ..refused })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_meant_by_their_ids_or_by_how_they_begin() {
        for (one, other, expected) in [
            ("ERP-*", "ERP-1", true),
            ("ERP-*", "ERP-1*", true),
            ("ERP-1*", "ERP-*", true),
            ("ERP-1", "ERP-1", true),
            ("*", "ANY", true),
            ("ERP-1", "ERP-10", false),
            ("ERP-*", "LIST-EUR", false),
        ] {
            assert_eq!(overlap(one, other), expected, "{one} and {other}");
            assert_eq!(overlap(other, one), expected, "{other} and {one}");
        }
        assert!(matches("ERP-*", "ERP-1") && !matches("ERP-1", "ERP-*"));
    }
}
