//! Everything of v2 beside sending and reading messages.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "test code")]

mod common;

use common::receiver::Receiver;
use common::{Bench, bench};
use serde_json::{Value, json};

const CHAT: &str = "/v2/api/chats/%2B15551234567";
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";

async fn upload(bench: &Bench, method: &str, path: &str, field: &str, content: &[u8]) -> common::Answer {
    let head = format!("--x\r\ncontent-disposition: form-data; name=\"{field}\"; filename=\"a\"\r\n\r\n");
    let body = [head.as_bytes(), content, b"\r\n--x--\r\n"].concat();
    bench.blooio.raw(method, path, &[("content-type", "multipart/form-data; boundary=x")], Some(body)).await
}

#[tokio::test]
async fn contacts_are_kept_under_their_identifier() {
    let bench = bench();
    let client = &bench.blooio;
    let made = client.post("/v2/api/contacts", json!({"identifier": "+15551234567", "name": "Ada"})).await.is(201);
    assert_eq!(made.body["id"], "+15551234567");
    client.post("/v2/api/contacts", json!({"identifier": "+15551234567"})).await.is(409);
    let path = "/v2/api/contacts/%2B15551234567";
    assert_eq!(client.send("PATCH", path, json!({"name": null})).await.is(200).body["name"], Value::Null);
    assert_eq!(client.send("PATCH", path, json!({"name": "Bo"})).await.is(200).body["name"], "Bo");
    client.post(&format!("{path}/tags"), json!({"tags": ["vip", "new"]})).await.is(201);
    client.post(&format!("{path}/tags"), json!({"tags": []})).await.is(400);
    client.delete(&format!("{path}/tags/vip")).await.is(200);
    client.delete(&format!("{path}/tags/vip")).await.is(404);
    assert_eq!(client.get(&format!("{path}/tags")).await.is(200).body["tags"][0]["tag"], "new");
    let facts = client.get(&format!("{path}/capabilities")).await.is(200);
    assert_eq!(facts.body["capabilities"], json!({"imessage": true, "sms": true, "facetime": true}));
    client.delete(path).await.is(200);
    client.get(path).await.is(404);
    client.delete(path).await.is(404);
    let again = client.post("/v2/api/contacts", json!({"identifier": "+15551234567"})).await.is(201);
    assert_eq!((&again.body["name"], &again.body["tags"]), (&json!("Bo"), &json!(["new"])));
}

#[tokio::test]
async fn groups_have_names_icons_and_members() {
    let bench = bench();
    let client = &bench.blooio;
    let body = json!({"name": "Lunch", "members": ["+15551234567", "a@example.com"]});
    let made = client.post("/v2/api/groups", body.clone()).await.is(201);
    assert_eq!(made.body["created_contacts"], json!(["+15551234567", "a@example.com"]));
    client.post("/v2/api/groups", body).await.is(409);
    let path = format!("/v2/api/groups/{}", made.text("/group_id"));
    upload(&bench, "POST", &format!("{path}/icon"), "icon", PNG).await.is(400);
    client.post(&format!("/v2/api/chats/{}/messages", made.text("/group_id")), json!({"text": "Hi"})).await.is(202);
    let shown = client.get(&path).await.is(200);
    assert_eq!((&shown.body["message_count"], shown.body["chat_guid"].is_string()), (&json!(1), true));
    let icon = upload(&bench, "POST", &format!("{path}/icon"), "icon", PNG).await.is(200);
    assert_eq!(client.get(&path).await.is(200).body["icon_url"], icon.body["icon_url"]);
    upload(&bench, "POST", &format!("{path}/icon"), "icon", b"text").await.is(400);
    client.delete(&format!("{path}/icon")).await.is(200);
    assert_eq!(client.send("PATCH", &path, json!({"name": "Dinner"})).await.is(200).body["name"], "Dinner");
    client.send("PATCH", &path, json!({"name": "x".repeat(256)})).await.is(400);
    let members = client.get(&format!("{path}/members?limit=1")).await.is(200);
    assert_eq!(
        (&members.body["pagination"]["total"], members.body["members"].as_array().unwrap().len()),
        (&json!(2), 1)
    );

    client.post(&format!("{path}/members"), json!({"contact_id": "+15550001111"})).await.is(501);
    client.send("PUT", "/_sandbox/switches", json!({"v2_group_members": true})).await.is(200);
    client.post(&format!("{path}/members"), json!({"contact_id": "+15550001111"})).await.is(201);
    client.post(&format!("{path}/members"), json!({"contact_id": "+15550001111"})).await.is(200);
    client.delete(&format!("{path}/members/%2B15550001111")).await.is(200);
    client.delete(&format!("{path}/members/%2B15550001111")).await.is(404);
    client.delete(&path).await.is(200);
    client.get(&path).await.is(404);
    let linked = json!({"name": "Linked", "chat_guid": "chat1"});
    client.post("/v2/api/groups", linked.clone()).await.is(201);
    client.post("/v2/api/groups", linked).await.is(409);
}

#[tokio::test]
async fn reactions_find_their_message_by_id_or_from_the_end() {
    let bench = bench();
    let client = &bench.blooio;
    let first = client.post(&format!("{CHAT}/messages"), json!({"text": "one"})).await.is(202).text("/message_id");
    let second = client.post(&format!("{CHAT}/messages"), json!({"text": "two"})).await.is(202).text("/message_id");
    client.post("/_sandbox/inbound", json!({"from": "+15551234567", "text": "three"})).await.is(201);
    for (target, direction, expected) in
        [(first.as_str(), None, &first), ("-2", None, &second), ("-1", Some("outbound"), &second)]
    {
        let mut body = json!({"reaction": "+love"});
        direction.into_iter().for_each(|side: &str| body["direction"] = side.into());
        let answer = client.post(&format!("{CHAT}/messages/{target}/reactions"), body).await.is(200);
        assert_eq!((&answer.text("/message_id"), answer.body["action"].as_str()), (expected, Some("add")));
    }
    client.post(&format!("{CHAT}/messages/{first}/reactions"), json!({"reaction": "-love"})).await.is(200);
    let shown = client.get(&format!("{CHAT}/messages/{first}")).await.is(200);
    assert_eq!(shown.body["reactions"][0]["is_added"], false);
    for (target, reaction, status) in
        [("-9", "+love", 404), ("nope", "+love", 404), ("-1", "love", 400), ("-1", "+", 400)]
    {
        client.post(&format!("{CHAT}/messages/{target}/reactions"), json!({"reaction": reaction})).await.is(status);
    }
}

#[tokio::test]
async fn polls_count_votes() {
    let bench = bench();
    let client = &bench.blooio;
    let sent =
        client.post(&format!("{CHAT}/polls"), json!({"title": "When?", "options": ["Noon", "One"]})).await.is(200);
    let poll = sent.text("/poll_id");
    let vote = json!({"type": "poll_vote", "from": "+15551234567", "message_id": poll, "option_index": 1});
    client.post("/_sandbox/inbound", vote).await.is(201);
    let results = client.get(&format!("{CHAT}/polls/{poll}")).await.is(200);
    assert_eq!((&results.body["options"][1]["votes"], &results.body["total_votes"]), (&json!(1), &json!(1)));
    client.get(&format!("{CHAT}/polls/none")).await.is(404);
    client.post(&format!("{CHAT}/polls"), json!({"options": ["one"]})).await.is(400);
}

#[tokio::test]
async fn a_queued_message_can_be_cancelled() {
    let bench = bench();
    let client = &bench.blooio;
    client.send("PUT", "/_sandbox/clock", json!({"frozen": true})).await.is(200);
    let path = format!("{CHAT}/messages");
    let first = client.post(&path, json!({"text": "one"})).await.is(202).text("/message_id");
    assert_eq!(client.delete(&format!("{path}/{first}")).await.is(200).body["cancelled"], true);
    let second = client.post(&path, json!({"text": "two"})).await.is(202).text("/message_id");
    client.post("/_sandbox/clock/advance", json!({"ms": 1000})).await.is(200);
    assert_eq!(client.delete(&format!("{path}/{second}")).await.is(200).body["cancelled"], false);
    assert_eq!(client.get(&format!("{path}/{first}/status")).await.is(200).body["status"], "cancelled");
    let inbox = client.get("/_sandbox/phones/%2B15551234567/inbox").await.is(200);
    assert_eq!(inbox.body["count"], 1);
    client.delete(&format!("{path}/none")).await.is(404);
}

#[tokio::test]
async fn typing_reading_cards_and_backgrounds() {
    let bench = bench();
    let client = &bench.blooio;
    client.raw("POST", &format!("{CHAT}/read"), &[], None).await.is(404);
    client.raw("POST", &format!("{CHAT}/typing"), &[], None).await.is(200);
    client.delete(&format!("{CHAT}/typing")).await.is(200);
    let rcs = client.raw("POST", "/v2/api/chats/%2B15005550006/typing", &[], None).await.is(200);
    assert!(rcs.body["warning"].is_string());
    client.post(&format!("{CHAT}/messages"), json!({"text": "Hello"})).await.is(202);
    client.raw("POST", &format!("{CHAT}/read"), &[], None).await.is(200);
    client.raw("POST", &format!("{CHAT}/contact-card"), &[], None).await.is(200);

    assert_eq!(client.get(&format!("{CHAT}/background")).await.is(200).body["has_background"], false);
    let set = upload(&bench, "PUT", &format!("{CHAT}/background"), "background", PNG).await.is(200);
    assert_eq!((&set.body["changed"], &set.body["background_version"]), (&json!(true), &json!(1)));
    assert_eq!(client.get(CHAT).await.is(200).body["background_id"], set.body["background_id"]);
    upload(&bench, "PUT", &format!("{CHAT}/background"), "picture", PNG).await.is(400);
    client.delete(&format!("{CHAT}/background")).await.is(200);
    assert_eq!(client.get(&format!("{CHAT}/background")).await.is(200).body["has_background"], false);

    let card = "/v2/api/me/numbers/%2B12025550101/contact-card";
    client.send("PUT", card, json!({"first_name": "Blo", "sharing": {"enabled": true, "audience": 1}})).await.is(200);
    let shown = client.get(card).await.is(200).body;
    assert_eq!((&shown["name"], &shown["sharing"]["audience"]), (&json!("Blo"), &json!(1)));
    client.send("PUT", card, json!({"sharing": {"audience": 2}})).await.is(400);
    client.get("/v2/api/me/numbers/%2B19990001111/contact-card").await.is(404);
    let forward = "/v2/api/me/numbers/%2B12025550101/call-forwarding";
    client.post(forward, json!({"forward_to": "+15551234567"})).await.is(201);
    client.post(forward, json!({"forward_to": "home"})).await.is(400);
    client.send("PUT", "/_sandbox/switches", json!({"enterprise": false})).await.is(200);
    client.send("PUT", card, json!({"first_name": "x"})).await.is(403);
    client.post(forward, json!({"forward_to": "+15551234567"})).await.is(403);
    client.raw("POST", &format!("{CHAT}/contact-card"), &[], None).await.is(403);
    client.get("/v2/api/phone-numbers/lookup?number=%2B12025550101").await.is(403);
}

#[tokio::test]
async fn numbers_are_looked_up_and_people_located() {
    let bench = bench();
    let client = &bench.blooio;
    let facts = client.get("/v2/api/phone-numbers/lookup?number=%2B442079460958").await.is(200).body;
    assert_eq!(
        (&facts["country"], &facts["e164"], &facts["valid"]),
        (&json!("GB"), &json!("+442079460958"), &json!(true))
    );
    let facts = client.post("/v2/api/phone-numbers/lookup", json!({"number": "(650) 253-0000"})).await.is(200).body;
    assert_eq!((&facts["e164"], &facts["area_code"]), (&json!("+16502530000"), &json!("650")));
    let many = client.post("/v2/api/phone-numbers/batch", json!({"numbers": ["x", "+16502530000"]})).await.is(200);
    assert_eq!(many.body["results"][0]["valid"], false);
    client.post("/v2/api/phone-numbers/batch", json!({"numbers": []})).await.is(400);
    client.post("/v2/api/phone-numbers/batch", json!({"numbers": vec!["1"; 101]})).await.is(400);
    client.get("/v2/api/phone-numbers/lookup").await.is(400);

    let friends = client.get("/v2/api/location/contacts").await.is(200).body["friends"].clone();
    let handle = friends[0]["handle"].as_str().unwrap().replace('+', "%2B");
    client.get(&format!("/v2/api/location/contacts/{handle}")).await.is(200);
    client.get("/v2/api/location/contacts/%2B15551234567").await.is(404);
    client.raw("POST", "/v2/api/location/contacts/refresh", &[], None).await.is(200);
}

#[tokio::test]
async fn logs_show_every_attempt_and_replays_answer_with_what_was_said() {
    let (bench, mut receiver) = (bench(), Receiver::start().await);
    let client = &bench.blooio;
    let made =
        client.post("/v2/api/webhooks", json!({"webhook_url": receiver.url, "webhook_type": "status"})).await.is(201);
    client.post(&format!("{CHAT}/messages"), json!({"text": "Hello"})).await.is(202);
    let sent = receiver.next().await;
    receiver.next().await;
    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    let logs = format!("/v2/api/webhooks/{}/logs", made.text("/webhook_id"));
    let rows = client.get(&format!("{logs}?sort=asc")).await.is(200).body;
    assert_eq!((&rows["logs"][0]["event_body"], &rows["logs"][0]["response_status"]), (&sent.body, &json!(200)));
    assert_eq!(rows["pagination"]["returned"], 2);
    let original = rows["logs"][0]["event_id"].as_str().unwrap().to_owned();

    receiver.status.store(503, std::sync::atomic::Ordering::SeqCst);
    let replay = client.raw("POST", &format!("{logs}/{original}/replay"), &[], None).await.is(200).body;
    assert_eq!((&replay["success"], &replay["response_status"]), (&json!(false), &json!(503)));
    let again = receiver.next().await;
    assert_eq!((again.header("x-blooio-replay"), again.header("x-original-event-id")), ("true", original.as_str()));
    assert_eq!(again.raw, sent.raw);
    assert!(again.is_signed_with(&made.text("/signing_secret")));
    let failed = client.get(&format!("{logs}?min_status=500")).await.is(200).body;
    assert_eq!(failed["logs"][0]["metadata"]["original_event_id"], original);
    assert_eq!(failed["pagination"]["total"], 1);
    client.raw("POST", &format!("{logs}/none/replay"), &[], None).await.is(404);
    client.get(&format!("{logs}?status=1")).await.is(400);
}

#[tokio::test]
async fn switches_change_what_is_answered() {
    let bench = bench();
    let client = &bench.blooio;
    let switches = json!({"v2_idempotent_posts": true, "v2_strict_idempotency": true, "v2_generic_lists": true, "v2_read_status": true});
    client.send("PUT", "/_sandbox/switches", switches).await.is(200);
    let poll = json!({"title": "When?", "options": ["a", "b"]});
    let first = client.post_keyed(&format!("{CHAT}/polls"), "p", poll.clone()).await.is(200);
    let again = client.post_keyed(&format!("{CHAT}/polls"), "p", poll).await.is(200);
    assert_eq!(first.body, again.body);
    client.post_keyed(&format!("{CHAT}/messages"), "m", json!({"text": "Hello"})).await.is(202);
    client.post_keyed(&format!("{CHAT}/messages"), "m", json!({"text": "Other"})).await.is(409);
    let list = client.request("GET", "/v2/api/contacts", &[], None).send().await.unwrap().text().await.unwrap();
    assert!(list.contains("\"count\":"), "{list}");
    let sent = client.post("/v2/api/chats/%2B15005550009/messages", json!({"text": "Hello"})).await.is(202);
    client.post("/_sandbox/clock/advance", json!({"ms": 2000})).await.is(200);
    let path = format!("/v2/api/chats/%2B15005550009/messages/{}/status", sent.text("/message_id"));
    assert_eq!(client.get(&path).await.is(200).text("/status"), "read");
}
