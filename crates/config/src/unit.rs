//! Numbers with their unit: durations, sizes, rates, shares. Owns their spelling; a number without its unit is
//! refused, and the refusal says what to write.

use serde::Serialize;
use std::fmt;
use std::time::Duration;

/// A number of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(into = "String")]
pub struct ByteSize(pub u64);

/// So many requests in so long a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(into = "String")]
pub struct Rate {
    pub count: u32,
    pub per: Duration,
}

/// A share of a whole, in percent, from 1 to 100.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(into = "String")]
pub struct Share(u8);

/// Why a number was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum UnitError {
    /// There is a number and no unit; holds what to write.
    NoUnit(String),
    /// Not of this form at all.
    Not,
}

impl Share {
    pub fn percent(self) -> u8 {
        self.0
    }
}

pub(crate) fn duration(text: &str) -> Result<Duration, UnitError> {
    kernel::flow::duration(text).ok_or_else(|| without_unit(text, "s"))
}

pub(crate) fn byte_size(text: &str) -> Result<ByteSize, UnitError> {
    let refused = || without_unit(text, "MiB");
    let (number, unit) = split(text).ok_or_else(refused)?;
    let factor: u64 = match unit {
        "B" => 1,
        "kB" | "KB" => 1000,
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return Err(refused()),
    };
    number.checked_mul(factor).map(ByteSize).ok_or(UnitError::Not)
}

pub(crate) fn rate(text: &str) -> Result<Rate, UnitError> {
    let refused = || without_unit(text, "/s");
    let (number, unit) = split(text).ok_or_else(refused)?;
    let per = match unit.strip_prefix('/').map(str::trim) {
        Some("s") => Duration::from_secs(1),
        Some("m" | "min") => Duration::from_secs(60),
        Some("h") => Duration::from_secs(3600),
        _ => return Err(refused()),
    };
    match u32::try_from(number) {
        Ok(count) if count > 0 => Ok(Rate { count, per }),
        _ => Err(UnitError::Not),
    }
}

pub(crate) fn share(text: &str) -> Result<Share, UnitError> {
    let (number, unit) = split(text).ok_or_else(|| without_unit(text, "%"))?;
    match (u8::try_from(number), unit) {
        (Ok(percent @ 1..=100), "%") => Ok(Share(percent)),
        _ => Err(UnitError::Not),
    }
}

fn split(text: &str) -> Option<(u64, &str)> {
    let text = text.trim();
    let at = text.find(|c: char| !c.is_ascii_digit())?;
    Some((text[..at].parse().ok()?, text[at..].trim()))
}

fn without_unit(text: &str, unit: &str) -> UnitError {
    let text = text.trim();
    match !text.is_empty() && text.len() <= 19 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        true => UnitError::NoUnit(format!("{text}{unit}")),
        false => UnitError::Not,
    }
}

impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (unit, size) in [("GiB", 1u64 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)] {
            if self.0 >= size && self.0.is_multiple_of(size) {
                return write!(f, "{}{unit}", self.0 / size);
            }
        }
        write!(f, "{}B", self.0)
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = match self.per.as_secs() {
            1 => "s",
            60 => "m",
            _ => "h",
        };
        write!(f, "{}/{unit}", self.count)
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}%", self.0)
    }
}

impl From<ByteSize> for String {
    fn from(size: ByteSize) -> Self {
        size.to_string()
    }
}
impl From<Rate> for String {
    fn from(rate: Rate) -> Self {
        rate.to_string()
    }
}
impl From<Share> for String {
    fn from(share: Share) -> Self {
        share.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_with_their_unit_and_written_back() {
        for text in ["1B", "2MiB", "64KiB", "3GiB", "1500B"] {
            assert_eq!(byte_size(text).unwrap().to_string(), text);
        }
        assert_eq!(byte_size("2 MB"), Ok(ByteSize(2_000_000)));
        for text in ["20/s", "600/m", "1/h"] {
            assert_eq!(rate(text).unwrap().to_string(), text);
        }
        assert_eq!(share("25%").unwrap().percent(), 25);
        assert_eq!(duration("90s"), Ok(Duration::from_secs(90)));
    }

    #[test]
    fn a_number_alone_is_refused_with_what_to_write() {
        assert_eq!(duration("30"), Err(UnitError::NoUnit("30s".into())));
        assert_eq!(byte_size("64"), Err(UnitError::NoUnit("64MiB".into())));
        assert_eq!(rate("20"), Err(UnitError::NoUnit("20/s".into())));
        assert_eq!(share("25"), Err(UnitError::NoUnit("25%".into())));
        for text in ["", "s", "1y", "-1s", "1.5s", "99999999999999999999s", "18446744073709551615d"] {
            assert_eq!(duration(text), Err(UnitError::Not), "{text}");
        }
        for text in ["0%", "101%", "300%"] {
            assert_eq!(share(text), Err(UnitError::Not), "{text}");
        }
        assert_eq!(byte_size("18446744073709551615GiB"), Err(UnitError::Not));
        assert_eq!(rate("0/s"), Err(UnitError::Not));
    }
}
