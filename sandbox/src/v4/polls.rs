//! Polls.

use serde_json::{Value, json};

use super::signals::on_line;
use super::{chats, fields, unprocessable, wrapped};
use crate::blooio::{Draft, Intent, Peer, Poll};
use crate::refusal::Refusal;
use crate::service::{Answer, Call, Outcome};

pub(super) fn send(call: &mut Call<'_>) -> Outcome {
    let chat = on_line(call)?;
    let body = call.json_object()?;
    let fields = fields(&body);
    let title = fields.required_text("title")?.to_owned();
    let options = fields.texts("options")?.filter(|options| (2..=10).contains(&options.len()));
    let options = options.ok_or_else(|| fields.refuse("options", "a list of 2 to 10 options"))?;
    let world = &mut call.state.blooio;
    chats::check_open(world, chat)?;
    let row = &world.chats[chat];
    let person = match row.peer {
        Peer::Person(contact) => Some(world.contacts[contact].identifier.clone()),
        Peer::Group(_) => None,
    };
    let (channel, peer) = (row.channel, Some(row.peer));
    world.check_send(Intent { channel, person: person.as_deref(), peer, messages: 1, rich: false })?;
    let poll = Poll { title, options: options.into_iter().map(str::to_owned).collect(), ..Poll::default() };
    let view = json!({"title": poll.title, "options": poll.options});
    let text = Some(poll.title.clone());
    let message = world.send(chat, Draft { kind: "poll", text, poll: Some(poll), ..Draft::default() });
    let (row, channel) = (&world.messages[message], &world.channels[channel]);
    Ok(Answer::new(
        201,
        json!({"data": {
            "id": row.id,
            "chat_id": world.chats[chat].id,
            "channel_id": channel.id,
            "channel_type": channel.kind,
            "type": "poll",
            "status": row.status.as_str(),
            "poll": view,
        }}),
    ))
}

/// Sets our vote for an option, or takes it back: 201 while any of ours stands, else 200.
pub(super) fn vote(call: &mut Call<'_>) -> Outcome {
    on_line(call)?;
    let body = call.json_object()?;
    let fields = fields(&body);
    let (index, name) = (fields.integer("option_index")?, fields.text("option")?);
    let (message, poll) = find(call)?;
    let named = name.and_then(|name| poll.options.iter().position(|option| option == name));
    let option = named.or(index.and_then(|index| usize::try_from(index).ok()));
    let option = option.filter(|option| *option < poll.options.len());
    let option =
        option.ok_or_else(|| unprocessable("option_index", "Give option_index or option, one of the poll's."))?;
    let (options, poll_id) = (poll.options.clone(), call.state.blooio.messages[message].id.clone());
    let world = &mut call.state.blooio;
    let (vote, on) = world.vote_of_ours(message, option);
    let chosen = world.messages[message].poll.as_ref().map(|poll| poll.chosen_by(None)).unwrap_or_default();
    let answer = json!({
        "id": world.messages[vote].id,
        "poll_id": poll_id,
        "voted_option": options[option],
        "toggled": if on { "on" } else { "off" },
        "active_votes": chosen.iter().map(|option| &options[*option]).collect::<Vec<_>>(),
        "active_vote_indices": chosen,
    });
    Ok(Answer::new(if chosen.is_empty() { 200 } else { 201 }, json!({"data": answer})))
}

pub(super) fn results(call: &mut Call<'_>) -> Outcome {
    let chat = chats::find(call)?;
    let (message, poll) = find(call)?;
    let world = &call.state.blooio;
    let option = |(index, text): (usize, &String)| json!({"text": text, "votes": poll.count(index)});
    Ok(wrapped(json!({
        "poll_id": world.messages[message].id,
        "chat_id": world.chats[chat].id,
        "title": poll.title,
        "options": poll.options.iter().enumerate().map(option).collect::<Vec<Value>>(),
        "total_votes": poll.votes.len(),
    })))
}

fn find<'a>(call: &'a Call<'_>) -> Result<(usize, &'a Poll), Refusal> {
    let chat = chats::find(call)?;
    let world = &call.state.blooio;
    let message = world.find_message(&call.path[1]).filter(|message| world.messages[*message].chat == chat);
    let poll = message.and_then(|message| Some((message, world.messages[message].poll.as_ref()?)));
    poll.ok_or_else(|| Refusal::not_found("Poll not found."))
}
