//! Whether every secret is where its reference points, is not exposed, and has the form that its use needs. Prints
//! none.

use crate::judge::Judge;
use config::{Code, SecretUse};
use secrecy::ExposeSecret;

/// Of a token that opens one of the hub's own doors.
const TOKEN_CHARACTERS_MIN: usize = 16;

pub(crate) fn judge(judge: &mut Judge<'_>) {
    let Some(env) = &judge.inputs.secrets else { return };
    for secret in judge.config.secrets() {
        match secret.reference.resolve(env, &judge.config.base_dir, &secret.key, &secret.origin) {
            Ok(value) => form(judge, &secret, value.expose_secret()),
            Err(finding) => judge.push(*finding),
        }
    }
}

fn form(judge: &mut Judge<'_>, secret: &SecretUse, value: &str) {
    let (message, help) = match secret.key.as_str() {
        "hub.master_key" | "hub.previous_master_key" => {
            if value.len() == 64 && value.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                return;
            }
            ("the master key is not 64 hex digits", "make one with: openssl rand -hex 32")
        }
        "hub.admin_token" if is_short(value) => {
            ("the admin token is shorter than 16 characters", "make one with: openssl rand -hex 24")
        }
        key if key.starts_with("prices.callers.") && is_short(value) => {
            ("the caller's token is shorter than 16 characters", "make one with: openssl rand -hex 24")
        }
        _ => return,
    };
    judge.finding(Code::Value, &secret.origin, &secret.key, message, help);
}

fn is_short(token: &str) -> bool {
    token.chars().count() < TOKEN_CHARACTERS_MIN
}
