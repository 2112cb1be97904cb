//! What people do on their side, as both APIs and their webhooks tell it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "test code")]

mod common;

use common::contract::check_webhook;
use common::receiver::Receiver;
use common::{Bench, bench};
use serde_json::{Value, json};

const PERSON: &str = "+15551234567";
const CHAT: &str = "/v2/api/chats/%2B15551234567";

async fn subscribed(bench: &Bench) -> (Receiver, Receiver) {
    let (v2, v4) = (Receiver::start().await, Receiver::start().await);
    bench.blooio.post("/v2/api/webhooks", json!({"webhook_url": v2.url, "webhook_type": "all"})).await.is(201);
    bench.blooio.post("/v4/webhooks", json!({"url": v4.url, "api_version": "2026-09-01"})).await.is(201);
    (v2, v4)
}

async fn does(bench: &Bench, what: Value) -> Value {
    bench.blooio.post("/_sandbox/inbound", what).await.is(201).body
}

/// The next delivery of each generation, both of this event and both as the contracts want them.
async fn told(receivers: &mut (Receiver, Receiver), event: &str) -> (Value, Value) {
    let (flat, envelope) = (receivers.0.next().await, receivers.1.next().await);
    assert_eq!((flat.header("x-blooio-event"), envelope.header("x-blooio-event")), (event, event));
    check_webhook("/v2/api", event, &flat.body);
    check_webhook("/v4", event, &envelope.body);
    (flat.body, envelope.body)
}

#[tokio::test]
async fn messages_reactions_votes_typing_and_reading() {
    let bench = bench();
    bench.blooio.send("PUT", "/_sandbox/clock", json!({"frozen": true})).await.is(200);
    let sent = bench.blooio.post(&format!("{CHAT}/messages"), json!({"text": "Lunch?"})).await.is(202);
    bench.blooio.post("/_sandbox/clock/advance", json!({"ms": 1000})).await.is(200);
    let mut receivers = subscribed(&bench).await;

    let made = does(&bench, json!({"from": PERSON, "text": "Gladly", "reply_to": sent.body["message_id"]})).await;
    let (flat, envelope) = told(&mut receivers, "message.received").await;
    assert_eq!((&flat["sender"], &flat["text"]), (&json!(PERSON), &json!("Gladly")));
    assert_eq!(flat["reply_to"]["message_id"], sent.body["message_id"]);
    assert_eq!((&envelope["data"]["message_id"], &flat["message_id"]), (&made["message_id"], &made["v2_message_id"]));
    does(&bench, json!({"from": PERSON, "attachments": ["https://example.com/cat.jpg"]})).await;
    told(&mut receivers, "message.received").await;

    does(&bench, json!({"type": "reaction", "from": PERSON, "reaction": "+love"})).await;
    let (flat, envelope) = told(&mut receivers, "message.reaction").await;
    assert_eq!((&flat["message_id"], &flat["action"]), (&sent.body["message_id"], &json!("add")));
    assert_eq!(envelope["data"]["reaction"], "+love");
    let shown = bench.blooio.get(&format!("{CHAT}/messages/{}", sent.text("/message_id"))).await.is(200);
    assert_eq!(shown.body["reactions"][0]["sender"], PERSON);

    for (state, event) in [("started", "typing.started"), ("stopped", "typing.stopped")] {
        does(&bench, json!({"type": "typing", "from": PERSON, "state": state})).await;
        told(&mut receivers, event).await;
    }
    does(&bench, json!({"type": "read", "from": PERSON})).await;
    told(&mut receivers, "message.read").await;
    does(&bench, json!({"type": "contact_card", "from": PERSON})).await;
    told(&mut receivers, "contact.shared").await;

    does(&bench, json!({"type": "poll", "from": PERSON, "title": "When?", "options": ["Noon", "One"]})).await;
    let (flat, _) = told(&mut receivers, "poll.received").await;
    does(&bench, json!({"type": "poll_vote", "from": PERSON, "message_id": flat["poll_id"], "option": "One"})).await;
    let (flat, _) = told(&mut receivers, "poll.voted").await;
    assert_eq!((&flat["option"], &flat["sender"]), (&json!("One"), &json!(PERSON)));
}

#[tokio::test]
async fn groups_change_from_the_other_side_too() {
    let bench = bench();
    bench.blooio.send("PUT", "/_sandbox/clock", json!({"frozen": true})).await.is(200);
    let sent = bench.blooio.post("/v2/api/chats/%2B15551234567,%2B15559876543/messages", json!({"text": "Hi"})).await;
    let group = sent.text("/group_id");
    let mut receivers = subscribed(&bench).await;
    for (what, event) in [
        (json!({"type": "group_name", "name": "Lunch"}), "group.name_changed"),
        (json!({"type": "group_icon", "icon_url": "https://example.com/icon.png"}), "group.icon_changed"),
        (json!({"text": "Hello all"}), "message.received"),
    ] {
        let mut what = what;
        what["from"] = PERSON.into();
        what["group_id"] = group.clone().into();
        does(&bench, what).await;
        told(&mut receivers, event).await;
    }
    let shown = bench.blooio.get(&format!("/v2/api/chats/{group}")).await.is(200);
    assert_eq!((&shown.body["group_name"], &shown.body["inbound_count"]), (&json!("Lunch"), &json!(1)));
}

#[tokio::test]
async fn what_cannot_happen_is_refused() {
    let bench = bench();
    for (what, status) in [
        (json!({}), 400),
        (json!({"from": "nobody", "text": "x"}), 400),
        (json!({"from": PERSON}), 400),
        (json!({"from": PERSON, "type": "wave"}), 400),
        (json!({"from": PERSON, "type": "reaction", "reaction": "+love"}), 404),
        (json!({"from": PERSON, "type": "group_name", "name": "x"}), 400),
        (json!({"from": PERSON, "group_id": "grp_none", "text": "x"}), 404),
        (json!({"from": PERSON, "to": "+19990000000", "text": "x"}), 400),
    ] {
        bench.blooio.post("/_sandbox/inbound", what).await.is(status);
    }
}
