//! What people see on their side.

use serde_json::{Value, json};

use super::Control;
use crate::blooio::life::Status;
use crate::blooio::recipient::normalize;
use crate::blooio::{Message, Peer, VOTE, World};
use crate::refusal::Refusal;
use crate::service::{Answer, Outcome};

/// Everything sent to a person, alone and in groups, oldest first; what failed or was cancelled is not among it.
pub(super) fn inbox(control: &Control<'_>) -> Outcome {
    let person = normalize(&control.path[0])
        .ok_or_else(|| Refusal::bad_request("A phone is an E.164 number or an email address. Encode + as %2B."))?;
    let text = control.query.get("text");
    let messages = control.namespace.with(|state| received(&state.blooio, &person, text));
    Ok(Answer::ok(json!({"number": person, "count": messages.len(), "messages": messages})))
}

fn received(world: &World, person: &str, text: Option<&str>) -> Vec<Value> {
    let Some(contact) = world.find_contact(person) else { return Vec::new() };
    let has_person = |message: &Message| match world.chats[message.chat].peer {
        Peer::Person(peer) => peer == contact,
        Peer::Group(group) => world.groups[group].members.contains(&contact),
    };
    let arrived = world.messages.iter().filter(|message| message.outbound && message.kind != VOTE).filter(|message| {
        !matches!(message.status, Status::Failed | Status::CancellationRequested | Status::Cancelled)
    });
    let wanted = arrived.filter(|message| text.is_none_or(|text| message.text.as_deref() == Some(text)));
    wanted.filter(|message| has_person(message)).map(|message| view(world, message)).collect()
}

fn view(world: &World, message: &Message) -> Value {
    let chat = &world.chats[message.chat];
    let group = match chat.peer {
        Peer::Group(group) => Some(&world.groups[group].id),
        Peer::Person(_) => None,
    };
    json!({
        "id": message.id,
        "v2_id": message.short_id,
        "from": world.channels[chat.channel].address,
        "group_id": group,
        "type": message.kind,
        "text": message.text,
        "effect": message.effect.as_ref().filter(|_| !matches!(message.protocol, "sms" | "rcs")),
        "poll": message.poll.as_ref().map(|poll| json!({"title": poll.title, "options": poll.options})),
        "attachments": message.attachments.iter().map(|file| &file.url).collect::<Vec<_>>(),
        "status": message.status.as_str(),
        "sent_at": message.created_at,
    })
}
