//! Everything of v4 beside sending and reading messages.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "test code")]

mod common;

use common::receiver::Receiver;
use common::{Bench, bench};
use serde_json::{Value, json};

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";

async fn upload(bench: &Bench, method: &str, path: &str, field: &str, content: &[u8]) -> common::Answer {
    let head = format!("--x\r\ncontent-disposition: form-data; name=\"{field}\"; filename=\"a\"\r\n\r\n");
    let body = [head.as_bytes(), content, b"\r\n--x--\r\n"].concat();
    bench.blooio.raw(method, path, &[("content-type", "multipart/form-data; boundary=x")], Some(body)).await
}

/// A chat with a delivered message: its path, and the message's id.
async fn chat(bench: &Bench, body: Value) -> (String, String) {
    bench.blooio.send("PUT", "/_sandbox/clock", json!({"frozen": true})).await.is(200);
    let sent = bench.blooio.post("/v4/messages", body).await.is(201);
    bench.blooio.post("/_sandbox/clock/advance", json!({"ms": 1000})).await.is(200);
    (format!("/v4/chats/{}", sent.text("/chat_id")), sent.text("/id"))
}

async fn channel_id(bench: &Bench, name: &str) -> String {
    bench.blooio.get(&format!("/v4/channels/{name}")).await.is(200).text("/data/id")
}

#[tokio::test]
async fn contacts_are_people_with_identities() {
    let bench = bench();
    let client = &bench.blooio;
    let made = client.post("/v4/contacts", json!({"name": "Ada", "identifier": "+15551234567"})).await.is(201);
    let path = format!("/v4/contacts/{}", made.text("/data/id"));
    client.post("/v4/contacts", json!({"identifier": "+15551234567"})).await.is(409);
    for body in [json!({}), json!({"identifier": "x"}), json!({"identifier": "+15550000001", "channel_type": "fax"})] {
        client.post("/v4/contacts", body).await.is(422);
    }
    let identities = format!("{path}/identities");
    let email = client.post(&identities, json!({"identifier": "ada@example.com"})).await.is(201);
    client.post(&identities, json!({"identifier": "+15551234567"})).await.is(409);
    client.post(&identities, json!({"identifier": "+15551234567", "channel_type": "whatsapp"})).await.is(201);
    client.post(&identities, json!({"identifier": "+1312555x"})).await.is(422);
    let identity = format!("{identities}/{}", email.text("/data/id"));
    let moved =
        client.send("PATCH", &identity, json!({"identifier": "ada@example.org", "name": "Ada L."})).await.is(200);
    assert_eq!(
        (moved.text("/data/id"), moved.text("/data/identifier")),
        (email.text("/data/id"), "ada@example.org".into())
    );
    assert_eq!(client.get(&path).await.is(200).text("/data/name"), "Ada L.");
    assert_eq!(client.get(&identities).await.is(200).body["data"].as_array().unwrap().len(), 3);
    client.get(&format!("{path}/capabilities")).await.is(200);
    client.delete(&identity).await.is(200);
    client.delete(&identity).await.is(404);

    client.post(&format!("{path}/tags"), json!({"tags": ["vip"], "tag": "new"})).await.is(200);
    client.post(&format!("{path}/tags"), json!({})).await.is(422);
    assert_eq!(client.delete(&format!("{path}/tags/vip")).await.is(200).body["data"], json!(["new"]));
    for (query, found) in
        [("tag=NEW", true), ("q=ada", true), ("filter=no_tags", false), ("filter=has_tags&sort=name_asc", true)]
    {
        let list = client.get(&format!("/v4/contacts?limit=200&{query}")).await.is(200);
        assert_eq!(list.body["data"].to_string().contains("Ada L."), found, "{query}");
        assert!(list.body["pagination"]["total"].is_u64());
    }
    let one = client.get("/v4/contacts?identifier=%2B15551234567").await.is(200);
    assert_eq!((one.body["data"].as_array().unwrap().len(), one.body.get("pagination")), (1, None));
    client.get("/v4/contacts?offset=1&cursor=x").await.is(400);

    assert_eq!(client.send("PATCH", &path, json!({"name": "Bo"})).await.is(200).text("/data/name"), "Bo");
    client.send("PATCH", &path, json!({})).await.is(422);
    client.delete(&path).await.is(200);
    client.get(&path).await.is(404);
    client.post("/v4/contacts", json!({"identifier": "+15551234567"})).await.is(201);
}

#[tokio::test]
async fn merging_moves_everything_and_says_so() {
    let (bench, mut receiver) = (bench(), Receiver::start().await);
    let client = &bench.blooio;
    let mut ids = Vec::new();
    for identifier in ["+15551234567", "ada@example.com", "+15550001111"] {
        ids.push(client.post("/v4/contacts", json!({"identifier": identifier})).await.is(201).text("/data/id"));
    }
    client.post(&format!("/v4/contacts/{}/tags", ids[1]), json!({"tag": "vip"})).await.is(200);
    client.post("/v4/webhooks", json!({"url": receiver.url, "event_types": ["contact.*"]})).await.is(201);
    let path = format!("/v4/contacts/{}/merge", ids[0]);
    let merge = |source: &String| json!({"source_contact_id": source});
    let merged = client.post(&path, merge(&ids[1])).await.is(200);
    assert_eq!(
        (merged.body["data"]["identities"].as_array().unwrap().len(), &merged.body["data"]["tags"]),
        (2, &json!(["vip"]))
    );
    client.post(&path, merge(&ids[1])).await.is(200);
    let told = receiver.next().await;
    common::contract::check_webhook("/v4", "contact.merged", &told.body);
    assert_eq!(told.body["data"]["merged_into"], ids[0]);
    client.get(&format!("/v4/contacts/{}", ids[1])).await.is(404);
    assert_eq!(client.post(&path, merge(&ids[0])).await.is(400).code(), Some("cannot_merge_self"));
    assert_eq!(client.raw("POST", &path, &[], Some(b"{".to_vec())).await.is(400).body["error"], "ApiError");
    let other = format!("/v4/contacts/{}/merge", ids[2]);
    assert_eq!(client.post(&other, merge(&ids[1])).await.is(409).code(), Some("contact_already_merged"));
    client.post(&path, merge(&"ct_none".to_owned())).await.is(404);
    client.post(&path, json!({})).await.is(422);
}

#[tokio::test]
async fn timelines_tell_what_passed() {
    let bench = bench();
    let (path, _) = chat(&bench, json!({"to": "+15551234567", "text": "Hello"})).await;
    bench.blooio.post("/_sandbox/inbound", json!({"from": "+15551234567", "text": "Hi"})).await.is(201);
    let contact = bench.blooio.get(&path).await.is(200).text("/data/contact_id");
    let timeline = format!("/v4/contacts/{contact}/timeline");
    let plain = bench.blooio.get(&timeline).await.is(200).body["data"].clone();
    assert_eq!((plain.as_array().unwrap().len(), &plain[0]["object"]["text"]), (2, &json!("Hi")));
    let first = bench.blooio.get(&format!("{timeline}?include_events=true&limit=2")).await.is(200);
    let cursor = first.text("/next_cursor");
    let rest = bench.blooio.get(&format!("{timeline}?include_events=true&cursor={cursor}")).await.is(200);
    assert_eq!(rest.body["data"].as_array().unwrap().len(), 4);
}

#[tokio::test]
async fn groups_link_with_their_first_message() {
    let bench = bench();
    let client = &bench.blooio;
    let line = channel_id(&bench, "%2B12025550101").await;
    let body =
        json!({"channel_id": line, "name": "Lunch", "members": ["+15551234567", {"identifier": "a@example.com"}]});
    let made = client.post("/v4/groups", body).await.is(201);
    let (id, path) = (made.text("/data/id"), format!("/v4/groups/{}", made.text("/data/id")));
    upload(&bench, "POST", &format!("{path}/icon"), "icon", PNG).await.is(409);
    client.post(&format!("/v4/channels/{line}/messages"), json!({"to": {"group_id": id}, "text": "Hi"})).await.is(201);
    assert_eq!(client.get(&path).await.is(200).body["data"]["chat_linked"], true);
    upload(&bench, "POST", &format!("{path}/icon"), "icon", PNG).await.is(200);
    upload(&bench, "POST", &format!("{path}/icon"), "icon", b"").await.is(400);
    client.delete(&format!("{path}/icon")).await.is(200);
    client.send("PATCH", &path, json!({"name": "Dinner"})).await.is(200);
    assert_eq!(client.get(&format!("{path}/members")).await.is(200).body["data"].as_array().unwrap().len(), 2);
    assert_eq!(client.get("/v4/groups?limit=1").await.is(200).text("/data/0/name"), "Dinner");
    client.delete(&path).await.is(200);
    client.get(&path).await.is(404);
    let twilio = channel_id(&bench, "alerts").await;
    for body in [
        json!({"channel_id": twilio, "members": ["+15551234567"]}),
        json!({"channel_id": line, "members": []}),
        json!({"channel_id": "ch_none", "members": ["+15551234567"]}),
        json!({"channel_id": line, "members": [1]}),
    ] {
        client.post("/v4/groups", body).await.is(422);
    }
}

#[tokio::test]
async fn chats_close_type_read_and_have_backgrounds() {
    let bench = bench();
    let client = &bench.blooio;
    let (path, _) = chat(&bench, json!({"to": "+15551234567", "text": "Hello"})).await;
    client.send("PATCH", &path, json!({"state": "closed", "metadata": {"a": 1}})).await.is(200);
    assert_eq!(
        client.post(&format!("{path}/messages"), json!({"text": "x"})).await.is(409).code(),
        Some("chat_closed")
    );
    client.send("PATCH", &path, json!({"state": "open"})).await.is(200);
    client.send("PATCH", &path, json!({})).await.is(422);
    assert_eq!(client.raw("POST", &format!("{path}/typing"), &[], None).await.is(200).text("/data/state"), "started");
    client.post(&format!("{path}/typing"), json!({"state": "stopped"})).await.is(200);
    client.post(&format!("{path}/typing"), json!({"state": "gone"})).await.is(400);
    client.delete(&format!("{path}/typing")).await.is(200);
    client.raw("POST", &format!("{path}/read"), &[], None).await.is(200);
    client.raw("POST", &format!("{path}/contact-card"), &[], None).await.is(200);
    upload(&bench, "PUT", &format!("{path}/background"), "background", PNG).await.is(200);
    assert_eq!(client.get(&format!("{path}/background")).await.is(200).body["data"]["has_background"], true);
    client.delete(&format!("{path}/background")).await.is(200);
    upload(&bench, "PUT", &format!("{path}/background"), "background", b"text").await.is(400);
    client.get("/v4/chats/chat_none/background").await.is(404);
    let (sms, _) = chat(&bench, json!({"to": "+15551234567", "from": "alerts", "text": "Hello"})).await;
    client.raw("POST", &format!("{sms}/typing"), &[], None).await.is(409);
}

#[tokio::test]
async fn polls_and_reactions() {
    let bench = bench();
    let client = &bench.blooio;
    let (path, message) = chat(&bench, json!({"to": "+15551234567", "text": "Hello"})).await;
    let poll =
        client.post(&format!("{path}/polls"), json!({"title": "When?", "options": ["Noon", "One"]})).await.is(201);
    let poll = format!("{path}/polls/{}", poll.text("/data/id"));
    let vote = client.post(&format!("{poll}/vote"), json!({"option_index": 1})).await.is(201);
    assert_eq!((vote.text("/data/voted_option"), vote.text("/data/toggled")), ("One".into(), "on".into()));
    assert_eq!(client.get(&poll).await.is(200).body["data"]["total_votes"], 1);
    client.post(&format!("{poll}/vote"), json!({"option": "One"})).await.is(200);
    client.post(&format!("{poll}/vote"), json!({"option": "Two"})).await.is(422);
    client.post(&format!("{path}/polls/none/vote"), json!({"option_index": 0})).await.is(404);
    client.post(&format!("{path}/polls"), json!({"title": "x", "options": ["one"]})).await.is(422);

    let reactions = format!("{path}/messages/{message}/reactions");
    client.post(&reactions, json!({"reaction": "+love"})).await.is(200);
    client.post(&reactions, json!({"reaction": "love"})).await.is(422);
    let queued = client.post(&format!("{path}/messages"), json!({"text": "x"})).await.is(201).text("/id");
    client.post(&format!("{path}/messages/{queued}/reactions"), json!({"reaction": "+love"})).await.is(409);
    client.post(&format!("{path}/messages/none/reactions"), json!({"reaction": "+love"})).await.is(404);
    let events = client.get(&format!("{path}/messages/{message}/events")).await.is(200);
    assert_eq!(events.text("/data/0/kind"), "reaction");
}

#[tokio::test]
async fn priorities_route() {
    let bench = bench();
    let client = &bench.blooio;
    assert_eq!(client.get("/v4/me/priority").await.is(200).body["data"], Value::Null);
    let (sms, line) = (channel_id(&bench, "alerts").await, channel_id(&bench, "%2B12025550102").await);
    let made = client
        .post("/v4/priorities", json!({"name": "SMS first", "channels": [sms, {"channel_id": line, "priority": 2}]}))
        .await
        .is(201);
    assert_eq!(
        (&made.body["data"]["is_default"], &made.body["data"]["channels"][0]["priority"]),
        (&json!(true), &json!(1))
    );
    let id = made.text("/data/id");
    let sent = client.post("/v4/messages", json!({"to": "+15551234567", "text": "Hello"})).await.is(201);
    assert_eq!((sent.text("/channel_type"), sent.text("/routing/priority_id")), ("twilio".into(), id.clone()));
    let poll = json!({"to": "+15550001111", "poll": {"title": "When?", "options": ["a", "b"]}, "priority_id": id});
    assert_eq!(client.post("/v4/messages", poll).await.is(201).text("/channel_type"), "blooio");
    let path = format!("/v4/priorities/{id}");
    client.send("PATCH", &path, json!({"channels": [line], "is_default": false})).await.is(200);
    assert_eq!(client.get(&path).await.is(200).body["data"]["channels"].as_array().unwrap().len(), 1);
    client.send("PATCH", &path, json!({})).await.is(422);
    client.post("/v4/priorities", json!({"channels": []})).await.is(422);
    client.post("/v4/priorities", json!({"channels": ["ch_none"]})).await.is(404);
    let mixed = json!({"channels": [{"channel_id": line, "priority": 1}, {"channel_id": sms, "priority": 1}]});
    client.post("/v4/priorities", mixed).await.is(422);
    client.get("/v4/priorities").await.is(200);
    client.delete(&path).await.is(200);
    client.get(&path).await.is(404);
    let gone = json!({"to": "+15551234567", "text": "Hello", "priority_id": id});
    assert_eq!(client.post("/v4/messages", gone).await.is(404).code(), Some("priority_not_found"));
}

#[tokio::test]
async fn lines_channels_numbers_and_places() {
    let bench = bench();
    let client = &bench.blooio;
    let card = "/v4/me/numbers/%2B12025550101/contact-card";
    let changed = client.send("PUT", card, json!({"last_name": "Blo", "sharing": {"name_format": "1"}})).await.is(200);
    assert_eq!(
        (changed.text("/data/name"), &changed.body["data"]["sharing"]["name_format"]),
        ("Blo".into(), &json!(1))
    );
    client.send("PUT", card, json!({})).await.is(422);
    upload(&bench, "POST", &format!("{card}/avatar"), "avatar", PNG).await.is(200);
    assert!(client.get(card).await.is(200).body["data"]["avatar"].is_string());
    client.post("/v4/me/numbers/%2B12025550101/call-forwarding", json!({"forward_to": "+15551234567"})).await.is(200);
    client.post("/v4/me/numbers/%2B12025550101/call-forwarding", json!({})).await.is(422);
    client.get("/v4/me/numbers/%2B19990001111/contact-card").await.is(404);
    client.send("PUT", "/v4/channels/support/profile", json!({"about": "Here to help"})).await.is(200);
    let shown = client.get("/v4/channels/support").await.is(200);
    assert_eq!(shown.body["data"]["metadata"]["profile"]["about"], "Here to help");
    client.get("/v4/channels/support/settings").await.is(200);
    client.get("/v4/channels/none/settings").await.is(404);
    assert_eq!(client.get("/v4/channels/blooio/available").await.is(403).code(), Some("feature_not_enabled"));
    client.post_keyed("/v4/channels/blooio/purchases", "k", json!({})).await.is(403);
    client.post("/v4/channels/blooio/purchases", json!({})).await.is(400);
    let facts = client.get("/v4/phone-numbers/lookup?number=%2B18002530000").await.is(200);
    assert_eq!((facts.text("/data/country"), facts.text("/data/type")), ("US".into(), "TOLL_FREE".into()));
    client.post("/v4/phone-numbers/lookup", json!({"number": "+16502530000"})).await.is(200);
    client.post("/v4/phone-numbers/lookup", json!({})).await.is(400);
    client.post("/v4/phone-numbers/batch", json!({"numbers": ["+16502530000"]})).await.is(200);
    let friends = client.get("/v4/location/contacts").await.is(200);
    let handle = friends.text("/data/0/handle").replace('+', "%2B");
    client.get(&format!("/v4/location/contacts/{handle}")).await.is(200);
    client.get("/v4/location/contacts/none").await.is(404);
    client.get("/v4/location/contacts/refresh").await.is(200);
    client.send("PUT", "/_sandbox/switches", json!({"enterprise": false})).await.is(200);
    client.get("/v4/phone-numbers/lookup?number=1").await.is(403);
    client.send("PUT", card, json!({"last_name": "x"})).await.is(403);
}

#[tokio::test]
async fn lines_are_suspended_and_banned() {
    let bench = bench();
    let client = &bench.blooio;
    let contact = client.get("/v4/contacts?limit=1").await.is(200).text("/data/0/id");
    for line in ["%2B12025550101", "%2B12025550102"] {
        client.send("PUT", &format!("/_sandbox/lines/{line}"), json!({"status": "banned"})).await.is(200);
    }
    let answer = client.get(&format!("/v4/contacts/{contact}/capabilities")).await.is(409);
    assert_eq!(answer.code(), Some("no_active_blooio_channel"));
    client.post("/v2/api/chats/%2B15551234567/messages", json!({"text": "Hello"})).await.is(503);
    client.get("/v2/api/location/contacts").await.is(404);
    client.post("/v4/messages", json!({"to": "+15551234567", "text": "Hello"})).await.is(503);
    let named = json!({"to": "+15551234567", "from": "+12025550102", "text": "Hello"});
    assert_eq!(client.post("/v4/messages", named).await.is(409).code(), Some("channel_inactive"));
    let events = client.get("/v4/events?type=safety.number_banned").await.is(200);
    assert_eq!(events.body["data"].as_array().unwrap().len(), 2);
    let line = "/_sandbox/lines/%2B12025550101";
    client.send("PUT", line, json!({"status": "active", "safety": "review"})).await.is(200);
    let body = json!({"to": "+15551234567", "from": "+12025550101", "text": "Hello"});
    assert_eq!(client.post("/v4/messages", body).await.is(403).code(), Some("safety_account_review"));
    client.send("PUT", line, json!({"status": "gone"})).await.is(400);
    client.send("PUT", "/_sandbox/lines/none", json!({"status": "active"})).await.is(404);
}

#[tokio::test]
async fn deliveries_are_listed_and_replayed() {
    let (bench, mut receiver) = (bench(), Receiver::start().await);
    let client = &bench.blooio;
    let made = client.post("/v4/webhooks", json!({"url": receiver.url, "event_types": ["message.sent"]})).await.is(201);
    client.post("/v4/messages", json!({"to": "+15551234567", "text": "Hello"})).await.is(201);
    let first = receiver.next().await;
    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    let path = format!("/v4/webhooks/{}", made.text("/data/id"));
    let row = client.get(&format!("{path}/deliveries")).await.is(200).body["data"][0].clone();
    assert_eq!(
        (&row["status"], &row["response_status"], &row["attempt_count"]),
        (&json!("delivered"), &json!(200), &json!(1))
    );
    assert_eq!(client.get(&format!("{path}/logs")).await.is(200).body["data"][0], row);
    for route in ["deliveries", "logs"] {
        let replay = format!("{path}/{route}/{}/replay", row["id"].as_str().unwrap());
        let replayed = client.raw("POST", &replay, &[], None).await.is(201);
        let again = receiver.next().await;
        assert_eq!((again.raw.clone(), again.body["id"].clone()), (first.raw.clone(), first.body["id"].clone()));
        assert_eq!(again.header("x-blooio-delivery"), replayed.text("/data/id"));
        assert_ne!(replayed.text("/data/id"), first.header("x-blooio-delivery"));
    }
    client.raw("POST", &format!("{path}/deliveries/none/replay"), &[], None).await.is(404);
    client.send("PATCH", &path, json!({"status": "disabled"})).await.is(200);
    let replay = format!("{path}/deliveries/{}/replay", row["id"].as_str().unwrap());
    client.raw("POST", &replay, &[], None).await.is(400);
}

#[tokio::test]
async fn switches_change_what_is_answered() {
    let bench = bench();
    let client = &bench.blooio;
    let switches =
        json!({"send_status": 202, "replay_status": 201, "legacy_body": false, "webhook_api_version": "2026-09-01"});
    client.send("PUT", "/_sandbox/switches", switches).await.is(200);
    let body = json!({"to": "+15551234567", "text": "Hello"});
    client.post_keyed("/v4/messages", "k", body.clone()).await.is(202);
    client.post_keyed("/v4/messages", "k", body).await.is(201);
    let legacy = json!({"to": "+15551234567", "content": {"type": "text", "text": "Hello"}});
    assert_eq!(client.post("/v4/messages", legacy).await.is(422).code(), Some("invalid_content"));
    for older in [
        json!({"to": {"identifier": "+15551234567"}}),
        json!({"to": "+15551234567", "channel_id": channel_id(&bench, "alerts").await}),
        json!({"to": "+15551234567", "from": {"type": "twilio"}}),
    ] {
        let mut body = older;
        body["text"] = "Hello".into();
        client.post("/v4/messages", body).await.is(422);
    }
    let made = client.post("/v4/webhooks", json!({"url": "https://example.com/"})).await.is(201);
    assert_eq!(made.text("/data/api_version"), "2026-09-01");
}
