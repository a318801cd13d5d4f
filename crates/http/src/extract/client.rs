//! Who sends a request.

use std::future::{Ready, ready};
use std::net::{IpAddr, Ipv4Addr};

use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::http::header::HeaderMap;
use actix_web::{FromRequest, HttpMessage, HttpRequest, web};
use ipnet::IpNet;
use portcullis_domain::ports::Cancellation;
use portcullis_domain::{Client, SourceAddress, UserAgent};

use crate::Api;

/// The client of a request, as an argument of a handler.
pub(crate) struct Sender(pub(crate) Client);

impl FromRequest for Sender {
    type Error = actix_web::Error;
    type Future = Ready<Result<Self, Self::Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let user_agent = request
            .headers()
            .get(header::USER_AGENT)
            .map(|value| UserAgent::new(&String::from_utf8_lossy(value.as_bytes())));
        ready(Ok(Self(Client { source: source_of(request), user_agent })))
    }
}

/// Whether the client has hung up, as an argument of a handler.
pub(crate) struct HangUp(pub(crate) Cancellation);

impl FromRequest for HangUp {
    type Error = actix_web::Error;
    type Future = Ready<Result<Self, Self::Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        // Where nobody watches, nobody hangs up.
        ready(Ok(Self(request.extensions().get().cloned().unwrap_or_default())))
    }
}

/// The address of the client: the socket's peer, or what trusted proxies say.
pub(crate) fn source_of(request: &HttpRequest) -> SourceAddress {
    let peer = request.peer_addr().map_or(Ipv4Addr::UNSPECIFIED.into(), |peer| peer.ip());
    let trusted =
        request.app_data::<web::Data<Api>>().map_or(&[][..], |api| &api.settings.trusted_proxies);
    SourceAddress::new(client_address(peer.to_canonical(), request.headers(), trusted))
}

/// Walks `X-Forwarded-For` from the right, over proxies that are trusted, to
/// the first address that is not: what stands left of it anybody may have
/// written (contract §6). Something that is no address ends the walk.
pub(crate) fn client_address(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let is_trusted = |address: &IpAddr| trusted.iter().any(|network| network.contains(address));
    if !is_trusted(&peer) {
        return peer;
    }
    let lines: Vec<_> = headers.get_all(header::X_FORWARDED_FOR).collect();
    let hops = lines.iter().rev().flat_map(|line| line.as_bytes().rsplit(|byte| *byte == b','));
    let mut address = peer;
    for hop in hops {
        if !is_trusted(&address) {
            break;
        }
        let text = std::str::from_utf8(hop).ok().map(str::trim);
        let Some(hop) = text.and_then(|text| text.parse::<IpAddr>().ok()) else { break };
        address = hop.to_canonical();
    }
    address
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::{HeaderName, HeaderValue};

    fn client(peer: &str, lines: &[&str]) -> String {
        let trusted = ["10.0.0.0/8".parse().unwrap(), "2001:db8::/32".parse().unwrap()];
        let mut headers = HeaderMap::new();
        for line in lines {
            let name = HeaderName::from_static("x-forwarded-for");
            headers.append(name, HeaderValue::from_bytes(line.as_bytes()).unwrap());
        }
        client_address(peer.parse().unwrap(), &headers, &trusted).to_string()
    }

    #[test]
    fn a_stranger_is_not_believed() {
        assert_eq!(client("192.0.2.1", &["198.51.100.1"]), "192.0.2.1");
    }

    #[test]
    fn the_right_most_stranger_is_the_client() {
        assert_eq!(client("10.0.0.1", &["198.51.100.1"]), "198.51.100.1");
        assert_eq!(client("10.0.0.1", &["1.1.1.1, 198.51.100.1, 10.0.0.2"]), "198.51.100.1");
        assert_eq!(client("10.0.0.1", &["1.1.1.1", "198.51.100.1,10.0.0.2"]), "198.51.100.1");
        assert_eq!(client("2001:db8::1", &["::ffff:198.51.100.1"]), "198.51.100.1");
    }

    #[test]
    fn what_is_no_address_ends_the_walk() {
        for odd in ["", "a", "unknown", "127.0.0.1%lo", "1.2.3.4:80", "\u{80}\u{ff}"] {
            assert_eq!(client("10.0.0.1", &[odd]), "10.0.0.1", "{odd}");
            assert_eq!(client("10.0.0.1", &[&format!("{odd}, 10.0.0.9")]), "10.0.0.9", "{odd}");
        }
        assert_eq!(client("10.0.0.1", &[]), "10.0.0.1");
    }
}
