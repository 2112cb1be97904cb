//! Rules of the behaviour files that no other suite meets on its way.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "test code")]

mod common;

use common::{Answer, Bench, bench};
use serde_json::{Value, json};

const CHAT: &str = "/v2/api/chats/%2B15551234567";
const MESSAGES: &str = "/v2/api/chats/%2B15551234567/messages";
const SOMEONE: &str = "+15551234567";
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";

async fn switched(switches: Value) -> Bench {
    let bench = bench();
    bench.blooio.send("PUT", "/_sandbox/switches", switches).await.is(200);
    bench
}

async fn upload(bench: &Bench, method: &str, path: &str, field: &str) -> Answer {
    let head = format!("--x\r\ncontent-disposition: form-data; name=\"{field}\"; filename=\"a\"\r\n\r\n");
    let body = [head.as_bytes(), PNG, b"\r\n--x--\r\n"].concat();
    bench.blooio.raw(method, path, &[("content-type", "multipart/form-data; boundary=x")], Some(body)).await
}

#[tokio::test]
async fn what_was_uploaded_can_be_fetched_by_its_url() {
    let bench = bench();
    let client = &bench.blooio;
    let group = client.post("/v4/messages", json!({"to": [SOMEONE, "a@b.co"], "text": "Hello"})).await.is(201);
    let (chat, group) = (group.text("/chat_id"), group.text("/group_id"));
    let mut urls = Vec::new();
    for (method, path, field, url) in [
        ("PUT", format!("{CHAT}/background"), "background", "/background_url"),
        ("PUT", format!("/v4/chats/{chat}/background"), "background", "/data/background_url"),
        ("POST", format!("/v2/api/groups/{group}/icon"), "icon", "/icon_url"),
        ("POST", format!("/v4/groups/{group}/icon"), "icon", "/data/icon_url"),
        ("POST", "/v4/me/numbers/%2B12025550101/contact-card/avatar".to_owned(), "avatar", "/data/avatar"),
    ] {
        urls.push(upload(&bench, method, &path, field).await.is(200).text(url));
    }
    for url in urls {
        let path = url.strip_prefix(&bench.sandbox.url()).expect("a URL of this sandbox");
        let answer = client.without_key().request("GET", path, &[], None).send().await.unwrap();
        assert_eq!((answer.status().as_u16(), &answer.headers()["content-type"]), (200, &"image/png".parse().unwrap()));
        assert_eq!(answer.bytes().await.unwrap(), PNG);
    }
    client.get("/_sandbox/pictures/none.png").await.is(404);
}

#[tokio::test]
async fn a_hybrid_sender_is_twilio_until_the_person_has_answered() {
    let bench = bench();
    let client = &bench.blooio;
    let body = json!({"to": SOMEONE, "text": "Hello", "hybrid": true});
    let first = client.post("/v4/messages", body.clone()).await.is(201);
    assert_eq!((first.text("/channel_type"), first.text("/routing/mode")), ("twilio".into(), "hybrid".into()));
    client.post("/_sandbox/inbound", json!({"from": SOMEONE, "text": "Hi"})).await.is(201);
    let second = client.post("/v4/messages", body.clone()).await.is(201);
    assert_eq!((second.text("/channel_type"), second.text("/hybrid/phase")), ("blooio".into(), "blooio".into()));
    for (hybrid, status) in [("+12025550150", 201), ("(202) 555-0101", 201), ("+15550000009", 422)] {
        client.post("/v4/messages", json!({"to": SOMEONE, "text": "Hello", "hybrid": hybrid})).await.is(status);
    }
    let many = json!({"to": [SOMEONE, "+15559876543"], "text": "Hello", "hybrid": true});
    client.post("/v4/messages", many).await.is(422);
    client.send("PUT", "/_sandbox/switches", json!({"hybrid": false})).await.is(200);
    client.post("/v4/messages", body).await.is(422);
}

#[tokio::test]
async fn caps_of_plans_and_numbers() {
    let bench = switched(json!({"outbound_limit": 1, "outbound_limit_mode": "number"})).await;
    let from = |line: &str| json!({"text": "Hello", "from_number": line});
    bench.blooio.post(MESSAGES, from("+12025550101")).await.is(202);
    let other = "/v2/api/chats/%2B15559876543/messages";
    let refused = bench.blooio.post(other, from("+12025550101")).await.is(429);
    assert_eq!((&refused.body["mode"], &refused.body["sender_number"]), (&json!("number"), &json!("+12025550101")));
    assert!(refused.body["allocation_id"].is_string());
    bench.blooio.post(other, from("+12025550102")).await.is(202);
    bench.blooio.post("/_sandbox/clock/advance", json!({"ms": 31 * 24 * 3_600_000_i64})).await.is(200);
    bench.blooio.post("/v2/api/chats/%2B15550001111/messages", from("+12025550101")).await.is(202);

    let bench = switched(json!({"plan": "shared"})).await;
    for index in 0..=15 {
        let path = format!("/v2/api/chats/%2B155512300{index:02}/messages");
        bench.blooio.post(&path, json!({"text": "Hello"})).await.is(if index < 15 { 202 } else { 429 });
    }
    let bench = switched(json!({"plan": "trial"})).await;
    bench.blooio.post(MESSAGES, json!({"text": vec!["Hello"; 20]})).await.is(202);
    bench.blooio.post(MESSAGES, json!({"text": "Hello"})).await.is(402);
}

#[tokio::test]
async fn a_new_conversation_has_its_limit_too() {
    let bench = switched(json!({"conversation_limits": true})).await;
    let refused = bench.blooio.post(MESSAGES, json!({"text": ["1", "2", "3", "4"]})).await.is(429);
    assert_eq!(refused.code(), Some("conversation_awaiting_reply"));
    bench.blooio.post(MESSAGES, json!({"text": ["1", "2", "3"]})).await.is(202);
}

#[tokio::test]
async fn reactions_reset_the_count_and_unlock_nothing() {
    let bench = switched(json!({"conversation_limits": true})).await;
    bench.blooio.post(MESSAGES, json!({"text": ["1", "2", "3"]})).await.is(202);
    bench.blooio.post(MESSAGES, json!({"text": "4"})).await.is(429);
    // Counted from the millisecond of the reaction on.
    bench.blooio.post("/_sandbox/clock/advance", json!({"ms": 10})).await.is(200);
    let reaction = json!({"from": SOMEONE, "type": "reaction", "reaction": "+like"});
    bench.blooio.post("/_sandbox/inbound", reaction).await.is(201);
    let link = bench.blooio.post(MESSAGES, json!({"text": "https://example.com"})).await.is(403);
    assert_eq!(link.code(), Some("conversation_content_restricted"));
    bench.blooio.post(MESSAGES, json!({"text": ["4", "5", "6"]})).await.is(202);
    bench.blooio.post(MESSAGES, json!({"text": "7"})).await.is(429);
}

/// Established with three replies on two days, trusted with ten on three and a week's acquaintance.
#[tokio::test]
async fn the_better_two_sides_know_each_other_the_more_may_be_sent() {
    let bench = switched(json!({"conversation_limits": true})).await;
    let client = &bench.blooio;
    client.send("PUT", "/_sandbox/clock", json!({"frozen": true})).await.is(200);
    let mut allowed = Vec::new();
    for (replies, days_later) in [(1, 0), (2, 1), (7, 7)] {
        client.post("/_sandbox/clock/advance", json!({"ms": days_later * 24 * 3_600_000_i64 + 1000})).await.is(200);
        for _ in 0..replies {
            client.post("/_sandbox/inbound", json!({"from": SOMEONE, "text": "Hi"})).await.is(201);
            client.post("/_sandbox/clock/advance", json!({"ms": 1000})).await.is(200);
        }
        let mut count = 0;
        while client.post(MESSAGES, json!({"text": "Hello"})).await.status == 202 {
            count += 1;
        }
        allowed.push(count);
    }
    assert_eq!(allowed, [4, 6, 8]);
}

#[tokio::test]
async fn lines_are_held_back() {
    for (action, least, most) in [("queue", 3_000, 8_000), ("slow", 30_000, 60_000)] {
        let bench = switched(json!({"safety_action": action})).await;
        let client = &bench.blooio;
        client.send("PUT", "/_sandbox/clock", json!({"frozen": true})).await.is(200);
        let id = client.post(MESSAGES, json!({"text": "Hello"})).await.is(202).text("/message_id");
        client.post("/_sandbox/clock/advance", json!({"ms": least})).await.is(200);
        assert_eq!(client.get(&format!("{MESSAGES}/{id}/status")).await.is(200).text("/status"), "queued");
        client.post("/_sandbox/clock/advance", json!({"ms": most - least + 400})).await.is(200);
        assert_eq!(client.get(&format!("{MESSAGES}/{id}/status")).await.is(200).text("/status"), "delivered");
    }
}

#[tokio::test]
async fn a_device_that_does_not_answer_is_502_for_whatever_needs_it() {
    let bench = bench();
    let client = &bench.blooio;
    let chat = "/v2/api/chats/%2B15005550011";
    for (method, path) in [
        ("GET", format!("{chat}/background")),
        ("DELETE", format!("{chat}/background")),
        ("POST", format!("{chat}/typing")),
        ("POST", format!("{chat}/contact-card")),
    ] {
        client.raw(method, &path, &[], None).await.is(502);
    }
    client.post(&format!("{chat}/polls"), json!({"options": ["a", "b"]})).await.is(502);
    let heard = client.post("/_sandbox/inbound", json!({"from": "+15005550011", "text": "Hi"})).await.is(201);
    client.post(&format!("{chat}/messages/-1/reactions"), json!({"reaction": "+love"})).await.is(502);
    let chat = format!("/v4/chats/{}", heard.text("/chat_id"));
    client
        .post(&format!("{chat}/messages/{}/reactions", heard.text("/message_id")), json!({"reaction": "+love"}))
        .await
        .is(502);
    client.raw("POST", &format!("{chat}/typing"), &[], None).await.is(502);

    let made =
        client.post("/v2/api/groups", json!({"name": "Off", "members": ["+15005550011"], "chat_guid": "g1"})).await;
    let group = format!("/v2/api/groups/{}", made.text("/group_id"));
    let renamed = client.send("PATCH", &group, json!({"name": "Still off"})).await.is(200);
    assert_eq!((&renamed.body["name"], &renamed.body["device_sync"]["synced"]), (&json!("Still off"), &json!(false)));
    assert!(renamed.body["device_sync"]["error"].is_string());
    client.delete(&format!("{group}/icon")).await.is(502);
    client.delete(&group).await.is(502);
    let made =
        client.post("/v2/api/groups", json!({"name": "On", "members": [SOMEONE], "chat_guid": "g2"})).await.is(201);
    client.send("PUT", "/_sandbox/lines/%2B12025550101", json!({"status": "suspended"})).await.is(200);
    client.delete(&format!("/v2/api/groups/{}", made.text("/group_id"))).await.is(503);
}

#[tokio::test]
async fn typing_leaves_nothing_behind() {
    let bench = bench();
    bench.blooio.raw("POST", &format!("{CHAT}/typing"), &[], None).await.is(200);
    bench.blooio.get("/v2/api/contacts/%2B15551234567").await.is(404);
    bench.blooio.get(CHAT).await.is(404);
}

#[tokio::test]
async fn an_audio_file_goes_alone() {
    let bench = bench();
    bench.blooio.post(MESSAGES, json!({"text": "Hello"})).await.is(202);
    let audio = "https://example.com/memo.M4A?x=1";
    bench.blooio.post(MESSAGES, json!({"attachments": [audio]})).await.is(202);
    bench.blooio.post(MESSAGES, json!({"attachments": [audio], "text": "Listen"})).await.is(400);
    bench.blooio.post(MESSAGES, json!({"attachments": [audio, "https://example.com/a.png"]})).await.is(400);
}

#[tokio::test]
async fn older_forms_of_v2_are_switches() {
    let bench = switched(json!({"v2_older_sender": true, "v2_duplicate_key_conflict": true})).await;
    let client = &bench.blooio;
    client.post(MESSAGES, json!({"text": "Hello", "fromNumber": "+12025550102"})).await.is(202);
    let row = client.get(&format!("{MESSAGES}?limit=1")).await.is(200);
    assert_eq!(row.text("/messages/0/internal_id"), "+12025550102");
    let header = [("x-from-number", "+15550000000")];
    client.raw("POST", MESSAGES, &header, Some(br#"{"text": "Hello"}"#.to_vec())).await.is(403);
    client.post_keyed(MESSAGES, "k", json!({"text": "Hello"})).await.is(202);
    client.post_keyed(MESSAGES, "k", json!({"text": "Hello"})).await.is(409);
    client.send("PUT", "/_sandbox/switches", json!({"v2_older_sender": false, "v2_generic_lists": true})).await.is(200);
    client.raw("POST", MESSAGES, &header, Some(br#"{"text": "Hello"}"#.to_vec())).await.is(202);
    let page = client.request("GET", "/v2/api/contacts", &[], None).send().await.unwrap();
    let page: Value = serde_json::from_slice(&page.bytes().await.unwrap()).unwrap();
    assert_eq!((&page["limit"], page["data"].as_array().unwrap().len()), (&json!(25), 25));
    client.get("/v2/api/contacts?limit=101").await.is(400);
}

#[tokio::test]
async fn a_group_without_a_chat_becomes_the_one_that_has_it() {
    let bench = bench();
    let client = &bench.blooio;
    let line = client.get("/v4/channels?type=blooio").await.is(200).text("/data/0/id");
    let body = json!({"channel_id": line, "name": "First", "members": [SOMEONE, "a@b.co"]});
    let group = |answer: Answer| answer.text("/data/id");
    let first = group(client.post("/v4/groups", body.clone()).await.is(201));
    let second = group(client.post("/v4/groups", body).await.is(201));
    let send = |group: &str| json!({"to": {"group_id": group}, "from": line, "text": "Hello"});
    let sent = client.post("/v4/messages", send(&first)).await.is(201);
    let again = client.post("/v4/messages", send(&second)).await.is(201);
    assert_eq!((again.text("/group_id"), again.text("/chat_id")), (first.clone(), sent.text("/chat_id")));
    assert_eq!(group(client.get(&format!("/v4/groups/{second}")).await.is(200)), first);
}

#[tokio::test]
async fn an_unnamed_group_is_found_by_the_members_it_has_now() {
    let bench = switched(json!({"v2_group_members": true})).await;
    let client = &bench.blooio;
    let pair = "/v2/api/chats/%2B15551234567,%2B15559876543/messages";
    let group = client.post(pair, json!({"text": "Hello"})).await.is(202).text("/group_id");
    let members = format!("/v2/api/groups/{group}/members");
    client.post(&members, json!({"contact_id": "+15550001111"})).await.is(201);
    let other = client.post(pair, json!({"text": "Hello"})).await.is(202);
    assert_eq!(other.body["group_created"], true);
    assert_ne!(other.text("/group_id"), group);
}

#[tokio::test]
async fn a_send_s_checks_come_in_order() {
    let bench = switched(json!({"plan": "inbound", "safety_action": "review", "legacy_body": false})).await;
    let client = &bench.blooio;
    let code = |answer: Answer| (answer.status, answer.code().unwrap_or_default().to_owned());
    let send = |body: Value| client.post("/v4/messages", body);
    // Content before recipient, recipient before what is answered, that before plan and safety.
    let legacy = json!({"content": {"type": "text", "text": "x"}, "to": {"contact_id": "ct_none"}});
    assert_eq!(code(send(legacy).await), (422, "invalid_content".into()));
    assert_eq!(code(send(json!({"text": "", "to": "nobody"})).await), (422, "invalid_content".into()));
    assert_eq!(
        code(send(json!({"text": "x", "to": {"contact_id": "ct_none"}})).await),
        (404, "contact_not_found".into())
    );
    let reply = json!({"text": "x", "to": SOMEONE, "reply_to": "msg_none"});
    assert_eq!(code(send(reply).await), (404, "reply_target_not_found".into()));
    let refused = send(json!({"text": "x", "to": SOMEONE})).await;
    assert_eq!(code(refused), (403, "inbound_only_no_prior_inbound".into()));
    // v2: the device is asked last.
    let device = client.post("/v2/api/chats/%2B15005550011/messages", json!({"text": "x"})).await;
    assert_eq!(code(device), (403, "inbound_only_no_prior_inbound".into()));
    assert_eq!(code(client.post(MESSAGES, json!({})).await).0, 400);
    let unknown = json!({"text": "x", "from_number": "+15550000000", "reply_to": {"message_id": "none"}});
    assert_eq!(code(client.post(MESSAGES, unknown).await), (403, String::new()));
}

#[tokio::test]
async fn a_closed_chat_takes_nothing() {
    let bench = bench();
    let client = &bench.blooio;
    let chat = client.post("/v4/messages", json!({"to": SOMEONE, "text": "Hello"})).await.is(201).text("/chat_id");
    let path = format!("/v4/chats/{chat}");
    client.send("PATCH", &path, json!({"state": "closed"})).await.is(200);
    let refused = client.post(&format!("{path}/messages"), json!({"text": "Hello"})).await.is(409);
    assert_eq!(refused.code(), Some("chat_closed"));
    client.post(&format!("{path}/polls"), json!({"title": "a", "options": ["a", "b"]})).await.is(409);
    let routed = client.post("/v4/messages", json!({"to": SOMEONE, "text": "Hello"})).await.is(409);
    assert_eq!(routed.code(), Some("chat_closed"));
    client.send("PATCH", &path, json!({"state": "open"})).await.is(200);
    let line = client.get(&path).await.is(200).text("/data/channel_id");
    let number = client.get(&format!("/v4/channels/{line}")).await.is(200).text("/data/address").replace('+', "%2B");
    client.send("PUT", &format!("/_sandbox/lines/{number}"), json!({"status": "suspended"})).await.is(200);
    let refused = client.post(&format!("{path}/messages"), json!({"text": "Hello"})).await.is(409);
    assert_eq!(refused.code(), Some("channel_inactive"));
}

#[tokio::test]
async fn keys_are_forgotten_after_a_day() {
    let bench = bench();
    let client = &bench.blooio;
    let body = json!({"to": SOMEONE, "text": "Hello"});
    client.post_keyed("/v4/messages", "k", body.clone()).await.is(201);
    client.post_keyed(MESSAGES, "k", json!({"text": "Hello"})).await.is(202);
    client.post("/_sandbox/clock/advance", json!({"ms": 24 * 3_600_000 - 10_000})).await.is(200);
    client.post_keyed("/v4/messages", "k", body.clone()).await.is(200);
    client.post_keyed(MESSAGES, "k", json!({"text": "Hello"})).await.is(200);
    client.post("/_sandbox/clock/advance", json!({"ms": 20_000})).await.is(200);
    client.post_keyed("/v4/messages", "k", body).await.is(201);
    client.post_keyed(MESSAGES, "k", json!({"text": "Hello"})).await.is(202);
}

/// A header may hold any byte.
#[tokio::test]
async fn a_key_beyond_ascii_is_a_key_too() {
    let bench = bench();
    let v4 = json!({"to": SOMEONE, "text": "Hello"});
    for (path, body, id, status) in
        [("/v4/messages", &v4, "/id", 201), (MESSAGES, &json!({"text": "Hello"}), "/message_id", 202)]
    {
        let send = async |key: &str| bench.blooio.post_keyed(path, key, body.clone()).await;
        let first = send("commande-é").await.is(status).text(id);
        assert_eq!(send("commande-é").await.is(200).text(id), first);
        assert_ne!(send("commande-è").await.is(status).text(id), first);
    }
    let log = bench.blooio.get("/_sandbox/requests").await.is(200).body;
    assert_eq!(log["requests"].as_array().unwrap().iter().filter(|row| row["idempotency_key"].is_string()).count(), 6);
}

/// Sends of one key are told once.
#[tokio::test]
async fn a_replay_makes_no_second_event() {
    let bench = bench();
    for _ in 0..3 {
        bench.blooio.post_keyed(MESSAGES, "k", json!({"text": "Hello"})).await;
    }
    let queued = bench.blooio.get("/v4/events?type=message.queued&limit=200").await.is(200);
    let newest: Vec<&Value> =
        queued.body["data"].as_array().unwrap().iter().filter(|one| one["data"]["recipient"] == SOMEONE).collect();
    assert_eq!(newest.len(), 1);
}
