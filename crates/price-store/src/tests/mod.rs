//! Tests of the store as its users see it.

mod crash;
pub(crate) mod fuse;
mod given;
mod guarded;
mod journal;
mod loads;
mod model;
mod nodes;
mod shared;
mod terms;
