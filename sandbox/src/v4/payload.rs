//! The envelope v4 subscriptions receive, and the event data inside it.

use serde_json::{Value, json};

use super::messages::{error, replied_to, signed};
use crate::blooio::events::{Event, What};
use crate::blooio::life::Status;
use crate::blooio::{Attachment, Author, Peer, World, media_type};

/// Payload versions, the latest first.
pub(crate) const VERSIONS: [&str; 2] = ["2026-10-01", "2026-09-01"];

pub(crate) fn body(world: &World, event: &Event, api_version: &str) -> Value {
    let mut body = json!({
        "id": event.id,
        "type": event.name(world),
        "api_version": api_version,
        "created_at": event.occurred_at,
        "organization_id": world.organization_id,
        "data": data(world, event),
    });
    if api_version != VERSIONS[0] {
        // What the older version carries over from v2.
        let line = event.channel(world).map(|channel| world.channels[channel].address);
        let recipient = body["data"]["contact"]["identifier"].clone();
        body["event"] = body["type"].clone();
        body["timestamp"] = body["created_at"].clone();
        body["internal_id"] = line.unwrap_or_default().into();
        body["chat_guid"] = Value::Null;
        if let Some(message) = event.message() {
            body["data"]["id"] = world.messages[message].id.clone().into();
        }
        body["data"]["is_group"] = matches!(event.chat.map(|chat| world.chats[chat].peer), Some(Peer::Group(_))).into();
        if recipient.is_string() {
            body["external_id"] = recipient;
        }
    }
    body
}

/// The subject as it was when the event happened.
pub(super) fn data(world: &World, event: &Event) -> Value {
    let chat_id = event.chat.map(|chat| &world.chats[chat].id);
    match &event.what {
        What::Message { message, status, protocol } => message_data(world, *message, *status, protocol),
        What::Reaction { message, reaction } => {
            let row = &world.messages[*message];
            json!({
                "message_id": row.id,
                "chat_id": chat_id,
                "direction": direction(reaction.by),
                "reaction": signed(reaction),
                "action": if reaction.added { "add" } else { "remove" },
                "sender": author(world, event, reaction.by),
                "contact": contact(world, reaction.by.or_else(|| peer(world, event))),
            })
        }
        What::Poll { message } => poll(world, *message),
        What::Vote { poll: message, option, on, by } => {
            let mut data = poll(world, *message);
            data["option"] = data["options"][*option].clone();
            data["action"] = if *on { "add" } else { "remove" }.into();
            data["sender"] = author(world, event, *by).into();
            data
        }
        What::GroupName { group, .. } | What::GroupIcon { group, .. } => {
            let group = &world.groups[*group];
            json!({"group_id": group.id, "chat_id": chat_id, "name": group.name, "icon_url": group.icon_url})
        }
        What::Typing { by, .. } => json!({
            "chat_id": chat_id,
            "direction": "inbound",
            "sender": world.contacts[*by].identifier,
            "contact": contact(world, Some(*by)),
        }),
        What::ContactShared { by } => {
            let person = world.person(*by);
            json!({"contact_id": person.map_or("", |person| &person.id), "chat_id": chat_id})
        }
        What::ContactMerged { source, survivor } => {
            json!({"contact_id": world.people[*source].id, "merged_into": world.people[*survivor].id})
        }
        What::Safety { channel, action, previous } => json!({
            "phone_number": world.channels[*channel].address,
            "channel_id": world.channels[*channel].id,
            "tier": null,
            "previous_tier": null,
            "action": action,
            "previous_action": previous,
            "reasons": [],
        }),
        What::Banned { channel } => json!({
            "channel_id": world.channels[*channel].id,
            "phone_number": world.channels[*channel].address,
            "allocation_type": "dedicated",
            "banned_at": event.occurred_at,
        }),
    }
}

fn message_data(world: &World, index: usize, status: Status, protocol: &str) -> Value {
    let message = &world.messages[index];
    let chat = &world.chats[message.chat];
    let channel = &world.channels[chat.channel];
    let (person, group) = match chat.peer {
        Peer::Person(contact) => (Some(contact), None),
        Peer::Group(group) => (message.sender, Some(&world.groups[group])),
    };
    let line = Some(channel.address);
    let other = person.map(|contact| world.contacts[contact].identifier.as_str());
    let (sender, recipient) = if message.outbound { (line, other) } else { (other, line) };
    let mut data = json!({
        "message_id": message.id,
        "chat_id": chat.id,
        "channel_id": channel.id,
        "channel_type": channel.kind,
        "channel_address": channel.address,
        "kind": status.as_str(),
        "direction": if message.outbound { "outbound" } else { "inbound" },
        "status": status.as_str(),
        "protocol": protocol,
        "message_type": message.kind,
        "text": message.text,
        "sender": sender,
        "recipient": recipient,
        "contact": contact(world, person),
        "group": group.map(|group| json!({"group_id": group.id, "name": group.name})),
        "reply_to_message_id": replied_to(world, message),
        "attachments": message.attachments.iter().map(attachment).collect::<Vec<_>>(),
    });
    if status == Status::Failed {
        data["error"] = error(message);
    }
    data
}

/// Of unknown size, as nobody fetches it.
fn attachment(file: &Attachment) -> Value {
    let mut view = json!({"url": file.url, "name": file.name});
    media_type(&file.url).into_iter().for_each(|media_type| view["media_type"] = media_type.into());
    view
}

fn poll(world: &World, message: usize) -> Value {
    let row = &world.messages[message];
    let poll = row.poll.as_ref();
    json!({
        "poll_id": row.id,
        "message_id": row.id,
        "chat_id": world.chats[row.chat].id,
        "title": poll.map_or("", |poll| poll.title.as_str()),
        "options": poll.map_or(&[][..], |poll| &poll.options),
    })
}

fn contact(world: &World, contact: Option<usize>) -> Value {
    json!({
        "contact_id": contact.and_then(|contact| world.person(contact)).map(|person| &person.id),
        "identifier": contact.map(|contact| &world.contacts[contact].identifier),
        "name": contact.and_then(|contact| world.name(contact)),
    })
}

fn direction(by: Author) -> &'static str {
    if by.is_some() { "inbound" } else { "outbound" }
}

/// The address of whoever did it: theirs, or our line.
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
