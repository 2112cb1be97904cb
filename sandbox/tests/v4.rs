//! Blooio v4 over real sockets.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "test code")]

mod common;

use std::time::Duration;

use common::{Client, bench};
use serde_json::{Value, json};

const ROUTED: &str = "/v4/messages";
const SOMEONE: &str = "+15551234567";
/// Belongs to WhatsApp and RCS both.
const SHARED_NUMBER: &str = "+12025550199";

async fn channel(client: &Client, kind: &str) -> String {
    client.get(&format!("/v4/channels?type={kind}")).await.is(200).text("/data/0/id")
}

#[tokio::test]
async fn a_chat_is_opened_once() {
    let bench = bench();
    let line = channel(&bench.blooio, "blooio").await;
    let first = bench.blooio.post("/v4/chats", json!({"channel_id": line, "to": SOMEONE})).await.is(201);
    assert_eq!(first.body["created"], true);
    let again =
        bench.blooio.post("/v4/chats", json!({"channel_id": line, "to": {"identifier": SOMEONE}})).await.is(200);
    assert_eq!((&again.body["created"], &again.body["id"]), (&json!(false), &first.body["id"]));
    let chat = bench.blooio.get(&format!("/v4/chats/{}", first.text("/id"))).await.is(200);
    assert_eq!(chat.body["data"]["last_message_at"], Value::Null);
    for body in [
        json!({}),
        json!({"channel_id": line}),
        json!({"channel_id": "ch_x", "to": SOMEONE}),
        json!({"channel_id": line, "to": "x"}),
    ] {
        bench.blooio.post("/v4/chats", body).await.is(422);
    }
}

#[tokio::test]
async fn both_body_generations_send() {
    let bench = bench();
    let client = &bench.blooio;
    let content = json!({"type": "text", "text": "Hello"});
    let line = channel(client, "blooio").await;
    for body in [
        json!({"to": SOMEONE, "text": "Hello"}),
        json!({"to": [SOMEONE], "text": "Hello", "from": line}),
        json!({"to": SOMEONE, "text": "Hello", "from": "(202) 555-0101"}),
        json!({"to": SOMEONE, "text": "Hello", "channel_type": "blooio"}),
        json!({"to": {"identifier": SOMEONE}, "content": content}),
        json!({"to": {"identifier": SOMEONE, "type": "phone"}, "content": content, "channel_id": line}),
        json!({"to": {"identifiers": [SOMEONE]}, "content": content, "from": {"id": line}}),
        json!({"to": SOMEONE, "content": content, "from": {"type": "blooio", "number": "+12025550102"}}),
        json!({"to": SOMEONE, "content": content, "from": {"type": "twilio"}}),
    ] {
        let sent = client.post(ROUTED, body.clone()).await.is(201).body;
        assert_eq!((&sent["status"], &sent["protocol"]), (&json!("queued"), &json!("pending")), "{body}");
        assert_eq!(sent["routing"]["channel_type"], sent["channel_type"]);
    }
    for content in [
        json!({"type": "media", "attachments": ["https://example.com/a.png"], "caption": "See"}),
        json!({"type": "multipart", "parts": [{"text": "See"}, {"url": "https://example.com/a.png"}]}),
        json!({"type": "rich_link", "url": "https://example.com", "title": "Here"}),
        json!({"type": "poll", "title": "Pick", "options": ["A", "B"]}),
    ] {
        let sent = client.post(ROUTED, json!({"to": SOMEONE, "content": content})).await.is(201).body;
        assert_eq!(sent["type"], content["type"]);
    }
}

#[tokio::test]
async fn a_message_lives_from_queued_to_delivered() {
    let bench = bench();
    let client = &bench.blooio;
    let sent = client.post(ROUTED, json!({"to": SOMEONE, "text": "Hello"})).await.is(201);
    let path = format!("/v4/chats/{}/messages/{}", sent.text("/chat_id"), sent.text("/id"));
    assert_eq!(client.get(&format!("{path}/status")).await.is(200).text("/data/status"), "queued");
    tokio::time::sleep(Duration::from_millis(600)).await;
    let message = client.get(&path).await.is(200).body["data"].clone();
    assert_eq!(
        (&message["status"], &message["protocol"], &message["text"]),
        (&json!("delivered"), &json!("imessage"), &json!("Hello"))
    );
    let events = client.get(&format!("{path}/events")).await.is(200).body;
    let kinds: Vec<&str> =
        events["data"].as_array().unwrap().iter().map(|event| event["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["delivered", "sent", "queued"]);
    let feed = client.get(&format!("/v4/events?message_id={}", sent.text("/id"))).await.is(200);
    assert_eq!(feed.text("/data/0/id"), format!("evt_dlv_blooio_{}", sent.text("/id")));
    client.get(&format!("/v4/events/{}", feed.text("/data/1/id"))).await.is(200);
    client.get("/v4/events/evt_unknown").await.is(404);
}

#[tokio::test]
async fn a_dry_run_leaves_nothing_behind() {
    let bench = bench();
    let client = &bench.blooio;
    let count = |body: Value| body["data"].as_array().unwrap().len();
    let before = count(client.get("/v4/chats?limit=200").await.is(200).body);
    let body = json!({"to": SOMEONE, "text": "Hello", "dry_run": true});
    let preview = client.post_keyed(ROUTED, "k1", body.clone()).await.is(200).body;
    assert_eq!((&preview["dry_run"], &preview["would_send"]), (&json!(true), &json!(true)));
    assert_eq!(preview["preview"]["text"], "Hello");
    assert_eq!(count(client.get("/v4/chats?limit=200").await.is(200).body), before);
    client.post_keyed(ROUTED, "k1", json!({"to": SOMEONE, "text": "Hello"})).await.is(201);
    client.post_keyed(ROUTED, "k1", body).await.is(200);
}

#[tokio::test]
async fn a_key_is_bound_to_its_request() {
    let bench = bench();
    let client = &bench.blooio;
    let first = client.post_keyed(ROUTED, "k1", json!({"to": SOMEONE, "text": "Hello"})).await.is(201).body;
    let same = br#"{ "text": "Hello", "to": "+15551234567" }"#.to_vec();
    let again = client.raw("POST", ROUTED, &[("idempotency-key", "k1")], Some(same)).await.is(200).body;
    assert_eq!(again, first);
    client.post_keyed(ROUTED, "k1", json!({"to": SOMEONE, "text": "Other"})).await.is(409);
    client.post_keyed(ROUTED, "k2", json!({"to": SOMEONE})).await.is(422);
    client.post_keyed(ROUTED, "k2", json!({"to": SOMEONE, "text": "Mended"})).await.is(201);
    let list = client.get(&format!("/v4/chats/{}/messages", first["chat_id"].as_str().unwrap())).await.is(200).body;
    assert_eq!(list["data"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn content_is_exactly_one_kind() {
    let bench = bench();
    for content in [
        json!({}),
        json!({"text": ""}),
        json!({"text": 7}),
        json!({"attachments": []}),
        json!({"attachments": ["ftp://example.com/a"]}),
        json!({"text": "a", "poll": {"title": "Pick", "options": ["A", "B"]}}),
        json!({"poll": {"title": "Pick", "options": ["A"]}}),
        json!({"rich_link": {}}),
        json!({"interactive": {}}),
        json!({"parts": []}),
        json!({"template": {"template_id": "t"}}),
        json!({"text": "a", "effect": "explode"}),
        json!({"text": "a", "content": {"type": "text", "text": "a"}}),
        json!({"content": {"type": "song"}}),
        json!({"content": {"type": "media"}}),
        json!({"content": "text"}),
        json!({"text": "a", "link_preview": {"title": "x".repeat(201)}}),
    ] {
        let mut body = content.clone();
        body["to"] = SOMEONE.into();
        let answer = bench.blooio.post(ROUTED, body).await.is(422);
        assert_eq!(answer.code(), Some("invalid_content"), "{content}: {}", answer.body);
    }
    let preview = json!({"to": SOMEONE, "text": "See this", "link_preview": {"title": "This"}});
    bench.blooio.post(ROUTED, preview).await.is(201);
}

#[tokio::test]
async fn senders_and_recipients_are_checked() {
    let bench = bench();
    let client = &bench.blooio;
    let line = channel(client, "blooio").await;
    for (fields, status, code) in [
        (json!({}), 422, "validation_failed"),
        (json!({"to": []}), 422, "validation_failed"),
        (json!({"to": 5}), 422, "validation_failed"),
        (json!({"to": vec![SOMEONE; 101]}), 422, "validation_failed"),
        (json!({"to": "opaque"}), 422, "invalid_recipient"),
        (json!({"to": {"contact_id": "ct_unknown"}}), 404, "contact_not_found"),
        (json!({"to": {"group_id": "grp_unknown"}, "from": line}), 404, "group_not_found"),
        (json!({"to": {"group_id": "grp_unknown"}}), 422, "validation_failed"),
        (json!({"to": SOMEONE, "from": "+15550000009"}), 404, "channel_number_not_found"),
        (json!({"to": SOMEONE, "from": SHARED_NUMBER}), 409, "ambiguous_from"),
        (json!({"to": SOMEONE, "from": line, "channel_type": "blooio"}), 422, "validation_failed"),
        (json!({"to": SOMEONE, "from": line, "hybrid": true}), 422, "validation_failed"),
        (json!({"to": SOMEONE, "priority_id": "priority_x"}), 404, "priority_not_found"),
        (json!({"to": SOMEONE, "channel_type": "pigeon"}), 422, "validation_failed"),
        (json!({"to": SOMEONE, "channel_type": "amb"}), 404, "channel_number_not_found"),
        (json!({"to": SOMEONE, "reply_to": "msg_unknown"}), 404, "reply_target_not_found"),
    ] {
        let mut body = fields.clone();
        body["text"] = "Hello".into();
        let answer = client.post(ROUTED, body).await;
        assert_eq!((answer.status, answer.code()), (status, Some(code)), "{fields}: {}", answer.body);
    }
    client
        .post(&format!("/v4/channels/{line}/messages"), json!({"text": "a", "to": {"contact_id": "ct_1"}}))
        .await
        .is(422);
    client.post("/v4/channels/nothing/messages", json!({"text": "a", "to": SOMEONE})).await.is(404);
    client.post("/v4/chats/chat_a1b2c3d4/messages", json!({"text": "a"})).await.is(404);
}

#[tokio::test]
async fn a_chat_takes_content_and_nothing_else() {
    let bench = bench();
    let client = &bench.blooio;
    let line = channel(client, "blooio").await;
    let chat = client.post("/v4/chats", json!({"channel_id": line, "to": SOMEONE})).await.is(201).text("/id");
    let path = format!("/v4/chats/{chat}/messages");
    let first = client.post(&path, json!({"content": {"type": "text", "text": "Hello"}})).await.is(201);
    let body = json!({"text": "On it", "reply_to": first.text("/id"), "effect": "Confetti"});
    let reply = client.post(&path, body).await.is(201);
    let shown = client.get(&format!("{path}/{}", reply.text("/id"))).await.is(200);
    assert_eq!(shown.text("/data/reply_to_message_id"), first.text("/id"));
    client.post(&path, json!({"text": "a", "to": SOMEONE})).await.is(422);
    client.post(&path, json!({"text": "a", "from": line})).await.is(422);
    client.post(&path, json!({"text": "a", "dry_run": true})).await.is(200);
    let elsewhere = json!({"text": "a", "to": "+15559876543", "reply_to": first.text("/id")});
    assert_eq!(client.post(ROUTED, elsewhere).await.is(400).code(), Some("reply_target_chat_mismatch"));
}

#[tokio::test]
async fn several_recipients_are_a_group_or_a_fan_out() {
    let bench = bench();
    let client = &bench.blooio;
    let pair = json!([SOMEONE, "+15559876543"]);
    let group = client.post(ROUTED, json!({"to": pair, "text": "Hello"})).await.is(201);
    let again = client.post(ROUTED, json!({"to": "+15559876543, +15551234567", "text": "Hello"})).await.is(201);
    assert_eq!((again.text("/group_id"), again.text("/chat_id")), (group.text("/group_id"), group.text("/chat_id")));

    let mixed = json!({"to": [SOMEONE, "someone@example.com"], "from": "alerts", "text": "Hello"});
    let fan = client.post(ROUTED, mixed).await.is(207).body;
    assert_eq!((&fan["sent"], &fan["failed"], &fan["data"][1]["status"]), (&json!(1), &json!(1), &json!("failed")));
    assert_eq!(fan["data"][0]["to"], SOMEONE);
    let sent = client.post(ROUTED, json!({"to": pair, "from": "alerts", "text": "Hello"})).await.is(201).body;
    assert_eq!((&sent["fan_out"], &sent["sent"]), (&json!(true), &json!(2)));
    let none = json!({"to": ["a@example.com", "b@example.com"], "from": "alerts", "text": "Hello"});
    assert_eq!(client.post(ROUTED, none).await.is(422).body["failed"], 2);
    let reply = json!({"to": pair, "from": "alerts", "text": "Hello", "reply_to": group.text("/id")});
    client.post(ROUTED, reply).await.is(422);
    let dry = json!({"to": pair, "from": "alerts", "text": "Hello", "dry_run": true});
    assert_eq!(client.post(ROUTED, dry).await.is(200).body["dry_run"], true);
    let one = client.post(ROUTED, json!({"to": "a@example.com", "from": "alerts", "text": "Hello"})).await.is(201).body;
    assert_eq!((&one["status"], &one["error"]["code"]), (&json!("failed"), &json!("recipient_unreachable")));
}

/// Separate sends: what keeps one from leaving keeps no other.
#[tokio::test]
async fn a_fan_out_counts_what_left_and_names_what_did_not() {
    let bench = bench();
    let client = &bench.blooio;
    let alerts = |to: Value| json!({"to": to, "from": "alerts", "text": "Hello"});
    let closed = client.post(ROUTED, alerts(json!("+15550002222"))).await.is(201).text("/chat_id");
    client.send("PATCH", &format!("/v4/chats/{closed}"), json!({"state": "closed"})).await.is(200);
    for (refused, code) in [
        ("+15005550008", "recipient_unreachable"),
        ("+15005550010", "forbidden"),
        ("+15005550011", "device_unreachable"),
        ("+15005550012", "service_unavailable"),
        ("+15550002222", "chat_closed"),
    ] {
        let mixed = alerts(json!([refused, "+15550001111"]));
        let fan = client.post(ROUTED, mixed.clone()).await.is(207);
        assert_eq!((&fan.body["sent"], &fan.body["failed"]), (&json!(1), &json!(1)), "{refused}");
        assert_eq!((fan.text("/data/0/to"), fan.text("/data/0/status")), (refused.into(), "failed".into()));
        assert_eq!((fan.text("/data/0/error/code"), fan.text("/data/1/status")), (code.into(), "queued".into()));
        let none = client.post(ROUTED, alerts(json!([refused, "a@example.com"]))).await.is(422).body;
        assert_eq!((&none["sent"], &none["failed"], &none["fan_out"]), (&json!(0), &json!(2), &json!(true)));
        let mut dry = mixed;
        dry["dry_run"] = true.into();
        let dry = client.post(ROUTED, dry).await.is(200).body;
        assert_eq!((&dry["sent"], &dry["failed"]), (&json!(1), &json!(1)), "{refused}");
        let would: Vec<&Value> = dry["data"].as_array().unwrap().iter().map(|one| &one["would_send"]).collect();
        assert_eq!(would, [&json!(false), &json!(true)], "{refused}");
    }
    let inbox = client.get("/_sandbox/phones/%2B15550001111/inbox").await.is(200);
    assert_eq!(inbox.body["count"], 5);
    for (other, first, again) in [("+15550001111", 207, 200), ("a@example.com", 422, 422)] {
        let body = alerts(json!(["+15005550008", other]));
        let sent = client.post_keyed(ROUTED, other, body.clone()).await.is(first).body;
        assert_eq!(client.post_keyed(ROUTED, other, body).await.is(again).body, sent);
    }
    let one = json!({"to": "+15005550008", "text": "Hello", "dry_run": true});
    assert_eq!(client.post(ROUTED, one).await.is(200).body["would_send"], false);
}

/// A choice: who writes a number twice learns of it here.
#[tokio::test]
async fn a_fan_out_writes_twice_to_whom_it_names_twice() {
    let bench = bench();
    let twice = json!({"to": ["+15550001111", "+1 (555) 000-1111"], "from": "alerts", "text": "Hello"});
    assert_eq!(bench.blooio.post(ROUTED, twice).await.is(201).body["sent"], 2);
    let inbox = bench.blooio.get("/_sandbox/phones/%2B15550001111/inbox").await.is(200);
    assert_eq!(inbox.body["count"], 2);
}

#[tokio::test]
async fn channels_are_named_by_id_alias_or_number() {
    let bench = bench();
    let client = &bench.blooio;
    let id = channel(client, "twilio").await;
    for name in [id.as_str(), "alerts", "%2B12025550150"] {
        assert_eq!(client.get(&format!("/v4/channels/{name}")).await.is(200).text("/data/id"), id);
        let sent = client
            .post(&format!("/v4/channels/{name}/messages"), json!({"to": SOMEONE, "text": "Hello"}))
            .await
            .is(201);
        assert_eq!(sent.text("/channel_id"), id);
    }
    client.get(&format!("/v4/channels/{id}/capabilities")).await.is(200);
    client.get("/v4/channels/unknown").await.is(404);
    client.get("/v4/channels?type=pigeon").await.is(400);
    let poll = json!({"to": SOMEONE, "poll": {"title": "Pick", "options": ["A", "B"]}});
    assert_eq!(client.post(&format!("/v4/channels/{id}/messages"), poll).await.is(422).code(), Some("invalid_content"));
}

#[tokio::test]
async fn cursors_walk_a_list_once() {
    let bench = bench();
    let client = &bench.blooio;
    for path in ["/v4/chats", "/v4/events", "/v4/channels"] {
        let (mut ids, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = client.get(&format!("{path}?limit=3{cursor}")).await.is(200).body;
            ids.extend(page["data"].as_array().unwrap().iter().map(|row| row["id"].to_string()));
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break assert_eq!(page["has_more"], false),
            }
        }
        let total = ids.len();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), total);
        assert!(total >= 5, "{path}: {total}");
        assert_eq!(client.get(&format!("{path}?cursor=made-up")).await.is(400).code(), Some("invalid_cursor"));
        client.get(&format!("{path}?limit=201")).await.is(400);
    }
}

#[tokio::test]
async fn the_other_generation_sees_the_same_message() {
    let bench = bench();
    let client = &bench.blooio;
    client.post("/v2/api/chats/%2B15551234567/messages", json!({"text": "From v2"})).await.is(202);
    let chat = client.get("/v4/chats?limit=1").await.is(200).text("/data/0/id");
    assert_eq!(client.get(&format!("/v4/chats/{chat}/messages")).await.is(200).text("/data/0/text"), "From v2");
    client.get("/v4/me").await.is(200);
    client.get("/v4/me/numbers").await.is(200);
    assert_eq!(client.get("/v4/me/priority").await.is(200).body["data"], Value::Null);
}
