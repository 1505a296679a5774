//! Where a request comes from: the other end of its connection, or whom a trusted proxy names. What must not live here:
//! what follows from that.

use super::Web;
use axum::{
    extract::{ConnectInfo, FromRequestParts, Request},
    http::{HeaderMap, request::Parts},
};
use ipnet::IpNet;
use std::{
    convert::Infallible,
    net::{IpAddr, SocketAddr},
};

/// The address of whoever asks. Nothing when the server did not tell, which only happens without one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Address(pub Option<IpAddr>);

impl Address {
    /// As [`note`] found it.
    pub fn of(extensions: &axum::http::Extensions) -> Self {
        extensions.get().copied().unwrap_or(Self(None))
    }
}

impl FromRequestParts<Web> for Address {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &Web) -> Result<Self, Infallible> {
        Ok(Self::of(&parts.extensions))
    }
}

/// The networks of proxies that are believed.
pub type Trusted = Vec<IpNet>;

/// Notes the address once, for all who want to know.
pub fn note(trusted: &Trusted, request: &mut Request) {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
    let address = Address(peer.map(|peer| find(peer, request.headers(), trusted)));
    request.extensions_mut().insert(address);
}

/// Of `X-Forwarded-For`, each proxy appends who came to it: so it is read from its end, and believed as long as those who
/// wrote it are trusted. An entry that is no address ends it.
fn find(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let lines: Vec<&str> = headers.get_all("x-forwarded-for").iter().filter_map(|line| line.to_str().ok()).collect();
    let mut address = peer.to_canonical();
    for entry in lines.iter().flat_map(|line| line.split(',')).rev() {
        let believed = trusted.iter().any(|network| network.contains(&address));
        let Some(named) = bare(entry.trim()).filter(|_| believed) else { break };
        address = named.to_canonical();
    }
    address
}

/// With or without a port, as proxies write it.
fn bare(entry: &str) -> Option<IpAddr> {
    let in_brackets = || entry.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    entry.parse().ok().or_else(|| entry.parse::<SocketAddr>().ok().map(|a| a.ip())).or_else(in_brackets)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn s15_only_trusted_proxies_are_believed() {
        let trusted: Vec<IpNet> = vec!["10.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()];
        for (peer, lines, address) in [
            ("203.0.113.9", &["198.51.100.1"][..], "203.0.113.9"),
            ("10.0.0.1", &[], "10.0.0.1"),
            ("10.0.0.1", &["198.51.100.1"], "198.51.100.1"),
            // what the guest wrote himself stands before what the proxy appended
            ("10.0.0.1", &["127.0.0.1, 198.51.100.1"], "198.51.100.1"),
            ("10.0.0.1", &["127.0.0.1", "198.51.100.1"], "198.51.100.1"),
            ("10.0.0.1", &["198.51.100.1, 10.2.3.4"], "198.51.100.1"),
            ("10.0.0.1", &["203.0.113.5, garbage"], "10.0.0.1"),
            ("10.0.0.1", &["203.0.113.5, garbage, 10.9.9.9"], "10.9.9.9"),
            ("::ffff:10.0.0.1", &["198.51.100.1:4711"], "198.51.100.1"),
            ("::1", &["[2001:db8::1]"], "2001:db8::1"),
            ("::1", &["[2001:db8::1]:80"], "2001:db8::1"),
        ] {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append("x-forwarded-for", HeaderValue::from_static(line));
            }
            assert_eq!(find(peer.parse().unwrap(), &headers, &trusted).to_string(), address, "{peer} {lines:?}");
        }
    }
}
