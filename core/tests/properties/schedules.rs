//! Exactly one message, or none and an error that says so: any operation, any outcome of every attempt.

use std::time::Duration;

use bloomchats::operation::{self, Idempotency, Operation};
use bloomchats::{Answer, Call, Client, Error, ErrorKind, Script};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::model::{Rules, Service, Settings, Step, fit, predict, takes_dry_run};
use crate::sample;
use crate::support::{block_on, cases};

/// One more than the most attempts a call can make: 1, 10 retries, 1 fallback.
const STEPS: usize = 13;

/// An operation that a failing case names in one word.
#[derive(Clone, Copy)]
pub struct Named(pub &'static Operation);

impl std::fmt::Debug for Named {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0.name)
    }
}

pub fn operations() -> impl Strategy<Value = Named> {
    let writes = |operation: &&Operation| operation.method != operation::Method::Get || operation.effect_get;
    let all: Vec<_> = operation::all().iter().filter(writes).collect();
    let trusted: Vec<_> = all.iter().copied().filter(|one| one.idempotency == Idempotency::Trusted).collect();
    let secret: Vec<_> = all.iter().copied().filter(|one| one.one_time_secret).collect();
    let reads: Vec<_> = operation::all().iter().filter(|operation| !writes(operation)).collect();
    prop_oneof![
        4 => prop::sample::select(trusted),
        4 => prop::sample::select(all),
        1 => prop::sample::select(secret),
        1 => prop::sample::select(reads),
    ]
    .prop_map(Named)
}

pub fn steps() -> impl Strategy<Value = Vec<Step>> {
    prop::collection::vec(Step::strategy(), STEPS)
}

/// Opens a client on the steps, and the call to make.
pub fn set_up(operation: &Operation, settings: &Settings, steps: &[Step], yields: bool) -> (Client, Script, Call) {
    let success = sample::answer(operation);
    let exchanges: Vec<Value> = steps.iter().map(|step| step.exchange(&success)).collect();
    let transcript = json!({
        "exchanges": exchanges, "jitter": settings.jitter, "now_ms": crate::model::NOW_MS, "yields": yields,
    });
    let mut config = sample::config(operation);
    config.v4_send_body = settings.mode;
    let (client, script) = Client::open_scripted(config, transcript.to_string()).unwrap();
    let mut call = sample::call(operation, &|name| format!("a-{name}"));
    if settings.dry_run && takes_dry_run(operation) {
        call.arguments.insert("dry_run".into(), true.into());
    }
    call.options.timeout = Some(Duration::from_millis(settings.timeout_ms));
    call.options.attempt_timeout = Some(Duration::from_millis(settings.attempt_timeout_ms));
    call.options.max_retries = Some(settings.max_retries);
    call.options.idempotency_key = settings.key.map(str::to_owned);
    (client, script, call)
}

/// What the service holds after the requests that the script saw.
pub fn serve(requests: &[Value], steps: &[Step], dry_run: bool) -> Service {
    let mut service = Service::default();
    for (request, step) in requests.iter().zip(steps) {
        if step.has_effect() && !dry_run {
            service.act(key_of(request));
        }
    }
    service
}

fn key_of(request: &Value) -> Option<&str> {
    request["headers"]["idempotency-key"].as_str()
}

proptest! {
    #![proptest_config(cases(100))]

    #[test]
    fn one_message_or_an_error_that_says_so(Named(operation) in operations(), settings in Settings::strategy(), steps in steps()) {
        let rules = Rules::of(operation, &settings);
        let steps = fit(&rules, steps);
        let (client, script, call) = set_up(operation, &settings, &steps, false);
        let expected = predict(&rules, &settings, &steps);
        let result = block_on(client.call(call));
        let requests = script.requests();
        let requests = requests.as_array().unwrap();

        // The promise itself, held against the service's own memory.
        let service = serve(requests, &steps, settings.dry_run && takes_dry_run(operation));
        if operation.idempotency == Idempotency::Trusted {
            prop_assert!(service.messages <= 1, "{} messages", service.messages);
        }
        if let Err(error) = &result {
            prop_assert!(error.maybe_sent() || rules.harmless || service.messages == 0, "lost in silence: {error}");
        }
        if !rules.repeatable {
            prop_assert!(service.messages <= 1, "an unprotected call was repeated: {} effects", service.messages);
        }

        // The limits a caller set.
        prop_assert!(script.elapsed() <= Duration::from_millis(settings.timeout_ms), "{:?}", script.elapsed());
        let fell_back = expected.flat.first() != expected.flat.last();
        prop_assert!(requests.len() <= 1 + settings.max_retries as usize + usize::from(fell_back));

        same_bytes(requests, &expected.flat, &rules, settings.key)?;
        let last_key = requests.last().and_then(key_of);
        match &result {
            Ok(answer) => same_answer(answer, requests.len(), last_key)?,
            Err(error) => same_error(error, requests.len(), last_key)?,
        }

        // The rules to the letter: attempts, waits, time, and what the error says.
        prop_assert_eq!(requests.len(), expected.attempts);
        prop_assert_eq!(script.waits_ms(), expected.waits_ms);
        prop_assert_eq!(script.elapsed().as_millis() as u64, expected.elapsed_ms);
        prop_assert_eq!(result.is_ok(), expected.succeeds, "{:?}", result.err());
        if let Err(error) = result {
            prop_assert_eq!(error.maybe_sent(), expected.maybe_sent, "{}", error);
        }
    }
}

/// Every attempt of one body form is the first one over again; the second form has a key of its own.
fn same_bytes(
    requests: &[Value],
    flat: &[bool],
    rules: &Rules,
    given: Option<&'static str>,
) -> Result<(), TestCaseError> {
    for (request, is_flat) in requests.iter().zip(flat) {
        let first = &requests[flat.iter().position(|other| other == is_flat).unwrap()];
        prop_assert_eq!(request, first);
        let key = key_of(request);
        prop_assert_eq!(key.is_some(), rules.keyed);
        let bare = key.map(|key| key.strip_suffix(":flat").unwrap_or(key));
        prop_assert_eq!(bare, requests.first().and_then(key_of).map(|key| key.strip_suffix(":flat").unwrap_or(key)));
        if let (Some(key), Some(given)) = (key, given) {
            let suffix = if *is_flat && !given.ends_with(":flat") { ":flat" } else { "" };
            prop_assert_eq!(key, format!("{given}{suffix}"));
        } else if let Some(key) = key {
            prop_assert_eq!(key.ends_with(":flat"), *is_flat);
        }
    }
    Ok(())
}

fn same_answer(answer: &Answer, attempts: usize, key: Option<&str>) -> Result<(), TestCaseError> {
    prop_assert_eq!(answer.attempts as usize, attempts);
    prop_assert_eq!(answer.idempotency_key.as_deref(), key);
    Ok(())
}

fn same_error(error: &Error, attempts: usize, key: Option<&str>) -> Result<(), TestCaseError> {
    prop_assert_eq!(error.attempts() as usize, attempts, "{}", error);
    prop_assert_eq!(error.idempotency_key(), key);
    prop_assert!(error.kind() != ErrorKind::Config && error.kind() != ErrorKind::InvalidArgument, "{}", error);
    Ok(())
}
