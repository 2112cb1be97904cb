//! What the generated typed clients are made of: reading and writing models, calls that are futures, pages.

mod client;
mod json;
#[macro_use]
mod macros;
mod message;
mod page;
mod request;

pub use client::{Blooio, BloomChats, V2, V4};
pub use json::Json;
pub use message::MessageRef;
pub use page::{Items, Page};
pub use request::{Outcome, RawRequest, Request, Response};

pub(crate) use json::{As, attempt, from_text, put, show, take};
pub(crate) use macros::{model, open_enum};
