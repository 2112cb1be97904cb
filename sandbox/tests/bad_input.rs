//! Whatever arrives, a documented error body leaves.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "test code")]

mod common;

use common::bench;
use common::contract::CONTRACTS;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// The routing table and the contracts are the same list.
#[tokio::test]
async fn every_operation_of_the_contracts_is_known() {
    let bench = bench();
    for contract in CONTRACTS.iter() {
        let client = if contract.prefix == "/api" { &bench.bloomchats } else { &bench.blooio };
        for (method, template, _) in contract.operations() {
            let path = template.replace("{chatId}", "%2B15550001111").replace(['{', '}'], "");
            let answer = client.send(&method, &format!("{}{path}", contract.prefix), json!({})).await;
            assert_ne!(answer.status, 405, "{method} {template}");
            assert!(!answer.body.to_string().contains("No such endpoint"), "{method} {template}");
            if answer.status == 501 {
                let body = answer.body.to_string();
                assert!(body.contains("Coming soon") || body.contains("not_implemented"), "{body}");
            }
        }
    }
    assert_eq!(bench.blooio.get("/v4/templates").await.is(501).body["error"]["details"]["resource"], "templates.list");
    assert_eq!(bench.blooio.post("/v2/api/facetime/calls", json!({})).await.is(501).body["error"], "Coming soon");
}

#[tokio::test]
async fn unknown_paths_and_wrong_methods() {
    let bench = bench();
    for prefix in ["/v2/api", "/v4", "/api"] {
        let client = if prefix == "/api" { &bench.bloomchats } else { &bench.blooio };
        for path in ["", "/", "/nothing", "/me/", "/chats//messages", "/chats/%00/x/y/z"] {
            client.get(&format!("{prefix}{path}")).await.is(404);
        }
        client.without_key().get(&format!("{prefix}/nothing")).await.is(401);
    }
    let answer = bench.blooio.send("PUT", "/v4/messages", json!({})).await.is(405);
    assert_eq!(answer.header("allow"), Some("POST"));
    bench.blooio.send("TRACE", "/v2/api/me", json!({})).await.is(405);
}

#[tokio::test]
async fn bodies_that_are_no_json() {
    let bench = bench();
    let deep = [b"[".repeat(100_000), b"]".repeat(100_000)].concat();
    let bodies: [Option<Vec<u8>>; 8] = [
        None,
        Some(Vec::new()),
        Some(b"{".to_vec()),
        Some(b"{\"text\": \"a\"} trailing".to_vec()),
        Some(b"\xff\xfe".to_vec()),
        Some(br#"{"text": "\ud800"}"#.to_vec()),
        Some(br#"{"text": NaN}"#.to_vec()),
        Some(deep),
    ];
    for body in bodies {
        for path in
            ["/v2/api/chats/%2B15551234567/messages", "/v4/messages", "/v4/chats", "/v4/webhooks", "/v2/api/webhooks"]
        {
            bench.blooio.raw("POST", path, &[], body.clone()).await.is(400);
        }
    }
}

#[tokio::test]
async fn a_body_beyond_the_cap_is_413_and_the_next_request_goes_through() {
    let bench = bench();
    let body = json!({"to": "+15551234567", "text": "x".repeat(13 * 1024 * 1024)}).to_string().into_bytes();
    bench.blooio.raw("POST", "/v4/messages", &[], Some(body)).await.is(413);
    bench.blooio.get("/v4/me").await.is(200);
}

#[tokio::test]
async fn bytes_that_are_no_request_end_their_connection_only() {
    let bench = bench();
    let address = bench.sandbox.url().replace("http://", "");
    for noise in [
        &b"\x16\x03\x01\x02\x00\x01\x00"[..],
        b"GET\r\n\r\n",
        b"POST /v4/messages HTTP/1.1\r\ncontent-length: -1\r\n\r\n",
    ] {
        let mut stream = tokio::net::TcpStream::connect(&address).await.unwrap();
        stream.write_all(noise).await.unwrap();
        stream.shutdown().await.unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
    }
    bench.blooio.get("/v4/me").await.is(200);
}
