//! Links of the documents to files of the project and to headings. Links to the web are not followed:
//! a check that needs the network is red for reasons of others.

use super::tree::File;
use super::{Finding, Tree};

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.ending(".md") {
        for (line, target) in links(file.text) {
            if let Some(what) = fault(tree, &file, target) {
                findings.push(Finding::new(
                    file.path,
                    line,
                    what,
                    "mend the link, or write what it promises",
                ));
            }
        }
    }
    findings
}

fn fault(tree: &Tree, file: &File<'_>, target: &str) -> Option<String> {
    if ["http://", "https://", "mailto:"].iter().any(|scheme| target.starts_with(scheme)) {
        return None;
    }
    let (path, heading) =
        target.split_once('#').map_or((target, None), |(path, heading)| (path, Some(heading)));
    let full = if path.is_empty() { Some(file.path.to_owned()) } else { resolve(file.path, path) };
    let Some(full) = full.filter(|full| tree.has(full)) else {
        return Some(format!("`{target}` leads nowhere"));
    };
    let heading = heading.filter(|_| full.ends_with(".md"))?;
    let text = tree.text(&full)?;
    let is_there = slugs(text).iter().any(|slug| slug == heading);
    (!is_there).then(|| format!("`{target}`: no such heading"))
}

/// The path from the root for a path from the folder of `from`; nothing if it leaves the project.
fn resolve(from: &str, path: &str) -> Option<String> {
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// Targets of `[…](target)` and `[…]: target`, with their lines, outside of code.
fn links(text: &str) -> Vec<(usize, &str)> {
    let mut links = Vec::new();
    for (number, line) in prose(text) {
        let is_code = |at: usize| line[..at].matches('`').count() % 2 == 1;
        for (at, _) in line.match_indices("](").filter(|(at, _)| !is_code(*at)) {
            let rest = &line[at + 2..];
            let end = rest.find([')', ' ']).unwrap_or(rest.len());
            links.push((number, rest[..end].trim_matches(['<', '>'])));
        }
        if line.starts_with('[')
            && let Some((_, target)) = line.split_once("]: ")
        {
            links.push((number, target.split_whitespace().next().unwrap_or_default()));
        }
    }
    links
}

/// Lines outside of fences, counted from 1.
fn prose(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut fenced = false;
    text.lines().enumerate().filter_map(move |(index, line)| {
        let is_fence = line.trim_start().starts_with("```");
        fenced ^= is_fence;
        (!fenced && !is_fence).then_some((index + 1, line))
    })
}

/// The anchors of the headings, as GitHub makes them.
fn slugs(text: &str) -> Vec<String> {
    let mut slugs: Vec<String> = Vec::new();
    let headings = prose(text).filter(|(_, line)| line.starts_with('#'));
    for (_, heading) in headings {
        let kept = heading.trim_start_matches('#').trim().to_lowercase();
        let slug: String = kept
            .chars()
            .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'))
            .map(|c| if c == ' ' { '-' } else { c })
            .collect();
        let again = slugs.iter().filter(|known| **known == slug).count();
        slugs.push(if again == 0 { slug } else { format!("{slug}-{again}") });
    }
    slugs
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<String> {
        let other = "# Other\n\n## 3. What Tidegate promises\n## `tidegate run`: on one's own\n";
        let tree =
            Tree::of(&[("docs/a.md", text), ("docs/errors/b.md", other), ("README.md", "# Tidegate\n")]);
        check(&tree).iter().map(Finding::to_string).collect()
    }

    #[test]
    fn links_that_resolve() {
        for text in [
            "[b](errors/b.md)",
            "[b](./errors/b.md \"title\") and [folder](errors/) and [up](../README.md)",
            "[p](errors/b.md#3-what-tidegate-promises)",
            "[p](errors/b.md#tidegate-run-on-ones-own)",
            "# Here\n[own](#here)",
            "[web](https://example.com/x) [mail](mailto:a@example.com)",
            "`[no](link.md)` and\n```\n[no](link.md)\n```\n",
            "[b]: errors/b.md",
        ] {
            assert_eq!(found(text), Vec::<String>::new(), "{text}");
        }
    }

    #[test]
    fn planted_faults_are_found() {
        for (text, expected) in [
            ("\n[b](errors/c.md)", "docs/a.md:2: `errors/c.md` leads nowhere"),
            ("[a](../../outside.md)", "docs/a.md:1: `../../outside.md` leads nowhere"),
            ("[b](errors/b.md#nothing)", "docs/a.md:1: `errors/b.md#nothing`: no such heading"),
            ("[own](#nothing)", "docs/a.md:1: `#nothing`: no such heading"),
            ("[b]: errors/c.md", "docs/a.md:1: `errors/c.md` leads nowhere"),
            ("`code` [b](errors/c.md)", "docs/a.md:1: `errors/c.md` leads nowhere"),
        ] {
            let found = found(text);
            assert_eq!(found.len(), 1, "{text}: {found:?}");
            assert!(found[0].starts_with(expected), "{text}: {found:?}");
        }
    }
}
