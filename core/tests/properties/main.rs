//! Promises that hold for every schedule, input and cancellation, on a scripted world with virtual time.
//!
//! `BLOOMCHATS_CASES` sets how many cases each property tries (default 2000; the nightly list asks for 100000).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)] // a test panics when something is wrong

mod cancel;
mod credentials;
mod model;
mod paging;
mod parsers;
mod pauses;
mod refusals;
mod sample;
mod schedules;
mod secrecy;
mod support;
