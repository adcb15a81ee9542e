//! For which company locations a customer may buy: those at which one of the customer's contacts has a role. Asked for while
//! a storefront waits, so it is small where there is little to say, and goes after orders and before all else. Owns that
//! every page is read: half an answer would be another answer. Keeps nothing; how long it is believed is the caller's.

use crate::graphql::{CONTACT_ROLES, CUSTOMER_ROLES, Claim, Deadline, Document, ShopClient};
use crate::source::{connection, need, shape};
use connector::port::CallContext;
use kernel::fault::{Fault, FaultKind};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// How Shopify's id of a company location begins; the number follows.
pub const COMPANY_LOCATION: &str = "gid://shopify/CompanyLocation/";

/// The ids of the locations (`gid://shopify/CompanyLocation/…`), each once and sorted. Empty for a customer that the shop
/// does not know. All pages have to be read within the call's time.
pub async fn locations(
    client: &ShopClient,
    call: &CallContext,
    customer: u64,
) -> Result<Vec<Box<str>>, Fault> {
    let deadline = Deadline::new(client, call);
    let variables = json!({ "customer": format!("gid://shopify/Customer/{customer}") });
    let data = asked(client, &deadline, &CUSTOMER_ROLES, &variables).await?;
    let mut locations = BTreeSet::new();
    for contact in contacts(&data)? {
        let mut next = page(contact, &mut locations)?;
        while let Some(after) = next {
            let variables = json!({ "contact": need(contact, "id")?, "after": after });
            let data = asked(client, &deadline, &CONTACT_ROLES, &variables).await?;
            // Gone since its first page: what was read of it counts no more.
            let contact = data.get("companyContact").filter(|contact| !contact.is_null());
            next = page(contact.ok_or_else(|| shape("companyContact"))?, &mut locations)?;
        }
    }
    Ok(locations.into_iter().collect())
}

/// What is withheld is null like what is not there, and is no answer.
async fn asked(
    client: &ShopClient,
    deadline: &Deadline,
    document: &Document,
    variables: &Value,
) -> Result<Value, Fault> {
    let reply = client.ask_within(deadline, Claim::STOREFRONT, document, variables).await?;
    let Some(field) = reply.withheld.first() else { return Ok(reply.data) };
    let what = format!(
        "Shopify withholds {field} from this app: ask there for its approval for protected customer data, which is needed to \
         know for whom a customer may buy"
    );
    Err(Fault::new(FaultKind::Unauthorized, "ACCESS_DENIED", what).field(field))
}

fn contacts(data: &Value) -> Result<&[Value], Fault> {
    match data.get("customer") {
        Some(Value::Null) => Ok(&[]),
        Some(customer) => {
            let contacts = customer.get("companyContactProfiles").and_then(Value::as_array);
            contacts.map(Vec::as_slice).ok_or_else(|| shape("companyContactProfiles"))
        }
        None => Err(shape("customer")),
    }
}

/// Adds what a page names; the cursor of the next.
fn page(contact: &Value, locations: &mut BTreeSet<Box<str>>) -> Result<Option<String>, Fault> {
    let (assignments, next) = connection(contact, "roleAssignments")?;
    for assignment in assignments {
        let location = assignment.get("companyLocation").ok_or_else(|| shape("companyLocation"))?;
        locations.insert(need(location, "id")?.into());
    }
    Ok(next)
}
