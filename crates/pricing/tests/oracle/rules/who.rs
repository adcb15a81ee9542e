//! Rules 2 and 3: who asks, and the lists that are asked for him, in their order.

use std::cmp::{Ordering, Reverse};

use super::Rules;
use crate::model::{Cause, For, Kind, List, Moment, Portion, Sources, Valid};
use crate::mutant::Mutant;

/// Who asks, and what belongs to him.
#[derive(Debug)]
pub(super) struct Buyer {
    location: Option<String>,
    company: Option<String>,
    groups: Vec<String>,
}

impl<'a> Rules<'a> {
    /// Rule 2: "**Who.** The location's company and groups are looked up. Nobody at all has no location, company or group."
    pub(super) fn who(&self) -> Buyer {
        let location = self.case.ask.location.clone();
        let known = self.case.locations.iter().find(|known| Some(&known.id) == location.as_ref());
        let (company, groups) =
            known.map_or((None, Vec::new()), |known| (known.company.clone(), known.groups.clone()));
        Buyer { location, company, groups }
    }

    /// Rule 3: "**Candidates.** A list is a candidate if it is for this buyer and in this currency. The contract lists are asked
    /// first, then those of kind `list`, each kind in this order: `company_location` before `company` before `group` before
    /// `everyone`; then the higher `priority`; then the later `valid_from` (none is the earliest); then the id, by its bytes."
    pub(super) fn candidates(&self, buyer: &Buyer, kinds: &[Kind]) -> Vec<&'a List> {
        let mut candidates: Vec<_> = self
            .case
            .lists
            .iter()
            .filter(|list| kinds.contains(&list.kind))
            .filter(|list| self.is_for(&list.whom, buyer))
            .filter(|list| list.currency == self.case.ask.currency || self.is(Mutant::AnyCurrency))
            .collect();
        candidates.sort_by(|one, two| self.goes_first(one, two, buyer));
        candidates
    }

    fn goes_first(&self, one: &List, two: &List, buyer: &Buyer) -> Ordering {
        // The contract lists are asked first.
        let kind = one.kind.cmp(&two.kind);
        let kind = if self.is(Mutant::ListBeforeContract) { kind.reverse() } else { kind };
        // `company_location` before `company` before `group` before `everyone`.
        let whom = self.nearest(&one.whom, buyer).cmp(&self.nearest(&two.whom, buyer));
        // The higher priority.
        let priority = two.priority.cmp(&one.priority);
        let priority = if self.is(Mutant::LowerPriorityFirst) { priority.reverse() } else { priority };
        // The later `valid_from`; none is the earliest.
        let (of_one, of_two) = (self.begins(one.valid), self.begins(two.valid));
        let later = of_two.cmp(&of_one);
        let later = match self.mutant {
            Some(Mutant::EarlierValidFromFirst) => later.reverse(),
            Some(Mutant::NoValidFromIsLatest) => {
                Reverse(of_one.unwrap_or(i64::MAX)).cmp(&Reverse(of_two.unwrap_or(i64::MAX)))
            }
            _ => later,
        };
        // The id, by its bytes.
        let id = one.id.as_bytes().cmp(two.id.as_bytes());
        let id = if self.is(Mutant::LastIdFirst) { id.reverse() } else { id };
        if self.is(Mutant::PriorityBeforeNearness) {
            return kind.then(priority).then(whom).then(later).then(id);
        }
        if self.is(Mutant::NearnessBeforeKind) {
            return whom.then(kind).then(priority).then(later).then(id);
        }
        kind.then(whom).then(priority).then(later).then(id)
    }

    /// "Where several are named, it is for each of them, and the nearest that the buyer is decides."
    pub(super) fn nearest(&self, whom: &[For], buyer: &Buyer) -> Option<u8> {
        let is_his = |one: &&For| belongs(one, buyer) || self.is(Mutant::NearestOfOthers);
        let mut all: Vec<_> = whom.iter().filter(is_his).map(|one| self.nearness(one)).collect();
        all.sort_unstable();
        if self.is(Mutant::FarthestDecides) {
            all.reverse();
        }
        all.first().copied()
    }

    fn nearness(&self, whom: &For) -> u8 {
        match whom {
            For::Location(_) if self.is(Mutant::CompanyBeforeLocation) => 2,
            For::Location(_) => 1,
            For::Company(_) if self.is(Mutant::CompanyBeforeLocation) => 1,
            For::Company(_) if self.is(Mutant::GroupBeforeCompany) => 3,
            For::Company(_) => 2,
            For::Group(_) if self.is(Mutant::GroupBeforeCompany) => 2,
            For::Group(_) => 3,
            For::Everyone => 4,
        }
    }

    /// Rule 3: "The first that *has a price* gives the source. None has one: not priced, `no_price`."
    pub(super) fn first_with_a_price(
        &self,
        candidates: &[&'a List],
    ) -> Result<Option<(&'a List, Vec<Portion>)>, Cause> {
        for list in candidates {
            if let Some(portions) = self.has_a_price(list, 0)? {
                return Ok(Some((list, portions)));
            }
        }
        Ok(None)
    }

    /// "whom it is for: `everyone`, a `company_location`, a `company`, or a `group` of customers. Where several are named, it is
    /// for each of them."
    pub(super) fn is_for(&self, whom: &[For], buyer: &Buyer) -> bool {
        if self.is(Mutant::FirstNamedAlone) {
            return whom.first().is_some_and(|first| belongs(first, buyer));
        }
        whom.iter().any(|one| belongs(one, buyer))
    }

    /// "A date stands for the day in the zone of the document: `valid_from` is its first instant, `valid_until` its last day as a
    /// whole."
    fn instant(&self, moment: Moment, is_last: bool) -> i64 {
        let zone = if self.is(Mutant::DatesInUtc) { 0 } else { self.case.zone };
        match moment {
            Moment::Second(second) => second,
            Moment::Day(day) => {
                let whole = is_last && !self.is(Mutant::LastDateEndsAtItsBeginning);
                (day + i64::from(whole)) * 86_400 - zone * 3600
            }
        }
    }

    pub(super) fn begins(&self, valid: Valid) -> Option<i64> {
        valid.from.map(|from| self.instant(from, false))
    }

    /// "**A validity** is half open: the first instant counts, the last does not."
    pub(super) fn is_valid(&self, valid: Valid) -> bool {
        let now = self.case.ask.instant;
        let begun = match self.begins(valid) {
            Some(from) if self.is(Mutant::FirstInstantDoesNotCount) => from < now,
            Some(from) => from <= now,
            None => true,
        };
        let going = match valid.until.map(|until| self.instant(until, true)) {
            Some(until) if self.is(Mutant::LastInstantCounts) => now <= until,
            Some(until) => now < until,
            None => true,
        };
        begun && going
    }

    /// Whether it combines with this kind of source.
    pub(super) fn combines(&self, sources: Sources, kind: Kind) -> bool {
        let combines = match kind {
            Kind::Contract => sources.contract,
            Kind::List => sources.list,
        };
        combines || self.is(Mutant::CombinesWithAll)
    }
}

fn belongs(whom: &For, buyer: &Buyer) -> bool {
    match whom {
        For::Everyone => true,
        For::Location(id) => buyer.location.as_ref() == Some(id),
        For::Company(id) => buyer.company.as_ref() == Some(id),
        For::Group(id) => buyer.groups.contains(id),
    }
}
