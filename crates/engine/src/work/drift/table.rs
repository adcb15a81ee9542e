//! The pairs of reports as CSV, with one head. Owns the columns, which stay as they are: other people's sheets read them.

use super::Report;

const HEAD: &str =
    "flow,shop,sku,location,should_have,has,cause,why,spelt,changed_at,elsewhere,elsewhere_has\n";

/// A line for each pair.
pub fn csv<'a>(reports: impl IntoIterator<Item = &'a Report>) -> String {
    let mut out = HEAD.to_owned();
    for report in reports {
        for one in &report.differences {
            let number = |number: Option<i64>| number.map(|number| number.to_string()).unwrap_or_default();
            let text = |text: &Option<String>| text.clone().unwrap_or_default();
            let fields = [
                report.checked.flow.clone(),
                report.checked.shop.clone(),
                one.sku.clone(),
                one.location.clone(),
                number(one.wanted),
                number(one.has),
                one.cause.clone(),
                text(&one.why),
                text(&one.spelt),
                one.changed_at.map(|at| at.to_string()).unwrap_or_default(),
                text(&one.elsewhere),
                number(one.elsewhere_has),
            ];
            out.push_str(&fields.map(quoted).join(","));
            out.push('\n');
        }
    }
    out
}

fn quoted(text: String) -> String {
    if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}
