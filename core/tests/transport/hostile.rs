//! Servers that misbehave on the wire.

use std::time::{Duration, Instant};

use bloomchats::{Client, ErrorKind};

use crate::server::{ACCEPTED, config, plain, send, serve};

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

#[tokio::test]
async fn a_time_without_end_is_a_time() {
    let (address, _requests) = serve(ACCEPTED).await;
    let mut config = config(format!("http://{address}"));
    (config.timeout, config.attempt_timeout, config.connect_timeout) = (Duration::MAX, Duration::MAX, Duration::MAX);
    assert_eq!(Client::open(config).unwrap().call(send()).await.unwrap().status, 202);
}
