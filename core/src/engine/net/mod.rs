//! HTTP/1.1 and HTTP/2 on hyper: the only folder that knows it and rustls.

mod body;
mod connect;
mod lane;
mod line;
mod pool;
mod proxy;
mod send;
mod socket;
mod trust;

use std::error::Error as StdError;
use std::future::ready;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH, USER_AGENT};
use http::uri::Authority;
use http::{HeaderMap, HeaderValue, Uri};
use http_body_util::Full;
use hyper_util::client::proxy::matcher::Matcher;
use rustls::RootCertStore;

use super::operation::Method;
use super::progress::Progress;
use super::transport::{Body, Exchanging, Fault, Transport, WireAnswer, WireRequest};
use super::{boxed, lock};
use crate::config::{Config, Settings};
use crate::error::{Error, Result};
use crate::reactor::{FOREVER, sleep};
use connect::{AtProxy, Connector};
use pool::Pool;
use socket::Watcher;

/// The real transport, opened at the first call so that constructing a client reads no trust store.
pub(crate) struct Http {
    config: Config,
    plain: bool,
    proxies: Arc<Matcher>,
    /// Locked while it is made: of calls that come first together, one reads the trust store and the others wait for it.
    client: Mutex<Option<Arc<Client>>>,
}

impl Http {
    pub fn new(config: &Config, settings: &Settings) -> Result<Http> {
        if let Some(pem) = &config.ca_certs {
            trust::parse_roots(pem)?;
        }
        let proxies = Arc::new(proxy::proxies(config, settings)?);
        Ok(Http { config: config.clone(), plain: settings.is_plain_http(), proxies, client: Mutex::default() })
    }

    fn client(&self) -> Result<Arc<Client>> {
        let mut slot = lock(&self.client);
        if let Some(client) = &*slot {
            return Ok(client.clone());
        }
        Ok(slot.insert(Arc::new(Client::build(self)?)).clone())
    }
}

impl Transport for Http {
    fn check_host(&self) -> Result<()> {
        watcher().map(drop)
    }

    fn exchange<'a>(&'a self, request: WireRequest, limit: Duration, progress: &'a Progress) -> Exchanging<'a> {
        let (client, watcher) = match self.client().and_then(|client| Ok((client, watcher()?))) {
            Ok(both) => both,
            Err(error) => return Box::pin(ready(Err(Fault::Setup(error)))),
        };
        let WireRequest { method, uri, headers, body } = request;
        let pool = client.pool(&uri);
        let mut request = client.request(method, headers, body);
        boxed(move || async move {
            // One timer for all of it: each would be set and taken back in the runtime's wheel.
            let mut late = pin!(sleep(limit));
            let (way, response) = pool.send(&mut request, &uri, &watcher, late.as_mut(), progress).await?;
            let (mut head, body) = response.into_parts();
            let gzip = head.headers.get(CONTENT_ENCODING).is_some_and(is_gzip);
            if gzip {
                // They speak of the packed form.
                head.headers.remove(CONTENT_ENCODING);
                head.headers.remove(CONTENT_LENGTH);
            }
            let shared = way.shared();
            let body = tokio::select! {
                biased;
                body = pool.read(way, body, gzip) => body,
                () = late => {
                    pool.give_up(shared);
                    Body::BrokenOff { late: true, detail: "the answer did not end in time".into() }
                }
            };
            Ok(WireAnswer { status: head.status.as_u16(), headers: head.headers, body })
        })
    }
}

/// Names of codings have no case, and this one has two.
fn is_gzip(coding: &HeaderValue) -> bool {
    ["gzip", "x-gzip"].iter().any(|name| coding.as_bytes().eq_ignore_ascii_case(name.as_bytes()))
}

/// Connections, and what every request has in common.
struct Client {
    connector: Connector,
    /// One for each origin: whom one connection leads to says nothing of another origin.
    pools: Mutex<Vec<(Authority, Arc<Pool>)>>,
    proxies: Arc<Matcher>,
    user_agent: HeaderValue,
}

impl Client {
    fn build(Http { config, plain, proxies, .. }: &Http) -> Result<Client> {
        let mut user_agent = format!("bloomchats-{}/{}", config.language, env!("CARGO_PKG_VERSION"));
        if let Some(suffix) = &config.user_agent {
            user_agent.push(' ');
            user_agent.push_str(suffix);
        }
        let timeout = config.connect_timeout.min(FOREVER);
        // Reading the system's store takes longer than a hundred calls.
        let is_https = |proxy: &str| url::Url::parse(proxy).is_ok_and(|url| url.scheme() == "https");
        let encrypts = !*plain || config.proxy.as_deref().is_some_and(is_https);
        let roots = if encrypts { trust::roots(config)? } else { RootCertStore::empty() };
        let connector = Connector::new(trust::client_config(roots)?, proxies.clone(), timeout);
        let user_agent = user_agent.try_into().map_err(|_| Error::config("language: must be visible ASCII"))?;
        Ok(Client { connector, pools: Mutex::default(), proxies: proxies.clone(), user_agent })
    }

    /// The connections to the origin of `uri`.
    fn pool(&self, uri: &Uri) -> Arc<Pool> {
        let mut pools = lock(&self.pools);
        // As text: an authority by itself compares letter by letter, for the case of each.
        let same = |origin: &Authority| uri.authority().is_some_and(|authority| authority.as_str() == origin.as_str());
        if let Some((_, pool)) = pools.iter().find(|(origin, _)| same(origin)) {
            return pool.clone();
        }
        let password = self.proxies.intercept(uri).and_then(|proxy| proxy.basic_auth().cloned());
        let pool = Arc::new(Pool::new(self.connector.clone(), uri, password));
        pools.extend(uri.authority().map(|origin| (origin.clone(), pool.clone())));
        pool
    }

    /// To nowhere yet: how it names its target depends on the connection.
    fn request(&self, method: Method, mut headers: HeaderMap, body: Bytes) -> http::Request<Full<Bytes>> {
        let mut request = http::Request::new(Full::new(body));
        *request.method_mut() = match method {
            Method::Get => http::Method::GET,
            Method::Post => http::Method::POST,
            Method::Put => http::Method::PUT,
            Method::Patch => http::Method::PATCH,
            Method::Delete => http::Method::DELETE,
        };
        headers.insert(USER_AGENT, self.user_agent.clone());
        headers.entry(ACCEPT_ENCODING).or_insert(HeaderValue::from_static("gzip"));
        *request.headers_mut() = headers;
        request
    }
}

fn watcher() -> Result<Watcher> {
    let refuse = || Error::config("calls need a tokio runtime to run on: use #[tokio::main], or Runtime::block_on");
    Watcher::here().ok_or_else(refuse)
}

/// The innermost cause says most.
fn detail(error: &(dyn StdError + 'static)) -> String {
    let place = if causes(error).any(|cause| cause.is::<AtProxy>()) { "at the proxy: " } else { "" };
    format!("{place}{}", causes(error).last().unwrap_or(error))
}

fn causes<'a>(error: &'a (dyn StdError + 'static)) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |error| (*error).source())
}
