//! What is no message: typing, reading, the contact card that rides on the next message, the picture behind a chat.

use serde_json::{Value, json};

use super::chats::{ChatId, existing, own_chats};
use super::send;
use crate::blooio::life::{self, Status};
use crate::blooio::{Background, Peer};
use crate::multipart;
use crate::refusal::Refusal;
use crate::service::{Answer, Call, Outcome};

pub(super) fn start_typing(call: &mut Call<'_>) -> Outcome {
    typing(call, true)
}

pub(super) fn stop_typing(call: &mut Call<'_>) -> Outcome {
    typing(call, false)
}

fn typing(call: &mut Call<'_>, started: bool) -> Outcome {
    let chat = ChatId::parse(&call.path[0])?;
    send::reach(&call.state.blooio, &chat)?;
    let at = if started { "started_at" } else { "stopped_at" };
    let mut answer = json!({"chat_id": chat.name(), "typing": started, at: call.state.blooio.now});
    if chat.person().is_some_and(|person| life::fate(person).protocol == Some("rcs")) {
        answer["warning"] = "Typing indicators do not reach RCS chats.".into();
    }
    Ok(Answer::ok(answer))
}

/// What the other side wrote counts as read; our side keeps no such mark.
pub(super) fn mark_read(call: &mut Call<'_>) -> Outcome {
    existing(call)?;
    let chat = ChatId::parse(&call.path[0])?;
    let world = &mut call.state.blooio;
    for thread in chat.find(world).map(|peer| world.chats_with(peer).to_vec()).unwrap_or_default() {
        for message in world.chats[thread].messages.clone() {
            let (now, row) = (world.now, &mut world.messages[message]);
            if row.status == Status::Received {
                row.read_at = row.read_at.or(Some(now));
            }
        }
    }
    Ok(Answer::ok(json!({"chat_id": chat.name(), "status": "read", "marked_at": world.now})))
}

pub(super) fn share_card(call: &mut Call<'_>) -> Outcome {
    let chat = ChatId::parse(&call.path[0])?;
    if !call.state.blooio.switches.enterprise {
        return Err(Refusal::new(403, "Sharing the contact card is not part of this plan."));
    }
    let thread = send::open(&mut call.state.blooio, &chat)?;
    call.state.blooio.chats[thread].card_staged = true;
    let message = "The contact card goes with the next message.";
    Ok(Answer::ok(json!({"success": true, "chat_id": chat.name(), "message": message})))
}

pub(super) fn background(call: &mut Call<'_>) -> Outcome {
    let chat = ChatId::parse(&call.path[0])?;
    let world = &call.state.blooio;
    send::reach(world, &chat)?;
    let threads = chat.find(world).map(|peer| own_chats(world, peer)).unwrap_or_default();
    let background = threads.iter().find_map(|thread| thread.background.clone());
    Ok(Answer::ok(background_view(&chat, background.as_ref())))
}

pub(super) fn set_background(call: &mut Call<'_>) -> Outcome {
    let chat = ChatId::parse(&call.path[0])?;
    let image = multipart::image(call.headers, call.body, "background")?;
    let world = &mut call.state.blooio;
    let thread = send::open(world, &chat)?;
    let background = Background {
        id: world.ids.alphanumeric("bg_", 20),
        url: world.pictures.keep(&image),
        version: world.chats[thread].background.as_ref().map_or(1, |old| old.version + 1),
    };
    let mut answer = background_view(&chat, Some(&background));
    answer["changed"] = true.into();
    world.chats[thread].background = Some(background);
    Ok(Answer::ok(answer))
}

pub(super) fn remove_background(call: &mut Call<'_>) -> Outcome {
    let chat = ChatId::parse(&call.path[0])?;
    let world = &mut call.state.blooio;
    send::reach(world, &chat)?;
    let peer: Option<Peer> = chat.find(world);
    for thread in peer.map(|peer| world.chats_with(peer).to_vec()).unwrap_or_default() {
        world.chats[thread].background = None;
    }
    Ok(Answer::ok(background_view(&chat, None)))
}

fn background_view(chat: &ChatId, background: Option<&Background>) -> Value {
    json!({
        "chat_id": chat.name(),
        "has_background": background.is_some(),
        "background_id": background.map(|background| &background.id),
        "background_url": background.map(|background| &background.url),
        "background_version": background.map(|background| background.version),
    })
}
