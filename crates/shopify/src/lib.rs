//! Webhooks in, Admin GraphQL out.
