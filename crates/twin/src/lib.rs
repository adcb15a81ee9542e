//! Stateful look-alikes of Shopify and a back office, as strict as the original.
