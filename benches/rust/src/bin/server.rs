//! The fixture server: answers every send and every list the same, on loopback, until its standard input closes.
//!
//! `server [--rows N] [--hold N] [--awake] [--tls FILE | --tls-http1 FILE]` prints its origin. `--rows`: the list has so many (100). `--hold`: a send is
//! answered once so many wait. `--tls`: over TLS, with HTTP/2 for who offers it; `FILE` is written, and holds whom to trust.
//! `--awake`: it never sleeps, so that no client pays for waking it.

use std::convert::Infallible;
use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result};
use bloomchats_benches::fixture::{self, CHAT, KEY, ROWS};
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Barrier;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::rustls::version::TLS13;

struct Fixture {
    rows: usize,
    first: Bytes,
    sent: Bytes,
    hold: Option<Barrier>,
}

fn main() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        tokio::select! {
            done = serve() => done,
            () = closed() => Ok(()),
            () = turn_for_ever(), if given("--awake") => Ok(()),
        }
    })
}

async fn turn_for_ever() {
    loop {
        tokio::task::yield_now().await;
    }
}

fn given(name: &str) -> bool {
    std::env::args().any(|given| given == name)
}

fn option(name: &str) -> Option<String> {
    std::env::args().skip_while(|given| given != name).nth(1)
}

fn count(name: &str) -> Result<Option<usize>> {
    option(name).map(|given| given.parse().with_context(|| format!("{name} {given}"))).transpose()
}

async fn closed() {
    let mut input = tokio::io::stdin();
    let mut buffer = [0; 64];
    while matches!(input.read(&mut buffer).await, Ok(1..)) {}
}

async fn serve() -> Result<()> {
    let rows = count("--rows")?.unwrap_or(ROWS);
    let hold = count("--hold")?.map(Barrier::new);
    let fixture = Arc::new(Fixture { rows, first: fixture::page(0, rows), sent: fixture::sent(), hold });
    let both = option("--tls").map(|file| (file, vec![b"h2".to_vec(), b"http/1.1".to_vec()]));
    let spoken = both.or_else(|| Some((option("--tls-http1")?, vec![b"http/1.1".to_vec()])));
    let tls = spoken.map(|(file, spoken)| certified(Path::new(&file), spoken)).transpose()?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    println!("{}://{}", if tls.is_some() { "https" } else { "http" }, listener.local_addr()?);
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        tokio::spawn(converse(stream, tls.clone(), fixture.clone()));
    }
}

/// How it ends is the client's affair.
async fn converse(stream: TcpStream, tls: Option<TlsAcceptor>, fixture: Arc<Fixture>) -> Result<()> {
    let service = service_fn(move |request| answer(fixture.clone(), request));
    let Some(tls) = tls else {
        return Ok(http1::Builder::new().serve_connection(TokioIo::new(stream), service).await?);
    };
    let stream = tls.accept(stream).await?;
    if stream.get_ref().1.alpn_protocol() == Some(b"h2") {
        return Ok(http2::Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service).await?);
    }
    Ok(http1::Builder::new().serve_connection(TokioIo::new(stream), service).await?)
}

/// A certificate for loopback; who issued it is written to `file`.
fn certified(file: &Path, spoken: Vec<Vec<u8>>) -> Result<TlsAcceptor> {
    let mut params = CertificateParams::new(Vec::new())?;
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    // A name of its own: OpenSSL takes a certificate whose issuer bears its name to be its own issuer.
    params.distinguished_name.push(DnType::CommonName, "the fixture's authority");
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;
    std::fs::write(file, authority.pem())?;
    let key = KeyPair::generate()?;
    let certificate = CertificateParams::new(vec![Ipv4Addr::LOCALHOST.to_string()])?.signed_by(&key, &authority)?;
    let key = PrivateKeyDer::Pkcs8(key.serialize_der().into());
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(&[&TLS13])?
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)?;
    config.alpn_protocols = spoken;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

async fn answer(fixture: Arc<Fixture>, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
    let (status, body) = match choose(&fixture, &head, &body).await {
        Some((status, body)) => (status, body),
        None => (StatusCode::BAD_REQUEST, Bytes::from_static(br#"{"error":"not_in_the_fixture"}"#)),
    };
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    for (name, value) in [
        ("x-request-id", "req_01J8ZB3T5QH7W2"),
        ("x-ratelimit-limit", "600"),
        ("x-ratelimit-remaining", "599"),
        ("x-ratelimit-reset", "1767225660"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    Ok(response)
}

/// The answer to a request that a client of the service could have made.
async fn choose(fixture: &Fixture, head: &http::request::Parts, body: &Bytes) -> Option<(StatusCode, Bytes)> {
    let key = head.headers.get(AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ")?;
    let path = head.uri.path().strip_prefix("/v2/api/")?;
    if key != KEY {
        return None;
    }
    if head.method == Method::GET && path == "contacts" {
        let parameters = head.uri.query().unwrap_or_default().split('&').filter_map(|pair| pair.split_once('='));
        let offset = parameters.clone().find(|(name, _)| *name == "offset").and_then(|(_, value)| value.parse().ok());
        let page = match offset.unwrap_or(0) {
            0 => fixture.first.clone(),
            offset => fixture::page(offset, fixture.rows),
        };
        return Some((StatusCode::OK, page));
    }
    let chat = path.strip_prefix("chats/")?.strip_suffix("/messages")?;
    let text = body.windows(6).any(|part| part == b"\"text\"") && body.windows(7).any(|part| part == b"\"Hello\"");
    if head.method != Method::POST || chat != CHAT || !text {
        return None;
    }
    if let Some(hold) = &fixture.hold {
        hold.wait().await;
    }
    Some((StatusCode::ACCEPTED, fixture.sent.clone()))
}
