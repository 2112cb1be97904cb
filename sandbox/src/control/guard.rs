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
