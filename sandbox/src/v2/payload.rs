//! The flat body v2 subscriptions receive.

use serde_json::{Value, json};

use super::chats::{chat_id, contact_id, direction};
use super::messages::{attachment, reply_to};
use crate::blooio::events::{Event, What};
use crate::blooio::life::Status;
use crate::blooio::{Author, Peer, World};

/// `None` for what v2 knows nothing of.
pub(crate) fn body(world: &World, event: &Event) -> Option<Value> {
    let body = match &event.what {
        What::Message { status: Status::Pending, .. } => return None,
        What::Message { message, status, protocol } => message_body(world, event, *message, *status, protocol),
        What::Reaction { message, reaction } => {
            let row = &world.messages[*message];
            let mut body = common(world, event)?;
            body["message_id"] = row.short_id.clone().into();
            body["direction"] = direction(reaction.by.is_none()).into();
            body["reaction"] = reaction.reaction.clone().into();
            body["action"] = if reaction.added { "add" } else { "remove" }.into();
            body["sender"] = author(world, event, reaction.by).into();
            body["original_text"] = row.text.clone().into();
            body["protocol"] = known(row.protocol).into();
            body
        }
        What::Poll { message } => poll(world, event, *message)?,
        What::Vote { poll: message, option, on, by } => {
            let mut body = poll(world, event, *message)?;
            body["option"] = body["options"][*option].clone();
            body["action"] = if *on { "add" } else { "remove" }.into();
            body["sender"] = author(world, event, *by).into();
            body
        }
        What::GroupName { group, previous } => {
            let mut body = group_change(world, event, *group)?;
            body["name"] = world.groups[*group].name.clone().unwrap_or_default().into();
            body["previous_name"] = previous.clone().into();
            body
        }
        What::GroupIcon { group, previous } => {
            let mut body = group_change(world, event, *group)?;
            body["icon_url"] = world.groups[*group].icon_url.clone().unwrap_or_default().into();
            body["previous_icon_url"] = previous.clone().into();
            body
        }
        What::Typing { by, .. } => {
            let mut body = common(world, event)?;
            body["sender"] = world.contacts[*by].identifier.clone().into();
            body
        }
        What::ContactShared { .. } => common(world, event)?,
        What::ContactMerged { .. } | What::Safety { .. } | What::Banned { .. } => return None,
    };
    Some(body)
}

/// What all bodies about a chat have.
fn common(world: &World, event: &Event) -> Option<Value> {
    let chat = &world.chats[event.chat?];
    let mut body = json!({
        "event": event.name(world),
        "external_id": chat_id(world, chat.peer),
        "internal_id": world.channels[chat.channel].address,
        "timestamp": event.occurred_at,
        "is_group": matches!(chat.peer, Peer::Group(_)),
    });
    if let Peer::Group(group) = chat.peer {
        body["group_id"] = world.groups[group].id.clone().into();
    }
    Some(body)
}

fn poll(world: &World, event: &Event, message: usize) -> Option<Value> {
    let mut body = common(world, event)?;
    let row = &world.messages[message];
    let poll = row.poll.as_ref()?;
    body["poll_id"] = row.short_id.clone().into();
    body["message_id"] = row.short_id.clone().into();
    body["title"] = poll.title.clone().into();
    body["options"] = poll.options.clone().into();
    if !row.outbound {
        body["sender"] = author(world, event, row.sender.or_else(|| peer(world, event))).into();
    }
    Some(body)
}

fn group_change(world: &World, event: &Event, group: usize) -> Option<Value> {
    let mut body = common(world, event)?;
    body["group_id"] = world.groups[group].id.clone().into();
    body["protocol"] = "imessage".into();
    body["message_id"] = event.id.clone().into();
    Some(body)
}

fn message_body(world: &World, event: &Event, index: usize, status: Status, protocol: &str) -> Value {
    let message = &world.messages[index];
    let chat = &world.chats[message.chat];
    let mut body = json!({
        "event": event.name(world),
        "message_id": message.short_id,
        "external_id": chat_id(world, chat.peer),
        "internal_id": world.channels[chat.channel].address,
        "status": status.as_str(),
        "protocol": known(protocol),
        "timestamp": event.occurred_at,
        "is_group": matches!(chat.peer, Peer::Group(_)),
    });
    if let Peer::Group(group) = chat.peer {
        let group = &world.groups[group];
        let member = |member: &usize| {
            json!({
                "contact_id": contact_id(world, *member),
                "identifier": world.contacts[*member].identifier,
                "name": world.name(*member),
            })
        };
        body["group_id"] = group.id.clone().into();
        body["group_name"] = group.name.clone().into();
        body["participants"] = group.members.iter().map(member).collect();
    }
    let attachments = || message.attachments.iter().map(attachment).collect::<Value>();
    match status {
        Status::Delivered => body["delivered_at"] = event.occurred_at.into(),
        Status::Read => body["read_at"] = event.occurred_at.into(),
        Status::Failed => {
            body["error_code"] = message.error.map(|(code, _)| code).into();
            body["error_message"] = message.error.map(|(_, text)| text).into();
        }
        Status::Received => {
            body["text"] = message.text.clone().into();
            body["attachments"] = attachments();
            body["sender"] = author(world, event, message.sender.or_else(|| peer(world, event))).into();
            body["received_at"] = event.occurred_at.into();
            body["reply_to"] = reply_to(world, message);
        }
        _ => {
            body["text"] = message.text.clone().into();
            body["attachments"] = attachments();
            if status == Status::Sent {
                body["sent_at"] = event.occurred_at.into();
            }
        }
    }
    body
}

/// v2 has no name for WhatsApp. Before the protocol is known both `pending` and null are described; the vendor's own
/// clients refuse the former.
pub(super) fn known(protocol: &str) -> Option<&str> {
    match protocol {
        "pending" => None,
        "whatsapp" => Some("unknown"),
        known => Some(known),
    }
}

fn author<'a>(world: &'a World, event: &Event, by: Author) -> Option<&'a str> {
    match by {
        Some(contact) => Some(&world.contacts[contact].identifier),
        None => event.channel(world).map(|channel| world.channels[channel].address),
    }
}

fn peer(world: &World, event: &Event) -> Option<usize> {
    match world.chats[event.chat?].peer {
        Peer::Person(contact) => Some(contact),
        Peer::Group(_) => None,
    }
}
