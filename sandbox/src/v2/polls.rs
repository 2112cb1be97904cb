//! Polls.

use serde_json::{Value, json};

use super::chats::{ChatId, existing};
use super::{fields, send};
use crate::blooio::{Draft, Intent, Poll};
use crate::refusal::Refusal;
use crate::service::{Answer, Call, Outcome};

pub(super) fn send(call: &mut Call<'_>) -> Outcome {
    let body = call.json_object()?;
    let fields = fields(&body);
    let options = fields.texts("options")?.filter(|options| (2..=10).contains(&options.len()));
    let options = options.ok_or_else(|| fields.refuse("options", "an array of 2 to 10 non-empty strings"))?;
    let title = fields.text("title")?.unwrap_or_default().to_owned();
    let chat = ChatId::parse(&call.path[0])?;
    let world = &mut call.state.blooio;
    let line = send::reach(world, &chat)?;
    world.check_trial(1)?;
    let peer = chat.find(world);
    world.check_send(Intent { channel: line, person: chat.person(), peer, messages: 1, rich: false })?;
    let thread = send::open_on(world, &chat, line);
    let options = options.into_iter().map(str::to_owned).collect();
    let poll = Poll { title: title.clone(), options, ..Poll::default() };
    let view = json!({"title": poll.title, "options": poll.options});
    let message = world.send(thread, Draft { kind: "poll", text: Some(title), poll: Some(poll), ..Draft::default() });
    Ok(Answer::ok(json!({
        "poll_id": world.messages[message].short_id,
        "chat_id": chat.name(),
        "poll": view,
        "sent_at": world.now,
    })))
}

pub(super) fn results(call: &mut Call<'_>) -> Outcome {
    let peer = existing(call)?;
    let world = &call.state.blooio;
    let message = world.find_message(&call.path[1]).map(|index| &world.messages[index]);
    let message = message.filter(|message| world.chats[message.chat].peer == peer);
    let poll = message.and_then(|message| message.poll.as_ref());
    let poll = poll.ok_or_else(|| Refusal::not_found("Poll not found."))?;
    let option = |(index, text): (usize, &String)| json!({"text": text, "votes": poll.count(index)});
    let options: Vec<Value> = poll.options.iter().enumerate().map(option).collect();
    Ok(Answer::ok(json!({
        "poll_id": call.path[1],
        "chat_id": super::chats::chat_id(world, peer),
        "title": poll.title,
        "options": options,
        "total_votes": poll.votes.len(),
    })))
}
