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

/// Control endpoints that leave the clock and the keys alone.
const CONTROL: [(&str, &str); 8] = [
    ("POST", "/_sandbox/inbound"),
    ("POST", "/_sandbox/faults"),
    ("PUT", "/_sandbox/faults"),
    ("PUT", "/_sandbox/switches"),
    ("PUT", "/_sandbox/lines/%2B12025550101"),
    ("PUT", "/_sandbox/limits"),
    ("POST", "/_sandbox/clock/advance"),
    ("GET", "/_sandbox/phones/x/inbox"),
];

/// Ids of things that exist, so that noise reaches beyond the first check.
async fn real_ids(bench: &common::Bench) -> Vec<String> {
    let client = &bench.blooio;
    let sent = client.post("/v4/messages", json!({"to": "+15551234567", "text": "Hello"})).await.is(201);
    let chat = client.get(&format!("/v4/chats/{}", sent.text("/chat_id"))).await.is(200);
    let poll = json!({"to": "+15551234567", "poll": {"title": "When?", "options": ["a", "b"]}});
    let poll = client.post("/v4/messages", poll).await.is(201);
    let group = client.post("/v4/messages", json!({"to": ["+15551234567", "a@b.co"], "text": "Hello"})).await.is(201);
    let webhook = client.post("/v4/webhooks", json!({"url": "https://example.com/hook"})).await.is(201);
    let flat = client.post("/v2/api/webhooks", json!({"webhook_url": "https://example.com/hook"})).await.is(201);
    let priority = json!({"channels": [sent.text("/channel_id")], "is_default": false});
    let priority = client.post("/v4/priorities", priority).await.is(201);
    vec![
        sent.text("/id"),
        sent.text("/chat_id"),
        sent.text("/channel_id"),
        chat.text("/data/contact_id"),
        chat.text("/data/identity_id"),
        poll.text("/id"),
        group.text("/group_id"),
        webhook.text("/data/id"),
        flat.text("/webhook_id"),
        priority.text("/data/id"),
    ]
}

/// Random requests over all operations: nothing but contract-conforming answers, and it still serves afterwards.
#[tokio::test]
async fn noise_never_breaks_it() {
    let bench = bench();
    let mut state = 1_u64;
    let mut below = |bound: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % bound
    };
    let values = [
        json!(null),
        json!(-1),
        json!(1e300),
        json!(""),
        json!("+15551234567"),
        json!([]),
        json!([[]]),
        json!({}),
        json!({"type": "text"}),
        json!(true),
    ];
    let names = [
        "text",
        "to",
        "content",
        "from",
        "attachments",
        "parts",
        "poll",
        "reply_to",
        "effect",
        "url",
        "webhook_url",
        "channel_id",
        "identifier",
        "dry_run",
        "event_types",
        "valid_until",
        "link_preview",
        "hybrid",
        "rich_link",
        "metadata",
        "reaction",
        "option_index",
        "options",
        "title",
        "tags",
        "name",
        "members",
        "channels",
        "source_contact_id",
        "state",
        "numbers",
        "number",
        "sharing",
        "priority_id",
    ];
    let mut segments: Vec<String> = [
        "%2B15551234567",
        "x",
        "%00",
        "%F0%9F%98%80",
        "grp_1",
        "a%40b.co,%2B15551234567",
        ",",
        "%2F",
        "-",
        "-1",
        "wh_1",
        "%2B12025550101",
        "alerts",
        "%2B15005550008",
    ]
    .map(str::to_owned)
    .to_vec();
    segments.extend(real_ids(&bench).await);
    let operations: Vec<(&str, String, String)> = CONTRACTS
        .iter()
        .flat_map(|contract| contract.operations().into_iter().map(|(method, path, _)| (contract.prefix, method, path)))
        .collect();
    for round in 0..6000 {
        let (prefix, method, template) = &operations[below(operations.len())];
        let filled: Vec<&str> = template
            .split('/')
            .map(|part| if part.starts_with('{') { segments[below(segments.len())].as_str() } else { part })
            .collect();
        let query = [
            "",
            "?limit=5&cursor=x",
            "?limit=&offset=99999999999999999999",
            "?sort=%ff&order=asc",
            "?offset=9223372036854775807",
        ];
        let path = format!("{prefix}{}{}", filled.join("/"), query[below(query.len())]);
        let body: serde_json::Map<_, _> = (0..below(4))
            .map(|_| (names[below(names.len())].to_owned(), values[below(values.len())].clone()))
            .collect();
        let client = if *prefix == "/api" { &bench.bloomchats } else { &bench.blooio };
        client.send(method, &path, body.into()).await;
        if round % 10 == 0 {
            let (method, path) = CONTROL[below(CONTROL.len())];
            let body = values[below(values.len())].clone();
            bench.blooio.send(method, path, json!({"from": body, "type": body, "ms": body, "action": body})).await;
        }
    }
    bench.blooio.get("/v2/api/me").await.is(200);
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
