//! Every parser that meets the network or a stranger's text: a typed error at worst, never a panic.

use bloomchats::{Call, Client, Config, Error, ErrorKind, Plan, Secret, webhook};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::sample;
use crate::schedules::{Named, operations};
use crate::support::{block_on, cases};

/// Bytes of no order, text of no order, and JSON that was right before it was damaged.
fn noise(valid: impl Strategy<Value = Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        1 => prop::collection::vec(any::<u8>(), 0..200),
        1 => ".{0,100}".prop_map(String::into_bytes),
        1 => json_value().prop_map(|value| value.to_string().into_bytes()),
        3 => damaged(valid),
    ]
}

fn json_value() -> impl Strategy<Value = Value> {
    let keys = "(id|data|error|code|message|message_id|message_ids|status|event|type|retry_after|[a-z]{1,4})";
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, move |inner| {
        let object = prop::collection::vec((keys, inner.clone()), 0..5);
        prop_oneof![
            prop::collection::vec(inner, 0..4).prop_map(Value::from),
            object.prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

/// Cuts, doubles and overwrites, with bytes that parsers trip over.
fn damaged(valid: impl Strategy<Value = Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    let pieces: Vec<&[u8]> = vec![
        b"\"",
        b"\\",
        b"\\u",
        b"\\ud800",
        b"\\udc00\\ud800",
        b"{",
        b"}",
        b"[",
        b"]",
        b":",
        b",",
        b"-",
        b"1e999",
        b"0x",
        b"\0",
        b"\xff",
        b"\xf0\x9f",
        b"null",
        b"NaN",
        b"18446744073709551616",
        b"-9223372036854775809",
        b" ",
        b"\xef\xbb\xbf",
        b"",
    ];
    let edit = (any::<prop::sample::Index>(), 0usize..4, prop::sample::select(pieces));
    (valid, prop::collection::vec(edit, 0..4)).prop_map(|(mut bytes, edits)| {
        for (at, cut, piece) in edits {
            let at = at.index(bytes.len() + 1);
            bytes.splice(at..(at + cut).min(bytes.len()), piece.iter().copied());
        }
        bytes
    })
}

fn header() -> impl Strategy<Value = String> {
    let number = any::<i64>().prop_map(|n| n.to_string());
    let small = (-5i64..200).prop_map(|n| n.to_string());
    let date = (0u64..400_000_000_000).prop_map(|at| {
        let at = at.min(253_402_300_799);
        httpdate::fmt_http_date(std::time::UNIX_EPOCH + std::time::Duration::from_secs(at))
    });
    let odd = prop::sample::select(vec![
        "",
        " ",
        "-0",
        "1e300",
        "-1",
        "NaN",
        "inf",
        "1.5",
        "0.0000001",
        "Thu, 01 Jan 1970 00:00:00 GMT",
        "tomorrow",
        "limit=1, remaining=0, reset=-9223372036854775808",
        "\"default\";r=0;t=99999999999999999999",
        ";;=,=;",
        "r=0;t=1;r=5",
    ]);
    prop_oneof![number, small, date, odd.prop_map(str::to_owned), "[ -~]{0,20}"]
}

fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let bits = |chunk: &[u8]| (0..3).fold(0u32, |bits, n| bits << 8 | u32::from(*chunk.get(n).unwrap_or(&0)));
    let letters = |chunk: &[u8]| {
        let bits = bits(chunk);
        (0..=chunk.len()).map(move |n| char::from(ALPHABET[(bits >> (18 - 6 * n) & 63) as usize])).collect::<String>()
    };
    bytes.chunks(3).map(letters).collect()
}

/// The kinds an answer, however odd, may come to.
fn is_typed(error: &Error) -> bool {
    let kinds = [ErrorKind::Api, ErrorKind::Decode, ErrorKind::Connection];
    kinds.iter().any(|kind| error.kind().is_a(*kind))
}

proptest! {
    #![proptest_config(cases(100))]

    #[test]
    fn answers(
        (operation, body) in operations().prop_flat_map(|operation| {
            let valid = sample::answer(operation.0).to_string().into_bytes();
            (Just(operation), noise(Just(valid)))
        }),
        status in prop_oneof![3 => 200u16..208, 1 => 300u16..600, 1 => Just(429), 1 => Just(422), 1 => 0u16..1000],
        headers in prop::collection::vec((prop::sample::select(vec![
            "retry-after", "date", "x-ratelimit-remaining", "x-ratelimit-reset", "ratelimit", "ratelimit-remaining",
            "ratelimit-reset", "content-type", "x-request-id",
        ]), header()), 0..5),
    ) {
        let Named(operation) = operation;
        let headers: Map<String, Value> = headers.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
        let exchange = json!({"status": status, "headers": headers, "body_base64": base64(&body)});
        let transcript = json!({"exchanges": [exchange, exchange, exchange]}).to_string();
        let (client, _script) = Client::open_scripted(sample::config(operation), transcript).unwrap();
        let call = sample::call(operation, &|name| format!("a-{name}"));
        match block_on(client.call(call.clone())) {
            Ok(answer) => {
                prop_assert!((200..300).contains(&answer.status));
                prop_assert!(serde_json::from_slice::<Value>(&answer.body).is_ok(), "what crosses is JSON");
                if let Some(next) = answer.next {
                    let _ = block_on(next.fetch());
                }
            }
            Err(error) => {
                prop_assert!(is_typed(&error), "{error:?}");
                prop_assert_eq!(error.kind() == ErrorKind::Decode, (200..300).contains(&status), "{}", error);
                let _ = (error.to_json(), error.retry_after());
            }
        }
        // What the headers taught the client must not trip the next call either.
        let _ = block_on(client.call(call));
    }

    #[test]
    fn webhook_bodies(body in noise(prop::sample::select(vec![
        br#"{"event":"message.received","message_id":"m1","text":"Hi","timestamp":1}"#.to_vec(),
        br#"{"id":"evt_1","type":"message.received","data":{"id":"m1"},"created_at":"2026-01-01"}"#.to_vec(),
    ]))) {
        match webhook::parse(&body) {
            Ok(event) => {
                let _ = event.to_json();
                let _ = bloomchats::api::blooio_v2::WebhookEvent::from(&event);
                let _ = bloomchats::api::blooio_v4::WebhookEvent::from(&event);
            }
            Err(error) => prop_assert_eq!(error.kind(), ErrorKind::Decode),
        }
    }

    #[test]
    fn webhook_signatures(
        body in noise(Just(b"{\"event\": \"x\"}".to_vec())),
        header in noise(Just(webhook::sign_at(b"{\"event\":\"x\"}", &"whsec_a".into(), 1_000).into_bytes())),
        now in prop_oneof![Just(1_000i64), any::<i64>()],
        tolerance in any::<u64>(),
    ) {
        let header = String::from_utf8_lossy(&header).into_owned();
        let secrets: [Secret; 2] = ["whsec_b".into(), "whsec_a".into()];
        let tolerance = std::time::Duration::from_secs(tolerance);
        match webhook::verify_at(&body, Some(&header), &secrets, now, tolerance) {
            Ok(event) => prop_assert_eq!(&event.raw["event"], "x", "only what was signed verifies"),
            Err(error) => {
                prop_assert_eq!(error.kind(), ErrorKind::WebhookVerification);
                prop_assert!(error.reason().is_some());
            }
        }
    }

    #[test]
    fn configurations(json in noise(Just(json!({
        "product": "blooio", "api_key": "bl_key", "base_url": "http://127.0.0.1:1", "timeout_ms": 1000, "max_retries": 1,
        "user_agent": "a/1", "language": "python", "v4_send_body": "auto", "plan": {"per_minute": 3}, "proxy": "http://p:1",
        "ca_certs": "-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n",
    }).to_string().into_bytes()))) {
        let opened = Config::from_json(&json).and_then(|mut config| {
            config.plan = config.plan.map(|_| Plan::PRO);
            Client::open(config)
        });
        if let Err(error) = opened {
            prop_assert_eq!(error.kind(), ErrorKind::Config);
        }
    }

    #[test]
    fn calls(
        arguments in noise(Just(json!({"chat": "+15551234567", "text": "Hi", "reply_to": {"message_id": "m"}}).to_string().into_bytes())),
        options in noise(Just(json!({
            "timeout_ms": 1000, "attempt_timeout_ms": 10, "max_retries": 3, "idempotency_key": "k", "headers": {"x-a": "b"},
            "query": {"a": 1}, "extra_body": {"a": [1]},
        }).to_string().into_bytes())),
        operation in prop_oneof![
            Just("blooio.v2.messages.send".to_owned()), Just("blooio.v2.request".to_owned()),
            Just("blooio.v2.messages.wait".to_owned()), "[a-z.]{0,20}",
        ],
    ) {
        let call = match Call::from_json(operation, &arguments, &options) {
            Ok(call) => call,
            Err(error) => {
                prop_assert_eq!(error.kind(), ErrorKind::InvalidArgument);
                return Ok(());
            }
        };
        let transcript = json!({"exchanges": [{"status": 202, "json": {"message_id": "m1"}}]}).to_string();
        let (client, _script) = Client::open_scripted(Config::blooio(), transcript).unwrap();
        if let Err(error) = block_on(client.call(call)) {
            prop_assert!(!error.to_string().is_empty());
        }
    }

    #[test]
    fn transcripts(transcript in noise(Just(json!({
        "exchanges": [{"status": 200, "headers": {"a": "b"}, "json": {"message_id": "m"}, "delay_ms": 3},
                      {"fault": "reset"}, {"body_base64": "aGk=", "status": 200}, {"status": 200, "body_repeat": {"text": "a", "times": 3}}],
        "jitter": 0.5, "now_ms": 1_790_000_000_000i64,
    }).to_string().into_bytes()))) {
        match Client::open_scripted(Config::blooio(), &transcript) {
            Ok((client, _script)) => {
                let _ = block_on(client.call(crate::secrecy::send("+15551234567", "Hi")));
            }
            Err(error) => prop_assert_eq!(error.kind(), ErrorKind::Config),
        }
    }

    #[test]
    fn base_urls(pieces in prop::collection::vec(prop::sample::select(vec![
        "https://", "http://", "HTTP://", "ftp://", "//", "127.0.0.1", "localhost", "evil.localhost", "[::1]", "0x7f.1", "127.1",
        "2130706433", "example.com", "user:pw@", "@", ":", "99999", "80", "/", "/v2", "/../", "?a", "#b", "\\", " ", "\t", "\r\n",
        "%00", "\u{ff0e}", "[::ffff:127.0.0.1]", "localhost.evil.com",
    ]), 0..7)) {
        let given = pieces.concat();
        match Client::open(Config::blooio().with_api_key("bl_key").with_base_url(&given)) {
            Err(error) => prop_assert_eq!(error.kind(), ErrorKind::Config),
            Ok(_) => {
                let url = url::Url::parse(&given).unwrap();
                let host = url.host_str().unwrap();
                let loopback = host == "localhost" || host.ends_with(".localhost") || host.starts_with("127.") || host == "[::1]";
                prop_assert!(url.scheme() == "https" || (url.scheme() == "http" && loopback), "{}", given);
                prop_assert!(url.username().is_empty() && url.query().is_none() && url.fragment().is_none(), "{}", given);
            }
        }
    }
}

#[test]
fn numbers_without_end() {
    let page = json!({"status": 200, "json": {"chats": [{"id": "c1"}]}});
    let (client, script) =
        Client::open_scripted(Config::blooio(), json!({"exchanges": [page, page]}).to_string()).unwrap();
    let mut call = Call::new("blooio.v2.chats.list", Map::new());
    call.arguments.insert("offset".into(), u64::MAX.into());
    let first = block_on(client.call(call)).unwrap();
    assert!(block_on(first.next.unwrap().fetch()).unwrap().next.is_none());
    assert_eq!(script.left(), 0);

    let endless = json!({"status": 200, "body_repeat": {"text": "ab", "times": u64::MAX}, "delay_ms": u64::MAX});
    let transcript = json!({"exchanges": [endless], "now_ms": i64::MAX}).to_string();
    let (client, _script) = Client::open_scripted(Config::blooio(), transcript).unwrap();
    let mut call = Call::new("blooio.v2.me.get", Map::new());
    call.options.timeout = Some(std::time::Duration::MAX);
    call.options.attempt_timeout = Some(std::time::Duration::MAX);
    assert_eq!(block_on(client.call(call)).unwrap_err().kind(), ErrorKind::Decode);
}

#[test]
fn nesting_without_end() {
    let deep = "[".repeat(100_000);
    let exchange = json!({"status": 200, "headers": {"content-type": "application/json"}, "body": deep});
    let (client, _script) =
        Client::open_scripted(Config::blooio(), json!({"exchanges": [exchange]}).to_string()).unwrap();
    let error = block_on(client.call(crate::secrecy::send("+15551234567", "Hi"))).unwrap_err();
    assert_eq!((error.kind(), error.maybe_sent()), (ErrorKind::Decode, true));
    let object = format!("{{\"a\":{deep}");
    assert!(webhook::parse(object.as_bytes()).is_err());
    assert!(Config::from_json(object.as_bytes()).is_err());
    assert!(Call::from_json("blooio.v2.me.get", object.as_bytes(), b"").is_err());
    assert!(Client::open_scripted(Config::blooio(), object).is_err());
}

#[test]
fn a_header_full_of_signatures_costs_little_more_than_one() {
    let body = vec![b' '; 1_000_000];
    let header = format!("t=1{}", ",v1=00".repeat(1_000));
    let secrets: [Secret; 2] = ["whsec_b".into(), "whsec_a".into()];
    let begun = std::time::Instant::now();
    let error = webhook::verify(&body, Some(&header), &secrets).unwrap_err();
    assert_eq!(error.reason(), Some("wrong_secret"));
    // It takes a twentieth of a second; were the body read for every signature, most of a minute.
    assert!(begun.elapsed() < std::time::Duration::from_secs(5), "{:?}", begun.elapsed());
}
