//! The envelope v4 subscriptions receive, and the event data inside it.

use serde_json::{Value, json};

use super::messages::{error, replied_to};
use crate::blooio::events::Event;
use crate::blooio::life::Status;
use crate::blooio::{Peer, World};

/// Payload versions, the latest first.
pub(crate) const VERSIONS: [&str; 2] = ["2026-10-01", "2026-09-01"];

pub(crate) fn body(world: &World, event: &Event, api_version: &str) -> Value {
    let mut body = json!({
        "id": event.id,
        "type": event.name(),
        "api_version": api_version,
        "created_at": event.occurred_at,
        "organization_id": world.organization_id,
        "data": data(world, event),
    });
    if api_version != VERSIONS[0] {
        // What the older version carries over from v2.
        let recipient = body["data"]["contact"]["identifier"].clone();
        body["event"] = body["type"].clone();
        body["timestamp"] = body["created_at"].clone();
        body["internal_id"] = body["data"]["channel_address"].clone();
        body["chat_guid"] = Value::Null;
        body["data"]["id"] = body["data"]["message_id"].clone();
        body["data"]["is_group"] = (!body["data"]["group"].is_null()).into();
        if recipient.is_string() {
            body["external_id"] = recipient;
        }
    }
    body
}

/// The message as it was when the event happened.
pub(super) fn data(world: &World, event: &Event) -> Value {
    let message = &world.messages[event.message];
    let chat = &world.chats[message.chat];
    let channel = &world.channels[chat.channel];
    let (person, group) = match chat.peer {
        Peer::Person(contact) => (Some(&world.contacts[contact]), None),
        Peer::Group(group) => (message.sender.map(|contact| &world.contacts[contact]), Some(&world.groups[group])),
    };
    let line = Some(channel.address);
    let other = person.map(|contact| contact.identifier.as_str());
    let (sender, recipient) = if message.outbound { (line, other) } else { (other, line) };
    let mut data = json!({
        "message_id": message.id,
        "chat_id": chat.id,
        "channel_id": channel.id,
        "channel_type": channel.kind,
        "channel_address": channel.address,
        "kind": event.status.as_str(),
        "direction": if message.outbound { "outbound" } else { "inbound" },
        "status": event.status.as_str(),
        "protocol": event.protocol,
        "message_type": message.kind,
        "text": message.text,
        "sender": sender,
        "recipient": recipient,
        "contact": {
            "contact_id": person.map(|contact| &contact.id),
            "identifier": other,
            "name": person.and_then(|contact| contact.name.as_ref()),
        },
        "group": group.map(|group| json!({"group_id": group.id, "name": group.name})),
        "reply_to_message_id": replied_to(world, message),
        "attachments": message.attachments.iter().map(|file| json!({"url": file.url, "name": file.name})).collect::<Vec<_>>(),
    });
    if event.status == Status::Failed {
        data["error"] = error(message);
    }
    data
}
