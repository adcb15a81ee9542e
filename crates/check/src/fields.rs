//! Fields and their owners: what a path in a mapping is called in the domain's canonical model, and whose it is.
//! Owns the rule by which a field lies within another.

use config::{FieldOwnership, Ownership};
use kernel::id::SystemName;

/// A path without the marks of list items: `lines[].sku`, `lines[*].sku` and `lines.sku` are one field.
pub(crate) fn plain(path: &str) -> String {
    let mut text = String::with_capacity(path.len());
    let mut depth = 0;
    for c in path.chars() {
        match c {
            '[' => depth += 1,
            ']' => depth -= 1,
            c if depth == 0 => text.push(c),
            _ => {}
        }
    }
    text.trim_matches('.').replace("..", ".")
}

/// Whether `field` is `of` or lies below it.
pub(crate) fn within(field: &str, of: &str) -> bool {
    field == of || field.strip_prefix(of).is_some_and(|rest| rest.starts_with('.'))
}

/// The field's name in the canonical model: what a system calls `number` is `erp.number` there, if ownership says so.
pub(crate) fn canonical(ownership: Option<&Ownership>, system: &SystemName, path: &str) -> String {
    let path = plain(path);
    let prefixed = format!("{system}.{path}");
    let known = |path: &str| ownership.is_some_and(|ownership| entry(ownership, path).is_some());
    if !known(&path) && known(&prefixed) { prefixed } else { path }
}

/// The same for a field that is written. Here an entry for the whole system (`erp`) does not count: it says who owns
/// what comes from it, and not each field that others write into it.
pub(crate) fn written(ownership: &Ownership, system: &SystemName, path: &str) -> String {
    let name = canonical(Some(ownership), system, path);
    match entry(ownership, &name) {
        Some((of, _)) if plain(of) == system.as_str() => plain(path),
        _ => name,
    }
}

/// A field as the system itself calls it.
pub(crate) fn local(system: &SystemName, path: &str) -> String {
    let path = plain(path);
    let own = path.strip_prefix(system.as_str()).and_then(|rest| rest.strip_prefix('.')).map(str::to_owned);
    own.unwrap_or(path)
}

/// Fields that name an object rather than say something about it; every flow needs them.
pub(crate) fn is_identity(path: &str) -> bool {
    let path = plain(path);
    let last = path.rsplit('.').next().unwrap_or("");
    matches!(last, "id" | "gid" | "order_id" | "object_key" | "shop")
        || path.split('.').any(|part| part == "external_refs")
}

/// The entry of `fields` in which a field lies; the longest one where several are.
pub(crate) fn entry<'a>(ownership: &'a Ownership, field: &str) -> Option<(&'a str, &'a FieldOwnership)> {
    ownership
        .fields
        .iter()
        .filter(|(of, _)| within(field, &plain(of)))
        .max_by_key(|(of, _)| of.len())
        .map(|(of, owned)| (of.as_str(), owned))
}

/// The one owner of a field; `None` where ownership itself is refused.
pub(crate) fn owner<'a>(ownership: &'a Ownership, field: &str) -> Option<&'a SystemName> {
    let owners = match entry(ownership, field) {
        Some((_, owned)) => &owned.owner.value,
        None => &ownership.system_of_record.value,
    };
    match owners.0.as_slice() {
        [one] => Some(&one.value),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_compared_without_list_marks_and_by_whole_names() {
        assert_eq!(plain("lines[].prices[*].amount"), "lines.prices.amount");
        assert_eq!(plain("lines[0].sku"), "lines.sku");
        for (field, of, expected) in [
            ("erp.number", "erp", true),
            ("erp", "erp", true),
            ("erpx.number", "erp", false),
            ("erp", "erp.number", false),
        ] {
            assert_eq!(within(field, of), expected, "{field} {of}");
        }
        assert!(is_identity("lines[].id") && is_identity("external_refs.erp") && !is_identity("number"));
    }
}
