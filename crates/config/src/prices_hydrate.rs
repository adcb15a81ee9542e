//! `[prices.hydrate]`: when price lists are brought into the shops' catalogs by themselves, and which. A shop with a section of
//! its own (`[prices.hydrate.shop.NAME]`) goes by that alone.

use crate::cadence::Cadence;
use crate::key::Key;
use crate::market_list::MarketList;
use crate::reader::{Section, named};
use crate::source::{Origin, Setting};
use kernel::id::ShopId;
use std::collections::BTreeMap;

const CADENCE: Key = Key::optional(
    "cadence",
    "cadence",
    "When what the price lists say is brought into the catalogs: how often (`24h`), how often in a window (`10m in 22:00-05:00 Europe/Berlin`), or by five fields of cron and a time zone. One that was missed is made up for once.",
    "\"30 1 * * * Europe/Berlin\"",
);
const AFTER_LOAD: Key = Key::with(
    "after_load",
    "true or false",
    "true",
    "Also as soon as a load, an approval or new terms went live.",
    "false",
);
const WHEN_PRICES_END: Key = Key::with(
    "when_prices_end",
    "true or false",
    "true",
    "Also at the second at which the first of the prices that were brought out begins or ends: a catalog has no dates.",
    "false",
);
const AGAINST_SHOP: Key = Key::optional(
    "against_shop",
    "cadence",
    "When all that the catalogs have is compared with what they are to have, whatever is known of them: that finds what somebody typed in the shop's admin. What becomes of it says `[ownership.pricing]`.",
    "\"0 3 * * 0 Europe/Berlin\"",
);
const LISTS: Key = Key::optional(
    "lists",
    "list of texts",
    "The lists that are brought out. A company location for which another list counts as well stays on the cart path with all of its prices, and `tidegate prices plan` says so. Absent: all.",
    "[\"LIST-EUR\", \"DEALERS-EUR\"]",
);

const MARKETS: Key = Key::optional(
    "markets",
    "list of currencies and names",
    "Price lists of markets, which a person made in the shop's admin, each by its currency and its name. They are to say what everyone pays who is of no company, or, after `for`, those of a `group:`, a `company:` or a `company_location:`. Below Plus no other catalog counts: where the shop's `plan` is, none is made for company locations beside them. Absent: none.",
    "[\"EUR Spain\", \"EUR Dealers for group:dealers\"]",
);

pub(crate) const KEYS: &[Key] = &[
    CADENCE,
    AFTER_LOAD,
    WHEN_PRICES_END,
    AGAINST_SHOP,
    LISTS,
    MARKETS,
    Key::optional("shops", "list of shops", "Of which shops. Absent: all.", "[\"acme\"]"),
    Key::table("shop", "A shop that goes by keys of its own; see below."),
];

pub(crate) const SHOP_KEYS: &[Key] = &[CADENCE, AFTER_LOAD, WHEN_PRICES_END, AGAINST_SHOP, LISTS, MARKETS];

/// `[prices.hydrate]`.
#[derive(Debug, Clone, PartialEq)]
pub struct PriceHydration {
    pub at: Origin,
    pub all: Hydration,
    pub shops: Option<Setting<Vec<Setting<ShopId>>>>,
    pub of: BTreeMap<ShopId, Hydration>,
}

/// When one shop is hydrated, and with what.
#[derive(Debug, Clone, PartialEq)]
pub struct Hydration {
    pub at: Origin,
    pub cadence: Option<Setting<Cadence>>,
    pub after_load: Setting<bool>,
    pub when_prices_end: Setting<bool>,
    pub against_shop: Option<Setting<Cadence>>,
    /// None: all.
    pub lists: Option<Setting<Vec<Setting<String>>>>,
    /// None: of markets nothing is written.
    pub markets: Option<Setting<Vec<Setting<MarketList>>>>,
}

impl PriceHydration {
    /// None: this shop is hydrated by hand alone.
    pub fn of(&self, shop: &ShopId) -> Option<&Hydration> {
        let is_named =
            self.shops.as_ref().is_none_or(|shops| shops.value.iter().any(|one| one.value == *shop));
        self.of.get(shop).or_else(|| is_named.then_some(&self.all))
    }
}

pub(crate) fn read(mut section: Section<'_>) -> Option<PriceHydration> {
    let (path, entry) = (section.path_of("shop"), section.entry("shop"));
    let mut of = BTreeMap::new();
    for (name, path, entry) in named(section.reading(), &path, entry, ShopId::new) {
        if let Some(one) = one(&mut Section::open(section.reading(), path, Some(entry), SHOP_KEYS)) {
            of.insert(name, one);
        }
    }
    let (all, shops) = (one(&mut section), section.optional("shops"));
    Some(PriceHydration { at: section.at.clone(), all: all?, shops, of })
}

fn one(section: &mut Section<'_>) -> Option<Hydration> {
    let (cadence, against_shop) = (section.optional("cadence"), section.optional("against_shop"));
    let [after_load, when_prices_end] =
        ["after_load", "when_prices_end"].map(|name| section.with_default(name));
    let (lists, markets) = (section.optional("lists"), section.optional("markets"));
    Some(Hydration {
        at: section.at.clone(),
        cadence,
        after_load: after_load?,
        when_prices_end: when_prices_end?,
        against_shop,
        lists,
        markets,
    })
}
