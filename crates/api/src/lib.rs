//! HTTP: webhooks, system ingest, admin.
