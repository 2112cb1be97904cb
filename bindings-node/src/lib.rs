//! The waist of the SDK as Node sees it.
//!
//! Three ideas, one file each: calls and what comes of them (`bridge`), one call under way (`running`), and the way
//! completions reach an environment's event loop (`mailbox`). Arguments and values cross as JSON that the TypeScript
//! package writes and reads; whatever fails comes back as JSON of core's error, never as a Rust panic.

mod bridge;
mod mailbox;
mod running;
mod webhook;
