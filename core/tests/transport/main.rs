//! What only sockets can show: trust, redirects, the bytes of a request, threads, and what a dropped call leaves behind.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)] // a test panics when something is wrong

mod child;
mod drops;
mod environment;
mod hostile;
mod http2;
mod injection;
mod proxy;
#[cfg(unix)]
mod reactor;
mod server;
mod silence;
mod tls;
