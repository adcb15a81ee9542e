//! The shopify look-alike.
