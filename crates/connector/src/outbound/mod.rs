//! The outbound HTTP stack that every connector speaks through. Owns connect, read and total time-outs, the bound of
//! an answer, the address guard, authentication, `traceparent`, and the difference between "nothing was sent" and
//! "the first byte may have left". Follows no redirect, repeats nothing, uses no proxy, and speaks to one origin.

mod address;
mod answer;
mod auth;
mod body;
pub mod classify;
mod elsewhere;
mod oauth;
mod redact;
mod request;
mod segment;
#[cfg(test)]
mod sockets;
mod transport;
mod within;

pub use answer::Answer;
pub use auth::Auth;
pub use classify::{Access, Failure};
pub use elsewhere::{Elsewhere, Pieces};
pub use oauth::{Carrier, ClientAuth, ClientCredentials};
pub use redact::{EXCERPT_CHARS_MAX, Redactor};
pub use request::Request;
pub use segment::segment;
pub use transport::{Outbound, OutboundConfig};
pub use within::within;
