//! How far a work is, on standard error: a line that moves on a terminal, a line now and then elsewhere.

use super::client::Progress;
use crate::cli::say;
use engine::waits::span;
use indicatif::{ProgressBar, ProgressStyle};
use std::io::IsTerminal as _;

/// In a pipe one of so many is shown; the hub tells about four a second.
const ONE_OF: u64 = 20;

/// One work's.
pub struct Teller {
    what: &'static str,
    /// Of a plan, where the work itself does not know.
    total: u64,
    bar: Option<ProgressBar>,
    told: u64,
}

impl Teller {
    pub fn new(what: &'static str, total: u64) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::new_spinner();
            if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}") {
                bar.set_style(style);
            }
            bar
        });
        Self { what, total, bar, told: 0 }
    }

    pub fn tell(&mut self, progress: Progress) {
        let text = text(self.what, Progress { total: progress.total.max(self.total), ..progress });
        self.told += 1;
        match &self.bar {
            Some(bar) => {
                bar.set_message(text);
                bar.tick();
            }
            None if self.told % ONE_OF == 1 => say::note(&text),
            None => {}
        }
    }

    pub fn done(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }
}

fn text(what: &str, progress: Progress) -> String {
    let Progress { done, total, rate_per_s } = progress;
    if total == 0 || total < done {
        return format!("{what}: {done}, {rate_per_s}/s");
    }
    let left = total - done;
    let remaining = match left.saturating_mul(1000).checked_div(rate_per_s) {
        Some(ms) => format!(", about {} left", span(ms)),
        None => String::new(),
    };
    format!("{what}: {done} of {total}, {rate_per_s}/s{remaining}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_is_told_where_it_is_known() {
        let of = |done, total, rate_per_s| text("orders", Progress { done, total, rate_per_s });
        assert_eq!(of(250, 0, 100), "orders: 250, 100/s");
        assert_eq!(of(250, 1000, 100), "orders: 250 of 1000, 100/s, about 7.5 s left");
        assert_eq!(of(0, 1000, 0), "orders: 0 of 1000, 0/s");
    }
}
