//! One mapping in force, as the engine asks for it.

use engine::facts::{Mapped, Mapper};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use kernel::fault::{Fault, FaultKind};
use kernel::id::ShopId;
use kernel::key::ObjectKey;
use kernel::subject::Subject;
use mapping::{Context, FaultCode, Mapping};
use serde_json::Value;
use std::collections::BTreeMap;

#[derive(Debug)]
pub struct FlowMapper {
    mapping: Mapping,
    revision: String,
    /// Dates are those of the order's shop.
    zones: BTreeMap<ShopId, TimeZone>,
}

impl FlowMapper {
    pub fn new(mapping: Mapping, zones: BTreeMap<ShopId, TimeZone>) -> Self {
        let revision = mapping.revision_text();
        Self { mapping, revision, zones }
    }
}

impl Mapper for FlowMapper {
    fn revision(&self) -> &str {
        &self.revision
    }

    fn map(
        &self,
        body: &Value,
        subject: &Subject,
        object_key: &ObjectKey,
        now: Timestamp,
    ) -> Result<Mapped, Fault> {
        let zone = self.zones.get(&subject.shop).cloned().unwrap_or(TimeZone::UTC);
        let root = Subject { shop: subject.shop.clone(), path: subject.root().to_owned() };
        let context = Context::new(now, zone, object_key.as_str()).below(ObjectKey::of(&root).as_str());
        match self.mapping.run(body, &context) {
            Ok(mapped) => Ok(Mapped { body: mapped.body, digest: mapped.digest }),
            Err(fault) => {
                let mut text = fault.to_string();
                let row = fault.value.as_deref().filter(|value| is_id(value));
                if let Some(id) = row.filter(|_| fault.code == FaultCode::NotInTable) {
                    text.push_str(&format!(" ({} = {id})", fault.source_path));
                }
                let mut told = Fault::new(FaultKind::Rejected, fault.code.as_str(), text);
                let field = if fault.source_path.is_empty() { fault.target_path } else { fault.source_path };
                told.field = Some(field).filter(|field| !field.is_empty());
                Err(told)
            }
        }
    }
}

/// A number that a system gave: it says which row of a table is missing, and nothing of a person. What people wrote is not
/// told beyond the order itself.
fn is_id(value: &str) -> bool {
    (1..=20).contains(&value.len()) && value.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::fault::FaultKind;

    const FILE: &str = include_str!("../../../../mappings/orders_to_http_erp.toml");
    const ORDER: &str =
        include_str!("../../../../mappings/cases/orders_to_http_erp/unknown_company_location/input.json");

    fn refused(order: &Value) -> Fault {
        let schemas = crate::wiring::schemas::all();
        let (_, mapping) = check::load_mapping("orders.toml", FILE, &schemas);
        let subject = Subject::new(ShopId::new("acme").unwrap(), "order", "5678");
        let mapper = FlowMapper::new(mapping.unwrap(), BTreeMap::new());
        mapper.map(order, &subject, &ObjectKey::of(&subject), Timestamp::UNIX_EPOCH).unwrap_err()
    }

    #[test]
    fn the_row_that_is_missing_is_named_by_its_number_and_nothing_that_people_wrote_is() {
        let mut order: Value = serde_json::from_str(ORDER).unwrap();
        let location = order["company"]["company_location_id"].as_str().unwrap().to_owned();
        let fault = refused(&order);
        assert_eq!((fault.kind, fault.code.as_ref()), (FaultKind::Rejected, "TG-2103"));
        assert!(fault.message.contains(&format!("company.company_location_id = {location}")), "{fault}");
        assert_eq!(fault.field.as_deref(), Some("company.company_location_id"));

        order["company"]["company_location_id"] = "Ada Lovelace".into();
        let fault = refused(&order);
        assert!(!fault.to_string().contains("Ada"), "{fault}");
    }
}
