//! A list of rules as it is written. Owns that each that cannot be read is told with its place, all of them at once, and what a rule may
//! name as a location; what a rule says is its list's.

use super::level::NAME_CHARS_MAX;
use super::rules::RuleFault;

/// What is wrong with the rules of one list.
pub(super) struct Faults {
    list: &'static str,
    all: Vec<RuleFault>,
}

impl Faults {
    pub(super) fn at(&mut self, index: usize, message: String) {
        self.all.push(RuleFault { list: self.list, index, message });
    }

    /// Those of another list as well.
    pub(super) fn and(mut self, other: Self) -> Self {
        self.all.extend(other.all);
        self
    }

    /// `read`, where nothing is wrong.
    pub(super) fn or<T>(self, read: T) -> Result<T, Vec<RuleFault>> {
        if self.all.is_empty() { Ok(read) } else { Err(self.all) }
    }
}

/// Those that can be read, each with its place.
pub(super) fn each<T>(
    list: &'static str,
    texts: &[String],
    mut read: impl FnMut(&str) -> Result<T, String>,
) -> (Vec<(usize, T)>, Faults) {
    let (mut rules, mut faults) = (Vec::new(), Faults { list, all: Vec::new() });
    for (index, text) in texts.iter().enumerate() {
        match read(text) {
            Ok(rule) => rules.push((index, rule)),
            Err(message) => faults.at(index, message),
        }
    }
    (rules, faults)
}

/// As a source may call one, without the marks of a rule.
pub(super) fn is_location(name: &str, marks: &[char]) -> bool {
    !name.is_empty()
        && name.chars().count() <= NAME_CHARS_MAX
        && !name.contains(|c: char| c.is_control() || marks.contains(&c))
}
