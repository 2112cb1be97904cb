//! Servers that misbehave on the wire.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bloomchats::{Client, ErrorKind};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::mpsc::unbounded_channel;

use crate::server::{ACCEPTED, call, config, plain, send, serve};

#[tokio::test]
async fn a_redirected_send_goes_nowhere_else() {
    let (elsewhere, mut strangers) = serve(ACCEPTED).await;
    for status in
        ["301 Moved Permanently", "302 Found", "303 See Other", "307 Temporary Redirect", "308 Permanent Redirect"]
    {
        let answer = format!(
            "HTTP/1.1 {status}\r\nlocation: http://{elsewhere}/\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
        );
        let (address, _requests) = serve(answer).await;
        let error = plain(address).call(send()).await.unwrap_err();
        assert_eq!((error.kind(), error.attempts()), (ErrorKind::Api, 1), "{error}");
        assert!(error.maybe_sent(), "a redirect does not say that nothing was done");
    }
    assert!(strangers.try_recv().is_err(), "the key and the message stayed where they were sent");
}

#[tokio::test]
async fn heads_without_end_are_cut_off() {
    let line = format!("x-filler: {}\r\n", "a".repeat(8_000));
    let huge = format!("HTTP/1.1 202 Accepted\r\n{}\r\n", line.repeat(1_000));
    let many = format!("HTTP/1.1 202 Accepted\r\n{}\r\n", "x: y\r\n".repeat(100_000));
    for head in [huge, many] {
        let (address, _requests) = serve(head).await;
        let begun = Instant::now();
        let error = plain(address).call(send()).await.unwrap_err();
        assert_eq!((error.kind(), error.maybe_sent()), (ErrorKind::Connection, true), "{error}");
        assert!(begun.elapsed() < Duration::from_secs(10));
    }
}

#[tokio::test]
async fn what_is_no_http_is_an_error_of_the_connection() {
    let answers: [&[u8]; 6] = [
        b"",
        b"\0\x01\x02 garbage\r\n\r\n",
        b"HTTP/1.1 99999 What\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: -5\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\ncontent-length: 4\r\n\r\nabcd",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
    ];
    for answer in answers {
        let (address, _requests) = serve(answer).await;
        let error = plain(address).call(send()).await.unwrap_err();
        let expected = [ErrorKind::Connection, ErrorKind::Decode].contains(&error.kind());
        assert!(expected && error.maybe_sent(), "{:?}: {error:?}", String::from_utf8_lossy(answer));
    }
}

/// A service that closes a connection does not read what is on its way there.
#[tokio::test]
async fn a_connection_is_left_before_the_service_closes_it() {
    for (named, expected) in [("keep-alive: timeout=1, max=100\r\n", 4), ("keep-alive: timeout=60\r\n", 1), ("", 1)] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let made = Arc::<AtomicUsize>::default();
        let count = made.clone();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(async move {
                    let mut heard = Vec::new();
                    while stream.read_buf(&mut heard).await.unwrap_or(0) > 0 {
                        if heard.ends_with(b"{}") {
                            heard.clear();
                            let answer = format!("HTTP/1.1 200 OK\r\n{named}content-length: 2\r\n\r\n{{}}");
                            stream.write_all(answer.as_bytes()).await.unwrap();
                        }
                    }
                });
            }
        });
        let client = plain(address);
        for _ in 0..4 {
            let post = call("blooio.v2.request", json!({"method": "POST", "path": "/anything", "body": {}}));
            assert_eq!(client.call(post).await.unwrap().status, 200);
        }
        assert_eq!(made.load(Ordering::SeqCst), expected, "{named:?}");
    }
}

#[tokio::test]
async fn a_message_without_end_is_none() {
    let body = json!({"error": {"code": "odd", "message": "word ".repeat(1_500_000)}}).to_string();
    let head = "HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\nconnection: close\r\n";
    let (address, _requests) = serve(format!("{head}content-length: {}\r\n\r\n{body}", body.len())).await;
    let mut many = send();
    let words: Vec<_> = (0..2_000).map(|number| format!("Recipient {number}")).collect();
    many.options.extra_body.insert("people".into(), json!(words));
    let begun = Instant::now();
    let error = plain(address).call(many).await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::BadRequest, Some("odd")));
    assert!(error.message().len() < 100, "{} bytes", error.message().len());
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_time_without_end_is_a_time() {
    let (address, _requests) = serve(ACCEPTED).await;
    let mut config = config(format!("http://{address}"));
    (config.timeout, config.attempt_timeout, config.connect_timeout) = (Duration::MAX, Duration::MAX, Duration::MAX);
    assert_eq!(Client::open(config).unwrap().call(send()).await.unwrap().status, 202);
}

/// The HTTP library below may send a request again when a kept connection turns out closed; never one that was read.
#[tokio::test]
async fn a_kept_connection_that_closes_on_a_send_is_not_tried_again() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (seen, mut requests) = unbounded_channel();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let seen = seen.clone();
            tokio::spawn(async move {
                for kept in [true, false] {
                    let mut heard = Vec::new();
                    while !heard.ends_with(b"{}") {
                        if stream.read_buf(&mut heard).await.unwrap_or(0) == 0 {
                            return;
                        }
                    }
                    seen.send(()).unwrap();
                    if kept {
                        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}").await.unwrap();
                    }
                }
            });
        }
    });
    let client = plain(address);
    let post = || call("blooio.v2.request", json!({"method": "POST", "path": "/anything", "body": {}}));
    for _ in 0..20 {
        assert_eq!(client.call(post()).await.unwrap().status, 200);
        let mut retried = post();
        retried.options.max_retries = Some(2);
        let error = client.call(retried).await.unwrap_err();
        assert_eq!((error.kind(), error.attempts(), error.maybe_sent()), (ErrorKind::Connection, 1, true), "{error}");
    }
    let mut count = 0;
    while requests.try_recv().is_ok() {
        count += 1;
    }
    assert_eq!(count, 40, "every call was heard once");
}
