//! Who may steer: programs on this machine, no page in a browser.

use axum::http::HeaderMap;

use crate::refusal::Refusal;

/// A page in a browser must not steer the sandbox, neither across origins nor through a rebound name.
pub(super) fn same_machine(headers: &HeaderMap) -> Result<(), Refusal> {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("?").to_owned());
    let host = text("host").unwrap_or_default();
    let origin = text("origin");
    let origin_host = origin.as_deref().map(|origin| origin.split_once("://").map_or(origin, |(_, host)| host));
    if is_local(&host) && origin_host.is_none_or(is_local) {
        return Ok(());
    }
    Err(Refusal::new(403, "Control requests must come from this machine."))
}

fn is_local(host: &str) -> bool {
    let port = |port: &str| port.bytes().all(|b| b.is_ascii_digit());
    let name = host.rsplit_once(':').filter(|(_, digits)| port(digits)).map_or(host, |(name, _)| name);
    matches!(name, "127.0.0.1" | "localhost" | "[::1]")
}
