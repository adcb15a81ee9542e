//! Variants by SKU. Owns how a SKU is spelled in Shopify's search syntax. The search may find more than was meant (it
//! does not tell case apart); whoever asks compares.

use super::code;
use super::seen::unreadable;
use crate::graphql::{Claim, Deadline, FIND_SKU, FIND_STOCK, ShopClient};
use connector::port::CallContext;
use kernel::fault::{Fault, FaultKind};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// In one search, so that a page of 200 holds what a sane shop has of them.
pub(super) const SKUS_MAX: usize = 100;
/// 10,000 variants for 100 SKUs: nobody means that.
const PAGES_MAX: usize = 50;

/// The variants with one of these SKUs, or one that Shopify takes for it, each with its level at the location.
pub(super) async fn stock(
    client: &ShopClient,
    deadline: &Deadline,
    skus: &BTreeSet<&str>,
    location: &str,
) -> Result<Vec<Value>, Fault> {
    let query = skus.iter().map(|sku| term(sku)).collect::<Vec<_>>().join(" OR ");
    let (mut variants, mut after) = (Vec::new(), Value::Null);
    for _ in 0..PAGES_MAX {
        let variables = json!({ "query": query, "location": location, "after": after });
        let mut reply = client.ask_within(deadline, Claim::STOCK, &FIND_STOCK, &variables).await?;
        let page = &mut reply.data["productVariants"];
        match page["nodes"].take() {
            Value::Array(nodes) => variants.extend(nodes),
            _ => return Err(unreadable()),
        }
        if page["pageInfo"]["hasNextPage"] != json!(true) {
            return Ok(variants);
        }
        after = page["pageInfo"]["endCursor"].take();
    }
    let what = format!(
        "a search for {} SKUs finds more than {PAGES_MAX} pages of variants: give each variant its own SKU",
        skus.len()
    );
    Err(Fault::new(FaultKind::Rejected, code::MANY, what).field("sku"))
}

/// Whether a variant has exactly this SKU.
pub(super) async fn sku_exists(client: &ShopClient, call: &CallContext, sku: &str) -> Result<bool, Fault> {
    let variables = json!({ "query": term(sku) });
    let reply = client.ask(call, Claim::STOCK, &FIND_SKU, &variables).await?;
    let nodes = reply.data["productVariants"]["nodes"].as_array().ok_or_else(unreadable)?;
    Ok(nodes.iter().any(|node| node["sku"].as_str() == Some(sku)))
}

/// Quoted, so that neither a colon nor a word like OR means anything; within the quotes a backslash takes what follows
/// as it is.
fn term(sku: &str) -> String {
    let mut term = String::with_capacity(sku.len() + 8);
    term.push_str("sku:\"");
    for c in sku.chars() {
        if matches!(c, '"' | '\\') {
            term.push('\\');
        }
        term.push(c);
    }
    term.push('"');
    term
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sku_is_no_syntax() {
        for (sku, expected) in [
            ("SKU-0001", r#"sku:"SKU-0001""#),
            ("A OR sku:*", r#"sku:"A OR sku:*""#),
            (r#"12" pipe"#, r#"sku:"12\" pipe""#),
            (r"C:\x", r#"sku:"C:\\x""#),
            ("O'Neill (M)", r#"sku:"O'Neill (M)""#),
        ] {
            assert_eq!(term(sku), expected);
        }
    }
}
