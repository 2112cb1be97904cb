//! Why a request is refused, before an API gives it its own shape.

use std::borrow::Cow;

use serde_json::{Map, Value};

/// A refusal; each API renders it as its own error body.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    /// Machine-readable reason, where the API names one.
    pub(crate) code: Option<Cow<'static, str>>,
    pub(crate) message: String,
    /// Fields that stand beside `code` (v2) or in `details` (v4).
    pub(crate) context: Map<String, Value>,
    /// Whether v4 says it in v2's flat shape, as it does in a few places.
    pub(crate) flat: bool,
    /// Headers that belong to it (`Allow`, `Retry-After`).
    pub(crate) headers: Vec<(&'static str, String)>,
}

impl Refusal {
    pub(crate) fn new(status: u16, message: impl Into<String>) -> Refusal {
        Refusal { status, code: None, message: message.into(), context: Map::new(), flat: false, headers: Vec::new() }
    }

    pub(crate) fn bad_request(message: impl Into<String>) -> Refusal {
        Refusal::new(400, message)
    }

    pub(crate) fn not_found(message: impl Into<String>) -> Refusal {
        Refusal::new(404, message)
    }

    pub(crate) fn code(mut self, code: impl Into<Cow<'static, str>>) -> Refusal {
        self.code = Some(code.into());
        self
    }

    /// `code`, or the plain name of the status for APIs that always give a reason.
    pub(crate) fn reason(&self) -> &str {
        self.code.as_deref().unwrap_or(status_name(self.status))
    }

    pub(crate) fn with(mut self, name: &str, value: impl Into<Value>) -> Refusal {
        self.context.insert(name.to_owned(), value.into());
        self
    }

    pub(crate) fn flat(mut self) -> Refusal {
        self.flat = true;
        self
    }

    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Refusal {
        self.headers.push((name, value.into()));
        self
    }
}

/// The plain name of a status.
pub(crate) fn status_name(status: u16) -> &'static str {
    match status {
        400 => "invalid_request",
        401 => "unauthorized",
        402 => "payment_required",
        403 => "forbidden",
        404 => "not_found",
        405 => "method_not_allowed",
        408 => "request_timeout",
        409 => "conflict",
        413 => "payload_too_large",
        422 => "validation_failed",
        429 => "rate_limit_exceeded",
        502 => "device_unreachable",
        503 => "service_unavailable",
        _ => "error",
    }
}
