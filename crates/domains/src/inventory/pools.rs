//! Which locations of a source are one to the shop: `CENTRAL = WH-1 + WH-2`. Owns the text form of these rules, and that no
//! location counts twice. What may be sold of several together is `composed`'s; which of the shop's locations a pool is says the
//! mapping, by the pool's name, as of any other.

use super::rule_text;
use super::rules::RuleFault;
use std::collections::BTreeMap;

/// Locations of a source in one pool: each is read for every change of any of them.
const SOURCES_MAX: usize = 100;

/// All pools of a flow.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pools {
    /// By the pool's name, the source's locations as they were written.
    sources: BTreeMap<String, Vec<String>>,
    /// The pool of each of the source's locations.
    pool_of: BTreeMap<String, String>,
}

impl Pools {
    /// # Errors
    /// Every rule that cannot be read, or says something twice.
    pub fn parse(texts: &[String]) -> Result<Self, Vec<RuleFault>> {
        let mut pools = Self::default();
        let (rules, mut faults) = rule_text::each("locations", texts, pool_of);
        let names: Vec<String> = rules.iter().map(|(_, (name, _))| name.clone()).collect();
        for (index, (name, sources)) in rules {
            if pools.sources.contains_key(&name) {
                faults.at(
                    index,
                    format!("{name:?} is written down already; name all its locations in one rule"),
                );
                continue;
            }
            for source in &sources {
                if names.contains(source) {
                    let what = format!(
                        "{source:?} is the name of a pool; name the source's own locations, and the pool as none of them"
                    );
                    faults.at(index, what);
                } else if let Some(other) = pools.pool_of.insert(source.clone(), name.clone()) {
                    let what = format!(
                        "{source:?} is in {other:?} already, and what lies there would be sold twice; take it out of one"
                    );
                    faults.at(index, what);
                }
            }
            pools.sources.insert(name, sources);
        }
        faults.or(pools)
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.sources.is_empty()
    }

    /// The pool that one of the source's locations is in.
    #[must_use]
    pub fn of(&self, location: &str) -> Option<&str> {
        self.pool_of.get(location).map(String::as_str)
    }

    /// The source's locations in a pool; `None`: it is none.
    #[must_use]
    pub fn sources(&self, pool: &str) -> Option<&[String]> {
        self.sources.get(pool).map(Vec::as_slice)
    }

    /// Each by its name, with the source's locations.
    pub fn all(&self) -> impl Iterator<Item = (&str, &[String])> {
        self.sources.iter().map(|(name, sources)| (name.as_str(), sources.as_slice()))
    }
}

fn pool_of(text: &str) -> Result<(String, Vec<String>), String> {
    const HELP: &str =
        "write its name, and which of the source's locations it has, as in \"CENTRAL = WH-1 + WH-2\"";
    let (name, sources) =
        text.split_once('=').ok_or_else(|| format!("{text:?} says of no location what it has; {HELP}"))?;
    let sources: Vec<String> = sources.split('+').map(|source| source.trim().to_owned()).collect();
    let name = name.trim().to_owned();
    let is_name = |name: &String| rule_text::is_location(name, &['=', '+']);
    if !is_name(&name) || !sources.iter().all(is_name) {
        return Err(format!("{text:?} names a location that can be none; {HELP}"));
    }
    if sources.len() == 1 {
        let what = format!(
            "{name:?} has {:?} alone; let the mapping say which of the shop's locations that is",
            sources[0]
        );
        return Err(what);
    }
    if sources.len() > SOURCES_MAX {
        let what = format!("{name:?} has {} locations, and {SOURCES_MAX} may; make two of it", sources.len());
        return Err(what);
    }
    Ok((name, sources))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(texts: &[&str]) -> Result<Pools, Vec<RuleFault>> {
        Pools::parse(&texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn a_pool_has_what_its_locations_have() {
        let pools = parse(&["CENTRAL = WH-1 + WH 2", " West =A+B + C "]).unwrap();
        assert_eq!(pools.of("WH 2"), Some("CENTRAL"));
        assert_eq!(pools.sources("West").unwrap(), ["A", "B", "C"]);
        assert_eq!((pools.of("CENTRAL"), pools.sources("WH-1")), (None, None));
        assert_eq!(pools.all().count(), 2);
        assert!(Pools::parse(&[]).unwrap().is_empty());
    }

    #[test]
    fn what_counts_a_location_twice_or_says_nothing_is_refused_with_its_place() {
        for (texts, index, expected) in [
            (vec!["CENTRAL"], 0, "says of no location"),
            (vec!["CENTRAL = "], 0, "can be none"),
            (vec![" = A + B"], 0, "can be none"),
            (vec!["X = A + + B"], 0, "can be none"),
            (vec!["X = A = B + C"], 0, "can be none"),
            (vec!["X = A"], 0, "has \"A\" alone"),
            (vec!["X = A + B + A"], 0, "\"A\" is in \"X\" already"),
            (vec!["X = A + B", "Y = C + B"], 1, "\"B\" is in \"X\" already"),
            (vec!["X = A + B", "X = C + D"], 1, "is written down already"),
            (vec!["X = A + B", "Y = X + C"], 1, "\"X\" is the name of a pool"),
            (vec!["X = X + B"], 0, "\"X\" is the name of a pool"),
        ] {
            let faults = parse(&texts).unwrap_err();
            let fault = faults.first().unwrap();
            assert_eq!((fault.list, fault.index), ("locations", index), "{texts:?}");
            assert!(fault.message.contains(expected), "{fault}");
        }
        let many: Vec<String> = (0..=SOURCES_MAX).map(|at| format!("L{at}")).collect();
        assert!(parse(&[&format!("X = {}", many.join(" + "))]).unwrap_err()[0].message.contains("100 may"));
    }
}
