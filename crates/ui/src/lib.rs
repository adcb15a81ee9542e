//! The operator's pages, drawn on the server.
