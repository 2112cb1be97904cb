//! The one error type: what went wrong, where, whether a message may have gone out, and what to do.

mod kinds;
pub(crate) mod redact;

use std::fmt;
use std::time::Duration;

use serde_json::{Map, Value, json};

pub use kinds::{ErrorKind, KINDS, KindRow};

/// What every call of this crate returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A failed call.
///
/// `Display` and `Debug` never show a key, a number, an address or message text; [`Error::body`] holds the service's
/// answer as it came, for code to look at.
#[derive(Clone)]
pub struct Error(Box<Details>);

#[derive(Clone)]
struct Details {
    kind: ErrorKind,
    message: String,
    status: Option<u16>,
    code: Option<String>,
    request_id: Option<String>,
    retry_after: Option<Duration>,
    attempts: u32,
    maybe_sent: bool,
    idempotency_key: Option<String>,
    body: Option<Value>,
    result: Option<Value>,
    argument: Option<String>,
    reason: Option<&'static str>,
    last_status: Option<Value>,
    resets_at: Option<i64>,
    cause: Option<Error>,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Error {
        Error(Box::new(Details {
            kind,
            message: message.into(),
            status: None,
            code: None,
            request_id: None,
            retry_after: None,
            attempts: 0,
            maybe_sent: false,
            idempotency_key: None,
            body: None,
            result: None,
            argument: None,
            reason: None,
            last_status: None,
            resets_at: None,
            cause: None,
        }))
    }

    pub(crate) fn config(message: impl Into<String>) -> Error {
        Error::new(ErrorKind::Config, message)
    }

    pub(crate) fn argument(name: impl Into<String>, problem: impl fmt::Display) -> Error {
        let name = name.into();
        let mut error = Error::new(ErrorKind::InvalidArgument, format!("{name}: {problem}"));
        error.0.argument = Some(name);
        error
    }

    /// What a [`crate::CredentialProvider`] returns when it has no credential to give; the call ends with it.
    pub fn no_credential(message: impl Into<String>) -> Error {
        Error::config(message)
    }

    /// What went wrong, as one of the taxonomy's kinds.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// One sentence for a person; people's data in a server's words is hidden.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// HTTP status, when an answer arrived.
    pub fn status(&self) -> Option<u16> {
        self.0.status
    }

    /// The service's machine-readable code, as `reply_target_expired`; an open set.
    pub fn code(&self) -> Option<&str> {
        self.0.code.as_deref()
    }

    /// The service's id of the request, for its support.
    pub fn request_id(&self) -> Option<&str> {
        self.0.request_id.as_deref()
    }

    /// How long the service asked to wait (from `Retry-After` or the body; the larger).
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// Attempts made, 0 when nothing was sent.
    pub fn attempts(&self) -> u32 {
        self.0.attempts
    }

    /// Whether the service may have done what was asked. True as soon as any attempt may have arrived without a definite refusal.
    pub fn maybe_sent(&self) -> bool {
        self.0.maybe_sent
    }

    /// The idempotency key that last went on the wire: pass it again to resume without sending twice.
    pub fn idempotency_key(&self) -> Option<&str> {
        self.0.idempotency_key.as_deref()
    }

    /// The service's answer: JSON, or its text as a JSON string.
    pub fn body(&self) -> Option<&Value> {
        self.0.body.as_ref()
    }

    /// The decoded fan-out of a send that no recipient could be served by (422).
    pub fn result(&self) -> Option<&Value> {
        self.0.result.as_ref()
    }

    /// The argument that was refused, as `link_preview.title` or `parts[0].url`.
    pub fn argument_name(&self) -> Option<&str> {
        self.0.argument.as_deref()
    }

    /// Why a webhook's signature does not hold: `missing_header`, `bad_form`, `stale`, `future`, `wrong_secret`, `parsed_body`.
    pub fn reason(&self) -> Option<&'static str> {
        self.0.reason
    }

    /// The last status seen by a `wait` that ran out of time.
    pub fn last_status(&self) -> Option<&Value> {
        self.0.last_status.as_ref()
    }

    /// When a quota resets, in epoch milliseconds, if the service said so.
    pub fn resets_at(&self) -> Option<i64> {
        self.0.resets_at
    }

    /// The error that led to this one (the first body form's refusal in v4).
    pub fn cause(&self) -> Option<&Error> {
        self.0.cause.as_ref()
    }

    /// The error as JSON, the form in which it reaches the languages.
    pub fn to_json(&self) -> Value {
        let d = &self.0;
        let mut map = Map::new();
        map.insert("kind".into(), d.kind.as_str().into());
        map.insert("message".into(), d.message.as_str().into());
        map.insert("attempts".into(), d.attempts.into());
        map.insert("maybe_sent".into(), d.maybe_sent.into());
        let mut put = |name: &str, value: Option<Value>| {
            if let Some(value) = value {
                map.insert(name.into(), value);
            }
        };
        put("status", d.status.map(Value::from));
        put("code", d.code.as_deref().map(Value::from));
        put("request_id", d.request_id.as_deref().map(Value::from));
        put("retry_after_s", d.retry_after.map(|wait| json!(wait.as_secs_f64())));
        put("idempotency_key", d.idempotency_key.as_deref().map(Value::from));
        put("body", d.body.clone());
        put("result", d.result.clone());
        put("argument", d.argument.as_deref().map(Value::from));
        put("reason", d.reason.map(Value::from));
        put("last_status", d.last_status.clone());
        put("resets_at", d.resets_at.map(Value::from));
        put("cause", d.cause.as_ref().map(Error::to_json));
        Value::Object(map)
    }
}

/// How the engine completes an error while it learns more.
impl Error {
    pub(crate) fn with_status(mut self, status: u16) -> Error {
        self.0.status = Some(status);
        self
    }

    pub(crate) fn with_code(mut self, code: Option<String>) -> Error {
        self.0.code = code;
        self
    }

    pub(crate) fn with_request_id(mut self, id: Option<String>) -> Error {
        self.0.request_id = id;
        self
    }

    pub(crate) fn with_retry_after(mut self, wait: Option<Duration>) -> Error {
        self.0.retry_after = wait;
        self
    }

    pub(crate) fn with_body(mut self, body: Option<Value>) -> Error {
        self.0.body = body;
        self
    }

    pub(crate) fn with_result(mut self, result: Option<Value>) -> Error {
        self.0.result = result;
        self
    }

    pub(crate) fn with_resets_at(mut self, at: Option<i64>) -> Error {
        self.0.resets_at = at;
        self
    }

    pub(crate) fn with_reason(mut self, reason: &'static str) -> Error {
        self.0.reason = Some(reason);
        self
    }

    pub(crate) fn with_last_status(mut self, status: Option<Value>) -> Error {
        self.0.last_status = status;
        self
    }

    pub(crate) fn caused_by(mut self, cause: Option<Error>) -> Error {
        self.0.cause = cause;
        self
    }

    pub(crate) fn with_hint(mut self, hint: &str) -> Error {
        self.0.message.truncate(self.0.message.trim_end_matches('.').len());
        self.0.message.push_str("; ");
        self.0.message.push_str(hint);
        self
    }

    /// Stamps what the whole call knows onto an error of one attempt.
    pub(crate) fn of_call(mut self, attempts: u32, maybe_sent: bool, key: Option<String>) -> Error {
        self.0.attempts = attempts;
        self.0.maybe_sent = maybe_sent;
        self.0.idempotency_key = key;
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let d = &self.0;
        f.write_str(&d.message)?;
        let mut facts = Vec::new();
        facts.extend(d.status.map(|status| format!("status {status}")));
        facts.extend(d.code.as_ref().map(|code| format!("code {code}")));
        facts.extend(d.request_id.as_ref().map(|id| format!("request {id}")));
        if d.attempts > 1 {
            facts.push(format!("{} attempts", d.attempts));
        }
        if d.maybe_sent {
            facts.push("maybe sent".into());
        }
        if facts.is_empty() { Ok(()) } else { write!(f, " ({})", facts.join(", ")) }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}({self})", self.0.kind.row().class)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.cause.as_ref().map(|cause| cause as _)
    }
}
