//! Judges a configuration against what connectors, mappings and documents declare.
