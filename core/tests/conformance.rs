//! Runs `tests/conformance/*.json` through the untyped client on a scripted world, and writes the ids that passed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::collections::BTreeSet;
use std::time::Duration;
use std::{env, fs, path::PathBuf};

use bloomchats::{Answer, Call, Client, Config, Error, File, webhook};
use serde_json::{Map, Value, json};

type Object = Map<String, Value>;

/// What each object of a case may hold: a misspelt key would otherwise compare nothing.
const KEYS: &[(&str, &[&str])] = &[
    ("case", &["id", "about", "client", "transcript", "calls", "expect", "webhook"]),
    ("expect", &["requests", "request_count", "waits_ms", "results", "event", "header", "error"]),
    ("call", &["operation", "arguments", "arguments_json", "options", "files", "pages"]),
    ("request", &["method", "url", "headers", "body", "body_base16"]),
    ("result", &["value", "read", "model", "attempts", "status", "idempotency_key", "request_id", "pages", "error"]),
    (
        "error",
        &[
            "kind", "status", "code", "attempts", "maybe_sent", "idempotency_key", "request_id", "retry_after_s", "argument", "reason",
            "cause", "message_contains", "message_excludes", "body", "result", "last_status",
        ],
    ),
    ("event", &["type", "version", "model", "id", "data"]),
];

#[tokio::test]
async fn corpus() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut files: Vec<_> = fs::read_dir(root.join("tests/conformance")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    files.sort();
    let (mut seen, mut passed, mut failures) = (BTreeSet::new(), BTreeSet::new(), Vec::new());
    for path in files {
        let file: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        assert_eq!(file["group"], path.file_stem().unwrap().to_str().unwrap(), "a group is named after its file");
        for case in file["cases"].as_array().expect("cases") {
            let id = case["id"].as_str().expect("id").to_owned();
            assert!(seen.insert(id.clone()), "the id {id} stands twice");
            let mut found = Vec::new();
            run(case, &mut found).await;
            match found.is_empty() {
                true => assert!(passed.insert(id)),
                false => failures.push(format!("{id} ({})\n{}", case["about"].as_str().unwrap_or_default(), found.join("\n"))),
            }
        }
    }
    assert!(!seen.is_empty(), "the corpus has no cases");
    let out = env::var_os("BLOOMCHATS_CONFORMANCE_OUT").map_or_else(|| root.join("target/conformance/rust.txt"), PathBuf::from);
    fs::create_dir_all(out.parent().unwrap()).unwrap();
    fs::write(&out, passed.iter().map(|id| format!("{id}\n")).collect::<String>()).unwrap();
    println!("{} of {} cases passed", passed.len(), seen.len());
    assert!(failures.is_empty(), "{} of {} cases failed:\n\n{}\n", failures.len(), seen.len(), failures.join("\n\n"));
}

async fn run(case: &Value, found: &mut Vec<String>) {
    check_keys("case", case, found);
    check_keys("expect", &case["expect"], found);
    if let Some(webhook) = case.get("webhook") {
        return run_webhook(webhook, &case["expect"], found);
    }
    let expect = &case["expect"];
    let calls = case["calls"].as_array().expect("calls");
    let config = Config::from_json(case["client"].to_string().as_bytes());
    // A client without a key finds none in the environment either; the scripted one would bring its own.
    let keyless = case["client"].get("api_key") == Some(&Value::Null);
    let opened = config.and_then(|config| if keyless { Client::open(config).map(|_| panic!("{} is set", "BLOOIO_API_KEY")) } else { Client::open_scripted(config, case["transcript"].to_string()) });
    let (mut results, mut requests, mut waits) = (Vec::new(), json!([]), Vec::new());
    match opened {
        Err(error) => results.push(failure(&error)),
        Ok((client, script)) => {
            for call in calls {
                check_keys("call", call, found);
                results.push(perform(&client, call).await);
            }
            (requests, waits) = (script.requests(), script.waits_ms());
        }
    }
    let mut actual = json!({"requests": requests, "results": results});
    for request in actual["requests"].as_array_mut().unwrap() {
        request["headers"].as_object_mut().unwrap().remove("user-agent");
    }
    name_keys(&mut actual);
    if let Some(expected) = expect.get("requests") {
        expected.as_array().into_iter().flatten().for_each(|request| check_keys("request", request, found));
        compare_lists("requests", expected, &actual["requests"], found);
    }
    if let Some(count) = expect.get("request_count") {
        compare("request_count", count, &actual["requests"].as_array().map_or(0, Vec::len).into(), found);
    }
    if let Some(expected) = expect.get("waits_ms") {
        compare("waits_ms", expected, &waits.into(), found);
    }
    for (at, expected) in expect["results"].as_array().into_iter().flatten().enumerate() {
        check_result(&format!("results[{at}]"), expected, &actual["results"][at], found);
    }
}

async fn perform(client: &Client, call: &Value) -> Value {
    let arguments = call.get("arguments_json").and_then(Value::as_str).map_or_else(|| call["arguments"].to_string(), str::to_owned);
    let options = call.get("options").map(Value::to_string).unwrap_or_default();
    let mut built = match Call::from_json(call["operation"].as_str().expect("operation"), arguments.as_bytes(), options.as_bytes()) {
        Ok(built) => built,
        Err(error) => return failure(&error),
    };
    for file in call["files"].as_array().into_iter().flatten() {
        let text = |name: &str| file[name].as_str().unwrap_or_default().to_owned();
        let bytes = file.get("base64").map_or_else(|| text("text").into_bytes(), |data| base64(data.as_str().unwrap()));
        built.files.push(File::new(text("field"), text("filename"), text("content_type"), bytes));
    }
    let most = call.get("pages").and_then(Value::as_u64).unwrap_or(u64::MAX);
    let mut pages = Vec::new();
    let mut answer = client.call(built).await;
    loop {
        let page = match answer {
            Err(error) if pages.is_empty() => return failure(&error),
            Err(error) => return json!({"pages": pages, "error": failure(&error)["error"]}),
            Ok(page) if page.items.is_none() => return success(&page),
            Ok(page) => page,
        };
        let body: Value = serde_json::from_slice(&page.body).unwrap();
        let items = page.items.as_deref().filter(|items| !items.is_empty());
        pages.push(items.map_or(body.clone(), |items| body[items].clone()));
        match page.next {
            Some(next) if (pages.len() as u64) < most => answer = next.fetch().await,
            _ => return json!({"pages": pages, "model": page.model, "status": page.status, "attempts": page.attempts}),
        }
    }
}

fn success(answer: &Answer) -> Value {
    let value: Value = serde_json::from_slice(&answer.body).unwrap();
    json!({"value": value, "model": answer.model, "attempts": answer.attempts, "status": answer.status,
           "idempotency_key": answer.idempotency_key, "request_id": answer.request_id})
}

fn failure(error: &Error) -> Value {
    if error.argument_name() == Some("operation") {
        return json!({"error": {"kind": "an operation that does not exist"}});
    }
    let mut json = error.to_json();
    // What is searched for words, or for secrets, is everything a person may come to see.
    json["message"] = format!("{} {error} {error:?}", error.message()).into();
    json!({"error": json})
}

fn run_webhook(webhook: &Value, expect: &Value, found: &mut Vec<String>) {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let outcome = if let Some(sign) = webhook.get("sign") {
        let header = webhook::sign_at(text(&sign["body"]).as_bytes(), &text(&sign["secret"]).into(), sign["at_s"].as_i64().unwrap());
        return compare("header", &expect["header"], &header.into(), found);
    } else if let Some(verify) = webhook.get("verify") {
        let secrets: Vec<_> = verify["secrets"].as_array().unwrap().iter().map(|secret| text(secret).into()).collect();
        let tolerance = verify.get("tolerance_s").and_then(Value::as_u64).map_or(webhook::TOLERANCE, Duration::from_secs);
        webhook::verify_at(text(&verify["body"]).as_bytes(), verify["header"].as_str(), &secrets, verify["now_s"].as_i64().unwrap(), tolerance)
    } else {
        webhook::parse(text(&webhook["parse"]["body"]).as_bytes())
    };
    match (outcome, expect.get("event")) {
        (Ok(event), Some(expected)) => {
            check_keys("event", expected, found);
            let event = event.to_json();
            expected.as_object().into_iter().flatten().for_each(|(key, value)| compare(&format!("event.{key}"), value, &event[key], found));
        }
        (Ok(event), None) => found.push(format!("  expected an error\n  got      {event:?}")),
        (Err(error), _) => check_error("error", &expect["error"], &failure(&error)["error"], found),
    }
}

fn check_result(at: &str, expected: &Value, actual: &Value, found: &mut Vec<String>) {
    check_keys("result", expected, found);
    for (key, value) in expected.as_object().expect("result") {
        match key.as_str() {
            "error" => check_error(&format!("{at}.error"), value, &actual["error"], found),
            _ if actual.get("error").is_some() && key != "pages" => return found.push(format!("  {at}: expected a value\n  got      {}", actual["error"])),
            "read" => value.as_object().into_iter().flatten().for_each(|(path, value)| {
                let got = actual["value"].pointer(&format!("/{}", path.replace('.', "/"))).unwrap_or(&Value::Null);
                compare(&format!("{at}.read {path}"), value, got, found);
            }),
            _ => compare(&format!("{at}.{key}"), value, &actual[key], found),
        }
    }
}

fn check_error(at: &str, expected: &Value, actual: &Value, found: &mut Vec<String>) {
    check_keys("error", expected, found);
    if actual.is_null() && !expected.is_null() {
        return found.push(format!("  {at}: expected {expected}\n  got      success"));
    }
    let message = actual["message"].as_str().unwrap_or_default();
    for (key, value) in expected.as_object().into_iter().flatten() {
        let word = value.as_str().unwrap_or_default();
        match key.as_str() {
            "cause" => check_error(&format!("{at}.cause"), value, &actual["cause"], found),
            "message_contains" if message.contains(word) => {}
            "message_excludes" if !message.contains(word) => {}
            "message_contains" | "message_excludes" => found.push(format!("  {at}.{key} {word:?}\n  got      {message:?}")),
            _ => compare(&format!("{at}.{key}"), value, &actual[key], found),
        }
    }
}

fn check_keys(kind: &str, object: &Value, found: &mut Vec<String>) {
    let known = KEYS.iter().find(|(name, _)| *name == kind).expect("a kind of KEYS").1;
    let unknown = object.as_object().into_iter().flat_map(Object::keys).find(|key| !known.contains(&key.as_str()));
    found.extend(unknown.map(|key| format!("  a {kind} has no key {key:?}")));
}

fn compare_lists(at: &str, expected: &Value, actual: &Value, found: &mut Vec<String>) {
    let (wanted, got) = (expected.as_array().unwrap(), actual.as_array().unwrap());
    compare(&format!("number of {at}"), &wanted.len().into(), &got.len().into(), found);
    wanted.iter().zip(got).enumerate().for_each(|(n, (wanted, got))| compare(&format!("{at}[{n}]"), wanted, got, found));
}

fn compare(at: &str, expected: &Value, actual: &Value, found: &mut Vec<String>) {
    let same = expected == actual || (expected.is_number() && expected.as_f64() == actual.as_f64());
    if !same {
        found.push(format!("  {at}\n  expected {expected}\n  got      {actual}"));
    }
}

/// Puts `{{key}}`, `{{key2}}`, … in place of generated keys, in the order in which they went out.
fn name_keys(actual: &mut Value) {
    let mut keys: Vec<String> = Vec::new();
    for request in actual["requests"].as_array().unwrap() {
        let key = request["headers"]["idempotency-key"].as_str().unwrap_or_default();
        let key = key.strip_suffix(":flat").unwrap_or(key);
        let version_4 = key.len() == 36 && key.as_bytes()[14] == b'4' && b"89ab".contains(&key.as_bytes()[19]);
        if version_4 && !keys.iter().any(|known| known == key) {
            keys.push(key.to_owned());
        }
    }
    let mut text = actual.to_string();
    for (at, key) in keys.iter().enumerate() {
        let name = if at == 0 { "{{key}}".to_owned() } else { format!("{{{{key{}}}}}", at + 1) };
        text = text.replace(key, &name);
    }
    *actual = serde_json::from_str(&text).unwrap();
}

fn base64(text: &str) -> Vec<u8> {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digits: Vec<u32> = text.bytes().filter_map(|b| ALPHABET.iter().position(|a| *a == b)).map(|digit| digit as u32).collect();
    let group = |group: &[u32]| {
        let bits = (0..4).fold(0, |bits, at| bits << 6 | group.get(at).copied().unwrap_or(0));
        bits.to_be_bytes()[1..group.len()].to_vec()
    };
    digits.chunks(4).flat_map(group).collect()
}
