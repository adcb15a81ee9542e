//! The page `docs/scopes.md`, made from the tables: which scopes what needs, and what each document costs.

use crate::graphql::{DOCUMENTS, STOREFRONT};
use crate::subscriptions::{APP_TOPICS, COMPLIANCE_TOPICS, order_topics};
use connector::descriptor::Direction;
use connector::outbound::Access;
use std::collections::BTreeMap;
use std::fmt::Write as _;

const HEAD: &str = "# Scopes and costs

<!-- Made from the code: UPDATE_DOCS=1 cargo nextest run -p tidegate-shopify -->

What an app needs depends on the flows that use it: `tidegate check` computes it from the documents that they send and
the topics that they subscribe to, and says for each scope what needs it. A `write_` scope holds its `read_`. Not in
the table: `read_all_orders`, for orders older than 60 days, which Shopify grants on request; `write_app_proxy`, which
Shopify asks for where an app has a proxy (`[prices.storefront]`), though no document needs it; and the approval for
protected customer data (name, address, e-mail, phone), without which Shopify leaves these fields empty.

## Scopes

| scope | needed by |
| --- | --- |
";

const COSTS: &str = "
## Documents

All that is ever sent, in `crates/shopify/queries/`. The cost is what Shopify takes from the shop's bucket before it
answers, counted as [shopify.md](shopify.md#cost) says.

| document | what for | in flows | kind | cost |
| --- | --- | --- | --- | --- |
";

/// The page.
pub fn scopes() -> String {
    let mut page = HEAD.to_owned();
    for (scope, why) in needs() {
        // Writing to a String cannot fail.
        let _ = writeln!(page, "| `{scope}` | {} |", why.join(", "));
    }
    page.push_str(COSTS);
    for document in DOCUMENTS {
        let flows = match (document.domain, document.direction) {
            (None, _) => "all".to_owned(),
            (Some(STOREFRONT), _) => "none: for `[prices.storefront]`".to_owned(),
            (Some(domain), None) => domain.to_owned(),
            (Some(domain), Some(Direction::Source)) => format!("{domain} from Shopify"),
            (Some(domain), Some(Direction::Target)) => match document.schema {
                Some(schema) => format!("{domain} to Shopify (`{schema}`)"),
                None => format!("{domain} to Shopify"),
            },
        };
        let kind = if document.access == Access::Write { "write" } else { "read" };
        let (file, cost, purpose) = (document.file, document.cost, document.purpose);
        let _ = writeln!(page, "| `{file}` | {purpose} | {flows} | {kind} | {cost} |");
    }
    page.push_str("\n## Topics\n\n| topic | scopes |\n| --- | --- |\n");
    for topic in order_topics() {
        let _ = writeln!(page, "| `{}` | `{}` |", topic.name, topic.scopes.join("`, `"));
    }
    for topic in APP_TOPICS {
        let _ = writeln!(page, "| `{topic}` | none; every app subscribes |");
    }
    for topic in COMPLIANCE_TOPICS {
        let _ = writeln!(page, "| `{topic}` | none; set in the app's configuration at Shopify |");
    }
    page
}

fn needs() -> BTreeMap<&'static str, Vec<String>> {
    let mut needs: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for document in DOCUMENTS {
        for scope in document.scopes {
            needs.entry(scope).or_default().push(format!("`{}`", document.file));
        }
    }
    for topic in order_topics() {
        for scope in topic.scopes {
            let why = needs.entry(scope).or_default();
            if !why.iter().any(|known| known == "the topics below") {
                why.push("the topics below".to_owned());
            }
        }
    }
    needs
}
