//! The prices of the measurement: contract lists of company locations, of their companies and of their groups, a third each,
//! and one list for everybody beneath them; carts as such buyers fill them. Of one seed, so that each run has the same.

use anyhow::Context as _;
use jiff::tz::TimeZone;
use price_store::{PriceForm, Row, RowFault, WindowForm};
use pricing::Price;
use rust_decimal::Decimal;
use std::fmt::Write as _;
use std::io::{BufWriter, Write as _};
use std::path::Path;
use twin::shop::chance::mix;

/// A third of them is of locations.
const CONTRACTS: u64 = 999;
const LOCATIONS: u64 = CONTRACTS / 3;
const BASE: &str = "BASE";
/// A contract has a price for one of so many SKUs.
const APART: u64 = 10;
/// One in so many prices has three tiers.
const TIERED: u64 = 25;
/// What a system makes itself, when it is asked.
const CONFIGURED: u64 = 16;
/// So few locations ask for it that many wait for one question.
const CONFIGURING: u64 = 8;
pub const LINES: u64 = 100;

pub struct World {
    skus: Vec<String>,
    lists: Vec<String>,
    per_list: u64,
}

/// What a buyer asks for.
pub struct Cart {
    pub location: String,
    pub lines: Vec<(String, u32)>,
    /// The lists of the buyer, the nearest first, and each line's SKU, as numbers.
    pub lists: [usize; 3],
    pub numbers: Vec<u32>,
}

impl World {
    pub fn of(prices: u64) -> Self {
        let per_list = prices.div_ceil(CONTRACTS).max(APART);
        let skus = (0..per_list * APART).map(|sku| format!("{:03}-{sku:07}", mix(sku) % 1000)).collect();
        let lists = (0..CONTRACTS).map(|list| format!("CONTRACT-{list:04}")).collect();
        Self { skus, lists, per_list }
    }

    /// Contract prices; those of the base list come on top.
    pub fn prices(&self) -> u64 {
        self.per_list * CONTRACTS
    }

    pub fn changes(&self) -> u64 {
        self.prices() / 10
    }

    pub fn terms(&self) -> String {
        let mut text =
            format!("[[lists]]\nid = \"{BASE}\"\nkind = \"list\"\ncurrency = \"EUR\"\nfor = \"everyone\"\n");
        for (number, list) in self.lists.iter().enumerate() {
            let audience = ["company_location", "company", "group"][number % 3];
            let buyer = number / 3;
            // Writing to a String cannot fail.
            let _ = write!(
                text,
                "[[lists]]\nid = \"{list}\"\nkind = \"contract\"\ncurrency = \"EUR\"\nfor = \"{audience}:{buyer}\"\n"
            );
        }
        for buyer in 0..LOCATIONS {
            let _ = write!(
                text,
                "[[locations]]\nid = \"{buyer}\"\ncompany = \"{buyer}\"\ngroups = [\"{buyer}\"]\n"
            );
        }
        text
    }

    /// Each once, list after list.
    pub fn rows(&self) -> impl Iterator<Item = Result<Row<'_>, RowFault>> {
        let base = self.skus.iter().zip(0_u64..).map(|(sku, number)| {
            let price = Some(Price::Plain(Decimal::new(cents(number) + 20_000, 2)));
            Ok(Row { list: BASE.into(), sku: sku.as_str().into(), price, line: None })
        });
        let configured = (0..CONFIGURED).map(|item| {
            let price = Some(Price::Plain(Decimal::new(100_000, 2)));
            Ok(Row { list: BASE.into(), sku: configured(item).into(), price, line: None })
        });
        let contracts = (0..self.prices()).map(|at| {
            let (list, sku) = self.place(at);
            Ok(Row { list: list.into(), sku: sku.into(), price: price(at), line: None })
        });
        base.chain(configured).chain(contracts)
    }

    /// One price in ten becomes another, all over the lists; the two files after one another change each of theirs again.
    pub fn write_changes(&self, path: &Path, which: i64) -> anyhow::Result<()> {
        let file =
            std::fs::File::create(path).with_context(|| format!("{} cannot be made", path.display()))?;
        let mut out = BufWriter::with_capacity(1 << 20, file);
        writeln!(out, "list,sku,price")?;
        for change in 0..self.changes() {
            let at = change * 10;
            let (list, sku) = self.place(at);
            writeln!(out, "{list},{sku},{}", Decimal::new(cents(at) + 10 + 10 * which, 2))?;
        }
        Ok(out.flush()?)
    }

    /// A contract's number, the SKU, and its tiers: from which quantity on, cents.
    pub fn row(&self, at: u64) -> (u64, &str, Vec<(u32, i64)>) {
        let base = cents(at);
        let mut tiers = vec![(1, base)];
        if at.is_multiple_of(TIERED) {
            tiers.extend([(10, base * 9 / 10), (50, base * 8 / 10)]);
        }
        (at / self.per_list, self.place(at).1, tiers)
    }

    /// Of one, in a contract; none where it has no price.
    pub fn cents_of(&self, list: u64, sku: u32) -> Option<u64> {
        let place = u64::from(sku) / APART;
        let has = place < self.per_list && self.number(list, place) == u64::from(sku);
        has.then(|| cents(list * self.per_list + place).unsigned_abs())
    }

    fn place(&self, at: u64) -> (&str, &str) {
        let (list, place) = (at / self.per_list, at % self.per_list);
        (&self.lists[index(list)], &self.skus[index(self.number(list, place))])
    }

    /// The SKU at a place of a list: spread over all of them, in their order.
    fn number(&self, list: u64, place: u64) -> u64 {
        place * APART + mix(list * self.per_list + place) % APART
    }

    /// The floor's columns: of each contract its SKUs, sorted, and their prices.
    pub fn columns(&self) -> Vec<(Vec<u32>, Vec<u32>)> {
        let of = |list: u64| {
            let places = 0..self.per_list;
            places
                .map(|place| {
                    (
                        narrow(self.number(list, place)),
                        narrow(cents(list * self.per_list + place).unsigned_abs()),
                    )
                })
                .unzip()
        };
        (0..CONTRACTS).map(of).collect()
    }

    /// Of ten lines nine are in one of the buyer's contracts. `configured`: one line is of what a system makes itself.
    pub fn cart(&self, number: u64, is_configured: bool) -> Cart {
        let buyer = mix(number ^ 0xCA57) % if is_configured { CONFIGURING } else { LOCATIONS };
        let (mut lines, mut numbers) = (Vec::new(), Vec::new());
        for line in 0..LINES {
            let chance = mix(number * LINES + line);
            let sku = match chance % 10 {
                0 => (chance >> 8) % (self.per_list * APART),
                which => self.number(buyer * 3 + which % 3, (chance >> 8) % self.per_list),
            };
            let quantity = 1 + u32::try_from((chance >> 40) % 60).unwrap_or(0);
            numbers.push(narrow(sku));
            lines.push((self.skus[index(sku)].clone(), quantity));
        }
        if is_configured && let Some(last) = lines.last_mut() {
            *last = (configured(buyer), 1);
        }
        let nearest = index(buyer * 3);
        Cart { location: buyer.to_string(), lines, lists: [nearest, nearest + 1, nearest + 2], numbers }
    }
}

impl Cart {
    /// As a server asks.
    pub fn request(&self, token: &str) -> Vec<u8> {
        let mut body =
            format!("{{\"company_location\":\"{}\",\"currency\":\"EUR\",\"lines\":[", self.location);
        for (at, (sku, quantity)) in self.lines.iter().enumerate() {
            let comma = if at == 0 { "" } else { "," };
            let _ = write!(body, "{comma}{{\"sku\":\"{sku}\",\"quantity\":{quantity}}}");
        }
        body.push_str("]}");
        let head = format!(
            "POST /v1/prices/resolve HTTP/1.1\r\nHost: hub\r\nAuthorization: Bearer {token}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        [head.into_bytes(), body.into_bytes()].concat()
    }
}

fn configured(item: u64) -> String {
    format!("CFG-{:02}", item % CONFIGURED)
}

/// Between 10 and 1,000.
fn cents(at: u64) -> i64 {
    1_000 + i64::try_from(mix(at) % 99_000).unwrap_or(0)
}

fn price(at: u64) -> Option<Price> {
    let base = cents(at);
    if !at.is_multiple_of(TIERED) {
        return Some(Price::Plain(Decimal::new(base, 2)));
    }
    let tier = |minimum: u32, cents: i64| [minimum.to_string(), Decimal::new(cents, 2).to_string()];
    let tiers = vec![tier(1, base), tier(10, base * 9 / 10), tier(50, base * 8 / 10)];
    PriceForm::Windows(vec![WindowForm { valid_from: None, valid_until: None, unit: None, tiers }])
        .read(&TimeZone::UTC)
        .ok()
}

fn index(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

fn narrow(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
