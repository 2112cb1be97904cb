//! Runs `tests/conformance/*.json` through the untyped client on a scripted world, and writes the ids that passed.
//! That the files themselves are well formed is proved by `corpus_format.rs`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::collections::BTreeSet;
use std::sync::mpsc;
use std::time::Duration;
use std::{env, fs, path::PathBuf};

use bloomchats::{Answer, Call, Client, Config, Error, File, webhook};
use serde_json::{Value, json};

#[tokio::test]
async fn corpus() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
    let (mut seen, mut passed, mut failures) = (0, BTreeSet::new(), Vec::new());
    for entry in fs::read_dir(root.join("tests/conformance")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let file: Value = serde_json::from_slice(&fs::read(path).unwrap()).expect("JSON");
        for case in file["cases"].as_array().expect("cases") {
            let (id, mut found) = (text(&case["id"]), Vec::new());
            compare("", &case["expect"], &run(case).await, &mut found);
            seen += 1;
            if found.is_empty() {
                assert!(passed.insert(id.clone()), "the id {id} stands twice");
            } else {
                failures.push(format!("{id} ({})\n{}", text(&case["about"]), found.join("\n")));
            }
        }
    }
    assert!(seen > 0, "the corpus has no cases");
    let out = env::var_os("BLOOMCHATS_CONFORMANCE_OUT").map(PathBuf::from);
    let out = out.unwrap_or_else(|| root.join("target/conformance/rust.txt"));
    fs::create_dir_all(out.parent().unwrap()).unwrap();
    fs::write(out, passed.iter().map(|id| format!("{id}\n")).collect::<String>()).unwrap();
    println!("{} of {seen} cases passed", passed.len());
    assert!(failures.is_empty(), "{} of {seen} cases failed:\n\n{}\n", failures.len(), failures.join("\n\n"));
}

/// What happened, in the form of `expect`.
async fn run(case: &Value) -> Value {
    if let Some(webhook) = case.get("webhook") {
        return run_webhook(webhook);
    }
    let (watched, events) = mpsc::channel();
    let opened = Config::from_json(case["client"].to_string().as_bytes()).and_then(|config| {
        let config = config.with_observer(move |event| watched.send(event.to_json()).unwrap());
        // The scripted client would bring a key of its own.
        match case["client"].get("api_key") {
            Some(Value::Null) => Client::open(config).map(|_| panic!("unset the environment's API key first")),
            _ => Client::open_scripted(config, case["transcript"].to_string()),
        }
    });
    let (client, script) = match opened {
        Ok(opened) => opened,
        Err(error) => {
            return json!({"requests": [], "request_count": 0, "waits_ms": [], "events": [], "results": [failure(&error)]});
        }
    };
    let mut results = Vec::new();
    for call in case["calls"].as_array().expect("calls") {
        results.push(perform(&client, call).await);
    }
    let mut requests = script.requests();
    for request in requests.as_array_mut().unwrap() {
        request["headers"].as_object_mut().unwrap().remove("user-agent");
    }
    let count = requests.as_array().unwrap().len();
    let events: Vec<Value> = events.try_iter().collect();
    name_keys(json!({"requests": requests, "request_count": count, "waits_ms": script.waits_ms(), "events": events,
                     "results": results}))
}

async fn perform(client: &Client, call: &Value) -> Value {
    let arguments = call.get("arguments_json").map_or_else(|| call["arguments"].to_string(), text);
    let options = call.get("options").map(Value::to_string).unwrap_or_default();
    let mut built = match Call::from_json(text(&call["operation"]), arguments.as_bytes(), options.as_bytes()) {
        Ok(built) => built,
        Err(error) => return failure(&error),
    };
    for file in call["files"].as_array().into_iter().flatten() {
        let bytes = file.get("base64").map_or_else(|| text(&file["text"]).into_bytes(), base64);
        built.files.push(File::new(text(&file["field"]), text(&file["filename"]), text(&file["content_type"]), bytes));
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
            _ => return json!({"pages": pages, "model": page.model}),
        }
    }
}

fn success(answer: &Answer) -> Value {
    let value: Value = serde_json::from_slice(&answer.body).unwrap();
    json!({"value": value, "model": answer.model, "attempts": answer.attempts, "status": answer.status,
           "idempotency_key": answer.idempotency_key, "request_id": answer.request_id})
}

fn failure(error: &Error) -> Value {
    let mut json = error.to_json();
    json["message"] = format!("{} {error} {error:?}", error.message()).into();
    json!({"error": json})
}

fn run_webhook(webhook: &Value) -> Value {
    let event = if let Some(sign) = webhook.get("sign") {
        let (body, secret) = (text(&sign["body"]), text(&sign["secret"]).into());
        return json!({"header": webhook::sign_at(body.as_bytes(), &secret, sign["at_s"].as_i64().unwrap())});
    } else if let Some(verify) = webhook.get("verify") {
        let (body, now) = (text(&verify["body"]), verify["now_s"].as_i64().unwrap());
        let secrets: Vec<_> = verify["secrets"].as_array().unwrap().iter().map(|secret| text(secret).into()).collect();
        let tolerance = verify.get("tolerance_s").and_then(Value::as_u64);
        let tolerance = tolerance.map_or(webhook::TOLERANCE, Duration::from_secs);
        webhook::verify_at(body.as_bytes(), verify["header"].as_str(), &secrets, now, tolerance)
    } else {
        webhook::parse(text(&webhook["parse"]["body"]).as_bytes())
    };
    event.map_or_else(|error| failure(&error), |event| json!({"event": event.to_json()}))
}

/// Every key of `expected` must hold in `actual`; what else happened is not compared, but for an error nobody expected.
fn compare(at: &str, expected: &Value, actual: &Value, found: &mut Vec<String>) {
    if let (Some(error), None) = (actual.get("error"), expected.get("error")) {
        found.push(format!("  {at}: an error: {error}"));
    }
    for (key, wanted) in expected.as_object().into_iter().flatten() {
        let (at, got) = (format!("{at} {key}"), &actual[key]);
        let (word, message) = (text(wanted), text(&actual["message"]));
        match key.as_str() {
            "error" | "cause" | "event" if got.is_object() => compare(&at, wanted, got, found),
            "requests" | "results" => {
                let (wanted, got) = (wanted.as_array().unwrap(), got.as_array().unwrap());
                differ(&format!("{at}: number"), &wanted.len().into(), &got.len().into(), found);
                wanted.iter().zip(got).enumerate().for_each(|(n, (w, g))| compare(&format!("{at}[{n}]"), w, g, found));
            }
            "read" => wanted.as_object().into_iter().flatten().for_each(|(path, wanted)| {
                let got = actual["value"].pointer(&format!("/{}", path.replace('.', "/"))).unwrap_or(&Value::Null);
                differ(&format!("{at} {path}"), wanted, got, found);
            }),
            "message_contains" if message.contains(&word) => {}
            "message_excludes" if !message.contains(&word) => {}
            "message_contains" | "message_excludes" => differ(&at, wanted, &message.into(), found),
            _ => differ(&at, wanted, got, found),
        }
    }
}

fn differ(at: &str, expected: &Value, actual: &Value, found: &mut Vec<String>) {
    let same_number = expected.is_number() && expected.as_f64() == actual.as_f64();
    if expected != actual && !same_number {
        found.push(format!("  {at}\n    expected {expected}\n    got      {actual}"));
    }
}

/// Puts `{{key}}`, `{{key2}}`, … in place of generated keys, in the order in which they went out.
fn name_keys(happened: Value) -> Value {
    let mut keys: Vec<String> = Vec::new();
    for request in happened["requests"].as_array().unwrap() {
        let key = text(&request["headers"]["idempotency-key"]);
        let key = key.strip_suffix(":flat").unwrap_or(&key);
        let version_4 = key.len() == 36 && key.as_bytes()[14] == b'4' && b"89ab".contains(&key.as_bytes()[19]);
        if version_4 && !keys.iter().any(|known| known == key) {
            keys.push(key.to_owned());
        }
    }
    let named = keys.iter().enumerate().fold(happened.to_string(), |text, (at, key)| {
        let number = if at == 0 { String::new() } else { (at + 1).to_string() };
        text.replace(key, &format!("{{{{key{number}}}}}"))
    });
    serde_json::from_str(&named).unwrap()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn base64(encoded: &Value) -> Vec<u8> {
    const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digits: Vec<_> = text(encoded).chars().filter_map(|c| ALPHABET.find(c)).map(|digit| digit as u32).collect();
    let bytes = |four: &[u32]| {
        let bits = (0..4).fold(0, |bits, at| bits << 6 | four.get(at).copied().unwrap_or(0));
        bits.to_be_bytes()[1..four.len()].to_vec()
    };
    digits.chunks(4).flat_map(bytes).collect()
}
