//! Scripted faults.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Desk, SandboxError};

/// One line of the script.
///
/// ```
/// # use bloomchats_sandbox::testing::Fault;
/// let fault = Fault::new("status").status(429).retry_after(2).path("/v2/*").times(3);
/// ```
#[derive(Clone, Debug)]
pub struct Fault(Map<String, Value>);

impl From<&str> for Fault {
    fn from(action: &str) -> Fault {
        Fault::new(action)
    }
}

impl Fault {
    /// `drop`, `drop_answer`, `reset`, `reset_answer`, `half_answer`, `slow_answer`, `delay`, `delay_answer`, `status`,
    /// `status_answer`, `throttle` or `pass`. Those that end in `answer` strike after the request was handled: it had its effect,
    /// nobody hears of it. One line strikes one request, whatever it asks, unless it says otherwise.
    pub fn new(action: impl Into<String>) -> Fault {
        Fault(Map::new()).with("action", action.into())
    }

    /// Only requests of this method.
    #[must_use]
    pub fn method(self, method: impl Into<String>) -> Fault {
        self.with("method", method.into())
    }

    /// A template (`/v2/api/chats/{chatId}/messages`) or a glob (`/v4/*`).
    #[must_use]
    pub fn path(self, path: impl Into<String>) -> Fault {
        self.with("path", path.into())
    }

    /// How many such requests pass first.
    #[must_use]
    pub fn after(self, requests: u64) -> Fault {
        self.with("after", requests)
    }

    /// How many then suffer; `None` for all.
    #[must_use]
    pub fn times(self, requests: impl Into<Option<u64>>) -> Fault {
        self.with("times", requests.into())
    }

    /// Of `delay` and `slow_answer`: real milliseconds.
    #[must_use]
    pub fn ms(self, ms: u64) -> Fault {
        self.with("ms", ms)
    }

    /// Of `slow_answer`: the size of a piece.
    #[must_use]
    pub fn bytes(self, bytes: u64) -> Fault {
        self.with("bytes", bytes)
    }

    /// Of `status`; 503 without it.
    #[must_use]
    pub fn status(self, status: u16) -> Fault {
        self.with("status", status)
    }

    /// Of `status`: the error's code.
    #[must_use]
    pub fn code(self, code: impl Into<String>) -> Fault {
        self.with("code", code.into())
    }

    /// Of `status` and `throttle`: seconds.
    #[must_use]
    pub fn retry_after(self, seconds: u64) -> Fault {
        self.with("retry_after", seconds)
    }

    /// Of `status`: one header more.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Fault {
        let headers = self.0.entry("headers").or_insert_with(|| json!({}));
        headers[name] = value.into();
        self
    }

    /// Of `status`: in place of the API's own error; text goes out as it is.
    #[must_use]
    pub fn body(self, body: impl Into<Value>) -> Fault {
        self.with("body", body)
    }

    fn with(mut self, name: &str, value: impl Into<Value>) -> Fault {
        self.0.insert(name.to_owned(), value.into());
        self
    }
}

/// A line of the script, as it is doing.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct ScriptedFault {
    /// What happens.
    pub action: String,
    /// How many requests it struck so far.
    pub hits: u64,
}

#[derive(Deserialize)]
struct Script {
    faults: Vec<ScriptedFault>,
}

/// The fault script of a namespace: the first line that still wants a request decides what becomes of it.
///
/// # Errors
/// Every method fails when the sandbox has ended, and those that take lines for one that says nothing it knows.
#[derive(Clone, Debug)]
pub struct Faults(pub(super) Desk);

#[allow(clippy::missing_errors_doc, reason = "said once, at the type")]
impl Faults {
    /// Its lines.
    pub async fn script(&self) -> Result<Vec<ScriptedFault>, SandboxError> {
        Ok(self.0.ask::<Script>("GET", "/faults", Value::Null).await?.faults)
    }

    /// One more line at the end; an action alone strikes the next request.
    pub async fn add(&self, fault: impl Into<Fault>) -> Result<(), SandboxError> {
        self.0.tell("POST", "/faults", Value::Object(fault.into().0)).await
    }

    /// This script in place of the old one.
    pub async fn replace(&self, script: impl IntoIterator<Item = Fault>) -> Result<(), SandboxError> {
        self.0.tell("PUT", "/faults", script.into_iter().map(|fault| Value::Object(fault.0)).collect()).await
    }

    /// No faults.
    pub async fn clear(&self) -> Result<(), SandboxError> {
        self.0.tell("DELETE", "/faults", Value::Null).await
    }
}
