//! Shopify's search syntax: terms of `field:value` with comparators, `AND`, `OR`, `NOT`, `-` and parentheses.
//!
//! It reads queries on `orders(query:)` and filters of webhook subscriptions. A field that cannot be searched is
//! ignored with a warning, as Shopify does it: a typo widens the result instead of failing.

use jiff::Timestamp;
use jiff::civil;
use jiff::tz::TimeZone;
use rust_decimal::Decimal;
use std::cmp::Ordering;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Query {
    All(Vec<Query>),
    Any(Vec<Query>),
    Not(Box<Query>),
    Term { field: Option<String>, comparator: Comparator, value: String },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparator {
    Is,
    Less,
    LessOrSame,
    More,
    MoreOrSame,
}

/// What an object has for a field of that name.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Found {
    /// No such search field.
    Unknown,
    /// A term holds when it holds for one of them.
    Values(Vec<Searchable>),
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Searchable {
    Time(Timestamp),
    Number(Decimal),
    Text(String),
}

impl Searchable {
    pub(super) fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }
}

impl Query {
    /// An empty query holds for everything.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut tokens = tokens(text)?;
        tokens.reverse();
        let query = any(&mut tokens)?;
        match tokens.pop() {
            None => Ok(query),
            Some(token) => Err(format!("unexpected {token:?}")),
        }
    }

    /// Fields that the query names.
    pub(super) fn fields(&self) -> Vec<&str> {
        match self {
            Self::All(of) | Self::Any(of) => of.iter().flat_map(Query::fields).collect(),
            Self::Not(of) => of.fields(),
            Self::Term { field, .. } => field.as_deref().into_iter().collect(),
        }
    }

    /// The only values that this field can have where the query holds; none where the query does not say.
    pub(super) fn values_of(&self, name: &str) -> Option<Vec<&str>> {
        match self {
            Self::Term { field: Some(field), comparator: Comparator::Is, value } if field == name => {
                (!value.ends_with('*')).then(|| vec![value.as_str()])
            }
            Self::Any(of) => {
                let each: Option<Vec<_>> = of.iter().map(|query| query.values_of(name)).collect();
                each.map(|values| values.concat())
            }
            Self::All(of) => of.iter().find_map(|query| query.values_of(name)),
            Self::Not(_) | Self::Term { .. } => None,
        }
    }

    /// `None`: the term is ignored.
    fn judge(&self, look_up: &dyn Fn(Option<&str>) -> Found, zone: &TimeZone) -> Option<bool> {
        match self {
            Self::All(of) => {
                let mut judged = of.iter().filter_map(|query| query.judge(look_up, zone)).peekable();
                judged.peek()?;
                Some(judged.all(|held| held))
            }
            Self::Any(of) => {
                let mut judged = of.iter().filter_map(|query| query.judge(look_up, zone)).peekable();
                judged.peek()?;
                Some(judged.any(|held| held))
            }
            Self::Not(of) => of.judge(look_up, zone).map(|held| !held),
            Self::Term { field, comparator, value } => match look_up(field.as_deref()) {
                Found::Unknown => None,
                Found::Values(values) => {
                    Some(values.iter().any(|found| found.matches(*comparator, value, zone)))
                }
            },
        }
    }

    pub(super) fn holds(&self, look_up: &dyn Fn(Option<&str>) -> Found, zone: &TimeZone) -> bool {
        self.judge(look_up, zone).unwrap_or(true)
    }
}

impl Searchable {
    fn matches(&self, comparator: Comparator, value: &str, zone: &TimeZone) -> bool {
        if value == "*" {
            return true;
        }
        let ordering = match self {
            Self::Time(at) => match parse_time(value, zone) {
                Some((from, until)) => return time_matches(*at, comparator, from, until),
                None => return false,
            },
            Self::Number(number) => value.parse::<Decimal>().ok().map(|wanted| number.cmp(&wanted)),
            Self::Text(text) => match value.strip_suffix('*') {
                Some(prefix) if comparator == Comparator::Is => {
                    return text.to_lowercase().starts_with(&prefix.to_lowercase());
                }
                _ => Some(text.to_lowercase().cmp(&value.to_lowercase())),
            },
        };
        ordering.is_some_and(|ordering| comparator.holds(ordering))
    }
}

impl Comparator {
    fn holds(self, ordering: Ordering) -> bool {
        match self {
            Self::Is => ordering == Ordering::Equal,
            Self::Less => ordering == Ordering::Less,
            Self::LessOrSame => ordering != Ordering::Greater,
            Self::More => ordering == Ordering::Greater,
            Self::MoreOrSame => ordering != Ordering::Less,
        }
    }
}

/// An instant is a span of its own precision: a second, or a day of the shop.
fn time_matches(at: Timestamp, comparator: Comparator, from: Timestamp, until: Timestamp) -> bool {
    match comparator {
        Comparator::Is => from <= at && at < until,
        Comparator::Less => at < from,
        Comparator::LessOrSame => at < until,
        Comparator::More => at >= until,
        Comparator::MoreOrSame => at >= from,
    }
}

/// From and until (exclusive). Without a zone the shop's is meant.
fn parse_time(text: &str, zone: &TimeZone) -> Option<(Timestamp, Timestamp)> {
    let second = jiff::SignedDuration::from_secs(1);
    if let Ok(at) = text.parse::<Timestamp>() {
        return Some((at, at.checked_add(second).ok()?));
    }
    if let Ok(day) = text.parse::<civil::Date>() {
        let start = day.to_zoned(zone.clone()).ok()?.timestamp();
        return Some((start, day.tomorrow().ok()?.to_zoned(zone.clone()).ok()?.timestamp()));
    }
    let at = text.parse::<civil::DateTime>().ok()?.to_zoned(zone.clone()).ok()?.timestamp();
    Some((at, at.checked_add(second).ok()?))
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Open,
    Close,
    And,
    Or,
    Not,
    Term(Option<String>, Comparator, String),
}

fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let (token, length) = match first {
            '(' => (Token::Open, 1),
            ')' => (Token::Close, 1),
            '-' => (Token::Not, 1),
            _ => term(rest)?,
        };
        tokens.push(token);
        rest = rest[length..].trim_start();
    }
    Ok(tokens)
}

/// One word or `field:value`, with quotes around either part of the value.
fn term(text: &str) -> Result<(Token, usize), String> {
    let mut field = None;
    let mut value = String::new();
    let mut quote = None;
    let mut quoted = false;
    let mut length = 0;
    for letter in text.chars() {
        match (quote, letter) {
            (Some(open), _) if letter == open => quote = None,
            (Some(_), _) => value.push(letter),
            (None, '"' | '\'') => (quote, quoted) = (Some(letter), true),
            (None, ':') if field.is_none() && !quoted && is_field(&value) => {
                field = Some(std::mem::take(&mut value))
            }
            (None, '(' | ')') => break,
            (None, _) if letter.is_whitespace() => break,
            (None, _) => value.push(letter),
        }
        length += letter.len_utf8();
    }
    if quote.is_some() {
        return Err("a quote is not closed".to_owned());
    }
    let token = match (field, quoted, value.as_str()) {
        (None, false, "AND") => Token::And,
        (None, false, "OR") => Token::Or,
        (None, false, "NOT") => Token::Not,
        (field, ..) => {
            let (comparator, value) =
                if field.is_some() { compare(&value) } else { (Comparator::Is, value.as_str()) };
            Token::Term(field, comparator, value.to_owned())
        }
    };
    Ok((token, length))
}

fn is_field(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|letter| letter.is_ascii_alphanumeric() || "_.".contains(letter))
}

fn compare(value: &str) -> (Comparator, &str) {
    let comparators = [
        (">=", Comparator::MoreOrSame),
        ("<=", Comparator::LessOrSame),
        (">", Comparator::More),
        ("<", Comparator::Less),
    ];
    let found =
        comparators.into_iter().find_map(|(sign, comparator)| Some((comparator, value.strip_prefix(sign)?)));
    found.unwrap_or((Comparator::Is, value))
}

fn any(tokens: &mut Vec<Token>) -> Result<Query, String> {
    let mut of = vec![all(tokens)?];
    while tokens.last() == Some(&Token::Or) {
        tokens.pop();
        of.push(all(tokens)?);
    }
    Ok(if of.len() == 1 { of.swap_remove(0) } else { Query::Any(of) })
}

fn all(tokens: &mut Vec<Token>) -> Result<Query, String> {
    let mut of = Vec::new();
    loop {
        match tokens.last() {
            None | Some(Token::Close | Token::Or) => break,
            Some(Token::And) => {
                tokens.pop();
            }
            Some(_) => of.push(one(tokens)?),
        }
    }
    Ok(if of.len() == 1 { of.swap_remove(0) } else { Query::All(of) })
}

fn one(tokens: &mut Vec<Token>) -> Result<Query, String> {
    match tokens.pop() {
        Some(Token::Not) => Ok(Query::Not(Box::new(one(tokens)?))),
        Some(Token::Open) => {
            let inner = any(tokens)?;
            match tokens.pop() {
                Some(Token::Close) => Ok(inner),
                _ => Err("a parenthesis is not closed".to_owned()),
            }
        }
        Some(Token::Term(field, comparator, value)) => Ok(Query::Term { field, comparator, value }),
        other => Err(format!("unexpected {other:?}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(name: Option<&str>) -> Found {
        Found::Values(match name {
            Some("updated_at") => vec![Searchable::Time("2026-11-24T10:00:00Z".parse().unwrap())],
            Some("total") => vec![Searchable::Number("12.50".parse().unwrap())],
            Some("status") => vec![Searchable::text("open"), Searchable::text("any")],
            Some("tag") | None => vec![Searchable::text("Wholesale"), Searchable::text("north west")],
            Some(_) => return Found::Unknown,
        })
    }

    #[test]
    fn queries_hold_as_the_documentation_says() {
        let cases = [
            ("", true),
            ("updated_at:>=2026-11-24T10:00:00Z", true),
            ("updated_at:>'2026-11-24T10:00:00Z'", false),
            ("updated_at:<'2026-11-24T10:00:01Z' updated_at:>=2026-11-24", true),
            ("updated_at:>=\"2026-11-24T12:00:00+02:00\"", true),
            ("updated_at:2026-11-24", true),
            ("updated_at:2026-11-23", false),
            ("total:>12 total:<=12.5", true),
            ("status:any", true),
            ("status:closed OR status:open", true),
            ("NOT status:open", false),
            ("-status:closed AND tag:whole*", true),
            ("(status:closed OR tag:'north west') total:12.50", true),
            ("wholesale", true),
            ("retail", false),
            // A field that does not exist is ignored, and with it the restriction.
            ("updatd_at:>2030-01-01", true),
            ("updatd_at:>2030-01-01 status:closed", false),
        ];
        for (text, holds) in cases {
            let query = Query::parse(text).unwrap();
            assert_eq!(query.holds(&order, &TimeZone::UTC), holds, "{text}");
        }
    }

    #[test]
    fn broken_queries_are_refused() {
        for text in ["(status:open", "status:'open", "status:open)", "NOT"] {
            assert!(Query::parse(text).is_err(), "{text}");
        }
    }
}
