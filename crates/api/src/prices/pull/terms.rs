//! The terms of a source's own lists, within the document that people write. Owns that neither writes over the other: what a source
//! tells stands between two marks, and outside of them nothing is altered.

use config::list_matches;
use connector::prices::ToldList;
use pricing::document::Document;
use serde_json::json;

fn begin(source: &str) -> String {
    format!("# >>> lists of the source {source}, kept by the hub: do not write between these marks")
}

fn end(source: &str) -> String {
    format!("# <<< lists of the source {source}")
}

/// The document with the lists of a source as they are told now; none: it says so already.
pub(super) fn with_lists(
    document: &str,
    source: &str,
    owned: &[String],
    lists: &[ToldList],
) -> Result<Option<String>, String> {
    let people = without(document, source);
    let written: Document = match people.trim_start().starts_with('{') {
        false => toml::from_str(&people).map_err(|error| format!("the terms cannot be read: {error}"))?,
        true => {
            return Err(format!(
                "the terms are written as JSON, which has no place for the lists of {source} beside what people wrote: load \
                 them as TOML"
            ));
        }
    };
    if let Some(list) = written.lists.iter().find(|list| owned.iter().any(|own| list_matches(own, &list.id)))
    {
        return Err(format!(
            "the terms have a list {:?}, written by a person, and prices.sources.{source}.lists says that it is the source's: \
             take it out of the terms, or name other lists there",
            list.id
        ));
    }
    let new = format!("{}\n\n{}\n{}{}\n", people.trim_end(), begin(source), rows(lists), end(source));
    Ok(Some(new.trim_start().to_owned()).filter(|new| new != document))
}

/// What a person loads, with what the sources of the document before it keep there.
///
/// # Errors
/// It says another thing between the marks of a source.
pub(crate) fn carried(before: &str, new: &str, sources: &[&str]) -> Result<String, String> {
    let mut carried = new.to_owned();
    for source in sources {
        let Some(kept) = block(before, source) else { continue };
        match block(&carried, source) {
            Some(same) if same == kept => {}
            Some(_) => {
                return Err(format!(
                    "between the marks of the source {source} stands another thing than it told: leave those lines as they \
                     are, or leave them out, and they stay; what they say is changed where they come from"
                ));
            }
            None if carried.trim_start().starts_with('{') => {
                return Err(format!(
                    "the terms have lists of the source {source}: write them as TOML, so that these stay"
                ));
            }
            None => carried = format!("{}\n\n{kept}\n", carried.trim_end()),
        }
    }
    Ok(carried)
}

fn block<'d>(document: &'d str, source: &str) -> Option<&'d str> {
    let from = document.find(&begin(source))?;
    let end = end(source);
    let until = document[from..].find(&end)? + from + end.len();
    Some(&document[from..until])
}

fn without(document: &str, source: &str) -> String {
    match block(document, source) {
        Some(block) => document.replacen(block, "", 1),
        None => document.to_owned(),
    }
}

fn rows(lists: &[ToldList]) -> String {
    // A text of JSON is one of TOML.
    let text = |text: &str| json!(text).to_string();
    let row = |list: &ToldList| {
        let audience = match &list.companies {
            None => "\"everyone\"".to_owned(),
            Some(companies) => {
                let companies: Vec<String> =
                    companies.iter().map(|one| text(&format!("company:{one}"))).collect();
                format!("[{}]", companies.join(", "))
            }
        };
        let kind = if list.companies.is_some() { "contract" } else { "list" };
        let tax = if list.tax_included { "included" } else { "excluded" };
        format!(
            "# {}\n[[lists]]\nid = {}\nkind = \"{kind}\"\ncurrency = {}\nfor = {audience}\ntax = \"{tax}\"\n\n",
            list.name.replace(|c: char| c.is_control(), " "),
            text(&list.id),
            text(&list.currency),
        )
    };
    lists.iter().map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PEOPLE: &str = "# ours\nzone = \"Europe/Berlin\"\n\n[[lists]]\nid = \"HAND\"\nkind = \"list\"\ncurrency = \"EUR\"\nfor = \"everyone\"\n";

    fn told(id: &str, companies: &[&str]) -> ToldList {
        let companies: Vec<String> = companies.iter().map(|one| (*one).to_owned()).collect();
        ToldList {
            id: id.to_owned(),
            name: "Wholesale\n\"x\"".to_owned(),
            companies: (!companies.is_empty()).then_some(companies),
            currency: "EUR".to_owned(),
            tax_included: true,
        }
    }

    #[test]
    fn what_people_wrote_stays_as_it_is_and_what_a_source_tells_stands_between_its_marks() {
        let owned = ["erp-*".to_owned()];
        let lists = [told("erp-everyone", &[]), told("erp-3", &["ACME", "BO\"LT"])];
        let first = with_lists(PEOPLE, "erp", &owned, &lists).unwrap().unwrap();
        assert!(first.starts_with(PEOPLE.trim_end()), "{first}");
        let read: Document = toml::from_str(&first).unwrap();
        assert_eq!(read.lists.len(), 3);
        assert_eq!(read.lists[2].audience.as_slice(), ["company:ACME", "company:BO\"LT"]);
        pricing::Terms::compile(&read).unwrap();
        assert_eq!(with_lists(&first, "erp", &owned, &lists), Ok(None), "nothing to change");
        let fewer = with_lists(&first, "erp", &owned, &lists[..1]).unwrap().unwrap();
        assert_eq!(toml::from_str::<Document>(&fewer).unwrap().lists.len(), 2);
        let second =
            with_lists(&first, "crm", &["crm-*".to_owned()], &[told("crm-1", &["X"])]).unwrap().unwrap();
        assert_eq!(toml::from_str::<Document>(&second).unwrap().lists.len(), 4, "each has marks of its own");
    }

    #[test]
    fn a_list_that_a_person_wrote_is_not_altered() {
        let refused = with_lists(PEOPLE, "erp", &["HAND".to_owned()], &[]).unwrap_err();
        assert!(refused.contains("\"HAND\"") && refused.contains("take it out"), "{refused}");
        assert!(with_lists("{\"lists\": []}", "erp", &[], &[]).unwrap_err().contains("TOML"));
    }

    #[test]
    fn a_person_who_loads_terms_neither_drops_nor_changes_what_a_source_keeps() {
        let before =
            with_lists(PEOPLE, "erp", &["erp-*".to_owned()], &[told("erp-3", &["ACME"])]).unwrap().unwrap();
        let new = PEOPLE.replace("Berlin", "Vienna");
        let carried_over = carried(&before, &new, &["erp"]).unwrap();
        assert!(carried_over.contains("Vienna") && carried_over.contains("erp-3"), "{carried_over}");
        assert_eq!(carried(&before, &before, &["erp"]), Ok(before.clone()));
        let edited = before.replace("company:ACME", "company:BOLT");
        assert!(carried(&before, &edited, &["erp"]).unwrap_err().contains("another thing"));
        // Of a source that is configured no more.
        assert_eq!(carried(&before, &new, &[]), Ok(new.clone()));
        assert!(carried(&before, "{}", &["erp"]).unwrap_err().contains("TOML"));
    }
}
