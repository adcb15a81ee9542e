//! Whether Shopify forwarded a request of a storefront: the signature over its query, and its age. Owns what is signed (every
//! parameter but the signature, and nothing of the body) and refuses a query that could be read in two ways.
//!
//! <https://shopify.dev/docs/apps/build/online-store/app-proxies/authenticate-app-proxies>

use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use kernel::key::hex;
use secrecy::{ExposeSecret as _, SecretString};
use sha2::Sha256;
use std::collections::BTreeMap;
use subtle::ConstantTimeEq as _;

/// A request that is older was kept by somebody. Shopify answers a storefront long before.
const AGE_MAX_S: i64 = 90;
/// As much may our clock be behind Shopify's.
const AHEAD_MAX_S: i64 = 30;

/// What Shopify itself says of a request.
const OF_SHOPIFY: [&str; 5] = ["logged_in_customer_id", "path_prefix", "shop", "signature", "timestamp"];

/// A query, taken apart: each name with its values in their order.
#[derive(Debug)]
pub(super) struct Signed {
    parameters: BTreeMap<String, Vec<String>>,
}

impl Signed {
    /// None: it cannot be Shopify's.
    pub(super) fn read(pairs: Vec<(String, String)>) -> Option<Self> {
        let mut parameters: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (name, value) in pairs {
            parameters.entry(name).or_default().push(value);
        }
        let signed = Self { parameters };
        let once = |name: &str| signed.parameters.get(name).is_some_and(|values| values.len() == 1);
        OF_SHOPIFY.iter().all(|name| once(name)).then_some(signed)
    }

    fn one(&self, name: &str) -> &str {
        self.parameters.get(name).and_then(|values| values.first()).map_or("", String::as_str)
    }

    /// The shop's own address, `….myshopify.com`: who signed, if the signature is right.
    pub(super) fn shop(&self) -> &str {
        self.one("shop")
    }

    /// Whoever is logged in at the storefront.
    pub(super) fn customer(&self) -> Option<u64> {
        self.one("logged_in_customer_id").parse().ok()
    }

    /// Nobody is logged in, and Shopify says so; else there is a customer.
    pub(super) fn is_customer_readable(&self) -> bool {
        self.one("logged_in_customer_id").is_empty() || self.customer().is_some()
    }

    /// What the storefront itself asks, beside what Shopify adds.
    pub(super) fn asked(&self) -> impl Iterator<Item = (&str, &str)> {
        let own = self.parameters.iter().filter(|(name, _)| !OF_SHOPIFY.contains(&name.as_str()));
        own.flat_map(|(name, values)| values.iter().map(move |value| (name.as_str(), value.as_str())))
    }

    /// With one of the app's secrets, and not long ago. All secrets are tried, in constant time.
    pub(super) fn is_right(&self, secrets: &[SecretString], now: Timestamp) -> bool {
        let told = self.signed_text();
        let given = self.one("signature").as_bytes();
        let mut right = false;
        for secret in secrets.iter().filter(|secret| !secret.expose_secret().is_empty()) {
            let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.expose_secret().as_bytes()) else {
                continue;
            };
            mac.update(told.as_bytes());
            right |= bool::from(hex(&mac.finalize().into_bytes()).as_bytes().ct_eq(given));
        }
        right & self.is_fresh(now)
    }

    /// Sorted by the whole of it, as Shopify does: `line2=…` before `line=…`.
    fn signed_text(&self) -> String {
        let signed = self.parameters.iter().filter(|(name, _)| name.as_str() != "signature");
        let mut told: Vec<String> =
            signed.map(|(name, values)| format!("{name}={}", values.join(","))).collect();
        told.sort_unstable();
        told.concat()
    }

    fn is_fresh(&self, now: Timestamp) -> bool {
        let Ok(signed_s) = self.one("timestamp").parse::<i64>() else { return false };
        let age_s = now.as_second().saturating_sub(signed_s);
        (-AHEAD_MAX_S..=AGE_MAX_S).contains(&age_s)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of Shopify's page, with the two signatures that stand there.
    fn example() -> Vec<(String, String)> {
        [
            ("extra", "1"),
            ("extra", "2"),
            ("shop", "shop-name.myshopify.com"),
            ("logged_in_customer_id", "1"),
            ("path_prefix", "/apps/awesome_reviews"),
            ("timestamp", "1317327555"),
            ("signature", "4c68c8624d737112c91818c11017d24d334b524cb5c2b8ba08daa056f7395ddb"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec()
    }

    const OF_NOBODY: &str = "e072b6d7e6622d85912a5214b860d3100dc1e73d9bc29f43796ac8c9ff8093cb";

    fn hush() -> Vec<SecretString> {
        vec![SecretString::from("another"), SecretString::from("hush")]
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_317_327_555 + second).unwrap()
    }

    fn is_right(pairs: Vec<(String, String)>, second: i64) -> bool {
        Signed::read(pairs).is_some_and(|signed| signed.is_right(&hush(), at(second)))
    }

    #[test]
    fn what_shopify_signed_is_believed_for_a_minute_and_a_half() {
        assert!(is_right(example(), 0));
        assert!(is_right(example(), 90));
        assert!(!is_right(example(), 91));
        assert!(is_right(example(), -30));
        assert!(!is_right(example(), -31));
    }

    #[test]
    fn the_second_example_is_of_nobody() {
        let mut pairs = example();
        pairs[3].1.clear();
        pairs[6].1 = OF_NOBODY.to_owned();
        assert!(is_right(pairs, 0));
    }

    #[test]
    fn names_are_sorted_with_their_values() {
        let pairs = |names: [&str; 2]| names.map(|name| (name.to_owned(), "1".to_owned()));
        let read =
            |names| Signed { parameters: pairs(names).into_iter().map(|(n, v)| (n, vec![v])).collect() };
        assert_eq!(read(["line", "line2"]).signed_text(), "line2=1line=1");
    }

    #[test]
    fn nothing_of_it_can_be_changed_left_out_or_added() {
        for index in 0..example().len() {
            let mut changed = example();
            changed[index].1.push('1');
            assert!(!is_right(changed, 0), "changed: {}", example()[index].0);
            let mut without = example();
            without.remove(index);
            assert!(!is_right(without, 0), "left out: {}", example()[index].0);
            let mut twice = example();
            twice.push(twice[index].clone());
            assert!(!is_right(twice, 0), "twice: {}", example()[index].0);
        }
        let mut added = example();
        added.push(("company_location".to_owned(), "gid://shopify/CompanyLocation/9".to_owned()));
        assert!(!is_right(added, 0));
    }

    #[test]
    fn an_app_without_a_secret_believes_nobody() {
        let signed = Signed::read(example()).unwrap();
        assert!(!signed.is_right(&[], at(0)));
        assert!(!signed.is_right(&[SecretString::from("")], at(0)));
    }

    #[test]
    fn nobody_logged_in_is_told_apart_from_what_cannot_be_read() {
        let with = |customer: &str| {
            let mut pairs = example();
            pairs[3].1 = customer.to_owned();
            let signed = Signed::read(pairs).unwrap();
            (signed.customer(), signed.is_customer_readable())
        };
        assert_eq!(with("7"), (Some(7), true));
        assert_eq!(with(""), (None, true));
        assert_eq!(with("7 or 8"), (None, false));
    }
}
