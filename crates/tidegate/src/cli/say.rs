//! What a command says, on standard output or on standard error. Whoever closed the other end (`| head`) has read enough:
//! that is no failure, and nothing panics over it.

use std::fmt::Display;
use std::io::Write as _;

/// On standard output, as it is.
pub fn out(text: impl Display) {
    let mut out = std::io::stdout().lock();
    // Nobody reads it any more: there is nobody to tell.
    let _ = write!(out, "{text}").and_then(|()| out.flush());
}

/// One line on standard error.
pub fn note(text: impl Display) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}
