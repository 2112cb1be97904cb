//! What is no message: typing, reading, the contact card, the picture behind a chat, reactions. Blooio's lines only.

use serde_json::{Value, json};

use super::{chats, fields, unprocessable, wrapped};
use crate::blooio::Background;
use crate::blooio::life::Status;
use crate::multipart;
use crate::refusal::Refusal;
use crate::service::{Call, Outcome};

pub(super) fn set_typing(call: &mut Call<'_>) -> Outcome {
    let chat = on_line(call)?;
    let body = if call.body.is_empty() { serde_json::Map::new() } else { call.json_object()? };
    let fields = fields(&body);
    match fields.text("state").map_err(|refusal| Refusal::bad_request(refusal.message))?.unwrap_or("started") {
        state @ ("started" | "stopped") => Ok(typing(call, chat, state)),
        // The contract has no 422 here.
        _ => Err(Refusal::bad_request("state must be started or stopped.")),
    }
}

pub(super) fn stop_typing(call: &mut Call<'_>) -> Outcome {
    let chat = on_line(call)?;
    Ok(typing(call, chat, "stopped"))
}

fn typing(call: &Call<'_>, chat: usize, state: &str) -> crate::service::Answer {
    let world = &call.state.blooio;
    wrapped(json!({"chat_id": world.chats[chat].id, "state": state, "at": world.now}))
}

pub(super) fn mark_read(call: &mut Call<'_>) -> Outcome {
    let chat = on_line(call)?;
    let world = &mut call.state.blooio;
    for message in world.chats[chat].messages.clone() {
        let (now, row) = (world.now, &mut world.messages[message]);
        if row.status == Status::Received {
            row.read_at = row.read_at.or(Some(now));
        }
    }
    Ok(wrapped(json!({"chat_id": world.chats[chat].id, "read": true, "at": world.now})))
}

pub(super) fn share_card(call: &mut Call<'_>) -> Outcome {
    let chat = on_line(call)?;
    let world = &mut call.state.blooio;
    world.chats[chat].card_staged = true;
    Ok(wrapped(json!({"chat_id": world.chats[chat].id, "shared": true, "at": world.now})))
}

pub(super) fn background(call: &mut Call<'_>) -> Outcome {
    let chat = &call.state.blooio.chats[chats::find(call)?];
    let background = chat.background.as_ref();
    Ok(wrapped(json!({
        "chat_id": chat.id,
        "has_background": background.is_some(),
        "background_id": background.map(|background| &background.id),
        "background_version": background.map(|background| background.version),
        "background_url": background.map(|background| &background.url),
    })))
}

pub(super) fn set_background(call: &mut Call<'_>) -> Outcome {
    let chat = chats::find(call)?;
    let image = multipart::image(call.headers, call.body, "background")?;
    let world = &mut call.state.blooio;
    let background = Background {
        id: world.ids.alphanumeric("bg_", 20),
        url: world.pictures.keep(&image),
        version: world.chats[chat].background.as_ref().map_or(1, |old| old.version + 1),
    };
    let row = &mut world.chats[chat];
    let answer: Value = json!({"chat_id": row.id, "background_id": background.id, "background_url": background.url});
    row.background = Some(background);
    Ok(wrapped(answer))
}

pub(super) fn remove_background(call: &mut Call<'_>) -> Outcome {
    let chat = chats::find(call)?;
    let row = &mut call.state.blooio.chats[chat];
    row.background = None;
    Ok(wrapped(json!({"chat_id": row.id, "removed": true})))
}

pub(super) fn react(call: &mut Call<'_>) -> Outcome {
    let chat = chats::find(call)?;
    let body = call.json_object()?;
    let given = fields(&body).required_text("reaction")?.to_owned();
    let signed = given.strip_prefix('+').map(|name| (true, name)).or(given.strip_prefix('-').map(|name| (false, name)));
    let (added, name) = signed
        .filter(|(_, name)| !name.is_empty())
        .ok_or_else(|| unprocessable("reaction", "reaction must be a reaction after + or -, like +love."))?;
    let world = &mut call.state.blooio;
    let message = world.find_message(&call.path[1]).filter(|message| world.messages[*message].chat == chat);
    let message = message.ok_or_else(|| Refusal::not_found("Message not found."))?;
    if world.messages[message].status == Status::Queued {
        return Err(Refusal::new(409, "The message is not on the device yet.").code("message_not_on_device"));
    }
    world.check_device(world.chats[chat].peer)?;
    world.react(message, name, added, None);
    Ok(wrapped(json!({"message_id": world.messages[message].id, "reaction": given, "at": world.now})))
}

/// The chat of a path, on one of Blooio's lines.
pub(super) fn on_line(call: &Call<'_>) -> Result<usize, Refusal> {
    let chat = chats::find(call)?;
    let world = &call.state.blooio;
    match world.channels[world.chats[chat].channel].is_line() {
        true => world.check_device(world.chats[chat].peer).map(|()| chat),
        false => Err(Refusal::new(409, "This works on Blooio channels only.").code("channel_not_supported")),
    }
}
