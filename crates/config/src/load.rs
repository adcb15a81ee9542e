//! From a file and its layers to a [`Config`]: the one place that knows all sections.

use crate::apps::{self, App};
use crate::code::Code;
use crate::escalation::{self, Escalation};
use crate::finding::Finding;
use crate::flows::{self, Flow};
use crate::hub::{self, Hub};
use crate::key::Key;
use crate::layers;
use crate::ownership::{self, Ownership};
use crate::prices::{self, Prices};
use crate::reader::{self, InForce, Section, named};
use crate::shops::{self, Shop};
use crate::source::{Origin, Source};
use crate::store::{self, Postgres};
use crate::systems::{self, SHOPIFY, System};
use crate::tree::{self, Entry, Node, Raw, Table};
use kernel::id::{DomainName, FlowName, NameError, ShopId, SystemName};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// A configuration is text that a person wrote: far below this.
const FILE_BYTES_MAX: u64 = 4 * 1024 * 1024;

pub(crate) const TOP_KEYS: &[Key] = &[
    Key::table("hub", "The process."),
    Key::table("store", "Where the store is."),
    Key::table("escalation", "Who hears of what needs a person."),
    Key::table("prices", "What a buyer pays."),
    Key::table("apps", "Shopify apps."),
    Key::table("shops", "Shops."),
    Key::table("systems", "Systems."),
    Key::table("ownership", "Whose word counts."),
    Key::table("flows", "What moves."),
];

/// All that `tidegate.toml` says, with defaults filled in.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// The file that was read.
    pub source: Source,
    /// Its folder: relative paths count from here.
    pub base_dir: PathBuf,
    /// `None` only in a partial [`Reading`].
    pub(crate) hub: Option<Hub>,
    /// `None`: the embedded store, in the data directory.
    pub postgres: Option<Postgres>,
    pub escalation: Escalation,
    /// `None`: the hub has no prices.
    pub prices: Option<Prices>,
    pub apps: BTreeMap<String, App>,
    pub shops: BTreeMap<ShopId, Shop>,
    /// Holds `shopify` always.
    pub systems: BTreeMap<SystemName, System>,
    pub ownership: BTreeMap<DomainName, Ownership>,
    pub flows: BTreeMap<FlowName, Flow>,
    /// Every setting that is in force, sorted by key.
    pub in_force: Vec<InForce>,
    damaged: BTreeSet<String>,
    broken: bool,
}

/// What could be read, and what is wrong. A configuration with a finding is not run, but it can be judged further.
#[derive(Debug, Clone)]
pub struct Reading {
    pub config: Config,
    pub findings: Vec<Finding>,
}

impl Config {
    /// Reads the file and its layers; `overrides` are the `--set` flags in their order.
    pub fn load(
        path: &Path,
        env: &BTreeMap<String, String>,
        overrides: &[(String, String)],
    ) -> Result<Config, Vec<Finding>> {
        Self::read(path, env, overrides).finish()
    }

    /// The same, for who wants to judge further what could be read.
    pub fn read(path: &Path, env: &BTreeMap<String, String>, overrides: &[(String, String)]) -> Reading {
        let base_dir = path.parent().map(Path::to_owned).unwrap_or_default();
        let name = path.display().to_string();
        match read_file(path) {
            Ok(text) => Self::from_text(&name, &text, &base_dir, env, overrides),
            Err(finding) => {
                let mut reading = Self::from_text(&name, "", &base_dir, env, overrides);
                reading.findings = vec![*finding];
                reading
            }
        }
    }

    /// The same for text that is not in a file; touches no disk.
    pub fn from_text(
        name: &str,
        text: &str,
        base_dir: &Path,
        env: &BTreeMap<String, String>,
        overrides: &[(String, String)],
    ) -> Reading {
        let (source, mut table, mut findings) = tree::parse(name, text);
        layers::environment(&mut table, env, &mut findings);
        layers::flags(&mut table, overrides, &mut findings);
        let mut reading = reader::Reading::new(base_dir);
        let end = Origin::File(crate::source::Spot::new(&source, 0..0));
        let root = Entry { key_at: end.clone(), node: Node { raw: Raw::Table(table), origin: end } };
        // Knock-on findings about keys that a broken line swallowed would hide the cause.
        let broken = findings.iter().any(|finding| finding.code == Code::Syntax);
        let mut config = sections(source, &root, &mut reading);
        if broken {
            let line = |finding: &Finding| finding.origin.spot().map(|spot| spot.line_column().0);
            let lines: BTreeSet<_> =
                findings.iter().filter(|finding| finding.code == Code::Syntax).filter_map(line).collect();
            let caused = |finding: &Finding| line(finding).is_some_and(|line| lines.contains(&line));
            reading.findings.retain(|finding| finding.code != Code::MissingKey && !caused(finding));
        }
        findings.append(&mut reading.findings);
        findings.sort_by_cached_key(Finding::order);
        findings.dedup();
        reading.in_force.sort_by(|one, other| one.key.cmp(&other.key));
        config.in_force = reading.in_force;
        config.damaged = reading.damaged;
        config.broken = broken;
        Reading { config, findings }
    }

    /// `[hub]`. Only a partial reading can lack it.
    pub fn hub(&self) -> Option<&Hub> {
        self.hub.as_ref()
    }

    /// Whether something is wrong inside a section (`systems.erp`, `hub`), so that it may be absent here though the
    /// user wrote it.
    pub fn is_damaged(&self, section: &str) -> bool {
        self.damaged.contains(section)
    }

    /// Whether any section of a kind (`flows`) is damaged.
    pub fn is_any_damaged(&self, kind: &str) -> bool {
        self.damaged.iter().any(|section| section.split('.').next() == Some(kind))
    }

    /// Whether the file is not TOML throughout, so that what is here is only what could be read around it.
    pub fn is_broken(&self) -> bool {
        self.broken
    }

    /// The shops that a flow serves.
    pub fn shops_of<'a>(&'a self, flow: &'a Flow) -> impl Iterator<Item = (&'a ShopId, &'a Shop)> {
        self.shops.iter().filter(|(name, _)| flow.serves(name))
    }
}

impl Reading {
    /// The configuration, if nothing is wrong with it.
    pub fn finish(self) -> Result<Config, Vec<Finding>> {
        if self.findings.is_empty() { Ok(self.config) } else { Err(self.findings) }
    }
}

fn read_file(path: &Path) -> Result<String, Box<Finding>> {
    use std::io::Read;
    let refused = |why: String, help: &str| Box::new(Finding::new(Code::File, &Origin::Default, why, help));
    let shown = path.display();
    let file = std::fs::File::open(path).map_err(|error| {
        let help = "name the file with --config, or let `tidegate init` write one";
        refused(format!("{shown} cannot be read: {error}"), help)
    })?;
    let mut bytes = Vec::new();
    file.take(FILE_BYTES_MAX + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| refused(format!("{shown} cannot be read: {error}"), "name a file"))?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return Err(refused(
            format!("{shown} is larger than 4 MiB: not a configuration"),
            "name the right file",
        ));
    }
    String::from_utf8(bytes).map_err(|_| refused(format!("{shown} is not UTF-8 text"), "save it as UTF-8"))
}

fn sections(source: Source, root: &Entry, reading: &mut reader::Reading) -> Config {
    let empty = Table::new();
    let top = match &root.node.raw {
        Raw::Table(table) => table,
        _ => &empty,
    };
    drop(Section::open(reading, "", Some(root), TOP_KEYS));
    let hub = hub::read(section(reading, "hub", top, &root.key_at, hub::KEYS));
    let postgres = store::read(section(reading, "store", top, &root.key_at, store::KEYS));
    let escalation = escalation::read(section(reading, "escalation", top, &root.key_at, escalation::KEYS));
    let priced = top.get("prices").map(|entry| Section::open(reading, "prices", Some(entry), prices::KEYS));
    let prices = priced.and_then(prices::read);
    let apps = many(reading, "apps", top, app_name, apps::KEYS, apps::read);
    let shops = many(reading, "shops", top, ShopId::new, shops::KEYS, shops::read);
    let systems = systems(reading, top);
    let ownership = many(reading, "ownership", top, DomainName::new, ownership::KEYS, ownership::read);
    // Asked of what was written, so that another mistake in [hub] does not change how flows are read.
    let reachable = match top.get("hub").map(|entry| &entry.node.raw) {
        Some(Raw::Table(hub)) => hub.contains_key("public_url"),
        _ => false,
    };
    let flows =
        many(reading, "flows", top, FlowName::new, flows::KEYS, |section| flows::read(section, reachable));
    Config {
        source,
        base_dir: reading.base_dir.clone(),
        hub,
        postgres,
        escalation,
        prices,
        apps,
        shops,
        systems,
        ownership,
        flows,
        in_force: Vec::new(),
        damaged: BTreeSet::new(),
        broken: false,
    }
}

fn section<'a>(
    reading: &'a mut reader::Reading,
    name: &str,
    top: &'a Table,
    root_at: &Origin,
    keys: &'static [Key],
) -> Section<'a> {
    let entry = top.get(name);
    let mut section = Section::open(reading, name, entry, keys);
    if entry.is_none() {
        section.at = root_at.clone();
    }
    section
}

/// An app's name is spelled as all names are.
fn app_name(name: &str) -> Result<String, NameError> {
    ShopId::new(name).map(String::from).map_err(|refused| NameError { what: "app", ..refused })
}

fn many<N: Ord, T>(
    reading: &mut reader::Reading,
    path: &str,
    top: &Table,
    name_of: impl Fn(&str) -> Result<N, NameError>,
    keys: &'static [Key],
    read: impl Fn(Section<'_>) -> Option<T>,
) -> BTreeMap<N, T> {
    let mut found = BTreeMap::new();
    for (name, path, entry) in named(reading, path, top.get(path), name_of) {
        if let Some(value) = read(Section::open(reading, path, Some(entry), keys)) {
            found.insert(name, value);
        }
    }
    found
}

fn systems(reading: &mut reader::Reading, top: &Table) -> BTreeMap<SystemName, System> {
    let read = |section: Section<'_>| {
        if section.path == format!("systems.{SHOPIFY}") {
            systems::read_shopify(section)
        } else {
            systems::read(section)
        }
    };
    let mut found = many(reading, "systems", top, SystemName::new, systems::KEYS, read);
    if let Ok(shopify) = SystemName::new(SHOPIFY) {
        let damaged = reading.damaged.contains(&format!("systems.{SHOPIFY}"));
        if !found.contains_key(&shopify) && !damaged {
            let section = Section::open(reading, format!("systems.{SHOPIFY}"), None, systems::KEYS);
            if let Some(system) = systems::read_shopify(section) {
                found.insert(shopify, system);
            }
        }
    }
    found
}
