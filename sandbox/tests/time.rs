//! The clock, and what happens when it moves.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "test code")]

mod common;

use std::sync::atomic::Ordering;

use common::receiver::Receiver;
use common::{Bench, bench};
use serde_json::json;

const MESSAGES: &str = "/v2/api/chats/%2B15551234567/messages";
const NOON_MS: i64 = 1_795_000_000_000;

async fn frozen(bench: &Bench) {
    bench.blooio.send("PUT", "/_sandbox/clock", json!({"now": NOON_MS, "frozen": true})).await.is(200);
}

async fn advance(bench: &Bench, ms: i64) {
    bench.blooio.post("/_sandbox/clock/advance", json!({"ms": ms})).await.is(200);
}

async fn status(bench: &Bench, id: &str) -> String {
    bench.blooio.get(&format!("{MESSAGES}/{id}/status")).await.is(200).text("/status")
}

#[tokio::test]
async fn frozen_time_stands_still_until_it_is_moved() {
    let bench = bench();
    frozen(&bench).await;
    let id = bench.blooio.post(MESSAGES, json!({"text": "Hello"})).await.is(202).text("/message_id");
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    assert_eq!(status(&bench, &id).await, "queued");
    advance(&bench, 200).await;
    assert_eq!(status(&bench, &id).await, "sent");
    advance(&bench, 200).await;
    assert_eq!(status(&bench, &id).await, "delivered");
    let row = bench.blooio.get(&format!("{MESSAGES}/{id}")).await.is(200).body;
    assert_eq!((&row["time_sent"], &row["time_delivered"]), (&json!(NOON_MS), &json!(NOON_MS + 400)));
    let clock = bench.blooio.get("/_sandbox/clock").await.is(200);
    assert_eq!(clock.body, json!({"now": NOON_MS + 400, "frozen": true}));
    assert_eq!(clock.header("x-ratelimit-limit"), None);
    assert_eq!(bench.blooio.get("/v4/me").await.is(200).header("date"), Some("Wed, 18 Nov 2026 11:06:40 GMT"));
    for bad in [json!({"now": -1}), json!({"now": "noon"}), json!({"frozen": 1})] {
        bench.blooio.send("PUT", "/_sandbox/clock", bad).await.is(400);
    }
    bench.blooio.post("/_sandbox/clock/advance", json!({})).await.is(400);
}

#[tokio::test]
async fn the_retry_ladder_runs_in_sandbox_time() {
    let (bench, mut receiver) = (bench(), Receiver::start().await);
    frozen(&bench).await;
    receiver.status.store(500, Ordering::SeqCst);
    let body = json!({"webhook_url": receiver.url, "webhook_type": "status"});
    bench.blooio.post("/v2/api/webhooks", body).await.is(201);
    bench.blooio.post(MESSAGES, json!({"text": "Hello"})).await.is(202);
    advance(&bench, 20 * 60_000).await;
    receiver.sorted(12).await;
    let log = bench.blooio.get("/_sandbox/deliveries").await.is(200).body;
    let sent = log["deliveries"].as_array().unwrap().iter().find(|row| row["event"] == "message.sent").unwrap();
    assert_eq!(sent["state"], "failed");
    let times: Vec<i64> = sent["attempts"].as_array().unwrap().iter().map(|one| one["at"].as_i64().unwrap()).collect();
    let offsets: Vec<i64> = times.iter().map(|at| (at - NOON_MS - 150) / 1000).collect();
    assert_eq!(offsets, [0, 30, 90, 210, 450, 930]);
}

#[tokio::test]
async fn reset_is_the_beginning_again() {
    let bench = bench();
    let before = bench.blooio.get("/v2/api/chats?limit=200").await.is(200).body;
    frozen(&bench).await;
    bench.blooio.post(MESSAGES, json!({"text": "Hello"})).await.is(202);
    bench.blooio.post("/_sandbox/faults", json!({"action": "status", "times": null})).await.is(201);
    bench.blooio.post("/_sandbox/reset", json!({})).await.is(200);
    assert_eq!(bench.blooio.get("/v2/api/chats?limit=200").await.is(200).body, before);
    assert_eq!(bench.blooio.get("/_sandbox/clock").await.is(200).body["frozen"], false);
    bench.blooio.post("/_sandbox/reset", json!({"seed": 9})).await.is(200);
    assert_ne!(bench.blooio.get("/v2/api/chats?limit=200").await.is(200).body, before);
}

#[tokio::test]
async fn requests_are_logged_with_what_became_of_them() {
    let bench = bench();
    bench.blooio.post_keyed(MESSAGES, "k-1", json!({"text": "Hello"})).await.is(202);
    let headers = [("x-sandbox-fault", "drop")];
    bench.blooio.request("GET", "/v4/me?x=1", &headers, None).send().await.unwrap_err();
    let log = bench.blooio.get("/_sandbox/requests").await.is(200).body["requests"].clone();
    assert_eq!((&log[0]["idempotency_key"], &log[0]["status"]), (&json!("k-1"), &json!(202)));
    assert_eq!((&log[0]["body"], &log[0]["fault"]), (&json!({"text": "Hello"}), &json!(false)));
    assert_eq!((&log[1]["target"], &log[1]["status"]), (&json!("/v4/me?x=1"), &json!(null)));
    assert_eq!(log[1]["fault"], true);
    assert!(!log.to_string().contains("bl_sandbox_"));
}

#[tokio::test]
async fn deliveries_beyond_this_machine_are_logged_as_not_sent() {
    let bench = bench();
    bench
        .blooio
        .post("/v2/api/webhooks", json!({"webhook_url": "https://example.com/hook", "webhook_type": "all"}))
        .await
        .is(201);
    bench.blooio.post(MESSAGES, json!({"text": "Hello"})).await.is(202);
    let log = bench.blooio.get("/_sandbox/deliveries").await.is(200).body;
    assert_eq!((&log["deliveries"][0]["state"], &log["deliveries"][0]["attempts"]), (&json!("not_sent"), &json!([])));
    assert_eq!(log["deliveries"][0]["body"]["event"], "message.queued");
}
