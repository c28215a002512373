//! Whose request it is, by its network address. Addresses are compared and counted in memory, and neither stored nor logged.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;
use std::sync::Arc;

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap, HeaderName};
use ipnet::IpNet;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Proxies in front that are believed whom they ask for; cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Proxies(Arc<[IpNet]>);

impl FromStr for Proxies {
    type Err = String;

    /// Addresses and networks, separated by commas.
    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text
            .split(',')
            .map(str::trim)
            .filter(|part| !part.is_empty());
        let networks = parts.map(|part| {
            let one = part.parse::<IpAddr>().map(IpNet::from);
            one.or_else(|_| part.parse()).map_err(|_| {
                format!("{part:?} is neither an address nor a network like 10.0.0.0/8")
            })
        });
        Ok(Self(networks.collect::<Result<_, _>>()?))
    }
}

impl Proxies {
    /// Whether an address is one of them.
    pub(super) fn hold(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }

    /// Who asks: the last in the chain of those who forwarded that is no proxy of ours. What stands before was written by
    /// whoever is not believed.
    pub(super) fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut client = peer.to_canonical();
        if !self.hold(client) {
            return client;
        }
        for value in headers.get_all(FORWARDED_FOR).iter().rev() {
            for hop in value.as_bytes().rsplit(|byte| *byte == b',') {
                let hop = str::from_utf8(hop.trim_ascii()).unwrap_or_default();
                let Ok(hop) = hop.parse::<IpAddr>() else {
                    return client;
                };
                client = hop.to_canonical();
                if !self.hold(client) {
                    return client;
                }
            }
        }
        client
    }
}

/// Who asks, as far as the network tells; only for comparing and counting.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ClientAddress(pub(super) IpAddr);

impl ClientAddress {
    /// What one line of one customer has: the address, or the first half of a longer one.
    pub fn network(self) -> IpAddr {
        network_of(self.0)
    }

    /// Whether the request comes from this machine, and not through a proxy.
    pub fn is_local(self) -> bool {
        self.0.is_loopback()
    }
}

impl<S: Sync> FromRequestParts<S> for ClientAddress {
    type Rejection = Infallible;

    /// Where no connection tells it, all are one.
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let known = parts.extensions.get::<Self>().copied();
        Ok(known.unwrap_or(Self(Ipv4Addr::UNSPECIFIED.into())))
    }
}

impl std::fmt::Debug for ClientAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ClientAddress(***)")
    }
}

/// Who asks, from what the connection and the headers tell.
pub(super) fn client_of(
    proxies: &Proxies,
    headers: &HeaderMap,
    extensions: &Extensions,
) -> Option<ClientAddress> {
    let ConnectInfo(peer) = extensions.get::<ConnectInfo<SocketAddr>>()?;
    Some(ClientAddress(proxies.client(peer.ip(), headers)))
}

/// An address, or the 64 bits of an IPv6 one that a customer is given as a whole.
pub(super) fn network_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(long) => {
            let [a, b, c, d, ..] = long.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        short @ IpAddr::V4(_) => short,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(proxies: &str, peer: &str, forwarded: &[&str]) -> String {
        let proxies: Proxies = proxies.parse().unwrap();
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append(FORWARDED_FOR, value.parse().unwrap());
        }
        proxies.client(peer.parse().unwrap(), &headers).to_string()
    }

    #[test]
    fn only_proxies_of_ours_are_believed() {
        let spoofed = ["203.0.113.7"];
        assert_eq!(client("", "192.0.2.1", &spoofed), "192.0.2.1");
        assert_eq!(client("10.0.0.1", "192.0.2.1", &spoofed), "192.0.2.1");
        assert_eq!(client("10.0.0.0/8", "10.9.9.9", &spoofed), "203.0.113.7");
        assert_eq!(client("10.0.0.0/8", "10.9.9.9", &[]), "10.9.9.9");
    }

    #[test]
    fn the_chain_is_read_from_its_end() {
        let ours = "10.0.0.0/8, 192.0.2.5";
        for (chain, asks) in [
            (&["198.51.100.1, 203.0.113.7"][..], "203.0.113.7"),
            (
                &["198.51.100.1, 203.0.113.7, 192.0.2.5, 10.1.1.1"],
                "203.0.113.7",
            ),
            (&["198.51.100.1", "203.0.113.7", "192.0.2.5"], "203.0.113.7"),
            (&["198.51.100.1, nonsense, 192.0.2.5"], "192.0.2.5"),
            (&["nonsense"], "10.1.1.1"),
            (&["::ffff:203.0.113.7"], "203.0.113.7"),
        ] {
            assert_eq!(client(ours, "10.1.1.1", chain), asks, "{chain:?}");
        }
    }

    #[test]
    fn a_customer_s_long_addresses_are_one_network() {
        let network = |text: &str| network_of(text.parse().unwrap()).to_string();
        assert_eq!(network("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
        assert_eq!(network("203.0.113.7"), "203.0.113.7");
        assert_eq!(network("::ffff:203.0.113.7"), "203.0.113.7");
    }

    #[test]
    fn an_address_is_not_shown() {
        let address = ClientAddress("203.0.113.7".parse().unwrap());
        assert_eq!(format!("{address:?}"), "ClientAddress(***)");
    }

    #[test]
    fn what_is_no_address_is_no_proxy() {
        assert!("10.0.0.0/99".parse::<Proxies>().is_err());
        assert!("proxy.example.org".parse::<Proxies>().is_err());
    }
}
