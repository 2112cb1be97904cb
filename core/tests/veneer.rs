//! The typed veneer on a scripted client: builders to wire bytes, answers to models, pages to items.

#![allow(clippy::unwrap_used)] // a test panics when something is wrong

use bloomchats::api::{blooio_v2, blooio_v4};
use bloomchats::{Blooio, BloomChats, Client, Config, ErrorKind, Json, Script};
use serde_json::{Value, json};

fn scripted(exchanges: Value) -> (Blooio, Script) {
    let transcript = json!({"exchanges": exchanges}).to_string();
    let (client, script) = Client::open_scripted(Config::blooio(), transcript).unwrap();
    (Blooio::over(client), script)
}

fn bodies(script: &Script) -> Vec<Value> {
    let requests = script.requests();
    let body = |request: &Value| serde_json::from_str(request["body"].as_str().unwrap_or_default()).unwrap_or_default();
    requests.as_array().unwrap().iter().map(body).collect()
}

#[tokio::test]
async fn a_send_becomes_wire_bytes_and_a_model() {
    let (blooio, script) =
        scripted(json!([{"status": 202, "json": {"message_id": "m1", "status": "queued", "eta": 3}}]));
    let send = blooio.v2().messages().send("+15551234567").text("Hello").effect("confetti").clear_link_preview();
    let sent = send.idempotency_key("k1").with_response().await.unwrap();
    assert_eq!(sent.status, 202);
    assert_eq!(sent.idempotency_key.as_deref(), Some("k1"));
    assert_eq!(sent.value.message_ids, ["m1"]);
    assert_eq!(sent.value.status, Some(blooio_v2::MessageStatusValue::Queued));
    assert_eq!(sent.value.raw["eta"], 3);
    assert_eq!(script.requests()[0]["body"], r#"{"text":"Hello","link_preview":null,"effect":"confetti"}"#);
    let shown = format!("{:?}", sent.value);
    assert_eq!(shown, r#"SendMessageResponse { status: queued, message_id: "m1", message_ids: ["m1"], .. }"#);
}

#[tokio::test]
async fn inputs_nest_and_take_their_wire_names() {
    let (blooio, script) = scripted(json!([
        {"status": 202, "json": {"message_ids": ["a", "b"]}},
        {"status": 201, "json": {"id": "msg_1", "status": "queued"}},
    ]));
    let part =
        blooio_v2::MessagePart::new().text("https://a.example").link_preview(blooio_v2::LinkPreview::new().title("A"));
    let sent = blooio.v2().messages().send("+15551234567").parts([part]).await.unwrap();
    assert_eq!((sent.message_id, sent.message_ids.len()), (None, 2));
    let preview = blooio_v4::LinkPreview::new().image_url("https://a.example/i.png");
    let to = blooio_v4::RecipientContact::new("ct_1");
    blooio.v4().messages().send(to).text("https://a.example").link_preview(preview).await.unwrap();
    let bodies = bodies(&script);
    assert_eq!(bodies[0], json!({"parts": [{"text": "https://a.example", "link_preview": {"title": "A"}}]}));
    let content =
        json!({"type": "text", "text": "https://a.example", "link_preview": {"imageUrl": "https://a.example/i.png"}});
    assert_eq!(bodies[1], json!({"to": {"contact_id": "ct_1"}, "content": content}));
}

#[tokio::test]
async fn results_differ_by_status_and_shape() {
    let (blooio, _script) = scripted(json!([
        {"status": 207, "json": {"data": [{"id": "msg_1"}, {"status": "failed", "error": {"code": "x"}}], "sent": 1, "failed": 1}},
        {"status": 200, "json": {"webhook_id": "wh_1", "message": "exists"}},
        {"status": 201, "json": {"webhook_id": "wh_2", "signing_secret": "whsec_hidden"}},
        {"status": 200, "json": {"data": null}},
    ]));
    let sent = blooio.v4().messages().send(["+15550000001", "+15550000002"]).text("Hi").await.unwrap();
    assert_eq!(sent.message_ids(), ["msg_1"]);
    assert!(matches!(&sent, blooio_v4::SendResult::FanOut(all) if all.failed == Some(1)), "{sent:?}");
    let existing = blooio.v2().webhooks().create("https://a.example/hook").await.unwrap();
    assert!(matches!(existing, blooio_v2::CreateWebhookResult::Existing(_)));
    let created = blooio.v2().webhooks().create("https://b.example/hook").await.unwrap();
    assert!(!format!("{created:?}").contains("hidden"));
    assert!(matches!(created, blooio_v2::CreateWebhookResult::Created(hook) if hook.signing_secret.is_some()));
    assert_eq!(blooio.v4().me().get_default_priority().await.unwrap(), None);
}

#[tokio::test]
async fn what_does_not_fit_stays_readable() {
    let answer = json!({"message_id": 7, "status": "teleported", "protocol": null, "attachments": ["https://a", {"url": "https://b"}, 3]});
    let (blooio, _script) = scripted(json!([{"status": 200, "json": answer}]));
    let message = blooio.v2().messages().get("+15551234567", "m1").await.unwrap();
    assert_eq!(message.message_id, None);
    assert_eq!(message.status, Some("teleported".into()));
    assert_eq!((&message.raw["message_id"], &message.raw["protocol"]), (&json!(7), &Value::Null));
    let attachments = message.attachments.as_deref().unwrap();
    assert!(matches!(&attachments[0], blooio_v2::MessageAttachment::Url(url) if url == "https://a"));
    assert!(matches!(&attachments[2], blooio_v2::MessageAttachment::Other(three) if *three == 3));
    assert_eq!(message.to_json(), answer);
}

#[tokio::test]
async fn lists_are_pages_or_items() {
    let page = |ids: &[&str]| {
        let contacts: Vec<Value> = ids.iter().map(|id| json!({"contact_id": id, "identifier": id})).collect();
        json!({"status": 200, "json": {"contacts": contacts, "pagination": {"limit": 2, "offset": 0, "total": 3}}})
    };
    let (blooio, script) = scripted(json!([page(&["a", "b"]), page(&["c"]), page(&["a", "b"]), page(&["c"])]));
    let contacts = blooio.v2().contacts();
    let first = contacts.list().limit(2).sort(blooio_v2::ContactsSort::NameAsc).await.unwrap();
    assert_eq!(first.items.len(), 2);
    let second = first.next_page().await.unwrap().unwrap();
    assert!(!second.has_next());
    let mut items = contacts.list().limit(2).items();
    let mut seen = Vec::new();
    while let Some(contact) = items.next().await {
        seen.push(contact.unwrap().contact_id.unwrap());
    }
    assert_eq!(seen, ["a", "b", "c"]);
    let url = &script.requests()[0]["url"];
    assert!(url.as_str().unwrap().ends_with("/contacts?limit=2&offset=0&sort=name_asc"), "{url}");
}

#[tokio::test]
async fn errors_and_raw_requests_come_through() {
    let (blooio, _script) = scripted(json!([
        {"status": 404, "json": {"error": "ApiError", "message": "no", "status": 404}},
        {"status": 200, "json": {"anything": [1]}},
    ]));
    let error = blooio.v2().chats().get("+15551234567").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    let answer = blooio.v2().request("POST", "/new").body(json!({"a": 1})).await.unwrap();
    assert_eq!(answer, json!({"anything": [1]}));
    let transcript = json!({"exchanges": [{"status": 200, "json": [{"id": 1, "name": "Ada"}]}]}).to_string();
    let (client, _script) = Client::open_scripted(Config::bloomchats(), transcript).unwrap();
    let contacts = BloomChats::over(client).contacts().list().items().collect().await.unwrap();
    assert_eq!(contacts[0].raw["name"], "Ada");
    assert_eq!(format!("{:?}", contacts[0]), "Contact { .. }");
}

#[tokio::test]
async fn a_message_is_waited_for_by_id_or_result() {
    let (blooio, script) = scripted(json!([
        {"status": 202, "json": {"message_id": "m1", "status": "queued"}},
        {"status": 200, "json": {"message_id": "m1", "status": "sent"}},
        {"status": 200, "json": {"message_id": "m1", "status": "delivered"}},
    ]));
    let messages = blooio.v2().messages();
    let sent = messages.send("+15551234567").text("Hello").await.unwrap();
    let last = messages.wait("+15551234567", &sent).until(blooio_v2::AwaitedStatus::Delivered).await.unwrap();
    assert_eq!(last.status, Some(blooio_v2::MessageStatusValue::Delivered));
    assert_eq!(script.left(), 0);
}

#[test]
fn webhook_events_are_typed() {
    let event =
        bloomchats::webhook::parse(br#"{"event":"message.received","message_id":"m1","timestamp":1,"text":"Hi"}"#)
            .unwrap();
    let typed = blooio_v2::WebhookEvent::from(&event);
    assert!(
        matches!(typed, blooio_v2::WebhookEvent::MessageReceived(message) if message.text.as_deref() == Some("Hi"))
    );
    assert!(matches!(blooio_v4::WebhookEvent::from(&event), blooio_v4::WebhookEvent::Other(_)));
    let family = br#"{"id":"evt_1","type":"number.purchase.completed","data":{"line":"x"}}"#;
    let typed = blooio_v4::WebhookEvent::from(&bloomchats::webhook::parse(family).unwrap());
    assert!(matches!(typed, blooio_v4::WebhookEvent::NumberPurchase(data) if data.raw["line"] == "x"));
}
