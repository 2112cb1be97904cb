//! The engine over real sockets: what no transcript can show.
#![allow(clippy::unwrap_used)] // a test panics when something is wrong

use std::io::Write;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bloomchats::{Call, Client, Config, ErrorKind};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

/// A server that hands every connection, its request already read, to `answer`.
async fn serve<F, Fut>(answer: F) -> SocketAddr
where
    F: Fn(TcpStream, String) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = ()> + Send,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let answer = Arc::new(answer);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let answer = answer.clone();
            tokio::spawn(async move {
                let request = read_request(&mut stream).await;
                answer(stream, request).await;
            });
        }
    });
    address
}

async fn read_request(stream: &mut TcpStream) -> String {
    let mut request = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        let n = stream.read(&mut chunk).await.unwrap_or(0);
        request.extend_from_slice(&chunk[..n]);
        let text = String::from_utf8_lossy(&request);
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            if n == 0 {
                return text.into_owned();
            }
            continue;
        };
        let length =
            head.lines().find_map(|line| line.strip_prefix("content-length: ")).map_or(0, |n| n.parse().unwrap());
        if n == 0 || body.len() >= length {
            return text.into_owned();
        }
    }
}

async fn reply(stream: &mut TcpStream, head: &str, body: &[u8]) {
    let _ = stream.write_all(format!("HTTP/1.1 {head}\r\ncontent-length: {}\r\n\r\n", body.len()).as_bytes()).await;
    let _ = stream.write_all(body).await;
}

fn client(address: SocketAddr) -> Client {
    Client::open(Config::blooio().with_api_key("bl_test_key").with_base_url(format!("http://{address}"))).unwrap()
}

fn get() -> Call {
    request(json!({"method": "GET", "path": "/me"}))
}

fn post() -> Call {
    request(json!({"method": "POST", "path": "/chats/+15551234567/messages", "body": {"text": "Hello"}}))
}

fn request(arguments: Value) -> Call {
    let Value::Object(arguments) = arguments else { unreachable!("arguments are objects") };
    Call::new("blooio.v2.request", arguments)
}

#[tokio::test]
async fn a_request_leaves_as_promised_and_its_answer_comes_back() {
    let (seen, mut requests) = mpsc::unbounded_channel();
    let address = serve(move |mut stream, request| {
        seen.send(request).unwrap();
        async move { reply(&mut stream, "202 Accepted\r\nx-request-id: r1", br#"{"message_id":"m1"}"#).await }
    })
    .await;
    let answer = client(address).call(post()).await.unwrap();
    assert_eq!(
        (answer.status, &answer.body[..], answer.request_id.as_deref()),
        (202, &br#"{"message_id":"m1"}"#[..], Some("r1"))
    );
    let request = requests.recv().await.unwrap();
    assert!(request.starts_with("POST /v2/api/chats/%2B15551234567/messages HTTP/1.1\r\n"), "{request}");
    assert!(request.contains("\r\nauthorization: Bearer bl_test_key\r\n"), "{request}");
    assert!(request.contains("\r\nuser-agent: bloomchats-rust/"), "{request}");
    assert!(request.contains(&format!("\r\nidempotency-key: {}\r\n", answer.idempotency_key.unwrap())), "{request}");
    assert!(request.ends_with("\r\n\r\n{\"text\":\"Hello\"}"), "{request}");
}

#[tokio::test]
async fn a_dropped_call_closes_its_socket_and_leaves_its_progress() {
    let (closed, mut closes) = mpsc::unbounded_channel();
    let (arrived, mut arrivals) = mpsc::unbounded_channel();
    let address = serve(move |mut stream, _| {
        let (closed, arrived) = (closed.clone(), arrived.clone());
        async move {
            arrived.send(()).unwrap();
            let read = stream.read(&mut [0; 1]).await;
            closed.send(matches!(read, Ok(0) | Err(_))).unwrap();
        }
    })
    .await;
    let (progress, run) = client(address).start(post());
    let running = tokio::spawn(run);
    arrivals.recv().await.unwrap();
    running.abort();
    assert!(
        tokio::time::timeout(Duration::from_secs(5), closes.recv()).await.unwrap().unwrap(),
        "the server sees the connection end"
    );
    assert!(progress.maybe_sent());
    assert!(progress.idempotency_key().is_some());
    assert_eq!(progress.attempts(), 1);
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let address = serve(|mut stream, request| async move {
        assert!(request.starts_with("GET /v2/api/me "), "only the original request: {request}");
        reply(&mut stream, "302 Found\r\nlocation: /elsewhere", b"").await;
    })
    .await;
    let error = client(address).call(get()).await.unwrap_err();
    assert_eq!((error.kind(), error.status()), (ErrorKind::Api, Some(302)));
}

#[tokio::test]
async fn endless_and_exploding_bodies_are_bounded() {
    let endless = serve(|mut stream, _| async move {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").await;
        let block = [b' '; 0x10000];
        while stream.write_all(b"10000\r\n").await.is_ok()
            && stream.write_all(&block).await.is_ok()
            && stream.write_all(b"\r\n").await.is_ok()
        {}
    })
    .await;
    let error = client(endless).call(get()).await.unwrap_err();
    assert_eq!((error.kind(), error.status()), (ErrorKind::Decode, Some(200)));

    let mut bomb = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    for _ in 0..64 {
        bomb.write_all(&[b' '; 0x10_0000]).unwrap();
    }
    let bomb = Arc::new(bomb.finish().unwrap());
    let exploding = serve(move |mut stream, _| {
        let bomb = bomb.clone();
        async move { reply(&mut stream, "200 OK\r\ncontent-encoding: gzip", &bomb).await }
    })
    .await;
    let error = client(exploding).call(get()).await.unwrap_err();
    assert_eq!((error.kind(), error.status()), (ErrorKind::Decode, Some(200)));
}

#[tokio::test]
async fn no_listener_is_a_connection_error_that_sent_nothing() {
    let address = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let mut call = post();
    call.options.max_retries = Some(0);
    let error = client(address).call(call).await.unwrap_err();
    assert_eq!((error.kind(), error.maybe_sent(), error.attempts()), (ErrorKind::Connection, false, 1));
    let shown = format!("{error} {error:?}");
    assert!(!shown.contains("15551234567"), "{shown}");
}

#[tokio::test]
async fn half_an_answer_and_silence_may_have_been_sent() {
    let half = serve(|mut stream, _| async move {
        let _ = stream
            .write_all(b"HTTP/1.1 202 Accepted\r\ncontent-length: 100\r\nx-request-id: r9\r\n\r\n{\"message")
            .await;
    })
    .await;
    let error = client(half).call(post()).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.status(), error.request_id(), error.maybe_sent()),
        (ErrorKind::Connection, Some(202), Some("r9"), true)
    );

    let silent = serve(|stream, _| async move {
        let _held = stream;
        tokio::time::sleep(Duration::from_secs(30)).await;
    })
    .await;
    let mut call = post();
    call.options.timeout = Some(Duration::from_millis(200));
    let begun = Instant::now();
    let error = client(silent).call(call).await.unwrap_err();
    assert_eq!((error.kind(), error.maybe_sent(), error.attempts()), (ErrorKind::Timeout, true, 1));
    assert!(begun.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn a_peer_that_does_not_speak_tls_gets_nothing() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let _ = stream.read(&mut [0; 4096]).await;
        reply(&mut stream, "200 OK", b"{}").await;
    });
    let config = Config::blooio().with_api_key("bl_test_key").with_base_url(format!("https://{address}"));
    let mut call = post();
    call.options.max_retries = Some(0);
    let error = Client::open(config).unwrap().call(call).await.unwrap_err();
    assert_eq!((error.kind(), error.maybe_sent()), (ErrorKind::Connection, false));
}
