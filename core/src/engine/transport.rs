//! One exchange with a server: the only file that knows reqwest and rustls.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use reqwest::redirect;

use super::BoxFuture;
use super::operation::Method;
use crate::config::Config;
use crate::error::{Error, Result};

/// Largest body accepted, also after decompression.
pub(crate) const MAX_BODY: usize = 8 * 1024 * 1024;

/// Longer than any program runs; the system's clocks cannot count to `Duration::MAX`.
const FOREVER: Duration = Duration::from_secs(30 * 365 * 86_400);

/// What goes on the wire.
#[derive(Clone)]
pub(crate) struct WireRequest {
    pub method: Method,
    pub url: String,
    pub headers: Vec<(String, String)>,
    pub body: Bytes,
}

/// What came back.
pub(crate) struct WireAnswer {
    pub status: u16,
    /// Lower-case names.
    pub headers: Vec<(String, String)>,
    pub body: Body,
}

/// How much of a body could be read.
pub(crate) enum Body {
    Whole(Bytes),
    /// Larger than [`MAX_BODY`]; reading stopped there.
    TooLarge,
    /// The connection broke or time ran out before the end.
    BrokenOff {
        late: bool,
        detail: String,
    },
}

/// Why there is no answer at all.
pub(crate) enum Fault {
    /// Nothing can have left: there was no connection.
    NotConnected { late: bool, detail: String },
    /// Anything may have happened.
    Broken { detail: String },
    /// No answer within the attempt's time.
    Late,
    /// The client itself cannot be built; nothing was sent.
    Setup(Error),
}

/// Carries one attempt. Implementations never retry and never follow redirects.
pub(crate) trait Transport: Send + Sync {
    /// Sends `request` and reads the answer within `limit`.
    fn exchange(&self, request: WireRequest, limit: Duration) -> BoxFuture<Result<WireAnswer, Fault>>;
}

/// HTTP/1.1 and HTTP/2 over reqwest, opened at the first call so that constructing a client reads no trust store.
pub(crate) struct Http {
    config: Config,
    plain: bool,
    client: Arc<OnceLock<reqwest::Client>>,
}

impl Http {
    /// `plain`: the base URL is `http://`, where the environment's proxy has no part.
    pub fn new(config: &Config, plain: bool) -> Result<Http> {
        if let Some(pem) = &config.ca_certs {
            parse_roots(pem)?;
        }
        if let Some(proxy) = config.proxy.as_deref().filter(|proxy| !proxy.is_empty()) {
            reqwest::Proxy::all(proxy)
                .map_err(|_| Error::config("proxy: is not a URL such as http://proxy.example.com:8080"))?;
        }
        Ok(Http { config: config.clone(), plain, client: Arc::default() })
    }

    fn client(&self) -> Result<reqwest::Client> {
        if let Some(client) = self.client.get() {
            return Ok(client.clone());
        }
        let built = build(&self.config, self.plain)?;
        Ok(self.client.get_or_init(|| built).clone())
    }
}

impl Transport for Http {
    fn exchange(&self, request: WireRequest, limit: Duration) -> BoxFuture<Result<WireAnswer, Fault>> {
        let client = self.client();
        Box::pin(async move {
            let client = client.map_err(Fault::Setup)?;
            let deadline = tokio::time::Instant::now() + limit.min(FOREVER);
            let mut response = match tokio::time::timeout_at(deadline, send(client, request)).await {
                Err(_) => return Err(Fault::Late),
                Ok(Err(error)) => return Err(fault(error)),
                Ok(Ok(response)) => response,
            };
            let status = response.status().as_u16();
            let headers = response
                .headers()
                .iter()
                .map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
                .collect();
            let body = match tokio::time::timeout_at(deadline, read(&mut response)).await {
                Ok(body) => body,
                Err(_) => Body::BrokenOff { late: true, detail: "the answer did not end in time".into() },
            };
            Ok(WireAnswer { status, headers, body })
        })
    }
}

async fn send(client: reqwest::Client, request: WireRequest) -> reqwest::Result<reqwest::Response> {
    let method = match request.method {
        Method::Get => reqwest::Method::GET,
        Method::Post => reqwest::Method::POST,
        Method::Put => reqwest::Method::PUT,
        Method::Patch => reqwest::Method::PATCH,
        Method::Delete => reqwest::Method::DELETE,
    };
    let mut builder = client.request(method, request.url);
    for (name, value) in request.headers {
        let Ok(mut header) = reqwest::header::HeaderValue::from_str(&value) else { continue };
        header.set_sensitive(matches!(name.as_str(), "authorization" | "x-api-key"));
        builder = builder.header(name, header);
    }
    if !request.body.is_empty() {
        builder = builder.body(request.body);
    }
    builder.send().await
}

async fn read(response: &mut reqwest::Response) -> Body {
    if response.content_length().is_some_and(|length| length > MAX_BODY as u64) {
        return Body::TooLarge;
    }
    let mut whole = BytesMut::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if whole.len() + chunk.len() > MAX_BODY => return Body::TooLarge,
            Ok(Some(chunk)) => whole.extend_from_slice(&chunk),
            Ok(None) => return Body::Whole(whole.freeze()),
            Err(error) => return Body::BrokenOff { late: error.is_timeout(), detail: detail(error) },
        }
    }
}

fn fault(error: reqwest::Error) -> Fault {
    let late = error.is_timeout();
    if error.is_connect() {
        return Fault::NotConnected { late, detail: detail(error) };
    }
    Fault::Broken { detail: detail(error) }
}

/// The innermost cause says most; the outer ones repeat the URL, which holds people's numbers.
fn detail(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut innermost: &dyn std::error::Error = &error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}

fn build(config: &Config, plain: bool) -> Result<reqwest::Client> {
    let mut user_agent = format!("bloomchats-{}/{}", config.language, env!("CARGO_PKG_VERSION"));
    if let Some(suffix) = &config.user_agent {
        user_agent.push(' ');
        user_agent.push_str(suffix);
    }
    let mut builder = reqwest::Client::builder()
        .user_agent(user_agent)
        .tls_backend_preconfigured(tls(config)?)
        .redirect(redirect::Policy::none())
        .retry(reqwest::retry::never())
        .connect_timeout(config.connect_timeout.min(FOREVER))
        // Shorter than servers keep idle connections, so that a send rarely meets one that is being closed.
        .pool_idle_timeout(Duration::from_secs(20))
        .tcp_nodelay(true);
    builder = match config.proxy.as_deref() {
        Some("") => builder.no_proxy(),
        Some(proxy) => builder.proxy(reqwest::Proxy::all(proxy).map_err(|_| Error::config("proxy: is not a URL"))?),
        None if plain => builder.no_proxy(),
        None => builder,
    };
    builder.build().map_err(|_| Error::config("the HTTP client cannot be built on this system"))
}

fn tls(config: &Config) -> Result<rustls::ClientConfig> {
    let mut roots = rustls::RootCertStore::empty();
    match &config.ca_certs {
        Some(pem) => roots.add_parsable_certificates(parse_roots(pem)?),
        None => roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs),
    };
    if roots.is_empty() {
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|_| Error::config("TLS cannot be set up"))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(tls)
}

fn parse_roots(pem: &[u8]) -> Result<Vec<rustls::pki_types::CertificateDer<'static>>> {
    use rustls::pki_types::{CertificateDer, pem::PemObject};
    let refuse = || Error::config("ca_certs: holds no certificate in PEM form");
    let certs: Vec<_> =
        CertificateDer::pem_slice_iter(pem).collect::<std::result::Result<_, _>>().map_err(|_| refuse())?;
    if certs.is_empty() { Err(refuse()) } else { Ok(certs) }
}
