//! A quantity as a spreadsheet writes it. Owns the decimal comma of files that are delimited by a semicolon: where a number
//! could be read in two ways it is refused.

use std::borrow::Cow;

/// The quantity with a point, as a level writes it.
pub(super) fn with_point(text: &str) -> Result<Cow<'_, str>, String> {
    let shown = || text.chars().take(40).collect::<String>();
    match (text.split_once(','), text.split_once('.')) {
        (None, None) => Ok(Cow::Borrowed(text)),
        (Some(_), Some(_)) => {
            Err(format!("{:?} has a comma and a point; write it without signs between thousands", shown()))
        }
        (Some((whole, decimals)), None) => Ok(Cow::Owned(format!("{whole}.{decimals}"))),
        (None, Some((whole, decimals))) if decimals.len() == 3 => Err(format!(
            "{:?} may be {whole}{decimals} or {whole} and a fraction; in a file delimited by ; write {whole}{decimals} or \
             {whole},{decimals}",
            shown()
        )),
        (None, Some(_)) => Ok(Cow::Borrowed(text)),
    }
}
