//! What the look-alikes agree on: twenty items, two warehouses, five business customers, one consumer, and the service
//! items that stand for shipping, tips and the like. Ids never change, so that a mapping may hold them in a table.

use rust_decimal::Decimal;

/// One item, and the one variant that the shop sells of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Item {
    pub sku: &'static str,
    pub title: &'static str,
    /// Euro cents.
    pub price_cents: i64,
    pub grams: u32,
    pub tax: TaxClass,
    pub harmonized_system_code: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TaxClass {
    /// 19 %.
    Standard,
    /// 7 %.
    Reduced,
}

impl TaxClass {
    /// By the percentages of a country: standard, reduced.
    pub fn title_and_rate(self, (standard, reduced): (u32, u32)) -> (String, Decimal) {
        let percent = match self {
            Self::Standard => standard,
            Self::Reduced => reduced,
        };
        (format!("VAT {percent}%"), Decimal::new(i64::from(percent), 2))
    }
}

const fn item(sku: &'static str, title: &'static str, price_cents: i64, grams: u32) -> Item {
    Item { sku, title, price_cents, grams, tax: TaxClass::Standard, harmonized_system_code: "731815" }
}

const fn reduced(sku: &'static str, title: &'static str, price_cents: i64, grams: u32) -> Item {
    Item { sku, title, price_cents, grams, tax: TaxClass::Reduced, harmonized_system_code: "490199" }
}

pub const ITEMS: [Item; 20] = [
    item("SKU-0001", "Hex bolt M8 x 40, box of 100", 1249, 2100),
    item("SKU-0002", "Hex nut M8, box of 200", 899, 1100),
    item("SKU-0003", "Flat washer M8, box of 500", 745, 900),
    item("SKU-0004", "Threaded rod M10, 1 m", 319, 500),
    item("SKU-0005", "Torque wrench 20-110 Nm", 8990, 1400),
    item("SKU-0006", "Socket set, 46 pieces", 5495, 2600),
    item("SKU-0007", "Cutting disc 125 mm", 199, 60),
    item("SKU-0008", "Work gloves, size 9", 695, 120),
    item("SKU-0009", "Safety glasses", 1150, 80),
    item("SKU-0010", "Hose clamp 25-40 mm", 89, 30),
    item("SKU-0011", "Cable tie 200 mm, bag of 100", 435, 250),
    item("SKU-0012", "Grease cartridge 400 g", 567, 430),
    item("SKU-0013", "Deep groove bearing 6204", 413, 110),
    item("SKU-0014", "V-belt SPA 1250", 1377, 240),
    item("SKU-0015", "Pressure gauge 0-10 bar", 2333, 310),
    item("SKU-0016", "Ball valve 1/2 inch", 999, 280),
    item("SKU-0017", "Solenoid valve 24 V", 4711, 420),
    item("SKU-0018", "Industrial fan 400 mm", 21950, 8700),
    reduced("SKU-0019", "Engineer's handbook", 3490, 950),
    reduced("SKU-0020", "Drinking water, 6 x 1.5 l", 354, 9200),
];

/// Items that are no goods: a mapping may put shipping, tips, duties, gift cards and custom lines on them.
pub const SERVICE_ITEMS: [&str; 7] =
    ["SHIPPING", "TIP", "DUTY", "GIFT-CARD", "CUSTOM", "DISCOUNT", "ROUNDING"];

/// A place where the shop keeps stock, and the warehouse system too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Warehouse {
    /// Of the shop's `Location`.
    pub id: u64,
    /// As the shop calls it.
    pub name: &'static str,
    /// As the warehouse system calls it.
    pub code: &'static str,
}

pub const WAREHOUSES: [Warehouse; 2] = [
    Warehouse { id: 72_212_345_678, name: "Warehouse 1", code: "WH-1" },
    Warehouse { id: 72_212_345_679, name: "Warehouse 2", code: "WH-2" },
];

impl Warehouse {
    /// By its code, its name, its number or its global id.
    pub fn find(text: &str) -> Option<&'static Self> {
        let id = text.rsplit('/').next().and_then(|digits| digits.parse().ok());
        WAREHOUSES.iter().find(|one| one.code == text || one.name == text || Some(one.id) == id)
    }
}

/// SKUs beyond the twenty, for load: `GEN-000001`, `GEN-000002`, … as many as a shop is told to have.
pub mod generated {
    const PREFIX: &str = "GEN-";

    /// `number` counts from 1.
    pub fn sku(number: u32) -> String {
        format!("{PREFIX}{number:06}")
    }

    /// The number of a SKU that is spelled so, in whatever case.
    pub fn number(sku: &str) -> Option<u32> {
        let digits = sku.get(PREFIX.len()..)?;
        let is_ours = sku.get(..PREFIX.len())?.eq_ignore_ascii_case(PREFIX) && digits.len() >= 6;
        let number =
            digits.parse().ok().filter(|_| is_ours && digits.bytes().all(|one| one.is_ascii_digit()))?;
        (self::sku(number).len() == sku.len() && number > 0).then_some(number)
    }

    pub fn variant_id(number: u32) -> u64 {
        44_500_000_000_000 + u64::from(number)
    }

    pub fn product_id(number: u32) -> u64 {
        8_200_000_000_000 + u64::from(number)
    }

    pub fn inventory_item_id(number: u32) -> u64 {
        46_600_000_000_000 + u64::from(number)
    }
}

/// A company location that orders; its code in the back office is the location's external id in the shop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Party {
    pub code: &'static str,
    pub company: &'static str,
    pub location: &'static str,
    pub company_id: u64,
    pub location_id: u64,
    pub contact_id: u64,
    pub customer_id: u64,
    pub contact: (&'static str, &'static str),
    pub street: &'static str,
    pub city: &'static str,
    pub zip: &'static str,
    pub country: (&'static str, &'static str),
    /// Taxes do not apply: a reverse charge within the EU, or an export.
    pub tax_exempt: bool,
}

pub const PARTIES: [Party; 5] = [
    party(
        1,
        "CUST-001",
        "Northwind Tools GmbH",
        "Hamburg",
        ("Ada", "Lindqvist"),
        "Kaistrasse 4",
        "20457",
        ("Germany", "DE"),
        false,
    ),
    party(
        2,
        "CUST-002",
        "Aalto Maschinenbau AG",
        "Stuttgart",
        ("Jonas", "Brandt"),
        "Werkstrasse 18",
        "70469",
        ("Germany", "DE"),
        false,
    ),
    party(
        3,
        "CUST-003",
        "De Vries Techniek B.V.",
        "Rotterdam",
        ("Saskia", "de Vries"),
        "Havenweg 77",
        "3011 AB",
        ("Netherlands", "NL"),
        true,
    ),
    party(
        4,
        "CUST-004",
        "Pirelli & Figli S.r.l.",
        "Torino",
        ("Luca", "Ferrari"),
        "Via dei Mille 9",
        "10123",
        ("Italy", "IT"),
        true,
    ),
    party(
        5,
        "CUST-005",
        "Łódzka Fabryka Śrub",
        "Łódź",
        ("Zofia", "Wiśniewska"),
        "ul. Piotrkowska 101",
        "90-425",
        ("Poland", "PL"),
        false,
    ),
];

/// The party in the back office that stands for everyone who bought without a company.
pub const CONSUMER_PARTY: &str = "CUST-WEB";

#[expect(clippy::too_many_arguments, reason = "one row of a table, read as a row")]
const fn party(
    number: u64,
    code: &'static str,
    company: &'static str,
    city: &'static str,
    contact: (&'static str, &'static str),
    street: &'static str,
    zip: &'static str,
    country: (&'static str, &'static str),
    tax_exempt: bool,
) -> Party {
    Party {
        code,
        company,
        location: city,
        company_id: 98_700_000_000 + number,
        location_id: 76_500_000_000 + number,
        contact_id: 54_300_000_000 + number,
        customer_id: 8_658_316_390_000 + number,
        contact,
        street,
        city,
        zip,
        country,
        tax_exempt,
    }
}

impl Item {
    /// `SKU-0007` → 7; the shop's ids are made of it.
    fn number(&self) -> u64 {
        self.sku.rsplit('-').next().and_then(|digits| digits.parse().ok()).unwrap_or(0)
    }

    pub fn variant_id(&self) -> u64 {
        44_392_954_490_000 + self.number()
    }

    pub fn product_id(&self) -> u64 {
        8_137_104_780_000 + self.number()
    }

    pub fn inventory_item_id(&self) -> u64 {
        46_487_160_210_000 + self.number()
    }
}
