//! `cart.lines.discounts.generate.run`: each line that Shopify would charge more for is lowered to the total that resolution says,
//! to the minor unit. It cannot raise one. What [`crate::cart_transform`] set already it finds as it is to be, and leaves.

use crate::decided::{Decided, decide, read};
use kernel::money::{exact_mul, exact_sub};
use pricing::carried::json::quote;
use rust_decimal::Decimal;

/// # Errors
/// Why it had rather change nothing, for the log of the shop's owner.
pub fn run(input: &str) -> Result<String, String> {
    let input = read(input)?;
    let classes = input.get("discount").get("discountClasses").rows();
    let mut candidates = String::new();
    if classes.iter().any(|class| class.text() == Some("PRODUCT")) {
        for (id, off) in decide(&input)?.iter().filter_map(off) {
            candidates.push_str(if candidates.is_empty() { "" } else { "," });
            candidates.push_str(r#"{"targets":[{"cartLine":{"id":"#);
            quote(id, &mut candidates);
            candidates.push_str(r#"}}],"value":{"fixedAmount":{"amount":"#);
            quote(&off.to_string(), &mut candidates);
            candidates.push_str("}}}");
        }
    }
    if candidates.is_empty() {
        return Ok(r#"{"operations":[]}"#.to_owned());
    }
    let begin = r#"{"operations":[{"productDiscountsAdd":{"selectionStrategy":"ALL","candidates":["#;
    crate::bounded([begin, &candidates, "]}}]}"].concat())
}

/// How much too much Shopify would charge for the line as a whole.
fn off<'i>(decided: &Decided<'i>) -> Option<(&'i str, Decimal)> {
    let charged = exact_mul(decided.charged, decided.quantity).ok()?;
    let off = exact_sub(charged, decided.total).ok()?.normalize();
    (off > Decimal::ZERO).then_some((decided.id, off))
}
