//! Blooio v2 over real sockets.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "test code")]

mod common;

use std::time::Duration;

use common::{Answer, Client, bench};
use serde_json::{Value, json};

const CHAT: &str = "/v2/api/chats/%2B15551234567";
const MESSAGES: &str = "/v2/api/chats/%2B15551234567/messages";

async fn until_delivered(client: &Client, id: &str) -> Vec<String> {
    let mut seen: Vec<String> = Vec::new();
    for _ in 0..200 {
        let status = client.get(&format!("{MESSAGES}/{id}/status")).await.is(200).text("/status");
        if seen.last() != Some(&status) {
            seen.push(status.clone());
        }
        if status == "delivered" {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    seen
}

#[tokio::test]
async fn a_text_is_queued_then_sent_then_delivered() {
    let bench = bench();
    let client = &bench.blooio;
    let sent = client.post(MESSAGES, json!({"text": "Hello", "unknown": true})).await.is(202);
    assert_eq!(sent.body, json!({"message_id": sent.text("/message_id"), "status": "queued"}));
    let id = sent.text("/message_id");
    assert_eq!(until_delivered(client, &id).await, ["queued", "sent", "delivered"]);
    let message = client.get(&format!("{MESSAGES}/{id}")).await.is(200).body;
    assert_eq!((&message["text"], &message["chat_id"]), (&json!("Hello"), &json!("+15551234567")));
    assert_eq!((&message["protocol"], &message["direction"]), (&json!("imessage"), &json!("outbound")));
    assert!(message["time_delivered"].as_i64() > message["time_sent"].as_i64());
    let chat = client.get(CHAT).await.is(200).body;
    assert_eq!((&chat["message_count"], &chat["last_message"]["message_id"]), (&json!(1), &json!(id)));
}

#[tokio::test]
async fn a_text_array_is_one_message_each() {
    let bench = bench();
    let sent = bench.blooio.post(MESSAGES, json!({"text": ["One", "Two", "Three"]})).await.is(202);
    assert_eq!((sent.body["message_ids"].as_array().unwrap().len(), &sent.body["count"]), (3, &json!(3)));
    assert_eq!(sent.body["message_id"], Value::Null);
    let list = bench.blooio.get(&format!("{MESSAGES}?sort=asc")).await.is(200).body;
    let texts: Vec<&str> =
        list["messages"].as_array().unwrap().iter().map(|row| row["text"].as_str().unwrap()).collect();
    assert_eq!(texts, ["One", "Two", "Three"]);
}

#[tokio::test]
async fn a_repeated_key_brings_the_first_answer_back() {
    let bench = bench();
    let first = bench.blooio.post_keyed(MESSAGES, "k1", json!({"text": "Hello"})).await.is(202).body;
    assert_eq!(bench.blooio.post_keyed(MESSAGES, "k1", json!({"text": "Hello"})).await.is(200).body, first);
    assert_eq!(bench.blooio.post_keyed(MESSAGES, "k1", json!({"text": "Other"})).await.is(200).body, first);
    assert_eq!(bench.blooio.get(CHAT).await.is(200).body["message_count"], 1);
    bench.blooio.post_keyed(MESSAGES, "k2", json!({})).await.is(400);
    bench.blooio.post_keyed(MESSAGES, "k2", json!({"text": "Mended"})).await.is(202);
}

#[tokio::test]
async fn several_recipients_are_one_unnamed_group() {
    let bench = bench();
    let both = "/v2/api/chats/%2B15551234567,a.person%40Example.com/messages";
    let first = bench.blooio.post(both, json!({"text": "Hello both"})).await.is(202);
    assert_eq!(first.body["group_created"], true);
    assert_eq!(first.body["participants"], json!(["+15551234567", "a.person@example.com"]));
    let reversed = "/v2/api/chats/a.person%40example.com%2C%2B15551234567%2C%2B15551234567/messages";
    let second = bench.blooio.post(reversed, json!({"text": "Again"})).await.is(202);
    assert_eq!((&second.body["group_created"], &second.body["group_id"]), (&json!(false), &first.body["group_id"]));
    let group = bench.blooio.get(&format!("/v2/api/chats/{}", first.text("/group_id"))).await.is(200).body;
    assert_eq!(
        (&group["type"], &group["group_name"], &group["member_count"]),
        (&json!("group"), &Value::Null, &json!(2))
    );
    bench
        .blooio
        .post(&format!("/v2/api/chats/{}/messages", first.text("/group_id")), json!({"text": "By id"}))
        .await
        .is(202);
    bench.blooio.post("/v2/api/chats/grp_unknown/messages", json!({"text": "Nobody"})).await.is(404);
}

#[tokio::test]
async fn lists_page_sort_and_search() {
    let bench = bench();
    let client = &bench.blooio;
    let first = client.get("/v2/api/chats?limit=25").await.is(200).body;
    let total = first["pagination"]["total"].as_u64().unwrap();
    assert!(total > 50, "{total}");
    let mut ids = Vec::new();
    for offset in (0..total).step_by(25) {
        let page = client.get(&format!("/v2/api/chats?limit=25&offset={offset}")).await.is(200).body;
        ids.extend(page["chats"].as_array().unwrap().iter().map(|chat| chat["id"].to_string()));
    }
    let listed = ids.len();
    ids.sort();
    ids.dedup();
    assert_eq!((ids.len() as u64, listed as u64), (total, total));
    let times = |body: &Value| -> Vec<i64> {
        body["chats"].as_array().unwrap().iter().map(|chat| chat["last_message_time"].as_i64().unwrap()).collect()
    };
    assert!(times(&first).is_sorted_by(|a, b| a >= b));
    assert!(times(&client.get("/v2/api/chats?sort=oldest").await.is(200).body).is_sorted());
    let found = client.get("/v2/api/chats?q=TEAM%201").await.is(200).body;
    assert_eq!(found["pagination"]["total"], 1);
    for path in ["limit=0", "limit=201", "offset=-1", "limit=x", "sort=name"] {
        client.get(&format!("/v2/api/chats?{path}")).await.is(400);
    }
    assert_eq!(client.get("/v2/api/chats?offset=999").await.is(200).body["chats"], json!([]));
}

#[tokio::test]
async fn message_lists_filter_by_direction_and_time() {
    let bench = bench();
    let chats = bench.blooio.get("/v2/api/chats?limit=1").await.is(200);
    let path = format!("/v2/api/chats/{}/messages", chats.text("/chats/0/id").replace('+', "%2B"));
    let all = bench.blooio.get(&path).await.is(200).body["messages"].clone();
    let inbound = bench.blooio.get(&format!("{path}?direction=inbound")).await.is(200).body;
    assert!(inbound["messages"].as_array().unwrap().iter().all(|row| row["direction"] == "inbound"));
    let newest = all[0]["time_sent"].as_i64().unwrap();
    let before = bench.blooio.get(&format!("{path}?until={newest}")).await.is(200).body;
    assert_eq!(before["pagination"]["total"], all.as_array().unwrap().len() - 1);
    assert_eq!(bench.blooio.get(&format!("{path}?since={newest}")).await.is(200).body["messages"], json!([]));
    bench.blooio.get(&format!("{path}?direction=sideways")).await.is(400);
}

#[tokio::test]
async fn what_a_send_refuses() {
    let bench = bench();
    let refused: [(Value, u16, Option<&str>); 16] = [
        (json!({}), 400, None),
        (json!({"text": ""}), 400, None),
        (json!({"text": 7}), 400, None),
        (json!({"text": []}), 400, None),
        (json!({"text": ["a", ""]}), 400, None),
        (json!([]), 400, None),
        (json!({"text": "a", "effect": "explode"}), 400, None),
        (json!({"parts": [{"text": "a"}], "effect": "slam"}), 400, None),
        (json!({"parts": [{"text": "a", "url": "https://example.com/a.png"}]}), 400, None),
        (json!({"text": "a", "attachments": ["http://example.com/a.png"]}), 400, None),
        (json!({"text": "a", "metadata": {"big": "x".repeat(1100)}}), 400, None),
        (json!({"text": "a", "from_number": "+15550000000"}), 403, None),
        (json!({"attachments": ["https://example.com/a.png"]}), 400, Some("attachment_first_message_not_allowed")),
        (json!({"text": "a", "reply_to": {}}), 400, Some("reply_target_invalid")),
        (json!({"text": "a", "reply_to": {"message_id": "nope"}}), 404, Some("reply_target_not_found")),
        (json!({"text": ["a"], "reply_to": {"message_id": "nope"}}), 400, Some("reply_target_not_supported")),
    ];
    for (body, status, code) in refused {
        let answer = bench.blooio.post(MESSAGES, body.clone()).await;
        assert_eq!((answer.status, answer.code()), (status, code), "{body}: {}", answer.body);
    }
    bench.blooio.get(CHAT).await.is(404);
}

#[tokio::test]
async fn replies_know_their_parent() {
    let bench = bench();
    let client = &bench.blooio;
    let parent = client.post(MESSAGES, json!({"text": "Parent"})).await.is(202).text("/message_id");
    let reply = client.post(MESSAGES, json!({"text": "Child", "reply_to": {"message_id": parent}})).await.is(202);
    let child = client.get(&format!("{MESSAGES}/{}", reply.text("/message_id"))).await.is(200).body;
    assert_eq!(child["reply_to"], json!({"message_id": parent, "guid": null, "part_index": 0}));
    let by_guid = client.post(MESSAGES, json!({"text": "Child", "reply_to": {"guid": "unknown-guid"}})).await.is(202);
    assert_eq!(by_guid.body["parent_unresolved"], true);
    let elsewhere = "/v2/api/chats/%2B15559876543/messages";
    let answer = client.post(elsewhere, json!({"text": "Child", "reply_to": {"message_id": parent}})).await.is(400);
    assert_eq!(answer.code(), Some("reply_target_chat_mismatch"));
    let numbers = client.get("/v2/api/me/numbers").await.is(200).body;
    let mut mismatches = 0;
    for number in numbers["numbers"].as_array().unwrap() {
        let body = json!({"text": "Child", "reply_to": {"message_id": parent}, "from_number": number["phone_number"]});
        let answer = client.post(MESSAGES, body).await;
        let mismatch = answer.status == 400 && answer.code() == Some("reply_target_device_mismatch");
        assert!(answer.status == 202 || mismatch, "{}", answer.body);
        mismatches += usize::from(mismatch);
    }
    assert_eq!(mismatches, 1);
    let seeded = client.get("/v2/api/chats?sort=oldest&limit=1").await.is(200).text("/chats/0/id").replace('+', "%2B");
    let path = format!("/v2/api/chats/{seeded}/messages");
    let old = client.get(&path).await.is(200).text("/messages/0/message_id");
    let answer = client.post(&path, json!({"text": "Late", "reply_to": {"message_id": old}})).await.is(400);
    assert_eq!(answer.code(), Some("reply_target_expired"));
}

#[tokio::test]
async fn attachments_parts_and_previews_make_messages() {
    let bench = bench();
    let media = json!({"text": "See", "attachments": ["https://example.com/a.png", {"url": "https://example.com/b.pdf", "name": "b.pdf"}]});
    let sent = bench.blooio.post(MESSAGES, media).await.is(202).text("/message_id");
    let message = bench.blooio.get(&format!("{MESSAGES}/{sent}")).await.is(200).body;
    assert_eq!(message["attachments"][1], json!({"url": "https://example.com/b.pdf", "name": "b.pdf"}));
    let parts = json!({"parts": [{"text": "See "}, {"url": "https://example.com/a.png"}]});
    bench.blooio.post(MESSAGES, parts).await.is(202).text("/message_id");
    let balloons = json!({"parts": [{"text": "https://a.example.com", "link_preview": {"title": "A"}}, {"text": "https://b.example.com"}]});
    assert_eq!(bench.blooio.post(MESSAGES, balloons).await.is(202).body["count"], 2);
    bench.blooio.post(MESSAGES, json!({"attachments": ["https://example.com/a.png"]})).await.is(202);
    bench.blooio.post(MESSAGES, json!({"text": "Boom", "effect": "Invisible Ink"})).await.is(202);
}

#[tokio::test]
async fn paths_are_decoded_once() {
    let bench = bench();
    let text = json!({"text": "Hello"});
    bench.blooio.post("/v2/api/chats/+15551234567/messages", text.clone()).await.is(400);
    bench.blooio.post("/v2/api/chats/%252B15551234567/messages", text.clone()).await.is(400);
    bench.blooio.post("/v2/api/chats/%2B1%20555%20123-4567/messages", text.clone()).await.is(202);
    bench.blooio.get(CHAT).await.is(200);
    bench.blooio.post("/v2/api/chats/Some.One%40Example.com/messages", text.clone()).await.is(202);
    assert_eq!(bench.blooio.get("/v2/api/chats/some.one%40example.com").await.is(200).body["type"], "email");
    bench.blooio.get("/v2/api/chats/%FF").await.is(400);
    bench.blooio.get(&format!("{MESSAGES}/unknown")).await.is(404);
}

#[tokio::test]
async fn contacts_are_listed_found_and_made_once() {
    let bench = bench();
    let client = &bench.blooio;
    let made = client.post("/v2/api/contacts", json!({"identifier": "+15557654321", "name": "Ada"})).await.is(201);
    assert_eq!(client.get("/v2/api/contacts/%2B15557654321").await.is(200).body, made.body);
    client.post("/v2/api/contacts", json!({"identifier": "+1 555 765-4321"})).await.is(409);
    client.post("/v2/api/contacts", json!({"identifier": "nobody"})).await.is(400);
    client.post("/v2/api/contacts", json!({})).await.is(400);
    client.get("/v2/api/contacts/%2B15550001111").await.is(404);
    let sorted = client.get("/v2/api/contacts?sort=name_asc&q=a&limit=10").await.is(200).body;
    assert_eq!(sorted["contacts"].as_array().unwrap().len(), 10);
}

#[tokio::test]
async fn the_account_shows_its_lines() {
    let bench = bench();
    let me = bench.blooio.get("/v2/api/me").await.is(200).body;
    assert_eq!((&me["valid"], me["devices"].as_array().unwrap().len()), (&json!(true), 2));
    let numbers: Answer = bench.blooio.get("/v2/api/me/numbers").await.is(200);
    assert_eq!(numbers.text("/numbers/0/last_active").len(), "2026-10-01T00:00:00.000Z".len());
}
