//! The flat body v2 subscriptions receive.

use serde_json::{Value, json};

use super::chats::chat_id;
use super::messages::attachment;
use crate::blooio::events::Event;
use crate::blooio::life::Status;
use crate::blooio::{Peer, World};

pub(crate) fn body(world: &World, event: &Event) -> Value {
    let message = &world.messages[event.message];
    let chat = &world.chats[message.chat];
    let mut body = json!({
        "event": event.name(),
        "message_id": message.short_id,
        "external_id": chat_id(world, chat.peer),
        "internal_id": world.channels[chat.channel].address,
        "status": event.status.as_str(),
        "protocol": event.protocol,
        "timestamp": event.occurred_at,
        "is_group": matches!(chat.peer, Peer::Group(_)),
    });
    if let Peer::Group(group) = chat.peer {
        let group = &world.groups[group];
        let members = group.members.iter().map(|member| &world.contacts[*member]);
        body["group_id"] = group.id.clone().into();
        body["group_name"] = group.name.clone().into();
        body["participants"] =
            members.map(|one| json!({"contact_id": one.id, "identifier": one.identifier, "name": one.name})).collect();
    }
    let attachments = || message.attachments.iter().map(attachment).collect::<Value>();
    match event.status {
        Status::Queued | Status::Sent => {
            body["text"] = message.text.clone().into();
            body["attachments"] = attachments();
            if event.status == Status::Sent {
                body["sent_at"] = event.occurred_at.into();
            }
        }
        Status::Delivered => body["delivered_at"] = event.occurred_at.into(),
        Status::Failed => {
            body["error_code"] = message.error.map(|(code, _)| code).into();
            body["error_message"] = message.error.map(|(_, text)| text).into();
        }
        Status::Received => {
            body["text"] = message.text.clone().into();
            body["attachments"] = attachments();
            let sender = match (message.sender, chat.peer) {
                (Some(contact), _) | (None, Peer::Person(contact)) => Some(&world.contacts[contact].identifier),
                (None, Peer::Group(_)) => None,
            };
            body["sender"] = sender.cloned().into();
            body["received_at"] = event.occurred_at.into();
        }
    }
    body
}
