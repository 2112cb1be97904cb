//! The two bodies a webhook can have: v2's flat one and v4's envelope.

use serde_json::{Value, json};

use crate::api::table;
use crate::engine::operation::Api;
use crate::engine::shape;
use crate::error::{Error, ErrorKind, Result};

/// Which API's body an event has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Version {
    /// Flat, recognised by `event`.
    V2,
    /// An envelope, recognised by `type` and `data`.
    V4,
}

/// A webhook event. `Debug` shows its type, never its content.
#[derive(Clone, PartialEq)]
pub struct Event {
    /// Which body it had.
    pub version: Version,
    /// `message.received`, `poll.voted`, …; an open set.
    pub kind: String,
    /// v4: the envelope's id, the same on retries and replays. v2 has none.
    pub id: Option<String>,
    /// Model of [`Event::data`], as `MessageEventData`; empty for a type this version does not know.
    pub model: &'static str,
    /// v4: the envelope's `data`. v2: the whole body.
    pub data: Value,
    /// The whole body.
    pub raw: Value,
}

impl std::fmt::Debug for Event {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Event({:?}, {:?})", self.version, self.kind)
    }
}

impl Event {
    /// The event as JSON, the form in which it reaches the languages.
    pub fn to_json(&self) -> Value {
        let version = match self.version {
            Version::V2 => "v2",
            Version::V4 => "v4",
        };
        json!({"version": version, "type": self.kind, "id": self.id, "model": self.model, "data": self.data, "raw": self.raw})
    }
}

/// Reads the body of a delivery. Verify it first: this checks nothing about who sent it.
///
/// # Errors
/// [`ErrorKind::Decode`] when the body is not a JSON object that names an event.
pub fn parse(body: &[u8]) -> Result<Event> {
    let refuse = |problem: &str| Error::new(ErrorKind::Decode, format!("the webhook's body {problem}"));
    let raw = shape::parse(body, char::REPLACEMENT_CHARACTER).ok_or_else(|| refuse("is not JSON"))?;
    let text = |name: &str| raw.get(name).and_then(Value::as_str).map(str::to_owned);
    // Payload version 2026-09-01 of v4 carries `event` as well, so the envelope is looked for first.
    let (version, kind, data) = match (text("type"), raw.get("data"), text("event")) {
        (Some(kind), Some(data @ Value::Object(_)), _) => (Version::V4, kind, data.clone()),
        (_, _, Some(kind)) => (Version::V2, kind, raw.clone()),
        _ => return Err(refuse("names no event: neither `event` nor `type` with `data`")),
    };
    let (api, id) = match version {
        Version::V2 => (Api::BlooioV2, None),
        Version::V4 => (Api::BlooioV4, text("id")),
    };
    let model = table::event_model(api, &kind);
    Ok(Event { version, kind, id, model, data, raw })
}
