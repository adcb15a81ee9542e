//! Blanks what looks like a secret in a file's text before anything points into it, so that no finding can print
//! it. Owns the rule by which a key is held to be a secret's; every byte offset stays where it was.

/// Beginnings of Shopify's and other well-known tokens: a secret under whatever key it stands.
const TOKEN_PREFIXES: &[&str] = &["shpat_", "shpca_", "shppa_", "shpss_", "shprt_", "shpua_", "shptka_"];

/// Whether a key of this name holds a secret. `-` counts as `_`, and case does not count.
pub(crate) fn is_secret_key(key: &str) -> bool {
    let key = key.to_ascii_lowercase().replace('-', "_");
    ["secret", "password", "passphrase", "credential"].iter().any(|word| key.contains(word))
        || ["token", "bearer", "authorization", "key"].contains(&key.as_str())
        || ["_token", "api_key", "apikey", "access_key", "private_key", "master_key"]
            .iter()
            .any(|end| key.ends_with(end))
}

/// Whether a value is a secret wherever it stands: a well-known token, or a URL with a password in it.
pub(crate) fn is_secret_value(value: &str) -> bool {
    TOKEN_PREFIXES.iter().any(|prefix| value.contains(prefix)) || user_info(value).is_some()
}

pub(crate) fn is_reference(value: &str) -> bool {
    value.starts_with("env:") || value.starts_with("file:")
}

/// The part of a URL between `://` and `@` if it holds a password.
fn user_info(value: &str) -> Option<std::ops::Range<usize>> {
    let start = value.find("://")? + 3;
    let authority = &value[start..];
    let end = authority.find(['/', '?', '#', '"', '\'', ' ', '\n']).unwrap_or(authority.len());
    let at = authority[..end].rfind('@')?;
    let colon = authority[..at].find(':')?;
    Some(start + colon + 1..start + at)
}

/// The text with secrets blanked by `*`, of the same length in bytes and with the same lines.
pub(crate) fn masked(text: &str) -> String {
    let mut bytes = text.as_bytes().to_vec();
    let mut blank = |range: std::ops::Range<usize>| {
        for byte in &mut bytes[range] {
            if *byte != b'\n' && *byte != b'\r' {
                *byte = b'*';
            }
        }
    };
    for (at, _) in text.match_indices('=') {
        if is_secret_key(key_before(&text[..at])) {
            literals(text, at + 1).for_each(&mut blank);
        }
    }
    for prefix in TOKEN_PREFIXES {
        for (at, _) in text.match_indices(prefix) {
            blank(at + prefix.len()..word_end(text, at));
        }
    }
    for (at, _) in text.match_indices("://") {
        if let Some(range) = user_info(&text[at..]) {
            blank(at + range.start..at + range.end);
        }
    }
    // Whole values were blanked, never a part of a character.
    String::from_utf8(bytes).unwrap_or_else(|_| "*".repeat(text.len()))
}

fn key_before(text: &str) -> &str {
    let text = text.trim_end_matches([' ', '\t', '"', '\'']);
    let start = text
        .rfind(|c: char| !(c.is_alphanumeric() || c == '_' || c == '-'))
        .map_or(0, |at| at + text[at..].chars().next().map_or(1, char::len_utf8));
    &text[start..]
}

fn word_end(text: &str, start: usize) -> usize {
    let word = text[start..].find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '-'));
    word.map_or(text.len(), |length| start + length)
}

/// The inside of the value (or of each value of a list) that begins after `start`, where it is no reference.
fn literals(text: &str, start: usize) -> impl Iterator<Item = std::ops::Range<usize>> {
    let mut found = Vec::new();
    let mut at = start;
    let in_list = text[start..].trim_start().starts_with('[');
    loop {
        at += text[at..].len() - text[at..].trim_start_matches([' ', '\t', '[', ',', '\n', '\r']).len();
        let rest = &text[at..];
        let Some(open) = ["\"\"\"", "'''", "\"", "'"].into_iter().find(|quote| rest.starts_with(quote))
        else {
            if !in_list {
                let end = rest.find(['\n', ',', '}', '#']).unwrap_or(rest.len());
                found.push(at..at + end);
            }
            break;
        };
        let inside = &rest[open.len()..];
        let end = closing(inside, open);
        if !is_reference(&inside[..end]) {
            found.push(at + open.len()..at + open.len() + end);
        }
        at = (at + open.len() + end + open.len()).min(text.len());
        if !in_list || !text.is_char_boundary(at) || !text[at..].trim_start().starts_with(',') {
            break;
        }
    }
    found.into_iter()
}

/// Where a string ends: at its closing quote, or, where that is missing, at the end of the line (of the text for a
/// string of several lines).
fn closing(inside: &str, quote: &str) -> usize {
    let lines = quote.len() == 3;
    let mut escaped = false;
    for (at, c) in inside.char_indices() {
        if escaped {
            escaped = false;
        } else if c == '\\' && quote.starts_with('"') {
            escaped = true;
        } else if inside[at..].starts_with(quote) || (c == '\n' && !lines) {
            return at;
        }
    }
    inside.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literal_secrets_are_blanked_and_references_stay() {
        for (text, expected) in [
            ("password = \"hunter2\"", "password = \"*******\""),
            ("password = \"a\\\"b\" # c", "password = \"****\" # c"),
            ("access_token = 'x'\nurl = 'y'", "access_token = '*'\nurl = 'y'"),
            ("a = { api-key = \"k\", b = 1 }", "a = { api-key = \"*\", b = 1 }"),
            ("\"X-Api-Key\" = \"k\"", "\"X-Api-Key\" = \"*\""),
            ("client_secret = \"env:S\"", "client_secret = \"env:S\""),
            ("master_key = \"file:../k\"", "master_key = \"file:../k\""),
            ("password = \"open\nb = 1", "password = \"****\nb = 1"),
            ("password = bare, b = 1", "password = ****, b = 1"),
            ("token = \"\"\"a\nb\"\"\"", "token = \"\"\"*\n*\"\"\""),
            ("token = [\"a\", \"env:B\", 'c']", "token = [\"*\", \"env:B\", '*']"),
            ("url = \"http://u:pw@h/x@y\"", "url = \"http://u:**@h/x@y\""),
            ("note = \"shpat_abc def\"", "note = \"shpat_*** def\""),
            ("concurrency = 4", "concurrency = 4"),
            ("password = \"né\"", "password = \"***\""),
        ] {
            assert_eq!(masked(text), expected);
            assert_eq!(masked(text).len(), text.len());
        }
    }

    #[test]
    fn keys_of_secrets_are_known_by_their_name() {
        for key in ["client_secret", "access_token", "password", "X-Api-Key", "Authorization", "master_key"] {
            assert!(is_secret_key(key), "{key}");
        }
        for key in ["url", "user", "id_key", "idempotency_key_header", "token_url", "keys"] {
            assert!(!is_secret_key(key), "{key}");
        }
    }
}
