//! Clients for BloomChats (Instagram DM automation) and Blooio v2 and v4 (iMessage and more) that never send a message twice.
//!
//! ```no_run
//! # async fn demo() -> bloomchats::Result<()> {
//! use bloomchats::Blooio;
//!
//! let sent = Blooio::from_env()?.v2().messages().send("+15551234567").text("Hello").await?;
//! println!("{:?}", sent.message_ids);
//! # Ok(()) }
//! ```
//!
//! Calls and attempts are spans of the `tracing` crate (target `bloomchats`, level `INFO`), with OpenTelemetry's attribute names;
//! [`Config::with_observer`] has them as plain events.
//!
//! The typed clients are generated from the contracts in `spec/`; [`Client`] is the untyped one they stand on, and the
//! waist that the Python, Node and Swift packages call.

pub mod api;
mod client;
mod config;
mod engine;
mod error;
mod headers;
mod reactor;
mod secret;
mod sight;
mod veneer;
pub mod webhook;

pub use client::{Answer, Call, Client, NextPage, Run};
pub use config::{Config, Credential, CredentialProvider, Product, SendBody};
pub use engine::limit::{Limits, Plan};
pub use engine::multipart::File;
pub use engine::operation;
pub use engine::script::Script;
pub use engine::{BoxFuture, CallOptions, Event, Observer, Progress, Scope, new_idempotency_key};
pub use error::{Error, ErrorKind, KINDS, KindRow, Result};
pub use headers::Headers;
pub use reactor::{Reactor, Task};
pub use secret::Secret;
pub use veneer::{Blooio, BloomChats, Items, Json, MessageRef, Outcome, Page, RawRequest, Request, Response, V2, V4};

/// Version of the crate, and of every package built from it.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Has panics in this copy of the library tell their place and not their text, which may quote somebody's words.
///
/// For the bridges, each of which brings a standard library of its own: in a Rust program the hook is the program's.
#[doc(hidden)]
pub fn keep_panics_private() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        use std::io::Write;
        std::panic::set_hook(Box::new(|panic| {
            let place = panic.location().map(ToString::to_string).unwrap_or_default();
            // A closed output must not make it two panics, which end the process.
            let _ = writeln!(std::io::stderr(), "bloomchats: internal error at {place}; please report it");
        }));
    });
}
