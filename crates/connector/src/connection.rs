//! The keys that a connection over HTTP has besides those of its system: how long, how much, and where to. Owns how they are read
//! and how they are listed; the defaults that a system needs are its connector's.

use crate::descriptor::{SettingKind, SettingRow};
use crate::outbound::OutboundConfig;
use crate::settings::Section;

pub const ALLOW_PRIVATE: SettingRow = (
    "allow_private",
    SettingKind::Boolean,
    false,
    Some("false"),
    "Its name may lead to an address inside your network.",
    "true",
);

pub const CONNECT_TIME_OUT: SettingRow = (
    "connect_time_out",
    SettingKind::Duration,
    false,
    Some("5s"),
    "Name, connection and TLS together.",
    "2s",
);

pub const fn read_time_out(default: &'static str, example: &'static str) -> SettingRow {
    let meaning = "The longest silence within an answer that has begun.";
    ("read_time_out", SettingKind::Duration, false, Some(default), meaning, example)
}

pub const fn answer_bytes_max(default: &'static str) -> SettingRow {
    (
        "answer_bytes_max",
        SettingKind::Integer,
        false,
        Some(default),
        "A longer answer is not read.",
        "1048576",
    )
}

/// What is not said is as `base` has it.
pub fn read(at: &Section<'_>, base: OutboundConfig) -> OutboundConfig {
    OutboundConfig {
        connect_time_out: at.duration("connect_time_out").unwrap_or(base.connect_time_out),
        read_time_out: at.duration("read_time_out").unwrap_or(base.read_time_out),
        answer_bytes_max: at.integer("answer_bytes_max", base.answer_bytes_max),
        allow_private: at.boolean("allow_private", base.allow_private),
        ..base
    }
}

/// Reports what no call could be made with, under its key.
pub fn judge(at: &Section<'_>, outbound: &OutboundConfig) {
    if let Err(problem) = outbound.check() {
        let key = if problem.starts_with("token_url") { "auth" } else { "url" };
        at.problem(key, problem.strip_prefix("url ").unwrap_or(&problem));
    }
}
