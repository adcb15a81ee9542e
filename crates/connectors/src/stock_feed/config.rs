//! The connection's settings, and what the connector declares.

use connector::descriptor::{Setting, SettingKind};
use connector::outbound::{Auth, OutboundConfig};
use connector::settings::{Secrets, Settings};
use domains::inventory::drop::{FileNames, Takes};
use std::path::PathBuf;
use std::time::Duration;

/// Of one that comes each night, one that did not come is noticed by the next check.
const AGE_MAX: Duration = Duration::from_secs(24 * 3_600);

/// `[systems.X.connection]`.
#[derive(Debug, Clone)]
pub(super) struct Config {
    /// Absent: the system only pushes.
    pub(super) outbound: Option<OutboundConfig>,
    /// Where it drops files.
    pub(super) folder: Option<PathBuf>,
    /// What these files hold.
    pub(super) files: Takes,
    /// Of files that name none.
    pub(super) location: Option<String>,
    /// Which of these files are all that there is.
    pub(super) snapshots: Option<Snapshots>,
}

/// Files that are all that there is, for the full check.
#[derive(Debug, Clone)]
pub(super) struct Snapshots {
    pub(super) names: FileNames,
    /// One that is older is not used.
    pub(super) age_max: Duration,
}

impl Config {
    pub(super) fn read(settings: &Settings, secrets: Secrets) -> Result<Self, Vec<String>> {
        settings.read(secrets, |at| {
            let token = at.value("token").is_some().then(|| at.secret("token"));
            let outbound = at.text("url").map(|url| {
                let mut outbound = OutboundConfig::new(url);
                outbound.allow_private = at.boolean("allow_private", false);
                if let Some(token) = token.clone() {
                    outbound.auth = Auth::Bearer { token };
                }
                if let Err(problem) = outbound.check() {
                    at.problem("url", problem);
                }
                outbound
            });
            if outbound.is_none() {
                for key in ["token", "allow_private"] {
                    if at.value(key).is_some() {
                        at.problem(key, "means nothing without url");
                    }
                }
            }
            let (folder, location) = (at.text("folder").map(PathBuf::from), at.text("location"));
            if folder.as_ref().is_some_and(|folder| !folder.is_absolute()) {
                at.problem("folder", "must be a whole path, from / on");
            }
            if folder.is_some() && outbound.is_some() {
                let what = "means nothing beside url: a system is asked at its address or in its folder; give the folder a \
                            system of its own";
                at.problem("folder", what);
            }
            let files = at.text("files").map(|text| {
                Takes::parse(&text).unwrap_or_else(|| {
                    at.problem("files", "must be \"levels\", \"changes\" or \"both\"");
                    Takes::default()
                })
            });
            let names = at.text("snapshot");
            let age_max = at.duration("snapshot_age_max");
            if folder.is_none() {
                let written =
                    [("location", location.is_some()), ("files", files.is_some()), ("snapshot", names.is_some())];
                for (key, _) in written.into_iter().filter(|(_, is_written)| *is_written) {
                    at.problem(key, "means nothing without folder");
                }
            }
            if age_max.is_some() && names.is_none() {
                at.problem("snapshot_age_max", "means nothing without snapshot");
            }
            if age_max == Some(Duration::ZERO) {
                at.problem("snapshot_age_max", "must be longer than nothing");
            }
            let names = names.and_then(|text| FileNames::parse(&text).map_err(|what| at.problem("snapshot", what)).ok());
            let snapshots = names.map(|names| Snapshots { names, age_max: age_max.unwrap_or(AGE_MAX) });
            Self { outbound, folder, files: files.unwrap_or_default(), location, snapshots }
        })
    }
}

pub(super) const SETTINGS: &[Setting] = &[
    Setting {
        name: "url",
        kind: SettingKind::Url,
        required: false,
        default: None,
        meaning: "Where the system can be asked for its stock. Absent: it only pushes, and nothing that was pushed and lost \
                  can be found again.",
        example: "https://wms.example/api",
    },
    Setting {
        name: "token",
        kind: SettingKind::Secret,
        required: false,
        default: None,
        meaning: "Sent as `Authorization: Bearer …` when the system is asked.",
        example: "file:../secrets/wms.token",
    },
    Setting {
        name: "allow_private",
        kind: SettingKind::Boolean,
        required: false,
        default: Some("false"),
        meaning: "Whether the url may lead to an address inside a network.",
        example: "true",
    },
    Setting {
        name: "folder",
        kind: SettingKind::Text,
        required: false,
        default: None,
        meaning: "Where the system drops files of stock, NDJSON or CSV, in one folder below it for each shop. Not beside url. \
                  Needs `intake = \"poll\"`.",
        example: "/srv/stock",
    },
    Setting {
        name: "files",
        kind: SettingKind::Text,
        required: false,
        default: Some("levels"),
        meaning: "What these files hold: `levels`, `changes` (movements: by how much a level changed), or `both`, each file one of the two.",
        example: "changes",
    },
    Setting {
        name: "location",
        kind: SettingKind::Text,
        required: false,
        default: None,
        meaning: "The location of files that have no such column.",
        example: "WH-1",
    },
    Setting {
        name: "snapshot",
        kind: SettingKind::Text,
        required: false,
        default: None,
        meaning: "The name of files that hold every level that there is, for the full check; `*` stands for any letters. They are no \
                  news of what changed, and are not taken as such.",
        example: "full-*.csv",
    },
    Setting {
        name: "snapshot_age_max",
        kind: SettingKind::Duration,
        required: false,
        default: Some("24h"),
        meaning: "A full check uses no snapshot that was written longer ago.",
        example: "8d",
    },
];
