//! How often each strange thing happens, in orders of a thousand.

use crate::shop::money::Currency;

#[derive(Clone, Debug)]
pub struct Mix {
    /// Currency and weight; the shop's money.
    pub currencies: Vec<(Currency, u32)>,
    /// The buyer pays in another currency than the shop's.
    pub presentment: u32,
    /// Orders of companies; all others are consumers'.
    pub b2b: u32,
    pub tax_included: u32,
    /// Percent: standard and reduced.
    pub vat_percent: (u32, u32),
    /// Two taxes on one line (a state's and a county's) in place of VAT.
    pub stacked_tax: u32,
    /// One discount; a third of these orders have several.
    pub discount: u32,
    pub shipping_discount: u32,
    pub tip: u32,
    pub duties: u32,
    pub gift_card_bought: u32,
    pub gift_card_paid: u32,
    pub test: u32,
    /// More than 250 lines.
    pub many_lines: u32,
    /// A line whose variant was deleted: null ids, the SKU is there.
    pub null_variant: u32,
    /// A custom line: null ids, no SKU.
    pub custom_line: u32,
    /// A variant whose SKU was left empty.
    pub empty_sku: u32,
    /// A SKU that the back office does not have (yet): a missing reference.
    pub unknown_sku: u32,
    pub miscased_sku: u32,
    /// A blank or a line break behind the SKU.
    pub padded_sku: u32,
    pub null_customer: u32,
    pub null_address: u32,
    /// A PO number longer than the back office takes: refused for ever.
    pub poison: u32,
    /// All lines at a discount of 100 %, no shipping.
    pub free: u32,
    /// Consumers' orders that are authorised or pending when placed.
    pub authorised: u32,
    pub pending: u32,
    /// Orders that change later: edits, addresses, cancellations, refunds, fulfilments.
    pub changed: u32,
    /// How long after placing such a change comes, in milliseconds.
    pub change_delay_ms: (u64, u64),
}

impl Mix {
    /// What the demo plays: euro only, the usual oddities, few orders that nobody could export.
    pub fn demo() -> Self {
        Self {
            currencies: vec![(Currency::EUR, 1)],
            presentment: 0,
            b2b: 500,
            tax_included: 250,
            vat_percent: (19, 7),
            stacked_tax: 0,
            discount: 300,
            shipping_discount: 60,
            tip: 30,
            duties: 0,
            gift_card_bought: 20,
            gift_card_paid: 40,
            test: 10,
            many_lines: 3,
            null_variant: 20,
            custom_line: 20,
            empty_sku: 0,
            unknown_sku: 20,
            miscased_sku: 0,
            padded_sku: 0,
            null_customer: 40,
            null_address: 40,
            poison: 5,
            free: 10,
            authorised: 150,
            pending: 50,
            changed: 150,
            change_delay_ms: (0, 20_000),
        }
    }

    /// Every trap, each often enough that a few thousand orders hold it.
    pub fn strange() -> Self {
        Self {
            currencies: vec![
                (Currency::EUR, 5),
                (Currency::USD, 2),
                (Currency::JPY, 2),
                (Currency::BHD, 1),
                (Currency::KWD, 1),
            ],
            presentment: 200,
            stacked_tax: 80,
            discount: 500,
            shipping_discount: 120,
            tip: 100,
            duties: 80,
            gift_card_bought: 60,
            gift_card_paid: 80,
            test: 30,
            many_lines: 5,
            null_variant: 50,
            custom_line: 60,
            empty_sku: 20,
            unknown_sku: 30,
            miscased_sku: 20,
            padded_sku: 20,
            null_customer: 80,
            null_address: 80,
            poison: 10,
            free: 30,
            changed: 500,
            change_delay_ms: (0, 3_600_000),
            ..Self::demo()
        }
    }

    /// Nothing strange at all: one currency, paid, no later change. For benches.
    pub fn plain() -> Self {
        Self {
            currencies: vec![(Currency::EUR, 1)],
            b2b: 500,
            change_delay_ms: (0, 0),
            presentment: 0,
            tax_included: 0,
            vat_percent: (19, 7),
            stacked_tax: 0,
            discount: 0,
            shipping_discount: 0,
            tip: 0,
            duties: 0,
            gift_card_bought: 0,
            gift_card_paid: 0,
            test: 0,
            many_lines: 0,
            null_variant: 0,
            custom_line: 0,
            empty_sku: 0,
            unknown_sku: 0,
            miscased_sku: 0,
            padded_sku: 0,
            null_customer: 0,
            null_address: 0,
            poison: 0,
            free: 0,
            authorised: 0,
            pending: 0,
            changed: 0,
        }
    }
}
