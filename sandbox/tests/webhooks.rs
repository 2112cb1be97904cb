//! Subscriptions and their deliveries, received by a server of our own.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "test code")]

mod common;

use std::sync::atomic::Ordering;
use std::time::Duration;

use common::contract::check_webhook;
use common::receiver::Receiver;
use common::{Bench, bench};
use serde_json::json;

const MESSAGES: &str = "/v2/api/chats/%2B15551234567/messages";

async fn send(bench: &Bench) -> String {
    bench.blooio.post(MESSAGES, json!({"text": "Hello"})).await.is(202).text("/message_id")
}

#[tokio::test]
async fn v2_tells_flat_and_signed() {
    let (bench, mut receiver) = (bench(), Receiver::start().await);
    let made = bench
        .blooio
        .post("/v2/api/webhooks", json!({"webhook_url": receiver.url, "webhook_type": "all"}))
        .await
        .is(201);
    let id = send(&bench).await;
    let deliveries = receiver.sorted(3).await;
    let names: Vec<&str> = deliveries.iter().map(|delivery| delivery.header("x-blooio-event")).collect();
    assert_eq!(names, ["message.delivered", "message.queued", "message.sent"]);
    for delivery in &deliveries {
        assert!(delivery.is_signed_with(&made.text("/signing_secret")));
        assert_eq!(delivery.header("x-blooio-message-id"), id);
        assert_eq!(
            (&delivery.body["message_id"], &delivery.body["event"]),
            (&json!(id), &json!(delivery.header("x-blooio-event")))
        );
        check_webhook("/v2/api", delivery.header("x-blooio-event"), &delivery.body);
    }
    let shown = bench.blooio.get(&format!("/v2/api/webhooks/{}", made.text("/webhook_id"))).await.is(200).body;
    assert_eq!((&shown["failure_count"], shown["last_triggered"].is_i64()), (&json!(0), true));
    assert!(!shown.to_string().contains("whsec_"));
}

#[tokio::test]
async fn v2_types_choose_events() {
    let (bench, mut receiver) = (bench(), Receiver::start().await);
    bench.blooio.post("/v2/api/webhooks", json!({"webhook_url": receiver.url})).await.is(201);
    let unheard = Receiver::start().await;
    bench.blooio.post("/v2/api/webhooks", json!({"webhook_url": unheard.url, "webhook_type": "poll"})).await.is(201);
    send(&bench).await;
    let names: Vec<String> =
        receiver.sorted(2).await.iter().map(|one| one.header("x-blooio-event").to_owned()).collect();
    assert_eq!(names, ["message.delivered", "message.sent"]);
    let mut unheard = unheard;
    unheard.nothing_for(Duration::from_millis(100)).await;
}

#[tokio::test]
async fn v2_groups_name_their_people() {
    let (bench, mut receiver) = (bench(), Receiver::start().await);
    bench.blooio.post("/v2/api/webhooks", json!({"webhook_url": receiver.url, "webhook_type": "status"})).await.is(201);
    bench.blooio.post("/v2/api/chats/%2B15551234567,%2B15559876543/messages", json!({"text": "Hi"})).await.is(202);
    let sent = receiver.next().await;
    check_webhook("/v2/api", "message.sent", &sent.body);
    assert_eq!((&sent.body["is_group"], sent.body["participants"].as_array().unwrap().len()), (&json!(true), 2));
}

#[tokio::test]
async fn v2_subscriptions_are_known_by_url_and_end_when_deleted() {
    let (bench, mut receiver) = (bench(), Receiver::start().await);
    let client = &bench.blooio;
    let made = client.post("/v2/api/webhooks", json!({"webhook_url": receiver.url})).await.is(201);
    let path = format!("/v2/api/webhooks/{}", made.text("/webhook_id"));
    let known = client.post("/v2/api/webhooks", json!({"webhook_url": receiver.url})).await.is(200);
    assert_eq!(known.text("/webhook_id"), made.text("/webhook_id"));
    assert!(!known.body.to_string().contains("whsec_"));
    assert_eq!(client.get("/v2/api/webhooks").await.is(200).body["webhooks"].as_array().unwrap().len(), 1);

    client.send("PATCH", &path, json!({"deprecate": true})).await.is(200);
    assert_eq!(client.get(&path).await.is(200).body["is_active"], false);
    send(&bench).await;
    receiver.nothing_for(Duration::from_millis(600)).await;
    client.send("PATCH", &path, json!({"deprecate": false, "webhook_type": "status"})).await.is(200);
    send(&bench).await;
    receiver.sorted(2).await;

    client.delete(&path).await.is(200);
    client.get(&path).await.is(404);
    client.delete(&path).await.is(404);
    send(&bench).await;
    receiver.nothing_for(Duration::from_millis(600)).await;
}

#[tokio::test]
async fn a_rotated_secret_is_the_only_one() {
    let (bench, mut receiver) = (bench(), Receiver::start().await);
    let client = &bench.blooio;
    let v2 = client.post("/v2/api/webhooks", json!({"webhook_url": receiver.url})).await.is(201);
    let rotated =
        client.post(&format!("/v2/api/webhooks/{}/secret/rotate", v2.text("/webhook_id")), json!({})).await.is(200);
    assert_eq!(rotated.body["rotation_count"], 1);
    send(&bench).await;
    let sent = receiver.next().await;
    assert!(sent.is_signed_with(&rotated.text("/signing_secret")));
    assert!(!sent.is_signed_with(&v2.text("/signing_secret")));
    client.delete(&format!("/v2/api/webhooks/{}", v2.text("/webhook_id"))).await.is(200);

    let v4 = client.post("/v4/webhooks", json!({"url": receiver.url})).await.is(201);
    let path = format!("/v4/webhooks/{}/secret/rotate", v4.text("/data/id"));
    let rotated = client.raw("POST", &path, &[], None).await.is(200);
    assert_ne!(rotated.text("/data/signing_secret"), v4.text("/data/signing_secret"));
}

#[tokio::test]
async fn v4_tells_in_envelopes() {
    let (bench, mut receiver) = (bench(), Receiver::start().await);
    let made = bench.blooio.post("/v4/webhooks", json!({"url": receiver.url})).await.is(201);
    let sent = bench.blooio.post("/v4/messages", json!({"to": "+15551234567", "text": "Hello"})).await.is(201);
    for delivery in receiver.sorted(3).await {
        let event = delivery.header("x-blooio-event").to_owned();
        assert!(delivery.is_signed_with(&made.text("/data/signing_secret")));
        assert_eq!(delivery.header("x-blooio-webhook"), made.text("/data/id"));
        assert_eq!(delivery.header("x-blooio-version"), "2026-10-01");
        assert!(delivery.header("x-blooio-delivery").starts_with("wdel_"));
        assert_eq!((&delivery.body["type"], &delivery.body["data"]["message_id"]), (&json!(event), &sent.body["id"]));
        assert_eq!(delivery.body["data"]["recipient"], "+15551234567");
        check_webhook("/v4", &event, &delivery.body);
    }
}

#[tokio::test]
async fn v4_selectors_and_channels_narrow() {
    let (bench, mut receiver) = (bench(), Receiver::start().await);
    let client = &bench.blooio;
    let body = json!({"url": receiver.url, "event_types": ["message.delivered"], "channel_type": "twilio", "api_version": "2026-09-01"});
    client.post("/v4/webhooks", body).await.is(201);
    client.post("/v4/messages", json!({"to": "+15551234567", "text": "Hello"})).await.is(201);
    client.post("/v4/messages", json!({"to": "+15551234567", "text": "Hello", "from": "alerts"})).await.is(201);
    let delivered = receiver.next().await.body;
    assert_eq!(
        (&delivered["event"], &delivered["data"]["channel_type"]),
        (&json!("message.delivered"), &json!("twilio"))
    );
    receiver.nothing_for(Duration::from_millis(100)).await;
}

#[tokio::test]
async fn v4_subscriptions_are_kept_like_any_resource() {
    let bench = bench();
    let client = &bench.blooio;
    let made = client
        .post("/v4/webhooks", json!({"url": "https://example.com/hook", "event_types": ["message.*"]}))
        .await
        .is(201);
    let path = format!("/v4/webhooks/{}", made.text("/data/id"));
    assert_eq!(client.get(&path).await.is(200).body["data"]["event_types"], json!(["message.*"]));
    assert_eq!(client.get("/v4/webhooks").await.is(200).body["data"].as_array().unwrap().len(), 1);
    assert_eq!(
        client.send("PATCH", &path, json!({"status": "disabled"})).await.is(200).text("/data/status"),
        "disabled"
    );
    client.send("PATCH", &path, json!({})).await.is(422);
    client.get("/v4/webhooks/versions").await.is(200);
    client.delete(&path).await.is(200);
    client.get(&path).await.is(404);
    for body in [
        json!({}),
        json!({"url": "ftp://example.com"}),
        json!({"url": "http://example.com"}),
        json!({"url": "x"}),
        json!({"url": "https://example.com", "api_version": "1"}),
        json!({"url": "https://example.com", "event_types": [1]}),
    ] {
        client.post("/v4/webhooks", body).await.is(422);
    }
}

#[tokio::test]
async fn urls_beyond_loopback_are_kept_and_never_called() {
    let bench = bench();
    let client = &bench.blooio;
    for (url, status) in [
        ("https://example.com/mywebhook", 201),
        ("http://example.com/mywebhook", 400),
        ("http://127.0.0.1.example.com/", 400),
        ("not a url", 400),
        ("http://[::1]:9/hook", 201),
        ("http://localhost:9/hook", 201),
    ] {
        client.post("/v2/api/webhooks", json!({"webhook_url": url})).await.is(status);
    }
    client
        .post("/v2/api/webhooks", json!({"webhook_url": "https://example.com", "webhook_type": "gossip"}))
        .await
        .is(400);
    send(&bench).await;
}

#[tokio::test]
async fn sixty_four_are_enough() {
    let bench = bench();
    for index in 0..64 {
        bench
            .blooio
            .post("/v2/api/webhooks", json!({"webhook_url": format!("https://example.com/{index}")}))
            .await
            .is(201);
    }
    bench.blooio.post("/v2/api/webhooks", json!({"webhook_url": "https://example.com/more"})).await.is(409);
    bench.blooio.post("/v4/webhooks", json!({"url": "https://example.com/more"})).await.is(409);
}

#[tokio::test]
async fn a_refused_delivery_counts_as_a_failure() {
    let (bench, mut receiver) = (bench(), Receiver::start().await);
    receiver.status.store(500, Ordering::SeqCst);
    let made = bench.blooio.post("/v2/api/webhooks", json!({"webhook_url": receiver.url})).await.is(201);
    send(&bench).await;
    receiver.sorted(2).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    let shown = bench.blooio.get(&format!("/v2/api/webhooks/{}", made.text("/webhook_id"))).await.is(200).body;
    assert_eq!(shown["failure_count"], 2);
}

#[tokio::test]
async fn an_expired_subscription_hears_nothing() {
    let (bench, mut receiver) = (bench(), Receiver::start().await);
    let client = &bench.blooio;
    let now =
        client.send("PUT", "/_sandbox/clock", json!({"frozen": true})).await.is(200).body["now"].as_i64().unwrap();
    let body = json!({"webhook_url": receiver.url, "webhook_type": "all", "valid_until": now + 1000});
    let made = client.post("/v2/api/webhooks", body).await.is(201).text("/webhook_id");
    send(&bench).await;
    assert_eq!(receiver.next().await.header("x-blooio-event"), "message.queued");
    client.post("/_sandbox/clock/advance", json!({"ms": 2000})).await.is(200);
    receiver.sorted(2).await;
    assert_eq!(client.get(&format!("/v2/api/webhooks/{made}")).await.is(200).body["is_active"], false);
    send(&bench).await;
    client.post("/_sandbox/clock/advance", json!({"ms": 2000})).await.is(200);
    receiver.nothing_for(Duration::from_millis(50)).await;
}

#[tokio::test]
async fn every_attempt_is_signed_anew() {
    let (bench, mut receiver) = (bench(), Receiver::start().await);
    let client = &bench.blooio;
    client.send("PUT", "/_sandbox/clock", json!({"frozen": true})).await.is(200);
    receiver.status.store(500, Ordering::SeqCst);
    let made =
        client.post("/v4/webhooks", json!({"url": receiver.url, "event_types": ["message.queued"]})).await.is(201);
    send(&bench).await;
    let first = receiver.next().await;
    let rotate = format!("/v4/webhooks/{}/secret/rotate", made.text("/data/id"));
    let rotated = client.raw("POST", &rotate, &[], None).await.is(200).text("/data/signing_secret");
    receiver.status.store(200, Ordering::SeqCst);
    client.post("/_sandbox/clock/advance", json!({"ms": 30_000})).await.is(200);
    let second = receiver.next().await;
    assert_eq!(first.raw, second.raw);
    assert!(first.has_digest_of(&made.text("/data/signing_secret")) && second.has_digest_of(&rotated));
    assert_eq!(second.signed_at() - first.signed_at(), 30);
}

#[tokio::test]
async fn deliveries_come_out_of_order_on_request() {
    let bench = bench();
    let client = &bench.blooio;
    client.send("PUT", "/_sandbox/clock", json!({"frozen": true})).await.is(200);
    client.send("PUT", "/_sandbox/switches", json!({"out_of_order_webhooks": true})).await.is(200);
    let receiver = Receiver::start().await;
    client.post("/v4/webhooks", json!({"url": receiver.url})).await.is(201);
    for _ in 0..5 {
        send(&bench).await;
    }
    client.post("/_sandbox/clock/advance", json!({"ms": 2000})).await.is(200);
    let log = client.get("/_sandbox/deliveries").await.is(200).body;
    let rows = log["deliveries"].as_array().unwrap();
    let sent: Vec<i64> = rows.iter().map(|row| row["attempts"][0]["at"].as_i64().unwrap()).collect();
    assert_eq!(sent.len(), 15);
    assert!(!sent.is_sorted(), "{sent:?}");
}

#[tokio::test]
async fn waits_between_attempts_can_be_scaled_away() {
    let (bench, mut receiver) = (bench(), Receiver::start().await);
    let client = &bench.blooio;
    receiver.status.store(500, Ordering::SeqCst);
    let switches = json!({"webhook_time_scale": 0, "event_filtering": false});
    client.send("PUT", "/_sandbox/switches", switches).await.is(200);
    client.post("/v4/webhooks", json!({"url": receiver.url, "event_types": ["poll.*"]})).await.is(201);
    client.send("PUT", "/_sandbox/clock", json!({"frozen": true})).await.is(200);
    send(&bench).await;
    // Selectors choose nothing now, and six attempts follow each other at once.
    for delivery in receiver.sorted(6).await {
        assert_eq!(delivery.header("x-blooio-event"), "message.queued");
    }
    receiver.nothing_for(Duration::from_millis(50)).await;
}
