//! Whom a list, a surcharge or a promotion is for. Owns the four kinds of audience, how near each is to a buyer, and what a
//! buyer is. Refuses to judge whether somebody may speak for a buyer: that is the caller's door.

use serde::Serialize;
use std::fmt;

/// One of those for whom something is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Audience {
    CompanyLocation(Box<str>),
    Company(Box<str>),
    Group(Box<str>),
    Everyone,
}

/// How near something is to a buyer: the nearer goes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Nearness {
    CompanyLocation,
    Company,
    Group,
    Everyone,
}

/// A company location with its company and its groups; or nobody.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Buyer {
    pub company_location: Option<Box<str>>,
    pub company: Option<Box<str>>,
    /// In rising order, each once.
    pub groups: Vec<Box<str>>,
}

impl Audience {
    /// `everyone`, `company_location:ID`, `company:ID`, `group:ID`. What is wrong is said for a person.
    ///
    /// # Errors
    /// Any other text.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text == "everyone" {
            return Ok(Self::Everyone);
        }
        match text.split_once(':') {
            Some(("company_location", id)) if !id.trim().is_empty() => {
                Ok(Self::CompanyLocation(id.trim().into()))
            }
            Some(("company", id)) if !id.trim().is_empty() => Ok(Self::Company(id.trim().into())),
            Some(("group", id)) if !id.trim().is_empty() => Ok(Self::Group(id.trim().into())),
            _ => Err(format!(
                "'{text}' is nobody: write everyone, company_location:ID, company:ID or group:ID"
            )),
        }
    }

    /// None: it is not for this buyer.
    #[must_use]
    pub fn nearness(&self, buyer: &Buyer) -> Option<Nearness> {
        match self {
            Self::Everyone => Some(Nearness::Everyone),
            Self::CompanyLocation(id) => {
                (buyer.company_location.as_ref() == Some(id)).then_some(Nearness::CompanyLocation)
            }
            Self::Company(id) => (buyer.company.as_ref() == Some(id)).then_some(Nearness::Company),
            Self::Group(id) => buyer.groups.contains(id).then_some(Nearness::Group),
        }
    }
}

/// The nearest of several. None: it is for none of them.
#[must_use]
pub fn nearest(audiences: &[Audience], buyer: &Buyer) -> Option<Nearness> {
    audiences.iter().filter_map(|audience| audience.nearness(buyer)).min()
}

impl fmt::Display for Audience {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Everyone => f.write_str("everyone"),
            Self::CompanyLocation(id) => write!(f, "company_location:{id}"),
            Self::Company(id) => write!(f, "company:{id}"),
            Self::Group(id) => write!(f, "group:{id}"),
        }
    }
}

impl fmt::Display for Nearness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::CompanyLocation => "for this company location",
            Self::Company => "for the company",
            Self::Group => "for a group of customers",
            Self::Everyone => "for everyone",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_audience_counts() {
        let buyer = Buyer {
            company_location: Some("L".into()),
            company: Some("C".into()),
            groups: vec!["dealers".into(), "gold".into()],
        };
        let of = |texts: &[&str]| {
            let audiences: Vec<_> = texts.iter().map(|text| Audience::parse(text).unwrap()).collect();
            (nearest(&audiences, &buyer), nearest(&audiences, &Buyer::default()))
        };
        assert_eq!(of(&["everyone", "company:C"]), (Some(Nearness::Company), Some(Nearness::Everyone)));
        assert_eq!(of(&["group:gold", "company_location:L"]), (Some(Nearness::CompanyLocation), None));
        assert_eq!(of(&["company:D", "group:silver"]), (None, None));
        assert_eq!(of(&["company:L"]), (None, None));
    }

    #[test]
    fn an_audience_reads_as_it_is_written() {
        for text in
            ["everyone", "company_location:gid://shopify/CompanyLocation/1", "company:ACME", "group:gold"]
        {
            assert_eq!(Audience::parse(text).unwrap().to_string(), text);
        }
        for text in ["all", "company:", "company: ", "location:1", ""] {
            assert!(Audience::parse(text).is_err(), "{text}");
        }
    }
}
