//! Work that takes a processor for seconds, beside carts that want one for a tenth of a millisecond. Owns the thread on which it is
//! done, which gives way to all others; refuses to slow down a thread that is its caller's.

use std::panic::resume_unwind;
use std::thread;

/// So much nicer than what answers: a cart that wakes goes first at once, and does not wait until a slice of time is over.
pub(crate) const NICE: i32 = 10;

/// Returns when it is done.
pub(crate) fn quietly<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    let quiet = || {
        give_way();
        work()
    };
    thread::scope(|scope| scope.spawn(quiet).join()).unwrap_or_else(|panic| resume_unwind(panic))
}

/// On Linux a thread is nice by itself; elsewhere its whole process would be. Refused or not, the work is done.
fn give_way() {
    #[cfg(target_os = "linux")]
    let _ = rustix::process::nice(NICE);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_os = "linux")]
    #[test]
    fn the_work_gives_way_and_its_caller_does_not() {
        let nice = || rustix::process::getpriority_process(None).unwrap();
        let before = nice();
        assert_eq!(quietly(nice), (before + NICE).min(19));
        assert_eq!(nice(), before);
    }

    #[test]
    fn a_panic_is_its_callers() {
        let panicked = std::panic::catch_unwind(|| quietly(|| std::panic::panic_any(7))).unwrap_err();
        assert_eq!(panicked.downcast_ref(), Some(&7));
    }
}
