//! What a newcomer types before anything runs: the real binary begins a configuration, judges it, and tries mappings out.
//! No test here touches a network.

#![expect(clippy::unwrap_used, reason = "what a test needs is there, or the test fails")]

mod beginning;
mod mistakes;
mod trying;
mod typed;
