//! `cart.transform.run`: each line gets the unit price that resolution says. Owns which lines it can say exactly: those whose units
//! all cost the same, in whole minor units. Others it leaves to [`crate::discounts`].

use crate::decided::{decide, read};
use pricing::carried::json::quote;

/// # Errors
/// Why it had rather change nothing, for the log of the shop's owner.
pub fn run(input: &str) -> Result<String, String> {
    let input = read(input)?;
    let mut answer = String::from(r#"{"operations":["#);
    let mut comma = "";
    for decided in decide(&input)? {
        let Some(each) = decided.each.filter(|each| *each != decided.charged) else { continue };
        answer.push_str(comma);
        answer.push_str(r#"{"lineUpdate":{"cartLineId":"#);
        quote(decided.id, &mut answer);
        answer.push_str(r#","price":{"adjustment":{"fixedPricePerUnit":{"amount":"#);
        quote(&each.to_string(), &mut answer);
        answer.push_str("}}}}}");
        comma = ",";
    }
    answer.push_str("]}");
    crate::bounded(answer)
}
