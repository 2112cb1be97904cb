//! Messages of a chat, one of them, and its status.

use serde_json::{Value, json};

use super::Page;
use super::chats::{chat_id, contact_ref, direction, existing, own_chats};
use super::payload::known;
use crate::blooio::life::Status;
use crate::blooio::{Attachment, Chat, Message, Reaction, VOTE, World};
use crate::refusal::Refusal;
use crate::service::{Answer, Call, Outcome};

pub(super) fn list(call: &mut Call<'_>) -> Outcome {
    let page = Page::of(call)?;
    let newest_first = call.query.choice("sort", &["desc", "asc"])? == "desc";
    let wanted =
        call.query.get("direction").map(|_| call.query.choice("direction", &["inbound", "outbound"])).transpose()?;
    let after = call.query.integer("since", 0..=i64::MAX, i64::MIN)?;
    let before = call.query.integer("until", 0..=i64::MAX, i64::MAX)?;
    let peer = existing(call)?;
    let world = &call.state.blooio;
    let all = own_chats(world, peer).into_iter().flat_map(|chat| chat.messages.iter().copied());
    let mut rows: Vec<usize> = all
        .filter(|index| {
            let message = &world.messages[*index];
            wanted.is_none_or(|wanted| wanted == direction(message.outbound))
                && message.created_at > after
                && message.created_at < before
        })
        .collect();
    rows.sort_unstable();
    if newest_first {
        rows.reverse();
    }
    let mut body = page.rows("messages", &rows, |index| row(world, &world.messages[*index]));
    body.insert("chat_id".to_owned(), chat_id(world, peer).into());
    Ok(Answer::ok(Value::Object(body)))
}

pub(super) fn get(call: &mut Call<'_>) -> Outcome {
    let (chat, message) = find(call)?;
    let world = &call.state.blooio;
    let mut body = row(world, message);
    if let Some(body) = body.as_object_mut() {
        body.remove("external_id");
        body.insert("chat_id".to_owned(), chat_id(world, chat.peer).into());
        body.insert("contact".to_owned(), contact_ref(world, chat.peer));
    }
    Ok(Answer::ok(body))
}

pub(super) fn status(call: &mut Call<'_>) -> Outcome {
    let (chat, message) = find(call)?;
    Ok(Answer::ok(json!({
        "message_id": message.short_id,
        "chat_id": chat_id(&call.state.blooio, chat.peer),
        "direction": direction(message.outbound),
        "status": shown_status(&call.state.blooio, message),
        "protocol": known(message.protocol),
        "time_sent": message.created_at,
        "time_delivered": message.delivered_at,
        "error": error(message),
    })))
}

/// Takes a message back that has not left yet, however often it is asked to; later, nothing changes.
pub(super) fn cancel(call: &mut Call<'_>) -> Outcome {
    let id = find(call)?.1.id.clone();
    let world = &mut call.state.blooio;
    let message = world.find_message(&id).ok_or_else(|| Refusal::not_found("Message not found."))?;
    world.cancel(message);
    let cancelled = matches!(world.messages[message].status, Status::CancellationRequested | Status::Cancelled);
    if !cancelled && world.switches.v2_cancel_conflict {
        return Err(Refusal::new(409, "The message cannot be cancelled any more."));
    }
    let row = &world.messages[message];
    let words = match row.status {
        Status::CancellationRequested => "The message is being cancelled.",
        Status::Cancelled => "The message is cancelled.",
        _ => "The message cannot be cancelled any more.",
    };
    Ok(Answer::ok(json!({
        "message_id": row.short_id,
        "cancelled": cancelled,
        "status": shown_status(world, row),
        "current_status": shown_status(world, row),
        "message": words,
    })))
}

fn find<'a>(call: &'a Call<'_>) -> Result<(&'a Chat, &'a Message), Refusal> {
    let peer = existing(call)?;
    let world = &call.state.blooio;
    let message = world.find_message(&call.path[1]).map(|index| &world.messages[index]);
    let message = message.filter(|message| world.chats[message.chat].peer == peer && message.kind != VOTE);
    let message = message.ok_or_else(|| Refusal::not_found("Message not found."))?;
    Ok((&world.chats[message.chat], message))
}

fn row(world: &World, message: &Message) -> Value {
    let chat = &world.chats[message.chat];
    json!({
        "message_id": message.short_id,
        "external_id": chat_id(world, chat.peer),
        "direction": direction(message.outbound),
        "internal_id": world.channels[chat.channel].address,
        "text": message.text,
        "attachments": message.attachments.iter().map(attachment).collect::<Vec<_>>(),
        "sender": message.sender.map(|contact| &world.contacts[contact].identifier),
        "reactions": message.reactions.iter().map(|one| reaction(world, one)).collect::<Vec<_>>(),
        "reply_to": reply_to(world, message),
        "time_sent": message.created_at,
        "time_delivered": message.delivered_at,
        "status": shown_status(world, message),
        "protocol": known(message.protocol),
        "error": error(message),
    })
}

pub(super) fn attachment(attachment: &Attachment) -> Value {
    json!({"url": attachment.url, "name": attachment.name})
}

fn reaction(world: &World, reaction: &Reaction) -> Value {
    json!({
        "reaction": reaction.reaction,
        "is_added": reaction.added,
        "time_sent": reaction.at,
        "sender": reaction.by.map(|contact| &world.contacts[contact].identifier),
    })
}

/// The message a reply answers, as v2 tells it.
pub(super) fn reply_to(world: &World, message: &Message) -> Value {
    message.reply_to.as_ref().map_or(Value::Null, |target| {
        json!({
            "message_id": target.message.map(|parent| &world.messages[parent].short_id),
            "guid": target.guid,
            "part_index": target.part_index,
        })
    })
}

/// v2 has no state of its own for inbound messages, nor, unless switched on, for read ones.
fn shown_status(world: &World, message: &Message) -> &'static str {
    match message.status {
        Status::Received => Status::Delivered.as_str(),
        Status::Read if !world.switches.v2_read_status => Status::Delivered.as_str(),
        status => status.as_str(),
    }
}

fn error(message: &Message) -> Option<&'static str> {
    message.error.map(|(_, text)| text)
}
