//! Reads tidegate.toml with spans, layers and secret references.
