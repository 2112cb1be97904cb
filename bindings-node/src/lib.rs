//! The waist of the SDK as Node sees it.
//!
//! Four ideas, one file each: calls and what comes of them (`bridge`), one call under way (`running`), the way completions
//! reach an environment's event loop (`mailbox`), and that loop where calls are driven on it (`uv`). Arguments and values
//! cross as JSON that the TypeScript package writes and reads; whatever fails comes back as JSON of core's error, never as a
//! Rust panic.

mod bridge;
mod mailbox;
mod running;
mod uv;
mod webhook;

#[napi_derive::module_init]
fn init() {
    bloomchats::keep_panics_private();
}
