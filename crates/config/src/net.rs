//! Addresses, networks and URLs as values. Owns their spelling; resolves no name and opens nothing.

use crate::reader::Reading;
use crate::tree::Node;
use crate::value::{Value, last_segment, refuse, text};
use std::net::{IpAddr, SocketAddr};

impl Value for SocketAddr {
    const KIND: &'static str = "address";
    fn read(node: &Node, key: &str, reading: &mut Reading) -> Option<Self> {
        let help = "write an IP address and a port, as in \"127.0.0.1:8080\" or \"[::1]:8080\"";
        let written = text(node, key, reading, "an address", help)?;
        match written.parse() {
            Ok(address) => Some(address),
            Err(_) => {
                let message = format!("{} takes an address and port, not {written:?}", last_segment(key));
                refuse(node, key, reading, message, help)
            }
        }
    }
}

/// An `http` or `https` URL, without user, password, query or fragment, and without a slash at its end.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(transparent)]
pub struct BaseUrl(String);

impl BaseUrl {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn is_https(&self) -> bool {
        self.0.starts_with("https://")
    }

    /// Host and port as written.
    pub fn authority(&self) -> &str {
        let rest = self.0.split_once("://").map_or("", |(_, rest)| rest);
        rest.split('/').next().unwrap_or("")
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"))?;
        let host = rest.split('/').next()?;
        let plain =
            |c: char| !c.is_whitespace() && !c.is_control() && !matches!(c, '@' | '?' | '#' | '\\' | '"');
        (!host.is_empty() && rest.chars().all(plain)).then(|| Self(text.trim_end_matches('/').to_owned()))
    }
}

impl Value for BaseUrl {
    const KIND: &'static str = "URL";
    fn read(node: &Node, key: &str, reading: &mut Reading) -> Option<Self> {
        let help = "write http:// or https:// and a host, without user, query or fragment";
        let written = text(node, key, reading, "a URL", help)?;
        match BaseUrl::parse(&written) {
            Some(url) => Some(url),
            None => {
                let message = format!("{} takes a URL, not {written:?}", last_segment(key));
                refuse(node, key, reading, message, help)
            }
        }
    }
}

/// A network that may speak for others: an address and how many of its bits count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(into = "String")]
pub struct Network {
    pub address: IpAddr,
    pub bits: u8,
}

impl Network {
    fn parse(text: &str) -> Option<Self> {
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address.parse::<IpAddr>().ok()?, Some(bits.parse::<u8>().ok()?)),
            None => (text.parse().ok()?, None),
        };
        let longest = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.unwrap_or(longest);
        (bits <= longest).then_some(Self { address, bits })
    }

    /// Whether an address lies in it; an IPv4 address inside IPv6 counts as IPv4.
    pub fn contains(&self, address: IpAddr) -> bool {
        let bits_equal = |one: &[u8], other: &[u8]| {
            let (whole, rest) = (usize::from(self.bits / 8), self.bits % 8);
            one[..whole] == other[..whole] && (rest == 0 || (one[whole] ^ other[whole]) >> (8 - rest) == 0)
        };
        match (self.address.to_canonical(), address.to_canonical()) {
            (IpAddr::V4(own), IpAddr::V4(other)) if self.address.is_ipv4() => {
                bits_equal(&own.octets(), &other.octets())
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => bits_equal(&own.octets(), &other.octets()),
            _ => false,
        }
    }
}

impl From<Network> for String {
    fn from(network: Network) -> Self {
        format!("{}/{}", network.address, network.bits)
    }
}

impl Value for Network {
    const KIND: &'static str = "network";
    fn read(node: &Node, key: &str, reading: &mut Reading) -> Option<Self> {
        let help = "write an address, or a network as in \"10.0.0.0/8\"";
        let written = text(node, key, reading, "a network", help)?;
        match Network::parse(&written) {
            Some(network) => Some(network),
            None => {
                let message = format!("{} takes a network, not {written:?}", last_segment(key));
                refuse(node, key, reading, message, help)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_hold_their_addresses_and_no_others() {
        for (network, address, expected) in [
            ("127.0.0.1/32", "127.0.0.1", true),
            ("127.0.0.1", "127.0.0.2", false),
            ("10.0.0.0/8", "10.200.3.4", true),
            ("10.0.0.0/9", "10.200.3.4", false),
            ("0.0.0.0/0", "1.2.3.4", true),
            ("10.0.0.0/8", "::ffff:10.1.1.1", true),
            ("fd00::/8", "fdaa::1", true),
            ("fd00::/8", "10.0.0.1", false),
        ] {
            let network = Network::parse(network).unwrap();
            assert_eq!(network.contains(address.parse().unwrap()), expected, "{network:?} {address}");
        }
        for bad in ["", "10.0.0.0/33", "host", "10.0.0.0/x", "::/129"] {
            assert_eq!(Network::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn urls_hold_no_secrets_and_no_queries() {
        assert_eq!(BaseUrl::parse("https://hub.example.com/").unwrap().as_str(), "https://hub.example.com");
        assert_eq!(BaseUrl::parse("http://127.0.0.1:9001").unwrap().authority(), "127.0.0.1:9001");
        for bad in [
            "hub.example.com",
            "ftp://x",
            "https://",
            "https://a b",
            "https://u@h",
            "https://h?x",
            "https://h#x",
        ] {
            assert_eq!(BaseUrl::parse(bad), None, "{bad}");
        }
    }
}
