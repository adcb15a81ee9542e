//! JSON as a function reads it: a tree that borrows its texts and keeps numbers as they are spelled. Owns nothing but reading; it is
//! here because a general reader takes a third of what a Shopify Function may weigh, and most of what it may compute.

use std::borrow::Cow;

/// Nobody writes deeper.
const DEPTH_MAX: u32 = 64;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value<'a> {
    Null,
    Bool(bool),
    /// As it is spelled.
    Number(&'a str),
    Text(Cow<'a, str>),
    Rows(Vec<Value<'a>>),
    Fields(Vec<(Cow<'a, str>, Value<'a>)>),
}

/// The text is no JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is no JSON")]
pub struct NotJson;

const NULL: Value<'static> = Value::Null;

impl<'a> Value<'a> {
    /// # Errors
    /// Anything but one value.
    pub fn read(text: &'a str) -> Result<Self, NotJson> {
        let mut reader = Reader { text, at: 0 };
        let value = reader.value(0)?;
        reader.blanks();
        if reader.at == text.len() { Ok(value) } else { Err(NotJson) }
    }

    /// Null, where there is no such field.
    #[must_use]
    pub fn get(&self, name: &str) -> &Self {
        let Self::Fields(fields) = self else { return &NULL };
        fields.iter().find(|(field, _)| field == name).map_or(&NULL, |(_, value)| value)
    }

    #[must_use]
    pub fn text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// A number or its text, as it is spelled.
    #[must_use]
    pub fn digits(&self) -> Option<&str> {
        match self {
            Self::Number(digits) => Some(digits),
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    #[must_use]
    pub fn is_true(&self) -> bool {
        matches!(self, Self::Bool(true))
    }

    #[must_use]
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// None, where it is anything else.
    #[must_use]
    pub fn rows(&self) -> &[Self] {
        if let Self::Rows(rows) = self { rows } else { &[] }
    }

    /// None, where it is anything else.
    #[must_use]
    pub fn fields(&self) -> &[(Cow<'a, str>, Self)] {
        if let Self::Fields(fields) = self { fields } else { &[] }
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\n' | b'\r' | b'\t')) {
            self.at += 1;
        }
    }

    /// Whether the byte was there, and is behind us.
    fn passes(&mut self, byte: u8) -> bool {
        let is_there = self.peek() == Some(byte);
        self.at += usize::from(is_there);
        is_there
    }

    fn needs(&mut self, byte: u8) -> Result<(), NotJson> {
        self.blanks();
        if self.passes(byte) { Ok(()) } else { Err(NotJson) }
    }

    fn word(&mut self, word: &str, value: Value<'a>) -> Result<Value<'a>, NotJson> {
        if self.text.as_bytes().get(self.at..).is_some_and(|rest| rest.starts_with(word.as_bytes())) {
            self.at += word.len();
            return Ok(value);
        }
        Err(NotJson)
    }

    fn value(&mut self, depth: u32) -> Result<Value<'a>, NotJson> {
        if depth > DEPTH_MAX {
            return Err(NotJson);
        }
        self.blanks();
        match self.peek() {
            Some(b'"') => self.quoted().map(Value::Text),
            Some(b'{') => self.object(depth),
            Some(b'[') => self.array(depth),
            Some(b'n') => self.word("null", Value::Null),
            Some(b't') => self.word("true", Value::Bool(true)),
            Some(b'f') => self.word("false", Value::Bool(false)),
            _ => self.number(),
        }
    }

    fn number(&mut self) -> Result<Value<'a>, NotJson> {
        let begin = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E')) {
            self.at += 1;
        }
        match self.text.get(begin..self.at) {
            Some(digits) if !digits.is_empty() => Ok(Value::Number(digits)),
            _ => Err(NotJson),
        }
    }

    fn array(&mut self, depth: u32) -> Result<Value<'a>, NotJson> {
        self.at += 1;
        let mut rows = Vec::new();
        self.blanks();
        if self.passes(b']') {
            return Ok(Value::Rows(rows));
        }
        loop {
            rows.push(self.value(depth + 1)?);
            self.blanks();
            if self.passes(b']') {
                return Ok(Value::Rows(rows));
            }
            self.needs(b',')?;
        }
    }

    fn object(&mut self, depth: u32) -> Result<Value<'a>, NotJson> {
        self.at += 1;
        let mut fields = Vec::new();
        self.blanks();
        if self.passes(b'}') {
            return Ok(Value::Fields(fields));
        }
        loop {
            self.blanks();
            if self.peek() != Some(b'"') {
                return Err(NotJson);
            }
            let name = self.quoted()?;
            self.needs(b':')?;
            fields.push((name, self.value(depth + 1)?));
            self.blanks();
            if self.passes(b'}') {
                return Ok(Value::Fields(fields));
            }
            self.needs(b',')?;
        }
    }

    /// Borrowed, unless something in it is escaped.
    fn quoted(&mut self) -> Result<Cow<'a, str>, NotJson> {
        self.at += 1;
        let first = self.plain()?;
        if self.passes(b'"') {
            return Ok(Cow::Borrowed(first));
        }
        let mut text = first.to_owned();
        loop {
            if !self.passes(b'\\') {
                return Err(NotJson);
            }
            text.push(self.escaped()?);
            text.push_str(self.plain()?);
            if self.passes(b'"') {
                return Ok(Cow::Owned(text));
            }
        }
    }

    /// Up to what is not as it is written.
    fn plain(&mut self) -> Result<&'a str, NotJson> {
        let begin = self.at;
        let rest = self.text.as_bytes().get(begin..).ok_or(NotJson)?;
        let many = rest.iter().position(|byte| is_special(*byte)).ok_or(NotJson)?;
        self.at += many;
        self.text.get(begin..self.at).ok_or(NotJson)
    }

    fn escaped(&mut self) -> Result<char, NotJson> {
        let byte = self.peek().ok_or(NotJson)?;
        self.at += 1;
        Ok(match byte {
            b'"' | b'\\' | b'/' => char::from(byte),
            b'n' => '\n',
            b't' => '\t',
            b'r' => '\r',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'u' => {
                let high = self.hex()?;
                let code = if (0xD800..0xDC00).contains(&high) {
                    if !(self.passes(b'\\') && self.passes(b'u')) {
                        return Err(NotJson);
                    }
                    let low = self.hex()?.checked_sub(0xDC00).filter(|low| *low < 0x400).ok_or(NotJson)?;
                    0x1_0000 + ((high - 0xD800) << 10) + low
                } else {
                    high
                };
                char::from_u32(code).ok_or(NotJson)?
            }
            _ => return Err(NotJson),
        })
    }

    fn hex(&mut self) -> Result<u32, NotJson> {
        let digits = self.text.get(self.at..self.at + 4).ok_or(NotJson)?;
        self.at += 4;
        u32::from_str_radix(digits, 16).map_err(|_| NotJson)
    }
}

/// What a text of JSON does not hold as it is.
fn is_special(byte: u8) -> bool {
    byte < b' ' || byte == b'"' || byte == b'\\'
}

/// A text as JSON has it, behind what is there.
pub fn quote(text: &str, into: &mut String) {
    into.push('"');
    if !text.bytes().any(is_special) {
        into.push_str(text);
        into.push('"');
        return;
    }
    for c in text.chars() {
        match c {
            '"' | '\\' => into.extend(['\\', c]),
            c if c < ' ' => {
                let digit = |n: u32| char::from_digit(n, 16).unwrap_or('0');
                into.push_str("\\u00");
                into.extend([digit(u32::from(c) >> 4), digit(u32::from(c) & 15)]);
            }
            c => into.push(c),
        }
    }
    into.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn same(read: &Value<'_>, expected: &serde_json::Value) -> bool {
        match (read, expected) {
            (Value::Null, serde_json::Value::Null) => true,
            (Value::Bool(a), serde_json::Value::Bool(b)) => a == b,
            (Value::Number(a), serde_json::Value::Number(b)) => **a == b.to_string(),
            (Value::Text(a), serde_json::Value::String(b)) => a == b,
            (Value::Rows(a), serde_json::Value::Array(b)) => {
                a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
            }
            (Value::Fields(a), serde_json::Value::Object(b)) => {
                a.len() == b.len() && a.iter().all(|(name, value)| same(value, &b[&**name]))
            }
            _ => false,
        }
    }

    fn any_json() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<bool>().prop_map(Into::into),
            any::<i64>().prop_map(Into::into),
            any::<String>().prop_map(Into::into),
        ];
        leaf.prop_recursive(4, 32, 6, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..6).prop_map(Into::into),
                proptest::collection::btree_map(any::<String>(), inner, 0..6)
                    .prop_map(|fields| serde_json::Value::Object(fields.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn it_reads_what_a_general_reader_reads(value in any_json(), is_pretty: bool) {
            let text = if is_pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) };
            let text = text.unwrap();
            prop_assert!(same(&Value::read(&text).unwrap(), &value), "{text}");
        }

        #[test]
        fn a_text_that_it_writes_is_read_as_it_was(text: String) {
            let mut quoted = String::new();
            quote(&text, &mut quoted);
            prop_assert_eq!(serde_json::from_str::<String>(&quoted).unwrap(), text);
        }

        #[test]
        fn no_text_makes_it_panic(text: String) {
            let _ = Value::read(&text);
        }
    }

    #[test]
    fn what_is_no_json_is_refused() {
        let deep = "[".repeat(100);
        let texts = [
            "",
            "{",
            "[1,]",
            "{\"a\"}",
            "nul",
            "\"a",
            "\"\\x\"",
            "\"\\ud800\"",
            "1 2",
            "{1:2}",
            "\"\n\"",
            &deep,
        ];
        for text in texts {
            assert_eq!(Value::read(text), Err(NotJson), "{text}");
        }
        assert_eq!(Value::read(" \"\\ud83d\\ude00\" ").unwrap().text(), Some("😀"));
    }
}
