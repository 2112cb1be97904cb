//! The waist of the SDK as Swift sees it.
//!
//! Clients and pages (`client`), one call under way (`call`), the thread that drives them (`runtime`), webhooks (`webhook`); and
//! `abi`, where they become the C functions of `Sources/BloomChatsFFI/BloomChatsFFI.h`. Arguments and values cross as JSON that
//! the Swift package writes, and reads where it lies; whatever fails crosses as JSON of core's error, never as a Rust panic.
//! Swift code runs on the runtime's thread for one thing only: to resume the task that listens to a call.

mod abi;
mod call;
mod client;
mod runtime;
mod webhook;

use std::sync::{Mutex, MutexGuard, PoisonError};

use bloomchats::Progress;
use serde_json::json;

/// What only a bridge can meet, so that core has no word for it: a failure as JSON.
fn bridge_failure(kind: &str, message: &str, progress: &Progress) -> Vec<u8> {
    let failure = json!({
        "kind": kind,
        "message": message,
        "attempts": progress.attempts(),
        "maybe_sent": progress.maybe_sent(),
        "idempotency_key": progress.idempotency_key(),
    });
    failure.to_string().into()
}

fn internal_failure(progress: &Progress) -> Vec<u8> {
    bridge_failure("internal", "internal error in bloomchats; please report it", progress)
}

/// A panic elsewhere must not poison every later call: what these locks guard is valid at every point.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
