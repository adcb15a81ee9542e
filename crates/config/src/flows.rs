//! `[flows.NAME]`: what moves from where to where, how, when and how fast. Owns the keys and what follows from one
//! flow alone; how flows stand to each other and to connectors is `check`'s.

use crate::cadence::Cadence;
use crate::code::Code;
use crate::finding::Finding;
use crate::key::Key;
use crate::order_policy::{self, OrderSettings};
use crate::reader::Section;
use crate::source::{Origin, Setting};
use crate::systems::SHOPIFY;
use crate::unit::Share;
use crate::value::words;
use kernel::flow::Mode;
use kernel::id::{DomainName, FlowName, ShopId, SystemName};
use std::path::PathBuf;
use std::time::Duration;

pub(crate) const KEYS: &[Key] = &[
    Key::required("domain", "domain", "What moves.", "\"orders\""),
    Key::required("source", "system", "Where it comes from.", "\"shopify\""),
    Key::required("target", "system", "Where it goes.", "\"erp\""),
    Key::optional("shops", "list of shops", "The shops that it serves. Without it, all.", "[\"acme\"]"),
    Key::required(
        "mapping",
        "path",
        "The mapping file. A relative path counts from the folder of this file.",
        "\"mappings/orders_to_erp.toml\"",
    ),
    Key::with(
        "mode",
        "mode",
        "\"live\"",
        "`off`: facts are recorded, nothing is delivered; `shadow`: all but send, shows what it would have sent; `live`.",
        "\"shadow\"",
    ),
    Key::optional(
        "intake",
        "intake",
        "How facts come in: `webhook` (Shopify tells), `poll` (the sweep alone finds them), `push` (the system posts to `/ingest`), `outcome` (what our own deliveries to the source found out). Without it: from Shopify `webhook` where `hub.public_url` is set, else `poll`; from other systems `outcome`.",
        "\"poll\"",
    ),
    Key::optional(
        "topics",
        "list of texts",
        "The Shopify topics that are subscribed to. Without it, all that the domain knows.",
        "[\"orders/create\", \"orders/updated\"]",
    ),
    Key::optional(
        "go_live_at",
        "instant",
        "Orders created before are filtered, whatever event they get, unless a backfill names them. Required for orders that go to another system than Shopify.",
        "\"2026-11-24T00:00:00Z\"",
    ),
    Key::with(
        "export_when",
        "list of export conditions",
        "[\"payment_terms\", \"paid\", \"authorised\"]",
        "When an order is ready for the target; any one suffices. Test orders never are.",
        "[\"paid\"]",
    ),
    Key::with(
        "confirm_when",
        "confirmation",
        "\"at_once\"",
        "When the object in the target is confirmed: `at_once`, `after(\"15m\")` (from its create), `paid` or `never`.",
        "'after(\"15m\")'",
    ),
    Key::table("after_confirm", "What a change becomes after the object was confirmed; see below."),
    Key::with(
        "difference",
        "policy for differences",
        "\"ticket\"",
        "What becomes of a difference between Shopify's totals and the target's: `adjust_line`, `accept(\"0.05\")` (up to this amount, in the order's currency) or `ticket`.",
        "'accept(\"0.05\")'",
    ),
    Key::with(
        "filters",
        "list of texts",
        "[]",
        "CEL conditions over the canonical order, which is called `item`; one that does not hold keeps it from being created in the target. An order that was exported is never filtered again.",
        "['item.source.channel != \"pos\"']",
    ),
    Key::with(
        "former_references",
        "list of texts",
        "[]",
        "Patterns under which a former connector may have written the same objects; a backfill looks there too and adopts what it finds. `{name}` and `{id}` stand for the order's.",
        "[\"SHOP-{name}\"]",
    ),
    Key::optional(
        "follows",
        "flow",
        "A flow of orders from Shopify. This one then carries what belongs to the orders that it has brought, each once, after its order: what was given back, where its mapping reads `refund/1` (docs/refunds.md), or what was paid, where it reads `payment/1` (docs/payments.md). Or, from that flow's target to Shopify, that the target refuses an order, where it reads `object.refusal/1`: such an order is held in the shop until it is taken (docs/inventory.md). Without such a flow a refusal is a dead letter alone.",
        "\"orders_to_erp\"",
    ),
    Key::table("slo", "What the flow promises; see below."),
    Key::table("sweep", "How completeness is assured when a webhook does not come; see below."),
    Key::table("stock", "For flows of inventory: what is held back, and units; see below."),
];

pub(crate) const SLO_KEYS: &[Key] = &[
    Key::with(
        "export_lag",
        "duration",
        "\"60s\"",
        "From the change in the source to the object's existence in the target. Of stock, 95 % of the changes are to be accepted within it, and its default is 2m.",
        "\"2m\"",
    ),
    Key::with(
        "confirm_lag",
        "duration",
        "\"5m\"",
        "From when the confirmation was due to when the target has it.",
        "\"15m\"",
    ),
];

pub(crate) const SWEEP_KEYS: &[Key] = &[
    Key::with(
        "every",
        "duration",
        "\"5m\"",
        "How often the source is asked for what changed. With `intake = \"poll\"` the default is 15s. Orders are asked for sooner where their stock shows that one was not heard of.",
        "\"10m\"",
    ),
    Key::optional(
        "cadence",
        "cadence",
        "The same as a cadence, in place of `every`: `real time` (each second), how often (`15s`), how often in a window (`10m in 22:00-05:00 Europe/Berlin`), once in each window (`22:00-05:00 Europe/Berlin`), by five fields of cron and a time zone, or `on demand` (only where somebody asks). Never two at a time; what was missed is made up for once, within the window.",
        "\"10m in 22:00-05:00 Europe/Berlin\"",
    ),
    Key::optional(
        "jitter",
        "duration",
        "A run that is due is put off by up to so long, each by another time, so that flows and hubs do not all ask at once. It is no longer than the time between two runs, and than the window. Without it, by nothing.",
        "\"30s\"",
    ),
    Key::with(
        "overlap",
        "duration",
        "\"10m\"",
        "How far each pass reaches back before the last full one.",
        "\"30m\"",
    ),
    Key::with(
        "cost_share",
        "share",
        "\"25%\"",
        "The most of the source's cost bucket that the sweep takes.",
        "\"10%\"",
    ),
];

pub(crate) const STOCK_KEYS: &[Key] = &[
    Key::with(
        "safety",
        "list of texts",
        "[]",
        "What is kept back from sale: a quantity or a share of what is on hand, for all or for a pattern of SKUs and a location. The last rule that fits counts.",
        "[\"2\", \"SKU-00*: 10%\", \"SKU-00*@WH-1: 5\"]",
    ),
    Key::with(
        "units",
        "list of texts",
        "[]",
        "How many sales units a unit of the source holds; what does not fill one is rounded down.",
        "[\"case = 12 each\"]",
    ),
    Key::optional(
        "bundles",
        "path",
        "A CSV file of what is sold as a bundle of others: `bundle,component,quantity`, and `unit` where a quantity is in another unit than is sold (docs/inventory.md). A relative path counts from the folder of this file.",
        "\"mappings/bundles.csv\"",
    ),
    Key::with(
        "bundle_share",
        "list of texts",
        "[]",
        "Of what is free of a component, what all bundles with it together may show, in whole percents, for all or for a pattern of SKUs; the rest it shows itself. The last rule that fits counts; without one it is half.",
        "[\"50%\", \"BOX-*: 100%\"]",
    ),
    Key::with(
        "locations",
        "list of texts",
        "[]",
        "Locations of the source that are one to the shop: a name for them together, which the mapping reads as a location, and which they are. What may be sold there is the sum.",
        "[\"CENTRAL = WH-1 + WH-2\"]",
    ),
    Key::with(
        "outlets",
        "list of texts",
        "[]",
        "Over which of the shop's locations what lies at one of the source's (or at several that are one) is divided: each by a name that the mapping reads as a location, with a share of what is free, or a number of units while one of them has the rest. Of shares the first has what rounding leaves; numbers are served in their order.",
        "[\"WH-1 = WEB 70% + SHOP 30%\", \"WH-2 = ONLINE + PICKUP 5\"]",
    ),
    Key::optional(
        "full_check",
        "cadence",
        "When all stock of the source is compared with all of the shop, which needs a source that can be asked for all that it has (a stock feed with `url`; Tryton and Medusa with their locations; no feed that only pushes or drops files): how often (`24h`), how often in a window (`10m in 22:00-05:00 Europe/Berlin`), or by five fields of cron and a time zone. One that was missed is made up for once. Without it, only where somebody asks (`tidegate reconcile inventory`).",
        "\"30 2 * * * Europe/Berlin\"",
    ),
    Key::optional(
        "full_check_jitter",
        "duration",
        "A full check that is due is put off by up to so long, each by another time, so that the checks of several shops do not all ask at once. It is no longer than the time between two checks, and than the window. Without it, by nothing.",
        "\"30m\"",
    ),
    Key::with(
        "full_check_mends",
        "true or false",
        "true",
        "Whether what such a check finds is taken up again; else it is only told.",
        "false",
    ),
    Key::with(
        "snapshot_floor",
        "share",
        "\"90%\"",
        "Of the pairs of its last whole snapshot, the share that the source's next one has to have; one with fewer is refused until a person has said that so many are gone (`tidegate reconcile inventory --accept-smaller`).",
        "\"99%\"",
    ),
    Key::with(
        "only_in_shop",
        "policy for what only the shop has",
        "\"report\"",
        "What becomes of a pair that a full check which mends finds in the shop alone, at a location of which the source tells: `report` tells of it, `zero` sets it to what may be sold of nothing. Never of a first check, nor of more pairs than a snapshot may be smaller (`snapshot_floor`), until a person has said so.",
        "\"zero\"",
    ),
];

/// Within which 95 % of the changes of stock are accepted, where nobody said otherwise.
const STOCK_LAG: &str = "\"2m\"";

/// How often a poll asks where nobody said otherwise.
const POLL_EVERY: &str = "\"15s\"";

/// How facts come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Intake {
    Webhook,
    Poll,
    Push,
    Outcome,
    /// Of the orders that another flow brought.
    Follows,
}

impl Intake {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Webhook => "webhook",
            Self::Poll => "poll",
            Self::Push => "push",
            Self::Outcome => "outcome",
            Self::Follows => "follows",
        }
    }
}

/// What becomes of a pair that the shop has and its source does not name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnlyInShop {
    Report,
    /// It is set to what may be sold of nothing.
    Zero,
}

words! {
    OnlyInShop, "policy for what only the shop has", "policy for what only the shop has": "report" => OnlyInShop::Report,
        "zero" => OnlyInShop::Zero;
    Intake, "way of intake", "intake": "webhook" => Intake::Webhook, "poll" => Intake::Poll, "push" => Intake::Push,
        "outcome" => Intake::Outcome;
    Mode, "mode", "mode": "off" => Mode::Off, "shadow" => Mode::Shadow, "live" => Mode::Live;
}

/// `[flows.NAME]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Flow {
    pub at: Origin,
    pub domain: Setting<DomainName>,
    pub source: Setting<SystemName>,
    pub target: Setting<SystemName>,
    /// `None`: all shops.
    pub shops: Option<Setting<Vec<Setting<ShopId>>>>,
    pub mapping: Setting<PathBuf>,
    pub mode: Setting<Mode>,
    pub intake: Setting<Intake>,
    /// `None`: all that the domain knows.
    pub topics: Option<Setting<Vec<Setting<String>>>>,
    pub orders: OrderSettings,
    /// The flow of orders whose refunds, payments or refusals it carries.
    pub follows: Option<Setting<FlowName>>,
    pub filters: Setting<Vec<Setting<String>>>,
    pub former_references: Setting<Vec<Setting<String>>>,
    pub slo: Slo,
    pub sweep: Sweep,
    pub stock: Stock,
}

/// `[flows.NAME.stock]`. The rules' own form is the domain's.
#[derive(Debug, Clone, PartialEq)]
pub struct Stock {
    pub safety: Setting<Vec<Setting<String>>>,
    pub units: Setting<Vec<Setting<String>>>,
    /// What is sold as a bundle of others.
    pub bundles: Option<Setting<PathBuf>>,
    pub bundle_share: Setting<Vec<Setting<String>>>,
    /// Locations of the source that are one to the shop.
    pub locations: Setting<Vec<Setting<String>>>,
    /// Locations of the shop among which what lies at one place is divided.
    pub outlets: Setting<Vec<Setting<String>>>,
    /// `None`: only where somebody asks.
    pub full_check: Option<Setting<Cadence>>,
    pub full_check_jitter: Option<Setting<Duration>>,
    pub full_check_mends: Setting<bool>,
    /// Of the last whole snapshot's pairs.
    pub snapshot_floor: Setting<Share>,
    pub only_in_shop: Setting<OnlyInShop>,
}

impl Stock {
    /// By up to how much a full check is put off.
    pub fn put_off(&self) -> Duration {
        self.full_check_jitter.as_ref().map_or(Duration::ZERO, |jitter| jitter.value)
    }
}

/// `[flows.NAME.slo]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Slo {
    pub export_lag: Setting<Duration>,
    pub confirm_lag: Setting<Duration>,
}

/// `[flows.NAME.sweep]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Sweep {
    pub every: Setting<Duration>,
    /// In place of `every`.
    pub cadence: Option<Setting<Cadence>>,
    pub jitter: Option<Setting<Duration>>,
    pub overlap: Setting<Duration>,
    pub cost_share: Setting<Share>,
}

impl Sweep {
    /// By up to how much a run is put off.
    pub fn put_off(&self) -> Duration {
        self.jitter.as_ref().map_or(Duration::ZERO, |jitter| jitter.value)
    }

    /// When it is made.
    pub fn paced(&self) -> Cadence {
        self.cadence
            .as_ref()
            .map_or_else(|| Cadence::every(self.every.value), |cadence| cadence.value.clone())
    }
}

impl Flow {
    /// Whether it creates orders in another system, so that the order policies count.
    pub fn exports_orders(&self) -> bool {
        self.domain.as_str() == "orders" && self.target.as_str() != SHOPIFY && self.follows.is_none()
    }

    /// Whether it serves a shop.
    pub fn serves(&self, shop: &ShopId) -> bool {
        self.shops.as_ref().is_none_or(|shops| shops.iter().any(|served| served.value == *shop))
    }

    /// Whether two flows serve a shop in common.
    pub fn shares_shops_with(&self, other: &Flow) -> bool {
        match (&self.shops, &other.shops) {
            (Some(own), Some(_)) => own.iter().any(|shop| other.serves(shop)),
            _ => true,
        }
    }
}

/// `reachable`: whether Shopify can send webhooks to this hub.
pub(crate) fn read(mut section: Section<'_>, reachable: bool) -> Option<Flow> {
    let domain: Option<Setting<DomainName>> = section.required("domain");
    let source: Option<Setting<SystemName>> = section.required("source");
    let target: Option<Setting<SystemName>> = section.required("target");
    let (shops, mapping) = (section.optional("shops"), section.required("mapping"));
    let (mode, topics) = (section.with_default("mode"), section.optional("topics"));
    let intake = section.optional("intake");
    let follows: Option<Setting<FlowName>> = section.optional("follows");
    let effective = match &follows {
        Some(follows) => intake.unwrap_or(Setting::new(Intake::Follows, follows.origin.clone())),
        None => effective_intake(intake, source.as_ref(), reachable),
    };
    let of_stock = domain.as_ref().is_some_and(|domain| domain.as_str() == "inventory");
    let slo = slo(section.table("slo", SLO_KEYS), of_stock);
    let sweep = sweep(section.table("sweep", SWEEP_KEYS), effective.value);
    let stock = stock(section.table("stock", STOCK_KEYS));
    let orders = order_policy::read(&mut section);
    let (filters, former_references) =
        (section.with_default("filters"), section.with_default("former_references"));
    let at = section.at.clone();
    let path = section.path.clone();
    let flow = Flow {
        at,
        domain: domain?,
        source: source?,
        target: target?,
        shops,
        mapping: mapping?,
        mode: mode?,
        intake: effective,
        topics,
        orders: orders?,
        follows,
        filters: filters?,
        former_references: former_references?,
        slo: slo?,
        sweep: sweep?,
        stock: stock?,
    };
    if flow.exports_orders() && flow.orders.go_live_at.is_none() && section.entry("go_live_at").is_none() {
        let finding = Finding::new(
            Code::MissingKey,
            &flow.at,
            format!(
                "[{path}] lacks go_live_at: orders created before it stay out of {}",
                flow.target.as_str()
            ),
            "add go_live_at with the instant from which orders count, as in \"2026-11-24T00:00:00Z\"",
        );
        section.reading().finding(finding.key(format!("{path}.go_live_at")));
    }
    Some(flow)
}

fn effective_intake(
    written: Option<Setting<Intake>>,
    source: Option<&Setting<SystemName>>,
    reachable: bool,
) -> Setting<Intake> {
    let from_shopify = source.is_some_and(|source| source.as_str() == SHOPIFY);
    let default = match (from_shopify, reachable) {
        (true, true) => Intake::Webhook,
        (true, false) => Intake::Poll,
        (false, _) => Intake::Outcome,
    };
    written.unwrap_or(Setting::new(default, Origin::Default))
}

fn slo(mut section: Section<'_>, of_stock: bool) -> Option<Slo> {
    let export_lag = match of_stock {
        true => section.with_default_of("export_lag", STOCK_LAG),
        false => section.with_default("export_lag"),
    };
    let confirm_lag = section.with_default("confirm_lag");
    Some(Slo { export_lag: export_lag?, confirm_lag: confirm_lag? })
}

fn stock(mut section: Section<'_>) -> Option<Stock> {
    let (safety, units) = (section.with_default("safety"), section.with_default("units"));
    let (bundles, bundle_share) = (section.optional("bundles"), section.with_default("bundle_share"));
    let (locations, outlets) = (section.with_default("locations"), section.with_default("outlets"));
    let (full_check, full_check_jitter) =
        (section.optional("full_check"), section.optional("full_check_jitter"));
    let mends = section.with_default("full_check_mends");
    let snapshot_floor = section.with_default("snapshot_floor");
    let only_in_shop = section.with_default("only_in_shop");
    Some(Stock {
        safety: safety?,
        units: units?,
        bundles,
        bundle_share: bundle_share?,
        locations: locations?,
        outlets: outlets?,
        full_check,
        full_check_jitter,
        full_check_mends: mends?,
        snapshot_floor: snapshot_floor?,
        only_in_shop: only_in_shop?,
    })
}

fn sweep(mut section: Section<'_>, intake: Intake) -> Option<Sweep> {
    let every = match intake {
        Intake::Poll => section.with_default_of("every", POLL_EVERY),
        _ => section.with_default("every"),
    };
    let (cadence, jitter) = (section.optional("cadence"), section.optional("jitter"));
    let (overlap, cost_share) = (section.with_default("overlap"), section.with_default("cost_share"));
    Some(Sweep { every: every?, cadence, jitter, overlap: overlap?, cost_share: cost_share? })
}
