//! Tests of the embedded store from outside: the port's promises, and what only a file can break.

mod conformance;
mod history;
mod support;
