//! Metrics (one struct, all names), log fields, redaction.
