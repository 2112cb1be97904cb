//! Any method, path, headers and body, on any route: an answer, in time, in the shape its contract gives it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "test code")]

mod common;

use std::time::Duration;

use common::contract::{CONTRACTS, check};
use common::raw::{Raw, exchange};
use common::{Answer, Bench, bench};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::{Config, RngSeed, TestRunner};
use serde_json::{Value, json};

/// Longer than anything here may take: no recipient is a slow one, and no fault is scripted.
const PATIENCE: Duration = Duration::from_secs(10);
const METHODS: [&str; 9] = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "BREW"];
/// Control endpoints that leave keys, faults and limits alone.
const CONTROL: [&str; 10] = [
    "/_sandbox/receivers",
    "/_sandbox/receivers/1",
    "/_sandbox/inbound",
    "/_sandbox/switches",
    "/_sandbox/clock",
    "/_sandbox/clock/advance",
    "/_sandbox/lines/%2B12025550101",
    "/_sandbox/phones/%2B15551234567/inbox",
    "/_sandbox/deliveries",
    "/_sandbox/requests",
];
/// Names that mean something in some body.
const FIELDS: &str = "text to content from attachments parts poll reply_to effect url webhook_url channel_id \
    identifier dry_run event_types valid_until link_preview hybrid rich_link metadata reaction option_index option \
    options title tags name members channels source_contact_id state numbers number sharing priority_id type \
    message_id group_id guid part_index template interactive kind app_clip webhook_type deprecate status api_version \
    forward_to from_number share_contact contact_id contact_ids identifiers direction is_default priority body now \
    frozen ms";
const HEADERS: &str = "content-type idempotency-key accept origin x-organization-id if-none-match range x-from-number";

/// What a request consists of, before it becomes bytes.
#[derive(Clone, Debug)]
struct Request {
    method: String,
    target: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Request {
    fn bytes(&self, bench: &Bench) -> Vec<u8> {
        let (blooio, bloomchats) = (bench.sandbox.blooio_api_key(), bench.sandbox.bloomchats_api_key());
        let mut head = format!("{} {} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n", self.method, self.target);
        head += &format!("authorization: Bearer {blooio}\r\nx-api-key: {bloomchats}\r\n");
        for (name, value) in &self.headers {
            head += &format!("{name}: {value}\r\n");
        }
        head += &format!("content-length: {}\r\n\r\n", self.body.len());
        [head.as_bytes(), &self.body].concat()
    }
}

/// A segment: something that exists, or anything.
fn segment(known: Vec<String>) -> impl Strategy<Value = String> {
    prop_oneof![
        4 => select(known),
        1 => "\\PC{0,12}".prop_map(|text| percent(text.as_bytes())),
        1 => prop::collection::vec(any::<u8>(), 0..8).prop_map(|bytes| percent(&bytes)),
        1 => "[!-~&&[^ <>`\"#?]]{1,10}",
    ]
}

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

fn percent(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("%{byte:02X}")).collect()
}

/// A path of the contracts with other values in it, a control path, or nobody's path.
fn target(known: Vec<String>) -> impl Strategy<Value = String> {
    let templates: Vec<String> = CONTRACTS
        .iter()
        .flat_map(|contract| contract.operations().into_iter().map(|(_, path, _)| format!("{}{path}", contract.prefix)))
        .collect();
    let filled =
        (select(templates), prop::collection::vec(segment(known.clone()), 4)).prop_map(|(template, values)| {
            let mut values = values.into_iter();
            let fill = |part: &str| match part.starts_with('{') {
                true => values.next().unwrap_or_default(),
                false => part.to_owned(),
            };
            template.split('/').map(fill).collect::<Vec<_>>().join("/")
        });
    let nobodys =
        (select(vec!["", "/v2/api", "/v4", "/api", "/_sandbox"]), prop::collection::vec(segment(known), 0..5))
            .prop_map(|(prefix, segments)| format!("{prefix}/{}", segments.join("/")));
    let path = prop_oneof![
        8 => filled,
        1 => nobodys,
        1 => select(CONTROL.to_vec()).prop_map(str::to_owned),
    ];
    let number = "0 1 -1 200 201 9223372036854775807 99999999999999999999 %FF asc recent true";
    let parameter = (
        select(words("limit offset cursor sort order q filter tag type state since until status number direction")),
        prop_oneof![select(words(number)), segment(words("x"))],
    );
    (path, prop::collection::vec(parameter, 0..3)).prop_map(|(path, query)| {
        let query: Vec<String> =
            query.into_iter().map(|(name, value)| format!("{name}={}", value.replace(['#', '&'], ""))).collect();
        if query.is_empty() { path } else { format!("{path}?{}", query.join("&")) }
    })
}

fn value(known: Vec<String>) -> impl Strategy<Value = Value> {
    let texts =
        "+15551234567 a@b.co +12025550101 alerts https://example.com/a.png text media poll +love -love active none";
    let mut texts = words(texts);
    texts.extend(known);
    let leaf = prop_oneof![
        2 => select(texts).prop_map(Value::from),
        1 => any::<bool>().prop_map(Value::from),
        1 => any::<i64>().prop_map(Value::from),
        1 => any::<f64>().prop_map(|number| json!(number)),
        1 => "\\PC{0,20}".prop_map(Value::from),
        1 => Just(Value::Null),
    ];
    let names: Vec<&'static str> = FIELDS.split_whitespace().collect();
    leaf.prop_recursive(3, 24, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((select(names.clone()), inner), 0..4)
                .prop_map(|fields| fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()),
        ]
    })
}

fn body(known: Vec<String>) -> impl Strategy<Value = Vec<u8>> {
    let names: Vec<&'static str> = FIELDS.split_whitespace().collect();
    let object = prop::collection::vec((select(names), value(known)), 0..5).prop_map(|fields| {
        Value::Object(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
            .to_string()
            .into_bytes()
    });
    let upload =
        (select(vec!["icon", "background", "avatar", "x"]), prop::collection::vec(any::<u8>(), 0..64), any::<Index>())
            .prop_map(|(name, content, cut)| {
                let head = format!("--b\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n");
                let whole = [head.as_bytes(), &content, b"\r\n--b--\r\n"].concat();
                let end = cut.index(whole.len() * 2);
                whole[..end.min(whole.len())].to_vec()
            });
    prop_oneof![
        6 => object,
        1 => prop::collection::vec(any::<u8>(), 0..64),
        1 => upload,
    ]
}

fn headers() -> impl Strategy<Value = Vec<(String, String)>> {
    let value = prop_oneof![
        3 => select(words("application/json multipart/form-data;boundary=b multipart/form-data k1 http://localhost")),
        1 => "[ -~]{0,20}",
    ];
    prop::collection::vec((select(words(HEADERS)), value), 0..4)
}

fn request(known: Vec<String>) -> impl Strategy<Value = Request> {
    let method = prop_oneof![1 => select(METHODS.to_vec()).prop_map(str::to_owned), 6 => Just(String::new())];
    (method, select(METHODS[..5].to_vec()), target(known.clone()), headers(), body(known)).prop_map(
        |(odd, usual, target, headers, body)| {
            let method = if odd.is_empty() { fitting(&target).unwrap_or_else(|| usual.to_owned()) } else { odd };
            Request { method, target, headers, body }
        },
    )
}

/// A method the path takes, so that most requests reach a handler.
fn fitting(target: &str) -> Option<String> {
    let path = target.split('?').next().unwrap_or_default();
    let contract = CONTRACTS.iter().find(|contract| path.starts_with(contract.prefix))?;
    let methods = contract.methods(&path[contract.prefix.len()..]);
    // As many bytes as the target has choose one of them: any rule would do.
    (!methods.is_empty()).then(|| methods[target.len() % methods.len()].clone())
}

/// Ids of things that exist, so that noise reaches beyond the first check.
async fn real_ids(bench: &Bench) -> Vec<String> {
    let client = &bench.blooio;
    let sent = client.post("/v4/messages", json!({"to": "+15551234567", "text": "Hello"})).await.is(201);
    let chat = client.get(&format!("/v4/chats/{}", sent.text("/chat_id"))).await.is(200);
    let poll = json!({"to": "+15551234567", "poll": {"title": "When?", "options": ["a", "b"]}});
    let poll = client.post("/v4/messages", poll).await.is(201);
    let flat = client.post("/v2/api/chats/%2B15551234567/messages", json!({"text": "Hello"})).await.is(202);
    let group = client.post("/v4/messages", json!({"to": ["+15551234567", "a@b.co"], "text": "Hello"})).await.is(201);
    let webhook = client.post("/v4/webhooks", json!({"url": "https://example.com/hook"})).await.is(201);
    let subscription = json!({"webhook_url": "https://example.com/hook", "webhook_type": "all"});
    let subscription = client.post("/v2/api/webhooks", subscription).await.is(201);
    let priority = json!({"channels": [sent.text("/channel_id")], "is_default": false});
    let priority = client.post("/v4/priorities", priority).await.is(201);
    let event = client.get("/v4/events?limit=1").await.is(200);
    let named = ["%2B15551234567", "a%40b.co", "%2B12025550101", "alerts", "vip", "-1", "%2B15005550008"];
    let mut ids: Vec<String> = named.map(str::to_owned).to_vec();
    ids.extend([
        sent.text("/id"),
        sent.text("/chat_id"),
        sent.text("/channel_id"),
        chat.text("/data/contact_id"),
        chat.text("/data/identity_id"),
        poll.text("/id"),
        flat.text("/message_id"),
        group.text("/group_id"),
        webhook.text("/data/id"),
        subscription.text("/webhook_id"),
        priority.text("/data/id"),
        event.text("/data/0/id"),
    ]);
    ids
}

#[test]
fn any_request_gets_a_documented_answer() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let bench = bench();
    let known = runtime.block_on(real_ids(&bench));
    let config = Config { cases: 3_000, rng_seed: RngSeed::Fixed(1), failure_persistence: None, ..Config::default() };
    let outcome = TestRunner::new(config).run(&request(known), |request| {
        let raw = exchange(&bench.sandbox.url(), &request.bytes(&bench), PATIENCE);
        let raw = raw.ok_or_else(|| TestCaseError::fail("the connection ended without an answer"))?;
        documented(&request, raw)
    });
    outcome.unwrap();
    runtime.block_on(async { bench.blooio.get("/v2/api/contacts?limit=1").await });
}

fn documented(request: &Request, raw: Raw) -> Result<(), TestCaseError> {
    // What is no HTTP is answered by HTTP itself, and what is asked with HEAD without a body.
    if raw.body.is_empty() && (raw.status == 400 || request.method == "HEAD") {
        return Ok(());
    }
    let body =
        serde_json::from_slice(&raw.body).map_err(|error| TestCaseError::fail(format!("{}: {error}", raw.status)))?;
    let answer = Answer { status: raw.status, headers: raw.headers, body };
    check(&request.method, &request.target, &answer);
    prop_assert!(![500, 504].contains(&answer.status), "{}", answer.body);
    if answer.status >= 400 {
        let error = &answer.body["error"];
        prop_assert!(
            answer.body["message"].is_string()
                || error["message"].is_string()
                || error["data"].is_array()
                || answer.body["data"].is_array(),
            "{}",
            answer.body
        );
    }
    Ok(())
}
