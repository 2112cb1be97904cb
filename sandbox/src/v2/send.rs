//! Sending: what is accepted, in the order of checks that v2 keeps.

use serde_json::{Map, Value, json};

use super::chats::{ChatId, chat_id};
use super::{fields, invalid};
use crate::blooio::idempotency::{Fingerprint, Stored, fingerprint};
use crate::blooio::life::{self, Status};
use crate::blooio::{
    Attachment, Draft, EFFECTS, Intent, Peer, REPLY_WINDOW_MS, ReplyTo, World, effect_name, is_url, media_type,
};
use crate::fields::Fields;
use crate::refusal::Refusal;
use crate::service::{Answer, Call, Outcome};

const METADATA_LIMIT: usize = 1024;
/// v2 ignores what a repeated key comes with: the first answer returns, whatever the body.
const ANY_BODY: Fingerprint = [0; 32];

pub(super) fn send(call: &mut Call<'_>) -> Outcome {
    let key = call.idempotency_key();
    let now = call.state.blooio.now;
    let duplicates_conflict = call.state.blooio.switches.v2_duplicate_key_conflict;
    let request = match call.state.blooio.switches.v2_strict_idempotency {
        true => fingerprint(call.target, &serde_json::from_slice(call.body).unwrap_or_default()),
        false => ANY_BODY,
    };
    if let Some(first) = key.as_deref().and_then(|key| call.state.blooio.v2_replays.find(key, now)) {
        if first.request != request || duplicates_conflict {
            return Err(Refusal::new(409, "This Idempotency-Key was used with another request."));
        }
        return Ok(Answer::ok(first.body.clone()));
    }
    let mut body = call.json_object()?;
    if call.state.blooio.switches.v2_older_sender && !body.contains_key("from_number") {
        let header = call.headers.get("x-from-number").and_then(|number| number.to_str().ok()).map(Value::from);
        let older = body.remove("fromNumber").or(header);
        older.into_iter().for_each(|number| drop(body.insert("from_number".to_owned(), number)));
    }
    let wanted = Wanted::read(fields(&body))?;
    let chat = ChatId::parse(&call.path[0])?;
    let answer = wanted.send(&mut call.state.blooio, &chat)?;
    if let Some(key) = key {
        let stored = Stored { request, status: answer.status, body: answer.body.clone() };
        call.state.blooio.v2_replays.store(&key, now, stored);
    }
    Ok(answer.delayed(chat.person().map_or(0, |person| life::fate(person).answer_after_ms)))
}

/// The chat an id means on the line that would write to it, opened where there is none.
pub(super) fn open(world: &mut World, chat: &ChatId) -> Result<usize, Refusal> {
    let line = reach(world, chat)?;
    Ok(open_on(world, chat, line))
}

/// The same on a line that is known already.
pub(super) fn open_on(world: &mut World, chat: &ChatId, line: usize) -> usize {
    let (peer, _) = peer_of(world, chat, line);
    world.chat(line, peer).0
}

/// The line that would write to a chat, if its device and the other side can be reached.
pub(super) fn reach(world: &World, chat: &ChatId) -> Result<usize, Refusal> {
    if let Some((status, message)) = chat.person().and_then(life::obstacle) {
        return Err(Refusal::new(status, message));
    }
    chat.find(world).map_or(Ok(()), |peer| world.check_device(peer))?;
    line_for(world, chat, None)
}

/// The line asked for, or the one that knows the conversation, or the next in turn.
fn line_for(world: &World, chat: &ChatId, asked: Option<usize>) -> Result<usize, Refusal> {
    if let ChatId::Group(id) = chat {
        world.find_group(id).ok_or_else(|| Refusal::not_found(format!("Group {id} not found.")))?;
    }
    let lines: Vec<usize> = world.lines().filter(|line| world.channels[*line].is_active()).collect();
    let owner = chat.find(world).and_then(|peer| match peer {
        Peer::Group(group) => Some(world.groups[group].channel),
        Peer::Person(_) => None,
    });
    let in_turn = lines.get(world.chats.len() % lines.len().max(1)).copied();
    let line = asked.or_else(|| used_line(world, chat)).or(owner).filter(|line| lines.contains(line)).or(in_turn);
    line.ok_or_else(|| Refusal::new(503, "No active number can send this message."))
}

/// The line on which there is a conversation already.
fn used_line(world: &World, chat: &ChatId) -> Option<usize> {
    let mut channels = world.chats_with(chat.find(world)?).iter().map(|chat| world.chats[*chat].channel);
    channels.find(|channel| world.channels[*channel].is_line())
}

/// A valid request, before anything is known about the chat.
struct Wanted {
    /// One a message.
    drafts: Vec<Draft>,
    /// Whether the answer lists ids: a text array, or URL balloons.
    batch: bool,
    from_number: Option<String>,
    share_contact: bool,
    reply_to: Option<ReplyTarget>,
}

struct ReplyTarget {
    message_id: Option<String>,
    guid: Option<String>,
    part_index: i64,
}

impl Wanted {
    fn read(fields: Fields<'_>) -> Result<Wanted, Refusal> {
        let texts = texts(fields)?;
        let attachments = attachments(fields)?;
        let parts = fields.list("parts")?.filter(|parts| !parts.is_empty());
        if texts.is_empty() && attachments.is_empty() && parts.is_none() {
            return Err(invalid("text", "One of text, attachments or parts is required."));
        }
        let voice = |file: &Attachment| media_type(&file.url).is_some_and(|kind| kind.starts_with("audio/"));
        if attachments.iter().any(voice) && (attachments.len() > 1 || !texts.is_empty()) {
            return Err(invalid("attachments", "An audio file is a voice memo, and goes alone."));
        }
        let effect = read_effect(fields, parts.is_some())?;
        check_metadata(fields)?;
        let share_contact = fields.flag("share_contact")?;
        fields.flag("use_typing_indicator")?;
        fields.object("link_preview")?;
        let text_array = fields.get("text").is_some_and(Value::is_array);
        let (mut drafts, batch) = match parts {
            Some(parts) => read_parts(fields, parts)?,
            None => (message_drafts(texts, attachments), text_array),
        };
        drafts.iter_mut().for_each(|draft| draft.effect.clone_from(&effect));
        let reply_to = fields.object("reply_to")?.map(ReplyTarget::read).transpose()?;
        if batch && reply_to.is_some() {
            let message = "A reply is one message: reply_to does not go with a text array or with URL previews.";
            return Err(Refusal::bad_request(message).code("reply_target_not_supported"));
        }
        let from_number = fields.text("from_number")?.map(str::to_owned);
        Ok(Wanted { drafts, batch, from_number, share_contact, reply_to })
    }

    fn send(self, world: &mut World, chat: &ChatId) -> Outcome {
        let asked = self.from_number.as_deref().map(|number| own_line(world, number)).transpose()?;
        let line = line_for(world, chat, asked)?;
        let known = chat.find(world);
        let reply_to = self.reply_to.map(|target| target.resolve(world, known, line)).transpose()?;
        let opening = used_line(world, chat).is_none();
        if opening && self.drafts[0].text.is_none() && !self.drafts[0].attachments.is_empty() {
            let message = "The first message of a conversation must have text beside its attachments.";
            return Err(Refusal::bad_request(message).code("attachment_first_message_not_allowed"));
        }
        if self.share_contact && !world.switches.enterprise {
            return Err(Refusal::new(403, "Sharing the contact card is not part of this plan."));
        }
        world.check_trial(self.drafts.len())?;
        world.check_send(Intent {
            channel: line,
            person: chat.person(),
            peer: known,
            messages: self.drafts.len(),
            rich: self.drafts.iter().any(Draft::is_rich),
        })?;

        let (peer, group_created) = peer_of(world, chat, line);
        let thread = world.chat(line, peer).0;
        world.chats[thread].card_staged |= self.share_contact;
        let unresolved = reply_to.as_ref().is_some_and(|parent| parent.message.is_none());
        let mut ids = Vec::with_capacity(self.drafts.len());
        let mut status = Status::Queued;
        for draft in self.drafts {
            let message = world.send(thread, Draft { reply_to: reply_to.clone(), ..draft });
            ids.push(world.messages[message].short_id.clone());
            status = world.messages[message].status;
        }
        let mut body = Map::new();
        match self.batch {
            true => {
                body.insert("count".to_owned(), ids.len().into());
                body.insert("message_ids".to_owned(), ids.into());
            }
            false => {
                body.insert("message_id".to_owned(), ids.remove(0).into());
            }
        }
        body.insert("status".to_owned(), status.as_str().into());
        if let (ChatId::Several(participants), Peer::Group(_)) = (chat, peer) {
            body.insert("group_id".to_owned(), chat_id(world, peer).into());
            body.insert("group_created".to_owned(), group_created.into());
            body.insert("participants".to_owned(), json!(participants));
        }
        if unresolved {
            body.insert("parent_unresolved".to_owned(), true.into());
        }
        Ok(Answer::new(202, Value::Object(body)))
    }
}

impl ReplyTarget {
    fn read(fields: Fields<'_>) -> Result<ReplyTarget, Refusal> {
        let bad = |_| {
            Refusal::bad_request("reply_to needs message_id or guid, and a part_index of at least 0.")
                .code("reply_target_invalid")
        };
        let message_id = fields.text("message_id").map_err(bad)?.map(str::to_owned);
        let guid = fields.text("guid").map_err(bad)?.map(str::to_owned);
        let part_index = fields.integer("part_index").map_err(bad)?.unwrap_or(0);
        if (message_id.is_none() && guid.is_none()) || part_index < 0 {
            return Err(bad(Refusal::bad_request("")));
        }
        Ok(ReplyTarget { message_id, guid, part_index })
    }

    fn resolve(self, world: &World, peer: Option<Peer>, line: usize) -> Result<ReplyTo, Refusal> {
        let ReplyTarget { message_id, guid, part_index } = self;
        let Some(id) = message_id else { return Ok(ReplyTo { message: None, guid, part_index }) };
        let index = world.find_message(&id);
        let index =
            index.ok_or_else(|| Refusal::not_found("Reply target message not found").code("reply_target_not_found"))?;
        let parent = &world.messages[index];
        let chat = &world.chats[parent.chat];
        let refuse = |code, message: &str| Err(Refusal::bad_request(message).code(code));
        if Some(chat.peer) != peer {
            return refuse("reply_target_chat_mismatch", "The reply target is in another chat");
        }
        if chat.channel != line {
            return refuse("reply_target_device_mismatch", "The reply target was sent from another number");
        }
        if world.now - parent.created_at > REPLY_WINDOW_MS {
            return refuse("reply_target_expired", "You can only reply to messages from the last 30 days");
        }
        Ok(ReplyTo { message: Some(index), guid, part_index })
    }
}

fn own_line(world: &World, number: &str) -> Result<usize, Refusal> {
    let line = world.lines().find(|line| world.channels[*line].address == number);
    line.ok_or_else(|| Refusal::new(403, "from_number does not belong to this API key."))
}

/// The other side, made where it is new; and whether a group was made for it.
fn peer_of(world: &mut World, chat: &ChatId, line: usize) -> (Peer, bool) {
    match chat.find(world) {
        Some(Peer::Group(group)) => return (Peer::Group(world.merged_group(group)), false),
        Some(peer) => return (peer, false),
        None => {}
    }
    match chat {
        ChatId::Person(identifier) | ChatId::Group(identifier) => (Peer::Person(world.contact(identifier)), false),
        ChatId::Several(people) => {
            let members = people.iter().map(|one| world.contact(one)).collect();
            let (group, created) = world.unnamed_group(line, members);
            (Peer::Group(group), created)
        }
    }
}

fn texts(fields: Fields<'_>) -> Result<Vec<String>, Refusal> {
    match fields.get("text") {
        None => Ok(Vec::new()),
        Some(Value::String(text)) => Ok((!text.is_empty()).then(|| text.clone()).into_iter().collect()),
        Some(Value::Array(_)) => {
            let texts = fields.texts("text")?.filter(|texts| !texts.is_empty());
            let texts = texts.ok_or_else(|| fields.refuse("text", "a string, or an array of non-empty strings"))?;
            Ok(texts.into_iter().map(str::to_owned).collect())
        }
        Some(_) => Err(fields.refuse("text", "a string, or an array of non-empty strings")),
    }
}

fn attachments(fields: Fields<'_>) -> Result<Vec<Attachment>, Refusal> {
    let bad = || fields.refuse("attachments", "an array of https URLs, or of objects with url and name");
    let list = fields.list("attachments")?.unwrap_or_default();
    list.iter()
        .map(|item| {
            let url = item.as_str().or_else(|| item["url"].as_str()).filter(|url| is_https(url)).ok_or_else(bad)?;
            let name = item["name"].as_str().map(str::to_owned);
            Ok(Attachment { url: url.to_owned(), name })
        })
        .collect()
}

/// One message a text; attachments ride on the first.
fn message_drafts(texts: Vec<String>, attachments: Vec<Attachment>) -> Vec<Draft> {
    let kind = if attachments.is_empty() { "text" } else { "media" };
    let first = Draft { kind, text: texts.first().cloned(), attachments, ..Draft::default() };
    let others = texts.into_iter().skip(1);
    std::iter::once(first).chain(others.map(Draft::text)).collect()
}

/// Parts make one bubble, or, once any has a link preview, one message each.
fn read_parts(fields: Fields<'_>, parts: &[Value]) -> Result<(Vec<Draft>, bool), Refusal> {
    let bad = |message: &str| invalid("parts", message);
    let batch = parts.iter().any(|part| !part["link_preview"].is_null());
    let mut texts = Vec::new();
    let mut attachments = Vec::new();
    for part in parts {
        let (text, url) = (part["text"].as_str(), part["url"].as_str());
        match (text, url) {
            (Some(text), None) if part["name"].is_null() && (!batch || is_url(text)) => texts.push(text.to_owned()),
            (None, Some(url)) if !batch && part["mention"].is_null() && is_https(url) => {
                attachments.push(Attachment { url: url.to_owned(), name: part["name"].as_str().map(str::to_owned) });
            }
            _ if batch => return Err(bad("With link_preview every part is a text of exactly one http(s) URL.")),
            _ => return Err(bad("Each part has either text (and mention) or an https url (and name).")),
        }
    }
    if fields.has("text") || fields.has("attachments") {
        return Err(bad("parts stands alone, without text and attachments."));
    }
    if batch {
        return Ok((texts.into_iter().map(Draft::text).collect(), true));
    }
    let text = (!texts.is_empty()).then(|| texts.concat());
    Ok((vec![Draft { kind: "multipart", text, attachments, ..Draft::default() }], false))
}

fn read_effect(fields: Fields<'_>, with_parts: bool) -> Result<Option<String>, Refusal> {
    let effect = fields.text("effect")?.map(effect_name).filter(|effect| effect != "none");
    let Some(effect) = effect else { return Ok(None) };
    if !EFFECTS.contains(&effect.as_str()) {
        return Err(invalid("effect", format!("effect must be one of {}.", EFFECTS.join(", "))));
    }
    if with_parts {
        return Err(invalid("effect", "effect does not go with parts."));
    }
    Ok(Some(effect))
}

/// Older pages accept metadata; it leads nowhere, but its size is kept.
fn check_metadata(fields: Fields<'_>) -> Result<(), Refusal> {
    let size = fields.get("metadata").map_or(0, |metadata| metadata.to_string().len());
    if size > METADATA_LIMIT {
        return Err(invalid("metadata", "metadata must not exceed 1 KB."));
    }
    Ok(())
}

fn is_https(url: &str) -> bool {
    is_url(url) && url.starts_with("https://")
}
