//! The nearest known name to a misspelt one, for the help of an error.

/// The candidate with the smallest edit distance, if it is near enough to be what was meant.
pub(crate) fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    const LENGTH_MAX: usize = 64;
    if word.chars().count() > LENGTH_MAX {
        return None;
    }
    let reach = (word.chars().count() / 3).max(1) + 1;
    candidates
        .into_iter()
        .filter(|candidate| candidate.len() <= 2 * LENGTH_MAX)
        .map(|candidate| (distance(&word.to_lowercase(), &candidate.to_lowercase()), candidate))
        .filter(|(distance, candidate)| *distance <= reach && *distance < candidate.chars().count().max(2))
        .min_by_key(|(distance, candidate)| (*distance, candidate.len()))
        .map(|(_, candidate)| candidate)
}

/// Help of the form "did you mean `x`?", or the list of what there is.
pub(crate) fn suggest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str> + Clone) -> String {
    const LIST_MAX: usize = 24;
    if let Some(near) = nearest(word, candidates.clone()) {
        return format!("did you mean `{near}`?");
    }
    let known: Vec<&str> = candidates.into_iter().collect();
    match known.len() {
        0 => String::new(),
        count if count <= LIST_MAX => format!("known here: {}", known.join(", ")),
        count => format!("known here: {}, and {} more", known[..LIST_MAX].join(", "), count - LIST_MAX),
    }
}

/// Optimal string alignment distance: insert, delete, replace, and swap of neighbours cost one each.
fn distance(a: &str, b: &str) -> usize {
    let a: Vec<char> = a.chars().collect();
    let b: Vec<char> = b.chars().collect();
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, &ca) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, &cb) in b.iter().enumerate() {
            let replace = last[j] + usize::from(ca != cb);
            let mut best = replace.min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && ca == b[j - 1] && a[i - 1] == cb {
                best = best.min(before[j - 1] + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn misspelt_names_find_their_neighbour() {
        let known = ["currency", "customer", "lines", "line_total", "po_number"];
        for (word, expected) in [
            ("curency", Some("currency")),
            ("ponumber", Some("po_number")),
            ("Lines", Some("lines")),
            ("cusotmer", Some("customer")),
            ("weather", None),
            ("", None),
        ] {
            assert_eq!(nearest(word, known), expected, "{word}");
        }
    }

    #[test]
    fn a_swap_costs_one() {
        assert_eq!(distance("ab", "ba"), 1);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("kitten", "sitting"), 3);
    }
}
