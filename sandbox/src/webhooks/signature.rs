//! The signature receivers check.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// `t=<seconds>,v1=<hex>`: HMAC-SHA256 over `"{t}.{body}"`, keyed by the whole secret string, its prefix included.
pub(crate) fn sign(secret: &str, at_s: i64, body: &[u8]) -> String {
    let digest = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).map(|mut mac| {
        mac.update(format!("{at_s}.").as_bytes());
        mac.update(body);
        mac.finalize().into_bytes()
    });
    // HMAC takes keys of any length, so there always is a digest.
    let hex: String = digest.into_iter().flatten().map(|byte| format!("{byte:02x}")).collect();
    format!("t={at_s},v1={hex}")
}
