//! One folder for each system or protocol.
