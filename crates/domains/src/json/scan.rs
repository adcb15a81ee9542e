//! The scanner: walks JSON text once, checks all of it, allocates nothing.
//!
//! The text is checked to be UTF-8 when the scanner is made; from then on it is bytes. Recursion is bounded by
//! [`DEPTH_MAX`], so a body of ten thousand brackets is a fault and not a stack overflow.

use std::borrow::Cow;

use super::fault::{JsonFault, JsonProblem};

/// Levels of nesting that are read. Shopify's bodies have about ten.
pub const DEPTH_MAX: usize = 64;

/// A cursor over JSON text.
#[derive(Debug, Clone)]
pub(crate) struct Scanner<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
}

/// A string as it stands in the text, without its quotes; already checked.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RawString<'a> {
    pub(crate) raw: &'a str,
    pub(crate) escaped: bool,
}

/// Bytes of a string that need no look: everything but the quote, the backslash and control characters.
const PLAIN: [bool; 256] = {
    let mut table = [true; 256];
    let mut byte = 0;
    while byte < 0x20 {
        table[byte] = false;
        byte += 1;
    }
    table[b'"' as usize] = false;
    table[b'\\' as usize] = false;
    table
};

type Scan<T> = Result<T, JsonFault>;

impl<'a> Scanner<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Scan<Self> {
        let text = std::str::from_utf8(bytes)
            .map_err(|error| JsonFault::at(JsonProblem::NotUtf8, error.valid_up_to()))?;
        Ok(Self { text, bytes, at: 0 })
    }

    pub(crate) fn offset(&self) -> usize {
        self.at
    }

    pub(crate) fn fault(&self, problem: JsonProblem) -> JsonFault {
        JsonFault::at(problem, self.at)
    }

    /// The text between two offsets that this scanner reported; both lie on borders of characters.
    pub(crate) fn slice(&self, from: usize, to: usize) -> &'a str {
        &self.text[from..to]
    }

    fn unexpected<T>(&self) -> Scan<T> {
        let problem =
            if self.at >= self.bytes.len() { JsonProblem::Truncated } else { JsonProblem::Unexpected };
        Err(self.fault(problem))
    }

    #[inline]
    pub(crate) fn blank(&mut self) {
        while let Some(b' ' | b'\n' | b'\t' | b'\r') = self.bytes.get(self.at) {
            self.at += 1;
        }
    }

    #[inline]
    pub(crate) fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    /// Takes the byte if it is next.
    #[inline]
    pub(crate) fn take(&mut self, byte: u8) -> bool {
        let next = self.peek() == Some(byte);
        self.at += usize::from(next);
        next
    }

    #[inline]
    pub(crate) fn expect(&mut self, byte: u8) -> Scan<()> {
        if self.take(byte) { Ok(()) } else { self.unexpected() }
    }

    /// After the outermost value nothing but blanks may follow.
    pub(crate) fn end(&mut self) -> Scan<()> {
        self.blank();
        if self.at == self.bytes.len() { Ok(()) } else { Err(self.fault(JsonProblem::Trailing)) }
    }

    /// A string, quotes included, at the cursor.
    pub(crate) fn string(&mut self) -> Scan<RawString<'a>> {
        self.expect(b'"')?;
        let start = self.at;
        let mut escaped = false;
        loop {
            self.plain();
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => {
                    escaped = true;
                    self.escape()?;
                }
                Some(_) => return Err(self.fault(JsonProblem::ControlCharacter)),
                None => return Err(self.fault(JsonProblem::Truncated)),
            }
        }
        let raw = &self.text[start..self.at];
        self.at += 1;
        Ok(RawString { raw, escaped })
    }

    /// Walks to the next byte that needs a look, eight at a time as long as there are eight.
    #[inline]
    fn plain(&mut self) {
        while let Some(eight) = self.bytes.get(self.at..).and_then(<[u8]>::first_chunk::<8>) {
            match first_to_look_at(u64::from_le_bytes(*eight)) {
                Some(at) => {
                    self.at += at;
                    return;
                }
                None => self.at += 8,
            }
        }
        while self.bytes.get(self.at).is_some_and(|byte| PLAIN[usize::from(*byte)]) {
            self.at += 1;
        }
    }

    fn escape(&mut self) -> Scan<()> {
        match self.bytes.get(self.at + 1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => {
                self.at += 2;
                Ok(())
            }
            Some(b'u') => self.unicode_escape(),
            Some(_) => Err(self.fault(JsonProblem::BadEscape)),
            None => Err(self.fault(JsonProblem::Truncated)),
        }
    }

    fn unicode_escape(&mut self) -> Scan<()> {
        let unit = hex4(self.bytes, self.at + 2).ok_or_else(|| self.fault(JsonProblem::BadEscape))?;
        match unit {
            0xD800..=0xDBFF => {
                let pair = self.bytes.get(self.at + 6..self.at + 8) == Some(b"\\u")
                    && matches!(hex4(self.bytes, self.at + 8), Some(0xDC00..=0xDFFF));
                if !pair {
                    return Err(self.fault(JsonProblem::LoneSurrogate));
                }
                self.at += 12;
            }
            0xDC00..=0xDFFF => return Err(self.fault(JsonProblem::LoneSurrogate)),
            _ => self.at += 6,
        }
        Ok(())
    }

    /// A number by the grammar of JSON, as text. Beyond every finite value is a fault, too small is not.
    pub(crate) fn number(&mut self) -> Scan<&'a str> {
        let start = self.at;
        let bad = |at| JsonFault::at(JsonProblem::BadNumber, at);
        self.take(b'-');
        if self.take(b'0') {
            if self.peek().is_some_and(|b| b.is_ascii_digit()) {
                return Err(bad(start));
            }
        } else if !self.digits() {
            return Err(bad(start));
        }
        if self.take(b'.') && !self.digits() {
            return Err(bad(start));
        }
        let mut exponent = false;
        if let Some(b'e' | b'E') = self.peek() {
            exponent = true;
            self.at += 1;
            if !self.take(b'-') {
                self.take(b'+');
            }
            if !self.digits() {
                return Err(bad(start));
            }
        }
        let text = &self.text[start..self.at];
        if (exponent || text.len() > 300) && !text.parse::<f64>().is_ok_and(f64::is_finite) {
            return Err(JsonFault::at(JsonProblem::NumberOutOfRange, start));
        }
        Ok(text)
    }

    fn digits(&mut self) -> bool {
        let start = self.at;
        while self.peek().is_some_and(|b| b.is_ascii_digit()) {
            self.at += 1;
        }
        self.at > start
    }

    pub(crate) fn literal(&mut self, word: &str) -> Scan<()> {
        let rest = &self.bytes[self.at..];
        if rest.starts_with(word.as_bytes()) {
            self.at += word.len();
            Ok(())
        } else if rest.first() == Some(&b'N') || rest.first() == Some(&b'I') {
            Err(self.fault(JsonProblem::BadNumber))
        } else if word.as_bytes().starts_with(rest) {
            Err(self.fault(JsonProblem::Truncated))
        } else {
            Err(self.fault(JsonProblem::Unexpected))
        }
    }

    /// A value that is neither object nor array.
    #[inline]
    pub(crate) fn scalar(&mut self) -> Scan<()> {
        match self.peek() {
            Some(b'"') => self.string().map(|_| ()),
            Some(b't') => self.literal("true"),
            Some(b'f') => self.literal("false"),
            Some(b'n') => self.literal("null"),
            Some(b'-' | b'0'..=b'9') => self.number().map(|_| ()),
            Some(b'N' | b'I' | b'+') => Err(self.fault(JsonProblem::BadNumber)),
            _ => self.unexpected(),
        }
    }

    /// Walks over one value, checking all of it. `depth` is the number of containers around it.
    pub(crate) fn skip(&mut self, depth: usize) -> Scan<()> {
        match self.peek() {
            Some(b'{') => self.object(depth, |scanner, _| scanner.skip(depth + 1)),
            Some(b'[') => self.array(depth, |scanner, _| scanner.skip(depth + 1)),
            _ => self.scalar(),
        }
    }

    /// Walks over an object; `member` is called with the cursor on each value and has to walk over it.
    pub(crate) fn object(
        &mut self,
        depth: usize,
        mut member: impl FnMut(&mut Self, RawString<'a>) -> Scan<()>,
    ) -> Scan<()> {
        self.enter(depth, b'{')?;
        if self.take(b'}') {
            return Ok(());
        }
        loop {
            self.blank();
            let key = self.string()?;
            let named = |fault: JsonFault| fault.within_key(&key.decode());
            self.blank();
            self.expect(b':').map_err(named)?;
            self.blank();
            member(self, key).map_err(named)?;
            self.blank();
            if !self.take(b',') {
                return self.expect(b'}');
            }
        }
    }

    /// Walks over an array; `element` is called with the cursor on each value and has to walk over it.
    pub(crate) fn array(
        &mut self,
        depth: usize,
        mut element: impl FnMut(&mut Self, usize) -> Scan<()>,
    ) -> Scan<()> {
        self.enter(depth, b'[')?;
        if self.take(b']') {
            return Ok(());
        }
        let mut index = 0;
        loop {
            self.blank();
            element(self, index).map_err(|fault| fault.within_index(index))?;
            self.blank();
            if !self.take(b',') {
                return self.expect(b']');
            }
            index += 1;
        }
    }

    fn enter(&mut self, depth: usize, bracket: u8) -> Scan<()> {
        if depth >= DEPTH_MAX {
            return Err(self.fault(JsonProblem::TooDeep));
        }
        self.expect(bracket)?;
        self.blank();
        Ok(())
    }
}

/// The index of the first of eight bytes that is a quote, a backslash or a control character; the first in the text is
/// the lowest of the word. (A byte less than `n`: "Bit Twiddling Hacks", determine if a word has a byte less than n. What
/// the subtraction borrows from lies above the first hit.)
#[inline]
fn first_to_look_at(word: u64) -> Option<usize> {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let below = |word: u64, n: u64| word.wrapping_sub(ONES * n) & !word & HIGH;
    let is = |byte: u8| below(word ^ (ONES * u64::from(byte)), 1);
    let hits = below(word, 0x20) | is(b'"') | is(b'\\');
    (hits != 0).then(|| (hits.trailing_zeros() / 8) as usize)
}

fn hex4(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..at + 4)?.iter().try_fold(0_u16, |sum, byte| {
        let digit = char::from(*byte).to_digit(16)?;
        Some(sum << 4 | u16::try_from(digit).ok()?)
    })
}

impl<'a> RawString<'a> {
    /// Of what stands between two quotes and was checked.
    pub(crate) fn new(raw: &'a str) -> Self {
        Self { raw, escaped: raw.contains('\\') }
    }

    /// The string that is meant; borrowed where nothing was escaped.
    pub(crate) fn decode(&self) -> Cow<'a, str> {
        if self.escaped { Cow::Owned(unescape(self.raw)) } else { Cow::Borrowed(self.raw) }
    }
}

/// The scanner has checked every escape, so that what does not fit can only be kept as it is.
fn unescape(raw: &str) -> String {
    let mut out = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        let bytes = &rest.as_bytes()[at..];
        let (character, length) = match bytes.get(1) {
            Some(b'b') => ('\u{8}', 2),
            Some(b'f') => ('\u{c}', 2),
            Some(b'n') => ('\n', 2),
            Some(b'r') => ('\r', 2),
            Some(b't') => ('\t', 2),
            Some(b'u') => unescape_unicode(bytes),
            Some(other) => (char::from(*other), 2),
            None => ('\\', 1),
        };
        out.push(character);
        rest = &rest[at + length..];
    }
    out.push_str(rest);
    out
}

fn unescape_unicode(bytes: &[u8]) -> (char, usize) {
    let high = hex4(bytes, 2).unwrap_or(0xFFFD);
    let units = [high, hex4(bytes, 8).unwrap_or(0)];
    let length = if (0xD800..0xDC00).contains(&high) { 12 } else { 6 };
    let character = char::decode_utf16(units[..length / 6].iter().copied())
        .next()
        .and_then(Result::ok)
        .unwrap_or(char::REPLACEMENT_CHARACTER);
    (character, length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eight_at_a_time_stops_where_one_at_a_time_does() {
        for at in 0..8 {
            for byte in 0..=255_u8 {
                for around in [b'a', 0xFF, 0x80, 0x21] {
                    let mut eight = [around; 8];
                    eight[at] = byte;
                    let one_at_a_time = eight.iter().position(|byte| !PLAIN[usize::from(*byte)]);
                    assert_eq!(first_to_look_at(u64::from_le_bytes(eight)), one_at_a_time, "{eight:?}");
                }
            }
        }
        let mut two = *b"abcdefgh";
        (two[2], two[3]) = (b'"', 0x01);
        assert_eq!(first_to_look_at(u64::from_le_bytes(two)), Some(2));
    }
}
