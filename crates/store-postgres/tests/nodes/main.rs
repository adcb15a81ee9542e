//! What only several nodes or a server can break, before a real server. All are named for it (`real_postgres`): `cargo
//! xtask test` starts it, and leaves them out with `--fast`.

mod real_postgres;
mod support;
