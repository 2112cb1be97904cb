//! A provider is asked before the first attempt and once after a 401; nothing is sent twice because of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bloomchats::{Answer, BoxFuture, Call, Client, Config, CredentialProvider, ErrorKind, Result, Secret};
use serde_json::{Value, json};

use crate::secrecy::send;
use crate::support::block_on;

/// Gives its keys one after the other, then the last one again.
struct Keys(Vec<&'static str>, Arc<AtomicUsize>);

impl CredentialProvider for Keys {
    fn credential(&self) -> BoxFuture<Result<Secret>> {
        let asked = self.1.fetch_add(1, Ordering::Relaxed);
        let key = Secret::new(self.0[asked.min(self.0.len() - 1)]);
        Box::pin(std::future::ready(Ok(key)))
    }
}

struct Outcome {
    result: Result<Answer>,
    /// The credential of each request.
    keys: Vec<String>,
    asked: usize,
}

fn play(keys: &[&'static str], call: Call, exchanges: Value) -> Outcome {
    let asked = Arc::new(AtomicUsize::new(0));
    let config = Config::blooio().with_provider(Keys(keys.to_vec(), asked.clone()));
    let transcript = json!({"exchanges": exchanges}).to_string();
    let (client, script) = Client::open_scripted(config, transcript).unwrap();
    let result = block_on(client.call(call));
    let requests = script.requests();
    let requests = requests.as_array().unwrap();
    let sent = |request: &Value| (request["body"].clone(), request["headers"]["idempotency-key"].clone());
    assert!(requests.windows(2).all(|pair| sent(&pair[0]) == sent(&pair[1])), "the same bytes and key: {requests:?}");
    let keys =
        requests.iter().map(|request| request["headers"]["authorization"].as_str().unwrap().to_owned()).collect();
    Outcome { result, keys, asked: asked.load(Ordering::Relaxed) }
}

fn hello() -> Call {
    send("+15551234567", "Hi")
}

fn refused() -> Value {
    json!({"status": 401, "json": {"error": "Unauthorized", "message": "no", "status": 401}})
}

fn accepted() -> Value {
    json!({"status": 202, "json": {"message_id": "m1"}})
}

#[test]
fn a_renewed_key_sends_the_same_again_and_the_refusal_does_not_count() {
    let mut call = hello();
    call.options.max_retries = Some(0);
    let outcome = play(&["old", "new"], call, json!([refused(), accepted()]));
    assert_eq!(outcome.keys, ["Bearer old", "Bearer new"]);
    assert_eq!(outcome.result.unwrap().attempts, 1);
}

#[test]
fn a_second_401_raises() {
    let outcome = play(&["a", "b", "c"], hello(), json!([refused(), refused(), accepted()]));
    let error = outcome.result.unwrap_err();
    assert_eq!((error.kind(), error.maybe_sent(), outcome.asked), (ErrorKind::Authentication, false, 2));
}

#[test]
fn the_same_key_is_not_tried_again() {
    let outcome = play(&["a"], hello(), json!([refused(), accepted()]));
    let error = outcome.result.unwrap_err();
    assert_eq!((error.kind(), error.attempts(), outcome.keys.len()), (ErrorKind::Authentication, 1, 1));
}

#[test]
fn uncertainty_outlives_a_renewal() {
    let outcome = play(&["a", "b"], hello(), json!([{"fault": "reset"}, refused(), refused()]));
    let error = outcome.result.unwrap_err();
    assert_eq!((error.kind(), error.maybe_sent(), outcome.keys.len()), (ErrorKind::Authentication, true, 3));
}

#[test]
fn a_body_form_may_still_give_way_after_a_renewal() {
    let Value::Object(arguments) = json!({"to": "+15551234567", "text": "Hi"}) else { unreachable!() };
    let refusal = json!({"status": 400, "json": {"error": {"code": "invalid_content", "message": "no"}}});
    let asked = Arc::new(AtomicUsize::new(0));
    let config = Config::blooio().with_provider(Keys(vec!["a", "b"], asked));
    let exchanges = json!({"exchanges": [refused(), refusal, {"status": 201, "json": {"id": "m1"}}]}).to_string();
    let (client, script) = Client::open_scripted(config, exchanges).unwrap();
    let answer = block_on(client.call(Call::new("blooio.v4.messages.send", arguments))).unwrap();
    assert!(answer.idempotency_key.unwrap().ends_with(":flat"));
    assert_eq!((answer.attempts, script.left()), (2, 0));
}
