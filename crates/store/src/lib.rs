//! The storage port, sealing, and the conformance suite every store passes.
