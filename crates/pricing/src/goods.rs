//! Which SKUs something is for. Owns a set that is written as SKUs and beginnings of SKUs; refuses properties of products, which
//! the read model does not have.

use crate::sku::Sku;
use std::collections::BTreeSet;

/// SKUs by name, by their beginning (`PUMP-*`), or all (`*`).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Goods {
    skus: BTreeSet<Sku>,
    /// In the one spelling of a SKU. An empty one is the beginning of all.
    beginnings: Vec<Box<str>>,
}

impl Goods {
    /// What is wrong is said for a person, with the place of the text in the list.
    ///
    /// # Errors
    /// A text that no SKU begins with, and a `*` that is not at the end.
    pub fn parse<T: AsRef<str>>(texts: &[T]) -> Result<Self, (usize, String)> {
        let mut goods = Self::default();
        for (index, text) in texts.iter().enumerate() {
            let text = text.as_ref().trim();
            let (text, is_beginning) =
                text.strip_suffix('*').map_or((text, false), |beginning| (beginning, true));
            if text.contains('*') {
                return Err((
                    index,
                    format!("'{text}' has a * that is not at its end: write SKUs, or how they begin: PUMP-*"),
                ));
            }
            if is_beginning && text.is_empty() {
                goods.beginnings.push("".into());
                continue;
            }
            let sku = Sku::parse(text).map_err(|fault| (index, fault.to_string()))?;
            if is_beginning {
                goods.beginnings.push(sku.as_str().into());
            } else {
                goods.skus.insert(sku);
            }
        }
        Ok(goods)
    }

    /// What of it matters to these SKUs, which are in their one spelling, as a document writes it.
    pub(crate) fn among(&self, skus: &[&str]) -> Vec<String> {
        let begins = |beginning: &str| skus.iter().any(|sku| sku.starts_with(beginning));
        let beginnings = self.beginnings.iter().filter(|beginning| begins(beginning));
        let named = skus.iter().filter(|sku| self.skus.contains(**sku));
        beginnings.map(|beginning| format!("{beginning}*")).chain(named.map(ToString::to_string)).collect()
    }

    /// `sku` in its one spelling.
    #[must_use]
    pub fn has(&self, sku: &str) -> bool {
        self.beginnings.iter().any(|beginning| sku.starts_with(&**beginning)) || self.skus.contains(sku)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn goods_are_named_begun_or_all() {
        let goods = Goods::parse(&["pump-*", " Seal-1 "]).unwrap();
        assert!(goods.has("PUMP-12") && goods.has("SEAL-1"));
        assert!(!goods.has("SEAL-12") && !goods.has("APUMP-1"));
        assert!(Goods::parse(&["*"]).unwrap().has("ANY"));
        assert!(!Goods::parse::<&str>(&[]).unwrap().has("ANY"));
        assert_eq!(Goods::parse(&["A", "B*C"]).unwrap_err().0, 1);
        assert_eq!(Goods::parse(&["A", " "]).unwrap_err().0, 1);
    }
}
