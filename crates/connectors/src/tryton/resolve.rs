//! Looks the references of an order up in Tryton: party, products with their unit, payment term, currency, taxes,
//! addresses, the accounting period. Owns bounded reads, one for each kind and never one for each line, and finds for
//! what is missing the one that differs only by case or blanks.

use super::ask::{Ask, CODES_MAX, literal};
use super::config::ClosedPeriod;
use super::order::{Address, Order, Tax};
use super::resolved::{Context, Product, Resolved, Unclear, Where, alike, product_of};
use super::sale;
use super::wire;
use connector::port::MissingReference;
use jiff::civil::Date;
use kernel::fault::{Fault, Reference};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// What was found, and what was not.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) context: Context,
    pub(super) missing: Vec<MissingReference>,
}

impl Found {
    async fn miss(&mut self, ask: &Ask<'_>, of: &Kind, value: &str, field: String) -> Result<(), Fault> {
        let similar =
            if self.missing.len() < SIMILAR_ASKED_MAX { ask.similar(of, value).await? } else { None };
        let reference = Reference { kind: of.kind.to_owned(), value: value.to_owned() };
        self.missing.push(MissingReference { reference, field, similar });
        Ok(())
    }

    fn unclear(&mut self, field: impl Into<String>, why: String) {
        self.context.unclear.push(Unclear { field: field.into(), why });
    }
}

/// How records of a kind are looked for.
#[derive(Debug)]
pub(super) struct Kind {
    pub(super) kind: &'static str,
    model: &'static str,
    /// The field that references name.
    by: &'static str,
}

const PARTY: Kind = Kind { kind: "party", model: "party.party", by: "code" };
const PRODUCT: Kind = Kind { kind: "product", model: "product.product", by: "code" };
const PAYMENT_TERM: Kind = Kind { kind: "payment_term", model: "account.invoice.payment_term", by: "name" };
const CURRENCY: Kind = Kind { kind: "currency", model: "currency.currency", by: "code" };
const COUNTRY: Kind = Kind { kind: "country", model: "country.country", by: "code" };
const WAREHOUSE: Kind = Kind { kind: "warehouse", model: "stock.location", by: "code" };
const TAX: Kind = Kind { kind: "tax", model: "account.tax", by: "name" };
/// Those of a plain look-up by one field.
const KINDS: [&Kind; 6] = [&PARTY, &PRODUCT, &PAYMENT_TERM, &CURRENCY, &COUNTRY, &WAREHOUSE];
/// For more missing ones of an order nobody is asked: the first is what a person sees.
const SIMILAR_ASKED_MAX: usize = 5;
/// More similar ones nobody reads.
const SIMILAR_MAX: usize = 50;

impl Ask<'_> {
    /// The taxes of the order: needed to compare as well as to write.
    pub(super) async fn taxes(&self, order: &Order, found: &mut Found) -> Result<(), Fault> {
        let mut wanted: BTreeMap<String, (&Tax, String)> = BTreeMap::new();
        for (line, taxes) in order.lines.iter().map(|line| &line.taxes).enumerate() {
            for (at, tax) in taxes.iter().enumerate() {
                wanted.entry(tax.key()).or_insert_with(|| (tax, format!("lines[{line}].taxes[{at}].rate")));
            }
        }
        if wanted.is_empty() {
            return Ok(());
        }
        let known = self.tax_records().await?;
        for (key, (tax, field)) in wanted {
            let name = self.tax_name(tax);
            let matching: Vec<&TaxRecord> = known.iter().filter(|known| known.is(tax, name)).collect();
            match (matching.as_slice(), name) {
                ([one], _) => {
                    found.context.taxes.insert(key, Some(one.id));
                }
                // Shopify names taxes that are not charged; Tryton need not know them.
                ([], None) if tax.rate.is_zero() => {
                    found.context.taxes.insert(key, None);
                }
                ([], name) => {
                    let value = name.map_or_else(|| tax.rate.normalize().to_string(), str::to_owned);
                    found.miss(self, &TAX, &value, field).await?;
                }
                (several, _) => {
                    let names: Vec<&str> = several.iter().map(|tax| tax.name.as_str()).collect();
                    let why = format!(
                        "Tryton has several taxes for {} ({}): say which in taxes of the system's connection",
                        name.map_or_else(|| format!("the rate {}", tax.rate.normalize()), str::to_owned),
                        names.join(", ")
                    );
                    found.unclear(field, why);
                }
            }
        }
        Ok(())
    }

    /// What the connection calls the tax: by the shop's title, else by its rate.
    fn tax_name(&self, tax: &Tax) -> Option<&str> {
        let by_title = tax.title.as_deref().and_then(|title| self.config.taxes.get(title.trim()));
        let by_rate = || {
            let same = |key: &str| key.parse() == Ok(tax.rate);
            self.config.taxes.iter().find(|(key, _)| same(key)).map(|(_, name)| name)
        };
        by_title.or_else(by_rate).map(String::as_str)
    }

    async fn tax_records(&self) -> Result<Vec<TaxRecord>, Fault> {
        let domain = json!([
            ["type", "=", "percentage"],
            ["parent", "=", null],
            ["company", "=", self.config.company],
            ["OR", ["group", "=", null], ["group.kind", "in", ["sale", "both"]]],
        ]);
        let records = self.records(TAX.model, domain, &["name", "rate"]).await?;
        Ok(records.iter().filter_map(TaxRecord::read).collect())
    }

    /// Everything else that a write needs.
    pub(super) async fn resolve(&self, order: &Order, found: &mut Found) -> Result<(), Fault> {
        found.context.adds_shipping = self.adds_shipping().await?;
        let term = order.payment_term.as_ref().map(|term| term.reference.value.as_str());
        let mut resolved = Resolved {
            party: self.code(&PARTY, Some(&order.party.reference.value), "party", found).await?,
            currency: self.code(&CURRENCY, Some(&order.currency), "currency", found).await?,
            payment_term: self.code(&PAYMENT_TERM, term, "payment_term", found).await?,
            warehouse: self.code(&WAREHOUSE, self.config.warehouse.as_deref(), "warehouse", found).await?,
            products: self.products(order, found).await?,
            ..Resolved::default()
        };
        if let Some(party) = resolved.party {
            self.of_party(order, party, &mut resolved, found).await?;
        }
        if self.config.closed_period == ClosedPeriod::Wait {
            found.context.closed_period = self.closed_period(order.sale_date).await?;
        }
        found.context.resolved = Some(resolved);
        Ok(())
    }

    /// Whether the module is there that adds a line for shipping unless told not to.
    pub(super) async fn adds_shipping(&self) -> Result<bool, Fault> {
        let fields = self.call("model.sale.sale.fields_get", vec![json!(["shipment_cost_method"])]).await?;
        Ok(fields.get("shipment_cost_method").is_some())
    }

    async fn code(
        &self,
        of: &Kind,
        value: Option<&str>,
        field: &str,
        found: &mut Found,
    ) -> Result<Option<i64>, Fault> {
        let Some(value) = value else { return Ok(None) };
        let records = self.exactly(of, value).await?;
        match records.as_slice() {
            [] => found.miss(self, of, value, field.to_owned()).await.map(|()| None),
            [one] => Ok(wire::id(one)),
            several => {
                found.unclear(field, format!("Tryton has {} of {} {value:?}", several.len(), of.kind));
                Ok(None)
            }
        }
    }

    /// Tryton takes blanks at the ends for nothing; an order that writes them is told so.
    async fn exactly(&self, of: &Kind, value: &str) -> Result<Vec<Value>, Fault> {
        let mut records = self.records(of.model, self.domain(of, &[value]), &[of.by]).await?;
        records.retain(|record| wire::text(record, of.by).as_deref() == Some(value));
        Ok(records)
    }

    fn domain(&self, of: &Kind, values: &[&str]) -> Value {
        let mut domain = vec![json!([of.by, "in", values])];
        if of.kind == WAREHOUSE.kind {
            domain.push(json!(["type", "=", "warehouse"]));
        }
        Value::Array(domain)
    }

    async fn products(&self, order: &Order, found: &mut Found) -> Result<BTreeMap<String, Product>, Fault> {
        let mut wanted: BTreeMap<&str, usize> = BTreeMap::new();
        for (at, line) in order.lines.iter().enumerate() {
            if let Some(code) = product_of(line, &self.config.line_products) {
                wanted.entry(code).or_insert(at);
            }
        }
        let mut products = BTreeMap::new();
        let codes: Vec<&str> = wanted.keys().copied().collect();
        for codes in codes.chunks(CODES_MAX) {
            let domain = self.domain(&PRODUCT, codes);
            for record in self.records(PRODUCT.model, domain, &["code", "sale_uom", "default_uom"]).await? {
                let Some(code) = wire::text(&record, "code") else { continue };
                let unit = ["sale_uom", "default_uom"].iter().find_map(|field| record.get(field)?.as_i64());
                let Some((id, unit)) = wire::id(&record).zip(unit) else { continue };
                if products.insert(code.clone(), Product { id, unit }).is_some() {
                    let field = wanted.get(code.as_str()).map_or_else(String::new, |at| product_field(*at));
                    found.unclear(field, format!("Tryton has more than one product with the code {code:?}"));
                }
            }
        }
        for (code, at) in wanted.into_iter().filter(|(code, _)| !products.contains_key(*code)) {
            found.miss(self, &PRODUCT, code, product_field(at)).await?;
        }
        Ok(products)
    }

    /// What Tryton itself would fill in for the party, where the order says nothing; and where its addresses are.
    async fn of_party(
        &self,
        order: &Order,
        party: i64,
        resolved: &mut Resolved,
        found: &mut Found,
    ) -> Result<(), Fault> {
        let given = |address: &Option<Address>| address.clone().filter(|address| !address.is_empty());
        let (invoice, shipment) = (given(&order.invoice_address), given(&order.shipment_address));
        if invoice.is_none() || shipment.is_none() || order.payment_term.is_none() {
            let values = json!({"company": self.config.company, "party": party, "lines": [],
                                "currency": resolved.currency});
            let filled = self.call("model.sale.sale.on_change", vec![values, json!(["party"])]).await?;
            let id = |field: &str| filled.get(field).and_then(Value::as_i64);
            if order.payment_term.is_none() {
                resolved.payment_term = id("payment_term");
            }
            resolved.invoice_address = id("invoice_address").map_or(Where::Nowhere, Where::At);
            resolved.shipment_address = id("shipment_address").map_or(Where::Nowhere, Where::At);
        }
        let known = self.addresses(party, [&invoice, &shipment]).await?;
        if let Some(wanted) = &invoice {
            resolved.invoice_address = self.address(wanted, &known, "invoice_address", found).await?;
        }
        if let Some(wanted) = &shipment {
            resolved.shipment_address = self.address(wanted, &known, "shipment_address", found).await?;
        }
        Ok(())
    }

    /// Those of the party in the same places: a party of web orders has thousands.
    async fn addresses(
        &self,
        party: i64,
        wanted: [&Option<Address>; 2],
    ) -> Result<Vec<sale::Address>, Fault> {
        let place = |address: &Address| {
            let trimmed = |text: &Option<String>| text.as_deref().map(str::trim).map(str::to_owned);
            json!([
                ["postal_code", "=", trimmed(&address.postal_code)],
                ["city", "=", trimmed(&address.city)],
                ["attn", "=", trimmed(&address.name)]
            ])
        };
        let mut places: Vec<Value> = wanted.into_iter().flatten().map(place).collect();
        if places.is_empty() {
            return Ok(Vec::new());
        }
        places.dedup();
        places.insert(0, json!("OR"));
        let fields = ["street", "postal_code", "city", "country.code", "attn", "party_name"];
        let domain = json!([["party", "=", party], places]);
        let records = self.records("party.address", domain, &fields).await?;
        Ok(records.iter().filter_map(sale::Address::read).collect())
    }

    async fn address(
        &self,
        wanted: &Address,
        known: &[sale::Address],
        field: &str,
        found: &mut Found,
    ) -> Result<Where, Fault> {
        if let Some(known) = known.iter().find(|known| known.is(wanted)) {
            return Ok(Where::At(known.id));
        }
        let Some(country) = wanted.country_code.as_deref() else {
            return Ok(Where::Make { country: None, subdivision: None });
        };
        let id = self.code(&COUNTRY, Some(country), &format!("{field}.country_code"), found).await?;
        let mut subdivision = None;
        if let (Some(id), Some(code)) = (id, &wanted.subdivision_code) {
            // Not every installation has them; an address without is an address.
            let domain = json!([["country", "=", id], ["code", "=", format!("{country}-{code}")]]);
            let records = self.records("country.subdivision", domain, &["code"]).await?;
            subdivision = records.first().and_then(wire::id);
        }
        Ok(Where::Make { country: id, subdivision })
    }

    /// The name of the closed period of a day. No period at all is Tryton's own business.
    pub(super) async fn closed_period(&self, day: Date) -> Result<Option<String>, Fault> {
        let day = wire::date(day);
        let domain = json!([
            ["company", "=", self.config.company],
            ["type", "=", "standard"],
            ["start_date", "<=", day],
            ["end_date", ">=", day],
        ]);
        let periods = self.records("account.period", domain, &["name", "state"]).await?;
        let is_open = |period: &&Value| wire::text(period, "state").is_some_and(|state| state == "open");
        let closed = periods.iter().find(|period| !is_open(period));
        Ok(closed.map(|period| wire::text(period, "name").unwrap_or_default()))
    }

    async fn similar(&self, of: &Kind, value: &str) -> Result<Option<String>, Fault> {
        let pattern = format!("%{}%", literal(value.trim()));
        let domain = json!([[of.by, "ilike", pattern]]);
        let params = vec![domain, json!(0), json!(SIMILAR_MAX), json!([["id", "ASC"]]), json!([of.by])];
        let records = self.call(&format!("model.{}.search_read", of.model), params).await?;
        let values = records.as_array().into_iter().flatten().filter_map(|record| wire::text(record, of.by));
        Ok(values.into_iter().find(|known| known != value && alike(known, value)))
    }

    /// Whether a reference exists by now.
    pub(super) async fn exists(&self, reference: &Reference) -> Result<Option<bool>, Fault> {
        let value = reference.value.as_str();
        match reference.kind.as_str() {
            "tax" => {
                let rate = value.parse().ok();
                let taxes = self.tax_records().await?;
                Ok(Some(
                    taxes.iter().any(|tax| tax.name == value || rate.is_some_and(|rate| tax.rate == rate)),
                ))
            }
            "period" => match value.parse() {
                Ok(day) => Ok(Some(self.closed_period(day).await?.is_none())),
                Err(_) => Ok(None),
            },
            super::credit::INVOICE_OF => self.is_invoiced(value).await.map(Some),
            super::payment::SALE => self.takes_payments(value).await.map(Some),
            super::payment::JOURNAL => self.has_journal(value).await.map(Some),
            kind => {
                // `item` is the kernel's word for a product.
                let kind = if kind == "item" { PRODUCT.kind } else { kind };
                let Some(of) = KINDS.into_iter().find(|of| of.kind == kind) else { return Ok(None) };
                Ok(Some(!self.exactly(of, value).await?.is_empty()))
            }
        }
    }
}

struct TaxRecord {
    id: i64,
    name: String,
    rate: rust_decimal::Decimal,
}

impl TaxRecord {
    fn read(record: &Value) -> Option<Self> {
        let rate = wire::read_decimal(record.get("rate")?)?;
        Some(Self { id: wire::id(record)?, name: wire::text(record, "name")?, rate })
    }

    fn is(&self, wanted: &Tax, name: Option<&str>) -> bool {
        name.map_or_else(|| self.rate == wanted.rate, |name| self.name == name)
    }
}

fn product_field(line: usize) -> String {
    format!("lines[{line}].product")
}
