//! Several nodes on one server, connections that end, plans of the hot statements.

mod history;
mod nodes;
mod plans;
mod server;
