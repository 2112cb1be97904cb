//! Webhooks, and the two facts a package needs of core.

use std::time::Duration;

use bloomchats::{Secret, VERSION, webhook};
use napi::bindgen_prelude::{Either, Uint8Array};
use napi_derive::napi;
use serde_json::json;

use crate::running::to_json;

/// `{"event"}` or `{"error"}`, as JSON.
fn told(result: bloomchats::Result<webhook::Event>) -> String {
    match result {
        Ok(event) => json!({"event": event.to_json()}),
        Err(error) => json!({"error": error.to_json()}),
    }
    .to_string()
}

/// Text crosses as it is, so that its bytes are those the signature was made over.
fn bytes(body: &Either<String, Uint8Array>) -> &[u8] {
    match body {
        Either::A(text) => text.as_bytes(),
        Either::B(bytes) => bytes,
    }
}

/// `now` in unix seconds, `tolerance` in seconds.
#[napi(catch_unwind)]
pub fn verify_webhook(
    body: Either<String, Uint8Array>,
    header: Option<String>,
    secrets: Vec<String>,
    now: i64,
    tolerance: i64,
) -> String {
    let secrets: Vec<Secret> = secrets.into_iter().map(Secret::new).collect();
    let tolerance = Duration::from_secs(tolerance.unsigned_abs());
    told(webhook::verify_at(bytes(&body), header.as_deref(), &secrets, now, tolerance))
}

/// The `X-Blooio-Signature` header for a body; `at` in unix seconds.
#[napi(catch_unwind)]
pub fn sign_webhook(body: Either<String, Uint8Array>, secret: String, at: i64) -> String {
    webhook::sign_at(bytes(&body), &Secret::new(secret), at)
}

/// Reads an event that was verified elsewhere.
#[napi(catch_unwind)]
pub fn parse_event(body: Either<String, Uint8Array>) -> String {
    told(webhook::parse(bytes(&body)))
}

/// A version 4 UUID from the operating system, or JSON of the error, which begins with a brace.
#[napi(catch_unwind)]
pub fn new_idempotency_key() -> String {
    bloomchats::new_idempotency_key().unwrap_or_else(|error| to_json(&error))
}

/// Version of core, which the package's own must equal.
#[napi(catch_unwind)]
pub fn version() -> &'static str {
    VERSION
}
