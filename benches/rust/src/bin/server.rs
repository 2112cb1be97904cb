//! The fixture server: answers every send and every list the same, on loopback, until its standard input closes.
//!
//! `server [--rows N] [--hold N]` prints its origin. `--rows`: the list has so many (100). `--hold`: a send is answered once so many wait.

use std::convert::Infallible;
use std::net::Ipv4Addr;
use std::sync::Arc;

use anyhow::Result;
use bloomchats_benches::fixture::{self, CHAT, KEY, ROWS};
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;
use tokio::sync::Barrier;

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
        }
    })
}

fn option(name: &str) -> Option<usize> {
    let mut given = std::env::args().skip_while(|given| given != name);
    given.nth(1)?.parse().ok()
}

async fn closed() {
    let mut input = tokio::io::stdin();
    let mut buffer = [0; 64];
    while matches!(input.read(&mut buffer).await, Ok(1..)) {}
}

async fn serve() -> Result<()> {
    let rows = option("--rows").unwrap_or(ROWS);
    let hold = option("--hold").map(Barrier::new);
    let fixture = Arc::new(Fixture { rows, first: fixture::page(0, rows), sent: fixture::sent(), hold });
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    println!("http://{}", listener.local_addr()?);
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let fixture = fixture.clone();
        let service = service_fn(move |request| answer(fixture.clone(), request));
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
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
