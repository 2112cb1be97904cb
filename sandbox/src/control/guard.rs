//! Who may steer: programs on this machine, no page in a browser.

use std::net::IpAddr;

use axum::http::HeaderMap;

use crate::refusal::Refusal;

/// A page in a browser must not steer the sandbox, neither across origins nor through a rebound name. Where it is open
/// to other machines, any address will do for a host; a rebound name is none.
pub(super) fn check(headers: &HeaderMap, open: bool) -> Result<(), Refusal> {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("?").to_owned());
    let host = text("host").unwrap_or_default();
    let origin = text("origin");
    let origin_host = origin.as_deref().map(|origin| origin.split_once("://").map_or(origin, |(_, host)| host));
    let may = |host: &str| is_local(host) || (open && is_address(host));
    if may(&host) && origin_host.is_none_or(may) {
        return Ok(());
    }
    Err(Refusal::new(403, "Control requests must come from this machine."))
}

fn is_local(host: &str) -> bool {
    matches!(without_port(host), "127.0.0.1" | "localhost" | "[::1]")
}

fn is_address(host: &str) -> bool {
    without_port(host).trim_matches(['[', ']']).parse::<IpAddr>().is_ok()
}

fn without_port(host: &str) -> &str {
    let port = |port: &str| port.bytes().all(|b| b.is_ascii_digit());
    host.rsplit_once(':').filter(|(_, digits)| port(digits)).map_or(host, |(name, _)| name)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]
    use super::*;

    fn may(host: &str, origin: Option<&str>, open: bool) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert("host", host.parse().unwrap());
        origin.into_iter().for_each(|origin| drop(headers.insert("origin", origin.parse().unwrap())));
        check(&headers, open).is_ok()
    }

    #[test]
    fn only_this_machine_steers() {
        for host in ["127.0.0.1", "127.0.0.1:8787", "localhost:1", "[::1]:8787", "[::1]"] {
            assert!(may(host, None, false), "{host}");
            assert!(may("localhost", Some(&format!("http://{host}")), false), "{host}");
        }
        for host in [
            "",
            "example.com",
            "localhost.example.com",
            "127.0.0.1.example.com",
            "127.0.0.1:80@example.com",
            "192.0.2.1:8787",
            "null",
        ] {
            assert!(!may(host, None, false), "{host}");
            assert!(!may("localhost", Some(host), false), "{host}");
        }
        assert!(check(&HeaderMap::new(), false).is_err());
    }

    #[test]
    fn an_open_sandbox_is_steered_by_address_and_by_no_name() {
        assert!(may("192.0.2.1:8787", Some("http://192.0.2.1:8787"), true) && may("[2001:db8::1]", None, true));
        assert!(!may("example.com", None, true) && !may("192.0.2.1", Some("https://example.com"), true));
    }
}
