//! The way to a server: proxies, TCP, TLS.

use std::error::Error as StdError;
use std::fmt;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use http::uri::Scheme;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_rustls::{HttpsConnector, MaybeHttpsStream};
use hyper_util::client::legacy::connect::proxy::Tunnel;
use hyper_util::client::legacy::connect::{Connected, Connection, HttpConnector};
use hyper_util::client::proxy::matcher::Matcher;
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use tower_service::Service;

use super::socket::Socket;
use crate::engine::BoxFuture;

type BoxError = Box<dyn StdError + Send + Sync>;

/// To the service, whatever lies between.
pub(super) type Stream = MaybeHttpsStream<Hop>;

/// To the service or to a proxy, encrypted where the latter is.
type FirstHop = MaybeHttpsStream<TokioIo<Socket>>;

/// Makes connections to services within a time.
#[derive(Clone)]
pub(super) struct Connector {
    dial: Dial,
    tls: Arc<ClientConfig>,
    timeout: Duration,
}

impl Connector {
    pub fn new(tls: ClientConfig, proxies: Arc<Matcher>, timeout: Duration) -> Connector {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_connect_timeout(Some(timeout));
        let mut service_tls = tls.clone();
        service_tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let dial = Dial { tcp: Tcp(tcp), proxy_tls: Arc::new(tls), proxies };
        Connector { dial, tls: Arc::new(service_tls), timeout }
    }
}

impl Service<Uri> for Connector {
    type Response = Stream;
    type Error = BoxError;
    type Future = BoxFuture<Result<Self::Response, BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, service: Uri) -> Self::Future {
        let connecting = HttpsConnector::from((self.dial.clone(), self.tls.clone())).call(service);
        let within = tokio::time::timeout(self.timeout, connecting);
        Box::pin(async { within.await.map_err(|_| TooSlow)? })
    }
}

/// Reaches the service itself, or the proxy before it.
#[derive(Clone)]
struct Dial {
    tcp: Tcp,
    /// Proxies speak HTTP/1.1.
    proxy_tls: Arc<ClientConfig>,
    proxies: Arc<Matcher>,
}

impl Service<Uri> for Dial {
    type Response = Hop;
    type Error = BoxError;
    type Future = BoxFuture<Result<Hop, BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, service: Uri) -> Self::Future {
        let Some(proxy) = self.proxies.intercept(&service) else {
            let connecting = self.tcp.call(service);
            return Box::pin(async { Ok(Hop { stream: MaybeHttpsStream::Http(connecting.await?), forwards: false }) });
        };
        let mut to_proxy = HttpsConnector::from((self.tcp.clone(), self.proxy_tls.clone()));
        if service.scheme() != Some(&Scheme::HTTPS) {
            let connecting = to_proxy.call(proxy.uri().clone());
            return Box::pin(async { Ok(Hop { stream: connecting.await.map_err(AtProxy)?, forwards: true }) });
        }
        let mut tunnel = Tunnel::new(proxy.uri().clone(), to_proxy);
        if let Some(password) = proxy.basic_auth() {
            tunnel = tunnel.with_auth(password.clone());
        }
        Box::pin(async move {
            let stream = tunnel.call(service).await.map_err(|error| AtProxy(error.into()))?;
            Ok(Hop { stream, forwards: false })
        })
    }
}

/// Connects sockets that can change hands.
#[derive(Clone)]
struct Tcp(HttpConnector);

impl Service<Uri> for Tcp {
    type Response = TokioIo<Socket>;
    type Error = BoxError;
    type Future = BoxFuture<Result<Self::Response, BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, to: Uri) -> Self::Future {
        let connecting = self.0.call(to);
        Box::pin(async { Ok(TokioIo::new(Socket::new(connecting.await?.into_inner()))) })
    }
}

/// A stream to the service, through a tunnel or not; or to a proxy that forwards requests.
pub(super) struct Hop {
    stream: FirstHop,
    forwards: bool,
}

impl Connection for Hop {
    fn connected(&self) -> Connected {
        self.stream.connected().proxy(self.forwards)
    }
}

impl Read for Hop {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, into: ReadBufCursor<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, into)
    }
}

impl Write for Hop {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, pieces)
    }
}

/// It went wrong before the service was reached.
#[derive(Debug)]
pub(super) struct AtProxy(BoxError);

impl fmt::Display for AtProxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the proxy leads nowhere")
    }
}

impl StdError for AtProxy {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&*self.0)
    }
}

/// The connect timeout is over.
#[derive(Debug)]
pub(super) struct TooSlow;

impl fmt::Display for TooSlow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("it was not made within the connect timeout")
    }
}

impl StdError for TooSlow {}
