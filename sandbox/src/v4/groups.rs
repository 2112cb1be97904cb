//! Groups and their icons. v4 has no way to add or remove members.

use serde_json::{Value, json};

use super::page::{indexed, page};
use super::{fields, unprocessable, wrapped};
use crate::blooio::recipient::normalize;
use crate::blooio::{Peer, World};
use crate::multipart;
use crate::refusal::Refusal;
use crate::service::{Answer, Call, Outcome};

pub(super) fn list(call: &mut Call<'_>) -> Outcome {
    let world = &call.state.blooio;
    let rows = indexed((0..world.groups.len()).filter(|group| !world.groups[*group].deleted), true);
    page(call, &rows, true, |group| view(world, *group))
}

pub(super) fn create(call: &mut Call<'_>) -> Outcome {
    let body = call.json_object()?;
    let fields = fields(&body);
    let channel_id = fields.required_text("channel_id")?;
    let name = fields.text("name")?.map(str::to_owned);
    let members = fields.list("members")?.filter(|members| !members.is_empty());
    let members = members.ok_or_else(|| fields.refuse("members", "a list of at least one member"))?;
    let member = |member: &Value| normalize(member.as_str().or(member["identifier"].as_str())?);
    let members: Option<Vec<String>> = members.iter().map(member).collect();
    let members = members.ok_or_else(|| fields.refuse("members", "a list of E.164 numbers or email addresses"))?;
    let world = &mut call.state.blooio;
    let channel = world.channels.iter().position(|channel| channel.id == channel_id && channel.is_active());
    let channel = channel
        .ok_or_else(|| unprocessable("channel_id", "No active channel has this id.").code("channel_not_found"))?;
    if !world.channels[channel].has_groups() {
        return Err(unprocessable("channel_id", "This type of channel has no groups."));
    }
    let contacts = members.iter().map(|one| world.contact(one)).collect();
    let group = world.add_group(channel, name, contacts);
    Ok(Answer::new(201, json!({"data": view(world, group)})))
}

pub(super) fn get(call: &mut Call<'_>) -> Outcome {
    let group = find(call)?;
    Ok(wrapped(view(&call.state.blooio, group)))
}

pub(super) fn update(call: &mut Call<'_>) -> Outcome {
    let group = find(call)?;
    let body = call.json_object()?;
    let name = fields(&body).required_text("name")?.to_owned();
    let world = &mut call.state.blooio;
    world.groups[group].name = Some(name);
    Ok(wrapped(view(world, group)))
}

pub(super) fn delete(call: &mut Call<'_>) -> Outcome {
    let group = find(call)?;
    let row = &mut call.state.blooio.groups[group];
    row.deleted = true;
    Ok(wrapped(json!({"id": row.id, "deleted": true})))
}

pub(super) fn members(call: &mut Call<'_>) -> Outcome {
    let group = find(call)?;
    Ok(wrapped(member_views(&call.state.blooio, group)))
}

pub(super) fn set_icon(call: &mut Call<'_>) -> Outcome {
    let group = linked(call)?;
    let image = multipart::image(call.headers, call.body, "icon")?;
    let world = &mut call.state.blooio;
    let url = world.pictures.keep(&image);
    world.groups[group].icon_url = Some(url.clone());
    Ok(wrapped(json!({"id": world.groups[group].id, "icon_url": url})))
}

pub(super) fn remove_icon(call: &mut Call<'_>) -> Outcome {
    let group = linked(call)?;
    let row = &mut call.state.blooio.groups[group];
    row.icon_url = None;
    Ok(wrapped(json!({"id": row.id, "removed": true})))
}

fn find(call: &Call<'_>) -> Result<usize, Refusal> {
    call.state.blooio.find_group(&call.path[0]).ok_or_else(|| Refusal::not_found("Group not found."))
}

/// Icons live on the device: there must be a chat there.
fn linked(call: &Call<'_>) -> Result<usize, Refusal> {
    let group = find(call)?;
    match call.state.blooio.groups[group].chat_guid {
        Some(_) => Ok(group),
        None => Err(Refusal::new(409, "The group is not linked to a chat yet.").code("group_not_linked")),
    }
}

fn view(world: &World, index: usize) -> Value {
    let group = &world.groups[index];
    let channel = &world.channels[group.channel];
    let chat = world.find_chat(group.channel, Peer::Group(index));
    json!({
        "id": group.id,
        "channel_id": channel.id,
        "channel_type": channel.kind,
        "name": group.name,
        "icon_url": group.icon_url,
        "chat_id": chat.map(|chat| &world.chats[chat].id),
        "chat_linked": group.chat_guid.is_some(),
        "created_at": group.created_at,
        "members": member_views(world, index),
    })
}

fn member_views(world: &World, group: usize) -> Value {
    let group = &world.groups[group];
    let member = |member: &usize| {
        json!({
            "identity_id": super::chats::identity_id(world, *member, group.channel).unwrap_or_default(),
            "contact_id": world.person(*member).map(|person| &person.id),
            "role": "member",
            "channel_type": world.channels[group.channel].kind,
            "identifier": world.contacts[*member].identifier,
        })
    };
    group.members.iter().map(member).collect()
}
