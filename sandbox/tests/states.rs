//! States a message can be in beside the usual ones, and what comes later by itself.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "test code")]

mod common;

use common::contract::check_webhook;
use common::{Bench, bench};
use serde_json::{Value, json};

const CHAT: &str = "/v2/api/chats/%2B15551234567";

async fn frozen(switches: Value) -> Bench {
    let bench = bench();
    bench.blooio.send("PUT", "/_sandbox/clock", json!({"frozen": true})).await.is(200);
    bench.blooio.send("PUT", "/_sandbox/switches", switches).await.is(200);
    bench
}

async fn advance(bench: &Bench, ms: i64) {
    bench.blooio.post("/_sandbox/clock/advance", json!({"ms": ms})).await.is(200);
}

#[tokio::test]
async fn pending_comes_between_queued_and_sent_where_it_is_switched_on() {
    let bench = frozen(json!({"pending_status": true})).await;
    let client = &bench.blooio;
    client.post("/v4/webhooks", json!({"url": "https://example.com/hook"})).await.is(201);
    let sent = client.post("/v4/messages", json!({"to": "+15551234567", "text": "Hello"})).await.is(201);
    let path = format!("/v4/chats/{}/messages/{}/status", sent.text("/chat_id"), sent.text("/id"));
    for (after, status) in [(0, "queued"), (100, "pending"), (100, "sent"), (300, "delivered")] {
        advance(&bench, after).await;
        assert_eq!(client.get(&path).await.is(200).text("/data/status"), status);
    }
    let log = client.get("/_sandbox/deliveries").await.is(200).body;
    let told = log["deliveries"].as_array().unwrap().iter().find(|one| one["event"] == "message.pending").unwrap();
    check_webhook("/v4", "message.pending", &told["body"]);
    let flat = client.post(&format!("{CHAT}/messages"), json!({"text": "Hello"})).await.is(202).text("/message_id");
    advance(&bench, 100).await;
    assert_eq!(client.get(&format!("{CHAT}/messages/{flat}/status")).await.is(200).text("/status"), "pending");
    assert_eq!(client.delete(&format!("{CHAT}/messages/{flat}")).await.is(200).body["cancelled"], true);
}

#[tokio::test]
async fn a_cancellation_is_requested_and_then_done() {
    let bench = frozen(json!({})).await;
    let client = &bench.blooio;
    let path = format!("{CHAT}/messages");
    let id = client.post(&path, json!({"text": "one"})).await.is(202).text("/message_id");
    let asked = client.delete(&format!("{path}/{id}")).await.is(200);
    assert_eq!((&asked.body["cancelled"], &asked.body["status"]), (&json!(true), &json!("cancellation_requested")));
    client.send("PUT", "/_sandbox/switches", json!({"v2_cancel_conflict": true})).await.is(200);
    for (after, status, words) in [
        (0, "cancellation_requested", "The message is being cancelled."),
        (60, "cancelled", "The message is cancelled."),
        (1000, "cancelled", "The message is cancelled."),
    ] {
        advance(&bench, after).await;
        assert_eq!(client.get(&format!("{path}/{id}/status")).await.is(200).text("/status"), status);
        let again = client.delete(&format!("{path}/{id}")).await.is(200);
        assert_eq!((&again.body["cancelled"], &again.body["status"]), (&json!(true), &json!(status)));
        assert_eq!(again.text("/message"), words);
    }
    // v4 has no cancelling.
    let chat = client.get("/v4/chats?limit=1").await.is(200).text("/data/0/id");
    let seen = client.get(&format!("/v4/chats/{chat}/messages")).await.is(200);
    assert_eq!((seen.text("/data/0/status"), seen.text("/data/0/error/code")), ("failed".into(), "cancelled".into()));

    let late = client.post(&path, json!({"text": "two"})).await.is(202).text("/message_id");
    advance(&bench, 1000).await;
    client.delete(&format!("{path}/{late}")).await.is(409);
}

#[tokio::test]
async fn a_newer_vote_supersedes_the_row_of_the_older_one() {
    let bench = frozen(json!({})).await;
    let client = &bench.blooio;
    let poll = json!({"to": "+15551234567", "poll": {"title": "When?", "options": ["a", "b"]}});
    let sent = client.post("/v4/messages", poll).await.is(201);
    let chat = format!("/v4/chats/{}", sent.text("/chat_id"));
    let vote = format!("{chat}/polls/{}/vote", sent.text("/id"));
    let first = client.post(&vote, json!({"option_index": 0})).await.is(201).text("/data/id");
    let second = client.post(&vote, json!({"option_index": 1})).await.is(201).text("/data/id");
    for (id, status) in [(first, "superseded"), (second, "sent")] {
        assert_eq!(client.get(&format!("{chat}/messages/{id}")).await.is(200).text("/data/status"), status);
    }
    let listed = client.get(&format!("{chat}/messages")).await.is(200).body;
    assert_eq!(listed["data"].as_array().unwrap().len(), 1);
    let inbox = client.get("/_sandbox/phones/%2B15551234567/inbox").await.is(200);
    assert_eq!(inbox.body["count"], 1);
}

#[tokio::test]
async fn locations_follow_their_refresh_after_a_while() {
    let bench = frozen(json!({})).await;
    let client = &bench.blooio;
    let updated = |body: Value| body["friends"][0]["last_updated"].as_i64().unwrap();
    let before = updated(client.get("/v2/api/location/contacts").await.is(200).body);
    let asked = client.raw("POST", "/v2/api/location/contacts/refresh", &[], None).await.is(200).body;
    assert_eq!(updated(asked), before);
    advance(&bench, 14_000).await;
    assert_eq!(updated(client.get("/v2/api/location/contacts").await.is(200).body), before);
    advance(&bench, 7_000).await;
    assert!(updated(client.get("/v2/api/location/contacts").await.is(200).body) > before);
}

#[tokio::test]
async fn capabilities_are_kept_for_a_day() {
    let bench = frozen(json!({})).await;
    let path = "/v2/api/contacts/%2B15551234567/capabilities";
    let checked = || async { bench.blooio.get(path).await.is(200).body["last_checked"].as_i64().unwrap() };
    let first = checked().await;
    advance(&bench, 3_600_000).await;
    assert_eq!(checked().await, first);
    advance(&bench, 24 * 3_600_000).await;
    assert!(checked().await > first);
    for line in ["%2B12025550101", "%2B12025550102"] {
        bench.blooio.send("PUT", &format!("/_sandbox/lines/{line}"), json!({"status": "suspended"})).await.is(200);
    }
    bench.blooio.get("/v2/api/contacts/%2B15559999999/capabilities").await.is(503);
}
