//! Several nodes on one server, connections that end, plans of the hot statements, two
//! versions at once.

mod history;
mod nodes;
mod plans;
mod records;
mod server;
mod versions;
