//! BloomChats over real sockets.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "test code")]

mod common;

use common::bench;
use serde_json::json;

#[tokio::test]
async fn lists_some_hundred_contacts_the_same_for_the_same_seed() {
    let (one, other) = (bench(), bench());
    let contacts = one.bloomchats.get("/api/contacts").await.is(200);
    assert_eq!(contacts.body["data"].as_array().unwrap().len(), 250);
    assert_eq!(contacts.body, other.bloomchats.get("/api/contacts").await.body);
}

#[tokio::test]
async fn refuses_a_key_in_the_published_words() {
    let bench = bench();
    let expected =
        json!({"error": "invalid_api_key", "message": "The API key provided is invalid or expired.", "status": 401});
    for client in [bench.bloomchats.without_key(), bench.bloomchats.with_key("x-api-key", "dmtb_sandbox_other")] {
        assert_eq!(client.get("/api/contacts").await.is(401).body, expected);
    }
    let blooio_key = bench.bloomchats.with_key("x-api-key", bench.sandbox.blooio_api_key());
    blooio_key.get("/api/contacts").await.is(401);
}

#[tokio::test]
async fn a_live_key_is_told_to_use_a_sandbox_key_and_never_repeated() {
    let bench = bench();
    for (path, header, key) in [
        ("/api/contacts", "x-api-key", "dmtb_live_abc123xyz789"),
        ("/v2/api/me", "authorization", "Bearer bl_live_abc123xyz789"),
        ("/v4/me", "authorization", "Bearer bl_live_abc123xyz789"),
    ] {
        let answer = bench.blooio.with_key(header, key).get(path).await.is(401);
        assert!(answer.text("/message").contains("sandbox key"), "{}", answer.body);
        assert!(!answer.body.to_string().contains("abc123"));
    }
}

#[tokio::test]
async fn a_limit_refuses_in_the_published_words() {
    let bench = bench();
    let limit = json!({"api": "bloomchats", "per_minute": 2});
    bench.bloomchats.send("PUT", "/_sandbox/limits", limit).await.is(200);
    bench.bloomchats.get("/api/contacts").await.is(200);
    bench.bloomchats.get("/api/contacts").await.is(200);
    let refused = bench.bloomchats.get("/api/contacts").await.is(429);
    let wait = refused.body["retry_after"].as_u64().unwrap();
    assert!((1..=60).contains(&wait));
    assert_eq!(refused.header("retry-after"), Some(wait.to_string().as_str()));
    assert_eq!(
        refused.body,
        json!({
            "error": "rate_limit_exceeded",
            "message": format!("Rate limit exceeded. Retry after {wait} seconds."),
            "status": 429,
            "retry_after": wait,
        })
    );
}

#[tokio::test]
async fn unknown_paths_and_methods_get_its_error_shape() {
    let bench = bench();
    assert_eq!(bench.bloomchats.get("/api/flows").await.is(404).body["error"], "not_found");
    let answer = bench.bloomchats.post("/api/contacts", json!({})).await.is(405);
    assert_eq!((answer.header("allow"), &answer.body["error"]), (Some("GET"), &json!("method_not_allowed")));
}
