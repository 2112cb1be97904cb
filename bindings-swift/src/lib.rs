//! The waist of the SDK as Swift sees it.
//!
//! Three ideas, one file each: clients and pages (`client`), one call under way (`call`), webhooks (`webhook`). Arguments
//! and values cross as JSON that the Swift package writes and reads; whatever fails crosses as JSON of core's error,
//! never as a Rust panic. Nothing here calls into Swift: a call that needs a credential, or has an event to tell, says so
//! when it is asked how it stands.

mod call;
mod client;
mod runtime;
mod webhook;

use bloomchats::{Error, Progress};
use serde_json::json;

uniffi::setup_scaffolding!();

/// A failure, as JSON of core's error.
#[derive(uniffi::Error)]
pub enum Fault {
    /// `{"kind", "message", …}`; kinds beside core's own are `cancelled` and `internal`.
    Failed {
        /// The JSON.
        json: Vec<u8>,
    },
}

/// Without the JSON, which holds the service's answer.
impl std::fmt::Debug for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Fault(…)")
    }
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a call failed")
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Fault {
        Fault::Failed { json: error.to_json().to_string().into() }
    }
}

impl Fault {
    /// What only a bridge can meet, so that core has no word for it.
    fn of_bridge(kind: &str, message: &str, progress: &Progress) -> Fault {
        let json = json!({
            "kind": kind,
            "message": message,
            "attempts": progress.attempts(),
            "maybe_sent": progress.maybe_sent(),
            "idempotency_key": progress.idempotency_key(),
        });
        Fault::Failed { json: json.to_string().into() }
    }

    fn internal(progress: &Progress) -> Fault {
        Fault::of_bridge("internal", "internal error in bloomchats; please report it", progress)
    }
}

/// Version of this library.
#[uniffi::export]
pub fn version() -> Result<String, Fault> {
    Ok(bloomchats::VERSION.to_owned())
}

/// A fresh idempotency key: a version 4 UUID from the operating system.
#[uniffi::export]
pub fn new_idempotency_key() -> Result<String, Fault> {
    Ok(bloomchats::new_idempotency_key()?)
}
