//! Which addresses a call may go to. Owns the guard against being led to the inside of a network (SSRF): the judge of
//! one address, and a resolver that hands on only what the judge lets through. Refuses private, link-local and
//! metadata addresses unless the configuration itself names such an address or says `allow_private`.

use reqwest::Url;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// What the configuration of one system lets through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Guard {
    allow_private: bool,
    allow_loopback: bool,
}

/// A host that must not be called.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{host} leads to {address}, which is {what}; {advice}")]
pub(super) struct Forbidden {
    host: String,
    address: IpAddr,
    what: &'static str,
    advice: &'static str,
}

impl Guard {
    /// `base` is the configured URL: a literal address in it, or `localhost`, is meant.
    pub(super) fn new(base: &Url, allow_private: bool) -> Result<Self, Forbidden> {
        let host = host(base);
        let Ok(address) = host.parse::<IpAddr>() else {
            let local = host == "localhost" || host.ends_with(".localhost");
            return Ok(Self { allow_private, allow_loopback: allow_private || local });
        };
        let own = Self { allow_private: true, allow_loopback: true };
        own.judge(&host, address)?;
        Ok(own)
    }

    /// An address that somebody else wrote: judged as one that a name leads to. A name is judged when it is resolved.
    pub(super) fn judge_literal(self, url: &Url) -> Result<(), Forbidden> {
        let host = host(url);
        host.parse().map_or(Ok(()), |address| self.judge(&host, address))
    }

    fn judge(self, host: &str, address: IpAddr) -> Result<(), Forbidden> {
        let refused = |what, advice| Err(Forbidden { host: host.to_owned(), address, what, advice });
        match place(address) {
            Place::Public => Ok(()),
            Place::Never(what) => refused(what, "no system is there"),
            Place::Loopback if self.allow_loopback => Ok(()),
            Place::Loopback => refused("this machine itself", ADVICE),
            Place::Inside(_) if self.allow_private => Ok(()),
            Place::Inside(what) => refused(what, ADVICE),
        }
    }
}

const ADVICE: &str = "if that is meant, set allow_private = true in the system's connection";

/// The host without the brackets of IPv6.
pub(super) fn host(url: &Url) -> String {
    url.host_str().unwrap_or_default().trim_start_matches('[').trim_end_matches(']').to_owned()
}

enum Place {
    Public,
    Loopback,
    Inside(&'static str),
    Never(&'static str),
}

fn place(address: IpAddr) -> Place {
    match address {
        IpAddr::V4(v4) => place_v4(v4),
        IpAddr::V6(v6) => embedded(v6).map_or_else(|| place_v6(v6), place_v4),
    }
}

fn place_v4(v4: Ipv4Addr) -> Place {
    let [a, b, ..] = v4.octets();
    match v4.octets() {
        // The metadata services of AWS, Azure, Google Cloud, Oracle and of Alibaba.
        [169, 254, 169, 254] | [169, 254, 170, 2] | [100, 100, 100, 200] => {
            Place::Never("a cloud's metadata service")
        }
        _ if v4.is_loopback() => Place::Loopback,
        _ if v4.is_private() => Place::Inside("a private address"),
        _ if v4.is_link_local() => Place::Inside("a link-local address"),
        _ if a == 100 && (64..128).contains(&b) => Place::Inside("a carrier's shared address"),
        _ if a == 198 && (18..20).contains(&b) => Place::Inside("a benchmarking address"),
        _ if a == 0 => Place::Never("no address of a machine"),
        _ if v4.is_multicast() || a >= 240 => Place::Never("a multicast or reserved address"),
        _ => Place::Public,
    }
}

fn place_v6(v6: Ipv6Addr) -> Place {
    match v6 {
        _ if v6 == Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254) => {
            Place::Never("a cloud's metadata service")
        }
        _ if v6.is_loopback() => Place::Loopback,
        _ if v6.is_unspecified() => Place::Never("no address of a machine"),
        _ if v6.is_multicast() => Place::Never("a multicast address"),
        _ if v6.is_unique_local() => Place::Inside("a private address"),
        _ if v6.is_unicast_link_local() => Place::Inside("a link-local address"),
        _ => Place::Public,
    }
}

/// The IPv4 address that an IPv6 address leads to: mapped (RFC 4291), NAT64 (RFC 6052), 6to4 (RFC 3056).
fn embedded(v6: Ipv6Addr) -> Option<Ipv4Addr> {
    let pair = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        Ipv4Addr::new(a, b, c, d)
    };
    match v6.segments() {
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => Some(pair(high, low)),
        [0x2002, high, low, ..] => Some(pair(high, low)),
        _ => None,
    }
}

/// Resolves names by the operating system, and hands on no address that the guard refuses.
#[derive(Debug)]
pub(super) struct GuardedResolver(pub(super) Guard);

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let guard = self.0;
        Box::pin(async move {
            let host = name.as_str().to_owned();
            let found: Vec<SocketAddr> = tokio::net::lookup_host((host.as_str(), 0)).await?.collect();
            let addresses = permitted(guard, &host, &found)?;
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

/// The addresses that may be called; an error where there were some and none may be. One forbidden address among
/// permitted ones is passed over, so that a second answer of the name server cannot be the way in.
fn permitted(guard: Guard, host: &str, found: &[SocketAddr]) -> Result<Vec<SocketAddr>, Forbidden> {
    let mut refused = None;
    let mut addresses = Vec::with_capacity(found.len());
    for address in found {
        match guard.judge(host, address.ip()) {
            Ok(()) => addresses.push(*address),
            Err(why) => refused = Some(why),
        }
    }
    match refused {
        Some(why) if addresses.is_empty() => Err(why),
        _ => Ok(addresses),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guard(base: &str, allow_private: bool) -> Result<Guard, Forbidden> {
        Guard::new(&Url::parse(base).unwrap(), allow_private)
    }

    /// Base URL, `allow_private`, address that its name leads to, whether the call may be made.
    #[test]
    fn a_name_is_not_a_way_in() {
        let table = [
            ("https://erp.example", false, "93.184.216.34", true),
            ("https://erp.example", false, "2606:2800:220:1::1", true),
            ("https://erp.example", false, "127.0.0.1", false),
            ("https://erp.example", false, "10.1.2.3", false),
            ("https://erp.example", false, "172.16.0.1", false),
            ("https://erp.example", false, "192.168.1.1", false),
            ("https://erp.example", false, "100.64.0.1", false),
            ("https://erp.example", false, "169.254.1.1", false),
            ("https://erp.example", false, "0.0.0.0", false),
            ("https://erp.example", false, "255.255.255.255", false),
            ("https://erp.example", false, "::1", false),
            ("https://erp.example", false, "fd12::1", false),
            ("https://erp.example", false, "fe80::1", false),
            ("https://erp.example", false, "::ffff:10.0.0.1", false),
            ("https://erp.example", false, "64:ff9b::a00:1", false),
            ("https://erp.example", false, "2002:0a00:0001::1", false),
            ("https://erp.example", true, "10.1.2.3", true),
            ("https://erp.example", true, "127.0.0.1", true),
            ("https://erp.example", true, "169.254.169.254", false),
            ("https://erp.example", true, "fd00:ec2::254", false),
            ("https://erp.example", true, "::ffff:169.254.169.254", false),
            ("http://localhost:8000", false, "127.0.0.1", true),
            ("http://localhost:8000", false, "::1", true),
            ("http://localhost:8000", false, "10.0.0.1", false),
        ];
        for (base, allow_private, address, may) in table {
            let judged = guard(base, allow_private).unwrap().judge("host", address.parse().unwrap());
            assert_eq!(judged.is_ok(), may, "{base} {allow_private} {address}: {judged:?}");
        }
    }

    #[test]
    fn a_configured_address_is_meant_unless_no_system_can_be_there() {
        for meant in ["http://127.0.0.1:8000", "http://10.0.0.5", "http://[fd12::1]", "http://0x7f.1"] {
            assert!(guard(meant, false).is_ok(), "{meant}");
        }
        for never in ["http://169.254.169.254", "http://[::ffff:169.254.169.254]", "http://0.0.0.0"] {
            assert!(guard(never, true).is_err(), "{never}");
        }
    }

    #[test]
    fn of_several_addresses_only_the_permitted_are_called() {
        let guard = guard("https://erp.example", false).unwrap();
        let public: SocketAddr = "93.184.216.34:0".parse().unwrap();
        let inside: SocketAddr = "10.0.0.1:0".parse().unwrap();
        assert_eq!(permitted(guard, "erp.example", &[inside, public]).unwrap(), [public]);
        let refused = permitted(guard, "erp.example", &[inside]).unwrap_err().to_string();
        assert_eq!(
            refused,
            "erp.example leads to 10.0.0.1, which is a private address; if that is meant, set \
             allow_private = true in the system's connection"
        );
        assert_eq!(permitted(guard, "erp.example", &[]).unwrap(), []);
    }
}
