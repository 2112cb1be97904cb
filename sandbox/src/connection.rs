//! Connections: how many, how long they may take, and how a scripted fault ends one.

use std::io;
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// Connections served at once; further ones wait in the listener's queue.
pub(crate) const MAXIMUM: usize = 4096;
/// How long a client may take over the head of a request, and how long a connection may idle.
const HEAD_TIMEOUT: Duration = Duration::from_secs(75);
/// What `accept` waits for when the process has run out of descriptors.
const BREATH: Duration = Duration::from_millis(50);

/// How an answer's connection ends in its place; handlers put it among the extensions of a response.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Cut {
    /// An orderly end (FIN) without an answer.
    Close,
    /// A reset (RST).
    Reset,
}

/// How long a TLS handshake may take.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// Accepts until its runtime goes, `most` connections at once.
pub(crate) async fn serve(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    router: Router,
    most: usize,
) -> io::Result<()> {
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let slots = Arc::new(Semaphore::new(most));
    loop {
        let Ok(slot) = Arc::clone(&slots).acquire_owned().await else { return Ok(()) };
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(BREATH).await;
            continue;
        };
        // Small answers must not wait for each other.
        drop(stream.set_nodelay(true));
        let (router, tls) = (router.clone(), tls.clone());
        tokio::spawn(async move {
            match tls {
                None => converse(stream, router).await,
                Some(tls) => {
                    if let Ok(Ok(stream)) = tokio::time::timeout(HANDSHAKE_TIMEOUT, tls.accept(stream)).await {
                        match stream.get_ref().1.alpn_protocol() {
                            Some(b"h2") => multiplex(stream, router).await,
                            _ => converse(stream, router).await,
                        }
                    }
                }
            }
            drop(slot);
        });
    }
}

/// A connection, encrypted or not.
trait Line: AsyncRead + AsyncWrite + Unpin + Send + 'static {
    fn tcp(&self) -> &TcpStream;
}

impl Line for TcpStream {
    fn tcp(&self) -> &TcpStream {
        self
    }
}

impl Line for TlsStream<TcpStream> {
    fn tcp(&self) -> &TcpStream {
        self.get_ref().0
    }
}

async fn converse(stream: impl Line, router: Router) {
    let reset = Arc::new(AtomicBool::new(false));
    let mut connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .auto_date_header(false)
        .header_read_timeout(HEAD_TIMEOUT)
        .serve_connection(TokioIo::new(stream), answers(router, Arc::clone(&reset)));
    // Errors here are the client's: a broken connection, or bytes that are no request.
    let _ = (&mut connection).await;
    if reset.load(Ordering::Relaxed) {
        let _ = connection.into_parts().io.inner().tcp().set_zero_linger();
    }
}

/// An HTTP/2 connection: a fault ends the stream that it strikes, whichever way it would end a connection.
async fn multiplex(stream: impl Line, router: Router) {
    let _ = http2::Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .auto_date_header(false)
        .keep_alive_interval(HEAD_TIMEOUT)
        .serve_connection(TokioIo::new(stream), answers(router, Arc::default()))
        .await;
}

/// Answers of `router`. `reset` tells how the last fault would end a connection.
fn answers(
    router: Router,
    reset: Arc<AtomicBool>,
) -> impl Service<Request<Incoming>, Response = Response<Body>, Error = io::Error, Future: Send> {
    let router = TowerToHyperService::new(router);
    service_fn(move |request: Request<Incoming>| {
        let (answer, reset) = (router.call(request), Arc::clone(&reset));
        async move { uncut(answer.await.unwrap_or_default(), &reset) }
    })
}

/// An error from a service makes hyper let the connection, or the stream, go without a word.
fn uncut(answer: Response<Body>, reset: &AtomicBool) -> io::Result<Response<Body>> {
    match answer.extensions().get::<Cut>() {
        None => Ok(answer),
        Some(cut) => {
            reset.store(*cut == Cut::Reset, Ordering::Relaxed);
            Err(io::ErrorKind::ConnectionAborted.into())
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]
    use std::net::SocketAddr;

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;
    use tokio::time::{Instant, timeout};

    use super::*;

    const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n";

    fn start(most: usize) -> SocketAddr {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().fallback(async || "hello");
        tokio::spawn(serve(listener, None, router, most));
        address
    }

    async fn answer(stream: &mut TcpStream) -> usize {
        let mut piece = [0; 1024];
        stream.read(&mut piece).await.unwrap_or(0)
    }

    /// The clock of these tests is tokio's: it jumps to the next timer whenever nobody has anything to do.
    #[tokio::test(start_paused = true)]
    async fn a_head_that_never_ends_ends_its_connection() {
        let address = start(MAXIMUM);
        for head in [&b""[..], b"GET / HTTP/1.1\r\nx: "] {
            let begun = Instant::now();
            let mut stream = TcpStream::connect(address).await.unwrap();
            stream.write_all(head).await.unwrap();
            let mut rest = Vec::new();
            let _ = stream.read_to_end(&mut rest).await;
            assert!(begun.elapsed() >= HEAD_TIMEOUT && begun.elapsed() < HEAD_TIMEOUT * 2);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn one_connection_too_many_waits_for_its_turn() {
        let address = start(1);
        let mut first = TcpStream::connect(address).await.unwrap();
        first.write_all(REQUEST).await.unwrap();
        assert!(answer(&mut first).await > 0);
        let mut second = TcpStream::connect(address).await.unwrap();
        second.write_all(REQUEST).await.unwrap();
        assert!(timeout(Duration::from_secs(10), answer(&mut second)).await.is_err());
        drop(first);
        assert!(answer(&mut second).await > 0);
    }
}
