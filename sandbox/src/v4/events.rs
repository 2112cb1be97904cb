//! The event feed.

use serde_json::{Value, json};

use super::page::{indexed, page};
use super::{payload, wrapped};
use crate::blooio::World;
use crate::blooio::events::Event;
use crate::refusal::Refusal;
use crate::service::{Call, Outcome};

pub(super) fn list(call: &mut Call<'_>) -> Outcome {
    let (name, chat_id, message_id) = (call.query.get("type"), call.query.get("chat_id"), call.query.get("message_id"));
    let world = &call.state.blooio;
    let fits = |index: &usize| {
        let event = &world.events[*index];
        name.is_none_or(|name| name == event.name(world))
            && message_id.is_none_or(|id| event.message().is_some_and(|message| id == world.messages[message].id))
            && chat_id.is_none_or(|id| event.chat.is_some_and(|chat| id == world.chats[chat].id))
    };
    let rows = indexed((0..world.events.len()).filter(fits), true);
    page(call, &rows, true, |index| view(world, &world.events[*index]))
}

pub(super) fn get(call: &mut Call<'_>) -> Outcome {
    let world = &call.state.blooio;
    let event = world.events.iter().rev().find(|event| event.id == call.path[0]);
    let event = event.ok_or_else(|| Refusal::not_found("Event not found."))?;
    Ok(wrapped(view(world, event)))
}

pub(super) fn view(world: &World, event: &Event) -> Value {
    json!({
        "id": event.id,
        "type": event.name(world),
        "message_id": event.message().map(|message| &world.messages[message].id),
        "chat_id": event.chat.map(|chat| &world.chats[chat].id),
        "channel_type": event.channel(world).map(|channel| world.channels[channel].kind),
        "occurred_at": event.occurred_at,
        "data": payload::data(world, event),
    })
}
