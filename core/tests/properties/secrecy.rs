//! Nothing a person may come to read holds a key, a number, an address or a message: errors, and `Debug` of every public type.

use std::sync::{Arc, Mutex};

use bloomchats::operation::Place;
use bloomchats::{Call, Client, Config, Error};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::sample;
use crate::schedules::{Named, operations};
use crate::support::{block_on, cases};

pub fn send(chat: &str, text: &str) -> Call {
    let Value::Object(arguments) = json!({"chat": chat, "text": text}) else { unreachable!() };
    Call::new("blooio.v2.messages.send", arguments)
}

/// What must stay private, in the forms that people and services write it.
fn private() -> impl Strategy<Value = String> {
    prop_oneof![
        "\\+1[2-9][0-9]{9}",
        "\\([2-9][0-9]{2}\\) [0-9]{3}-[0-9]{4}",
        "[a-z]{4,9}\\.[a-z]{3,9}@[a-z]{4,9}\\.(com|org)",
        "[A-Z][a-z]{4,9} [a-z]{4,9} at (noon|seven), [A-Z][a-z]{4,9}",
        "(bl_live|dmtb|whsec)_[a-zA-Z0-9]{16,24}",
    ]
}

/// How a service repeats it in an error.
fn echo(style: usize, said: &str) -> Value {
    match style {
        0 => json!({"status": 400, "json": {"error": {"code": "invalid", "message": format!("bad value: {said}.")}}}),
        1 => {
            json!({"status": 400, "json": {"error": "ApiError", "message": format!("\"{said}\" is not valid"), "status": 400}})
        }
        2 => json!({"status": 404, "json": {"error": said, "code": said, "message": said}}),
        3 => json!({"status": 500, "headers": {"content-type": "text/html"}, "body": format!("<p>{said}</p>")}),
        4 => json!({"status": 200, "headers": {"content-type": "text/html"}, "body": said}),
        5 => json!({"status": 200, "json": [said]}),
        6 => json!({"status": 409, "json": {"message": format!("seen {said}; and {said}")}}),
        _ => {
            json!({"status": 422, "json": {"error": {"message": said, "code": "invalid_content"}, "details": {"to": said}}})
        }
    }
}

fn readable(error: &Error) -> String {
    let cause = error.cause().map(readable).unwrap_or_default();
    format!("{error} {error:?} {error:#?} {} {} {cause}", error.message(), error.to_json()["message"])
}

/// A configuration whose client writes down everything its observers see, and what was written.
fn observed(config: Config) -> (Config, Arc<Mutex<String>>) {
    let seen = Arc::new(Mutex::new(String::new()));
    let log = seen.clone();
    (config.with_observer(move |event| *log.lock().unwrap() += &format!("{event:?} {}", event.to_json())), seen)
}

fn holds_none(shown: &str, secrets: &[String]) -> Result<(), TestCaseError> {
    for secret in secrets {
        prop_assert!(!shown.contains(secret.as_str()), "{:?} in {}", secret, shown);
        let digits: String = secret.chars().filter(char::is_ascii_digit).collect();
        prop_assert!(digits.len() < 10 || !shown.contains(&digits), "{:?} in {}", digits, shown);
    }
    Ok(())
}

proptest! {
    #![proptest_config(cases(100))]

    #[test]
    fn errors_repeat_nothing(
        Named(operation) in operations(),
        private in prop::collection::vec(private(), 3),
        key in "[A-Za-z0-9][A-Za-z0-9./+=-]{15,30}",
        style in 0usize..8,
        said in 0usize..4,
        extra in any::<bool>(),
    ) {
        let turn = std::cell::Cell::new(0);
        let text = |_: &str| {
            turn.set(turn.get() + 1);
            private[turn.get() % 2].clone()
        };
        let mut call = sample::call(operation, &text);
        call.options.max_retries = Some(0);
        if extra && operation.arguments.iter().any(|argument| argument.place == Place::Body) && call.files.is_empty() {
            call.options.extra_body.insert("note".into(), json!({"inner": [private[2]]}));
        } else {
            call.options.query.push(("note".into(), private[2].clone()));
        }
        // An operation with fewer texts than these holds the last of them, and then the second.
        let said = private.get(said.max(2usize.saturating_sub(turn.get()))).unwrap_or(&key);
        let exchanges = [echo(style, said), echo(style, said)];
        let (config, seen) = observed(sample::config(operation).with_api_key(key.as_str()));
        let (client, _script) = Client::open_scripted(config.clone(), json!({"exchanges": exchanges}).to_string()).unwrap();
        let secrets: Vec<String> = private.iter().cloned().chain([key]).collect();
        holds_none(&format!("{call:?} {config:?} {client:?}"), &secrets)?;
        match block_on(client.call(call)) {
            Ok(answer) => holds_none(&format!("{answer:?}"), &secrets)?,
            Err(error) => holds_none(&readable(&error), &secrets)?,
        }
        holds_none(&seen.lock().unwrap(), &secrets)?;
    }

    #[test]
    fn raw_requests_repeat_nothing(private in prop::collection::vec(private(), 3), style in 0usize..8, said in 0usize..3) {
        let transcript = json!({"exchanges": [echo(style, &private[said])]}).to_string();
        let (config, seen) = observed(Config::blooio());
        let (client, _script) = Client::open_scripted(config, transcript).unwrap();
        let arguments = json!({"method": "PATCH", "path": format!("/contacts/{}", private[0]),
                               "query": {"q": private[1]}, "body": {"notes": [private[2]]}});
        let mut call = Call::new("blooio.v2.request", arguments.as_object().unwrap().clone());
        call.options.max_retries = Some(0);
        holds_none(&format!("{call:?}"), &private)?;
        match block_on(client.call(call)) {
            Ok(answer) => holds_none(&format!("{answer:?}"), &private)?,
            Err(error) => holds_none(&readable(&error), &private)?,
        }
        holds_none(&seen.lock().unwrap(), &private)?;
    }

    #[test]
    fn refused_arguments_repeat_nothing(
        Named(operation) in operations(),
        private in private(),
        spoil in prop::sample::select(vec!["\n", "%2B", "\0", "\u{fdd0}", "/..", ""]),
        shape in 0usize..4,
    ) {
        let text = format!("{private}{spoil}");
        let bad = match shape {
            0 => json!(text),
            1 => json!({"value": text, "number": 1e300}),
            2 => json!([[text], 1.5]),
            _ => json!(9_007_199_254_740_993_000_000_000.0),
        };
        let mut call = sample::call(operation, &|_| text.clone());
        for argument in operation.arguments {
            call.arguments.insert(argument.field.name.into(), bad.clone());
        }
        call.options.headers = vec![("x-note".into(), text.clone())];
        call.options.idempotency_key = Some(text.clone());
        let (client, script) = Client::open_scripted(sample::config(operation), r#"{"exchanges": []}"#).unwrap();
        let error = block_on(client.call(call)).unwrap_err();
        prop_assert!(script.requests().as_array().unwrap().is_empty() || error.attempts() > 0);
        holds_none(&readable(&error), &[private])?;
    }

    #[test]
    fn settings_are_refused_without_being_shown(private in private(), spoil in prop::sample::select(vec!["\n", " é", "\0"])) {
        let bad = format!("{private}{spoil}");
        let mut configs = vec![Config::blooio().with_api_key(bad.as_str())];
        for spoil in [
            |config: &mut Config, bad: String| config.organization_id = Some(bad),
            |config: &mut Config, bad: String| config.user_agent = Some(bad),
            |config: &mut Config, bad: String| config.base_url = Some(format!("https://user:{bad}@example.com")),
            |config: &mut Config, bad: String| config.proxy = Some(format!("http://user:{bad}@proxy:nonsense")),
            |config: &mut Config, bad: String| config.ca_certs = Some(bad.into_bytes()),
        ] {
            let mut config = Config::blooio().with_api_key("bl_key");
            spoil(&mut config, bad.clone());
            configs.push(config);
        }
        for config in configs {
            holds_none(&format!("{config:?}"), std::slice::from_ref(&private))?;
            let error = Client::open(config).unwrap_err();
            holds_none(&readable(&error), std::slice::from_ref(&private))?;
        }
        let given = json!({"product": "blooio", "api_key": [bad], "timeout_ms": bad});
        let error = Config::from_json(given.to_string().as_bytes()).unwrap_err();
        holds_none(&readable(&error), &[private])?;
    }
}
