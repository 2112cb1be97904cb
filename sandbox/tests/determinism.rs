//! Same seed, frozen clock, same calls one after the other: the same bytes, over every operation there is.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "test code")]

mod common;

use std::collections::BTreeSet;
use std::time::Duration;

use common::contract::{CONTRACTS, check};
use common::raw::exchange;
use common::{Answer, Bench, bench};
use serde_json::{Value, json};

const NOON_MS: i64 = 1_795_000_000_000;
const SOMEONE: &str = "+15551234567";
const CHAT: &str = "/v2/api/chats/%2B15551234567";
/// Nobody has seen another answer than 403 to these.
const REFUSED: [&str; 2] = ["GET /v4/channels/blooio/available", "POST /v4/channels/blooio/purchases"];

/// One telling: what was answered, byte for byte, and which operations have done their work.
struct Story<'a> {
    bench: &'a Bench,
    answers: Vec<String>,
    done: BTreeSet<String>,
}

impl Story<'_> {
    fn call(&mut self, method: &str, path: &str, body: Value) -> Value {
        let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        self.raw(method, path, "content-type: application/json", &body)
    }

    fn get(&mut self, path: &str) -> Value {
        self.call("GET", path, Value::Null)
    }

    fn upload(&mut self, method: &str, path: &str, field: &str) -> Value {
        let head = format!("--x\r\ncontent-disposition: form-data; name=\"{field}\"; filename=\"a\"\r\n\r\n");
        let body = [head.as_bytes(), b"\x89PNG\r\n\x1a\n", b"\r\n--x--\r\n"].concat();
        self.raw(method, path, "content-type: multipart/form-data; boundary=x", &body)
    }

    fn raw(&mut self, method: &str, path: &str, header: &str, body: &[u8]) -> Value {
        let sandbox = &self.bench.sandbox;
        let (blooio, bloomchats, length) = (sandbox.blooio_api_key(), sandbox.bloomchats_api_key(), body.len());
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\nauthorization: Bearer {blooio}\r\n\
             x-api-key: {bloomchats}\r\nidempotency-key: {}\r\n{header}\r\ncontent-length: {length}\r\n\r\n",
            self.answers.len()
        );
        let raw = exchange(&sandbox.url(), &[head.as_bytes(), body].concat(), Duration::from_secs(10)).unwrap();
        let answer =
            Answer { status: raw.status, headers: raw.headers, body: serde_json::from_slice(&raw.body).unwrap() };
        check(method, path, &answer);
        if let Some(contract) = CONTRACTS.iter().find(|contract| path.starts_with(contract.prefix)) {
            let bare = path[contract.prefix.len()..].split('?').next().unwrap();
            let name =
                contract.name(method, bare).expect("an operation").replace(' ', &format!(" {}", contract.prefix));
            let refused = REFUSED.contains(&name.as_str()) && answer.status == 403;
            assert!(
                answer.status < 300 || answer.status == 501 || refused,
                "{name}: {} {}",
                answer.status,
                answer.body
            );
            self.done.insert(name);
        }
        // Two sandboxes have two ports, and say so where they name themselves.
        self.answers.push(String::from_utf8(raw.whole).unwrap().replace(&sandbox.url(), "{url}"));
        answer.body
    }

    fn live(&mut self, ms: i64) {
        self.call("POST", "/_sandbox/clock/advance", json!({"ms": ms}));
    }
}

fn text(body: &Value, pointer: &str) -> String {
    body.pointer(pointer).and_then(Value::as_str).unwrap_or_else(|| panic!("{pointer} in {body}")).to_owned()
}

fn tell(bench: &Bench) -> (Vec<String>, BTreeSet<String>) {
    let mut story = Story { bench, answers: Vec::new(), done: BTreeSet::new() };
    story.call("POST", "/_sandbox/reset", json!({}));
    // What came before this is in real time.
    story.answers.clear();
    story.call("PUT", "/_sandbox/clock", json!({"now": NOON_MS, "frozen": true}));
    story.call("PUT", "/_sandbox/switches", json!({"out_of_order_webhooks": true}));
    story.get("/api/contacts");
    v2_people(&mut story);
    v2_messages(&mut story);
    v2_webhooks(&mut story);
    v4_people(&mut story);
    v4_messages(&mut story);
    v4_webhooks(&mut story);
    for (method, path, resource) in [
        ("POST", "/v2/api/facetime/calls", ""),
        ("GET", "/v4/templates", ""),
        ("POST", "/v4/templates", ""),
        ("GET", "/v4/templates", "/t"),
        ("DELETE", "/v4/templates", "/t"),
        ("POST", "/v4/attachments", ""),
        ("GET", "/v4/attachments", "/a"),
        ("GET", "/v4/chats/c/participants", ""),
        ("POST", "/v4/chats/c/participants", ""),
        ("DELETE", "/v4/chats/c/participants", "/p"),
    ] {
        story.call(method, &format!("{path}{resource}"), Value::Null);
    }
    for path in
        ["/_sandbox/deliveries", "/_sandbox/requests", "/_sandbox/phones/%2B15551234567/inbox", "/_sandbox/clock"]
    {
        story.get(path);
    }
    (story.answers, story.done)
}

fn v2_people(story: &mut Story<'_>) {
    let line = "/v2/api/me/numbers/%2B12025550101";
    for path in ["/v2/api/me", "/v2/api/me/numbers", &format!("{line}/contact-card")] {
        story.get(path);
    }
    story.call("PUT", &format!("{line}/contact-card"), json!({"first_name": "Ada", "sharing": {"enabled": true}}));
    story.call("POST", &format!("{line}/call-forwarding"), json!({"forward_to": SOMEONE}));
    story.call("POST", "/v2/api/contacts", json!({"identifier": SOMEONE, "name": "Bo"}));
    let contact = "/v2/api/contacts/%2B15551234567";
    story.get("/v2/api/contacts?sort=name_asc&limit=200");
    story.get(contact);
    story.call("PATCH", contact, json!({"name": "Bo Li"}));
    story.get(&format!("{contact}/capabilities"));
    story.call("POST", &format!("{contact}/tags"), json!({"tags": ["vip"]}));
    story.get(&format!("{contact}/tags"));
    story.call("DELETE", &format!("{contact}/tags/vip"), Value::Null);
    let group = story.call("POST", "/v2/api/groups", json!({"name": "Lunch", "members": [SOMEONE], "chat_guid": "g1"}));
    let group = format!("/v2/api/groups/{}", text(&group, "/group_id"));
    story.get("/v2/api/groups");
    story.get(&group);
    story.call("PATCH", &group, json!({"name": "Dinner"}));
    story.upload("POST", &format!("{group}/icon"), "icon");
    story.call("DELETE", &format!("{group}/icon"), Value::Null);
    story.get(&format!("{group}/members"));
    let member = format!("{group}/members");
    story.call("POST", &member, json!({"contact_id": "+15559876543"}));
    story.call("DELETE", &format!("{member}/%2B15559876543"), Value::Null);
    story.call("DELETE", &group, Value::Null);
    let friends = story.get("/v2/api/location/contacts");
    story.get(&format!("/v2/api/location/contacts/{}", text(&friends, "/friends/0/handle").replace('+', "%2B")));
    story.call("POST", "/v2/api/location/contacts/refresh", Value::Null);
    story.get("/v2/api/phone-numbers/lookup?number=%2B16502530000");
    story.call("POST", "/v2/api/phone-numbers/lookup", json!({"number": "(650) 253-0000"}));
    story.call("POST", "/v2/api/phone-numbers/batch", json!({"numbers": ["+442079460958", "x"]}));
    story.call("DELETE", contact, Value::Null);
}

fn v2_messages(story: &mut Story<'_>) {
    let hook = json!({"webhook_url": "https://example.com/v2", "webhook_type": "all"});
    story.call("POST", "/v2/api/webhooks", hook);
    let sent = story.call("POST", &format!("{CHAT}/messages"), json!({"text": ["Hello", "again"]}));
    story.call("POST", "/v2/api/chats/%2B15551234567,a%40b.co/messages", json!({"text": "Both of you"}));
    let late = story.call("POST", &format!("{CHAT}/messages"), json!({"text": "Never mind"}));
    story.call("DELETE", &format!("{CHAT}/messages/{}", text(&late, "/message_id")), Value::Null);
    story.live(1000);
    story.call("POST", "/_sandbox/inbound", json!({"from": SOMEONE, "text": "Yes?"}));
    let message = format!("{CHAT}/messages/{}", text(&sent, "/message_ids/0"));
    for path in ["/v2/api/chats?limit=200", CHAT, &format!("{CHAT}/messages"), &message, &format!("{message}/status")] {
        story.get(path);
    }
    story.call("POST", &format!("{CHAT}/messages/-1/reactions"), json!({"reaction": "+love"}));
    let poll = story.call("POST", &format!("{CHAT}/polls"), json!({"title": "When?", "options": ["Noon", "One"]}));
    story.call("POST", "/_sandbox/inbound", json!({"from": SOMEONE, "type": "poll_vote", "option_index": 1}));
    story.get(&format!("{CHAT}/polls/{}", text(&poll, "/poll_id")));
    for (method, path) in [("POST", "typing"), ("DELETE", "typing"), ("POST", "read"), ("POST", "contact-card")] {
        story.call(method, &format!("{CHAT}/{path}"), Value::Null);
    }
    story.upload("PUT", &format!("{CHAT}/background"), "background");
    story.get(&format!("{CHAT}/background"));
    story.call("DELETE", &format!("{CHAT}/background"), Value::Null);
}

fn v2_webhooks(story: &mut Story<'_>) {
    let all = story.get("/v2/api/webhooks");
    let hook = format!("/v2/api/webhooks/{}", text(&all, "/webhooks/0/webhook_id"));
    story.get(&hook);
    story.call("PATCH", &hook, json!({"webhook_type": "message"}));
    let logs = story.get(&format!("{hook}/logs"));
    story.call("POST", &format!("{hook}/logs/{}/replay", text(&logs, "/logs/0/event_id")), Value::Null);
    story.call("POST", &format!("{hook}/secret/rotate"), Value::Null);
    story.call("DELETE", &hook, Value::Null);
}

fn v4_people(story: &mut Story<'_>) {
    story.call("POST", "/v4/webhooks", json!({"url": "https://example.com/v4"}));
    let line = "/v4/me/numbers/%2B12025550102";
    for path in ["/v4/me", "/v4/me/numbers", "/v4/me/priority", &format!("{line}/contact-card"), "/v4/channels"] {
        story.get(path);
    }
    story.call("PUT", &format!("{line}/contact-card"), json!({"last_name": "Blo"}));
    story.upload("POST", &format!("{line}/contact-card/avatar"), "avatar");
    story.call("POST", &format!("{line}/call-forwarding"), json!({"forward_to": SOMEONE}));
    for path in ["alerts", "alerts/capabilities", "alerts/settings", "blooio/available"] {
        story.get(&format!("/v4/channels/{path}"));
    }
    story.call("POST", "/v4/channels/blooio/purchases", json!({}));
    story.call("PUT", "/v4/channels/support/profile", json!({"about": "Here"}));
    let ids: Vec<String> =
        ["Ada", "Bo"].map(|name| text(&story.call("POST", "/v4/contacts", json!({"name": name})), "/data/id")).to_vec();
    let contact = format!("/v4/contacts/{}", ids[0]);
    story.get("/v4/contacts?limit=200");
    story.get("/v4/contacts?sort=name_desc");
    story.get(&contact);
    story.call("PATCH", &contact, json!({"name": "Ada L."}));
    let identity = story.call("POST", &format!("{contact}/identities"), json!({"identifier": "ada@example.com"}));
    let identity = format!("{contact}/identities/{}", text(&identity, "/data/id"));
    story.call("PATCH", &identity, json!({"identifier": "ada@example.org"}));
    story.call("POST", &format!("{contact}/tags"), json!({"tags": ["vip"]}));
    story.call("DELETE", &format!("{contact}/tags/vip"), Value::Null);
    for path in ["identities", "capabilities", "tags", "timeline?include_events=true"] {
        story.get(&format!("{contact}/{path}"));
    }
    story.call("DELETE", &identity, Value::Null);
    story.call("POST", &format!("{contact}/merge"), json!({"source_contact_id": ids[1]}));
    story.call("DELETE", &contact, Value::Null);
    for path in ["contacts", "contacts/refresh"] {
        story.get(&format!("/v4/location/{path}"));
    }
    let friends = story.call("POST", "/v4/location/contacts/refresh", Value::Null);
    let handle = text(&friends, "/data/friends/0/handle").replace('+', "%2B");
    story.get(&format!("/v4/location/contacts/{handle}"));
    story.get("/v4/phone-numbers/lookup?number=%2B16502530000");
    story.call("POST", "/v4/phone-numbers/lookup", json!({"number": "+16502530000"}));
    story.call("POST", "/v4/phone-numbers/batch", json!({"numbers": ["+16502530000"]}));
}

fn v4_messages(story: &mut Story<'_>) {
    let channels = story.get("/v4/channels?type=blooio");
    let line = text(&channels, "/data/0/id");
    let opened = story.call("POST", "/v4/chats", json!({"channel_id": line, "to": SOMEONE}));
    let chat = format!("/v4/chats/{}", text(&opened, "/id"));
    story.call("PATCH", &chat, json!({"metadata": {"a": 1}}));
    let sent = story.call("POST", "/v4/messages", json!({"to": SOMEONE, "text": "Hi", "from": line}));
    story.call(
        "POST",
        &format!("/v4/channels/{line}/messages"),
        json!({"to": ["+15559876543", "a@b.co"], "text": "Hi"}),
    );
    story.call(
        "POST",
        &format!("{chat}/messages"),
        json!({"text": "See", "attachments": ["https://example.com/a.png"]}),
    );
    let poll = story.call("POST", &format!("{chat}/polls"), json!({"title": "When?", "options": ["Noon", "One"]}));
    let poll = format!("{chat}/polls/{}", text(&poll, "/data/id"));
    story.call("POST", &format!("{poll}/vote"), json!({"option_index": 0}));
    story.get(&poll);
    story.live(30_000);
    let message = format!("{chat}/messages/{}", text(&sent, "/id"));
    story.call("POST", &format!("{message}/reactions"), json!({"reaction": "+like"}));
    for path in ["/v4/chats?limit=200", &chat, &format!("{chat}/messages"), &message, &format!("{message}/status")] {
        story.get(path);
    }
    story.get(&format!("{message}/events"));
    for (method, path) in [("POST", "typing"), ("DELETE", "typing"), ("POST", "read"), ("POST", "contact-card")] {
        story.call(method, &format!("{chat}/{path}"), Value::Null);
    }
    story.upload("PUT", &format!("{chat}/background"), "background");
    story.get(&format!("{chat}/background"));
    story.call("DELETE", &format!("{chat}/background"), Value::Null);
    let group = story.call("POST", "/v4/groups", json!({"channel_id": line, "name": "Team", "members": [SOMEONE]}));
    let group_id = text(&group, "/data/id");
    let group = format!("/v4/groups/{group_id}");
    story.call("POST", "/v4/messages", json!({"to": {"group_id": group_id}, "from": line, "text": "All"}));
    for path in ["/v4/groups", &group, &format!("{group}/members")] {
        story.get(path);
    }
    story.call("PATCH", &group, json!({"name": "Crew"}));
    story.upload("POST", &format!("{group}/icon"), "icon");
    story.call("DELETE", &format!("{group}/icon"), Value::Null);
    story.call("DELETE", &group, Value::Null);
    let made = story.call("POST", "/v4/priorities", json!({"channels": [line]}));
    let priority = format!("/v4/priorities/{}", text(&made, "/data/id"));
    story.get("/v4/priorities");
    story.get(&priority);
    story.call("PATCH", &priority, json!({"name": "First"}));
    story.call("DELETE", &priority, Value::Null);
}

fn v4_webhooks(story: &mut Story<'_>) {
    let all = story.get("/v4/webhooks");
    let hook = format!("/v4/webhooks/{}", text(&all, "/data/0/id"));
    story.get("/v4/webhooks/versions");
    story.get(&hook);
    story.call("PATCH", &hook, json!({"event_types": ["message.*"]}));
    for route in ["deliveries", "logs"] {
        let rows = story.get(&format!("{hook}/{route}"));
        story.call("POST", &format!("{hook}/{route}/{}/replay", text(&rows, "/data/0/id")), Value::Null);
    }
    story.call("POST", &format!("{hook}/secret/rotate"), Value::Null);
    story.call("DELETE", &hook, Value::Null);
    let feed = story.get("/v4/events?limit=200");
    story.get(&format!("/v4/events/{}", text(&feed, "/data/0/id")));
}

#[test]
fn the_same_story_gets_the_same_bytes_every_time() {
    let benches = [bench(), bench()];
    let (first, done) = tell(&benches[0]);
    for other in [&benches[0], &benches[1]] {
        let (again, _) = tell(other);
        for (index, (first, again)) in first.iter().zip(&again).enumerate() {
            assert_eq!(first, again, "answer {index}");
        }
        assert_eq!(first.len(), again.len());
    }
    let operations: BTreeSet<String> = CONTRACTS
        .iter()
        .flat_map(|one| one.operations().into_iter().map(|(method, path, _)| format!("{method} {}{path}", one.prefix)))
        .collect();
    let untold: Vec<&String> = operations.difference(&done).collect();
    assert!(untold.is_empty(), "the story leaves out {untold:?}");
}
