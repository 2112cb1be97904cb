//! Reactions, on a message by its id or by how far back it is.

use serde_json::json;

use super::chats::{direction, existing, own_chats};
use super::fields;
use crate::refusal::Refusal;
use crate::service::{Answer, Call, Outcome};

pub(super) fn add(call: &mut Call<'_>) -> Outcome {
    let body = call.json_object()?;
    let fields = fields(&body);
    let given = fields.required_text("reaction")?;
    let signed = given.strip_prefix('+').map(|name| (true, name)).or(given.strip_prefix('-').map(|name| (false, name)));
    let (added, name) = signed
        .filter(|(_, name)| !name.is_empty())
        .ok_or_else(|| fields.refuse("reaction", "a reaction after + or -, like +love"))?;
    let wanted = match fields.text("direction")? {
        None => None,
        Some(side @ ("inbound" | "outbound")) => Some(side),
        Some(_) => return Err(fields.refuse("direction", "inbound or outbound")),
    };
    let message = target(call, wanted)?;
    let world = &mut call.state.blooio;
    world.check_device(world.chats[world.messages[message].chat].peer)?;
    world.react(message, name, added, None);
    Ok(Answer::ok(json!({
        "success": true,
        "message_id": world.messages[message].short_id,
        "reaction": name,
        "action": if added { "add" } else { "remove" },
    })))
}

/// `-1` is the newest message, `-2` the one before; `wanted` narrows such counting only.
fn target(call: &Call<'_>, wanted: Option<&str>) -> Result<usize, Refusal> {
    let peer = existing(call)?;
    let (id, world) = (&call.path[1], &call.state.blooio);
    let not_found = || Refusal::not_found("Message not found.");
    if let Some(message) = world.find_message(id) {
        let here = world.chats[world.messages[message].chat].peer == peer;
        return if here { Ok(message) } else { Err(not_found()) };
    }
    let back: usize = id.strip_prefix('-').and_then(|count| count.parse().ok()).ok_or_else(not_found)?;
    let mut messages: Vec<usize> =
        own_chats(world, peer).iter().flat_map(|chat| chat.messages.iter().copied()).collect();
    messages.retain(|message| wanted.is_none_or(|wanted| wanted == direction(world.messages[*message].outbound)));
    messages.sort_unstable();
    let message = messages.len().checked_sub(back).and_then(|index| messages.get(index)).copied();
    message.ok_or_else(not_found)
}
