//! Writes `docs/configuration.md` from the tables of keys. Owns the order of the sections and the page's words; a
//! test refuses a page that is not what this makes.

use crate::key::{Default, Key, Section};
use crate::{
    apps, escalation, flows, hub, order_policy, ownership, price_sources, prices, prices_hydrate, shops,
    store, systems, tls,
};
use std::fmt::Write as _;

/// Every section, in the order of the page.
pub(crate) const SECTIONS: &[Section] = &[
    Section {
        header: "hub",
        meaning: "The process: where it keeps its data, where it listens, its own secrets.",
        keys: hub::KEYS,
    },
    Section {
        header: "hub.limits",
        meaning: "The bounds of what is taken at once. At a bound the answer is a refusal, never growth.",
        keys: hub::LIMIT_KEYS,
    },
    Section {
        header: "hub.tls",
        meaning: "The certificate of the public port. The files are looked at every few seconds: a new pair is served without a restart and without ending a connection; one that does not fit is refused, said, and the former one stays.",
        keys: tls::KEYS,
    },
    Section {
        header: "store",
        meaning: "Where the store is. Without `url` it is embedded, for one node; with it, one PostgreSQL for any number of nodes ([more](store-postgres.md)).",
        keys: store::KEYS,
    },
    Section { header: "escalation", meaning: "Who hears of what needs a person.", keys: escalation::KEYS },
    Section {
        header: "prices",
        meaning: "What a buyer pays ([more](prices.md)). Without the section the hub has no prices.",
        keys: prices::KEYS,
    },
    Section {
        header: "prices.guards",
        meaning: "Which loads stop and ask, each list for itself. A new list is not held.",
        keys: prices::GUARD_KEYS,
    },
    Section {
        header: "prices.callers.NAME",
        meaning: "A program that asks what a buyer pays, or that brings prices. NAME stands in the audit trail.",
        keys: prices::CALLER_KEYS,
    },
    Section {
        header: "prices.hydrate",
        meaning: "Price lists are brought into the shops' catalogs by themselves ([how](hydration.md)): at a cadence, after each load, and when prices end. One run at a time for a shop, on however many nodes.",
        keys: prices_hydrate::KEYS,
    },
    Section {
        header: "prices.hydrate.shop.NAME",
        meaning: "A shop that goes by keys of its own: nothing of `[prices.hydrate]` counts for it.",
        keys: prices_hydrate::SHOP_KEYS,
    },
    Section {
        header: "prices.sources.NAME",
        meaning: "Prices come by themselves ([more](prices.md#from-the-erp-by-itself)). NAME stands in the journal beside each price.",
        keys: price_sources::KEYS,
    },
    Section {
        header: "prices.live",
        meaning: "Some prices are made by a system when they are asked for: configured items, price on request. A cart never waits longer than `deadline`.",
        keys: prices::LIVE_KEYS,
    },
    Section {
        header: "prices.storefront",
        meaning: "Storefronts ask `/proxy/prices/resolve` through Shopify's app proxy, which signs who is logged in.",
        keys: prices::STOREFRONT_KEYS,
    },
    Section {
        header: "apps.NAME",
        meaning: "A Shopify app. Its secret signs the webhooks of the shops that installed it.",
        keys: apps::KEYS,
    },
    Section {
        header: "shops.NAME",
        meaning: "A shop. NAME is what the hub calls it, in the log, in keys and in metrics; it cannot be changed later.",
        keys: shops::KEYS,
    },
    Section {
        header: "systems.NAME",
        meaning: "A system behind the shop. `shopify` stands for every shop's own Shopify: it needs no section; `[systems.shopify]` changes its pace.",
        keys: systems::KEYS,
    },
    Section {
        header: "systems.NAME.retry",
        meaning: "How often a delivery is tried, and how far apart. Waits have full jitter.",
        keys: systems::RETRY_KEYS,
    },
    Section {
        header: "systems.NAME.breaker",
        meaning: "When the system is left alone. Waiting behind it costs no attempt.",
        keys: systems::BREAKER_KEYS,
    },
    Section {
        header: "systems.NAME.ingest",
        meaning: "How a system that pushes its facts proves who it is. One of the two suffices; without both it cannot push.",
        keys: systems::INGEST_KEYS,
    },
    Section {
        header: "ownership.DOMAIN",
        meaning: "Whose word counts: one system of record for each domain that has a flow.",
        keys: ownership::KEYS,
    },
    Section {
        header: "ownership.DOMAIN.fields.\"FIELD\"",
        meaning: "A field of the canonical model, with what lies below it, that another system owns.",
        keys: ownership::FIELD_KEYS,
    },
    Section { header: "flows.NAME", meaning: "What moves, from where to where.", keys: flows::KEYS },
    Section {
        header: "flows.NAME.after_confirm",
        meaning: "What a change becomes after the object was confirmed in the target.",
        keys: order_policy::AFTER_CONFIRM_KEYS,
    },
    Section {
        header: "flows.NAME.slo",
        meaning: "The objectives that `/metrics` and the page measure against.",
        keys: flows::SLO_KEYS,
    },
    Section {
        header: "flows.NAME.sweep",
        meaning: "Webhooks are hints; the sweep is what makes sure that nothing is missing.",
        keys: flows::SWEEP_KEYS,
    },
    Section {
        header: "flows.NAME.stock",
        meaning: "For flows of `inventory`: from what the source has to what may be sold.",
        keys: flows::STOCK_KEYS,
    },
];

const HEAD: &str = "# Configuration

<!-- Made from the code: UPDATE_DOCS=1 cargo nextest run -p tidegate-config. Do not edit. -->

`tidegate.toml` is read first, then environment variables (`TIDEGATE__SECTION__KEY`, as in
`TIDEGATE__HUB__LISTEN=0.0.0.0:8080`; `-` and `.` of a name are written `_`), then flags
(`--set flows.orders_to_erp.mode=shadow`). The later one wins. `tidegate check` says of each value where it came from.

- A number that counts something else than things needs its unit: `\"30s\"`, `\"2MiB\"`, `\"20/s\"`, `\"25%\"`.
  Durations take `ms`, `s`, `m`, `h`, `d`; sizes `B`, `KiB`, `MiB`, `GiB`, `kB`, `MB`, `GB`.
- A secret is written by reference only: `\"env:NAME\"` or `\"file:PATH\"`. A secret's file must not be readable by
  everybody (`chmod 600`).
- A relative path counts from the folder of `tidegate.toml`.
- A name (of a shop, a system, a flow) has 1 to 64 of `a-z`, `0-9`, `-`, `_` and begins with a letter.
- An unknown key is refused, with the nearest known one.
";

/// The whole page.
pub fn reference() -> String {
    let mut page = HEAD.to_owned();
    for section in SECTIONS {
        let _ = write!(page, "\n## `[{}]`\n\n{}\n\n", section.header, section.meaning);
        page.push_str("| key | kind | default | meaning |\n| --- | --- | --- | --- |\n");
        for key in section.keys {
            page.push_str(&row(key));
        }
        page.push_str(&example(section));
    }
    page
}

fn row(key: &Key) -> String {
    let default = match (key.kind, key.default) {
        ("table", _) => "–".to_owned(),
        (_, Default::Required) => "required".to_owned(),
        (_, Default::Absent) => "absent".to_owned(),
        (_, Default::Is(text)) => format!("`{text}`"),
    };
    format!("| `{}` | {} | {default} | {} |\n", key.name, key.kind, key.meaning.replace('|', "\\|"))
}

fn example(section: &Section) -> String {
    let mut text = format!(
        "\n```toml\n[{}]\n",
        section.header.replace("NAME", "main").replace("DOMAIN", "orders").replace("FIELD", "erp.number")
    );
    for key in section.keys.iter().filter(|key| key.kind != "table") {
        let _ = writeln!(text, "{} = {}", key.name, key.example);
    }
    text + "```\n"
}
