//! Blooio's world: what v2 and v4 both look at. A message sent through one is seen through the other, as with the service.

mod channel;
mod content;
pub(crate) mod events;
mod groups;
pub(crate) mod idempotency;
pub(crate) mod life;
mod limits;
mod location;
mod message;
pub(crate) mod names;
mod people;
pub(crate) mod phone;
mod pictures;
mod priorities;
pub(crate) mod recipient;
mod seed;
mod world;

pub(crate) use channel::Channel;
pub(crate) use content::{EFFECTS, REPLY_WINDOW_MS, effect_name, is_url, media_type};
pub(crate) use groups::Group;
pub(crate) use limits::Intent;
pub(crate) use message::{Attachment, Author, Draft, Message, MessageError, Poll, Reaction, ReplyTo, VOTE};
pub(crate) use people::Person;
pub(crate) use priorities::Priority;
pub(crate) use seed::{SEEDED_UNTIL_MS, full_name};
pub(crate) use world::{Background, Chat, Peer, World};

/// The key of a bearer header; v2 and v4 share it.
pub(crate) fn bearer(headers: &axum::http::HeaderMap) -> Option<&str> {
    let (scheme, key) = headers.get("authorization")?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| key.trim())
}
