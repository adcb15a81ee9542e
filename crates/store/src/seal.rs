//! Sealing of payloads.
/// The key that wraps all data keys.
#[derive(Debug)]
pub struct MasterKey;
