//! Postal addresses: `MailingAddress`.

use crate::shop::Address;
use crate::shopify::answer::{Arguments, Node, Request, Resolved, leaf, null, unmodelled};
use rust_decimal::prelude::ToPrimitive as _;
use std::sync::Arc;

pub(super) struct AddressNode {
    /// A number of its own.
    pub(super) id: u64,
    pub(super) address: Address,
}

impl Node for AddressNode {
    fn type_name(&self) -> &'static str {
        "MailingAddress"
    }

    fn field(&self, name: &str, args: &Arguments, _: &Arc<Request>) -> Resolved {
        let address = &self.address;
        match name {
            "id" => leaf(format!("gid://shopify/MailingAddress/{}?model_name=Address", self.id)),
            "address1" => leaf(address.address1.clone()),
            "address2" => leaf(address.address2.clone()),
            "city" => leaf(address.city.clone()),
            "company" => leaf(address.company.clone()),
            "coordinatesValidated" => leaf(address.latitude.is_some() && address.longitude.is_some()),
            "country" => leaf(address.country.clone()),
            "countryCode" | "countryCodeV2" => leaf(address.country_code.clone()),
            "firstName" => leaf(address.first_name.clone()),
            "lastName" => leaf(address.last_name.clone()),
            "name" => leaf(address.name()),
            "phone" => leaf(address.phone.clone()),
            "province" => leaf(address.province.clone()),
            "provinceCode" => leaf(address.province_code.clone()),
            "zip" => leaf(address.zip.clone()),
            "latitude" => leaf(address.latitude.and_then(|degrees| degrees.to_f64())),
            "longitude" => leaf(address.longitude.and_then(|degrees| degrees.to_f64())),
            "formatted" => leaf(formatted(address, args.flag("withName"), args.flag("withCompany"))),
            "formattedArea" => {
                let parts: Vec<_> = [&address.city, &address.province_code, &address.country]
                    .into_iter()
                    .flatten()
                    .cloned()
                    .collect();
                leaf((!parts.is_empty()).then(|| parts.join(", ")))
            }
            "validationResultSummary" => null(),
            other => Err(unmodelled("MailingAddress", other)),
        }
    }
}

fn formatted(address: &Address, with_name: bool, with_company: bool) -> Vec<String> {
    let town: Vec<_> = [&address.zip, &address.city].into_iter().flatten().cloned().collect();
    let lines = [
        address.name().filter(|_| with_name),
        address.company.clone().filter(|_| with_company),
        address.address1.clone(),
        address.address2.clone(),
        (!town.is_empty()).then(|| town.join(" ")),
        address.country.clone(),
    ];
    lines.into_iter().flatten().filter(|line| !line.is_empty()).collect()
}
