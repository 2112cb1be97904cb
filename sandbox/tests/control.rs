//! The control API, and the sandbox as a process part.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "test code")]

mod common;

use bloomchats_sandbox::{Options, Sandbox, StartError};
use common::bench;
use serde_json::json;

#[tokio::test]
async fn a_namespace_has_its_own_keys_and_state() {
    let bench = bench();
    let made = bench.blooio.without_key().send("POST", "/_sandbox/namespaces", json!({})).await.is(201);
    let other = bench.blooio.with_key("authorization", &format!("Bearer {}", made.text("/blooio_api_key")));
    let chat = "/v2/api/chats/%2B15551234567";
    bench.blooio.post(&format!("{chat}/messages"), json!({"text": "Hello"})).await.is(202);
    bench.blooio.get(chat).await.is(200);
    other.get(chat).await.is(404);
    let contacts = bench.bloomchats.with_key("x-api-key", &made.text("/bloomchats_api_key"));
    contacts.get("/api/contacts").await.is(200);
}

/// What one namespace is told while others are busy: the same as if it were alone.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn namespaces_in_parallel_know_nothing_of_each_other() {
    let bench = bench();
    let mut stories = Vec::new();
    for _ in 0..8 {
        let body = json!({"now": 1_795_000_000_000_i64, "frozen": true});
        let made = bench.blooio.post("/_sandbox/namespaces", body).await.is(201);
        let client = bench.blooio.with_key("authorization", &format!("Bearer {}", made.text("/blooio_api_key")));
        stories.push(tokio::spawn(async move {
            let mut seen = Vec::new();
            for index in 0..25 {
                let chat = format!("/v2/api/chats/%2B155512345{:02}/messages", index % 7);
                seen.push(client.post_keyed(&chat, &format!("k{index}"), json!({"text": "Hello"})).await.is(202).body);
                let body = json!({"to": "+15559876543", "text": format!("{index}")});
                seen.push(client.post("/v4/messages", body).await.is(201).body);
                client.post("/_sandbox/clock/advance", json!({"ms": 100})).await.is(200);
                seen.push(client.get("/v4/events?limit=5").await.is(200).body);
            }
            seen.push(client.get("/v2/api/chats?limit=200").await.is(200).body);
            seen.push(client.get("/_sandbox/requests").await.is(200).body);
            seen
        }));
    }
    let mut told = Vec::new();
    for story in stories {
        told.push(story.await.unwrap());
    }
    assert!(told.iter().all(|story| *story == told[0]));
    bench.blooio.get("/v2/api/chats/%2B15551234501").await.is(404);
}

#[tokio::test]
async fn the_seed_decides_a_namespace_s_data() {
    let bench = bench();
    let mut bodies = Vec::new();
    for seed in [7, 7, 8] {
        let made = bench.blooio.send("POST", "/_sandbox/namespaces", json!({"seed": seed})).await.is(201);
        let client = bench.blooio.with_key("authorization", &format!("Bearer {}", made.text("/blooio_api_key")));
        bodies.push(client.get("/v2/api/chats?limit=200").await.is(200).body);
    }
    assert_eq!(bodies[0], bodies[1]);
    assert_ne!(bodies[0], bodies[2]);
}

#[tokio::test]
async fn limits_are_for_the_calling_namespace_and_one_api() {
    let bench = bench();
    let made = bench.blooio.send("POST", "/_sandbox/namespaces", json!({})).await.is(201);
    let other = bench.blooio.with_key("authorization", &format!("Bearer {}", made.text("/blooio_api_key")));
    other.send("PUT", "/_sandbox/limits", json!({"api": "v2", "per_minute": 1})).await.is(200);
    assert_eq!(other.get("/v2/api/me").await.is(200).header("x-ratelimit-remaining"), Some("0"));
    let refused = other.get("/v2/api/me").await.is(429);
    assert_eq!((refused.code(), refused.body["error"].as_str()), (None, Some("ApiError")));
    assert!(refused.header("retry-after").unwrap().parse::<u64>().unwrap() <= 60);
    other.get("/v4/me").await.is(200);
    bench.blooio.get("/v2/api/me").await.is(200);
    other.send("PUT", "/_sandbox/limits", json!({"api": "v2", "per_minute": null})).await.is(200);
    other.get("/v2/api/me").await.is(200);

    let no_key = bench.blooio.without_key();
    no_key.send("PUT", "/_sandbox/limits", json!({"api": "v4", "per_minute": 0})).await.is(200);
    assert_eq!(bench.blooio.get("/v4/me").await.is(429).code(), Some("rate_limit_exceeded"));
    other.get("/v4/me").await.is(200);
}

#[tokio::test]
async fn control_refuses_what_it_does_not_know() {
    let bench = bench();
    for (method, path, body, status) in [
        ("PUT", "/_sandbox/limits", json!({"api": "v3", "per_minute": 1}), 400),
        ("PUT", "/_sandbox/limits", json!({"api": "v2", "per_minute": -1}), 400),
        ("PUT", "/_sandbox/limits", json!({"api": "v2", "per_minute": "many"}), 400),
        ("PUT", "/_sandbox/limits", json!([]), 400),
        ("POST", "/_sandbox/limits", json!({}), 405),
        ("POST", "/_sandbox/calendar", json!({}), 404),
        ("POST", "/other", json!({}), 404),
    ] {
        let answer = bench.blooio.send(method, path, body).await.is(status);
        assert_eq!(answer.body["status"], status);
    }
    let stranger = bench.blooio.with_key("authorization", "Bearer bl_sandbox_unknown");
    stranger.send("PUT", "/_sandbox/limits", json!({"api": "v2", "per_minute": 1})).await.is(401);
    for (name, value) in [("origin", "https://example.com"), ("host", "rebound.example.com")] {
        let answer = bench.blooio.raw("POST", "/_sandbox/namespaces", &[(name, value)], None).await;
        assert_eq!(answer.status, 403, "{name}");
    }
}

#[tokio::test]
async fn a_receiver_keeps_what_it_is_sent_and_answers_as_told() {
    let bench = bench();
    let made = bench.blooio.post("/_sandbox/receivers", json!({"status": 503})).await.is(201);
    let path = format!("/_sandbox/receivers/{}", made.text("/id"));
    assert!(made.text("/url").ends_with(&path));
    bench.blooio.without_key().post(&path, json!({"a":  1})).await.is(503);
    bench.blooio.send("PUT", &path, json!({"status": 204})).await.is(200);
    let seen = bench.blooio.get(&path).await.is(200);
    assert_eq!(
        (seen.text("/received/0/body"), &seen.body["received"][0]["status"]),
        (r#"{"a":1}"#.into(), &json!(503))
    );
    assert_eq!(seen.body["status"], 204);
    bench.blooio.send("PUT", &path, json!({"status": 20})).await.is(400);
    let other = bench.blooio.post("/_sandbox/namespaces", json!({})).await.is(201);
    let stranger = bench.blooio.with_key("authorization", &format!("Bearer {}", other.text("/blooio_api_key")));
    for path in [&*path, "/_sandbox/receivers/0", "/_sandbox/receivers/x"] {
        stranger.get(path).await.is(404);
    }
}

#[tokio::test]
async fn an_inbox_shows_effects_and_polls() {
    let bench = bench();
    let chat = "/v2/api/chats/%2B15551234567";
    bench.blooio.post(&format!("{chat}/messages"), json!({"text": "Hello", "effect": "Invisible Ink"})).await.is(202);
    bench.blooio.post("/v4/messages", json!({"to": "+15551234567", "text": "Bye", "effect": "slam"})).await.is(201);
    bench.blooio.post(&format!("{chat}/polls"), json!({"title": "Tea?", "options": ["Yes", "No"]})).await.is(200);
    let inbox = bench.blooio.get("/_sandbox/phones/%2B15551234567/inbox").await.is(200).body;
    assert_eq!(inbox["messages"][0]["effect"], "invisible-ink");
    assert_eq!(inbox["messages"][1]["effect"], "slam");
    assert_eq!(inbox["messages"][2]["poll"], json!({"title": "Tea?", "options": ["Yes", "No"]}));
}

#[test]
fn a_port_in_use_is_said_and_a_stopped_one_is_free() {
    let first = Sandbox::start(Options::default()).unwrap();
    let port = first.url().rsplit(':').next().unwrap().parse().unwrap();
    let second = Sandbox::start(Options::default().port(port));
    assert!(matches!(second, Err(StartError::PortInUse(used)) if used == port));
    first.stop();
    Sandbox::start(Options::default().port(port)).unwrap().stop();
}

#[test]
fn the_same_seed_gives_the_same_keys() {
    let keys = |seed| {
        let sandbox = Sandbox::start(Options::default().seed(seed)).unwrap();
        (sandbox.blooio_api_key().to_owned(), sandbox.bloomchats_api_key().to_owned())
    };
    assert_eq!(keys(3), keys(3));
    assert_ne!(keys(3), keys(4));
    assert!(keys(3).0.starts_with("bl_sandbox_") && keys(3).1.starts_with("dmtb_sandbox_"));
}
