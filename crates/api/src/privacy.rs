//! What privacy asks for: a redaction destroys the data keys of a customer's and an order's roots and leaves a
//! certificate; a data request says what is held. Reads ids alone; no name, no address is kept of a request.

use crate::watch::{IntakeNotice, Watching};
use domains::json::{Json, parse};
use domains::orders::{BodyCode, BodyFault};
use kernel::clock::Clock;
use kernel::fault::Severity;
use kernel::id::ShopId;
use kernel::subject::Subject;
use serde_json::json;
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Arc;
use store::operate::{Certificate, EVERY_ROOT};
use store::{Store, StoreError};

/// One of the three obligatory requests, as ids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PrivacyRequest {
    /// What is held of a customer?
    Data { customer: String },
    /// Destroy what is held of a customer and of these orders.
    Customer { customer: Option<String>, orders: Vec<String> },
    /// The app was uninstalled two days ago: destroy what is held of the shop's customers.
    Shop,
}

impl PrivacyRequest {
    /// From a body whose topic is one of the three.
    ///
    /// # Errors
    /// What cannot be read, by its path. Such a request has to be carried out by a person.
    pub fn read(topic: &str, raw: &[u8]) -> Result<Self, BodyFault> {
        let body = parse(raw).map_err(BodyFault::from)?;
        match topic {
            "customers/data_request" => {
                let customer = customer(&body)?.ok_or_else(|| missing("$.customer.id"))?;
                Ok(Self::Data { customer })
            }
            "customers/redact" => {
                let orders = match body.get("orders_to_redact") {
                    None | Some(Json::Null) => Vec::new(),
                    Some(Json::Array(list)) => list
                        .iter()
                        .enumerate()
                        .map(|(index, id)| id_of(id, &format!("$.orders_to_redact[{index}]")))
                        .collect::<Result<_, _>>()?,
                    Some(_) => return Err(wrong("$.orders_to_redact", "is to be a list of ids")),
                };
                let customer = customer(&body)?;
                if customer.is_none() && orders.is_empty() {
                    return Err(missing("$.customer.id"));
                }
                Ok(Self::Customer { customer, orders })
            }
            _ => Ok(Self::Shop),
        }
    }

    /// What is kept of the request in the log: ids, as JSON.
    pub fn ids(&self) -> String {
        match self {
            Self::Data { customer } => json!({ "data_request": { "customer": customer } }),
            Self::Customer { customer, orders } => {
                json!({ "redact": { "customer": customer, "orders": orders } })
            }
            Self::Shop => json!({ "redact": "shop" }),
        }
        .to_string()
    }
}

fn customer(body: &Json<'_>) -> Result<Option<String>, BodyFault> {
    match body.get("customer").and_then(|customer| customer.get("id")) {
        None | Some(Json::Null) => Ok(None),
        Some(id) => id_of(id, "$.customer.id").map(Some),
    }
}

/// Ids come as numbers; spelled as text, they are taken too.
fn id_of(value: &Json<'_>, path: &str) -> Result<String, BodyFault> {
    let text = match value {
        Json::Number(text) => text.to_string(),
        Json::String(text) => text.to_string(),
        _ => return Err(wrong(path, "is to be an id")),
    };
    let id = text.rsplit('/').next().unwrap_or_default();
    if !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit()) {
        Ok(id.to_owned())
    } else {
        Err(wrong(path, "is to be an id of digits"))
    }
}

fn missing(path: &str) -> BodyFault {
    BodyFault { code: BodyCode::Missing, path: path.to_owned(), message: "is missing".to_owned() }
}

fn wrong(path: &str, message: &str) -> BodyFault {
    BodyFault { code: BodyCode::WrongType, path: path.to_owned(), message: message.to_owned() }
}

/// Carries privacy requests out.
#[derive(Debug)]
pub struct Privacy {
    store: Arc<dyn Store>,
    watching: Arc<Watching>,
    clock: Arc<dyn Clock>,
    /// One line for each redaction, beside the database: a restored backup is redacted again from it.
    list: Option<PathBuf>,
}

impl Privacy {
    pub fn new(
        store: Arc<dyn Store>,
        watching: Arc<Watching>,
        clock: Arc<dyn Clock>,
        list: Option<PathBuf>,
    ) -> Self {
        Self { store, watching, clock, list }
    }

    /// The same request is carried out once: its certificate says that it was.
    ///
    /// # Errors
    /// The store cannot commit now: the sender is to come again.
    pub async fn carry_out(
        &self,
        shop: &ShopId,
        webhook_id: &str,
        request: PrivacyRequest,
    ) -> Result<(), StoreError> {
        match request {
            PrivacyRequest::Data { customer } => {
                let held = self.store.held(shop, std::slice::from_ref(&customer)).await?;
                let subjects = held.len() as u64;
                let notice = IntakeNotice::DataRequest { shop: shop.clone(), customer, subjects };
                self.watching.intake(Severity::Ticket, &notice);
                Ok(())
            }
            PrivacyRequest::Customer { customer, orders } => {
                let roots = orders.iter().map(|id| Subject::new(shop.clone(), "order", id).path).collect();
                let customers = customer.into_iter().collect();
                self.redact(shop, "customers/redact", webhook_id, roots, customers).await
            }
            PrivacyRequest::Shop => {
                self.redact(shop, "shop/redact", webhook_id, vec![EVERY_ROOT.to_owned()], Vec::new()).await
            }
        }
    }

    async fn redact(
        &self,
        shop: &ShopId,
        topic: &str,
        webhook_id: &str,
        roots: Vec<String>,
        customers: Vec<String>,
    ) -> Result<(), StoreError> {
        let now = self.clock.now().wall;
        let requested = format!("{topic} {webhook_id}");
        if self.is_certified(shop, &requested).await? {
            return Ok(());
        }
        self.note(shop, &requested, &roots, &customers)?;
        let certificate = self.store.redact(shop, &roots, &customers, &requested, now).await?;
        self.watching.metrics().redacted(topic);
        self.tell(certificate);
        Ok(())
    }

    /// A copy that comes late asks for what is done: what came in since is of a customer who bought again, or of a shop
    /// that was installed again.
    async fn is_certified(&self, shop: &ShopId, requested: &str) -> Result<bool, StoreError> {
        let certificates = self.store.certificates().await?;
        Ok(certificates.iter().any(|known| known.shop == *shop && known.requested == requested))
    }

    fn tell(&self, certificate: Certificate) {
        let notice = IntakeNotice::Redacted {
            shop: certificate.shop,
            certificate: certificate.id,
            keys_destroyed: certificate.keys_destroyed,
            duties_ended: certificate.duties_ended,
        };
        self.watching.intake(Severity::Info, &notice);
    }

    /// On disk before a key is destroyed: a restore between the two destroys it again.
    fn note(
        &self,
        shop: &ShopId,
        requested: &str,
        roots: &[String],
        customers: &[String],
    ) -> Result<(), StoreError> {
        let Some(path) = &self.list else { return Ok(()) };
        let at = self.clock.now().wall;
        let line = json!({
            "at": at, "shop": shop, "requested": requested, "roots": roots, "customers": customers,
        });
        let write = || -> std::io::Result<()> {
            let mut file = std::fs::OpenOptions::new().create(true).append(true).open(path)?;
            file.write_all(format!("{line}\n").as_bytes())?;
            file.sync_all()
        };
        write().map_err(|error| {
            StoreError::Unavailable(format!(
                "{}: the list of redactions cannot be written: {error}",
                path.display()
            ))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_read_as_ids_and_nothing_else_is_kept() {
        let body = br#"{"shop_id":1,"shop_domain":"acme.myshopify.com","customer":{"id":191167,"email":"jo@example.com",
            "phone":"555"},"orders_to_redact":[299938,"280263"]}"#;
        let request = PrivacyRequest::read("customers/redact", body).unwrap();
        let (customer, orders) = (Some("191167".to_owned()), vec!["299938".to_owned(), "280263".to_owned()]);
        assert_eq!(request, PrivacyRequest::Customer { customer, orders });
        assert!(!request.ids().contains("example.com") && request.ids().contains("299938"));
        let request = PrivacyRequest::read("customers/data_request", body).unwrap();
        assert_eq!(request, PrivacyRequest::Data { customer: "191167".to_owned() });
        assert_eq!(PrivacyRequest::read("shop/redact", b"{}").unwrap(), PrivacyRequest::Shop);
    }

    #[test]
    fn what_cannot_be_carried_out_is_refused_by_its_path() {
        let cases: [(&str, &[u8], &str); 4] = [
            ("customers/redact", b"{}", "$.customer.id"),
            ("customers/redact", br#"{"customer":{"id":{}}}"#, "$.customer.id"),
            ("customers/redact", br#"{"orders_to_redact":["x"]}"#, "$.orders_to_redact[0]"),
            ("customers/data_request", br#"{"customer":null}"#, "$.customer.id"),
        ];
        for (topic, body, path) in cases {
            assert_eq!(PrivacyRequest::read(topic, body).unwrap_err().path, path, "{topic}");
        }
    }
}
