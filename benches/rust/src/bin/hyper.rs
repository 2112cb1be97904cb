//! The yardstick: hyper and serde structs. No pool, no checks, no retries. Each caller has a connection of its own; where the server speaks
//! HTTP/2, all share one.

use std::sync::{Arc, OnceLock};

use anyhow::{Context, Result, ensure};
use bloomchats_benches::drive::{self, Caller};
use bloomchats_benches::fixture::{KEY, LIST, Page, SEND, Sent};
use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HOST, HeaderName, USER_AGENT};
use http::{HeaderValue, Method, Request};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::version::TLS13;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

enum Bare {
    Own { host: HeaderValue, connection: http1::SendRequest<Full<Bytes>> },
    Shared { origin: String, connection: http2::SendRequest<Full<Bytes>> },
}

static SHARED: OnceLock<http2::SendRequest<Full<Bytes>>> = OnceLock::new();

async fn open(url: String) -> Result<Bare> {
    if let Some(connection) = SHARED.get() {
        return Ok(Bare::Shared { origin: url, connection: connection.clone() });
    }
    let (scheme, host) = url.split_once("://").context("no URL")?;
    let stream = TcpStream::connect(host).await?;
    stream.set_nodelay(true)?;
    if scheme != "https" {
        return own(host, stream).await;
    }
    let name = ServerName::try_from(host.split(':').next().unwrap_or_default().to_owned())?;
    let stream = TlsConnector::from(Arc::new(trust()?)).connect(name, stream).await?;
    if stream.get_ref().1.alpn_protocol() != Some(b"h2") {
        return own(host, stream).await;
    }
    let (connection, driver) = http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await?;
    tokio::spawn(driver);
    let connection = SHARED.get_or_init(|| connection).clone();
    Ok(Bare::Shared { origin: url, connection })
}

async fn own(host: &str, stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) -> Result<Bare> {
    let (connection, driver) = http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(driver);
    Ok(Bare::Own { host: HeaderValue::from_str(host)?, connection })
}

fn trust() -> Result<ClientConfig> {
    let mut roots = RootCertStore::empty();
    let file = std::env::var("SSL_CERT_FILE").context("SSL_CERT_FILE")?;
    roots.add(CertificateDer::from_pem_file(file)?)?;
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(&[&TLS13])?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
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
