//! Several nodes on one real PostgreSQL, as processes: the demo in short, a node that dies in the middle of its calls, and
//! two configurations at once.

#[expect(dead_code, reason = "what a hub of one's own is asked for")]
#[path = "../operate/folder.rs"]
mod folder;
mod node;
mod real_postgres;
