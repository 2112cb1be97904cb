//! What people do on their side: messages, reactions, votes, typing, reading, changes to groups.

use serde_json::{Map, Value, json};

use super::Control;
use crate::blooio::events::What;
use crate::blooio::life::Status;
use crate::blooio::recipient::normalize;
use crate::blooio::{Attachment, Draft, Peer, Poll, ReplyTo, World};
use crate::fields::Fields;
use crate::refusal::Refusal;
use crate::service::{Answer, Outcome};

const TYPES: &str = "one of message, poll, reaction, poll_vote, typing, read, contact_card, group_name, group_icon";

/// `{"type"?, "from", "to"?, "group_id"?, …}`; the answer names what it made or changed.
pub(super) fn simulate(control: &Control<'_>) -> Outcome {
    let fields = control.fields()?;
    let answer = control.namespace.with(|state| Scene::read(fields, &mut state.blooio)?.play())?;
    Ok(Answer::new(201, Value::Object(answer)))
}

/// Somebody, in a chat with us.
struct Scene<'a> {
    fields: Fields<'a>,
    world: &'a mut World,
    chat: usize,
    from: usize,
}

impl<'a> Scene<'a> {
    fn read(fields: Fields<'a>, world: &'a mut World) -> Result<Scene<'a>, Refusal> {
        let from = normalize(fields.required_text("from")?);
        let from = from.ok_or_else(|| fields.refuse("from", "an E.164 number or an email address"))?;
        let group = match fields.text("group_id")? {
            None => None,
            Some(id) => Some(world.find_group(id).ok_or_else(|| Refusal::not_found("Group not found."))?),
        };
        let line = match fields.text("to")? {
            None => None,
            Some(name) => {
                let named = |index: &usize| {
                    let channel = &world.channels[*index];
                    channel.address == name || channel.id == name || channel.alias == Some(name)
                };
                let found = (0..world.channels.len()).find(named);
                Some(found.ok_or_else(|| fields.refuse("to", "the address, id or alias of a channel"))?)
            }
        };
        let from = world.contact(&from);
        let peer = group.map_or(Peer::Person(from), Peer::Group);
        if let Peer::Group(group) = peer
            && !world.groups[group].members.contains(&from)
        {
            return Err(fields.refuse("from", "a member of the group"));
        }
        let known = world.chats_with(peer).last().map(|chat| world.chats[*chat].channel);
        let owner = group.map(|group| world.groups[group].channel);
        let (chat, _) = world.chat(owner.or(line).or(known).unwrap_or(0), peer);
        Ok(Scene { fields, world, chat, from })
    }

    fn play(self) -> Result<Map<String, Value>, Refusal> {
        match self.fields.text("type")?.unwrap_or("message") {
            "message" => self.message(),
            "poll" => self.poll(),
            "reaction" => self.reaction(),
            "poll_vote" => self.vote(),
            "typing" => self.typing(),
            "read" => self.read_all(),
            "contact_card" => {
                let by = self.from;
                self.world.emit(What::ContactShared { by }, Some(self.chat));
                Ok(self.answer(None))
            }
            "group_name" => self.group_name(),
            "group_icon" => self.group_icon(),
            _ => Err(self.fields.refuse("type", TYPES)),
        }
    }

    fn message(mut self) -> Result<Map<String, Value>, Refusal> {
        let text = self.fields.text("text")?.map(str::to_owned);
        let urls = self.fields.texts("attachments")?.unwrap_or_default();
        if text.is_none() && urls.is_empty() {
            return Err(self.fields.refuse("text", "given, or attachments"));
        }
        let attachments: Vec<Attachment> =
            urls.into_iter().map(|url| Attachment { url: url.to_owned(), name: None }).collect();
        let reply_to = match self.fields.text("reply_to")? {
            None => None,
            Some(id) => Some(ReplyTo { message: Some(self.known(id)?), guid: None, part_index: 0 }),
        };
        let kind = if attachments.is_empty() { "text" } else { "media" };
        let message = self.receive(Draft { kind, text, attachments, reply_to, ..Draft::default() });
        Ok(self.answer(Some(message)))
    }

    fn poll(mut self) -> Result<Map<String, Value>, Refusal> {
        let options = self.fields.texts("options")?.unwrap_or_default();
        let options = options.into_iter().map(str::to_owned).collect();
        let title = self.fields.text("title")?.unwrap_or_default().to_owned();
        let poll = Some(Poll { title, options, ..Poll::default() });
        let message = self.receive(Draft { kind: "poll", poll, ..Draft::default() });
        Ok(self.answer(Some(message)))
    }

    fn reaction(self) -> Result<Map<String, Value>, Refusal> {
        let message = self.target()?;
        let reaction = self.fields.required_text("reaction")?;
        let (added, name) = match reaction.strip_prefix('-') {
            Some(name) => (false, name),
            None => (true, reaction.strip_prefix('+').unwrap_or(reaction)),
        };
        self.world.react(message, name, added, Some(self.from));
        Ok(self.answer(Some(message)))
    }

    fn vote(self) -> Result<Map<String, Value>, Refusal> {
        let poll = self.target()?;
        let options = self.world.messages[poll].poll.as_ref().map(|poll| poll.options.clone()).unwrap_or_default();
        let named = self.fields.text("option")?.and_then(|name| options.iter().position(|option| option == name));
        let index = self.fields.integer("option_index")?.and_then(|index| usize::try_from(index).ok());
        let option = named.or(index).filter(|index| *index < options.len());
        let option = option.ok_or_else(|| self.fields.refuse("option", "an option of the poll"))?;
        self.world.vote(poll, option, Some(self.from));
        Ok(self.answer(Some(poll)))
    }

    fn typing(self) -> Result<Map<String, Value>, Refusal> {
        let started = match self.fields.text("state")? {
            None | Some("started") => true,
            Some("stopped") => false,
            Some(_) => return Err(self.fields.refuse("state", "started or stopped")),
        };
        self.world.emit(What::Typing { started, by: self.from }, Some(self.chat));
        Ok(self.answer(None))
    }

    /// Reads one message, or everything delivered so far.
    fn read_all(self) -> Result<Map<String, Value>, Refusal> {
        let messages = match self.fields.has("message_id") {
            true => vec![self.target()?],
            false => self.world.chats[self.chat].messages.clone(),
        };
        for message in messages {
            if self.world.messages[message].status == Status::Delivered {
                self.world.advance(message, Status::Read);
            }
        }
        Ok(self.answer(None))
    }

    fn group_name(self) -> Result<Map<String, Value>, Refusal> {
        let name = self.fields.required_text("name")?.to_owned();
        let group = self.group()?;
        let previous = self.world.groups[group].name.replace(name);
        self.world.emit(What::GroupName { group, previous }, Some(self.chat));
        Ok(self.answer(None))
    }

    fn group_icon(self) -> Result<Map<String, Value>, Refusal> {
        let url = self.fields.required_text("icon_url")?.to_owned();
        let group = self.group()?;
        let previous = self.world.groups[group].icon_url.replace(url);
        self.world.emit(What::GroupIcon { group, previous }, Some(self.chat));
        Ok(self.answer(None))
    }

    fn receive(&mut self, draft: Draft) -> usize {
        self.world.receive(self.chat, draft, self.from)
    }

    fn group(&self) -> Result<usize, Refusal> {
        match self.world.chats[self.chat].peer {
            Peer::Group(group) => Ok(group),
            Peer::Person(_) => Err(self.fields.refuse("group_id", "given")),
        }
    }

    fn known(&self, id: &str) -> Result<usize, Refusal> {
        self.world.find_message(id).ok_or_else(|| Refusal::not_found("Message not found."))
    }

    /// The message `message_id` names, else the last one of ours.
    fn target(&self) -> Result<usize, Refusal> {
        if let Some(id) = self.fields.text("message_id")? {
            return self.known(id);
        }
        let ours = self.world.chats[self.chat].messages.iter().rev().copied();
        let last = ours.into_iter().find(|message| self.world.messages[*message].outbound);
        last.ok_or_else(|| Refusal::not_found("Nothing was sent to this chat."))
    }

    fn answer(&self, message: Option<usize>) -> Map<String, Value> {
        let chat = &self.world.chats[self.chat];
        let message = message.map(|message| &self.world.messages[message]);
        let answer = json!({
            "chat_id": chat.id,
            "message_id": message.map(|message| &message.id),
            "v2_message_id": message.map(|message| &message.short_id),
            "to": self.world.channels[chat.channel].address,
        });
        answer.as_object().cloned().unwrap_or_default()
    }
}
