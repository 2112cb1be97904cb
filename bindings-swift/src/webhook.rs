//! Webhooks: core verifies, signs and reads; here only types change.

use std::time::Duration;

use bloomchats::Secret;
use bloomchats::webhook::{self, Event};

use crate::Fault;

fn told(event: &Event) -> Vec<u8> {
    event.to_json().to_string().into()
}

/// Verifies a raw body; `now` in unix seconds, `tolerance` in seconds. The event as JSON.
#[uniffi::export]
pub fn verify_webhook(
    body: Vec<u8>,
    header: Option<String>,
    secrets: Vec<String>,
    now: i64,
    tolerance: u64,
) -> Result<Vec<u8>, Fault> {
    let secrets: Vec<Secret> = secrets.into_iter().map(Secret::new).collect();
    Ok(told(&webhook::verify_at(&body, header.as_deref(), &secrets, now, Duration::from_secs(tolerance))?))
}

/// The signature header for a body, at unix seconds.
#[uniffi::export]
pub fn sign_webhook(body: Vec<u8>, secret: String, at: i64) -> Result<String, Fault> {
    Ok(webhook::sign_at(&body, &secret.into(), at))
}

/// Reads a body without verifying it. The event as JSON.
#[uniffi::export]
pub fn parse_event(body: Vec<u8>) -> Result<Vec<u8>, Fault> {
    Ok(told(&webhook::parse(&body)?))
}
