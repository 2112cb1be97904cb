//! The seam between the server and the services: what a service is, what it is handed, what it gives back.

use std::pin::Pin;
use std::sync::Arc;

use axum::http::HeaderMap;
use bytes::Bytes;
use serde_json::{Map, Value};

use crate::limit::Standing;
use crate::namespace::{Namespace, State};
use crate::refusal::Refusal;
use crate::route::Route;

/// The products keys belong to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Product {
    BloomChats,
    Blooio,
}

/// One of the three APIs.
pub(crate) trait Service: Sync {
    /// Its name on the control API; also selects its request limit.
    fn name(&self) -> &'static str;
    /// What its paths begin with.
    fn prefix(&self) -> &'static str;
    fn product(&self) -> Product;
    fn routes(&self) -> &'static [Route];
    /// The key a request carries, in the header this API wants it in.
    fn key<'a>(&self, headers: &'a HeaderMap) -> Option<&'a str>;
    /// The error body of this API.
    fn render(&self, refusal: Refusal) -> Answer;
    fn key_refused(&self, reason: KeyRefused) -> Answer;
    /// An operation the vendor itself declares and answers with 501.
    fn coming_soon(&self, resource: &'static str) -> Answer;
    /// The first answer to a repeated call, where this API keeps answers beside those of sends.
    fn replayed(&self, _call: &mut Call<'_>) -> Option<Answer> {
        None
    }
    /// Keeps an answer for [`Service::replayed`].
    fn remember(&self, _call: &mut Call<'_>, _answer: &Answer) {}
    /// Headers that every answer of this API carries.
    fn standing_headers(&self, _standing: &Standing) -> Vec<(&'static str, String)> {
        Vec::new()
    }
}

/// Why a key opens nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum KeyRefused {
    Missing,
    Unknown,
    /// A production key: the message says what to use in its place.
    Live,
}

impl KeyRefused {
    pub(crate) const USE_SANDBOX_KEY: &'static str =
        "This is a live key and this is the sandbox: use the sandbox key that it printed when it started.";

    pub(crate) fn of(key: Option<&str>) -> KeyRefused {
        match key {
            None => KeyRefused::Missing,
            Some(key) if key.contains("_live_") => KeyRefused::Live,
            Some(_) => KeyRefused::Unknown,
        }
    }
}

/// What a handler gives back.
pub(crate) type Outcome = Result<Answer, Refusal>;

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Value,
    pub(crate) headers: Vec<(&'static str, String)>,
    /// In place of `body`: a file, and its media type.
    pub(crate) file: Option<(&'static str, Bytes)>,
    /// What is still to be waited for, without the lock; its answer takes the place of this one.
    pub(crate) later: Option<Later>,
}

/// The slow part of an answer.
pub(crate) type Later = Box<dyn FnOnce(Arc<Namespace>) -> Pin<Box<dyn Future<Output = Answer> + Send>> + Send>;

impl Answer {
    pub(crate) fn new(status: u16, body: Value) -> Answer {
        Answer { status, body, headers: Vec::new(), file: None, later: None }
    }

    /// An answer that takes its time.
    pub(crate) fn later<F>(work: impl FnOnce(Arc<Namespace>) -> F + Send + 'static) -> Answer
    where
        F: Future<Output = Answer> + Send + 'static,
    {
        Answer { later: Some(Box::new(move |namespace| Box::pin(work(namespace)))), ..Answer::new(200, Value::Null) }
    }

    /// The same answer, given `ms` of real time later.
    pub(crate) fn delayed(self, ms: u64) -> Answer {
        if ms == 0 {
            return self;
        }
        Answer::later(move |_| async move {
            tokio::time::sleep(std::time::Duration::from_millis(ms)).await;
            self
        })
    }

    /// The answer itself, once there is nothing left to wait for.
    pub(crate) async fn settled(self, namespace: &Arc<Namespace>) -> Answer {
        let Some(later) = self.later else { return self };
        let mut answer = later(Arc::clone(namespace)).await;
        answer.headers.extend(self.headers);
        answer
    }

    pub(crate) fn ok(body: Value) -> Answer {
        Answer::new(200, body)
    }
}

/// One request on its way through a handler; the namespace is locked for its whole length, so a handler sees and leaves whole states.
pub(crate) struct Call<'a> {
    pub(crate) state: &'a mut State,
    /// The decoded path values, in the order of the template.
    pub(crate) path: Vec<String>,
    pub(crate) query: Query,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) body: &'a Bytes,
    pub(crate) method: &'a str,
    /// Path as sent, without the prefix: part of what a v4 idempotency key is bound to.
    pub(crate) target: &'a str,
}

impl Call<'_> {
    /// The body as a JSON object; anything else is 400.
    pub(crate) fn json_object(&self) -> Result<Map<String, Value>, Refusal> {
        if self.body.is_empty() {
            return Err(Refusal::bad_request("A JSON body is required."));
        }
        match serde_json::from_slice(self.body) {
            Ok(Value::Object(fields)) => Ok(fields),
            Ok(_) => Err(Refusal::bad_request("The body must be a JSON object.")),
            Err(error) => Err(Refusal::bad_request(format!(
                "The body is not valid JSON (line {}, column {}).",
                error.line(),
                error.column()
            ))),
        }
    }

    pub(crate) fn idempotency_key(&self) -> Option<String> {
        idempotency_key(self.headers)
    }
}

/// The key of a send, a character a byte: whatever it holds, another one is another key.
pub(crate) fn idempotency_key(headers: &HeaderMap) -> Option<String> {
    let key = headers.get("idempotency-key")?.as_bytes();
    (!key.is_empty()).then(|| key.iter().map(|byte| char::from(*byte)).collect())
}

/// A query string; of a repeated name the first value counts.
#[derive(Debug, Default)]
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    pub(crate) fn parse(raw: &str) -> Query {
        Query(form_urlencoded::parse(raw.as_bytes()).into_owned().collect())
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// An integer in `range`, or `default` when absent.
    pub(crate) fn integer(
        &self,
        name: &str,
        range: std::ops::RangeInclusive<i64>,
        default: i64,
    ) -> Result<i64, Refusal> {
        let Some(raw) = self.get(name) else { return Ok(default) };
        match raw.parse::<i64>() {
            Ok(value) if range.contains(&value) => Ok(value),
            _ if *range.end() == i64::MAX => {
                Err(Refusal::bad_request(format!("{name} must be an integer of at least {}.", range.start())))
            }
            _ => Err(Refusal::bad_request(format!(
                "{name} must be an integer from {} to {}.",
                range.start(),
                range.end()
            ))),
        }
    }

    /// One of `choices`, or the first of them when absent.
    pub(crate) fn choice(&self, name: &str, choices: &[&'static str]) -> Result<&'static str, Refusal> {
        let Some(raw) = self.get(name) else { return Ok(choices[0]) };
        let known = choices.iter().find(|choice| **choice == raw);
        known.copied().ok_or_else(|| Refusal::bad_request(format!("{name} must be one of {}.", choices.join(", "))))
    }
}
