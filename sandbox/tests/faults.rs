//! Scripted faults, and what the person at the other end has in the end.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "test code")]

mod common;

use std::time::{Duration, Instant};

use common::{Bench, bench};
use serde_json::{Value, json};

const MESSAGES: &str = "/v2/api/chats/%2B15551234567/messages";

async fn script(bench: &Bench, fault: Value) {
    bench.blooio.post("/_sandbox/faults", fault).await.is(201);
}

/// Status and body of a send, or `None` when no whole answer came.
async fn send(bench: &Bench, headers: &[(&str, &str)]) -> Option<(u16, String)> {
    let body = json!({"text": "Hello"}).to_string().into_bytes();
    let answer = bench.blooio.request("POST", MESSAGES, headers, Some(body)).send().await.ok()?;
    Some((answer.status().as_u16(), answer.text().await.ok()?))
}

async fn received(bench: &Bench) -> u64 {
    let inbox = bench.blooio.get("/_sandbox/phones/%2B15551234567/inbox").await.is(200);
    inbox.body["count"].as_u64().unwrap()
}

#[tokio::test]
async fn dropped_before_means_nobody_has_it_and_dropped_after_that_somebody_has() {
    for (action, has) in [("drop", 0), ("reset", 0), ("drop_answer", 1), ("reset_answer", 1), ("half_answer", 1)] {
        let bench = bench();
        script(&bench, json!({"action": action, "method": "POST", "path": "/v2/api/chats/{chatId}/messages"})).await;
        assert_eq!(send(&bench, &[("idempotency-key", "k")]).await, None, "{action}");
        assert_eq!(received(&bench).await, has, "{action}");
        let (status, _) = send(&bench, &[("idempotency-key", "k")]).await.unwrap();
        assert_eq!(status, if has == 1 { 200 } else { 202 }, "{action}");
        assert_eq!(received(&bench).await, 1, "{action}");
    }
}

#[tokio::test]
async fn a_reset_is_a_reset() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let bench = bench();
    for (action, reset) in [("reset", true), ("drop", false)] {
        let mut stream = tokio::net::TcpStream::connect(bench.sandbox.url().replace("http://", "")).await.unwrap();
        let key = bench.sandbox.blooio_api_key();
        let head = format!(
            "GET /v4/me HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {key}\r\nx-sandbox-fault: {action}\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        let outcome = stream.read_to_end(&mut answer).await;
        let was_reset = outcome.is_err_and(|error| error.kind() == std::io::ErrorKind::ConnectionReset);
        assert_eq!((was_reset, answer.len()), (reset, 0), "{action}");
    }
}

#[tokio::test]
async fn an_answer_that_breaks_off_names_its_whole_length() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let bench = bench();
    let mut stream = tokio::net::TcpStream::connect(bench.sandbox.url().replace("http://", "")).await.unwrap();
    let key = bench.sandbox.blooio_api_key();
    let head = format!(
        "GET /v4/me HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {key}\r\nx-sandbox-fault: half_answer\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let length: usize = head.split("content-length: ").nth(1).unwrap().lines().next().unwrap().parse().unwrap();
    assert_eq!(body.len(), length / 2);
}

#[tokio::test]
async fn slow_answers_and_delays_take_their_time() {
    let bench = bench();
    for (fault, least) in [
        (json!({"action": "slow_answer", "bytes": 20, "ms": 30}), 60),
        (json!({"action": "delay", "ms": 80}), 80),
        (json!({"action": "delay_answer", "ms": 80}), 80),
    ] {
        script(&bench, fault).await;
        let begun = Instant::now();
        send(&bench, &[]).await.unwrap();
        assert!(begun.elapsed() >= Duration::from_millis(least), "{:?}", begun.elapsed());
    }
}

#[tokio::test]
async fn scripted_statuses_have_the_api_s_shape_or_the_given_one() {
    let bench = bench();
    script(&bench, json!({"action": "status", "status": 503, "retry_after": 7})).await;
    let answer = bench.blooio.get("/v4/me").await.is(503);
    assert_eq!((answer.header("retry-after"), answer.body["error"]["code"].is_string()), (Some("7"), true));
    script(&bench, json!({"action": "throttle"})).await;
    assert_eq!(bench.blooio.get("/v2/api/me").await.is(429).header("retry-after"), Some("1"));
    script(&bench, json!({"action": "status", "status": 429, "code": "outbound_limit_reached", "path": "/v4/*"})).await;
    assert_eq!(bench.blooio.get("/v4/me").await.is(429).code(), Some("outbound_limit_reached"));
    for (body, text) in [(json!("<html>"), "<html>"), (json!({"oops": 1}), "{\"oops\":1}")] {
        let fault = json!({"action": "status_answer", "status": 502, "body": body, "headers": {"x-by": "proxy"}});
        script(&bench, fault).await;
        assert_eq!(send(&bench, &[]).await, Some((502, text.to_owned())));
    }
    assert_eq!(received(&bench).await, 2);
}

#[tokio::test]
async fn lines_are_matched_by_method_path_and_count() {
    let bench = bench();
    let faults = json!([
        {"action": "status", "status": 500, "method": "get", "path": "/v4/*", "times": 2, "after": 1},
        {"action": "status", "status": 502, "path": "/v2/api/me", "times": null},
    ]);
    bench.blooio.send("PUT", "/_sandbox/faults", faults).await.is(200);
    for status in [200, 500, 500, 200] {
        bench.blooio.get("/v4/me").await.is(status);
        bench.blooio.get("/v2/api/me").await.is(502);
    }
    let listed = bench.blooio.get("/_sandbox/faults").await.is(200);
    assert_eq!((&listed.body["faults"][0]["hits"], &listed.body["faults"][1]["hits"]), (&json!(2), &json!(4)));
    bench.blooio.delete("/_sandbox/faults").await.is(200);
    bench.blooio.get("/v2/api/me").await.is(200);
    for bad in [
        json!({}),
        json!({"action": "explode"}),
        json!({"action": "half"}),
        json!({"action": "status", "status": 99}),
        json!({"action": "drop", "times": -1}),
        json!({"action": "drop", "path": "*****"}),
        json!({"action": "delay", "ms": 0}),
        json!({"action": "drop", "ms": 600_001}),
        json!({"action": "pass", "status": "teapot"}),
        json!({"action": "throttle", "retry_after": true}),
        json!({"action": "status", "headers": []}),
    ] {
        bench.blooio.post("/_sandbox/faults", bad).await.is(400);
    }
}

#[tokio::test]
async fn a_header_gives_every_attempt_its_fault() {
    let bench = bench();
    let headers = [("x-sandbox-fault", "drop_answer, status;status=503, pass"), ("idempotency-key", "k")];
    assert_eq!(send(&bench, &headers).await, None);
    assert_eq!(send(&bench, &headers).await.unwrap().0, 503);
    assert_eq!(send(&bench, &headers).await.unwrap().0, 200);
    assert_eq!(send(&bench, &headers).await.unwrap().0, 200);
    assert_eq!(received(&bench).await, 1);
    let other_key = [headers[0], ("idempotency-key", "other")];
    assert_eq!(send(&bench, &other_key).await, None);
    assert_eq!(send(&bench, &[("x-sandbox-fault", "nonsense")]).await.unwrap().0, 400);
}
