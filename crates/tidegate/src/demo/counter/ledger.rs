//! What the counter's answers came to, line by line beside the table, and what became of each order's comparison.

use super::carts::{Asked, Cart, Heard};
use super::table::{Article, Buyer, Then, cents};
use super::{FLOW, SYSTEM};
use crate::demo::config::SHOP;
use crate::demo::play::is_exportable;
use crate::demo::stage::Ground;
use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;
use twin::erp::made_price;
use twin::shop::{Line, Order};

/// What a cart is promised at the 95th percentile, whatever the ERP does.
const PROMISED: Duration = Duration::from_millis(300);
const NAMED_MAX: usize = 10;

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct PricesLedger {
    /// That count at the end.
    pub prices: u64,
    /// Carts that were answered, and such as met a killed hub.
    pub carts: u64,
    pub unanswered: u64,
    pub lines: u64,
    /// Lines that the ERP priced, and those for which the list stood in.
    pub live: u64,
    pub fallback: u64,
    /// Lines with another price than the table's, and carts that were refused.
    pub wrong: u64,
    pub p50_us: u64,
    pub p95_us: u64,
    pub p99_us: u64,
    pub within_promise_per_mille: u64,
    /// The load that halved every price was stopped; absent where nobody made it.
    pub is_held: Option<bool>,
    /// Orders that were compared: charged as agreed, or not.
    pub as_agreed: u64,
    pub differing: u64,
    /// Lines that were not, by cause.
    pub by_cause: BTreeMap<String, u64>,
    pub unexplained: u64,
    /// Orders that were to be compared and were not; and such as the table judges otherwise.
    pub not_compared: u64,
    pub misjudged: u64,
    #[serde(skip)]
    pub named: Vec<String>,
}

/// How a sentence of a comparison tells its cause, and what the cause is called here.
const CAUSES: [(&str, &str); 8] = [
    ("Shopify's catalog is behind", "catalog behind"),
    ("it is what anybody pays", "no catalog of the location"),
    ("it is the price of a single one", "no quantity breaks"),
    ("a discount of Shopify came on top", "discount on top"),
    ("Shopify rounds the price of a unit", "rounded by Shopify"),
    ("a person made the order in Shopify", "set by hand"),
    ("nothing was agreed", "no price"),
    (UNEXPLAINED, "unexplained"),
];
const UNEXPLAINED: &str = "nothing that is known explains it";

impl PricesLedger {
    pub fn holds(&self) -> bool {
        self.carts > 0
            && self.wrong == 0
            && self.is_held != Some(false)
            && self.as_agreed > 0
            && self.unexplained == 0
            && self.not_compared == 0
            && self.misjudged == 0
    }

    fn wrong(&mut self, what: String) {
        if self.named.len() < NAMED_MAX {
            self.named.push(what);
        }
    }

    pub(super) fn carts(&mut self, heard: Heard, night: u64, promotion_at: Timestamp) {
        self.unanswered = heard.unanswered;
        self.wrong += heard.refused.len() as u64;
        for refused in heard.refused {
            self.wrong(format!("a cart was refused: {refused}"));
        }
        let mut took: Vec<Duration> = heard.carts.iter().map(|cart| cart.took).collect();
        took.sort_unstable();
        let at = |per_mille: usize| {
            let place = (took.len() * per_mille / 1000).min(took.len().saturating_sub(1));
            took.get(place).map_or(0, |took| u64::try_from(took.as_micros()).unwrap_or(u64::MAX))
        };
        (self.p50_us, self.p95_us, self.p99_us) = (at(500), at(950), at(990));
        let within = took.partition_point(|took| *took <= PROMISED) as u64;
        self.carts = took.len() as u64;
        self.within_promise_per_mille = (within * 1000).checked_div(self.carts).unwrap_or(1000);
        for cart in &heard.carts {
            let then = Then { after_the_night: cart.version >= night, promoted: cart.at >= promotion_at };
            for line in &cart.lines {
                self.line(cart, line, then);
            }
        }
    }

    fn line(&mut self, cart: &Cart, line: &Asked, then: Then) {
        self.lines += 1;
        let told = &line.told;
        let listed = Decimal::new(cents(cart.buyer, line.article, line.quantity, then), 2);
        let right = if let (Article::Configured(_), true) = (line.article, told["source"]["live"].is_string())
        {
            self.live += 1;
            made_price(&line.article.sku()).unwrap_or_default()
        } else {
            listed
        };
        if matches!(line.article, Article::Configured(_)) && told["fallback"].is_string() {
            self.fallback += 1;
        }
        let is_right = |name: &str, right: Decimal| {
            told[name].as_str().and_then(|told| told.parse::<Decimal>().ok()) == Some(right)
        };
        if !is_right("unit_price", right) || !is_right("total", right * Decimal::from(line.quantity)) {
            self.wrong += 1;
            self.wrong(format!(
                "{:?} asked {} × {} and was told {told}, not {right} each",
                cart.buyer,
                line.quantity,
                line.article.sku()
            ));
        }
    }

    pub(super) async fn orders(
        &mut self,
        ground: &Ground,
        first_at: Timestamp,
        night: (Timestamp, Timestamp),
        promotion_at: Timestamp,
    ) -> anyhow::Result<()> {
        for order in ground.shop.orders() {
            if order.test || order.cancelled_at.is_some() {
                continue;
            }
            let verdict = match ground.see(&format!("orders/{SHOP}/{}", order.id)).await {
                Ok(life) => Verdict::of(&life),
                Err(_) => Verdict::None,
            };
            // While a change was under way, and in its second, either price is right.
            let placed = order.created_at.as_second();
            let is_within = |from: Timestamp, until: Timestamp| {
                (from.as_second() - 1..=until.as_second() + 1).contains(&placed)
            };
            let is_clear = placed > first_at.as_second() + 1
                && !is_within(night.0, night.1)
                && !is_within(promotion_at, promotion_at);
            let differs = differs(&order, night.0, promotion_at);
            match verdict {
                Verdict::None if !is_exportable(&order) => {}
                Verdict::None => {
                    self.not_compared += 1;
                    self.wrong(format!("{} was not compared", order.name));
                }
                Verdict::AsAgreed => {
                    self.as_agreed += 1;
                    if is_clear && differs {
                        self.misjudged += 1;
                        self.wrong(format!(
                            "{} was charged otherwise than agreed, and nobody was told",
                            order.name
                        ));
                    }
                }
                Verdict::Differs(message) => {
                    self.differing += 1;
                    if is_clear && !differs {
                        self.misjudged += 1;
                        self.wrong(format!("{} was charged as agreed, and told as {message}", order.name));
                    }
                    self.causes(&order, &message);
                }
            }
        }
        Ok(())
    }

    fn causes(&mut self, order: &Order, message: &str) {
        for (told, name) in CAUSES {
            let count = message.matches(told).count() as u64;
            if count > 0 {
                *self.by_cause.entry(name.to_owned()).or_default() += count;
            }
            if told == UNEXPLAINED && count > 0 {
                self.unexplained += count;
                self.wrong(format!("{} is not explained: {message}", order.name));
            }
        }
    }
}

enum Verdict {
    None,
    AsAgreed,
    /// What a person reads.
    Differs(String),
}

impl Verdict {
    /// An open dead letter of the flow, else what the link says.
    fn of(life: &Value) -> Self {
        let all = |what: &str| life[what].as_array().cloned().unwrap_or_default();
        let is_open = |letter: &Value| letter["flow"] == FLOW && letter["closed"].is_null();
        if let Some(letter) = all("dead_letters").iter().find(|letter| is_open(letter)) {
            return Self::Differs(letter["fault"]["message"].as_str().unwrap_or_default().to_owned());
        }
        let link = all("external").into_iter().find(|link| link["system"] == SYSTEM);
        match link.as_ref().and_then(|link| link["state"].as_str()) {
            Some("as_agreed" | "not_compared") => Self::AsAgreed,
            _ => Self::None,
        }
    }
}

/// Whether any line was charged otherwise than the table says, by more than a cent.
fn differs(order: &Order, night: Timestamp, promotion_at: Timestamp) -> bool {
    let then =
        Then { after_the_night: order.created_at >= night, promoted: order.created_at >= promotion_at };
    let buyer =
        order.company.as_ref().map_or(Buyer::Anybody, |company| Buyer::of_location(company.location_id));
    let has_list = |line: &&Line| !line.gift_card && !line.tip && line.quantity > 0;
    order.lines.iter().filter(has_list).any(|line| {
        let Some(sku) = line.sku.as_deref().filter(|sku| !sku.is_empty()) else { return false };
        let Some(article) = Article::of_sku(sku) else { return true };
        let quantity = Decimal::from(line.quantity);
        let off: Decimal = line.discount_allocations.iter().map(|share| share.amount.shop).sum();
        let agreed = Decimal::new(cents(buyer, article, line.quantity.into(), then), 2) * quantity;
        (line.price.shop * quantity - off - agreed).abs() > Decimal::new(1, 2)
    })
}
