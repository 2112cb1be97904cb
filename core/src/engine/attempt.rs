//! One attempt: an exchange, and what it means.

use std::time::Duration;

use http::header::{CONTENT_TYPE, HeaderMap, HeaderValue};

use super::Engine;
use super::answer::{self, Value2xx};
use super::operation::Operation;
use super::pause::named_wait;
use super::request::Request;
use super::retry::{Cause, is_definite_refusal};
use super::transport::{Body, Exchanging, Fault, WireAnswer};
use crate::error::{Error, ErrorKind};

/// What an attempt came to.
pub(crate) type Outcome = Result<Box<Answer>, Failure>;

/// A 2xx whose body keeps the contract's promise. Boxed, because it is handed up from stage to stage.
pub(crate) struct Answer {
    pub value: Value2xx,
    pub status: u16,
    pub headers: HeaderMap,
}

/// Anything else.
pub(crate) struct Failure {
    pub error: Error,
    pub cause: Cause,
    /// No definite refusal: the service may have acted on it.
    pub may_have_arrived: bool,
    /// The body is a fan-out: sends were tried.
    pub fan_out: bool,
}

pub(crate) async fn make(
    engine: &Engine,
    operation: &Operation,
    request: &Request<'_>,
    key: Option<&HeaderValue>,
    exchanging: Exchanging<'_>,
    limit: Duration,
) -> Outcome {
    let hide = |said: &str| request.private.hide(said, key);
    match exchanging.await {
        Ok(answer) => {
            engine.hold.observe(&answer.headers, engine.clock.now(), engine.clock.unix_ms());
            if (200..300).contains(&answer.status) {
                success(operation, request, answer, hide)
            } else {
                refusal(engine, operation, answer, hide)
            }
        }
        Err(fault) => Err(no_answer(fault, limit, hide)),
    }
}

/// `hide`: HTTP/2 lets servers say goodbye in words of their own.
fn no_answer(fault: Fault, limit: Duration, hide: impl Fn(&str) -> String) -> Failure {
    let (error, cause) = match fault {
        Fault::NotConnected { late, detail: said } => {
            let kind = if late { ErrorKind::Timeout } else { ErrorKind::Connection };
            (Error::new(kind, format!("no connection to the service: {}", hide(&said))), Cause::NotConnected)
        }
        Fault::Broken { detail: said } => (
            Error::new(ErrorKind::Connection, format!("the connection broke before an answer: {}", hide(&said))),
            Cause::Transient,
        ),
        Fault::Late => (
            Error::new(ErrorKind::Timeout, format!("no answer within {} s", limit.as_millis() as f64 / 1e3)),
            Cause::Transient,
        ),
        Fault::Setup(error) => return Failure { error, cause: Cause::Final, may_have_arrived: false, fan_out: false },
    };
    Failure { error, cause, may_have_arrived: cause != Cause::NotConnected, fan_out: false }
}

fn success(operation: &Operation, request: &Request<'_>, answer: WireAnswer, hide: impl Fn(&str) -> String) -> Outcome {
    let WireAnswer { status, headers, body } = answer;
    let undecodable = |body: Option<&bytes::Bytes>, problem: &str| {
        let error = answer::undecodable(status, &headers, body, problem);
        Err(Failure { error, cause: Cause::Final, may_have_arrived: true, fan_out: false })
    };
    let body = match body {
        Body::Whole(body) => body,
        Body::TooLarge => return undecodable(None, "its body is larger than 8 MiB"),
        Body::BrokenOff { late, detail } => {
            return Err(broken_off(status, &headers, late, &hide(&detail)));
        }
    };
    if headers.get(CONTENT_TYPE).is_some_and(|kind| !is_json(kind)) && !body.is_empty() {
        return undecodable(Some(&body), "its content type is not JSON");
    }
    match answer::read(operation, status, &body, request.traits.dry_run, request.survey) {
        Ok(value) => Ok(Box::new(Answer { value, status, headers })),
        Err(problem) => undecodable(Some(&body), &problem),
    }
}

fn is_json(kind: &HeaderValue) -> bool {
    kind.as_bytes().windows(4).any(|part| part.eq_ignore_ascii_case(b"json"))
}

fn refusal(engine: &Engine, operation: &Operation, answer: WireAnswer, hide: impl Fn(&str) -> String) -> Outcome {
    let WireAnswer { status, headers, body } = answer;
    let body = match body {
        Body::Whole(body) => Some(body),
        Body::TooLarge | Body::BrokenOff { .. } => None,
    };
    let wait = |body: Option<&serde_json::Value>| named_wait(&headers, body, engine.clock.unix_ms());
    let error = answer::refusal(status, &headers, body.as_ref(), hide, wait);
    let fan_out = answer::is_fan_out(operation.send, error.body());
    let result = if fan_out { fan_out_result(operation, error.body()) } else { None };
    let cause = Cause::of(status, error.code());
    let may_have_arrived = !is_definite_refusal(status, fan_out);
    Err(Failure { error: error.with_result(result), cause, may_have_arrived, fan_out })
}

fn fan_out_result(operation: &Operation, body: Option<&serde_json::Value>) -> Option<serde_json::Value> {
    answer::with_message_ids(operation.send?, body?.clone(), false).ok()
}

/// The head of an answer arrived and its body did not: as uncertain as no answer, with the head's facts kept.
fn broken_off(status: u16, headers: &HeaderMap, late: bool, detail: &str) -> Failure {
    let kind = if late { ErrorKind::Timeout } else { ErrorKind::Connection };
    let error = Error::new(kind, format!("the answer broke off: {detail}"))
        .with_status(status)
        .with_request_id(answer::request_id(headers));
    Failure { error, cause: Cause::Transient, may_have_arrived: true, fan_out: false }
}
