//! Chats: one with each person or group on each channel.

use serde_json::{Value, json};

use super::channels::KINDS;
use super::page::{Position, page};
use super::{fields, unprocessable, wrapped};
use crate::blooio::recipient::normalize;
use crate::blooio::{Peer, World};
use crate::refusal::Refusal;
use crate::service::{Answer, Call, Outcome};

const STATES: [&str; 4] = ["open", "closed", "blocked", "deprecated"];

pub(super) fn list(call: &mut Call<'_>) -> Outcome {
    let kind = call.query.get("type").map(|_| call.query.choice("type", &KINDS)).transpose()?;
    let state = call.query.get("state").map(|_| call.query.choice("state", &STATES)).transpose()?;
    let (channel_id, contact_id) = (call.query.get("channel_id"), call.query.get("contact_id"));
    let world = &call.state.blooio;
    let fits = |index: &usize| {
        let chat = &world.chats[*index];
        let channel = &world.channels[chat.channel];
        let contact = match chat.peer {
            Peer::Person(contact) => world.person(contact).map(|person| person.id.as_str()),
            Peer::Group(_) => None,
        };
        kind.is_none_or(|kind| kind == channel.kind)
            && state.is_none_or(|state| state == chat.state)
            && channel_id.is_none_or(|id| id == channel.id)
            && contact_id.is_none_or(|id| Some(id) == contact)
    };
    let mut rows: Vec<(Position, usize)> = (0..world.chats.len())
        .filter(fits)
        .map(|index| {
            let chat = &world.chats[index];
            ((chat.last_message_at().unwrap_or(chat.created_at), index), index)
        })
        .collect();
    rows.sort_unstable_by(|a, b| b.cmp(a));
    page(call, &rows, true, |index| view(world, *index))
}

pub(super) fn get(call: &mut Call<'_>) -> Outcome {
    let chat = find(call)?;
    Ok(wrapped(view(&call.state.blooio, chat)))
}

/// Opens a chat, or finds the one there is.
pub(super) fn create(call: &mut Call<'_>) -> Outcome {
    let body = call.json_object()?;
    let fields = fields(&body);
    let channel_id = fields.required_text("channel_id")?;
    let to = match fields.get("to") {
        Some(Value::Object(_)) if !call.state.blooio.switches.legacy_body => {
            return Err(fields.refuse("to", "an E.164 number or an email address"));
        }
        Some(Value::Object(_)) => fields.object("to")?.map(|to| to.required_text("identifier")).transpose()?,
        _ => Some(fields.required_text("to")?),
    };
    let to = to.unwrap_or_default();
    let world = &mut call.state.blooio;
    let channel = world.channels.iter().position(|channel| channel.id == channel_id && channel.is_active());
    let channel = channel
        .ok_or_else(|| unprocessable("channel_id", "No active channel has this id.").code("channel_not_found"))?;
    let identifier =
        normalize(to).ok_or_else(|| unprocessable("to", "to must be an E.164 number or an email address."))?;
    let contact = world.contact(&identifier);
    let (chat, created) = world.chat(channel, Peer::Person(contact));
    let answer = json!({
        "id": world.chats[chat].id,
        "channel_id": world.channels[channel].id,
        "channel_type": world.channels[channel].kind,
        "contact_id": world.person(contact).map(|person| &person.id),
        "identity_id": identity_id(world, contact, channel),
        "state": world.chats[chat].state,
        "created": created,
    });
    Ok(Answer::new(if created { 201 } else { 200 }, answer))
}

/// `metadata` is merged into what is there; a `null` in it takes a field away.
pub(super) fn update(call: &mut Call<'_>) -> Outcome {
    let chat = find(call)?;
    let body = call.json_object()?;
    let fields = fields(&body);
    let state = match fields.text("state")? {
        None => None,
        Some("open") => Some("open"),
        Some("closed") => Some("closed"),
        Some(_) => return Err(fields.refuse("state", "open or closed")),
    };
    fields.object("metadata")?;
    if state.is_none() && !fields.has("metadata") {
        return Err(unprocessable("state", "Give at least one of state, metadata."));
    }
    let world = &mut call.state.blooio;
    let row = &mut world.chats[chat];
    row.state = state.unwrap_or(row.state);
    for (name, value) in body.get("metadata").and_then(Value::as_object).into_iter().flatten() {
        match value {
            Value::Null => drop(row.metadata.remove(name)),
            value => drop(row.metadata.insert(name.clone(), value.clone())),
        }
    }
    Ok(wrapped(view(world, chat)))
}

/// Refuses to write to a chat that was closed.
pub(super) fn check_open(world: &World, chat: usize) -> Result<(), Refusal> {
    let open = world.chats[chat].state == "open";
    if open { Ok(()) } else { Err(Refusal::new(409, "The chat is closed.").code("chat_closed")) }
}

/// The chat of a path, or 404.
pub(super) fn find(call: &Call<'_>) -> Result<usize, Refusal> {
    call.state.blooio.chat_by_id(&call.path[0]).ok_or_else(|| Refusal::not_found("Chat not found."))
}

/// The contact's identity on a channel's type, or else any of its.
pub(super) fn identity_id(world: &World, contact: usize, channel: usize) -> Option<&str> {
    let identities = &world.contacts[contact].identities;
    let fitting = identities.iter().find(|one| one.channel_type == world.channels[channel].kind);
    fitting.or(identities.first()).map(|identity| identity.id.as_str())
}

fn view(world: &World, index: usize) -> Value {
    let chat = &world.chats[index];
    let channel = &world.channels[chat.channel];
    let (contact, group) = match chat.peer {
        Peer::Person(contact) => (Some(contact), None),
        Peer::Group(group) => (None, Some(&world.groups[group])),
    };
    json!({
        "id": chat.id,
        "channel_id": channel.id,
        "channel_type": channel.kind,
        "contact_id": contact.and_then(|contact| world.person(contact)).map(|person| &person.id),
        "identity_id": contact.and_then(|contact| identity_id(world, contact, chat.channel)),
        "group_id": group.map(|group| &group.id),
        "state": chat.state,
        "capabilities": {},
        "window_expires_at": null,
        "last_message_at": chat.last_message_at(),
        "created_at": chat.created_at,
    })
}
