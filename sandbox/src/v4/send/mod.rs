//! The three send routes: one story, told in the order in which v4 checks.

mod address;
mod content;

use serde_json::{Map, Value, json};

use self::address::{Addressing, Recipient, Resolved, Thread};
use self::content::Content;
use super::messages::error;
use super::{chats, fields, unprocessable};
use crate::blooio::idempotency::{Stored, fingerprint};
use crate::blooio::life::Status;
use crate::blooio::{Channel, Draft, Intent, MessageError, Peer, REPLY_WINDOW_MS, ReplyTo, World, life};
use crate::refusal::{Refusal, status_name};
use crate::service::{Answer, Call, Outcome};

/// What a channel that reaches numbers only says about anything else.
const UNREACHABLE: MessageError = ("recipient_unreachable", "This channel cannot reach the recipient.");

/// `POST /messages`: the sender is chosen here.
pub(super) fn routed(call: &mut Call<'_>) -> Outcome {
    once(call, |call, body| {
        let content = Content::read(body)?;
        let addressing = Addressing::read(fields(body))?;
        let carries = |channel: &Channel| content.check_channel(channel).is_ok();
        let resolved = addressing.resolve(&call.state.blooio, carries)?;
        deliver(call, content, resolved, body)
    })
}

/// `POST /channels/{channel}/messages`: the sender is in the path.
pub(super) fn to_channel(call: &mut Call<'_>) -> Outcome {
    once(call, |call, body| {
        let content = Content::read(body)?;
        let recipient = Recipient::read(fields(body))?;
        let channel = address::exact(&call.state.blooio, &call.path[0])?;
        let resolved = address::on_channel(&call.state.blooio, channel, recipient)?;
        deliver(call, content, resolved, body)
    })
}

/// `POST /chats/{chatId}/messages`: both ends are in the path.
pub(super) fn to_chat(call: &mut Call<'_>) -> Outcome {
    once(call, |call, body| {
        let content = Content::read(body)?;
        let fields = fields(body);
        if let Some(name) = ["from", "to"].into_iter().find(|name| fields.has(name)) {
            return Err(fields.refuse(name, "left out: the chat has its sender and recipient"));
        }
        let chat = chats::find(call)?;
        let row = &call.state.blooio.chats[chat];
        let channel = address::in_service(&call.state.blooio, row.channel)?;
        let threads = vec![Thread::Known(row.peer)];
        let resolved = Resolved { channel, mode: "explicit", priority: None, threads, hybrid: None };
        deliver(call, content, resolved, body)
    })
}

/// The same key with the same body answers as the first time did; with another body it is 409. A dry run neither asks nor stores.
fn once(call: &mut Call<'_>, send: impl FnOnce(&mut Call<'_>, &Map<String, Value>) -> Outcome) -> Outcome {
    let body = Value::Object(call.json_object()?);
    let dry_run = body["dry_run"] == true;
    let key = call.idempotency_key().filter(|_| !dry_run);
    let request = fingerprint(call.target, &body);
    let now = call.state.blooio.now;
    if let Some(first) = key.as_deref().and_then(|key| call.state.blooio.v4_replays.find(key, now)) {
        if first.request != request {
            let message = "This Idempotency-Key was used with another request.";
            return Err(Refusal::new(409, message).code("idempotency_key_reused"));
        }
        let replay_status = call.state.blooio.switches.replay_status;
        let status = if first.status < 300 { replay_status } else { first.status };
        return Ok(Answer::new(status, first.body.clone()));
    }
    if !call.state.blooio.switches.legacy_body {
        refuse_older_form(&body)?;
    }
    let Value::Object(fields) = &body else { return Err(Refusal::bad_request("The body must be a JSON object.")) };
    let answer = send(call, fields)?;
    if let Some(key) = key {
        let stored = Stored { request, status: answer.status, body: answer.body.clone() };
        call.state.blooio.v4_replays.store(&key, now, stored);
    }
    let wait = fields.get("to").and_then(Value::as_str).map_or(0, |to| life::fate(to).answer_after_ms);
    Ok(answer.delayed(wait))
}

/// What only the older generation of bodies has.
fn refuse_older_form(body: &Value) -> Result<(), Refusal> {
    let older = [
        ("content", !body["content"].is_null()),
        ("channel_id", !body["channel_id"].is_null()),
        ("to", ["identifier", "identifiers"].iter().any(|name| !body["to"][*name].is_null())),
        ("from", body["from"].is_object()),
    ];
    match older.into_iter().find(|(_, given)| *given) {
        None => Ok(()),
        Some(("content", _)) => Err(unprocessable("content", "content is no longer taken.").code("invalid_content")),
        Some((name, _)) => Err(unprocessable(name, format!("{name} is no longer taken in this form."))),
    }
}

fn deliver(call: &mut Call<'_>, content: Content, resolved: Resolved, body: &Map<String, Value>) -> Outcome {
    let dry_run = fields(body).flag("dry_run")?;
    let world = &mut call.state.blooio;
    content.check_channel(&world.channels[resolved.channel])?;
    let Resolved { channel, mode, priority, threads, hybrid } = resolved;
    let shipment = Shipment { content, channel, mode, priority, hybrid, dry_run };
    let reply_to = shipment.reply_to(world, &threads)?;
    match threads.as_slice() {
        [one] => {
            shipment.check(world, one)?;
            let (result, _) = shipment.send(world, one, reply_to, unreachable(one));
            Ok(Answer::new(if dry_run { 200 } else { world.switches.send_status }, result))
        }
        several => Ok(shipment.fan_out(world, several)),
    }
}

/// One content on its way through one channel.
struct Shipment {
    content: Content,
    channel: usize,
    mode: &'static str,
    priority: Option<(String, i64)>,
    hybrid: Option<&'static str>,
    dry_run: bool,
}

impl Shipment {
    /// The message that is answered, where one is.
    fn reply_to(&self, world: &World, threads: &[Thread]) -> Result<Option<ReplyTo>, Refusal> {
        match (self.content.reply_to.as_deref(), threads) {
            (None, _) => Ok(None),
            (Some(id), [thread]) => resolve_reply(world, id, self.chat(world, thread)).map(Some),
            _ => Err(unprocessable("reply_to", "A reply goes to one chat, not to several recipients.")),
        }
    }

    fn chat(&self, world: &World, thread: &Thread) -> Option<usize> {
        thread.find(world, self.channel).and_then(|peer| world.find_chat(self.channel, peer))
    }

    fn check(&self, world: &World, thread: &Thread) -> Result<(), Refusal> {
        self.chat(world, thread).map_or(Ok(()), |chat| chats::check_open(world, chat))?;
        world.check_send(Intent {
            channel: self.channel,
            person: thread.person(world),
            peer: thread.find(world, self.channel),
            messages: 1,
            rich: self.content.draft.is_rich(),
        })
    }

    /// What forbids one of several sends, and none of the others. They leave through no line, so that neither plans nor
    /// the safety system have a say.
    fn forbidden(&self, world: &World, thread: &Thread) -> Option<MessageError> {
        let closed = self.chat(world, thread).is_some_and(|chat| chats::check_open(world, chat).is_err());
        let obstacle = thread.person(world).and_then(life::obstacle);
        let obstacle = obstacle.map(|(status, message)| (status_name(status), message));
        closed.then_some(("chat_closed", "The chat is closed.")).or(obstacle)
    }

    fn fan_out(&self, world: &mut World, threads: &[Thread]) -> Answer {
        let mut data = Vec::with_capacity(threads.len());
        let mut sent = 0;
        for thread in threads {
            let refused = unreachable(thread).or_else(|| self.forbidden(world, thread));
            let (mut result, accepted) = self.send(world, thread, None, refused);
            result["to"] = thread.name(world).into();
            sent += usize::from(accepted);
            data.push(result);
        }
        let failed = data.len() - sent;
        let status = match (self.dry_run, sent, failed) {
            (true, ..) => 200,
            (_, _, 0) => world.switches.send_status,
            (_, 0, _) => 422,
            _ => 207,
        };
        let mut body =
            json!({"data": data, "fan_out": true, "sent": sent, "failed": failed, "routing": self.routing(world)});
        if self.dry_run {
            body["dry_run"] = true.into();
        }
        Answer::new(status, body)
    }

    /// The result of one thread, and whether the channel took the message, or would take it.
    fn send(
        &self,
        world: &mut World,
        thread: &Thread,
        reply_to: Option<ReplyTo>,
        refused: Option<MessageError>,
    ) -> (Value, bool) {
        if !self.dry_run {
            return self.create(world, thread, reply_to, refused);
        }
        let (known, chat) = (thread.find(world, self.channel), self.chat(world, thread));
        let accepted = refused.is_none() && !thread.person(world).is_some_and(|person| life::fate(person).refused);
        (self.preview(world, known, chat, accepted), accepted)
    }

    fn create(
        &self,
        world: &mut World,
        thread: &Thread,
        reply_to: Option<ReplyTo>,
        refused: Option<MessageError>,
    ) -> (Value, bool) {
        let peer = thread.make(world, self.channel);
        let (chat, _) = world.chat(self.channel, peer);
        let draft = Draft { reply_to, ..self.content.draft.clone() };
        let message = match refused {
            None => world.send(chat, draft),
            Some(error) => world.send_refused(chat, draft, error),
        };
        let row = &world.messages[message];
        let mut result = self.result(world, &row.id, &world.chats[chat].id);
        result["status"] = row.status.as_str().into();
        result["protocol"] = row.protocol.into();
        result["error"] = error(row);
        if let Some((_, reason)) = row.error.filter(|(code, _)| *code == UNREACHABLE.0) {
            result["fallback"] = json!({"recommended": true, "reason": reason});
        }
        let accepted = row.status != Status::Failed;
        (self.complete(world, result, Some(peer)), accepted)
    }

    /// What a send would answer; its ids belong to nothing.
    fn preview(&self, world: &mut World, known: Option<Peer>, chat: Option<usize>, accepted: bool) -> Value {
        let now = world.now;
        let id = world.ids.uuid7("msg_", now);
        let chat_id = match chat {
            Some(chat) => world.chats[chat].id.clone(),
            None => world.ids.uuid7("chat_", now),
        };
        let mut result = self.result(world, &id, &chat_id);
        result["dry_run"] = true.into();
        result["would_send"] = accepted.into();
        result["preview"] = json!({
            "type": self.content.draft.kind,
            "text": self.content.draft.text,
            "attachments": self.content.draft.attachments.iter().map(|file| &file.url).collect::<Vec<_>>(),
        });
        self.complete(world, result, known)
    }

    fn result(&self, world: &World, id: &str, chat_id: &str) -> Value {
        let channel = &world.channels[self.channel];
        json!({
            "id": id,
            "chat_id": chat_id,
            "channel_id": channel.id,
            "channel_type": channel.kind,
            "from": channel.address,
            "protocol": "pending",
            "direction": "outbound",
            "type": self.content.draft.kind,
            "status": "queued",
            "error": null,
            "routing": self.routing(world),
        })
    }

    fn complete(&self, world: &World, mut result: Value, peer: Option<Peer>) -> Value {
        if let Some(Peer::Group(group)) = peer {
            result["group_id"] = world.groups[group].id.clone().into();
        }
        if let Some(phase) = self.hybrid {
            result["hybrid"] = json!({"phase": phase});
        }
        if let Some(poll) = &self.content.poll {
            result["poll"] = poll.clone();
        }
        result
    }

    fn routing(&self, world: &World) -> Value {
        let channel = &world.channels[self.channel];
        let mut routing = json!({"mode": self.mode, "channel_type": channel.kind, "number": channel.address});
        if let Some(alias) = channel.alias {
            routing["alias"] = alias.into();
        }
        if let Some((id, tier)) = &self.priority {
            routing["priority_id"] = id.clone().into();
            routing["priority"] = (*tier).into();
        }
        routing
    }
}

fn unreachable(thread: &Thread) -> Option<MessageError> {
    matches!(thread, Thread::Unreachable(_)).then_some(UNREACHABLE)
}

fn resolve_reply(world: &World, id: &str, chat: Option<usize>) -> Result<ReplyTo, Refusal> {
    let index = world.find_message(id);
    let index = index
        .ok_or_else(|| Refusal::not_found("The message to reply to was not found.").code("reply_target_not_found"))?;
    let parent = &world.messages[index];
    if Some(parent.chat) != chat {
        return Err(
            Refusal::bad_request("The message to reply to is in another chat.").code("reply_target_chat_mismatch")
        );
    }
    if world.now - parent.created_at > REPLY_WINDOW_MS {
        return Err(
            Refusal::bad_request("Only messages of the last 30 days can be replied to.").code("reply_target_expired")
        );
    }
    Ok(ReplyTo { message: Some(index), guid: None, part_index: 0 })
}
