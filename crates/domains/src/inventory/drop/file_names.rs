//! How files are called that are dropped for one purpose. Owns the form: a name in which `*` stands for any letters, none too.

/// `full-*.csv`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileNames(String);

impl FileNames {
    /// # Errors
    /// What is wrong with it, for a person.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        if text.trim() != text || text.is_empty() {
            return Err("must be a name without blanks at its ends, as in \"full-*.csv\"");
        }
        if text.contains(['/', '\\']) {
            return Err("must be a name and no path: the files lie where the others are dropped");
        }
        if text.starts_with('.') {
            return Err("must not begin with a point: such a file is left alone as one that is on its way");
        }
        Ok(Self(text.to_owned()))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    #[must_use]
    pub fn fit(&self, name: &str) -> bool {
        let Some((begin, rest)) = self.0.split_once('*') else { return self.0 == name };
        let Some(mut left) = name.strip_prefix(begin) else { return false };
        let mut parts = rest.split('*').peekable();
        while let Some(part) = parts.next() {
            if parts.peek().is_none() {
                return left.ends_with(part);
            }
            match left.find(part) {
                Some(at) => left = &left[at + part.len()..],
                None => return false,
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_letters() {
        for (names, name, fits) in [
            ("full-*.csv", "full-2026-11-27.csv", true),
            ("full-*.csv", "full-.csv", true),
            ("full-*.csv", "full.csv", false),
            ("full-*.csv", "full-1.csv.gz", false),
            ("full-*.csv", "my-full-1.csv", false),
            ("*full*", "a-full-b", true),
            ("*full*.ndjson", "a-full-b.csv", false),
            ("a*b*c", "axxbyyc", true),
            ("a*b*c", "abbc", true),
            ("a*b*c", "acb", false),
            ("ab*ba", "aba", false),
            ("*", "whatever", true),
            ("snapshot.csv", "snapshot.csv", true),
            ("snapshot.csv", "Snapshot.csv", false),
        ] {
            assert_eq!(FileNames::parse(names).unwrap().fit(name), fits, "{names} and {name}");
        }
        for (bad, why) in
            [("", "without blanks"), (" a", "without blanks"), ("in/full", "no path"), (".f*", "a point")]
        {
            assert!(FileNames::parse(bad).unwrap_err().contains(why), "{bad}");
        }
    }
}
