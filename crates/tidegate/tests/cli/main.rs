//! What a newcomer types before anything runs: the real binary begins a configuration, judges it, and tries mappings out;
//! then it tries the systems, which are look-alikes here, and changes keys.

#![expect(clippy::unwrap_used, reason = "what a test needs is there, or the test fails")]

mod beginning;
mod deployed;
mod keys;
mod mistakes;
mod pictures;
mod serving;
mod settings;
mod systems;
mod trying;
mod typed;
