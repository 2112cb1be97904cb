//! Base URLs, path segments and query strings that mean the same to every URL parser.

use http::Uri;
use http::uri::{Authority, PathAndQuery, Scheme};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, PercentEncode, utf8_percent_encode};
use url::{Host, Url};

use crate::error::{Error, Result};

/// All but RFC 3986's unreserved characters.
const STRICT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

pub(crate) fn encode(value: &str) -> PercentEncode<'_> {
    utf8_percent_encode(value, STRICT)
}

/// Checks a base URL and returns it without a trailing slash.
pub(crate) fn base(given: &str, allow_http: bool) -> Result<String> {
    let refuse = |problem: &str| Error::config(format!("base_url: {problem}"));
    if !given.is_ascii() {
        return Err(refuse("must be ASCII: a host's name with other letters is written in its xn-- form"));
    }
    let parsed = Url::parse(given).map_err(|_| refuse("is not a URL such as https://api.example.com"))?;
    if !matches!(parsed.scheme(), "https" | "http") {
        return Err(refuse("must begin with https://"));
    }
    if !parsed.username().is_empty() || parsed.password().is_some() {
        return Err(refuse("must not hold a user name or password"));
    }
    if parsed.query().is_some() || parsed.fragment().is_some() {
        return Err(refuse("must not hold a query or fragment"));
    }
    let loopback = match parsed.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => return Err(refuse("has no host")),
    };
    if parsed.scheme() == "http" && !loopback && !allow_http {
        return Err(refuse(
            "http:// would send the API key in the clear; use https://, a loopback address, or allow_http if the network is yours",
        ));
    }
    Ok(parsed.as_str().trim_end_matches('/').to_owned())
}

/// Origin and path prefix of an API, taken apart once per client.
#[derive(Debug)]
pub(crate) struct Root {
    scheme: Scheme,
    authority: Authority,
    prefix: String,
}

impl Root {
    /// `base` is as [`base`] gives it; `prefix` begins with a slash.
    pub fn new(base: &str, prefix: &str) -> Result<Root> {
        let parts = Uri::try_from([base, prefix].concat()).map(Uri::into_parts).ok();
        let parts = parts.and_then(|parts| Some((parts.scheme?, parts.authority?, parts.path_and_query?)));
        let (scheme, authority, path) =
            parts.ok_or_else(|| Error::config("base_url: cannot be requested over HTTP"))?;
        Ok(Root { scheme, authority, prefix: path.path().to_owned() })
    }

    /// Path before every operation's own, without a trailing slash.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    pub fn host(&self) -> &str {
        self.authority.host()
    }

    pub fn port(&self) -> u16 {
        self.authority.port_u16().unwrap_or(if self.scheme == Scheme::HTTPS { 443 } else { 80 })
    }

    /// The address of a path and query that begin with the prefix.
    pub fn uri(&self, target: String) -> Result<Uri> {
        let refuse = || Error::argument("query", "makes a URL longer than 64 KiB");
        let mut parts = http::uri::Parts::default();
        parts.scheme = Some(self.scheme.clone());
        parts.authority = Some(self.authority.clone());
        parts.path_and_query = Some(PathAndQuery::try_from(target).map_err(|_| refuse())?);
        Uri::from_parts(parts).map_err(|_| refuse())
    }
}

/// One path segment from an argument.
///
/// Dot segments are refused in every spelling because URL parsers fold them even when encoded, and the request would
/// reach another endpoint. `identifier` also refuses what looks encoded already: encoding it again would name nothing.
pub(crate) fn segment<'a>(name: &str, value: &'a str, identifier: bool) -> Result<PercentEncode<'a>> {
    if value.is_empty() {
        return Err(Error::argument(name, "must not be empty"));
    }
    if value.chars().any(char::is_control) {
        return Err(Error::argument(name, "must not hold control characters"));
    }
    if is_dot_segment(value) {
        return Err(Error::argument(name, "must not be a dot segment (`.` or `..`)"));
    }
    if identifier && has_escape(value) {
        return Err(Error::argument(name, "looks percent-encoded; pass it unencoded"));
    }
    Ok(encode(value))
}

pub(crate) fn is_dot_segment(value: &str) -> bool {
    value.len() <= "%2e%2e".len() && matches!(value.to_ascii_lowercase().replace("%2e", ".").as_str(), "." | "..")
}

fn has_escape(value: &str) -> bool {
    value.as_bytes().windows(3).any(|w| w[0] == b'%' && w[1].is_ascii_hexdigit() && w[2].is_ascii_hexdigit())
}

/// Appends `name=value` pairs in the order given.
pub(crate) fn with_query<'a>(mut url: String, pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let mut separator = if url.contains('?') { '&' } else { '?' };
    for (name, value) in pairs {
        url.push(separator);
        url.extend(encode(name));
        url.push('=');
        url.extend(encode(value));
        separator = '&';
    }
    url
}
