//! What may be shown of an answer. Owns the bounded excerpt without secrets, e-mail addresses and card numbers;
//! refuses to show a whole body.

use std::fmt;
use zeroize::Zeroizing;

/// An excerpt is at most this long, in characters.
pub const EXCERPT_CHARS_MAX: usize = 300;
/// Of a body no more than this is looked at.
const READ_BYTES_MAX: usize = 4096;
/// A shorter secret would blot out innocent text.
const SECRET_BYTES_MIN: usize = 4;
const MASK: &str = "•••";

/// Words in the name of a JSON field whose value is not shown.
const SECRET_NAMES: [&str; 9] =
    ["password", "passwd", "secret", "token", "authorization", "api_key", "apikey", "cookie", "session"];

/// Knows the secrets of one system.
#[derive(Clone, Default)]
pub struct Redactor {
    secrets: Vec<Zeroizing<String>>,
}

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redactor").field("secrets", &self.secrets.len()).finish()
    }
}

impl Redactor {
    pub fn new(secrets: impl IntoIterator<Item = String>) -> Self {
        let mut secrets: Vec<_> =
            secrets.into_iter().filter(|s| s.len() >= SECRET_BYTES_MIN).map(Zeroizing::new).collect();
        // The longest first: one may be a part of another.
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        Self { secrets }
    }

    /// One line, at most [`EXCERPT_CHARS_MAX`] characters, masked.
    pub fn excerpt(&self, bytes: &[u8]) -> String {
        let part = &bytes[..bytes.len().min(READ_BYTES_MAX)];
        self.text(&String::from_utf8_lossy(part))
    }

    /// The same of a text.
    pub fn text(&self, text: &str) -> String {
        let mut line = one_line(text);
        for secret in &self.secrets {
            line = line.replace(secret.as_str(), MASK);
        }
        let line = mask_words(&mask_fields(&line));
        match line.char_indices().nth(EXCERPT_CHARS_MAX) {
            Some((end, _)) => format!("{}…", &line[..end]),
            None => line,
        }
    }
}

fn one_line(text: &str) -> String {
    let clean: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    clean.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// `"password": "x"` → `"password": "•••"`, also where the JSON is cut off.
fn mask_fields(line: &str) -> String {
    let mut shown = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(start) = rest.find('"') {
        let (before, quoted) = rest.split_at(start);
        let end = closing_quote(quoted);
        let (name, after) = quoted.split_at(end);
        shown.push_str(before);
        shown.push_str(name);
        rest = after;
        let value = after.trim_start().strip_prefix(':').map(str::trim_start);
        if let Some(value) = value.filter(|value| is_secret_name(name) && value.starts_with('"')) {
            shown.push_str(": \"");
            shown.push_str(MASK);
            shown.push('"');
            rest = &value[closing_quote(value)..];
        }
    }
    shown.push_str(rest);
    shown
}

/// Where the string that begins at 0 ends, its quote included.
fn closing_quote(text: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

fn is_secret_name(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    SECRET_NAMES.iter().any(|secret| name.contains(secret))
}

/// E-mail addresses, card numbers, and what follows `Bearer` or `Basic`.
fn mask_words(line: &str) -> String {
    let mut shown = String::with_capacity(line.len());
    let mut after_scheme = false;
    for (number, word) in line.split(' ').enumerate() {
        if number > 0 {
            shown.push(' ');
        }
        let masked = after_scheme || is_email(word) || is_card(word);
        shown.push_str(if masked { MASK } else { word });
        let scheme = word.trim_start_matches(|c: char| !c.is_ascii_alphanumeric());
        after_scheme = scheme.eq_ignore_ascii_case("bearer") || scheme.eq_ignore_ascii_case("basic");
    }
    shown
}

fn is_email(word: &str) -> bool {
    word.split_once('@').is_some_and(|(name, host)| !name.is_empty() && host.contains('.'))
}

/// 13 to 19 digits in a row with a valid check digit (ISO/IEC 7812).
fn is_card(word: &str) -> bool {
    word.split(|c: char| !c.is_ascii_digit() && c != '-').any(|run| {
        let digits: Vec<u32> = run.chars().filter_map(|c| c.to_digit(10)).collect();
        (13..=19).contains(&digits.len()) && luhn(&digits)
    })
}

fn luhn(digits: &[u32]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| match place % 2 {
            1 if digit * 2 > 9 => digit * 2 - 9,
            1 => digit * 2,
            _ => *digit,
        })
        .sum();
    sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_excerpt_shows_no_secret_and_no_person() {
        let redactor = Redactor::new(["hunter22".to_owned(), "abc".to_owned()]);
        let table = [
            ("plain text", "plain text"),
            ("key hunter22 is wrong, abc", "key ••• is wrong, abc"),
            ("a\r\n\tb\u{0}c", "a b c"),
            (r#"{"password":"p\"q","x":"y"}"#, r#"{"password": "•••","x":"y"}"#),
            (r#"{"access_token": "t"#, r#"{"access_token": "•••""#),
            ("Authorization: Bearer xyz.abc end", "Authorization: Bearer ••• end"),
            ("mail jo@example.com failed", "mail ••• failed"),
            ("card 4111111111111111 no", "card ••• no"),
            ("card 4111-1111-1111-1111 no", "card ••• no"),
            ("order acme-order-5678901234567", "order acme-order-5678901234567"),
        ];
        for (text, expected) in table {
            assert_eq!(redactor.excerpt(text.as_bytes()), expected, "{text}");
        }
    }

    #[test]
    fn an_excerpt_is_bounded_and_takes_any_bytes() {
        let long = Redactor::default().excerpt(&vec![b'x'; 1 << 20]);
        assert_eq!(long.chars().count(), EXCERPT_CHARS_MAX + 1);
        assert!(!Redactor::default().excerpt(&[0xff, 0xfe, b'"', 0xc3]).is_empty());
        assert_eq!(format!("{:?}", Redactor::new(["hunter22".into()])), "Redactor { secrets: 1 }");
    }
}
