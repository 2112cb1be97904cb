//! `X-Blooio-Signature: t=<unix s>,v1=<hex>`: HMAC-SHA256 over `"{t}.{raw body}"`, keyed by the whole `whsec_…` string.
//!
//! Contract: `spec/blooio-v2.behaviours.md` §12, `spec/blooio-v4.behaviours.md` §13.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ring::hmac;
use subtle::ConstantTimeEq;

use super::event::{Event, parse};
use crate::error::{Error, ErrorKind, Result};
use crate::secret::Secret;

/// How far a signature's time may lie from now, in both directions: 300 s.
pub const TOLERANCE: Duration = Duration::from_secs(300);

/// Verifies the raw body of a delivery against its `X-Blooio-Signature` header, now, and reads the event.
///
/// Several secrets are tried, for the time around a rotation.
///
/// # Errors
/// [`ErrorKind::WebhookVerification`] with a [`reason`](Error::reason): `missing_header`, `bad_form`, `stale`, `future`,
/// `wrong_secret`, or `parsed_body` when the body was parsed and written again before it came here.
/// [`ErrorKind::Config`] without a secret. [`ErrorKind::Decode`] when a verified body is no event.
pub fn verify(body: &[u8], header: Option<&str>, secrets: &[Secret]) -> Result<Event> {
    verify_at(body, header, secrets, now(), TOLERANCE)
}

/// [`verify`] at a given time (`now`, unix seconds) and tolerance.
///
/// # Errors
/// As [`verify`].
pub fn verify_at(
    body: &[u8],
    header: Option<&str>,
    secrets: &[Secret],
    now: i64,
    tolerance: Duration,
) -> Result<Event> {
    if secrets.is_empty() || secrets.iter().any(|secret| secret.expose().is_empty()) {
        return Err(Error::config(
            "the signing secret is missing or empty: give the webhook's (whsec_…), shown when it was created or rotated",
        ));
    }
    let Some(header) = header.map(str::trim).filter(|header| !header.is_empty()) else {
        return Err(refuse("missing_header", "the request has no X-Blooio-Signature header"));
    };
    let Some(claim) = Claim::parse(header) else {
        return Err(refuse("bad_form", "the X-Blooio-Signature header is not of the form t=<seconds>,v1=<hex>"));
    };
    if !claim.holds(body, secrets) {
        return Err(match without_blanks(body) {
            Some(original) if claim.holds(&original, secrets) => refuse(
                "parsed_body",
                "the signature fits the original body, but this one was parsed and written again; verify the raw bytes before any JSON middleware",
            ),
            _ => refuse(
                "wrong_secret",
                "no signing secret given produces this signature; the secret may have been rotated, or the body altered",
            ),
        });
    }
    let tolerance = i64::try_from(tolerance.as_secs()).unwrap_or(i64::MAX);
    if now.saturating_sub(claim.time) > tolerance {
        return Err(refuse(
            "stale",
            "the signature is older than the tolerance; it may be replayed, or this machine's clock is ahead",
        ));
    }
    if claim.time.saturating_sub(now) > tolerance {
        return Err(refuse(
            "future",
            "the signature's time lies ahead of now beyond the tolerance; check this machine's clock",
        ));
    }
    parse(body)
}

/// The `X-Blooio-Signature` header for a body, signed now. For tests and stand-ins of the service.
pub fn sign(body: &[u8], secret: &Secret) -> String {
    sign_at(body, secret, now())
}

/// [`sign`] at a given time (`at`, unix seconds).
pub fn sign_at(body: &[u8], secret: &Secret, at: i64) -> String {
    let hex: String = mac(secret, &at.to_string(), body).as_ref().iter().map(|b| format!("{b:02x}")).collect();
    format!("t={at},v1={hex}")
}

fn refuse(reason: &'static str, message: &str) -> Error {
    Error::new(ErrorKind::WebhookVerification, message).with_reason(reason)
}

fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs() as i64)
}

fn mac(secret: &Secret, time: &str, body: &[u8]) -> hmac::Tag {
    let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, secret.expose().as_bytes()));
    context.update(time.as_bytes());
    context.update(b".");
    context.update(body);
    context.sign()
}

/// What a header claims.
struct Claim<'a> {
    /// As written: the signature covers these very digits.
    time_text: &'a str,
    time: i64,
    tags: Vec<Vec<u8>>,
}

impl<'a> Claim<'a> {
    fn parse(header: &'a str) -> Option<Claim<'a>> {
        let mut time_text = None;
        let mut tags = Vec::new();
        for part in header.split(',') {
            match part.trim().split_once('=') {
                Some(("t", _)) if time_text.is_some() => return None,
                Some(("t", value)) => time_text = Some(value),
                Some(("v1", value)) => tags.extend(from_hex(value)),
                _ => {}
            }
        }
        let time_text = time_text.filter(|text| text.bytes().all(|b| b.is_ascii_digit()))?;
        let time = time_text.parse().ok()?;
        (!tags.is_empty()).then_some(Claim { time_text, time, tags })
    }

    /// Compares in constant time, every secret with every tag. The body is read once a secret: a header has room for a thousand tags,
    /// and anybody may send one.
    fn holds(&self, body: &[u8], secrets: &[Secret]) -> bool {
        let mut macs = secrets.iter().map(|secret| mac(secret, self.time_text, body));
        macs.any(|mac| self.tags.iter().any(|tag| mac.as_ref().ct_eq(tag).into()))
    }
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digit = |b: u8| (b as char).to_digit(16).map(|d| d as u8);
    if text.is_empty() || !text.len().is_multiple_of(2) {
        return None;
    }
    text.as_bytes().chunks(2).map(|pair| Some(digit(pair[0])? << 4 | digit(pair[1])?)).collect()
}

/// The body as the service most likely wrote it, when middleware has parsed and reprinted it with blanks. `None` when it has none.
fn without_blanks(body: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(body.len());
    let (mut in_string, mut escaped) = (false, false);
    for &byte in body {
        if in_string {
            in_string = escaped || byte != b'"';
            escaped = !escaped && byte == b'\\';
        } else if byte.is_ascii_whitespace() {
            continue;
        } else {
            in_string = byte == b'"';
        }
        out.push(byte);
    }
    (out.len() != body.len()).then_some(out)
}
