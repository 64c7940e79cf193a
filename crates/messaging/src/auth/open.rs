//! Where `auth_mode=open` is answered: on the machine itself only. One variable must not make every
//! caller of a deployed app a service.
//!
//! The client's address alone would let in whatever a reverse proxy on the same machine passes on,
//! and pages of other sites whose name was made to resolve to this machine (DNS rebinding). So the
//! address that the client called has to be one of the machine's own too.

use std::net::{IpAddr, SocketAddr};

use http::uri::Authority;
use platform::http::Request;

use crate::{Error, Result};

/// 403 unless the request comes from this machine and calls it by a loopback address.
pub fn must_be_local(request: &Request) -> Result<()> {
    let client = request.host_header("spin-client-addr");
    let authority = request.authority();
    let is_local = client.is_some_and(is_loopback_address)
        && authority.as_deref().is_some_and(is_loopback_authority)
        && request.headers().all("forwarded").next().is_none()
        && request
            .headers()
            .all("x-forwarded-for")
            .all(|clients| clients.is_some_and(are_loopback_addresses));
    if is_local {
        return Ok(());
    }
    Err(Error::Forbidden(
        "auth_mode is open, which is for local development: only requests from this machine to \
         localhost or another loopback address are answered. Set auth_mode to jwt.",
    ))
}

/// An address, with or without a port.
fn is_loopback_address(text: &str) -> bool {
    let with_port = text.parse().map(|address: SocketAddr| address.ip());
    let address: Result<IpAddr, _> = with_port.or_else(|_| text.parse());
    address.is_ok_and(|address| address.to_canonical().is_loopback())
}

/// What proxies put into `X-Forwarded-For`.
fn are_loopback_addresses(list: &str) -> bool {
    list.split(',').map(str::trim).all(is_loopback_address)
}

/// `host` or `host:port`.
pub(super) fn is_loopback_authority(text: &str) -> bool {
    let Ok(authority) = text.parse::<Authority>() else {
        return false;
    };
    let host = authority.host();
    let address = host.trim_start_matches('[').trim_end_matches(']');
    !text.contains('@') && (host.eq_ignore_ascii_case("localhost") || is_loopback_address(address))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn loopback_addresses_are_local_and_others_are_not() {
        for text in [
            "127.0.0.1",
            "127.9.9.9:80",
            "::1",
            "[::1]:3000",
            "[::ffff:127.0.0.1]:1",
        ] {
            assert!(is_loopback_address(text), "{text}");
        }
        for text in [
            "",
            "10.0.0.1:4000",
            "0.0.0.0:1",
            "[2001:db8::1]:1",
            "localhost",
            "1270.0.0.1",
        ] {
            assert!(!is_loopback_address(text), "{text}");
        }
    }

    #[test]
    fn an_authority_is_local_by_its_whole_host() {
        for text in [
            "localhost",
            "LOCALHOST:3001",
            "127.0.0.1:3001",
            "127.1.2.3",
            "[::1]:3001",
            "[::1]",
        ] {
            assert!(is_loopback_authority(text), "{text}");
        }
        for text in [
            "",
            "x",
            "localhost.example",
            "127.0.0.1.example:80",
            "chat.example",
            "a@localhost",
            "localhost@evil.example",
            "0.0.0.0",
            "[::]",
        ] {
            assert!(!is_loopback_authority(text), "{text}");
        }
    }

    #[test]
    fn every_client_that_a_proxy_names_has_to_be_local() {
        assert!(are_loopback_addresses("127.0.0.1"));
        assert!(are_loopback_addresses("::1, 127.0.0.1"));
        for list in ["", "10.0.0.1", "127.0.0.1, 10.0.0.1", "unknown"] {
            assert!(!are_loopback_addresses(list), "{list}");
        }
    }

    proptest! {
        #[test]
        fn no_other_ipv4_address_is_local(address: std::net::Ipv4Addr, port: u16) {
            let local = address.octets()[0] == 127;
            prop_assert_eq!(is_loopback_address(&format!("{address}:{port}")), local);
            prop_assert_eq!(is_loopback_authority(&format!("{address}:{port}")), local);
        }

        #[test]
        fn any_text_is_judged(text in "\\PC*") {
            let _ = (is_loopback_address(&text), is_loopback_authority(&text), are_loopback_addresses(&text));
        }
    }
}
