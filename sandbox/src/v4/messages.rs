//! Messages of a chat, one of them, its status and its events.

use serde_json::{Value, json};

use super::chats;
use super::page::{indexed, page};
use super::wrapped;
use crate::blooio::events::What;
use crate::blooio::life::Status;
use crate::blooio::{Message, Reaction, World};
use crate::refusal::Refusal;
use crate::service::{Call, Outcome};

pub(super) fn list(call: &mut Call<'_>) -> Outcome {
    let newest_first = call.query.choice("order", &["desc", "asc"])? == "desc";
    let chat = chats::find(call)?;
    let world = &call.state.blooio;
    let rows = indexed(world.chats[chat].messages.iter().copied(), newest_first);
    page(call, &rows, newest_first, |index| view(world, &world.messages[*index]))
}

pub(super) fn get(call: &mut Call<'_>) -> Outcome {
    let message = find(call)?;
    Ok(wrapped(view(&call.state.blooio, message)))
}

pub(super) fn status(call: &mut Call<'_>) -> Outcome {
    let message = find(call)?;
    Ok(wrapped(json!({
        "id": message.id,
        "status": shown_status(message),
        "protocol": message.protocol,
        "error": error(message),
        "created_at": message.created_at,
        "updated_at": message.updated_at,
    })))
}

pub(super) fn events(call: &mut Call<'_>) -> Outcome {
    let message = find(call)?;
    let world = &call.state.blooio;
    let rows = indexed(message.events.iter().copied(), true);
    page(call, &rows, true, |index| {
        let event = &world.events[*index];
        let (kind, metadata) = match &event.what {
            What::Message { status, .. } => (status.as_str(), json!({})),
            What::Reaction { reaction, .. } => ("reaction", json!({"reaction": signed(reaction)})),
            _ => (event.name(world), json!({})),
        };
        json!({
            "id": event.id,
            "message_id": message.id,
            "kind": kind,
            "occurred_at": event.occurred_at,
            "metadata": metadata,
        })
    })
}

/// `+love` when it was added, `-love` when it was taken back.
pub(super) fn signed(reaction: &Reaction) -> String {
    format!("{}{}", if reaction.added { '+' } else { '-' }, reaction.reaction)
}

fn find<'a>(call: &'a Call<'_>) -> Result<&'a Message, Refusal> {
    let chat = chats::find(call)?;
    let world = &call.state.blooio;
    let message = world.find_message(&call.path[1]).map(|index| &world.messages[index]);
    message.filter(|message| message.chat == chat).ok_or_else(|| Refusal::not_found("Message not found."))
}

/// v4 has no cancelling: what v2 took back never arrived.
pub(super) fn shown_status(message: &Message) -> &'static str {
    match message.status {
        Status::CancellationRequested | Status::Cancelled => Status::Failed.as_str(),
        status => status.as_str(),
    }
}

/// The error of a failed message, `null` otherwise.
pub(super) fn error(message: &Message) -> Value {
    message.error.map_or(Value::Null, |(code, text)| json!({"code": code, "message": text}))
}

/// The message a reply answers.
pub(super) fn replied_to<'a>(world: &'a World, message: &Message) -> Option<&'a str> {
    let parent = message.reply_to.as_ref()?.message?;
    Some(&world.messages[parent].id)
}

pub(super) fn view(world: &World, message: &Message) -> Value {
    let chat = &world.chats[message.chat];
    let channel = &world.channels[chat.channel];
    json!({
        "id": message.id,
        "chat_id": chat.id,
        "channel_id": channel.id,
        "channel_type": channel.kind,
        "protocol": message.protocol,
        "direction": if message.outbound { "outbound" } else { "inbound" },
        "type": message.kind,
        "text": message.text,
        "status": shown_status(message),
        "provider_message_id": message.short_id,
        "reply_to_message_id": replied_to(world, message),
        "error": error(message),
        "created_at": message.created_at,
        "updated_at": message.updated_at,
    })
}
