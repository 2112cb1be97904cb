//! Priorities: which channels a send without `from` goes through, and in which order.

use serde_json::{Value, json};

use super::page::{indexed, page};
use super::{fields, wrapped};
use crate::blooio::{Priority, World};
use crate::fields::Fields;
use crate::refusal::Refusal;
use crate::service::{Answer, Call, Outcome};

pub(super) fn list(call: &mut Call<'_>) -> Outcome {
    let world = &call.state.blooio;
    let rows = indexed(0..world.priorities.len(), true);
    page(call, &rows, true, |index| view(world, &world.priorities[*index]))
}

pub(super) fn get_default(call: &mut Call<'_>) -> Outcome {
    let world = &call.state.blooio;
    Ok(wrapped(world.default_priority().map_or(Value::Null, |priority| view(world, priority))))
}

pub(super) fn create(call: &mut Call<'_>) -> Outcome {
    let body = call.json_object()?;
    let fields = fields(&body);
    let name = fields.text("name")?.map(str::to_owned);
    let channels = channels(fields, &call.state.blooio)?.ok_or_else(|| fields.refuse("channels", "given"))?;
    let world = &mut call.state.blooio;
    let asked = fields.has("is_default").then(|| fields.flag("is_default")).transpose()?;
    let is_default = asked.unwrap_or(world.priorities.is_empty());
    let id = world.ids.uuid7("priority_", world.now);
    let (created_at, updated_at) = (world.now, world.now);
    world.priorities.push(Priority { id, name, is_default: false, channels, created_at, updated_at });
    let index = world.priorities.len() - 1;
    if is_default {
        make_default(world, index);
    }
    Ok(Answer::new(201, json!({"data": view(world, &world.priorities[index])})))
}

pub(super) fn get(call: &mut Call<'_>) -> Outcome {
    let index = find(call)?;
    let world = &call.state.blooio;
    Ok(wrapped(view(world, &world.priorities[index])))
}

/// `channels` replaces all of them.
pub(super) fn update(call: &mut Call<'_>) -> Outcome {
    let index = find(call)?;
    let body = call.json_object()?;
    let fields = fields(&body);
    if !["name", "is_default", "channels"].iter().any(|name| fields.has(name)) {
        return Err(fields.refuse("channels", "given, or name or is_default"));
    }
    let name = fields.text("name")?.map(str::to_owned);
    let channels = channels(fields, &call.state.blooio)?;
    let is_default = fields.has("is_default").then(|| fields.flag("is_default")).transpose()?;
    let world = &mut call.state.blooio;
    let (now, priority) = (world.now, &mut world.priorities[index]);
    priority.name = name.or(priority.name.take());
    priority.updated_at = now;
    if let Some(channels) = channels {
        priority.channels = channels;
    }
    match is_default {
        Some(true) => make_default(world, index),
        Some(false) => world.priorities[index].is_default = false,
        None => {}
    }
    Ok(wrapped(view(world, &world.priorities[index])))
}

pub(super) fn delete(call: &mut Call<'_>) -> Outcome {
    let index = find(call)?;
    let gone = call.state.blooio.priorities.remove(index);
    Ok(wrapped(json!({"id": gone.id, "deleted": true})))
}

fn find(call: &Call<'_>) -> Result<usize, Refusal> {
    let found = call.state.blooio.find_priority(&call.path[0]);
    found.ok_or_else(|| Refusal::not_found("Priority not found.").code("priority_not_found"))
}

fn make_default(world: &mut World, index: usize) {
    for (other, priority) in world.priorities.iter_mut().enumerate() {
        priority.is_default = other == index;
    }
}

/// Ids, or ids with tiers; one without a tier stands in the tier of its place in the list.
fn channels(fields: Fields<'_>, world: &World) -> Result<Option<Vec<(usize, i64)>>, Refusal> {
    let Some(list) = fields.list("channels")? else { return Ok(None) };
    if list.is_empty() {
        return Err(fields.refuse("channels", "a list of at least one channel"));
    }
    let mut channels: Vec<(usize, i64)> = Vec::with_capacity(list.len());
    for (place, entry) in list.iter().enumerate() {
        let id = entry.as_str().or(entry["channel_id"].as_str());
        let id = id.ok_or_else(|| fields.refuse("channels", "a list of channel ids, or of objects with channel_id"))?;
        let tier = match &entry["priority"] {
            Value::Null => place as i64 + 1,
            tier => tier.as_i64().filter(|tier| *tier >= 1).ok_or_else(|| fields.refuse("priority", "at least 1"))?,
        };
        let channel = world.channels.iter().position(|channel| channel.id == id);
        let channel = channel.ok_or_else(|| Refusal::not_found("Channel not found.").code("channel_not_found"))?;
        let kind = world.channels[channel].kind;
        if channels.iter().any(|(other, at)| *at == tier && world.channels[*other].kind != kind) {
            return Err(fields.refuse("channels", "of one type within a tier"));
        }
        channels.push((channel, tier));
    }
    channels.sort_by_key(|(_, tier)| *tier);
    Ok(Some(channels))
}

fn view(world: &World, priority: &Priority) -> Value {
    let channel = |(index, tier): &(usize, i64)| {
        let channel = &world.channels[*index];
        let mut view =
            json!({"channel_id": channel.id, "type": channel.kind, "address": channel.address, "priority": tier});
        channel.alias.into_iter().for_each(|alias| view["alias"] = alias.into());
        view
    };
    json!({
        "id": priority.id,
        "name": priority.name,
        "is_default": priority.is_default,
        "channels": priority.channels.iter().map(channel).collect::<Vec<_>>(),
        "created_at": priority.created_at,
        "updated_at": priority.updated_at,
    })
}
