//! `messages.wait`: follows a message until it reaches a status.

use std::time::Duration;

use serde_json::{Map, Value};

use super::operation::Operation;
use super::progress::Progress;
use super::{CallOptions, Engine, call, request};
use crate::api::table;
use crate::error::{Error, ErrorKind, Result};

const DEFAULT_TIMEOUT: Duration = Duration::from_secs(60);
const FIRST_DELAYS_MS: [u64; 4] = [500, 1000, 2000, 4000];
const LATER_DELAY: Duration = Duration::from_secs(5);

/// The status operation behind a public name `….messages.wait`.
pub(crate) fn status_operation(name: &str) -> Option<&'static Operation> {
    let api = name.strip_suffix(".messages.wait")?;
    table::find(&format!("{api}.messages.get_status"))
}

/// Polls until `until` or a final status; time over is an error that holds the last status seen.
pub(crate) async fn run(
    engine: &Engine,
    operation: &'static Operation,
    arguments: &Map<String, Value>,
    options: &CallOptions,
    progress: &Progress,
) -> Result<call::Done> {
    let until = target(arguments)?;
    let mut target = Map::new();
    target.insert("message".into(), message_id(arguments.get("message"))?.into());
    if let Some(chat) = arguments.get("chat") {
        target.insert("chat".into(), chat.clone());
    }
    if let Some(odd) = arguments.keys().find(|name| !matches!(name.as_str(), "chat" | "message" | "until")) {
        return Err(Error::argument(odd, "messages.wait has no such argument"));
    }
    let deadline = engine.clock.now().saturating_add(options.timeout.unwrap_or(DEFAULT_TIMEOUT));
    let left = || deadline.saturating_sub(engine.clock.now());
    // Built once before the first wait: a bad argument must not take half a second to be refused.
    request::build(&engine.settings, operation, &target, &[], options)?;
    engine.transport.check_host()?;
    let mut last = None;
    let delays = FIRST_DELAYS_MS.into_iter().map(Duration::from_millis).chain(std::iter::repeat(LATER_DELAY));
    for delay in delays {
        engine.clock.sleep(delay.min(left())).await;
        if left().is_zero() {
            break;
        }
        let poll = CallOptions { timeout: Some(left()), ..options.clone() };
        let request = request::build(&engine.settings, operation, &target, &[], &poll)?;
        let done = match call::run(engine, operation, &request, &poll, progress).await {
            Ok(done) => done,
            Err(error) if error.kind() == ErrorKind::Timeout && left().is_zero() => break,
            Err(error) => return Err(error),
        };
        let value: Value = serde_json::from_slice(&done.answer.value.body).unwrap_or_default();
        let status = value.get("status").and_then(Value::as_str).unwrap_or_default();
        if is_final(status) || rank(status).is_some_and(|rank| rank >= until) {
            return Ok(done);
        }
        last = Some(value);
    }
    let seen = last
        .as_ref()
        .and_then(|value| value.get("status"))
        .and_then(Value::as_str)
        .filter(|status| rank(status).is_some());
    let message = match seen {
        Some(status) => format!("the message did not reach the awaited status in time; its last status was {status}"),
        None => "the message did not reach the awaited status in time".to_owned(),
    };
    Err(Error::new(ErrorKind::WaitTimeout, message).with_last_status(last).of_call(progress.attempts(), false, None))
}

fn target(arguments: &Map<String, Value>) -> Result<u8> {
    match arguments.get("until") {
        None => Ok(3),
        Some(until) => until
            .as_str()
            .and_then(rank)
            .ok_or_else(|| Error::argument("until", "must be queued, pending, sent, delivered or read")),
    }
}

/// An id, or the result of a send that made exactly one message.
fn message_id(message: Option<&Value>) -> Result<String> {
    let several = || Error::argument("message", "this send made several messages; wait for one id at a time");
    match message {
        Some(Value::String(id)) => Ok(id.clone()),
        Some(Value::Object(sent)) => {
            match (sent.get("message_id"), sent.get("message_ids").and_then(Value::as_array)) {
                (Some(Value::String(id)), _) => Ok(id.clone()),
                (_, Some(ids)) if ids.len() > 1 => Err(several()),
                (_, Some(ids)) if ids.len() == 1 => Ok(ids[0].as_str().unwrap_or_default().to_owned()),
                _ => match sent.get("id") {
                    Some(Value::String(id)) => Ok(id.clone()),
                    _ => Err(Error::argument("message", "this result holds no message id")),
                },
            }
        }
        None => Err(Error::argument("message", "is required")),
        Some(_) => Err(Error::argument("message", "expected a message id or the result of a send")),
    }
}

fn rank(status: &str) -> Option<u8> {
    match status {
        "queued" | "pending" => Some(1),
        "sent" => Some(2),
        "delivered" => Some(3),
        "read" => Some(4),
        _ => None,
    }
}

fn is_final(status: &str) -> bool {
    matches!(status, "failed" | "cancelled" | "superseded")
}
