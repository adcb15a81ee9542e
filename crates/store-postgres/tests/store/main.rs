//! Tests of the store for several nodes, against a real PostgreSQL: the port's promises, and what only several nodes
//! and a server that fails can break.

mod conformance;
mod killed;
mod partitions;
mod plans;
mod support;
mod waking;
