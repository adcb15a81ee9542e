//! How a back office is set up: its port, its token, its seed, and what it knows from the start.

use std::path::PathBuf;

use rust_decimal::Decimal;

use super::books::{Item, PartyCard};
use super::knobs::Knobs;
use crate::shop::catalogue::{CONSUMER_PARTY, ITEMS, PARTIES, SERVICE_ITEMS};

#[derive(Clone, Debug)]
pub struct ErpConfig {
    /// On 127.0.0.1; 0 takes a free one.
    pub port: u16,
    /// A second port that serves `/twin/…` alone and never fails; 0 takes a free one.
    pub control_port: u16,
    /// What becomes of the n-th request depends on this and n alone.
    pub seed: u64,
    /// `Authorization: Bearer …`.
    pub token: String,
    /// Of the client `tidegate`, which may ask for access tokens.
    pub client_secret: String,
    /// An access token serves for so long.
    pub token_life_s: u64,
    /// Every change goes there before it is answered. A file that exists is read first, and the books restored from it.
    pub ledger_file: Option<PathBuf>,
    pub knobs: Knobs,
    pub items: Vec<Item>,
    pub parties: Vec<PartyCard>,
    pub payment_terms: Vec<String>,
    /// Empty: any rate is known.
    pub tax_rates: Vec<Decimal>,
}

impl Default for ErpConfig {
    /// The catalogue that the look-alikes share, on free ports.
    fn default() -> Self {
        let goods = ITEMS.iter().map(|item| (item.sku, item.title));
        let services = SERVICE_ITEMS.iter().map(|code| (*code, *code));
        let items = goods
            .chain(services)
            .map(|(sku, description)| Item { sku: sku.to_owned(), description: description.to_owned() });
        let businesses = PARTIES.iter().map(|party| (party.code, party.company));
        let parties = businesses
            .chain([(CONSUMER_PARTY, "Web shop consumers")])
            .map(|(code, name)| PartyCard { code: code.to_owned(), name: name.to_owned() });
        Self {
            port: 0,
            control_port: 0,
            seed: 1,
            token: "erp-twin-token".to_owned(),
            client_secret: "erp twin secret".to_owned(),
            token_life_s: 3600,
            ledger_file: None,
            knobs: Knobs::default(),
            items: items.collect(),
            parties: parties.collect(),
            payment_terms: ["RECEIPT", "NET7", "NET30", "NET60"].map(str::to_owned).to_vec(),
            tax_rates: Vec::new(),
        }
    }
}
