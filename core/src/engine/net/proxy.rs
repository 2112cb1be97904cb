//! What stands between a client and its services: nothing, or a proxy that was asked for, which is never passed by in silence.

use std::env;
use std::ffi::OsString;

use http::Uri;
use hyper_util::client::proxy::matcher::Matcher;
use url::Url;

use crate::config::{Config, Settings};
use crate::error::{Error, Result};

/// Variables that name the proxy of `https://` services. Of a pair the first that is set counts, of the pairs the first that is not empty.
const NAMING: [[&str; 2]; 2] = [["HTTPS_PROXY", "https_proxy"], ["ALL_PROXY", "all_proxy"]];

/// The proxy that `config` names, else the environment, else the system. The environment's has no part in `http://`.
pub(super) fn proxies(config: &Config, settings: &Settings) -> Result<Matcher> {
    match config.proxy.as_deref() {
        Some("") => Ok(Matcher::builder().build()),
        Some(proxy) => match plain_form(proxy) {
            Some(url) => Ok(Matcher::builder().all(url).build()),
            None => Err(Error::config(format!("proxy: {REFUSAL}"))),
        },
        None if settings.is_plain_http() => Ok(Matcher::builder().build()),
        None => environment(settings),
    }
}

const REFUSAL: &str = "is not the URL of an HTTP proxy, such as http://proxy.example.com:8080 (SOCKS is not supported)";

fn environment(settings: &Settings) -> Result<Matcher> {
    let named = NAMING.into_iter().filter_map(first_set).find(|(_, value)| !value.is_empty());
    let Some((name, value)) = named else { return Ok(Matcher::from_system()) };
    let spared = first_set(["NO_PROXY", "no_proxy"]).and_then(|(_, hosts)| hosts.into_string().ok());
    let through = |url: &str| Matcher::builder().https(url).no(spared.unwrap_or_default()).build();
    // Elsewhere, too, a proxy that is named without a scheme speaks HTTP.
    let with_scheme = |value: &str| match value.trim() {
        value if value.contains("://") => plain_form(value),
        value => plain_form(&format!("http://{value}")),
    };
    match value.to_str().and_then(with_scheme) {
        Some(url) => Ok(through(&url)),
        None => {
            let matcher = through(ANY);
            let goes_through = |service: Uri| matcher.intercept(&service).is_some();
            if !settings.roots().iter().filter_map(|root| root.uri("/".into()).ok()).any(goes_through) {
                return Ok(matcher);
            }
            let remedy = "correct it, unset it, name the service's host in NO_PROXY, or set `proxy`";
            Err(Error::config(format!("the environment's {name} {REFUSAL}: {remedy}")))
        }
    }
}

/// Stands for a proxy that cannot be read, to find out whom it would serve.
const ANY: &str = "http://proxy/";

fn first_set(names: [&'static str; 2]) -> Option<(&'static str, OsString)> {
    names.into_iter().find_map(|name| Some((name, env::var_os(name)?)))
}

/// As the matcher reads it: what it cannot read is no proxy to it, and requests would go out past the one that was named.
fn plain_form(proxy: &str) -> Option<String> {
    let url = Url::parse(proxy).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())?;
    let matcher = Matcher::builder().all(url.as_str()).build();
    matcher.intercept(&Uri::from_static("https://service/")).map(|_| url.into())
}
