//! The yardstick: hyper and serde structs. No pool, no checks, no retries. Each caller has a connection of its own; over TLS all share one,
//! which speaks HTTP/2.

use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use bloomchats_benches::drive::{self, Caller};
use bloomchats_benches::fixture::{KEY, LIST, Page, SEND, Sent};
use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HOST, HeaderName, USER_AGENT};
use http::{HeaderValue, Method, Request};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;
use tokio::sync::OnceCell;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

enum Bare {
    Own { host: HeaderValue, connection: http1::SendRequest<Full<Bytes>> },
    Shared { origin: String, connection: http2::SendRequest<Full<Bytes>> },
}

static SHARED: OnceCell<http2::SendRequest<Full<Bytes>>> = OnceCell::const_new();

async fn open(url: String) -> Result<Bare> {
    let (scheme, host) = url.split_once("://").context("no URL")?;
    if scheme == "https" {
        let connection = SHARED.get_or_try_init(|| share(host)).await?.clone();
        return Ok(Bare::Shared { origin: url, connection });
    }
    let (connection, driver) = http1::handshake(TokioIo::new(dial(host).await?)).await?;
    tokio::spawn(driver);
    Ok(Bare::Own { host: HeaderValue::from_str(host)?, connection })
}

async fn dial(host: &str) -> Result<TcpStream> {
    let stream = TcpStream::connect(host).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

async fn share(host: &str) -> Result<http2::SendRequest<Full<Bytes>>> {
    let mut roots = RootCertStore::empty();
    let file = std::env::var("SSL_CERT_FILE").context("SSL_CERT_FILE")?;
    roots.add(CertificateDer::from_pem_file(file)?)?;
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec()];
    let name = ServerName::try_from(host.split(':').next().unwrap_or_default().to_owned())?;
    let stream = TlsConnector::from(Arc::new(config)).connect(name, dial(host).await?).await?;
    let (connection, driver) = http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await?;
    tokio::spawn(driver);
    Ok(connection)
}

impl Bare {
    async fn call(&mut self, method: Method, target: &str, body: Bytes) -> Result<Bytes> {
        let mut request = Request::builder()
            .method(method)
            .header(USER_AGENT, "bench")
            .header(ACCEPT, "application/json")
            .header(AUTHORIZATION, format!("Bearer {KEY}"));
        if !body.is_empty() {
            let key = HeaderName::from_static("idempotency-key");
            request =
                request.header(CONTENT_TYPE, "application/json").header(key, "b42b4e4c-51a5-4a53-a0b8-2a1d3a3f2f5e");
        }
        let body = Full::new(body);
        let response = match self {
            Bare::Own { host, connection } => {
                connection.ready().await?;
                connection.send_request(request.uri(target).header(HOST, host.clone()).body(body)?).await?
            }
            Bare::Shared { origin, connection } => {
                connection.ready().await?;
                connection.send_request(request.uri(format!("{origin}{target}")).body(body)?).await?
            }
        };
        ensure!(response.status().is_success(), "the server answered {}", response.status());
        Ok(response.into_body().collect().await?.to_bytes())
    }
}

impl Caller for Bare {
    async fn send(&mut self) -> Result<Option<String>> {
        let body = serde_json::to_vec(&std::collections::BTreeMap::from([("text", "Hello")]))?;
        let answer = self.call(Method::POST, SEND, body.into()).await?;
        Ok(serde_json::from_slice::<Sent>(&answer)?.message_id)
    }

    async fn list(&mut self) -> Result<(usize, Option<String>)> {
        let page: Page = serde_json::from_slice(&self.call(Method::GET, LIST, Bytes::new()).await?)?;
        Ok((page.contacts.len(), page.contacts.into_iter().last().and_then(|contact| contact.identifier)))
    }
}

fn main() -> Result<()> {
    drive::run(open)
}
