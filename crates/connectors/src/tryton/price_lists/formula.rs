//! The formula of a price list's line, as Tryton computes it: numbers, `unit_price`, `list_price`, `cost_price`, `+ - * /`, a sign and
//! parentheses, in exact decimals, and last rounded to the digits of prices, half to even (`round_price`). Refuses all else that
//! Tryton would take for Python: what is not computed here as there is a wrong price.

use rust_decimal::{Decimal, RoundingStrategy};
use std::fmt;
use std::str::FromStr as _;

/// What a formula may name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Name {
    Unit,
    List,
    Cost,
}

/// A product's values for a list; `None` makes every result that needs it none, as Tryton's null does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Values {
    pub(super) unit_price: Option<Decimal>,
    pub(super) list_price: Option<Decimal>,
    pub(super) cost_price: Option<Decimal>,
}

impl Values {
    fn of(&self, name: Name) -> Option<Decimal> {
        match name {
            Name::Unit => self.unit_price,
            Name::List => self.list_price,
            Name::Cost => self.cost_price,
        }
    }
}

/// Read once, computed for each product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Formula(Node);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Node {
    Number(Decimal),
    Name(Name),
    Minus(Box<Node>),
    Two(Sign, Box<Node>, Box<Node>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sign {
    Plus,
    Minus,
    Times,
    Over,
}

/// Why it is not computed here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Refused {
    /// What stands there, from which character on.
    Unknown {
        what: String,
        at: usize,
    },
    Deep,
    OverZero,
    TooLarge,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown { what, at } => write!(
                f,
                "{what} at character {at} is not computed here: numbers, unit_price, list_price, cost_price, + - * / and \
                 parentheses are"
            ),
            Self::Deep => f.write_str("it is nested deeper than forty levels"),
            Self::OverZero => f.write_str("it divides by zero"),
            Self::TooLarge => f.write_str("its result has more digits than a price"),
        }
    }
}

const DEPTH_MAX: usize = 40;

impl Formula {
    pub(super) fn parse(text: &str) -> Result<Self, Refused> {
        let mut reader = Reader { text, at: 0, depth: 0 };
        let node = reader.sum()?;
        match reader.peek() {
            None => Ok(Self(node)),
            Some(_) => Err(reader.unknown()),
        }
    }

    pub(super) fn names(&self, name: Name) -> bool {
        fn within(node: &Node, name: Name) -> bool {
            match node {
                Node::Number(_) => false,
                Node::Name(is) => *is == name,
                Node::Minus(of) => within(of, name),
                Node::Two(_, one, other) => within(one, name) || within(other, name),
            }
        }
        within(&self.0, name)
    }

    /// Rounded to so many digits; `None`: it has no price.
    pub(super) fn compute(&self, values: &Values, digits: u32) -> Result<Option<Decimal>, Refused> {
        let Some(exact) = computed(&self.0, values)? else { return Ok(None) };
        Ok(Some(exact.round_dp_with_strategy(digits, RoundingStrategy::MidpointNearestEven)))
    }
}

fn computed(node: &Node, values: &Values) -> Result<Option<Decimal>, Refused> {
    Ok(match node {
        Node::Number(number) => Some(*number),
        Node::Name(name) => values.of(*name),
        Node::Minus(of) => computed(of, values)?.map(|number| -number),
        Node::Two(sign, one, other) => {
            let (Some(one), Some(other)) = (computed(one, values)?, computed(other, values)?) else {
                return Ok(None);
            };
            let result = match sign {
                Sign::Plus => one.checked_add(other),
                Sign::Minus => one.checked_sub(other),
                Sign::Times => one.checked_mul(other),
                Sign::Over if other.is_zero() => return Err(Refused::OverZero),
                Sign::Over => one.checked_div(other),
            };
            Some(result.ok_or(Refused::TooLarge)?)
        }
    })
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
    depth: usize,
}

impl Reader<'_> {
    fn rest(&mut self) -> &str {
        let rest = &self.text[self.at..];
        let trimmed = rest.trim_start();
        self.at += rest.len() - trimmed.len();
        &self.text[self.at..]
    }

    fn peek(&mut self) -> Option<char> {
        self.rest().chars().next()
    }

    fn takes(&mut self, sign: char) -> bool {
        let rest = self.rest();
        // `**` and `//` are others.
        let doubled = rest.chars().nth(1) == Some(sign) && matches!(sign, '*' | '/');
        let takes = rest.starts_with(sign) && !doubled;
        if takes {
            self.at += sign.len_utf8();
        }
        takes
    }

    fn unknown(&mut self) -> Refused {
        let rest = self.rest();
        let word: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').take(40).collect();
        let what = if word.is_empty() { rest.chars().take(2).collect() } else { word };
        let what = if what.is_empty() { "the end".to_owned() } else { format!("{:?}", what.trim()) };
        Refused::Unknown { what, at: self.text[..self.at].chars().count() + 1 }
    }

    fn sum(&mut self) -> Result<Node, Refused> {
        let mut node = self.product()?;
        loop {
            let sign = match () {
                () if self.takes('+') => Sign::Plus,
                () if self.takes('-') => Sign::Minus,
                () => return Ok(node),
            };
            node = Node::Two(sign, Box::new(node), Box::new(self.product()?));
        }
    }

    fn product(&mut self) -> Result<Node, Refused> {
        let mut node = self.factor()?;
        loop {
            let sign = match () {
                () if self.takes('*') => Sign::Times,
                () if self.takes('/') => Sign::Over,
                () => return Ok(node),
            };
            node = Node::Two(sign, Box::new(node), Box::new(self.factor()?));
        }
    }

    fn factor(&mut self) -> Result<Node, Refused> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(Refused::Deep);
        }
        let node = if self.takes('-') {
            Node::Minus(Box::new(self.factor()?))
        } else if self.takes('+') {
            self.factor()?
        } else if self.takes('(') {
            let node = self.sum()?;
            if !self.takes(')') {
                return Err(self.unknown());
            }
            node
        } else {
            self.atom()?
        };
        self.depth -= 1;
        Ok(node)
    }

    fn atom(&mut self) -> Result<Node, Refused> {
        let rest = self.rest();
        let is_number = rest.starts_with(|c: char| c.is_ascii_digit() || c == '.');
        let word: String = rest
            .chars()
            .take_while(|c| {
                if is_number {
                    c.is_ascii_alphanumeric() || *c == '.'
                } else {
                    c.is_alphanumeric() || *c == '_'
                }
            })
            .collect();
        let node = match word.as_str() {
            "unit_price" => Some(Node::Name(Name::Unit)),
            "list_price" => Some(Node::Name(Name::List)),
            "cost_price" => Some(Node::Name(Name::Cost)),
            number if is_number && number.chars().all(|c| c.is_ascii_digit() || c == '.') => {
                Decimal::from_str(number).ok().map(Node::Number)
            }
            _ => None,
        };
        let Some(node) = node else { return Err(self.unknown()) };
        self.at += word.len();
        Ok(node)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    fn computed(text: &str) -> Option<String> {
        let values =
            Values { unit_price: Some(number("19.95")), list_price: Some(number("20")), cost_price: None };
        Formula::parse(text).unwrap().compute(&values, 4).unwrap().map(|price| price.normalize().to_string())
    }

    #[test]
    fn what_price_lists_say_is_computed_exactly_and_rounded_half_to_even() {
        for (text, price) in [
            ("unit_price", Some("19.95")),
            ("unit_price * 0.9", Some("17.955")),
            ("list_price * 1.05 + 2", Some("23")),
            ("(unit_price - 1) / 3", Some("6.3167")),
            ("-(-4.25)", Some("4.25")),
            ("2 + 3 * 4 - 1", Some("13")),
            ("8 / 4 / 2", Some("1")),
            ("+9.1234", Some("9.1234")),
            (".5*list_price", Some("10")),
            ("0.00005", Some("0")),
            ("0.00015", Some("0.0002")),
            ("0.00025", Some("0.0002")),
            ("0.0002500001", Some("0.0003")),
            ("cost_price * 1.2", None),
            ("unit_price + 0 * cost_price", None),
        ] {
            assert_eq!(computed(text).as_deref(), price, "{text}");
        }
    }

    #[test]
    fn what_is_not_computed_here_is_named_with_its_place() {
        for (text, what, at) in [
            ("round(unit_price, 2)", "\"round\"", 1),
            ("unit_price ** 2", "\"**\"", 12),
            ("unit_price // 2", "\"//\"", 12),
            ("unit_price if list_price else 1", "\"if\"", 12),
            ("unit_price * ", "the end", 14),
            ("(unit_price", "the end", 12),
            ("unit_price)", "\")\"", 11),
            ("1e3", "\"1e3\"", 1),
            ("1,5", "\",5\"", 2),
            ("unit_prices", "\"unit_prices\"", 1),
            ("Decimal('1')", "\"Decimal\"", 1),
            ("1.2.3", "\"1\"", 1),
            ("", "the end", 1),
        ] {
            let refused = Formula::parse(text).unwrap_err();
            assert_eq!(refused, Refused::Unknown { what: what.to_owned(), at }, "{text}");
        }
        assert_eq!(Formula::parse(&"(".repeat(100)), Err(Refused::Deep));
        let over = Formula::parse("1 / (2 - 2)").unwrap();
        assert_eq!(over.compute(&Values::default(), 4), Err(Refused::OverZero));
    }
}
