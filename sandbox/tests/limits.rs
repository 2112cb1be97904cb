//! Plans, safety, conversations and magic recipients.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "test code")]

mod common;

use common::{Bench, bench};
use serde_json::{Value, json};

const NEW: &str = "/v2/api/chats/%2B15551234567/messages";

async fn switched(switches: Value) -> Bench {
    let bench = bench();
    bench.blooio.send("PUT", "/_sandbox/switches", switches).await.is(200);
    bench
}

/// The refusal of a text on both APIs.
async fn refused(bench: &Bench, status: u16, code: Option<&str>) {
    let answer = bench.blooio.post(NEW, json!({"text": "Hello"})).await.is(status);
    assert_eq!(answer.code(), code);
    if status != 402 {
        let body = json!({"to": "+15551234567", "text": "Hello"});
        let answer = bench.blooio.post("/v4/messages", body).await.is(status);
        code.into_iter().for_each(|code| assert_eq!(answer.code(), Some(code)));
    }
}

async fn hears(bench: &Bench, what: Value) {
    bench.blooio.post("/_sandbox/inbound", what).await.is(201);
}

#[tokio::test]
async fn plans_cap_what_is_sent() {
    refused(&switched(json!({"plan": "inbound"})).await, 403, Some("inbound_only_no_prior_inbound")).await;
    refused(&switched(json!({"outbound_limit": 0})).await, 429, Some("outbound_limit_reached")).await;
    refused(&switched(json!({"new_conversations_per_day": 0})).await, 429, Some("new_conversation_limit_reached"))
        .await;
    refused(&switched(json!({"trial_messages": 0})).await, 402, None).await;

    let bench = bench();
    let both = "/v2/api/chats/%2B15551234567,%2B15559876543/messages";
    let group = bench.blooio.post(both, json!({"text": "Hello"})).await.is(202).text("/group_id");
    bench.blooio.send("PUT", "/_sandbox/switches", json!({"plan": "inbound"})).await.is(200);
    hears(&bench, json!({"from": "+15551234567", "text": "Hi"})).await;
    let refused = bench.blooio.post(both, json!({"text": "Hello"})).await.is(403);
    assert_eq!((&refused.body["external_id"], refused.body["allocation_id"].is_string()), (&json!(group), true));
    hears(&bench, json!({"from": "+15551234567", "group_id": group, "text": "Hi all"})).await;
    bench.blooio.post(both, json!({"text": "Hello"})).await.is(202);

    let bench = switched(json!({"plan": "inbound", "new_conversations_per_day": 1})).await;
    hears(&bench, json!({"from": "+15551234567", "text": "Hi"})).await;
    bench.blooio.post(NEW, json!({"text": "Hello"})).await.is(202);
    let bench = switched(json!({"new_conversations_per_day": 1})).await;
    bench.blooio.post(NEW, json!({"text": "Hello"})).await.is(202);
    bench.blooio.post(NEW, json!({"text": "Hello again"})).await.is(202);
    let refused = bench.blooio.post("/v2/api/chats/%2B15551234568/messages", json!({"text": "Hello"})).await.is(429);
    assert_eq!((&refused.body["cap"], &refused.body["current"]), (&json!(1), &json!(1)));
}

#[tokio::test]
async fn the_safety_system_stops_lines() {
    for (action, code) in [
        ("review", "safety_account_review"),
        ("reply_only", "safety_reply_only"),
        ("pause_new", "safety_new_conversations_paused"),
    ] {
        let bench = switched(json!({"safety_action": action})).await;
        refused(&bench, 403, Some(code)).await;
        hears(&bench, json!({"from": "+15551234567", "text": "Hi"})).await;
        let status = if action == "review" { 403 } else { 202 };
        bench.blooio.post(NEW, json!({"text": "Hello"})).await.is(status);
        let events = bench.blooio.get("/v4/events?type=safety.state_changed").await.is(200);
        assert_eq!(events.body["data"][0]["data"]["action"], action);
    }
}

#[tokio::test]
async fn conversations_wait_for_the_other_side() {
    let bench = switched(json!({"conversation_limits": true})).await;
    let link = json!({"text": "See https://example.com"});
    let refused = bench.blooio.post(NEW, link.clone()).await.is(403);
    assert_eq!(refused.code(), Some("conversation_content_restricted"));
    for _ in 0..3 {
        bench.blooio.post(NEW, json!({"text": "Hello"})).await.is(202);
    }
    let refused = bench.blooio.post(NEW, json!({"text": "Hello"})).await.is(429);
    assert_eq!(refused.code(), Some("conversation_awaiting_reply"));
    hears(&bench, json!({"from": "+15551234567", "text": "Hi"})).await;
    bench.blooio.post(NEW, link.clone()).await.is(202);
    for _ in 0..3 {
        bench.blooio.post(NEW, json!({"text": "Hello"})).await.is(202);
    }
    let refused = bench.blooio.post(NEW, json!({"text": "Hello"})).await.is(429);
    assert_eq!(refused.code(), Some("conversation_streak_limit"));

    bench.blooio.post("/_sandbox/clock/advance", json!({"ms": 15 * 24 * 3_600_000_i64})).await.is(200);
    assert_eq!(bench.blooio.post(NEW, link).await.is(403).code(), Some("conversation_content_restricted"));
    bench.blooio.post(NEW, json!({"text": "Still there?"})).await.is(202);
    let refused = bench.blooio.post(NEW, json!({"text": "Hello?"})).await.is(429);
    assert_eq!(refused.code(), Some("conversation_inactive_paused"));

    hears(&bench, json!({"from": "+15551234567", "type": "reaction", "reaction": "+love"})).await;
    bench.blooio.post(NEW, json!({"text": "You are!"})).await.is(202);
    let link = bench.blooio.post(NEW, json!({"text": "See https://example.com"})).await.is(403);
    assert_eq!(link.code(), Some("conversation_content_restricted"));
    hears(&bench, json!({"from": "+15551234567", "text": "Hi"})).await;
    bench.blooio.post(NEW, json!({"text": "See https://example.com"})).await.is(202);
}

/// What is refused has made neither a contact nor a chat.
#[tokio::test]
async fn polls_are_capped_as_texts_are() {
    for (switches, status) in [
        (json!({"plan": "inbound"}), 403),
        (json!({"outbound_limit": 0}), 429),
        (json!({"trial_messages": 0}), 402),
        (json!({"safety_action": "review"}), 403),
    ] {
        let bench = switched(switches).await;
        for people in ["%2B15551234567", "%2B15551234567,%2B15559876543"] {
            assert_eq!(poll(&bench, people).await, status);
            bench.blooio.get(&format!("/v2/api/chats/{people}")).await.is(404);
        }
        bench.blooio.get("/v2/api/contacts/%2B15551234567").await.is(404);
    }
    let bench = switched(json!({"trial_messages": 1})).await;
    assert_eq!((poll(&bench, "%2B15551234567").await, poll(&bench, "%2B15551234567").await), (200, 402));
}

/// The status alone: the contract has 402 and 403 for texts only.
async fn poll(bench: &Bench, people: &str) -> u16 {
    let body = json!({"title": "When?", "options": ["a", "b"]}).to_string().into_bytes();
    let request = bench.blooio.request("POST", &format!("/v2/api/chats/{people}/polls"), &[], Some(body));
    request.send().await.unwrap().status().as_u16()
}

#[tokio::test]
async fn magic_recipients_fare_as_their_table_says() {
    for (number, status, protocol) in [
        ("+15005550001", "failed", "unknown"),
        ("+15005550002", "failed", "unknown"),
        ("+15005550003", "sent", "pending"),
        ("+15005550004", "queued", "pending"),
        ("+15005550005", "delivered", "sms"),
        ("+15005550006", "sent", "rcs"),
        ("+15005550008", "failed", "unknown"),
        ("+15005550009", "read", "imessage"),
        ("+15005550013", "delivered", "imessage"),
    ] {
        let bench = bench();
        bench.blooio.send("PUT", "/_sandbox/clock", json!({"frozen": true})).await.is(200);
        let sent = bench.blooio.post("/v4/messages", json!({"to": number, "text": "Hello"})).await.is(201);
        assert_eq!(sent.text("/status") == "failed", number == "+15005550008", "{number}");
        bench.blooio.post("/_sandbox/clock/advance", json!({"ms": 60_000})).await.is(200);
        let path = format!("/v4/chats/{}/messages/{}/status", sent.text("/chat_id"), sent.text("/id"));
        let shown = bench.blooio.get(&path).await.is(200);
        assert_eq!(
            (shown.text("/data/status"), shown.text("/data/protocol")),
            (status.to_owned(), protocol.to_owned()),
            "{number}"
        );
    }
    let bench = bench();
    for (number, status) in [("%2B15005550010", 403), ("%2B15005550011", 502), ("%2B15005550012", 503)] {
        bench.blooio.post(&format!("/v2/api/chats/{number}/messages"), json!({"text": "Hello"})).await.is(status);
    }
    let begun = std::time::Instant::now();
    bench.blooio.post("/v2/api/chats/%2B15005550007/messages", json!({"text": "Hello"})).await.is(202);
    assert!(begun.elapsed().as_secs() >= 3);
}

#[tokio::test]
async fn switches_are_named_and_checked() {
    let bench = bench();
    let all = bench.blooio.get("/_sandbox/switches").await.is(200).body;
    assert_eq!((&all["send_status"], &all["conversation_limits"]), (&json!(201), &json!(false)));
    for bad in [json!({"plan": "gold"}), json!({"send_status": 204}), json!({"no_such": 1}), json!({"enterprise": 1})] {
        bench.blooio.send("PUT", "/_sandbox/switches", bad).await.is(400);
    }
    let made =
        bench.blooio.post("/_sandbox/namespaces", json!({"switches": {"v2_webhooks_closed": true}})).await.is(201);
    let other = bench.blooio.with_key("authorization", &format!("Bearer {}", made.text("/blooio_api_key")));
    other.post("/v2/api/webhooks", json!({"webhook_url": "https://example.com/"})).await.is(410);
    bench.blooio.post("/v2/api/webhooks", json!({"webhook_url": "https://example.com/"})).await.is(201);
}
