//! Webhooks: core verifies, signs and reads; here only types change.

use std::time::Duration;

use bloomchats::webhook::{self, Event};
use bloomchats::{Result, Secret};

fn told(event: &Event) -> Vec<u8> {
    event.to_json().to_string().into()
}

/// Verifies a raw body; `now` in unix seconds, `tolerance` in seconds. The event as JSON.
pub fn verify(body: &[u8], header: Option<&str>, secrets: &[Secret], now: i64, tolerance: u64) -> Result<Vec<u8>> {
    Ok(told(&webhook::verify_at(body, header, secrets, now, Duration::from_secs(tolerance))?))
}

/// The signature header for a body, at unix seconds.
pub fn sign(body: &[u8], secret: Secret, at: i64) -> Vec<u8> {
    webhook::sign_at(body, &secret, at).into()
}

/// Reads a body without verifying it. The event as JSON.
pub fn parse(body: &[u8]) -> Result<Vec<u8>> {
    Ok(told(&webhook::parse(body)?))
}
