//! Webhooks from Blooio: verify a signature over the raw body, then read the event.
//!
//! BloomChats' page claims webhooks and describes none, so there is nothing here for it.

mod event;
mod signature;

pub use event::{Event, Version, parse};
pub use signature::{TOLERANCE, sign, sign_at, verify, verify_at};
