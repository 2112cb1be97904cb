//! Idempotency keys: which calls carry one, and which key.

use super::operation::Idempotency;
use crate::error::{Error, Result};

/// A fresh idempotency key: a version 4 UUID from the operating system's randomness, which forked children never share.
pub fn new_idempotency_key() -> Result<String> {
    let mut bytes = [0u8; 16];
    getrandom::fill(&mut bytes)
        .map_err(|_| Error::config("the operating system gives no randomness for an idempotency key"))?;
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let mut key = [b'-'; 36];
    for (byte, at) in bytes.into_iter().zip(PLACES) {
        key[at] = DIGITS[usize::from(byte >> 4)];
        key[at + 1] = DIGITS[usize::from(byte & 0x0f)];
    }
    Ok(String::from_utf8_lossy(&key).into_owned())
}

const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// Where each byte of a UUID stands in its text; the rest are hyphens.
const PLACES: [usize; 16] = [0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34];

/// The key a call starts with: the caller's, else a new one; none where the class has none, or for a dry run.
pub(crate) fn key_for(class: Idempotency, dry_run: bool, given: Option<&str>) -> Result<Option<String>> {
    if let Some(key) = given {
        check(key)?;
    }
    if dry_run {
        return Ok(None);
    }
    match (class, given) {
        (_, Some(key)) => Ok(Some(key.to_owned())),
        (Idempotency::None, None) => Ok(None),
        (_, None) => new_idempotency_key().map(Some),
    }
}

fn check(key: &str) -> Result<()> {
    if key.is_empty() || key.len() > 255 || !key.bytes().all(|b| b.is_ascii_graphic()) {
        return Err(Error::argument("idempotency_key", "must be 1 to 255 visible ASCII characters without blanks"));
    }
    Ok(())
}
