//! `Product` and `ProductVariant` as far as an order line knows them: who asks a line for the product behind it gets
//! its identity. The catalogue itself is not modelled.

use crate::shop::{Line, gid};
use crate::shopify::answer::{Arguments, Node, Request, Resolved, leaf, object, unmodelled};
use std::sync::Arc;

pub(super) struct ProductNode {
    id: u64,
    title: String,
    vendor: String,
}

impl ProductNode {
    pub(super) fn of(line: &Line) -> Option<Self> {
        let vendor = line.vendor.clone().unwrap_or_default();
        Some(Self { id: line.product_id?, title: line.title.clone(), vendor })
    }
}

impl Node for ProductNode {
    fn type_name(&self) -> &'static str {
        "Product"
    }

    fn field(&self, name: &str, _: &Arguments, _: &Arc<Request>) -> Resolved {
        match name {
            "id" => leaf(gid("Product", self.id)),
            "legacyResourceId" => leaf(self.id.to_string()),
            "title" => leaf(self.title.clone()),
            "vendor" => leaf(self.vendor.clone()),
            other => Err(unmodelled("Product", other)),
        }
    }
}

pub(super) struct VariantNode {
    line: Line,
    id: u64,
}

impl VariantNode {
    pub(super) fn of(line: &Line) -> Option<Self> {
        Some(Self { id: line.variant_id?, line: line.clone() })
    }
}

impl Node for VariantNode {
    fn type_name(&self) -> &'static str {
        "ProductVariant"
    }

    fn field(&self, name: &str, _: &Arguments, _: &Arc<Request>) -> Resolved {
        let line = &self.line;
        match name {
            "id" => leaf(gid("ProductVariant", self.id)),
            "legacyResourceId" => leaf(self.id.to_string()),
            "sku" => leaf(line.sku.clone()),
            "title" => leaf(line.variant_title.clone().unwrap_or_else(|| "Default Title".to_owned())),
            "displayName" => leaf(line.name()),
            "taxable" => leaf(line.taxable),
            "product" => match ProductNode::of(line) {
                Some(product) => object(product),
                None => Err(unmodelled("ProductVariant", "product of a line without one")),
            },
            other => Err(unmodelled("ProductVariant", other)),
        }
    }
}
